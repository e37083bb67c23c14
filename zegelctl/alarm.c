#include "zegelctl/alarm.h"

#include <signal.h>

#include "common/submit/letter.h"
#include "common/submit/submit.h"

gboolean
alarm_mail(const Config *config, const Organisation *organisation, const char *to,
           const char *subject, const char *text, GError **error)
{
  g_autofree char *from = letter_sender(organisation->service_domain);
  g_autofree char *unique = g_uuid_string_random();
  g_autofree char *id = g_strconcat("alarm.", unique, NULL);
  const LetterFacts facts = {.organisation_name = organisation->display_name,
                             .service_domain = organisation->service_domain,
                             .recipient = to,
                             .subject = subject,
                             .id = id,
                             .now_s = g_get_real_time() / G_USEC_PER_SEC};
  signal(SIGPIPE, SIG_IGN);
  g_autoptr(GString) letter = letter_format(&facts, text);
  return submit_send(config->submit_url, from, to, letter->str, letter->len, NULL, error);
}

gboolean
alarm_mail_all(const Config *config, const char *subject, const char *text, GError **error)
{
  const Organisation *organisation = config->organisations->pdata[0];
  gboolean good = TRUE;
  for (char **to = config->audit_mail; *to != NULL; to++)
    good =
        alarm_mail(config, organisation, *to, subject, text, good ? error : NULL) && good;
  return good;
}
