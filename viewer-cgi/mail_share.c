/* The mail to somebody to whom a message was forwarded (V6). */
#include "common/crypt/origin.h"
#include "common/submit/compose.h"
#include "common/submit/letter.h"
#include "common/submit/submit.h"
#include "viewer-cgi/mail.h"

#define SUBJECT "Beveiligd bericht doorgestuurd / Secure message forwarded"

/* "31-12-2026" and "2026-12-31". */
static char *
format_day(gint64 unix_s, const char *format)
{
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(unix_s);
  return g_date_time_format(time, format);
}

char *
mail_share_text(const Organisation *organisation, const Entry *entry, const char *reference)
{
  g_autofree char *name = letter_line(organisation->display_name, LETTER_NAME_MAX_CHARS);
  g_autofree char *reader = letter_line(entry->address, LETTER_ADDRESS_MAX_CHARS);
  g_autofree char *link = g_strconcat(organisation->viewer_url, "r/", reference, NULL);
  g_autofree char *until = format_day(entry->expires_s, "%d-%m-%Y");
  g_autofree char *until_english = format_day(entry->expires_s, "%Y-%m-%d");
  return g_strdup_printf(
      "(English below)\n"
      "\n"
      "%s\n"
      "heeft een beveiligd bericht van %s\n"
      "naar u doorgestuurd. U leest het hier:\n"
      "\n"
      "%s\n"
      "\n"
      "U hebt een wachtwoord nodig. Dat krijgt u van degene die het bericht\n"
      "doorstuurde, bijvoorbeeld per telefoon. Wij sturen het u niet.\n"
      "\n"
      "Referentie: %s\n"
      "U kunt het bericht lezen tot %s.\n"
      "\n"
      "Kent u deze persoon niet? Dan hoeft u niets te doen.\n"
      "\n"
      "----------------------------------------\n"
      "\n"
      "%s\n"
      "forwarded a secure message from %s\n"
      "to you. You read it here:\n"
      "\n"
      "%s\n"
      "\n"
      "You need a password. You get it from the person who forwarded the message,\n"
      "by telephone for example. We do not send it to you.\n"
      "\n"
      "Reference: %s\n"
      "You can read the message until %s.\n"
      "\n"
      "Do you not know this person? Then there is nothing that you need to do.\n",
      reader, name, link, reference, until, reader, name, link, reference, until_english);
}

gboolean
mail_send_share(const Config *config, const KeyRing *keys, const Organisation *organisation,
                const Entry *entry, const char *address, const char *reference,
                GError **error)
{
  g_autofree char *id = g_strconcat("forward.", reference, NULL);
  g_autofree char *from = control_address(keys, CONTROL_BOUNCE, organisation->name,
                                          reference, organisation->service_domain, error);
  if (from == NULL)
    return FALSE;
  const LetterFacts facts = {.organisation_name = organisation->display_name,
                             .service_domain = organisation->service_domain,
                             .recipient = address,
                             .subject = SUBJECT,
                             .id = id,
                             .now_s = g_get_real_time() / G_USEC_PER_SEC};
  g_autofree char *text = mail_share_text(organisation, entry, reference);
  GString *message = letter_format(&facts, text);
  gboolean sent = submit_send(config->submit_url, from, address, message->str, message->len,
                              NULL, error);
  compose_free(message);
  return sent;
}
