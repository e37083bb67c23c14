/*
 * setup_notes.c - what stands in the way of zegel at a site, and what setup cannot do
 * there.
 */
#include <string.h>

#include "common/base/network.h"
#include "zegelctl/program.h"
#include "zegelctl/setup_plan.h"

#define VERSION_MAJOR 3 /* 3.7: what its queue files and milters do was measured */
#define VERSION_MINOR 7

typedef struct {
  SetupPlan *plan;
  const SetupView *view;
  GError **error;
} Look;

static void
look_at_version(Look *look)
{
  g_autofree char *version = setup_expanded(look->view, "mail_version", look->error);
  g_auto(GStrv) parts = g_strsplit(version, ".", 3);
  guint64 major = 0, minor = 0;
  if (g_strv_length(parts) >= 2) {
    g_ascii_string_to_unsigned(parts[0], 10, 0, G_MAXUINT16, &major, NULL);
    g_ascii_string_to_unsigned(parts[1], 10, 0, G_MAXUINT16, &minor, NULL);
  }
  if (major < VERSION_MAJOR || (major == VERSION_MAJOR && minor < VERSION_MINOR))
    setup_add_text(look->plan->obstacles, "Postfix %s is too old: %d.%d is needed", version,
                   VERSION_MAJOR, VERSION_MINOR);
}

static void
look_at_table_types(Look *look)
{
  static const char *const needed[] = {"sqlite", "regexp",  "cidr", "hash",
                                       "inline", "pipemap", "proxy"};
  const char *const argv[] = {"postconf", "-c", site_directory(look->view->site), "-m",
                              NULL};
  g_autofree char *text = NULL;
  if (*look->error != NULL || !program_read(argv, &text, look->error))
    return;
  g_auto(GStrv) types = g_strsplit(text, "\n", -1);
  for (guint i = 0; i < G_N_ELEMENTS(needed); i++)
    if (!g_strv_contains((const char *const *) types, needed[i]))
      setup_add_text(look->plan->obstacles,
                     "Postfix has no tables of type %s: install its package (postfix-%s in "
                     "Debian)",
                     needed[i], needed[i]);
}

/* Whether VALUE, a list, has WORD as it is. */
static gboolean
has_word(const char *value, const char *word)
{
  g_auto(GStrv) words = site_words(value);
  return g_strv_contains((const char *const *) words, word);
}

static void
look_at_service_domains(Look *look)
{
  static const char *const lists[] = {"mydestination", "virtual_mailbox_domains",
                                      "virtual_alias_domains"};
  const GPtrArray *organisations = look->view->config->organisations;
  for (guint n = 0; n < G_N_ELEMENTS(lists); n++) {
    g_autofree char *value = setup_expanded(look->view, lists[n], look->error);
    for (guint i = 0; i < organisations->len; i++) {
      const Organisation *organisation = organisations->pdata[i];
      if (has_word(value, organisation->service_domain))
        setup_add_text(
            look->plan->obstacles,
            "%s has %s, the service domain: take it out there, for what comes to "
            "it is for zegel-deliver",
            lists[n], organisation->service_domain);
    }
  }
}

/* The sockets lie where a Postfix in a chroot, which is its queue directory, finds them. */
static void
look_at_sockets(Look *look)
{
  const Config *config = look->view->config;
  const struct {
    const char *section, *key, *path, *name;
  } sockets[] = {{"milter", "socket", config->milter_socket, "milter.sock"},
                 {"milter", "mx_socket", config->mx_socket, "milter-mx.sock"},
                 {"policyd", "policy_socket", config->policy_socket, "policy.sock"},
                 {"deliver", "socket", config->deliver_socket, "deliver.sock"}};
  g_autofree char *queue = setup_expanded(look->view, "queue_directory", look->error);
  for (guint i = 0; i < G_N_ELEMENTS(sockets); i++) {
    g_autofree char *wanted = g_build_filename(queue, "zegel", sockets[i].name, NULL);
    if (!g_str_equal(wanted, sockets[i].path))
      setup_add_text(look->plan->obstacles,
                     "zegel.conf, [%s]: %s must be %s, where this Postfix finds it",
                     sockets[i].section, sockets[i].key, wanted);
  }
}

static void
look_at_lists(Look *look)
{
  g_autofree char *parents =
      setup_expanded(look->view, "parent_domain_matches_subdomains", look->error);
  g_autofree char *always = setup_expanded(look->view, "always_bcc", look->error);
  if (has_word(parents, "transport_maps"))
    setup_add_text(
        look->plan->obstacles,
        "parent_domain_matches_subdomains has transport_maps: our labels are found "
        "by names that begin with a dot");
  if (*always != '\0' && strchr(always, '@') == NULL)
    setup_add_text(look->plan->obstacles,
                   "always_bcc is \"%s\": write it with its domain, so that copies can be "
                   "labelled",
                   always);
}

/* ---- Services ---- */

static void
look_at_smtpd(Look *look, const SiteService *service)
{
  const SetupView *view = look->view;
  g_autofree char *filter =
      site_service_value(view->site, service, "smtpd_proxy_filter", look->error);
  g_autofree char *override =
      filter != NULL
          ? site_service_value(view->site, service, "receive_override_options", look->error)
          : NULL;
  if (override == NULL)
    return;
  if (*filter != '\0')
    setup_add_text(
        look->plan->obstacles,
        "%s has smtpd_proxy_filter: milters do not see mail that goes through it "
        "(SMTPD_PROXY_README); use the filter as a milter or behind the queue",
        service->name);
  if (has_word(override, "no_milters"))
    setup_add_text(look->plan->obstacles,
                   "%s has no_milters in receive_override_options: zegel would see nothing",
                   service->name);
}

static void
look_at_logins(Look *look, const SiteService *service)
{
  g_autofree char *sasl =
      site_service_value(look->view->site, service, "smtpd_sasl_auth_enable", look->error);
  if (g_strcmp0(sasl, "yes") == 0)
    setup_add_text(look->plan->notes,
                   "Who logs in on %s (port 25) is told to use port 587 (451, "
                   "Z-O4-INSTANCE): the milter there has no keys.",
                   service->name);
}

static void
look_at_services(Look *look)
{
  const GPtrArray *services = look->view->services;
  guint mx = 0, submission = 0;
  for (guint i = 0; i < services->len && *look->error == NULL; i++) {
    const SiteService *service = services->pdata[i];
    SetupRole role = setup_role(service);
    mx += role == SETUP_ROLE_MX;
    submission += role == SETUP_ROLE_SUBMISSION;
    if (role == SETUP_ROLE_MX)
      look_at_logins(look, service);
    if (*look->error == NULL && (role == SETUP_ROLE_MX || role == SETUP_ROLE_SUBMISSION))
      look_at_smtpd(look, service);
    if (role == SETUP_ROLE_OTHER)
      setup_add_text(
          look->plan->notes,
          "The service %s stays as it is: zegel does not see what comes in there. If "
          "people or systems send by it, see \"master.cf\" in README.postfix, step 8.",
          service->name);
  }
  if (mx + submission == 0)
    setup_add_text(look->plan->obstacles,
                   "no service of master.cf takes mail on port 25, 465 "
                   "or 587: this is not the instance that zegel is for");
  else if (submission == 0)
    setup_add_text(look->plan->notes,
                   "There is no submission service: people send over port 25 "
                   "from the networks of zegel.conf only.");
  const SiteService *local = site_service(services, "local", "unix");
  if (local != NULL && g_hash_table_contains(local->options, "cleanup_service_name"))
    setup_add_text(look->plan->obstacles,
                   "local has a cleanup_service_name of its own in master.cf: take it out");
}

/* ---- What must be known ---- */

static gboolean
has_pattern(const char *value)
{
  return strstr(value, "regexp:") != NULL || strstr(value, "pcre:") != NULL;
}

static void
note_addresses(Look *look)
{
  static const char *const lists[] = {"virtual_alias_maps", "canonical_maps",
                                      "recipient_canonical_maps"};
  for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
    g_autofree char *value = setup_expanded(look->view, lists[i], look->error);
    if (has_pattern(value))
      setup_add_text(
          look->plan->notes,
          "%s has patterns: none may match an address that ends in .zegel.internal.",
          lists[i]);
  }
}

static void
note_copies(Look *look)
{
  static const char *const lists[] = {"recipient_bcc_maps", "sender_bcc_maps"};
  for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
    g_autofree char *value = setup_expanded(look->view, lists[i], look->error);
    if (*value != '\0')
      setup_add_text(
          look->plan->notes,
          "Each address in the tables of %s needs its domain: archive@example.nl, "
          "not archive.",
          lists[i]);
  }
}

static void
note_filters(Look *look)
{
  g_autofree char *filter = setup_expanded(look->view, "content_filter", look->error);
  g_autofree char *milters = setup_expanded(look->view, "smtpd_milters", look->error);
  if (*filter != '\0')
    setup_add_text(
        look->plan->notes,
        "content_filter (%s) gets labelled mail as it is. That is good for a filter on "
        "this machine that changes neither recipients nor body, and for no other: see "
        "\"What still goes its own way\" in README.postfix.",
        filter);
  if (*milters != '\0')
    setup_add_text(
        look->plan->notes,
        "Your milters (%s) now stand behind ours. One that signs is taken out, or its "
        "public key goes to /etc/zegel/dkim/DOMAIN/SELECTOR.pub; one that changes the "
        "body has to stand before ours in zegel_smtpd_milters, zegel_mx_milters and "
        "zegel_milter_clients.",
        milters);
}

/* The usual form of a content filter: a line of master.cf that has it. */
static void
note_service_filters(Look *look)
{
  for (guint i = 0; i < look->view->services->len; i++) {
    const SiteService *service = look->view->services->pdata[i];
    const char *filter = g_hash_table_lookup(service->options, "content_filter");
    if (filter != NULL && *filter != '\0')
      setup_add_text(look->plan->notes,
                     "content_filter (%s) of service %s gets labelled mail as it is: see "
                     "\"What still goes its own way\" in README.postfix.",
                     filter, service->name);
  }
}

static void
note_relay_addresses(Look *look)
{
  if (*look->view->config->relay_addresses == NULL)
    setup_add_text(look->plan->notes,
                   "zegel does not know from which addresses your mail leaves: write them "
                   "into relay_addresses in [postfix] of zegel.conf, or your domains do "
                   "not count as ready for direct mail.");
}

static void
note_relayhost(Look *look)
{
  g_autofree char *relayhost = setup_expanded(look->view, "relayhost", look->error);
  if (*relayhost != '\0')
    setup_add_text(
        look->plan->notes,
        "Direct mail does not go through relayhost (%s): this machine must be let out "
        "to port 25, and be in your SPF records; its address goes into "
        "relay_addresses of zegel.conf.",
        relayhost);
}

static void
note_tls(Look *look)
{
  g_autofree char *level =
      setup_expanded(look->view, "smtpd_tls_security_level", look->error);
  g_autofree char *old = setup_expanded(look->view, "smtpd_use_tls", look->error);
  if (*level == '\0' && !g_str_equal(old, "yes"))
    setup_add_text(look->plan->notes,
                   "Port 25 offers no TLS (smtpd_tls_security_level): partners "
                   "cannot send you direct mail.");
}

static void
note_fingerprints(Look *look)
{
  g_autofree char *digest =
      setup_expanded(look->view, "smtpd_tls_fingerprint_digest", look->error);
  g_autofree char *clients = setup_expanded(look->view, "relay_clientcerts", look->error);
  if (!g_str_equal(digest, "sha256") &&
      (*clients != '\0' || site_is_set(look->view->site, "smtpd_tls_fingerprint_digest")))
    setup_add_text(
        look->plan->notes,
        "smtpd_tls_fingerprint_digest stays %s, for your tables of certificates. "
        "zegel knows partners by certificate only when it is sha256: change the "
        "tables, then the digest.",
        digest);
}

/* Networks that may send and are no addresses, such as tables, are not known to zegel. */
static void
note_networks(Look *look)
{
  g_autofree char *networks = setup_expanded(look->view, "mynetworks", look->error);
  g_auto(GStrv) words = site_words(networks);
  for (char **word = words; *word != NULL; word++)
    if (strchr(*word, ':') != NULL && **word != '[' && strstr(*word, "::") == NULL)
      setup_add_text(look->plan->notes,
                     "mynetworks has the table %s: write its networks into networks of "
                     "zegel.conf, then run zegelctl setup again.",
                     *word);
}

void
setup_plan_notes(SetupPlan *plan, const SetupView *view, GError **error)
{
  Look look = {plan, view, error};
  look_at_version(&look);
  look_at_table_types(&look);
  look_at_service_domains(&look);
  look_at_sockets(&look);
  look_at_lists(&look);
  look_at_services(&look);
  note_addresses(&look);
  note_copies(&look);
  note_filters(&look);
  note_service_filters(&look);
  note_relay_addresses(&look);
  note_relayhost(&look);
  note_tls(&look);
  note_fingerprints(&look);
  note_networks(&look);
}
