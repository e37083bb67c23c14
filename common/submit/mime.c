#include "common/submit/mime.h"

#include <string.h>

#define QP_LINE_MAX_BYTES 75 /* and '=' makes 76, RFC 2045 6.7 */
#define WORD_MAX_BYTES    45 /* of text in an encoded word of 75, RFC 2047 2 */
#define LINE_MAX_BYTES    57 /* in a line of base64 of 76, RFC 2045 6.8 */
#define LINE_MAX_CHARS    76

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

void
mime_append_date(GString *out, gint64 time_s)
{
  g_autoptr(GDateTime) date = g_date_time_new_from_unix_local(time_s);
  gint offset_min = (gint) (g_date_time_get_utc_offset(date) / G_TIME_SPAN_MINUTE);
  g_string_append_printf(
      out, "Date: %s, %d %s %d %02d:%02d:%02d %c%02d%02d\r\n",
      days[g_date_time_get_day_of_week(date) - 1], g_date_time_get_day_of_month(date),
      months[g_date_time_get_month(date) - 1], g_date_time_get_year(date),
      g_date_time_get_hour(date), g_date_time_get_minute(date),
      g_date_time_get_second(date), offset_min < 0 ? '-' : '+', ABS(offset_min) / 60,
      ABS(offset_min) % 60);
}

void
mime_append_quoted(GString *out, const char *text)
{
  g_string_append_c(out, '"');
  for (const char *p = text; *p != '\0'; p++) {
    if (*p == '"' || *p == '\\')
      g_string_append_c(out, '\\');
    g_string_append_c(out, *p);
  }
  g_string_append_c(out, '"');
}

/* One word for each line, never cut inside a character. */
void
mime_append_words(GString *out, const char *text)
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

gboolean
mime_is_plain(const char *text)
{
  return g_str_is_ascii(text) && strstr(text, "=?") == NULL;
}

void
mime_append_phrase(GString *out, const char *text)
{
  if (mime_is_plain(text))
    mime_append_quoted(out, text);
  else
    mime_append_words(out, text);
}

static gboolean
needs_quoting(const char *p)
{
  guchar c = (guchar) *p;
  if (c == ' ')
    return p[1] == '\n' || p[1] == '\0'; /* would be lost on the way */
  return c < 0x21 || c > 0x7e || c == '=';
}

void
mime_append_quoted_printable(GString *out, const char *text)
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

void
mime_append_base64(GString *out, gconstpointer bytes, gsize len)
{
  const guchar *p = bytes;
  for (gsize n; len > 0; p += n, len -= n) {
    char line[LINE_MAX_CHARS + 8]; /* the end may come with either call */
    gint state = 0;
    gint save = 0;
    n = MIN(len, LINE_MAX_BYTES);
    gsize have = g_base64_encode_step(p, n, FALSE, line, &state, &save);
    have += g_base64_encode_close(FALSE, line + have, &state, &save);
    g_string_append_len(out, line, (gssize) have);
    g_string_append(out, "\r\n");
    explicit_bzero(line, sizeof line);
  }
}

gsize
mime_base64_length(gsize len)
{
  return (len + 2) / 3 * 4 + (len + LINE_MAX_BYTES - 1) / LINE_MAX_BYTES * 2;
}
