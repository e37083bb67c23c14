#include "zegelctl/alarm.h"

#include <signal.h>

#include "common/submit/letter.h"
#include "common/submit/submit.h"

static gboolean
mail_one(const Config *config, const char *to, const char *subject, const char *text,
         GError **error)
{
  const Organisation *organisation = config->organisations->pdata[0];
  g_autofree char *id = g_uuid_string_random();
  const LetterFacts facts = {
      .organisation_name = organisation->display_name,
      .service_domain = organisation->service_domain,
      .recipient = to,
      .subject = subject,
      .id = id,
      .now_s = g_get_real_time() / G_USEC_PER_SEC,
  };
  GString *letter = letter_format(&facts, text);
  gboolean sent =
      submit_send(config->submit_url, "", to, letter->str, letter->len, NULL, error);
  g_string_free(letter, TRUE);
  return sent;
}

gboolean
alarm_mail(const Config *config, const char *subject, const char *text, GError **error)
{
  gboolean good = TRUE;
  signal(SIGPIPE, SIG_IGN);
  for (char **to = config->audit_mail; *to != NULL; to++)
    good = mail_one(config, *to, subject, text, good ? error : NULL) && good;
  return good;
}
