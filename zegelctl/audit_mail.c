#include "zegelctl/audit_mail.h"

#include "zegelctl/alarm.h"
#include "zegelctl/language.h"

static char *
good_text(const VerifyResult *result, const char *checkpoint)
{
  g_autofree char *last = g_strdup_printf("%" G_GUINT64_FORMAT, result->last);
  return g_strdup_printf(_("The audit trail of %s was verified and is in order.\n"
                           "Its last record has the number %s.\n"
                           "\n"
                           "Please keep this mail. With the next line anybody can see "
                           "later whether something\n"
                           "was changed, or taken out:\n"
                           "\n"
                           "%s\n"
                           "\n"
                           "To verify: put that line into a file, and run as root\n"
                           "\n"
                           "zegelctl audit verify --checkpoint FILE\n"),
                         g_get_host_name(), last, checkpoint);
}

static char *
wrong_text(const Config *config, const VerifyResult *result)
{
  g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, result->wrong_at);
  return g_strdup_printf(_("The audit trail of %s is NOT in order.\n"
                           "\n"
                           "Record %s: %s\n"
                           "\n"
                           "Somebody may have changed it. What to do now:\n"
                           "- Make a copy of %s, and of the mail log.\n"
                           "- Change nothing else on that system.\n"
                           "- Find out who was logged in there.\n"
                           "- Tell the one who answers for the security of your data.\n"),
                         g_get_host_name(), number, result->what, config->audit_database);
}

static char *
unknown_text(const char *why)
{
  return g_strdup_printf(_("The audit trail of %s could not be verified.\n"
                           "\n"
                           "%s\n"
                           "\n"
                           "What to do now: see on that system that zegel-auditd runs, "
                           "and then run as root\n"
                           "\n"
                           "zegelctl audit verify\n"),
                         g_get_host_name(), why);
}

gboolean
audit_mail_send(const Config *config, const VerifyResult *result, const char *checkpoint,
                const char *why, GError **error)
{
  const Organisation *organisation = config->organisations->pdata[0];
  language_use(organisation->language);
  /* TRANSLATORS: subjects are ASCII */
  const char *subject = result == NULL ? _("Audit trail could not be verified")
                        : result->good ? _("Audit trail in order")
                                       : _("ALARM: audit trail is not in order");
  g_autofree char *text = result == NULL ? unknown_text(why)
                          : result->good ? good_text(result, checkpoint)
                                         : wrong_text(config, result);
  return alarm_mail_all(config, subject, text, error);
}
