/*
 * doctor_table.c - what zegelctl doctor looks at in the tables of Postfix: where mail with
 * a label goes, who may make labels, and what of the site goes past them.
 */
#include <string.h>
#include <sys/stat.h>

#include "zegelctl/doctor_look.h"

#define PROBE     "zegel-doctor@example.com" /* an address that belongs to nobody */
#define LABELS    ".zegel.internal"
#define VIEWER    PROBE ".viewer" LABELS
#define NAMED_MAX 5 /* entries of a table that a finding names */
#define RELOAD    ", then \"postfix reload\""
#define IN_FRONT  "put regexp:$config_directory/zegel_header_keep in front of them" RELOAD

/* ---- transport_maps ---- */

/* Whether LIST names a table called NAME. */
static gboolean
has_table(const char *list, const char *name)
{
  g_auto(GStrv) tables = site_words(list);
  for (char **table = tables; *table != NULL; table++)
    if (strcmp(look_table_name(*table), name) == 0)
      return TRUE;
  return FALSE;
}

/* What transport_maps say of ADDRESS, as trivial-rewrite(8) asks: the whole address in
 * every table, then its domain, then parents, then "*". *TABLE and *ANSWER are new, or
 * NULL. */
static void
find_transport(const Visit *visit, const char *maps, const char *address, char **table,
               char **answer)
{
  *table = look_ask_all(visit, maps, address, TRUE, answer);
  const char *key = strrchr(address, '@') + 1;
  while (*table == NULL && key != NULL) {
    *table = look_ask_all(visit, maps, key, FALSE, answer);
    key = strchr(key + 1, '.'); /* parents begin with a dot */
  }
  if (*table == NULL)
    *table = look_ask_all(visit, maps, "*", FALSE, answer);
}

static void
look_at_label(const Visit *visit, const char *maps, const char *label)
{
  g_autofree char *address = g_strconcat(PROBE ".", label, LABELS, NULL);
  g_autofree char *answer = NULL, *table = NULL;
  find_transport(visit, maps, address, &table, &answer);
  if (table == NULL || strcmp(look_table_name(table), "zegel-routes.cf") == 0)
    return;
  if (strcmp(look_table_name(table), "zegel_transport") == 0)
    return; /* the second line: transport-tables says that the first is missing */
  look_say(visit, DOCTOR_WRONG,
           "let proxy:sqlite:$config_directory/zegel-routes.cf stand first in "
           "transport_maps" RELOAD,
           "%s stands before zegel-routes.cf in transport_maps, and sends mail with the "
           "label %s to \"%s\"",
           table, label, answer);
}

static void
look_at_transport(const Visit *visit)
{
  static const char *const labels[] = {"viewer", "direct", "prefer", "own", "seal"};
  g_autofree char *maps = look_value(visit, "transport_maps");
  for (guint i = 0; i < G_N_ELEMENTS(labels); i++)
    look_at_label(visit, maps, labels[i]);
}

static void
check_transport_hidden(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_transport);
}

static void
look_at_transport_tables(const Visit *visit)
{
  g_autofree char *maps = look_value(visit, "transport_maps");
  if (!has_table(maps, "zegel-routes.cf"))
    look_say(visit, DOCTOR_WRONG,
             "let proxy:sqlite:$config_directory/zegel-routes.cf stand first in "
             "transport_maps" RELOAD,
             "transport_maps does not have zegel-routes.cf: no promise of a route is kept");
  if (!has_table(maps, "zegel_transport"))
    look_say(visit, DOCTOR_WRONG,
             "put hash:$config_directory/zegel_transport behind your own tables in "
             "transport_maps" RELOAD,
             "transport_maps does not have zegel_transport, the second line behind "
             "zegel-routes.cf");
}

static void
check_transport_tables(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_transport_tables);
}

/* ---- Service domains ---- */

/* Whether Postfix takes DOMAIN for one of the class that parameter NAME lists. */
static gboolean
is_of_class(const Visit *visit, const char *name, const char *domain)
{
  g_autofree char *value = look_value(visit, name);
  g_autofree char *answer = NULL, *table = NULL;
  g_auto(GStrv) words = site_words(value);
  for (char **word = words; *word != NULL; word++)
    if (g_ascii_strcasecmp(*word, domain) == 0)
      return TRUE;
  table = look_ask_all(visit, value, domain, TRUE, &answer);
  return table != NULL;
}

static void
look_at_service(const Visit *visit, const char *maps, const char *domain)
{
  static const char *const others[] = {"mydestination", "virtual_mailbox_domains",
                                       "virtual_alias_domains"};
  const char *transport = visit->subject->config->store_transport;
  g_autofree char *address = g_strconcat("zegel-doctor@", domain, NULL);
  g_autofree char *answer = NULL, *table = NULL;
  g_autofree char *cure = g_strdup_printf(
      "write \"%s  %s\" into zegel_service, \"postmap hash:%s/zegel_service\", and let "
      "$zegel_service stand in transport_maps and relay_domains" RELOAD,
      domain, transport, site_directory(visit->site));
  find_transport(visit, maps, address, &table, &answer);
  if (g_strcmp0(answer, transport) != 0)
    look_say(visit, DOCTOR_WRONG, cure,
             "mail for the service domain %s goes to \"%s\"%s%s, not to zegel-deliver: "
             "bounces of notifications, and corrected numbers, are lost",
             domain, answer != NULL ? answer : "its MX", table != NULL ? " by " : "",
             table != NULL ? table : "");
  if (!is_of_class(visit, "relay_domains", domain))
    look_say(visit, DOCTOR_WRONG, cure,
             "relay_domains does not have the service domain %s: its mail is refused",
             domain);
  for (guint i = 0; i < G_N_ELEMENTS(others); i++)
    if (is_of_class(visit, others[i], domain)) {
      g_autofree char *out = g_strdup_printf("take it out of %s" RELOAD, others[i]);
      look_say(visit, DOCTOR_WRONG, out, "the service domain %s stands in %s", domain,
               others[i]);
    }
}

static void
look_at_services(const Visit *visit)
{
  const GPtrArray *all = visit->subject->config->organisations;
  g_autofree char *maps = look_value(visit, "transport_maps");
  for (guint i = 0; i < all->len; i++) {
    const Organisation *organisation = all->pdata[i];
    look_at_service(visit, maps, organisation->service_domain);
  }
}

static void
check_service_domain(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_services);
}

/* ---- Who may make labels ---- */

static void
look_at_label_domains(const Visit *visit)
{
  if (!is_of_class(visit, "virtual_mailbox_domains", "example.com.viewer" LABELS))
    look_say(
        visit, DOCTOR_WRONG,
        "put regexp:$config_directory/zegel_domains behind your own "
        "virtual_mailbox_domains" RELOAD,
        "virtual_mailbox_domains does not have the domains of labels: when our entries "
        "in transport_maps are ever lost, labelled mail goes to the relayhost");
}

static void
check_label_domains(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_label_domains);
}

/* Whether TABLE rejects labels. */
static gboolean
is_guard(const Visit *visit, const char *table)
{
  g_autofree char *answer = look_ask(visit, table, LABELS);
  return answer != NULL && g_str_has_prefix(answer, "REJECT");
}

/* Whether LIST, restrictions, rejects labels before it permits anybody. */
static gboolean
is_guarded(const Visit *visit, const char *list)
{
  g_auto(GStrv) words = site_words(list);
  for (char **word = words; *word != NULL; word++) {
    if (g_str_has_prefix(*word, "permit"))
      return FALSE;
    if (strcmp(*word, "check_recipient_access") == 0 && word[1] != NULL &&
        is_guard(visit, word[1]))
      return TRUE;
  }
  return FALSE;
}

static void
look_at_guard(const Visit *visit)
{
  for (guint i = 0; i < visit->services->len; i++) {
    const SiteService *service = visit->services->pdata[i];
    if (!look_is_public(service))
      continue;
    g_autofree char *list =
        look_service_value(visit, service, "smtpd_recipient_restrictions");
    if (!is_guarded(visit, list))
      look_say(visit, DOCTOR_WRONG,
               "let check_recipient_access hash:$config_directory/zegel_access stand first "
               "in smtpd_recipient_restrictions of the service, and \"postmap "
               "hash:zegel_access\" in its directory" RELOAD,
               "smtpd_recipient_restrictions of service %s (%s) permits before it rejects "
               "labels: a stranger can write to a label himself",
               service->name, service->type);
  }
}

static void
check_label_guard(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_guard);
}

/* ---- proxymap, indexed tables ---- */

static void
look_at_proxy(const Visit *visit)
{
  static const char *const names[] = {"zegel-routes.cf", "zegel-tls.cf", "zegel-seal.cf"};
  g_autofree char *value = look_value(visit, "proxy_read_maps");
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *table =
        g_strdup_printf("proxy:sqlite:%s/%s", site_directory(visit->site), names[i]);
    g_auto(GStrv) words = site_words(value);
    g_autofree char *cure = g_strdup_printf(
        "postconf -e \"proxy_read_maps=$(postconf -h proxy_read_maps) %s\"" RELOAD, table);
    if (!g_strv_contains((const char *const *) words, table))
      look_say(visit, DOCTOR_WRONG, cure,
               "proxy_read_maps does not have %s: proxymap refuses to open it, and mail "
               "waits",
               table);
  }
}

static void
check_proxy_read_maps(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_proxy);
}

static void
look_at_index(const Visit *visit, const char *name)
{
  static const char *const suffixes[] = {".db", ".lmdb", ".cdb"};
  struct stat text, index;
  g_autofree char *path = g_build_filename(site_directory(visit->site), name, NULL);
  g_autofree char *cure = g_strdup_printf("\"postmap hash:%s\"", path);
  if (stat(path, &text) != 0)
    return;
  for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
    g_autofree char *indexed = g_strconcat(path, suffixes[i], NULL);
    if (stat(indexed, &index) != 0)
      continue;
    if (index.st_mtim.tv_sec < text.st_mtim.tv_sec)
      look_say(visit, DOCTOR_WRONG, cure, "%s was changed after it was indexed", path);
    return;
  }
  look_say(visit, DOCTOR_WRONG, cure, "%s has no index: Postfix cannot use it", path);
}

static void
look_at_indexes(const Visit *visit)
{
  look_at_index(visit, "zegel_transport");
  look_at_index(visit, "zegel_access");
  look_at_index(visit, "zegel_service");
}

static void
check_indexed(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_indexes);
}

/* ---- Aliases ---- */

/* The keys of the tables in LIST that lead outside, for people: " (a, b, and 3 more lead
 * outside now)"; or "". A new string. */
static char *
name_outside(const Visit *visit, const char *list)
{
  g_autoptr(GString) text = g_string_new(NULL);
  guint count = 0;
  g_auto(GStrv) tables = site_words(list);
  for (char **table = tables; *table != NULL; table++) {
    g_auto(GStrv) entries = look_entries(visit, *table);
    for (char **entry = entries; *entry != NULL; entry++) {
      g_auto(GStrv) words = site_words(*entry);
      char **word = words[0] != NULL ? words + 1 : words;
      while (*word != NULL && look_is_ours(visit, *word))
        word++;
      if (*word != NULL && ++count <= NAMED_MAX)
        g_string_append_printf(text, "%s%s", count == 1 ? "" : ", ", words[0]);
    }
  }
  if (count > NAMED_MAX)
    g_string_append_printf(text, ", and %u more", count - NAMED_MAX);
  return count > 0 ? g_strdup_printf(" (%s lead outside now)", text->str) : g_strdup("");
}

/* Whether every table of LIST stands in zegel_site_alias_maps as well. */
static void
look_at_alias_list(const Visit *visit, const char *list, const char *where)
{
  g_autofree char *ours = look_value(visit, "zegel_site_alias_maps");
  g_auto(GStrv) known = site_words(ours);
  g_auto(GStrv) tables = site_words(list);
  for (char **table = tables; *table != NULL; table++) {
    if (g_strv_contains((const char *const *) known, *table))
      continue;
    g_autofree char *outside = name_outside(visit, *table);
    look_say(visit, DOCTOR_WRONG,
             "put it into zegel_site_alias_maps, and let virtual_alias_maps be "
             "$zegel_site_alias_maps and nothing else" RELOAD,
             "%s stands in virtual_alias_maps%s, but not in zegel_site_alias_maps: "
             "sensitive mail does not find its aliases%s",
             *table, where, outside);
  }
}

static void
look_at_alias_lists(const Visit *visit)
{
  g_autofree char *list = look_value(visit, "virtual_alias_maps");
  look_at_alias_list(visit, list, "");
  for (guint i = 0; i < visit->services->len; i++) {
    const SiteService *service = visit->services->pdata[i];
    if (g_hash_table_contains(service->options, "virtual_alias_maps") &&
        !g_str_has_prefix(service->name, "zegel-")) {
      g_autofree char *where = g_strdup_printf(" of service %s", service->name);
      g_autofree char *own = look_service_value(visit, service, "virtual_alias_maps");
      look_at_alias_list(visit, own, where);
    }
  }
}

static void
check_alias_tables(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_alias_lists);
}

/* Says which table of parameter NAME changes addresses with a label. */
static void
look_for_patterns(const Visit *visit, const char *name)
{
  g_autofree char *list = look_value(visit, name);
  g_autofree char *answer = NULL;
  g_autofree char *table = look_ask_all(visit, list, VIEWER, TRUE, &answer);
  if (table == NULL)
    return;
  look_say(
      visit, DOCTOR_WRONG,
      "let no pattern of it match them: write \"if !/\\.zegel\\.internal$/\" before "
      "its first line and \"endif\" behind its last" RELOAD,
      "%s of %s turns an address with a label into \"%s\": what is protected loses its "
      "label",
      table, name, answer);
}

static void
look_at_patterns(const Visit *visit)
{
  look_for_patterns(visit, "virtual_alias_maps");
  look_for_patterns(visit, "zegel_site_alias_maps");
  look_for_patterns(visit, "canonical_maps");
  look_for_patterns(visit, "recipient_canonical_maps");
}

static void
check_alias_labels(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_patterns);
}

static void
look_at_outside(const Visit *visit, const char *table)
{
  g_auto(GStrv) entries = look_entries(visit, table);
  for (char **entry = entries; *entry != NULL; entry++) {
    g_auto(GStrv) words = site_words(*entry);
    if (words[0] == NULL || strchr(words[0], '@') == NULL ||
        !g_strv_contains((const char *const *) words + 1, words[0]) ||
        look_is_ours(visit, words[0]))
      continue;
    look_say(visit, DOCTOR_WRONG, "take this line out of the table (\"postmap\" it again)",
             "%s turns %s, an address outside, into itself: behind an alias that leads "
             "there it gets no label, and can leave in the clear",
             table, words[0]);
  }
}

static void
look_at_outsides(const Visit *visit)
{
  g_autofree char *list = look_value(visit, "zegel_site_alias_maps");
  g_auto(GStrv) tables = site_words(list);
  for (char **table = tables; *table != NULL; table++)
    look_at_outside(visit, *table);
}

static void
check_alias_outside(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_outsides);
}

static void
look_at_local(const Visit *visit)
{
  for (guint i = 0; i < visit->services->len; i++) {
    const SiteService *service = visit->services->pdata[i];
    if (strcmp(service->command, "local") != 0)
      continue;
    g_autofree char *name = look_service_value(visit, service, "cleanup_service_name");
    g_autofree char *cure =
        g_strdup_printf("\"postconf -P '%s/%s/cleanup_service_name=zegel-seal'\"" RELOAD,
                        service->name, service->type);
    if (strcmp(name, "zegel-seal") == 0)
      continue;
    g_autofree char *list = look_value(visit, "alias_maps");
    g_autofree char *outside = name_outside(visit, list);
    look_say(
        visit, DOCTOR_WRONG, cure,
        "service %s hands what aliases(5), :include: and .forward files make to %s, not "
        "to zegel-seal: what leads outside leaves in the clear%s",
        service->name, name, outside);
  }
}

static void
check_alias_local(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_local);
}

/* ---- Copies ---- */

static void
look_at_copy_maps(const Visit *visit, const char *name)
{
  g_autofree char *value = look_value(visit, name);
  g_auto(GStrv) tables = site_words(value);
  for (char **table = tables; *table != NULL; table++) {
    g_autofree char *cure = g_strdup_printf(
        "\"postconf -e '%s=pipemap:{%s, regexp:$config_directory/zegel_bcc}'\"" RELOAD,
        name, *table);
    if (g_str_has_prefix(look_plain_table(*table), "pipemap:") &&
        strstr(*table, "zegel_bcc") != NULL)
      continue;
    g_autofree char *outside = name_outside(visit, *table);
    look_say(visit, DOCTOR_WRONG, cure,
             "%s of %s makes copies of sensitive mail that no milter sees and that get no "
             "label: those that lead outside leave in the clear%s",
             *table, name, outside);
  }
}

static void
look_at_copies(const Visit *visit)
{
  g_autofree char *always = look_value(visit, "always_bcc");
  look_at_copy_maps(visit, "sender_bcc_maps");
  look_at_copy_maps(visit, "recipient_bcc_maps");
  if (*always == '\0' || g_str_has_suffix(always, ".own" LABELS))
    return;
  g_autofree char *cure =
      g_strdup_printf("\"postconf -e always_bcc=%s.own" LABELS "\"" RELOAD, always);
  look_say(visit, DOCTOR_WRONG, cure,
           "copies of sensitive mail for always_bcc (%s) get no label: when that leads "
           "outside, now or by an alias, they leave in the clear",
           always);
}

static void
check_copies(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_copies);
}

/* ---- FILTER, REDIRECT, content_filter, lines that go ---- */

/* Parameters whose tables can have actions. */
static const char *const checks_of_content[] = {"header_checks", "mime_header_checks",
                                                "nested_header_checks", "body_checks",
                                                "milter_header_checks"};

/* The first word behind ACTION in ENTRY: a new string, or NULL. */
static char *
find_action(const char *entry, const char *action)
{
  g_auto(GStrv) words = g_strsplit_set(entry, " \t", -1);
  for (guint i = 1; words[0] != NULL && words[i] != NULL; i++)
    if (g_ascii_strcasecmp(words[i], action) == 0)
      for (i++; words[i] != NULL; i++)
        if (*words[i] != '\0')
          return g_strdup(words[i]);
  return NULL;
}

/* Whether the filter HOP is on this machine; what stands behind the name of a pipe(8) is no
 * host. */
static gboolean
is_here(const Visit *visit, const char *hop)
{
  g_autofree char *transport = g_strndup(hop, strcspn(hop, ":"));
  const SiteService *service = site_service(visit->services, transport, "unix");
  return (service != NULL && strcmp(service->command, "pipe") == 0) ||
         look_hop_is_here(hop);
}

static void
look_at_actions(const Visit *visit, const char *table, const char *where)
{
  g_auto(GStrv) entries = look_entries(visit, table);
  for (char **entry = entries; *entry != NULL; entry++) {
    g_autofree char *hop = find_action(*entry, "FILTER");
    g_autofree char *address = find_action(*entry, "REDIRECT");
    g_autofree char *copy = find_action(*entry, "BCC");
    if (hop != NULL && !is_here(visit, hop))
      look_say(visit, DOCTOR_WRONG,
               "take the line out; a filter runs as a milter, before zegel's, or on this "
               "machine and brings mail back as it was",
               "%s (%s) sends mail to the filter %s: labelled mail too, and in the clear",
               table, where, hop);
    if (address != NULL && !look_is_ours(visit, address))
      look_say(visit, DOCTOR_WRONG, "take the line out, or let it name an address here",
               "%s (%s) redirects mail to %s: past the labels, in the clear", table, where,
               address);
    if (copy != NULL && !look_is_ours(visit, copy))
      look_say(visit, DOCTOR_WRONG,
               "take the line out, or copy with recipient_bcc_maps and a label "
               "(README.postfix)",
               "%s (%s) copies mail to %s: past the labels, in the clear", table, where,
               copy);
  }
}

static void
look_at_list(const Visit *visit, const char *list, const char *where)
{
  g_auto(GStrv) tables = site_words(list);
  for (char **table = tables; *table != NULL; table++)
    if (strchr(*table, ':') != NULL && strncmp(look_table_name(*table), "zegel", 5) != 0)
      look_at_actions(visit, *table, where);
}

/* The tables in the restrictions of SERVICE; with NULL those of main.cf. */
static void
look_at_restrictions(const Visit *visit, const SiteService *service)
{
  static const char *const names[] = {
      "smtpd_client_restrictions",     "smtpd_helo_restrictions",
      "smtpd_sender_restrictions",     "smtpd_relay_restrictions",
      "smtpd_recipient_restrictions",  "smtpd_data_restrictions",
      "smtpd_end_of_data_restrictions"};
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    if (service != NULL && !g_hash_table_contains(service->options, names[i]))
      continue;
    g_autofree char *list = service != NULL ? look_service_value(visit, service, names[i])
                                            : look_value(visit, names[i]);
    look_at_list(visit, list, names[i]);
  }
}

static void
look_at_filter(const Visit *visit, const char *hop, const char *where)
{
  if (*hop != '\0' && !is_here(visit, hop))
    look_say(visit, DOCTOR_WRONG,
             "let the filter run as a milter, before zegel's, or on this machine",
             "content_filter%s is %s, on another machine: labelled mail goes there in the "
             "clear",
             where, hop);
}

static void
look_at_filters(const Visit *visit)
{
  g_autofree char *filter = look_value(visit, "content_filter");
  look_at_filter(visit, filter, "");
  for (guint i = 0; i < G_N_ELEMENTS(checks_of_content); i++) {
    g_autofree char *list = look_value(visit, checks_of_content[i]);
    look_at_list(visit, list, checks_of_content[i]);
  }
  look_at_restrictions(visit, NULL);
  for (guint i = 0; i < visit->services->len; i++) {
    const SiteService *service = visit->services->pdata[i];
    const char *own = g_hash_table_lookup(service->options, "content_filter");
    g_autofree char *where = g_strdup_printf(" of service %s", service->name);
    if (own != NULL)
      look_at_filter(visit, own, where);
    if (look_is_public(service))
      look_at_restrictions(visit, service);
  }
}

static void
check_filters(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_filters);
}

static void
look_at_header_line(const Visit *visit, const char *name)
{
  g_autofree char *list = look_value(visit, name);
  g_autofree char *answer = NULL;
  g_autofree char *table =
      look_ask_all(visit, list, "X-Zegel-Ticket: zegel-doctor", TRUE, &answer);
  if (table != NULL && g_ascii_strncasecmp(answer, "DUNNO", 5) != 0)
    look_say(visit, DOCTOR_WRONG, IN_FRONT,
             "%s of %s does %s to X-Zegel-Ticket: sensitive mail becomes ordinary where "
             "aliases are expanded",
             table, name, answer);
}

static void
look_at_headers(const Visit *visit)
{
  look_at_header_line(visit, "header_checks");
  look_at_header_line(visit, "milter_header_checks");
}

static void
check_header_ticket(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_headers);
}

const DoctorCheck doctor_table_checks[] = {
    {"transport-tables", "Postfix asks where labelled mail goes", check_transport_tables},
    {"transport-hidden", "no table of the site answers for labels", check_transport_hidden},
    {"service-domain", "mail for service domains goes to zegel-deliver",
     check_service_domain},
    {"label-domains", "labelled mail without a transport waits", check_label_domains},
    {"label-guard", "nobody from outside writes to a label", check_label_guard},
    {"proxy-read-maps", "proxymap may open zegel's tables", check_proxy_read_maps},
    {"tables-indexed", "zegel's tables are indexed", check_indexed},
    {"alias-tables", "zegel knows the site's aliases", check_alias_tables},
    {"alias-labels", "no pattern takes a label off", check_alias_labels},
    {"alias-outside", "no alias hides an address outside", check_alias_outside},
    {"alias-local", "what local(8) forwards is protected", check_alias_local},
    {"copies", "copies of sensitive mail are protected", check_copies},
    {"filter-outside", "no filter or redirect leads outside", check_filters},
    {"header-ticket", "header checks leave tickets alone", check_header_ticket},
    {.id = NULL},
};
