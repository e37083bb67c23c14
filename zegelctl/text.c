#include "zegelctl/text.h"

#include <string.h>

char *
text_clean(const char *text)
{
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  GString *clean = g_string_new(NULL);
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
    gunichar c = g_utf8_get_char(p);
    if (g_unichar_iscntrl(c) || g_unichar_type(c) == G_UNICODE_FORMAT)
      g_string_append_c(clean, '?');
    else
      g_string_append_unichar(clean, c);
  }
  return g_string_free(clean, FALSE);
}

void
text_append_clean(GString *out, const char *text)
{
  g_autofree char *clean = text_clean(text);
  g_string_append(out, clean);
}

/* The length of the piece at TEXT that must stay in one line, in bytes. */
static gsize
piece_length(const char *text)
{
  gsize len = 0;
  while (text[len] != '\0' && text[len] != ' ') {
    const char *end = text[len] == '"' ? strchr(text + len + 1, '"') : NULL;
    len = end != NULL ? (gsize) (end - text) + 1 : len + 1;
  }
  return len;
}

void
text_wrap(GString *out, guint at, guint indent, const char *text)
{
  g_autofree char *clean = text_clean(text);
  gboolean first = TRUE;
  for (const char *p = clean + strspn(clean, " "); *p != '\0'; p += strspn(p, " ")) {
    gsize len = piece_length(p);
    guint width = (guint) g_utf8_strlen(p, (gssize) len);
    if (!first && at + 1 + width > TEXT_WIDTH) {
      g_string_append_printf(out, "\n%*s", (int) indent, "");
      at = indent;
    } else if (!first) {
      g_string_append_c(out, ' ');
      at++;
    }
    g_string_append_len(out, p, (gssize) len);
    at += width;
    p += len;
    first = FALSE;
  }
  g_string_append_c(out, '\n');
}
