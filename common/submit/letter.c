#include "common/submit/letter.h"

#include <string.h>

#include "common/submit/mime.h"

#define ID_MAX_BYTES 900 /* of a Message-ID, so that no line exceeds 998 */

/* Quoted-printable writes every '=' as "=3D": this stands in no part (RFC 2045 6.7). */
#define BOUNDARY "=_zegel"

char *
letter_sender(const char *service_domain)
{
  return g_strconcat("noreply@", service_domain, NULL);
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
char *
letter_line(const char *text, guint max)
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
append_from(GString *out, const LetterFacts *facts)
{
  g_autofree char *name = letter_line(facts->organisation_name, LETTER_NAME_MAX_CHARS);
  g_autofree char *address = letter_sender(facts->service_domain);
  g_string_append(out, "From: ");
  mime_append_phrase(out, name);
  g_string_append_printf(out, "\r\n <%s>\r\n", address);
}

/* Whether ID can stand in a header as it is: "<", no space, "@", ">". */
static gboolean
is_message_id(const char *id)
{
  gsize len = strlen(id);
  if (len < 5 || len > ID_MAX_BYTES || id[0] != '<' || id[len - 1] != '>' ||
      strchr(id, '@') == NULL)
    return FALSE;
  for (gsize i = 1; i < len - 1; i++)
    if (!g_ascii_isgraph(id[i]) || id[i] == '<' || id[i] == '>')
      return FALSE;
  return TRUE;
}

static void
append_references(GString *out, const LetterFacts *facts)
{
  if (facts->reply_to != NULL)
    g_string_append_printf(out, "Reply-To: <%s>\r\n", facts->reply_to);
  if (facts->in_reply_to != NULL && is_message_id(facts->in_reply_to))
    g_string_append_printf(out, "In-Reply-To: %s\r\nReferences: %s\r\n", facts->in_reply_to,
                           facts->in_reply_to);
}

/* Exchange knows the second and not the first (RFC 3834): no absence notes for us. */
static void
append_headers(GString *out, const LetterFacts *facts)
{
  g_autofree char *recipient = clean_address(facts->recipient);
  append_from(out, facts);
  g_string_append_printf(out, "To: <%s>\r\n", recipient);
  g_string_append_printf(out, "Subject: %s\r\n", facts->subject);
  mime_append_date(out, facts->now_s);
  g_string_append_printf(out, "Message-ID: <%s@%s>\r\n", facts->id, facts->service_domain);
  append_references(out, facts);
  g_string_append(out, "Auto-Submitted: auto-generated\r\n"
                       "X-Auto-Response-Suppress: OOF, AutoReply\r\n"
                       "Content-Language: nl, en\r\n"
                       "MIME-Version: 1.0\r\n");
}

static void
append_part(GString *out, const char *type, const char *text)
{
  g_string_append_printf(out,
                         "Content-Type: %s; charset=utf-8\r\n"
                         "Content-Transfer-Encoding: quoted-printable\r\n"
                         "\r\n",
                         type);
  mime_append_quoted_printable(out, text);
}

GString *
letter_format(const LetterFacts *facts, const char *text)
{
  GString *out = g_string_sized_new(32768); /* so that what is secret is seldom copied */
  append_headers(out, facts);
  if (facts->html == NULL) {
    append_part(out, "text/plain", text);
    return out;
  }
  g_string_append(out, "Content-Type: multipart/alternative; boundary=\"" BOUNDARY "\"\r\n"
                       "\r\n"
                       "--" BOUNDARY "\r\n");
  append_part(out, "text/plain", text);
  g_string_append(out, "\r\n--" BOUNDARY "\r\n");
  append_part(out, "text/html", facts->html);
  g_string_append(out, "\r\n--" BOUNDARY "--\r\n");
  return out;
}
