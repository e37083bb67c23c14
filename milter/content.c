#include "milter/content.h"

#include <string.h>

/* Whether VALUE, of Content-Type, is a text that has no name. */
static gboolean
is_plain_text(const char *value)
{
  static const char *const types[] = {"text/plain", "text/html"};
  g_autofree char *lower = g_ascii_strdown(value, -1);
  const char *start = lower + strspn(lower, " \t\r\n");
  if (strstr(start, "name") != NULL)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
    gsize len = strlen(types[i]);
    if (strncmp(start, types[i], len) == 0 && strchr(" \t\r\n;", start[len]) != NULL)
      return TRUE; /* the end of the string too */
  }
  return FALSE;
}

gboolean
content_is_possible(const Fields *fields)
{
  static const char type[] = "Content-Type";
  guint count = fields_count(fields, type);
  if (count > 1 || fields_count(fields, "Content-Disposition") > 0)
    return TRUE;
  return count == 1 && !is_plain_text(fields_find(fields, type, 1)->value);
}

GString *
content_header(const Fields *fields)
{
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < fields->list->len; i++) {
    field_append(fields->list->pdata[i], text);
    g_string_append(text, "\r\n");
  }
  g_string_append(text, "\r\n");
  return text;
}
