#include "deliver/notify.h"

#include <string.h>

#include "common/submit/letter.h"
#include "deliver/prose.h"

#define CONTACT_MAX_CHARS 500

char *
notify_link(const char *viewer_url, const char *secret_text)
{
  return g_strconcat(viewer_url, "l/", secret_text, NULL);
}

char *
notify_status_link(const char *viewer_url, const char *secret_text)
{
  return g_strconcat(viewer_url, "s/", secret_text, NULL);
}

/* ---- Text ---- */

/* What both languages need; all owned but FACTS. */
typedef struct {
  const NotifyFacts *facts;
  char *name;
  char *address;
  char *organisation;
  char *contact;
} Words;

static void
words_init(Words *words, const NotifyFacts *facts)
{
  words->facts = facts;
  words->name = letter_line(facts->sender_name, LETTER_NAME_MAX_CHARS);
  words->address = letter_line(facts->sender, LETTER_ADDRESS_MAX_CHARS);
  words->organisation = letter_line(facts->organisation_name, LETTER_NAME_MAX_CHARS);
  words->contact = letter_line(facts->contact, CONTACT_MAX_CHARS);
}

static void
words_clear(Words *words)
{
  g_free(words->name);
  g_free(words->address);
  g_free(words->organisation);
  g_free(words->contact);
}

static char *
dutch_code(const char *number)
{
  if (*number == '\0')
    return g_strdup("U hebt een code nodig om het te openen. Die code krijgt u in een\n"
                    "aparte e-mail, als u daar op de pagina om vraagt.");
  return g_strconcat("U hebt een code nodig om het te openen. Die code krijgt u per sms\n"
                     "op het mobiele nummer dat eindigt op ",
                     prose_number_end(number), ".", NULL);
}

static char *
english_code(const char *number)
{
  if (*number == '\0')
    return g_strdup("You need a code to open it. You will get that code in a separate\n"
                    "email, when you ask for it on the page.");
  return g_strconcat("You need a code to open it. You will get that code by text message\n"
                     "on the mobile number that ends in ",
                     prose_number_end(number), ".", NULL);
}

static void
append_dutch(Prose *prose, const Words *words)
{
  const NotifyFacts *facts = words->facts;
  g_autofree char *day = prose_day_dutch(facts->expires_s);
  g_autofree char *code = dutch_code(facts->number);
  g_autofree char *until =
      g_strdup_printf("U kunt het bericht lezen tot %s.\n%s", day, code);
  g_autofree char *begins = g_strconcat("De link begint met ", facts->viewer_url, NULL);
  const char *const genuine[] = {begins, "Wij vragen u nooit om een wachtwoord.", NULL};

  prose_paragraph(prose, "(English below)");
  prose_writer(prose, words->name, words->address,
               facts->reminder ? "heeft u een beveiligd bericht gestuurd.\n"
                                 "U hebt het nog niet gelezen."
                               : "heeft u een beveiligd bericht gestuurd.");
  prose_paragraph(prose, "Lees het bericht met deze link:");
  prose_link(prose, "Bericht lezen", facts->link);
  prose_paragraph(prose, until);
  prose_list(prose, "Zo weet u dat deze e-mail echt is:", genuine);
  prose_paragraph(prose,
                  "U kunt deze e-mail niet beantwoorden. Deze link is alleen voor u:\n"
                  "stuur deze e-mail niet door.");
  if (*words->contact != '\0') {
    g_autofree char *contact = g_strdup_printf("Vragen? Neem contact op met %s:\n%s",
                                               words->organisation, words->contact);
    prose_paragraph(prose, contact);
  }
  prose_paragraph(prose, words->organisation);
}

static void
append_english(Prose *prose, const Words *words)
{
  const NotifyFacts *facts = words->facts;
  g_autofree char *day = prose_day_english(facts->expires_s);
  g_autofree char *code = english_code(facts->number);
  g_autofree char *until =
      g_strdup_printf("You can read the message until %s.\n%s", day, code);
  g_autofree char *begins = g_strconcat("The link begins with ", facts->viewer_url, NULL);
  const char *const genuine[] = {begins, "We never ask for a password.", NULL};

  prose_writer(prose, words->name, words->address,
               facts->reminder ? "has sent you a secure message.\n"
                                 "You have not read it yet."
                               : "has sent you a secure message.");
  prose_paragraph(prose, "Read the message with this link:");
  prose_link(prose, "Read message", facts->link);
  prose_paragraph(prose, until);
  prose_list(prose, "How to know that this email is genuine:", genuine);
  prose_paragraph(prose, "You cannot reply to this email. This link is only for you:\n"
                         "do not forward this email.");
  if (*words->contact != '\0') {
    g_autofree char *contact =
        g_strdup_printf("Questions? Contact %s:\n%s", words->organisation, words->contact);
    prose_paragraph(prose, contact);
  }
  prose_paragraph(prose, words->organisation);
}

static Prose *
format_prose(const NotifyFacts *facts)
{
  Words words;
  words_init(&words, facts);
  Prose *prose = prose_new("nl", "Beveiligd bericht / Secure message");
  append_dutch(prose, &words);
  prose_turn(prose, "en");
  append_english(prose, &words);
  prose_end(prose);
  words_clear(&words);
  return prose;
}

/* The local part of the Message-ID, a new string. */
static char *
message_id(const NotifyFacts *facts)
{
  if (facts->again_s != 0)
    return g_strdup_printf("again.%" G_GINT64_FORMAT ".%s", facts->again_s,
                           facts->reference);
  return g_strconcat(facts->reminder ? "reminder." : "notice.", facts->reference, NULL);
}

GString *
notify_format(const NotifyFacts *facts)
{
  g_autoptr(Prose) prose = format_prose(facts);
  g_autofree char *id = message_id(facts);
  const LetterFacts letter = {
      .organisation_name = facts->organisation_name,
      .service_domain = facts->service_domain,
      .recipient = facts->recipient,
      .subject = facts->reminder ? "Herinnering: u hebt een beveiligd bericht /\r\n"
                                   " Reminder: you have a secure message"
                                 : "Er staat een beveiligd bericht voor u klaar /\r\n"
                                   " A secure message is waiting for you",
      .id = id,
      .now_s = facts->now_s,
      .html = prose->html->str,
  };
  return letter_format(&letter, prose->text->str);
}
