#include "common/base/json.h"

#define FIRST_PRINTABLE 0x20

void
json_append_string(GString *out, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  g_string_append_c(out, '"');
  for (const char *p = valid; *p != '\0'; p++) {
    if (*p == '"' || *p == '\\')
      g_string_append_printf(out, "\\%c", *p);
    else if ((guchar) *p < FIRST_PRINTABLE || *p == 0x7f)
      g_string_append_printf(out, "\\u%04x", (guint) *p);
    else
      g_string_append_c(out, *p);
  }
  g_string_append_c(out, '"');
}

void
json_append_pair(GString *out, const char *key, const char *value, gboolean more)
{
  json_append_string(out, key);
  g_string_append(out, ": ");
  json_append_string(out, value);
  g_string_append(out, more ? ", " : "");
}
