#include "deliver/notify.h"

#include <string.h>

#define NAME_MAX_CHARS    100 /* a display name in text or header; longer ones are cut */
#define ADDRESS_MAX_CHARS 320 /* RFC 5321 4.5.3.1: 64 + 1 + 255 */
#define CONTACT_MAX_CHARS 500
#define QP_LINE_MAX_BYTES 75 /* and '=' makes 76, RFC 2045 6.7 */
#define WORD_MAX_BYTES    45 /* of text in an encoded word of 75, RFC 2047 2 */
#define NUMBER_SHOWN      2

static const char *const months_nl[] = {"januari",   "februari", "maart",    "april",
                                        "mei",       "juni",     "juli",     "augustus",
                                        "september", "oktober",  "november", "december"};
static const char *const months_en[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
static const char *const days_en[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

char *
notify_sender(const char *service_domain)
{
  return g_strconcat("noreply@", service_domain, NULL);
}

char *
notify_link(const char *viewer_url, const char *secret_text)
{
  return g_strconcat(viewer_url, "l/", secret_text, NULL);
}

/* Line ends, other controls, and what turns or hides text (T30). */
static gboolean
is_harmless(gunichar c)
{
  switch ((guint) g_unichar_type(c)) {
  case G_UNICODE_CONTROL:
  case G_UNICODE_FORMAT:
  case G_UNICODE_LINE_SEPARATOR:
  case G_UNICODE_PARAGRAPH_SEPARATOR:
  case G_UNICODE_SURROGATE:
  case G_UNICODE_UNASSIGNED:
  case G_UNICODE_PRIVATE_USE:
    return FALSE;
  default:
    return TRUE;
  }
}

/* TEXT as one line of at most MAX characters, a new string of valid UTF-8. */
static char *
clean(const char *text, guint max)
{
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  GString *line = g_string_new(NULL);
  gboolean space = FALSE;
  guint count = 0;
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
    gunichar c = g_utf8_get_char(p);
    if (g_unichar_isspace(c) || !is_harmless(c)) {
      space = TRUE;
      continue;
    }
    if (count + (space && count > 0) >= max) {
      g_string_append(line, "\xe2\x80\xa6"); /* … */
      break;
    }
    if (space && count > 0) {
      g_string_append_c(line, ' ');
      count++;
    }
    space = FALSE;
    g_string_append_unichar(line, c);
    count++;
  }
  return g_string_free(line, FALSE);
}

/* An address as it goes into a header: nothing that ends or folds the line. */
static char *
clean_address(const char *address)
{
  g_autofree char *valid = g_utf8_make_valid(address, -1);
  GString *line = g_string_new(NULL);
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p))
    if (is_harmless(g_utf8_get_char(p)))
      g_string_append_unichar(line, g_utf8_get_char(p));
  return g_string_free(line, FALSE);
}

/* ---- Headers ---- */

static void
append_quoted(GString *out, const char *text)
{
  g_string_append_c(out, '"');
  for (const char *p = text; *p != '\0'; p++) {
    if (*p == '"' || *p == '\\')
      g_string_append_c(out, '\\');
    g_string_append_c(out, *p);
  }
  g_string_append_c(out, '"');
}

/* Valid UTF-8 as encoded words, one for each line, never cut inside a character. */
static void
append_encoded_words(GString *out, const char *text)
{
  for (const char *start = text; *start != '\0';) {
    const char *end = start;
    while (*end != '\0' && g_utf8_next_char(end) - start <= WORD_MAX_BYTES)
      end = g_utf8_next_char(end);
    g_autofree char *word = g_base64_encode((const guchar *) start, (gsize) (end - start));
    g_string_append_printf(out, "%s=?UTF-8?B?%s?=", start == text ? "" : "\r\n ", word);
    start = end;
  }
}

static void
append_from(GString *out, const NotifyFacts *facts)
{
  g_autofree char *name = clean(facts->organisation_name, NAME_MAX_CHARS);
  g_autofree char *address = notify_sender(facts->service_domain);
  g_string_append(out, "From: ");
  if (g_str_is_ascii(name))
    append_quoted(out, name);
  else
    append_encoded_words(out, name);
  g_string_append_printf(out, "\r\n <%s>\r\n", address);
}

static void
append_date(GString *out, gint64 time_s)
{
  g_autoptr(GDateTime) date = g_date_time_new_from_unix_local(time_s);
  gint offset_min = (gint) (g_date_time_get_utc_offset(date) / G_TIME_SPAN_MINUTE);
  g_string_append_printf(
      out, "Date: %s, %d %.3s %d %02d:%02d:%02d %c%02d%02d\r\n",
      days_en[g_date_time_get_day_of_week(date) - 1], g_date_time_get_day_of_month(date),
      months_en[g_date_time_get_month(date) - 1], g_date_time_get_year(date),
      g_date_time_get_hour(date), g_date_time_get_minute(date),
      g_date_time_get_second(date), offset_min < 0 ? '-' : '+', ABS(offset_min) / 60,
      ABS(offset_min) % 60);
}

static void
append_headers(GString *out, const NotifyFacts *facts)
{
  g_autofree char *recipient = clean_address(facts->recipient);
  append_from(out, facts);
  g_string_append_printf(out, "To: <%s>\r\n", recipient);
  g_string_append(out, "Subject: Er staat een beveiligd bericht voor u klaar /\r\n"
                       " A secure message is waiting for you\r\n");
  append_date(out, facts->now_s);
  g_string_append_printf(out, "Message-ID: <notice.%s@%s>\r\n", facts->reference,
                         facts->service_domain);
  g_string_append(out, "Auto-Submitted: auto-generated\r\n"
                       "Content-Language: nl, en\r\n"
                       "MIME-Version: 1.0\r\n"
                       "Content-Type: text/plain; charset=utf-8\r\n"
                       "Content-Transfer-Encoding: quoted-printable\r\n"
                       "\r\n");
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
  g_autofree char *name = clean(facts->sender_name, NAME_MAX_CHARS);
  g_autofree char *address = clean(facts->sender, ADDRESS_MAX_CHARS);
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
      "U hebt een code nodig om het te openen. Die code krijgt u per sms\n"
      "op het mobiele nummer dat eindigt op %s.\n"
      "\n"
      "Zo weet u dat deze e-mail echt is:\n"
      "- De link begint met %s\n"
      "- Wij vragen u nooit om een wachtwoord.\n"
      "\n"
      "U kunt deze e-mail niet beantwoorden. Deze link is alleen voor u:\n"
      "stuur deze e-mail niet door.\n",
      words->writer, words->facts->link, day, words->number_end, words->facts->viewer_url);
  if (*words->contact != '\0')
    g_string_append_printf(text, "Vragen? Neem contact op met %s:\n%s\n",
                           words->organisation, words->contact);
  g_string_append_printf(text, "\n%s\n", words->organisation);
}

static void
append_english(GString *text, const Words *words)
{
  g_autofree char *day = format_day(words->facts->expires_s, months_en);
  g_string_append_printf(
      text,
      "%s has sent you a secure message.\n"
      "\n"
      "Read the message with this link:\n"
      "\n"
      "%s\n"
      "\n"
      "You can read the message until %s.\n"
      "You need a code to open it. You will get that code by text message\n"
      "on the mobile number that ends in %s.\n"
      "\n"
      "How to know that this email is genuine:\n"
      "- The link begins with %s\n"
      "- We never ask for a password.\n"
      "\n"
      "You cannot reply to this email. This link is only for you:\n"
      "do not forward this email.\n",
      words->writer, words->facts->link, day, words->number_end, words->facts->viewer_url);
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
      .organisation = clean(facts->organisation_name, NAME_MAX_CHARS),
      .contact = clean(facts->contact, CONTACT_MAX_CHARS),
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

/* ---- Quoted-printable (RFC 2045 6.7) ---- */

static gboolean
needs_quoting(const char *p)
{
  guchar c = (guchar) *p;
  if (c == ' ')
    return p[1] == '\n' || p[1] == '\0'; /* would be lost on the way */
  return c < 0x21 || c > 0x7e || c == '=';
}

static void
append_quoted_printable(GString *out, const char *text)
{
  gsize column = 0;
  for (const char *p = text; *p != '\0'; p++) {
    if (*p == '\n') {
      g_string_append(out, "\r\n");
      column = 0;
      continue;
    }
    gboolean quote = needs_quoting(p);
    if (column + (quote ? 3 : 1) > QP_LINE_MAX_BYTES) {
      g_string_append(out, "=\r\n");
      column = 0;
    }
    if (quote)
      g_string_append_printf(out, "=%02X", (guchar) *p);
    else
      g_string_append_c(out, *p);
    column += quote ? 3 : 1;
  }
}

GString *
notify_format(const NotifyFacts *facts)
{
  GString *text = format_text(facts);
  GString *out = g_string_sized_new(8192);
  append_headers(out, facts);
  append_quoted_printable(out, text->str);
  explicit_bzero(text->str, text->len); /* the link */
  g_string_free(text, TRUE);
  return out;
}
