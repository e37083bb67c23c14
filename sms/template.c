#include "sms/template.h"

#include <string.h>

#include "common/base/secret.h"

/* The value of the name of LEN bytes at NAME; FALSE when there is no such name. */
static gboolean
find_value(const Values *values, const char *name, gsize len, const char **value)
{
  const char *digits = values->number;
  if (digits != NULL && *digits == '+')
    digits++;
  const struct {
    const char *name;
    const char *value;
  } known[] = {{"number", values->number},
               {"digits", digits},
               {"text", values->text},
               {"user", values->user},
               {"password", values->password}};
  for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
    if (strlen(known[i].name) == len && memcmp(known[i].name, name, len) == 0) {
      *value = known[i].value != NULL ? known[i].value : "";
      return TRUE;
    }
  return FALSE;
}

static void
append_url(GString *out, guchar c)
{
  if (g_ascii_isalnum(c) || (c != '\0' && strchr("-._~", c) != NULL))
    g_string_append_c(out, (char) c);
  else
    g_string_append_printf(out, "%%%02X", c);
}

static void
append_json(GString *out, guchar c)
{
  if (c == '"' || c == '\\')
    g_string_append_printf(out, "\\%c", c);
  else if (c == '\n')
    g_string_append(out, "\\n");
  else if (c < 0x20 || c == 0x7f)
    g_string_append_printf(out, "\\u%04x", c);
  else
    g_string_append_c(out, (char) c);
}

static void
append_xml(GString *out, guchar c)
{
  if (c != '\0' && strchr("&<>\"'", c) != NULL)
    g_string_append_printf(out, "&#%d;", c);
  else if (c == '\n')
    g_string_append(out, "&#10;"); /* in an attribute a bare one would become a space */
  else
    g_string_append_c(out, c < 0x20 || c == 0x7f ? ' ' : (char) c);
}

static void
append_byte(GString *out, Place place, guchar c)
{
  switch (place) {
  case PLACE_URL:
    append_url(out, c);
    break;
  case PLACE_JSON:
    append_json(out, c);
    break;
  case PLACE_XML:
    append_xml(out, c);
    break;
  case PLACE_LINE:
    g_string_append_c(out, c < 0x20 || c == 0x7f ? ' ' : (char) c);
    break;
  }
}

/* What EXPAND needs at most, so that a buffer never moves and leaves a copy behind. */
static gsize
largest(const char *template, const Values *values)
{
  const char *const each[] = {values->number, values->text, values->user, values->password};
  gsize most = 1, names = 1;
  for (gsize i = 0; i < G_N_ELEMENTS(each); i++)
    most = MAX(most, each[i] != NULL ? strlen(each[i]) : 0);
  for (const char *p = template; (p = strchr(p, '{')) != NULL; p++)
    names++;
  return strlen(template) + names * most * strlen("\\u0000");
}

char *
template_expand(const char *template, Place place, const Values *values)
{
  GString *out = g_string_sized_new(largest(template, values) + 1);
  for (const char *p = template; *p != '\0';) {
    const char *end = *p == '{' ? strchr(p, '}') : NULL;
    const char *value = NULL;
    if (end == NULL || !find_value(values, p + 1, (gsize) (end - p - 1), &value)) {
      g_string_append_c(out, *p++);
      continue;
    }
    for (; *value != '\0'; value++)
      append_byte(out, place, (guchar) *value);
    p = end + 1;
  }
  return g_string_free(out, FALSE);
}

gboolean
template_names(const char *template, const char *name)
{
  g_autofree char *placeholder = g_strdup_printf("{%s}", name);
  return template != NULL && strstr(template, placeholder) != NULL;
}
