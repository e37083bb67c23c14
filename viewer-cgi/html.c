#include "viewer-cgi/html.h"

#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */
#define START_BYTES 4096           /* most pages fit at once */

struct Html {
  GString *text;
};

Html *
html_new(void)
{
  Html *html = g_new0(Html, 1);
  html->text = g_string_sized_new(START_BYTES);
  return html;
}

void
html_free(Html *html)
{
  if (html == NULL)
    return;
  if (html->text != NULL)
    g_string_free(html->text, TRUE);
  g_free(html);
}

GBytes *
html_finish(Html *html)
{
  GBytes *bytes = g_string_free_to_bytes(g_steal_pointer(&html->text));
  html_free(html);
  return bytes;
}

void
html_markup_literal(Html *html, const char *markup)
{
  g_string_append(html->text, markup);
}

static void
append_escaped(GString *out, gunichar c)
{
  switch (c) {
  case '&':
    g_string_append(out, "&amp;");
    break;
  case '<':
    g_string_append(out, "&lt;");
    break;
  case '>':
    g_string_append(out, "&gt;");
    break;
  case '"':
    g_string_append(out, "&quot;");
    break;
  case '\'':
    g_string_append(out, "&#39;");
    break;
  default:
    g_string_append_unichar(out, c);
  }
}

/* The character at *P, which moves on; U+FFFD for one byte that is no UTF-8. */
static gunichar
next_character(const char **p)
{
  gunichar c = g_utf8_get_char_validated(*p, -1);
  if (c == (gunichar) -1 || c == (gunichar) -2) {
    (*p)++;
    return 0xFFFD;
  }
  *p = g_utf8_next_char(*p);
  return c;
}

/* What XML and HTML forbid or browsers treat in ways of their own. */
static gboolean
is_forbidden(gunichar c)
{
  return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0) ||
         (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef);
}

/* How many bytes from P on are ASCII that stands for itself everywhere. */
static gsize
plain_length(const char *p)
{
  gsize n = 0;
  while (p[n] >= 0x20 && p[n] < 0x7f && p[n] != '&' && p[n] != '<' && p[n] != '>' &&
         p[n] != '"' && p[n] != '\'')
    n++;
  return n;
}

void
html_text(Html *html, const char *text)
{
  for (const char *p = text; *p != '\0';) {
    gsize plain = plain_length(p);
    g_string_append_len(html->text, p, (gssize) plain);
    p += plain;
    if (*p == '\0')
      break;
    gunichar c = next_character(&p);
    if (is_forbidden(c))
      g_string_append(html->text, REPLACEMENT);
    else
      append_escaped(html->text, c);
  }
}

/* Direction controls and characters that show nothing (Unicode "format" and line ends). */
static gboolean
is_invisible(gunichar c)
{
  if (c == 0x200c || c == 0x200d)
    return FALSE; /* joiners belong to names in many scripts */
  GUnicodeType type = g_unichar_type(c);
  return type == G_UNICODE_FORMAT || type == G_UNICODE_LINE_SEPARATOR ||
         type == G_UNICODE_PARAGRAPH_SEPARATOR;
}

char *
html_clean_line(const char *text)
{
  GString *out = g_string_sized_new(strlen(text));
  for (const char *p = text; *p != '\0';) {
    gsize plain = plain_length(p);
    g_string_append_len(out, p, (gssize) plain);
    p += plain;
    if (*p == '\0')
      break;
    gunichar c = next_character(&p);
    if (c == '\n' || c == '\t' || c == '\r' || c == 0x2028 || c == 0x2029)
      g_string_append_c(out, ' ');
    else if (is_forbidden(c))
      g_string_append(out, REPLACEMENT);
    else if (!is_invisible(c))
      g_string_append_unichar(out, c);
  }
  return g_string_free(out, FALSE);
}

void
html_line(Html *html, const char *text)
{
  if (text[plain_length(text)] == '\0') {
    g_string_append(html->text, text);
    return;
  }
  g_autofree char *clean = html_clean_line(text);
  html_text(html, clean);
}

void
html_isolated(Html *html, const char *text)
{
  html_markup(html, "<bdi>");
  html_line(html, text);
  html_markup(html, "</bdi>");
}

void
html_attribute(Html *html, const char *name, const char *value)
{
  g_string_append_c(html->text, ' ');
  g_string_append(html->text, name);
  g_string_append(html->text, "=\"");
  html_line(html, value);
  g_string_append_c(html->text, '"');
}
