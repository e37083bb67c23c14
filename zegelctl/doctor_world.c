/*
 * doctor_world.c - what zegelctl doctor looks at outside of Postfix and zegel: the
 * resolver, and what the DNS says of our domains.
 *
 * Of our domains zegel-policyd is asked, so that what counts here counts there. The
 * resolver is asked one question of our own: whether it validates.
 */
#include <gio/gio.h>
#include <string.h>

#include "common/ask/verify.h"
#include "common/base/network.h"
#include "common/crypt/dkim_record.h"
#include "zegelctl/dkim_check.h"
#include "zegelctl/doctor_look.h"

#define RESOLV_CONF   "/etc/resolv.conf"
#define DNS_PORT      53
#define DNS_TIMEOUT_S 5
#define DNS_TRIES     2
#define DNS_MAX_BYTES 4096
#define PUBLIC        ".pub"
#define HOW_TO_VALIDATE                                                                    \
  "run a resolver here that validates (Debian: \"apt install unbound\"), let " RESOLV_CONF \
  " name 127.0.0.1 and nothing else, then \"systemctl restart postfix\""

/* ---- The resolver ---- */

/* The addresses that the resolv.conf(5) at PATH names, as they stand there; NULL with
 * ERROR. */
static GStrv
read_servers(const char *path, GError **error)
{
  g_autofree char *text = NULL;
  if (!g_file_get_contents(path, &text, NULL, error))
    return NULL;
  g_autoptr(GStrvBuilder) found = g_strv_builder_new();
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    g_auto(GStrv) words = g_strsplit_set(g_strstrip(lines[i]), " \t", 2);
    if (words[0] != NULL && strcmp(words[0], "nameserver") == 0 && words[1] != NULL)
      g_strv_builder_add(found, g_strstrip(words[1]));
  }
  return g_strv_builder_end(found);
}

static gboolean
is_loopback(const char *address)
{
  Network parsed;
  return network_parse_address(address, &parsed) && network_is_loopback(&parsed);
}

static void
check_loopback(const DoctorSubject *subject, DoctorReport *report)
{
  (void) subject;
  g_autoptr(GError) error = NULL;
  g_auto(GStrv) servers = read_servers(RESOLV_CONF, &error);
  if (servers == NULL) {
    doctor_say(report, DOCTOR_UNKNOWN, NULL, "%s", error->message);
    return;
  }
  for (char **server = servers; *server != NULL; server++)
    if (!is_loopback(*server))
      doctor_say(report, DOCTOR_WRONG, HOW_TO_VALIDATE,
                 RESOLV_CONF
                 " names %s: what comes from there can be forged on its way, and "
                 "Postfix would take its word for DANE",
                 *server);
}

/* The question for the SOA of the root: RD and AD set, and DO (RFC 4035, RFC 6840 5.7). */
static const guint8 question[] = {
    0x5a, 0x47, 0x01, 0x20, 0,    1, 0, 0,    0, 0, 0, 1, /* header */
    0,    0,    6,    0,    1,                            /* "." SOA IN */
    0,    0,    41,   4,    0xd0, 0, 0, 0x80, 0, 0, 0};   /* OPT */

#define AT_FLAGS 3 /* octet with AD and RCODE */
#define FLAG_AD  0x20
#define RCODE    0x0f

/* Sends the question on SOCKET and takes what comes back; FALSE with ERROR. */
static gboolean
ask_once(GSocket *socket, guint8 *answer, gssize *len, GError **error)
{
  if (g_socket_send(socket, (const char *) question, sizeof question, NULL, error) < 0)
    return FALSE;
  *len = g_socket_receive(socket, (char *) answer, DNS_MAX_BYTES, NULL, error);
  return *len >= 0;
}

/* A socket that only hears SERVER ("127.0.0.1", "[::1]:53"); NULL with ERROR. */
static GSocket *
open_socket(const char *server, GError **error)
{
  g_autoptr(GSocketConnectable) parsed = g_network_address_parse(server, DNS_PORT, error);
  if (parsed == NULL)
    return NULL;
  const GNetworkAddress *named = G_NETWORK_ADDRESS(parsed);
  g_autoptr(GSocketAddress) address = g_inet_socket_address_new_from_string(
      g_network_address_get_hostname((GNetworkAddress *) named),
      g_network_address_get_port((GNetworkAddress *) named));
  if (address == NULL) {
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "%s is no IP address",
                server);
    return NULL;
  }
  g_autoptr(GSocket) socket =
      g_socket_new(g_socket_address_get_family(address), G_SOCKET_TYPE_DATAGRAM,
                   G_SOCKET_PROTOCOL_UDP, error);
  if (socket == NULL || !g_socket_connect(socket, address, NULL, error))
    return NULL;
  g_socket_set_timeout(socket, DNS_TIMEOUT_S);
  return g_steal_pointer(&socket);
}

static void
look_at_resolver(DoctorReport *report, const char *server)
{
  guint8 answer[DNS_MAX_BYTES];
  gssize len = 0;
  gboolean done = FALSE;
  g_autoptr(GError) error = NULL;
  g_autoptr(GSocket) socket = open_socket(server, &error);
  for (guint i = 0; socket != NULL && !done && i < DNS_TRIES; i++) {
    g_clear_error(&error);
    done = ask_once(socket, answer, &len, &error);
  }
  if (!done)
    doctor_say(report, DOCTOR_WRONG,
               "start it (Debian: \"systemctl restart unbound\"), and look into its log",
               "the resolver at %s gives no answer: %s", server, error->message);
  else if (len < (gssize) sizeof question || memcmp(answer, question, 2) != 0)
    doctor_say(report, DOCTOR_UNKNOWN, NULL, "the resolver at %s gives an odd answer",
               server);
  else if ((answer[AT_FLAGS] & RCODE) != 0)
    doctor_say(report, DOCTOR_WRONG,
               "look into its log: has it the root's trust anchor, and is the clock right?",
               "the resolver at %s cannot look up the root (rcode %d)", server,
               answer[AT_FLAGS] & RCODE);
  else if ((answer[AT_FLAGS] & FLAG_AD) == 0)
    doctor_say(report, DOCTOR_WRONG, HOW_TO_VALIDATE,
               "the resolver at %s does not validate (its answers have no AD): no domain "
               "counts as secure, and all sensitive mail goes to the viewer or waits",
               server);
}

static void
check_validates(const DoctorSubject *subject, DoctorReport *report)
{
  g_auto(GStrv) servers = read_servers(RESOLV_CONF, NULL);
  look_at_resolver(report, subject->config->resolver);
  for (char **server = servers; server != NULL && *server != NULL; server++)
    if (is_loopback(*server) && strcmp(*server, subject->config->resolver) != 0)
      look_at_resolver(report, *server);
}

static gboolean
has_chroot(const Visit *visit)
{
  for (guint i = 0; i < visit->services->len; i++)
    if (((const SiteService *) visit->services->pdata[i])->chroot)
      return TRUE;
  return FALSE;
}

static void
look_into_chroot(const Visit *visit)
{
  g_autofree char *path = g_strconcat(visit->queue, RESOLV_CONF, NULL);
  g_autoptr(GError) error = NULL;
  if (!has_chroot(visit))
    return;
  g_auto(GStrv) outside = read_servers(RESOLV_CONF, NULL);
  g_auto(GStrv) inside = read_servers(path, &error);
  g_autofree char *cure = g_strdup_printf(
      "\"cp " RESOLV_CONF " %s\", then \"systemctl restart postfix\"", path);
  if (inside == NULL) {
    look_say(visit, DOCTOR_WRONG, cure, "%s: Postfix's programs run in that chroot",
             error->message);
    return;
  }
  g_autofree char *theirs = g_strjoinv(" ", inside);
  g_autofree char *ours = outside != NULL ? g_strjoinv(" ", outside) : g_strdup("");
  if (strcmp(theirs, ours) != 0)
    look_say(visit, DOCTOR_WRONG, cure,
             "%s names \"%s\", but " RESOLV_CONF " names \"%s\": Postfix's programs in the "
             "chroot ask another resolver",
             path, theirs, ours);
}

static void
check_chroot(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_into_chroot);
}

/* ---- What the DNS says of our domains ---- */

/* Calls LOOK with each domain that we send mail from, until it returns FALSE. */
static void
for_domains(const DoctorSubject *subject, DoctorReport *report,
            gboolean (*look)(const DoctorSubject *, DoctorReport *, const char *))
{
  const GPtrArray *all = subject->config->organisations;
  for (guint i = 0; i < all->len; i++) {
    const Organisation *organisation = all->pdata[i];
    for (char **domain = organisation->domains; *domain != NULL; domain++)
      if (!look(subject, report, *domain))
        return;
    if (!look(subject, report, organisation->service_domain))
      return;
  }
}

/* Takes ERROR. */
static gboolean
say_silent(DoctorReport *report, GError *error)
{
  doctor_say(report, DOCTOR_UNKNOWN, "\"systemctl restart zegel-policyd\"",
             "zegel-policyd gives no answer: %s", error->message);
  g_error_free(error);
  return FALSE;
}

/* What zegel-policyd finds of DOMAIN, with mail from ADDRESS (may be NULL); NULL after
 * saying why. */
static VerifyAnswer *
ask_about(const DoctorSubject *subject, DoctorReport *report, const char *domain,
          const char *address)
{
  const Config *config = subject->config;
  GError *error = NULL;
  g_autoptr(VerifyQuestion) asked = verify_question_new();
  asked->fresh = TRUE;
  asked->client_address = g_strdup(address);
  asked->helo = g_strdup(*config->hostname != '\0' ? config->hostname : domain);
  asked->sender = g_strconcat("postmaster@", domain, NULL);
  asked->from_domain = g_strdup(domain);
  VerifyAnswer *answer = ask_verify(config->policyd_socket, asked, &error);
  if (answer == NULL)
    say_silent(report, error);
  return answer;
}

static gboolean
look_at_spf(const DoctorSubject *subject, DoctorReport *report, const char *domain)
{
  for (char **address = subject->config->relay_addresses; *address != NULL; address++) {
    g_autoptr(VerifyAnswer) answer = ask_about(subject, report, domain, *address);
    if (answer == NULL)
      return FALSE;
    g_autofree char *cure = g_strdup_printf(
        "publish one SPF record that names it: %s. IN TXT \"v=spf1 mx %s:%s -all\"", domain,
        strchr(*address, ':') != NULL ? "ip6" : "ip4", *address);
    if (g_strcmp0(answer->spf, "temperror") == 0)
      doctor_say(report, DOCTOR_UNKNOWN, NULL, "the DNS gives no answer about SPF of %s",
                 domain);
    else if (g_strcmp0(answer->spf, "pass") != 0)
      doctor_say(report, DOCTOR_WRONG, cure,
                 "SPF of %s says %s to %s, from which our mail leaves (relay_addresses): "
                 "others refuse it",
                 domain, answer->spf != NULL ? answer->spf : "nothing", *address);
  }
  return TRUE;
}

static void
check_spf(const DoctorSubject *subject, DoctorReport *report)
{
  if (*subject->config->relay_addresses == NULL)
    doctor_say(report, DOCTOR_WARNING, "set relay_addresses in [postfix] of zegel.conf",
               "it is not known from which addresses our mail leaves");
  for_domains(subject, report, look_at_spf);
}

static gboolean
look_at_dmarc(const DoctorSubject *subject, DoctorReport *report, const char *domain)
{
  g_autoptr(VerifyAnswer) answer = ask_about(subject, report, domain, NULL);
  g_autofree char *cure =
      g_strdup_printf("publish: _dmarc.%s. IN TXT \"v=DMARC1; p=quarantine; "
                      "rua=mailto:postmaster@%s\"",
                      domain, domain);
  if (answer == NULL)
    return FALSE;
  if (answer->dmarc == VERIFY_UNKNOWN)
    doctor_say(report, DOCTOR_UNKNOWN, NULL, "the DNS gives no answer about DMARC of %s",
               domain);
  else if (answer->dmarc == VERIFY_ABSENT)
    doctor_say(
        report, DOCTOR_WARNING, cure,
        "%s has no DMARC record: anybody can write in its name, and it does not count "
        "as ready for NTA 7516",
        domain);
  else if (g_strcmp0(answer->dmarc_policy, "none") == 0)
    doctor_say(report, DOCTOR_WARNING, cure,
               "the DMARC policy of %s is none: anybody can write in its name, and it does "
               "not count as ready for NTA 7516",
               domain);
  return TRUE;
}

static void
check_dmarc(const DoctorSubject *subject, DoctorReport *report)
{
  for_domains(subject, report, look_at_dmarc);
}

/* Compares the public key at PATH with the DNS. */
static gboolean
look_at_key(const DoctorSubject *subject, DoctorReport *report, const char *domain,
            const char *path)
{
  static const DoctorState states[] = {
      [DKIM_VIEW_GOOD] = DOCTOR_GOOD,     [DKIM_VIEW_INSECURE] = DOCTOR_WARNING,
      [DKIM_VIEW_ABSENT] = DOCTOR_WRONG,  [DKIM_VIEW_OTHER] = DOCTOR_WRONG,
      [DKIM_VIEW_REVOKED] = DOCTOR_WRONG, [DKIM_VIEW_UNKNOWN] = DOCTOR_UNKNOWN,
      [DKIM_VIEW_NONE] = DOCTOR_UNKNOWN,
  };
  DkimView view = DKIM_VIEW_NONE;
  GError *error = NULL;
  g_autofree char *pem = NULL, *name = g_path_get_basename(path);
  g_autofree char *selector = g_strndup(name, strlen(name) - strlen(PUBLIC));
  g_autofree char *record =
      g_file_get_contents(path, &pem, NULL, NULL) ? dkim_record(pem) : NULL;
  DkimFile file = {.selector = selector, .record = record};
  if (!dkim_look(subject->config->policyd_socket, domain, &file, &view, &error))
    return say_silent(report, error);
  if (states[view] == DOCTOR_GOOD)
    return TRUE;
  g_autofree char *text = dkim_view_text(view, &file, domain);
  g_autofree char *cure =
      g_strdup_printf("put what \"zegelctl dkim show %s\" prints into the DNS", domain);
  doctor_say(report, states[view], cure, "key %s of %s: %s", selector, domain, text);
  return TRUE;
}

static gboolean
look_at_keys(const DoctorSubject *subject, DoctorReport *report, const char *domain)
{
  g_autofree char *path = g_build_filename(subject->config->dkim_directory, domain, NULL);
  g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
  gboolean found = FALSE, answered = TRUE;
  const char *name;
  while (dir != NULL && answered && (name = g_dir_read_name(dir)) != NULL) {
    if (!g_str_has_suffix(name, PUBLIC))
      continue;
    g_autofree char *file = g_build_filename(path, name, NULL);
    answered = look_at_key(subject, report, domain, file);
    found = TRUE;
  }
  g_autofree char *cure = g_strdup_printf(
      "\"zegelctl dkim generate %s\", which says what to publish, then \"zegelctl dkim "
      "activate\"; when another program signs: put its public key at %s/SELECTOR" PUBLIC,
      domain, path);
  if (!found)
    doctor_say(report, DOCTOR_WARNING, cure, "no key signs mail from %s", domain);
  return answered;
}

static void
check_dkim(const DoctorSubject *subject, DoctorReport *report)
{
  for_domains(subject, report, look_at_keys);
}

const DoctorCheck doctor_world_checks[] = {
    {"resolver-loopback", "the resolver is on this machine", check_loopback},
    {"resolver-validates", "the resolver validates DNSSEC", check_validates},
    {"resolver-chroot", "Postfix's chroot asks the same resolver", check_chroot},
    {"domain-spf", "SPF of our domains names our relay", check_spf},
    {"domain-dkim", "the DNS has the keys that sign our mail", check_dkim},
    {"domain-dmarc", "nobody else writes in the name of our domains", check_dmarc},
    {.id = NULL},
};
