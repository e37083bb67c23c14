/*
 * sms-mail - hands a text message to a gateway that takes mail. See sms-mail(8).
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/secret.h"
#include "common/submit/submit.h"
#include "sms/adapter.h"
#include "sms/letter.h"
#include "sms/settings.h"
#include "sms/template.h"

#define CONFIG_FILE ZEGEL_SYSCONFDIR "/sms-mail.conf"
#define SECTION     "sms-mail"
#define NO_SENDER   "" /* so that no bounce ever carries the text back */

typedef struct {
  char *gateway; /* a template for the address */
  char *from;
  char *subject;
  char *submit;
} MailSettings;

static void
mail_settings_clear(MailSettings *settings)
{
  g_free(settings->gateway);
  g_free(settings->from);
  g_free(settings->subject);
  g_free(settings->submit);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MailSettings, mail_settings_clear)

/* An address of the administrator's: one '@', nothing that ends it. */
static gboolean
is_address(const char *text)
{
  return text != NULL && g_str_is_ascii(text) && strpbrk(text, " <>\"\\,;\r\n\t") == NULL &&
         strchr(text, '@') != NULL && strchr(text, '@') == strrchr(text, '@') &&
         *text != '@' && strchr(text, '@')[1] != '\0';
}

static gboolean
check(const MailSettings *settings, GError **error)
{
  if (!is_address(settings->gateway) || (!template_names(settings->gateway, "number") &&
                                         !template_names(settings->gateway, "digits")))
    return settings_refuse(error, "gateway",
                           "must be an address with {number} or {digits}");
  if (!is_address(settings->from))
    return settings_refuse(error, "from", "must be an address");
  if (!g_str_is_ascii(settings->subject))
    return settings_refuse(error, "subject", "must be ASCII");
  return TRUE;
}

static gboolean
load(MailSettings *settings, GError **error)
{
  static const char *const keys[] = {"gateway", "from", "subject", "submit", NULL};
  g_autoptr(GKeyFile) file = settings_load(CONFIG_FILE, SECTION, keys, error);
  if (file == NULL)
    return FALSE;
  settings->gateway = settings_text(file, SECTION, "gateway", NULL);
  settings->from = settings_text(file, SECTION, "from", NULL);
  settings->subject = settings_text(file, SECTION, "subject", "");
  settings->submit = settings_text(file, SECTION, "submit", "smtp://127.0.0.1:10587");
  return check(settings, error);
}

static gboolean
hand_over(const MailSettings *settings, const Message *message, GError **error)
{
  const Values values = {.number = message->number};
  g_autofree char *to = template_expand(settings->gateway, PLACE_LINE, &values);
  g_autofree char *id = g_uuid_string_random();
  const SmsLetter letter = {.from = settings->from,
                            .to = to,
                            .subject = settings->subject,
                            .id = id,
                            .now_s = g_get_real_time() / G_USEC_PER_SEC};
  char *mail = sms_letter_format(&letter, message->text);
  gsize len = strlen(mail);
  gboolean done = submit_send(settings->submit, NO_SENDER, to, mail, len, NULL, error);
  secret_wipe(mail, len);
  g_free(mail);
  return done;
}

int
main(int argc, char **argv)
{
  (void) argv;
  g_auto(Message) message = {NULL, NULL};
  g_auto(MailSettings) settings = {NULL, NULL, NULL, NULL};
  g_autoptr(GError) error = NULL;
  adapter_begin("sms-mail", argc, &message);
  if (!load(&settings, &error) || !submit_init(&error))
    adapter_die(error);
  if (hand_over(&settings, &message, &error))
    return adapter_status(OUTCOME_SENT);
  /* Postfix's reply names the number: only whether it may help to try again. */
  gboolean later = g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
  log_line(LOG_LEVEL_ALARM, "not sent: zegel-submit %s",
           later ? "did not take the mail" : "refused the mail");
  return adapter_status(later ? OUTCOME_LATER : OUTCOME_REFUSED);
}
