#include "milter/fields.h"

#include <string.h>

static void
field_free(gpointer p)
{
  Field *field = p;
  g_free(field->name);
  g_free(field->value);
  g_free(field);
}

Fields *
fields_new(void)
{
  Fields *fields = g_new0(Fields, 1);
  fields->list = g_ptr_array_new_with_free_func(field_free);
  return fields;
}

void
fields_free(Fields *fields)
{
  if (fields == NULL)
    return;
  g_ptr_array_unref(fields->list);
  g_free(fields);
}

void
fields_add(Fields *fields, const char *name, const char *value)
{
  gsize bytes = strlen(name) + strlen(value);
  if (fields->list->len >= FIELDS_MAX || fields->bytes + bytes > FIELDS_MAX_BYTES) {
    fields->cut = TRUE;
    return;
  }
  Field *field = g_new0(Field, 1);
  field->name = g_strdup(name);
  field->value = g_strdup(value);
  g_ptr_array_add(fields->list, field);
  fields->bytes += bytes;
}

gboolean
field_is(const Field *field, const char *name)
{
  gsize len = strlen(name);
  const char *rest = field->name + len;
  return g_ascii_strncasecmp(field->name, name, len) == 0 &&
         rest[strspn(rest, " \t")] == '\0';
}

void
field_append(const Field *field, GString *text)
{
  g_string_append(text, field->name);
  g_string_append_c(text, ':');
  for (const char *p = field->value; *p != '\0'; p++) {
    if (*p == '\n' && text->str[text->len - 1] != '\r')
      g_string_append_c(text, '\r');
    g_string_append_c(text, *p);
  }
}

guint
fields_count(const Fields *fields, const char *name)
{
  guint count = 0;
  for (guint i = 0; i < fields->list->len; i++) {
    const Field *field = fields->list->pdata[i];
    if (field_is(field, name))
      count++;
  }
  return count;
}

const Field *
fields_find(const Fields *fields, const char *name, guint index)
{
  for (guint i = 0; i < fields->list->len; i++) {
    const Field *field = fields->list->pdata[i];
    if (field_is(field, name) && --index == 0)
      return field;
  }
  return NULL;
}
