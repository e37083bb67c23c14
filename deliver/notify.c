#include "deliver/notify.h"

#include <string.h>

#include "common/submit/letter.h"

#define CONTACT_MAX_CHARS 500
#define NUMBER_SHOWN      2

static const char *const months_nl[] = {"januari",   "februari", "maart",    "april",
                                        "mei",       "juni",     "juli",     "augustus",
                                        "september", "oktober",  "november", "december"};
static const char *const months_en[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};

char *
notify_link(const char *viewer_url, const char *secret_text)
{
  return g_strconcat(viewer_url, "l/", secret_text, NULL);
}

/* ---- Text ---- */

static char *
format_day(gint64 time_s, const char *const *months)
{
  g_autoptr(GDateTime) date = g_date_time_new_from_unix_local(time_s);
  return g_strdup_printf("%d %s %d", g_date_time_get_day_of_month(date),
                         months[g_date_time_get_month(date) - 1],
                         g_date_time_get_year(date));
}

/* "Jan Jansen (jan@example.nl)": the address is always there (T30). */
static char *
format_writer(const NotifyFacts *facts)
{
  g_autofree char *name = letter_line(facts->sender_name, LETTER_NAME_MAX_CHARS);
  g_autofree char *address = letter_line(facts->sender, LETTER_ADDRESS_MAX_CHARS);
  return *name != '\0' ? g_strdup_printf("%s (%s)", name, address)
                       : g_steal_pointer(&address);
}

/* What both languages need. */
typedef struct {
  const NotifyFacts *facts;
  char *writer;
  char *organisation;
  char *contact;
  const char *number_end;
} Words;

static void
append_dutch(GString *text, const Words *words)
{
  g_autofree char *day = format_day(words->facts->expires_s, months_nl);
  g_autofree char *code =
      *words->facts->number != '\0'
          ? g_strconcat(
                "U hebt een code nodig om het te openen. Die code krijgt u per sms\n"
                "op het mobiele nummer dat eindigt op ",
                words->number_end, ".", NULL)
          : g_strdup("U hebt een code nodig om het te openen. Die code krijgt u in een\n"
                     "aparte e-mail, als u daar op de pagina om vraagt.");
  g_string_append_printf(
      text,
      "(English below)\n"
      "\n"
      "%s heeft u een beveiligd bericht gestuurd.\n"
      "\n"
      "Lees het bericht met deze link:\n"
      "\n"
      "%s\n"
      "\n"
      "U kunt het bericht lezen tot %s.\n"
      "%s\n"
      "\n"
      "Zo weet u dat deze e-mail echt is:\n"
      "- De link begint met %s\n"
      "- Wij vragen u nooit om een wachtwoord.\n"
      "\n"
      "U kunt deze e-mail niet beantwoorden. Deze link is alleen voor u:\n"
      "stuur deze e-mail niet door.\n",
      words->writer, words->facts->link, day, code, words->facts->viewer_url);
  if (*words->contact != '\0')
    g_string_append_printf(text, "Vragen? Neem contact op met %s:\n%s\n",
                           words->organisation, words->contact);
  g_string_append_printf(text, "\n%s\n", words->organisation);
}

static void
append_english(GString *text, const Words *words)
{
  g_autofree char *day = format_day(words->facts->expires_s, months_en);
  g_autofree char *code =
      *words->facts->number != '\0'
          ? g_strconcat(
                "You need a code to open it. You will get that code by text message\n"
                "on the mobile number that ends in ",
                words->number_end, ".", NULL)
          : g_strdup("You need a code to open it. You will get that code in a separate\n"
                     "email, when you ask for it on the page.");
  g_string_append_printf(text,
                         "%s has sent you a secure message.\n"
                         "\n"
                         "Read the message with this link:\n"
                         "\n"
                         "%s\n"
                         "\n"
                         "You can read the message until %s.\n"
                         "%s\n"
                         "\n"
                         "How to know that this email is genuine:\n"
                         "- The link begins with %s\n"
                         "- We never ask for a password.\n"
                         "\n"
                         "You cannot reply to this email. This link is only for you:\n"
                         "do not forward this email.\n",
                         words->writer, words->facts->link, day, code,
                         words->facts->viewer_url);
  if (*words->contact != '\0')
    g_string_append_printf(text, "Questions? Contact %s:\n%s\n", words->organisation,
                           words->contact);
  g_string_append_printf(text, "\n%s\n", words->organisation);
}

static GString *
format_text(const NotifyFacts *facts)
{
  gsize number_len = strlen(facts->number);
  Words words = {
      .facts = facts,
      .writer = format_writer(facts),
      .organisation = letter_line(facts->organisation_name, LETTER_NAME_MAX_CHARS),
      .contact = letter_line(facts->contact, CONTACT_MAX_CHARS),
      .number_end = facts->number + number_len - MIN(number_len, NUMBER_SHOWN),
  };
  GString *text = g_string_new(NULL);
  append_dutch(text, &words);
  g_string_append(text, "\n----------------------------------------\n\n");
  append_english(text, &words);
  g_free(words.writer);
  g_free(words.organisation);
  g_free(words.contact);
  return text;
}

GString *
notify_format(const NotifyFacts *facts)
{
  GString *text = format_text(facts);
  g_autofree char *id = g_strconcat("notice.", facts->reference, NULL);
  const LetterFacts letter = {
      .organisation_name = facts->organisation_name,
      .service_domain = facts->service_domain,
      .recipient = facts->recipient,
      .subject = "Er staat een beveiligd bericht voor u klaar /\r\n"
                 " A secure message is waiting for you",
      .id = id,
      .now_s = facts->now_s,
  };
  GString *out = letter_format(&letter, text->str);
  explicit_bzero(text->str, text->len); /* the link */
  g_string_free(text, TRUE);
  return out;
}
