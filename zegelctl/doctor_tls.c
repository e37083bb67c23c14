/*
 * doctor_tls.c - what zegelctl doctor looks at of TLS in Postfix: on the ways out, on the
 * ways in, and to mailboxes on other machines.
 */
#include <string.h>

#include "common/crypt/tls_probe.h"
#include "zegelctl/doctor_look.h"

#define RELOAD ", then \"postfix reload\""

static void
look_at_way_out(const Visit *visit, const char *name)
{
  const SiteService *service = site_service(visit->services, name, "unix");
  if (service == NULL)
    return; /* postfix-services says so */
  g_autofree char *protocols =
      look_service_value(visit, service, "smtp_tls_mandatory_protocols");
  g_autofree char *level = look_service_value(visit, service, "smtp_tls_security_level");
  g_autofree char *floor = g_strdup_printf(
      "\"postconf -P '%s/unix/smtp_tls_mandatory_protocols=>=TLSv1.2'\"" RELOAD, name);
  g_autofree char *dane = g_strdup_printf(
      "\"postconf -P %s/unix/smtp_tls_security_level=dane-only\"" RELOAD, name);
  if (!look_protocols_are_good(protocols))
    look_say(visit, DOCTOR_WRONG, floor,
             "smtp_tls_mandatory_protocols of %s is \"%s\", which has less than TLS 1.2",
             name, protocols);
  if (strcmp(level, "dane-only") != 0)
    look_say(
        visit, DOCTOR_WRONG, dane,
        "smtp_tls_security_level of %s is %s: mail to a next hop without a rule of its "
        "own may go unprotected",
        name, level);
}

static void
look_at_floor(const Visit *visit)
{
  look_at_way_out(visit, "zegel-direct");
  look_at_way_out(visit, "zegel-prefer");
  for (guint i = 0; i < visit->services->len; i++) {
    const SiteService *service = visit->services->pdata[i];
    if (!look_is_public(service) || !look_is_submission(visit, service))
      continue;
    g_autofree char *protocols =
        look_service_value(visit, service, "smtpd_tls_mandatory_protocols");
    g_autofree char *cure = g_strdup_printf(
        "\"postconf -P '%s/%s/smtpd_tls_mandatory_protocols=>=TLSv1.2'\"" RELOAD,
        service->name, service->type);
    if (!look_protocols_are_good(protocols))
      look_say(visit, DOCTOR_WRONG, cure,
               "smtpd_tls_mandatory_protocols of service %s (%s) is \"%s\", which has less "
               "than TLS 1.2",
               service->name, service->type, protocols);
  }
}

static void
check_floor(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_floor);
}

/* Whether SERVICE takes nothing before TLS. */
static gboolean
is_encrypted(const Visit *visit, const SiteService *service)
{
  g_autofree char *level = look_service_value(visit, service, "smtpd_tls_security_level");
  g_autofree char *wrapped = look_service_value(visit, service, "smtpd_tls_wrappermode");
  return strcmp(level, "encrypt") == 0 || strcmp(wrapped, "yes") == 0;
}

static void
look_at_ways_in(const Visit *visit)
{
  for (guint i = 0; i < visit->services->len; i++) {
    const SiteService *service = visit->services->pdata[i];
    if (!look_is_public(service))
      continue;
    g_autofree char *level = look_service_value(visit, service, "smtpd_tls_security_level");
    gboolean submission = look_is_submission(visit, service);
    g_autofree char *cure =
        g_strdup_printf("\"postconf -P %s/%s/smtpd_tls_security_level=%s\"" RELOAD,
                        service->name, service->type, submission ? "encrypt" : "may");
    if (submission && !is_encrypted(visit, service))
      look_say(visit, DOCTOR_WRONG, cure,
               "service %s (%s) takes mail of users without TLS: passwords and sensitive "
               "mail can be read on their way",
               service->name, service->type);
    else if (!submission && (*level == '\0' || strcmp(level, "none") == 0))
      look_say(visit, DOCTOR_WRONG, cure,
               "service %s (%s) offers no TLS: partners cannot deliver what must be "
               "protected",
               service->name, service->type);
  }
}

static void
check_ways_in(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_ways_in);
}

static void
look_at_authorities(const Visit *visit)
{
  g_autofree char *path = look_value(visit, "zegel_tls_CAfile");
  if (*path != '\0' && !g_file_test(path, G_FILE_TEST_IS_REGULAR))
    look_say(visit, DOCTOR_WRONG,
             "\"apt install ca-certificates\", or let zegel_tls_CAfile in main.cf name the "
             "file with the authorities" RELOAD,
             "zegel_tls_CAfile is %s, which is not there: no certificate can be verified, "
             "and mail for next hops that are known by one waits",
             path);
}

static void
check_authorities(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_authorities);
}

static void
look_at_certificates(const Visit *visit)
{
  g_autofree char *asked = look_value(visit, "smtpd_tls_ask_ccert");
  g_autofree char *digest = look_value(visit, "smtpd_tls_fingerprint_digest");
  if (strcmp(asked, "yes") == 0 && strcmp(digest, "sha256") == 0)
    return;
  look_say(
      visit, DOCTOR_WARNING,
      "\"postconf -e smtpd_tls_ask_ccert=yes smtpd_tls_fingerprint_digest=sha256\"" RELOAD,
      "smtpd_tls_ask_ccert is %s and smtpd_tls_fingerprint_digest is %s: partners and "
      "servers that are known by a certificate are strangers",
      asked, digest);
}

static void
check_certificates(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_certificates);
}

/* What cannot be read is for Postfix to say: it does not start TLS then. */
static void
look_at_chain(const Visit *visit, const char *path)
{
  gint64 now_s = g_get_real_time() / G_USEC_PER_SEC, from_s = 0, until_s = 0;
  if (!tls_file_validity(path, &from_s, &until_s))
    return;
  g_autoptr(GDateTime) until = g_date_time_new_from_unix_utc(until_s);
  g_autofree char *day = until != NULL ? g_date_time_format(until, "%Y-%m-%d") : NULL;
  static const char cure[] =
      "get another certificate (\"certbot renew\"), with the same key "
      "where TLSA records name it, then \"postfix reload\"";
  if (until_s <= now_s)
    look_say(visit, DOCTOR_WRONG, cure,
             "the certificate in %s ended on %s: partners who verify it bring nothing any "
             "more",
             path, day);
  else if (doctor_ends_soon(from_s, until_s, now_s))
    look_say(visit, DOCTOR_WARNING, cure, "the certificate in %s ends on %s", path, day);
}

static void
look_at_chains(const Visit *visit)
{
  static const char *const names[] = {"smtpd_tls_chain_files", "smtpd_tls_cert_file",
                                      "smtpd_tls_eccert_file"};
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *value = look_value(visit, names[i]);
    g_auto(GStrv) paths = site_words(value);
    for (char **path = paths; *path != NULL; path++)
      look_at_chain(visit, *path);
  }
}

static void
check_chains(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_chains);
}

/* Whether SERVICE, an smtp(8) or lmtp(8), demands TLS of the next hop of HOP. */
static gboolean
demands_tls(const Visit *visit, const SiteService *service, const char *hop)
{
  static const char *const safe[] = {"encrypt", "dane-only", "fingerprint",
                                     "verify",  "secure",    NULL};
  g_autofree char *level_name = g_strconcat(service->command, "_tls_security_level", NULL);
  g_autofree char *maps_name = g_strconcat(service->command, "_tls_policy_maps", NULL);
  g_autofree char *level = look_service_value(visit, service, level_name);
  g_autofree char *maps = look_service_value(visit, service, maps_name);
  const char *next = hop + strlen(service->name) + 1;
  next += g_str_has_prefix(next, "inet:") ? strlen("inet:") : 0;
  g_autofree char *answer = NULL;
  g_autofree char *table = look_ask_all(visit, maps, next, TRUE, &answer);
  g_auto(GStrv) rule = table != NULL ? site_words(answer) : NULL;
  return g_strv_contains(safe, rule != NULL && rule[0] != NULL ? rule[0] : level);
}

/* Says so when parameter NAME brings mail to mailboxes on another machine without TLS. */
static void
look_at_mailboxes_of(const Visit *visit, const char *name)
{
  g_autofree char *hop = look_value(visit, name);
  g_autofree char *transport = g_strndup(hop, strcspn(hop, ":"));
  const SiteService *service = site_service(visit->services, transport, "unix");
  if (service == NULL || look_hop_is_here(hop))
    return;
  if (strcmp(service->command, "lmtp") != 0 && strcmp(service->command, "smtp") != 0)
    return; /* it leads nowhere else */
  g_autofree char *cure =
      g_strdup_printf("let %s_tls_policy_maps say \"encrypt\", or more, "
                      "of that machine" RELOAD,
                      service->command);
  if (!demands_tls(visit, service, hop))
    look_say(visit, DOCTOR_WARNING, cure,
             "%s brings mail to %s, on another machine, and does not demand TLS: what came "
             "in secure goes on in the clear",
             name, hop);
}

static void
look_at_mailboxes(const Visit *visit)
{
  static const char *const names[] = {"virtual_transport", "local_transport",
                                      "mailbox_transport", "fallback_transport"};
  for (guint i = 0; i < G_N_ELEMENTS(names); i++)
    look_at_mailboxes_of(visit, names[i]);
}

static void
check_mailboxes(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_mailboxes);
}

const DoctorCheck doctor_tls_checks[] = {
    {"tls-floor", "secure ways take TLS 1.2 at least", check_floor},
    {"tls-offered", "Postfix offers TLS where mail comes in", check_ways_in},
    {"tls-expiry", "Postfix's own certificate is valid", check_chains},
    {"tls-mailboxes", "mail travels safely to mailboxes elsewhere", check_mailboxes},
    {"tls-authorities", "certificates can be verified", check_authorities},
    {"tls-certificates", "clients are asked for certificates", check_certificates},
    {.id = NULL},
};
