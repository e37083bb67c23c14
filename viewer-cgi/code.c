#include "viewer-cgi/code.h"

#include <string.h>

#define INPUT_MAX_BYTES 64

/* What a phone or a person puts between digits. */
static gboolean
is_separator(gunichar c)
{
  return g_unichar_isspace(c) || c == '.' || g_unichar_type(c) == G_UNICODE_FORMAT ||
         g_unichar_type(c) == G_UNICODE_DASH_PUNCTUATION;
}

gboolean
code_normalise(const char *input, char code[STORE_CODE_DIGITS + 1])
{
  gsize digits = 0;
  memset(code, 0, STORE_CODE_DIGITS + 1);
  if (input == NULL || strlen(input) > INPUT_MAX_BYTES || !g_utf8_validate(input, -1, NULL))
    return FALSE;
  for (const char *p = input; *p != '\0'; p = g_utf8_next_char(p)) {
    gunichar c = g_utf8_get_char(p);
    if (g_unichar_isdigit(c) && digits < STORE_CODE_DIGITS)
      code[digits++] = (char) ('0' + g_unichar_digit_value(c));
    else if (!is_separator(c))
      return FALSE;
  }
  return digits == STORE_CODE_DIGITS;
}
