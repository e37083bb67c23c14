#include "common/conf/schema.h"

#include <stddef.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/network.h"
#include "common/conf/conf.h"
#include "common/conf/window.h"

#define DOMAIN_MAX_BYTES 253 /* RFC 1035 2.3.4, as text */
#define LABEL_MAX_BYTES  63
#define CHOICE_MAX_WORDS 7

#define C(field) offsetof(Config, field)
#define O(field) offsetof(Organisation, field)
#define R(field) offsetof(Rule, field)
#define RUN_DIR  "/var/spool/postfix/zegel/"
#define KEY_DIR  ZEGEL_SYSCONFDIR "/keys/"

/* What Gmail refuses (001 3.1), as Google publishes it. */
#define REFUSED_EXTENSIONS                                                                 \
  "ade adp apk appx appxbundle bat cab chm cmd com cpl diagcab diagcfg diagpkg dll dmg "   \
  "ex ex_ exe hta img ins iso isp jar jnlp js jse lib lnk mde mjs msc msi msix "           \
  "msixbundle msp mst nsh pif ps1 scr sct shb sys vb vbe vbs vhd vxd wsc wsf wsh xll"

static const SchemaRow rows[] = {
    {"milter", "socket", SCHEMA_PATH, C(milter_socket), RUN_DIR "milter.sock", 0, 0},
    {"milter", "user", SCHEMA_STRING, C(milter_user), "zegel-milter", 0, 0},
    {"milter", "ticket_key", SCHEMA_PATH, C(milter_ticket_key), KEY_DIR "milter/ticket", 0,
     0},

    {"milter", "origin_key", SCHEMA_PATH, C(milter_origin_key), KEY_DIR "milter/origin", 0,
     0},
    {"milter", "mx_socket", SCHEMA_PATH, C(mx_socket), RUN_DIR "milter-mx.sock", 0, 0},
    {"milter", "mx_user", SCHEMA_STRING, C(mx_user), "zegel-mx", 0, 0},
    {"milter", "dkim_keys", SCHEMA_PATH, C(dkim_keys), KEY_DIR "milter/dkim", 0, 0},
    {"milter", "reader", SCHEMA_PATH, C(milter_reader), ZEGEL_LIBEXECDIR "/zegel-reader", 0,
     0},
    {"milter", "readers", SCHEMA_UINT, C(milter_readers), "4", 1, 64},
    {"milter", "trusted_relays", SCHEMA_NETWORKS, C(trusted_relays), "", 0, 0},
    {"milter", "dmarc_reject", SCHEMA_CHOICE, C(dmarc_reject), "reject", 0, 0},
    {"milter", "dmarc_quarantine", SCHEMA_CHOICE, C(dmarc_quarantine), "mark", 0, 0},
    {"milter", "nta_header_value", SCHEMA_STRING, C(nta_header_value), "1", 0, 0},

    {"policyd", "socket", SCHEMA_PATH, C(policyd_socket), RUN_DIR "ask.sock", 0, 0},
    {"policyd", "user", SCHEMA_STRING, C(policyd_user), "zegel-policyd", 0, 0},
    {"policyd", "routes_db", SCHEMA_PATH, C(routes_db), ZEGEL_STATEDIR "/routes/routes.db",
     0, 0},
    {"policyd", "domain_book", SCHEMA_PATH, C(domain_book), ZEGEL_SYSCONFDIR "/domains", 0,
     0},
    {"policyd", "direct_transport", SCHEMA_STRING, C(direct_transport), "zegel-direct", 0,
     0},
    {"policyd", "store_transport", SCHEMA_STRING, C(store_transport),
     "zegel-store:unix:zegel/deliver.sock", 0, 0},
    {"policyd", "prefer_transport", SCHEMA_STRING, C(prefer_transport), "zegel-prefer", 0,
     0},
    {"policyd", "policy_socket", SCHEMA_PATH, C(policy_socket), RUN_DIR "policy.sock", 0,
     0},
    {"policyd", "resolver", SCHEMA_STRING, C(resolver), "127.0.0.1", 0, 0},
    {"policyd", "dnssec", SCHEMA_CHOICE, C(dnssec), "resolver", 0, 0},
    {"policyd", "trust_anchor", SCHEMA_PATH, C(trust_anchor), "/usr/share/dns/root.key", 0,
     0},
    {"policyd", "nta_old_syntax", SCHEMA_YES_NO, C(nta_old_syntax), "no", 0, 0},
    {"policyd", "nta_long_span", SCHEMA_CHOICE, C(nta_long_span), "refuse", 0, 0},
    {"policyd", "spf", SCHEMA_PATH, C(spf_program), ZEGEL_LIBEXECDIR "/zegel-spf", 0, 0},
    {"policyd", "dkim_directory", SCHEMA_PATH, C(dkim_directory), ZEGEL_SYSCONFDIR "/dkim",
     0, 0},
    {"policyd", "phone_db", SCHEMA_PATH, C(phone_db), ZEGEL_STATEDIR "/phone/phone.db", 0,
     0},
    {"policyd", "seen_db", SCHEMA_PATH, C(seen_db), ZEGEL_STATEDIR "/seen/seen.db", 0, 0},
    {"policyd", "phone_socket", SCHEMA_PATH, C(phone_socket),
     ZEGEL_STATEDIR "/store/phone.sock", 0, 0},
    {"policyd", "phone_key", SCHEMA_PATH, C(phone_key), KEY_DIR "policyd/phone", 0, 0},
    {"policyd", "preview_socket", SCHEMA_PATH, C(preview_socket),
     ZEGEL_STATEDIR "/preview.sock", 0, 0},
    {"policyd", "preview_group", SCHEMA_TEXT, C(preview_group), "", 0, 0},
    {"policyd", "community_client", SCHEMA_CHOICE, C(community_client), "certificate", 0,
     0},
    {"policyd", "recheck_s", SCHEMA_UINT, C(recheck_s), "300", 1, 86400},
    {"policyd", "promise_days", SCHEMA_UINT, C(promise_days), "30", 6, 3650},

    {"store", "database", SCHEMA_PATH, C(store_database), ZEGEL_STATEDIR "/store/store.db",
     0, 0},
    {"store", "directory", SCHEMA_PATH, C(store_directory),
     ZEGEL_STATEDIR "/store/messages", 0, 0},

    {"deliver", "socket", SCHEMA_PATH, C(deliver_socket), RUN_DIR "deliver.sock", 0, 0},
    {"deliver", "user", SCHEMA_STRING, C(deliver_user), "zegel-deliver", 0, 0},
    {"deliver", "link_key", SCHEMA_PATH, C(deliver_link_key), KEY_DIR "deliver/link", 0, 0},
    {"deliver", "store_key", SCHEMA_PATH, C(deliver_store_key), KEY_DIR "deliver/store", 0,
     0},
    {"deliver", "ticket_key", SCHEMA_PATH, C(deliver_ticket_key), KEY_DIR "deliver/ticket",
     0, 0},
    {"deliver", "origin_key", SCHEMA_PATH, C(deliver_origin_key), KEY_DIR "deliver/origin",
     0, 0},
    {"deliver", "reader", SCHEMA_PATH, C(deliver_reader), ZEGEL_LIBEXECDIR "/zegel-reader",
     0, 0},
    {"deliver", "submit", SCHEMA_STRING, C(submit_url), "smtp://127.0.0.1:10587", 0, 0},
    {"deliver", "message_max_bytes", SCHEMA_UINT, C(message_max_bytes), "52428800", 65536,
     1073741824},

    {"viewer", "socket", SCHEMA_PATH, C(viewer_socket), "/run/zegel/viewer.sock", 0, 0},
    {"viewer", "user", SCHEMA_STRING, C(viewer_user), "zegel-viewer", 0, 0},
    {"viewer", "group", SCHEMA_STRING, C(viewer_group), "www-data", 0, 0},
    {"viewer", "store_key", SCHEMA_PATH, C(viewer_store_key), KEY_DIR "viewer/store", 0, 0},
    {"viewer", "origin_key", SCHEMA_PATH, C(viewer_origin_key), KEY_DIR "viewer/origin", 0,
     0},
    {"viewer", "submit", SCHEMA_STRING, C(viewer_submit_url), "smtp://127.0.0.1:10588", 0,
     0},
    {"viewer", "reader", SCHEMA_PATH, C(viewer_reader), ZEGEL_LIBEXECDIR "/zegel-reader", 0,
     0},
    {"viewer", "workers", SCHEMA_UINT, C(viewer_workers), "8", 1, 256},

    {"sms", "command", SCHEMA_PATH, C(sms_command), ZEGEL_LIBEXECDIR "/sms-gammu", 0, 0},
    {"sms", "directories", SCHEMA_PATHS, C(sms_directories), "/var/spool/gammu", 0, 0},
    {"sms", "timeout_s", SCHEMA_UINT, C(sms_timeout_s), "8", 1, 60},
    {"sms", "countries", SCHEMA_WORDS, C(sms_countries), "+31", 0, 0},
    {"sms", "per_day", SCHEMA_UINT, C(sms_per_day), "2000", 1, 10000000},
    {"sms", "per_number_per_day", SCHEMA_UINT, C(sms_per_number_per_day), "10", 1, 1000},

    {"log", "format", SCHEMA_CHOICE, C(log_format), "postfix", 0, 0},
    {"log", "addresses", SCHEMA_CHOICE, C(log_addresses), "full", 0, 0},
    {"log", "mail_log", SCHEMA_PATH, C(mail_log), "/var/log/mail.log", 0, 0},

    {"audit", "socket", SCHEMA_PATH, C(audit_socket), ZEGEL_STATEDIR "/audit.sock", 0, 0},
    {"audit", "user", SCHEMA_STRING, C(audit_user), "zegel-auditd", 0, 0},
    {"audit", "key", SCHEMA_PATH, C(audit_key), KEY_DIR "auditd/audit", 0, 0},
    {"audit", "database", SCHEMA_PATH, C(audit_database), ZEGEL_STATEDIR "/audit/audit.db",
     0, 0},
    {"audit", "roles", SCHEMA_PATH, C(audit_roles), ZEGEL_SYSCONFDIR "/roles", 0, 0},
    {"audit", "checkpoint_s", SCHEMA_UINT, C(audit_checkpoint_s), "60", 1, 86400},
    {"audit", "years", SCHEMA_UINT, C(audit_years), "5", 5, 100},
    {"audit", "mail", SCHEMA_WORDS, C(audit_mail), "", 0, 0},

    {"calendar", "holidays", SCHEMA_CHOICE, C(holidays), "nl", 0, 0},
    {"calendar", "liberation_day", SCHEMA_CHOICE, C(liberation_day), "lustrum", 0, 0},
    {"calendar", "extra", SCHEMA_DATES, C(free_days), "", 0, 0},
    {"calendar", "working", SCHEMA_DATES, C(working_days), "", 0, 0},

    {"maintenance", "windows", SCHEMA_WINDOWS, C(maintenance_windows), "", 0, 0},

    {"watch", "state", SCHEMA_PATH, C(watch_state), ZEGEL_STATEDIR "/watch/alarms", 0, 0},
    {"watch", "timeout_s", SCHEMA_UINT, C(watch_timeout_s), "60", 1, 600},

    {"postfix", "user", SCHEMA_STRING, C(socket_user), "postfix", 0, 0},
    {"postfix", "group", SCHEMA_STRING, C(socket_group), "postfix", 0, 0},
    {"postfix", "hostname", SCHEMA_TEXT, C(hostname), "", 0, 0},
    {"postfix", "relay_addresses", SCHEMA_ADDRESSES, C(relay_addresses), "", 0, 0},

    {"organisation", "domains", SCHEMA_DOMAINS, O(domains), NULL, 0, 0},
    {"organisation", "logins", SCHEMA_WORDS, O(logins), "", 0, 0},
    {"organisation", "certificates", SCHEMA_TOKENS, O(certificates), "", 0, 0},
    {"organisation", "networks", SCHEMA_NETWORKS, O(networks), "", 0, 0},
    {"organisation", "service_domain", SCHEMA_DOMAIN, O(service_domain), NULL, 0, 0},
    {"organisation", "viewer_url", SCHEMA_URL, O(viewer_url), NULL, 0, 0},
    {"organisation", "display_name", SCHEMA_STRING, O(display_name), NULL, 0, 0},
    {"organisation", "colour", SCHEMA_COLOUR, O(colour), "#1d5b8f", 0, 0},
    {"organisation", "language", SCHEMA_LANGUAGE, O(language), "nl", 0, 0},
    {"organisation", "logo", SCHEMA_TEXT, O(logo), "", 0, 0},
    {"organisation", "form_recipient", SCHEMA_TEXT, O(form_recipient), "", 0, 0},
    {"organisation", "contact", SCHEMA_TEXT, O(contact), "", 0, 0},
    {"organisation", "default", SCHEMA_CHOICE, O(sensitive_default), "secure", 0, 0},
    {"organisation", "sensitive_headers", SCHEMA_HEADERS, O(sensitive_headers), "", 0, 0},
    {"organisation", "plain_headers", SCHEMA_HEADERS, O(plain_headers), "", 0, 0},
    {"organisation", "secure_senders", SCHEMA_SENDERS, O(secure_senders), "", 0, 0},
    {"organisation", "plain_senders", SCHEMA_SENDERS, O(plain_senders), "", 0, 0},
    {"organisation", "machine_senders", SCHEMA_SENDERS, O(machine_senders), "", 0, 0},
    {"organisation", "method", SCHEMA_CHOICE, O(method), "number", 0, 0},
    {"organisation", "phone_book", SCHEMA_YES_NO, O(phone_book), "yes", 0, 0},
    {"organisation", "recipients_max", SCHEMA_UINT, O(recipients_max), "100", 1, 1000},
    {"organisation", "attachments_max_mb", SCHEMA_UINT, O(attachments_max_mb), "36", 1,
     1024},
    {"organisation", "refused_extensions", SCHEMA_WORDS, O(refused_extensions),
     REFUSED_EXTENSIONS, 0, 0},
    {"organisation", "secure_subject", SCHEMA_TEXT, O(secure_subject), "", 0, 0},
    {"organisation", "prefer_direct", SCHEMA_YES_NO, O(prefer_direct), "yes", 0, 0},
    {"organisation", "nta_declaration", SCHEMA_DATE, O(nta_declaration), "", 0, 0},
    {"organisation", "retention_days", SCHEMA_UINT, O(retention_days), "90", 1, 3650},
    {"organisation", "confirm", SCHEMA_CHOICE, O(confirm), "viewer", 0, 0},
    {"organisation", "tell_days", SCHEMA_UINT, O(tell_days), "7", 0, 365},
    {"organisation", "remind_days", SCHEMA_UINT, O(remind_days), "7", 0, 365},
    {"organisation", "sms_per_day", SCHEMA_UINT, O(sms_per_day), "500", 1, 10000000},
    {"organisation", "sms_per_sender_per_day", SCHEMA_UINT, O(sms_per_sender_per_day),
     "200", 1, 10000000},

    {"rule", "organisation", SCHEMA_STRING, R(organisation), NULL, 0, 0},
    {"rule", "kind", SCHEMA_CHOICE, R(kind), "sent", 0, 0},
    {"rule", "domain", SCHEMA_TEXT, R(domain), "", 0, 0},
    {"rule", "fewer_than", SCHEMA_UINT, R(fewer_than), "0", 0, 10000000},
    {"rule", "by", SCHEMA_TIME, R(by_minute), "00:00", 0, 0},
    {"rule", "days", SCHEMA_WORDS, R(days), "working", 0, 0},
    {"rule", "viewer_over", SCHEMA_UINT, R(viewer_over), "100", 0, 100},
    {"rule", "minimum", SCHEMA_UINT, R(minimum), "10", 1, 10000000},
    {"rule", "mail", SCHEMA_WORDS, R(mail), "", 0, 0},
    {"rule", "command", SCHEMA_TEXT, R(command), "", 0, 0},
};

const SchemaRow *
schema_rows(gsize *count)
{
  *count = G_N_ELEMENTS(rows);
  return rows;
}

const SchemaRow *
schema_find(const char *section, const char *key)
{
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
    if (strcmp(rows[i].section, section) == 0 && strcmp(rows[i].key, key) == 0)
      return &rows[i];
  return NULL;
}

gboolean
schema_has_section(const char *section)
{
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
    if (strcmp(rows[i].section, section) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
reject(GError **error, const char *key, const char *value, const char *expected)
{
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "%s = %s: %s", key, value, expected);
  return FALSE;
}

/* Letters, digits and inner hyphens in labels of 1 to 63 octets, at least two labels. */
static gboolean
is_domain(const char *text)
{
  gsize len = strlen(text);
  if (len == 0 || len > DOMAIN_MAX_BYTES || strchr(text, '.') == NULL)
    return FALSE;
  g_auto(GStrv) labels = g_strsplit(text, ".", -1);
  for (char **label = labels; *label != NULL; label++) {
    gsize n = strlen(*label);
    if (n == 0 || n > LABEL_MAX_BYTES || (*label)[0] == '-' || (*label)[n - 1] == '-')
      return FALSE;
    for (const char *p = *label; *p != '\0'; p++)
      if (!g_ascii_isalnum(*p) && *p != '-')
        return FALSE;
  }
  return TRUE;
}

static GStrv
split_tokens(const char *value)
{
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
  g_auto(GStrv) pieces = g_strsplit_set(value, " \t,", -1);
  for (char **piece = pieces; *piece != NULL; piece++)
    if (**piece != '\0')
      g_strv_builder_add(builder, *piece);
  return g_strv_builder_end(builder);
}

static GStrv
split_words(const char *value)
{
  g_autofree char *lower = g_ascii_strdown(value, -1);
  return split_tokens(lower);
}

static gboolean
store_paths(const SchemaRow *row, const char *value, GStrv *field, GError **error)
{
  g_auto(GStrv) paths = split_tokens(value);
  for (char **path = paths; *path != NULL; path++)
    if (**path != '/' || (*path)[1] == '\0')
      return reject(error, row->key, *path, "absolute paths are expected, and not /");
  g_strfreev(*field);
  *field = g_steal_pointer(&paths);
  return TRUE;
}

static gboolean
store_domains(const SchemaRow *row, const char *value, GStrv *field, GError **error)
{
  g_auto(GStrv) words = split_words(value);
  for (char **word = words; *word != NULL; word++)
    if (!is_domain(*word))
      return reject(error, row->key, *word, "a domain such as example.nl is expected");
  if (words[0] == NULL)
    return reject(error, row->key, value, "at least one domain is expected");
  g_strfreev(*field);
  *field = g_steal_pointer(&words);
  return TRUE;
}

static gboolean
store_networks(const SchemaRow *row, const char *value, GPtrArray **field, GError **error)
{
  g_auto(GStrv) words = split_words(value);
  g_autoptr(GPtrArray) networks = g_ptr_array_new_with_free_func(g_free);
  for (char **word = words; *word != NULL; word++) {
    Network network;
    if (!network_parse(*word, &network))
      return reject(error, row->key, *word, "a network such as 192.0.2.0/24 is expected");
    g_ptr_array_add(networks, g_memdup2(&network, sizeof network));
  }
  g_clear_pointer(field, g_ptr_array_unref);
  *field = g_steal_pointer(&networks);
  return TRUE;
}

static gboolean
is_sender(const char *word)
{
  const char *at = strrchr(word, '@');
  return at != word && is_domain(at != NULL ? at + 1 : word);
}

static gboolean
store_senders(const SchemaRow *row, const char *value, GStrv *field, GError **error)
{
  g_auto(GStrv) words = split_words(value);
  for (char **word = words; *word != NULL; word++) {
    if (!is_sender(*word))
      return reject(error, row->key, *word,
                    "an address such as info@example.nl or a domain is expected");
    char *lower = g_ascii_strdown(*word, -1);
    g_free(*word);
    *word = lower;
  }
  g_strfreev(*field);
  *field = g_steal_pointer(&words);
  return TRUE;
}

static void
header_rule_free(gpointer p)
{
  HeaderRule *rule = p;
  g_free(rule->name);
  g_free(rule->value);
  g_free(rule);
}

/* A field name: printable ASCII without ':' (RFC 5322 2.2). */
static gboolean
is_field_name(const char *text)
{
  for (const char *p = text; *p != '\0'; p++)
    if (!g_ascii_isgraph(*p) || *p == ':')
      return FALSE;
  return *text != '\0';
}

/* "X-Label: Secret; X-Other: *" */
static gboolean
store_headers(const SchemaRow *row, const char *value, GPtrArray **field, GError **error)
{
  g_auto(GStrv) pieces = g_strsplit(value, ";", -1);
  g_autoptr(GPtrArray) rules = g_ptr_array_new_with_free_func(header_rule_free);
  for (char **piece = pieces; *piece != NULL; piece++) {
    if (*g_strstrip(*piece) == '\0')
      continue;
    g_auto(GStrv) sides = g_strsplit(*piece, ":", 2);
    if (sides[1] == NULL || !is_field_name(g_strchomp(sides[0])) ||
        *g_strstrip(sides[1]) == '\0')
      return reject(error, row->key, *piece,
                    "a header and its value such as X-Label: Secret is expected");
    HeaderRule *rule = g_new0(HeaderRule, 1);
    rule->name = g_strdup(sides[0]);
    rule->value = strcmp(sides[1], "*") != 0 ? g_strdup(sides[1]) : NULL;
    g_ptr_array_add(rules, rule);
  }
  g_clear_pointer(field, g_ptr_array_unref);
  *field = g_steal_pointer(&rules);
  return TRUE;
}

/* Only this address may do without TLS: contrib/try --stay shows the viewer on it. */
#define PLAIN_HTTP_HOST "127.0.0.1"

static gboolean
store_url(const SchemaRow *row, const char *value, char **field, GError **error)
{
  g_autoptr(GUri) uri = g_uri_parse(value, G_URI_FLAGS_NONE, NULL);
  const char *host = uri != NULL ? g_uri_get_host(uri) : NULL;
  gboolean secure = uri != NULL && strcmp(g_uri_get_scheme(uri), "https") == 0;
  gboolean plain = uri != NULL && strcmp(g_uri_get_scheme(uri), "http") == 0 &&
                   host != NULL && strcmp(host, PLAIN_HTTP_HOST) == 0;
  if ((!secure && !plain) || host == NULL || *host == '\0' ||
      strcmp(g_uri_get_path(uri), "/") != 0 || g_uri_get_query(uri) != NULL ||
      g_uri_get_fragment(uri) != NULL || g_uri_get_userinfo(uri) != NULL)
    return reject(error, row->key, value,
                  "a URL such as https://mail.example.nl/ is expected, ending in /");
  g_free(*field);
  *field = g_ascii_strdown(value, -1);
  return TRUE;
}

static gboolean
store_colour(const SchemaRow *row, const char *value, char **field, GError **error)
{
  gboolean good = value[0] == '#' && strlen(value) == 7;
  for (gsize i = 1; good && i < 7; i++)
    good = g_ascii_isxdigit(value[i]);
  if (!good)
    return reject(error, row->key, value, "a colour such as #1d5b8f is expected");
  g_free(*field);
  *field = g_strdup(value);
  return TRUE;
}

/* The words of the keys that are a choice; the place of a word is its value. */
static const struct {
  const char *key;
  const char *words[CHOICE_MAX_WORDS];
  const char *expected;
} choices[] = {
    {"default",
     {[DEFAULT_OBSERVE] = "observe",
      [DEFAULT_ON_REQUEST] = "on-request",
      [DEFAULT_SECURE] = "secure"},
     "observe, on-request or secure is expected"},
    {"method",
     {[METHOD_NUMBER] = "number",
      [METHOD_OPTIONAL] = "optional",
      [METHOD_EMAIL] = "email",
      [METHOD_NONE] = "none"},
     "number, optional, email or none is expected"},
    {"confirm",
     {[CONFIRM_NEVER] = "never", [CONFIRM_VIEWER] = "viewer", [CONFIRM_ALL] = "all"},
     "never, viewer or all is expected"},
    {"dmarc_reject",
     {[DMARC_ACTION_MARK] = "mark",
      [DMARC_ACTION_QUARANTINE] = "quarantine",
      [DMARC_ACTION_REJECT] = "reject"},
     "reject, quarantine or mark is expected"},
    {"dmarc_quarantine",
     {[DMARC_ACTION_MARK] = "mark", [DMARC_ACTION_QUARANTINE] = "quarantine"},
     "quarantine or mark is expected"},
    {"community_client",
     {[CLIENT_CERTIFICATE] = "certificate",
      [CLIENT_ADDRESS] = "address",
      [CLIENT_ANY] = "any"},
     "certificate, address or any is expected"},
    {"format",
     {[LOG_FORMAT_POSTFIX] = "postfix", [LOG_FORMAT_STRUCTURED] = "structured"},
     "postfix or structured is expected"},
    {"addresses",
     {[LOG_ADDRESSES_FULL] = "full", [LOG_ADDRESSES_DOMAIN] = "domain"},
     "full or domain is expected"},
    {"dnssec",
     {[DNSSEC_RESOLVER] = "resolver", [DNSSEC_RESOLVER_AND_CHAIN] = "resolver+chain"},
     "resolver or resolver+chain is expected"},
    {"kind",
     {[FLOW_SENT] = "sent",
      [FLOW_VIEWER] = "viewer",
      [FLOW_DIRECT] = "direct",
      [FLOW_RECEIVED] = "received",
      [FLOW_SECURE] = "secure",
      [FLOW_OPENED] = "opened",
      [FLOW_ANSWERED] = "answered"},
     "sent, viewer, direct, received, secure, opened or answered is expected"},
    {"holidays",
     {[HOLIDAYS_NONE] = "none", [HOLIDAYS_NL] = "nl"},
     "nl or none is expected"},
    {"liberation_day",
     {[LIBERATION_DAY_NO] = "no",
      [LIBERATION_DAY_YES] = "yes",
      [LIBERATION_DAY_LUSTRUM] = "lustrum"},
     "yes, no or lustrum is expected"},
    {"nta_long_span",
     {[LONG_SPAN_REFUSE] = "refuse", [LONG_SPAN_WARN] = "warn"},
     "refuse or warn is expected"},
};

static gboolean
store_choice(const SchemaRow *row, const char *value, guint *field, GError **error)
{
  gsize c = 0;
  while (strcmp(choices[c].key, row->key) != 0)
    c++;
  for (guint i = 0; i < CHOICE_MAX_WORDS && choices[c].words[i] != NULL; i++)
    if (strcmp(choices[c].words[i], value) == 0) {
      *field = i;
      return TRUE;
    }
  return reject(error, row->key, value, choices[c].expected);
}

static gboolean
store_yes_no(const SchemaRow *row, const char *value, gboolean *field, GError **error)
{
  if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
    return reject(error, row->key, value, "yes or no is expected");
  *field = strcmp(value, "yes") == 0;
  return TRUE;
}

static gboolean
store_addresses(const SchemaRow *row, const char *value, GStrv *field, GError **error)
{
  g_auto(GStrv) words = split_words(value);
  for (char **word = words; *word != NULL; word++)
    if (!g_hostname_is_ip_address(*word))
      return reject(error, row->key, *word,
                    "an address such as 192.0.2.10 or 2001:db8::10 is expected");
  g_strfreev(*field);
  *field = g_steal_pointer(&words);
  return TRUE;
}

/* "YYYY-MM-DD" of a day that is there. */
static gboolean
is_date(const char *value)
{
  GDate date;
  guint64 year, month, day;
  g_auto(GStrv) parts = g_strsplit(value, "-", 3);
  if (strlen(value) != strlen("YYYY-MM-DD") || g_strv_length(parts) != 3 ||
      !g_ascii_string_to_unsigned(parts[0], 10, 1900, 9999, &year, NULL) ||
      !g_ascii_string_to_unsigned(parts[1], 10, 1, 12, &month, NULL) ||
      !g_ascii_string_to_unsigned(parts[2], 10, 1, 31, &day, NULL))
    return FALSE;
  g_date_clear(&date, 1);
  return g_date_valid_dmy((GDateDay) day, (GDateMonth) month, (GDateYear) year);
}

static gboolean
store_dates(const SchemaRow *row, const char *value, GStrv *field, GError **error)
{
  g_auto(GStrv) words = split_words(value);
  for (char **word = words; *word != NULL; word++)
    if (!is_date(*word))
      return reject(error, row->key, *word, "a day such as 2026-03-01 is expected");
  g_strfreev(*field);
  *field = g_steal_pointer(&words);
  return TRUE;
}

/* "HH:MM" */
static gboolean
store_time(const SchemaRow *row, const char *value, guint *field, GError **error)
{
  guint64 hour, minute;
  g_auto(GStrv) parts = g_strsplit(value, ":", 2);
  if (strlen(value) != strlen("HH:MM") || g_strv_length(parts) != 2 ||
      strlen(parts[0]) != 2 ||
      !g_ascii_string_to_unsigned(parts[0], 10, 0, 23, &hour, NULL) ||
      !g_ascii_string_to_unsigned(parts[1], 10, 0, 59, &minute, NULL))
    return reject(error, row->key, value, "a time such as 09:30 is expected");
  *field = (guint) (hour * 60 + minute);
  return TRUE;
}

/* "sun 02:00-04:00, 2026-12-24 22:00-06:00" */
static gboolean
store_windows(const SchemaRow *row, const char *value, GStrv *field, GError **error)
{
  g_autofree char *lower = g_ascii_strdown(value, -1);
  g_auto(GStrv) pieces = g_strsplit(lower, ",", -1);
  g_autoptr(GStrvBuilder) windows = g_strv_builder_new();
  for (char **piece = pieces; *piece != NULL; piece++) {
    if (*g_strstrip(*piece) == '\0')
      continue;
    if (!window_is_valid(*piece))
      return reject(error, row->key, *piece,
                    "a window such as sun 02:00-04:00, daily 03:00-03:15 or "
                    "2026-12-24 22:00-06:00 is expected");
    g_strv_builder_add(windows, *piece);
  }
  g_strfreev(*field);
  *field = g_strv_builder_end(windows);
  return TRUE;
}

static gboolean
store_uint(const SchemaRow *row, const char *value, guint *field, GError **error)
{
  guint64 number = 0;
  if (!g_ascii_string_to_unsigned(value, 10, row->min, row->max, &number, NULL)) {
    g_autofree char *expected =
        g_strdup_printf("a number from %u to %u is expected", row->min, row->max);
    return reject(error, row->key, value, expected);
  }
  *field = (guint) number;
  return TRUE;
}

static gboolean
store_text(const SchemaRow *row, const char *value, char **field, GError **error)
{
  if (*value == '\0' && row->type != SCHEMA_TEXT && row->type != SCHEMA_DATE)
    return reject(error, row->key, value, "a value is expected");
  if (row->type == SCHEMA_DATE && *value != '\0' && !is_date(value))
    return reject(error, row->key, value, "a day such as 2026-03-01 is expected");
  if (row->type == SCHEMA_PATH && *value != '/')
    return reject(error, row->key, value, "an absolute path is expected");
  if (row->type == SCHEMA_DOMAIN && !is_domain(value))
    return reject(error, row->key, value, "a domain such as example.nl is expected");
  if (row->type == SCHEMA_LANGUAGE && strcmp(value, "nl") != 0 && strcmp(value, "en") != 0)
    return reject(error, row->key, value, "nl or en is expected");
  g_free(*field);
  *field = row->type == SCHEMA_DOMAIN ? g_ascii_strdown(value, -1) : g_strdup(value);
  return TRUE;
}

gboolean
schema_store(const SchemaRow *row, const char *value, gpointer base, GError **error)
{
  gpointer field = (char *) base + row->offset;
  switch (row->type) {
  case SCHEMA_UINT:
    return store_uint(row, value, field, error);
  case SCHEMA_WORDS:
    g_strfreev(*(GStrv *) field);
    *(GStrv *) field = split_words(value);
    return TRUE;
  case SCHEMA_TOKENS:
    g_strfreev(*(GStrv *) field);
    *(GStrv *) field = split_tokens(value);
    return TRUE;
  case SCHEMA_PATHS:
    return store_paths(row, value, field, error);
  case SCHEMA_DOMAINS:
    return store_domains(row, value, field, error);
  case SCHEMA_NETWORKS:
    return store_networks(row, value, field, error);
  case SCHEMA_SENDERS:
    return store_senders(row, value, field, error);
  case SCHEMA_HEADERS:
    return store_headers(row, value, field, error);
  case SCHEMA_URL:
    return store_url(row, value, field, error);
  case SCHEMA_COLOUR:
    return store_colour(row, value, field, error);
  case SCHEMA_CHOICE:
    return store_choice(row, value, field, error);
  case SCHEMA_YES_NO:
    return store_yes_no(row, value, field, error);
  case SCHEMA_ADDRESSES:
    return store_addresses(row, value, field, error);
  case SCHEMA_DATES:
    return store_dates(row, value, field, error);
  case SCHEMA_TIME:
    return store_time(row, value, field, error);
  case SCHEMA_WINDOWS:
    return store_windows(row, value, field, error);
  case SCHEMA_STRING:
  case SCHEMA_TEXT:
  case SCHEMA_PATH:
  case SCHEMA_DOMAIN:
  case SCHEMA_LANGUAGE:
  case SCHEMA_DATE:
    return store_text(row, value, field, error);
  }
  return reject(error, row->key, value, "the schema has no such type");
}

void
schema_clear(const SchemaRow *row, gpointer base)
{
  gpointer field = (char *) base + row->offset;
  switch (row->type) {
  case SCHEMA_UINT:
  case SCHEMA_CHOICE:
  case SCHEMA_YES_NO:
  case SCHEMA_TIME:
    return;
  case SCHEMA_WORDS:
  case SCHEMA_TOKENS:
  case SCHEMA_PATHS:
  case SCHEMA_ADDRESSES:
  case SCHEMA_DOMAINS:
  case SCHEMA_SENDERS:
  case SCHEMA_DATES:
  case SCHEMA_WINDOWS:
    g_clear_pointer((GStrv *) field, g_strfreev);
    return;
  case SCHEMA_NETWORKS:
  case SCHEMA_HEADERS:
    g_clear_pointer((GPtrArray **) field, g_ptr_array_unref);
    return;
  case SCHEMA_STRING:
  case SCHEMA_TEXT:
  case SCHEMA_PATH:
  case SCHEMA_DOMAIN:
  case SCHEMA_URL:
  case SCHEMA_COLOUR:
  case SCHEMA_LANGUAGE:
  case SCHEMA_DATE:
    g_clear_pointer((char **) field, g_free);
    return;
  }
}
