#include "milter/marks.h"

#include <glib.h>
#include <string.h>

/* Letters that nobody sees, though Unicode calls them letters. */
static gboolean
is_filler(gunichar c)
{
  return c == 0x115f || c == 0x1160 || c == 0x3164 || c == 0x2800;
}

/* Whether C takes no part in what a person reads at the front of a line. */
static gboolean
is_blank(gunichar c)
{
  GUnicodeType type = g_unichar_type(c);
  return type == G_UNICODE_FORMAT || type == G_UNICODE_CONTROL ||
         type == G_UNICODE_NON_SPACING_MARK || type == G_UNICODE_ENCLOSING_MARK ||
         type == G_UNICODE_SPACE_SEPARATOR || type == G_UNICODE_LINE_SEPARATOR ||
         type == G_UNICODE_PARAGRAPH_SEPARATOR || is_filler(c);
}

/* Appends what a person reads in the LEN octets at TEXT. */
static void
append_read(GString *out, const char *text, gssize len)
{
  g_autofree char *plain = g_utf8_normalize(text, len, G_NORMALIZE_NFKD);
  g_autofree char *folded = plain != NULL ? g_utf8_casefold(plain, -1) : g_strdup("");
  for (const char *p = folded; *p != '\0'; p = g_utf8_next_char(p))
    if (!is_blank(g_utf8_get_char(p)))
      g_string_append_unichar(out, g_utf8_get_char(p));
}

/* TEXT behind what is blank at its front. */
static const char *
skip_blanks(const char *text)
{
  while (*text != '\0' && is_blank(g_utf8_get_char(text)))
    text = g_utf8_next_char(text);
  return text;
}

const char *
marks_behind_prefix(const char *text, const char *prefix)
{
  g_autoptr(GString) wanted = g_string_new(NULL);
  g_autoptr(GString) read = g_string_new(NULL);
  append_read(wanted, prefix, -1);
  while (*text != '\0' && read->len < wanted->len) {
    const char *next = g_utf8_next_char(text);
    append_read(read, text, next - text);
    text = next;
    if (strncmp(wanted->str, read->str, read->len) != 0)
      return NULL;
  }
  return wanted->len > 0 && read->len == wanted->len ? skip_blanks(text) : NULL;
}
