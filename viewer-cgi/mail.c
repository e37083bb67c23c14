#include "viewer-cgi/mail.h"

#include <string.h>

#include "common/base/secret.h"
#include "common/crypt/origin.h"
#include "common/submit/letter.h"
#include "common/submit/submit.h"

#define NUMBER_SHOWN 2
#define ID_BYTES     16

/* Wipes MESSAGE and frees it. */
static gboolean
submit(const Config *config, const Organisation *organisation, const char *to,
       GString *message, GError **error)
{
  g_autofree char *from = letter_sender(organisation->service_domain);
  gboolean sent =
      submit_send(config->submit_url, from, to, message->str, message->len, NULL, error);
  secret_wipe(message->str, message->len);
  g_string_free(message, TRUE);
  return sent;
}

static LetterFacts
letter_facts(const Organisation *organisation, const char *recipient, const char *subject,
             const char *id)
{
  return (LetterFacts){.organisation_name = organisation->display_name,
                       .service_domain = organisation->service_domain,
                       .recipient = recipient,
                       .subject = subject,
                       .id = id,
                       .now_s = g_get_real_time() / G_USEC_PER_SEC};
}

char *
mail_code_text(const Organisation *organisation, const char *code)
{
  g_autofree char *name = letter_line(organisation->display_name, LETTER_NAME_MAX_CHARS);
  return g_strdup_printf(
      "(English below)\n"
      "\n"
      "Uw toegangscode is: %s\n"
      "\n"
      "Vul deze code in op de pagina waar u erom vroeg. De code is 10 minuten\n"
      "geldig. Geef de code aan niemand.\n"
      "\n"
      "Hebt u niet om een code gevraagd? Dan hoeft u niets te doen.\n"
      "\n"
      "%s\n"
      "\n"
      "----------------------------------------\n"
      "\n"
      "Your access code is: %s\n"
      "\n"
      "Type this code on the page where you asked for it. The code is valid\n"
      "for 10 minutes. Do not give it to anyone.\n"
      "\n"
      "Did you not ask for a code? Then there is nothing that you need to do.\n"
      "\n"
      "%s\n",
      code, name, code, name);
}

gboolean
mail_send_code(const Config *config, const Organisation *organisation, const Entry *entry,
               const char *code, gint64 code_id, GError **error)
{
  g_autofree char *id =
      g_strdup_printf("code.%s.%" G_GINT64_FORMAT, entry->reference, code_id);
  const LetterFacts facts =
      letter_facts(organisation, entry->address, "Uw toegangscode / Your access code", id);
  char *text = mail_code_text(organisation, code);
  GString *message = letter_format(&facts, text);
  secret_wipe(text, strlen(text));
  g_free(text);
  return submit(config, organisation, entry->address, message, error);
}

/* The last digits of ENTRY's number, borrowed. */
static const char *
number_end(const Entry *entry)
{
  gsize len = strlen(entry->number);
  return entry->number + len - MIN(len, NUMBER_SHOWN);
}

char *
mail_replaced_text(const Organisation *organisation, const Entry *entry)
{
  g_autofree char *name = letter_line(organisation->display_name, LETTER_NAME_MAX_CHARS);
  g_autofree char *reader = letter_line(entry->address, LETTER_ADDRESS_MAX_CHARS);
  const char *end = number_end(entry);
  return g_strdup_printf(
      "(English below)\n"
      "\n"
      "Voor %s\n"
      "wordt voortaan het mobiele nummer gebruikt dat eindigt op %s.\n"
      "\n"
      "U gaf dat nummer op bij een beveiligd bericht, en de ontvanger heeft dat\n"
      "bericht geopend met een code op dat nummer. Het nummer dat wij eerder\n"
      "hadden, gebruiken wij niet meer, ook niet voor berichten van anderen bij\n"
      "%s.\n"
      "\n"
      "Was dit niet de bedoeling? Zet het goede nummer in uw volgende beveiligde\n"
      "bericht aan deze ontvanger, en vertel het uw beheerder.\n"
      "\n"
      "----------------------------------------\n"
      "\n"
      "For %s\n"
      "the mobile number that ends in %s is used from now on.\n"
      "\n"
      "You gave that number with a secure message, and the recipient opened that\n"
      "message with a code on that number. The number that we had before is not\n"
      "used any more, nor for messages of others at\n"
      "%s.\n"
      "\n"
      "Is this not what you meant? Give the right number with your next secure\n"
      "message to this recipient, and tell your administrator.\n",
      reader, end, name, reader, end, name);
}

gboolean
mail_tell_replaced(const Config *config, const Organisation *organisation,
                   const Entry *entry, GError **error)
{
  if (*entry->sender == '\0')
    return TRUE;
  g_autofree char *id = g_strconcat("number.", entry->reference, NULL);
  const LetterFacts facts = letter_facts(
      organisation, entry->sender, "Een ander mobiel nummer / Another mobile number", id);
  g_autofree char *text = mail_replaced_text(organisation, entry);
  return submit(config, organisation, entry->sender, letter_format(&facts, text), error);
}

char *
mail_wrong_text(const Organisation *organisation, const Entry *entry)
{
  g_autofree char *name = letter_line(organisation->display_name, LETTER_NAME_MAX_CHARS);
  g_autofree char *reader = letter_line(entry->address, LETTER_ADDRESS_MAX_CHARS);
  const char *end = number_end(entry);
  return g_strdup_printf(
      "(English below)\n"
      "\n"
      "U stuurde een beveiligd bericht aan\n"
      "%s.\n"
      "\n"
      "De ontvanger laat weten dat het mobiele nummer dat eindigt op %s niet\n"
      "van hem of haar is. Het bericht is daarom nog niet te lezen.\n"
      "\n"
      "Wat u kunt doen: vraag de ontvanger om het goede nummer, niet per e-mail.\n"
      "Beantwoord dan deze e-mail, met het goede nummer vooraan in het onderwerp,\n"
      "zo: SMS 0612345678\n"
      "De link van de ontvanger blijft werken.\n"
      "\n"
      "Het nummer verandert niet vanzelf: alleen u kunt het veranderen.\n"
      "\n"
      "%s\n"
      "\n"
      "----------------------------------------\n"
      "\n"
      "You sent a secure message to\n"
      "%s.\n"
      "\n"
      "The recipient says that the mobile number that ends in %s is not his or\n"
      "hers. So the message cannot be read yet.\n"
      "\n"
      "What you can do: ask the recipient for the right number, not by e-mail.\n"
      "Then answer this e-mail, with the right number at the start of the\n"
      "subject, like this: SMS 0612345678\n"
      "The recipient's link stays valid.\n"
      "\n"
      "The number does not change by itself: only you can change it.\n"
      "\n"
      "%s\n",
      reader, end, name, reader, end, name);
}

gboolean
mail_tell_wrong(const Config *config, const KeyRing *keys, const Organisation *organisation,
                const Entry *entry, GError **error)
{
  gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
  g_autofree char *id =
      g_strdup_printf("wrong.%s.%" G_GINT64_FORMAT, entry->reference, now_s);
  g_autofree char *correct =
      control_address(keys, CONTROL_NUMBER, organisation->name, entry->reference,
                      organisation->service_domain, error);
  if (correct == NULL)
    return FALSE;
  LetterFacts facts = letter_facts(organisation, entry->sender,
                                   "Verkeerd mobiel nummer / Wrong mobile number", id);
  facts.reply_to = correct;
  facts.in_reply_to = entry->message_id;
  g_autofree char *text = mail_wrong_text(organisation, entry);
  return submit(config, organisation, entry->sender, letter_format(&facts, text), error);
}

char *
mail_form_text(const Organisation *organisation, const char *link)
{
  g_autofree char *name = letter_line(organisation->display_name, LETTER_NAME_MAX_CHARS);
  return g_strdup_printf(
      "(English below)\n"
      "\n"
      "U wilt een beveiligd bericht schrijven aan\n"
      "%s.\n"
      "Dat doet u op deze pagina:\n"
      "\n"
      "%s\n"
      "\n"
      "De link werkt 24 uur, voor \u00e9\u00e9n bericht. Geef de link aan niemand.\n"
      "\n"
      "Hebt u hier niet om gevraagd? Dan hoeft u niets te doen. Iemand heeft\n"
      "zich misschien vergist in zijn adres.\n"
      "\n"
      "----------------------------------------\n"
      "\n"
      "You want to write a secure message to\n"
      "%s.\n"
      "You can do that on this page:\n"
      "\n"
      "%s\n"
      "\n"
      "The link works for 24 hours, for one message. Do not give it to anyone.\n"
      "\n"
      "Did you not ask for this? Then there is nothing that you need to do.\n"
      "Perhaps somebody made a mistake in an address.\n",
      name, link, name, link);
}

/* A Message-ID of its own for each: nobody's mail program takes two for one. */
static char *
random_id(GError **error)
{
  guint8 bytes[ID_BYTES];
  if (!crypt_random(bytes, sizeof bytes, error))
    return NULL;
  g_autofree char *hex = crypt_hex(bytes, sizeof bytes);
  return g_strconcat("form.", hex, NULL);
}

gboolean
mail_send_form(const Config *config, const Organisation *organisation, const char *address,
               const char *ticket, GError **error)
{
  g_autofree char *id = random_id(error);
  if (id == NULL)
    return FALSE;
  const LetterFacts facts = letter_facts(
      organisation, address, "Uw link naar het formulier / Your link to the form", id);
  char *link = g_strconcat(organisation->viewer_url, "form/", ticket, NULL);
  char *text = mail_form_text(organisation, link);
  GString *message = letter_format(&facts, text);
  secret_wipe(text, strlen(text));
  secret_wipe(link, strlen(link));
  g_free(text);
  g_free(link);
  return submit(config, organisation, address, message, error);
}
