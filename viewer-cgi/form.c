#include "viewer-cgi/form.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/secret.h"

#define MAX_FIELDS 32

typedef struct {
  char *name;
  char *value;
} Field;

struct Form {
  GArray *fields; /* of Field */
};

static void
field_clear(gpointer p)
{
  Field *field = p;
  g_free(field->name);
  if (field->value != NULL)
    secret_wipe(field->value, strlen(field->value)); /* access codes come this way */
  g_free(field->value);
}

void
form_free(Form *form)
{
  if (form == NULL)
    return;
  g_array_unref(form->fields);
  g_free(form);
}

const char *
form_get(const Form *form, const char *name)
{
  for (guint i = 0; form != NULL && i < form->fields->len; i++) {
    const Field *field = &g_array_index(form->fields, Field, i);
    if (strcmp(field->name, name) == 0)
      return field->value;
  }
  return NULL;
}

/* LEN bytes at BYTES decoded into a new string; NULL when they are no such text. */
static char *
decode(const char *bytes, gsize len)
{
  g_autofree char *plain = g_malloc(len + 1);
  gsize n = 0;
  for (gsize i = 0; i < len; i++) {
    char c = bytes[i];
    if (c == '+') {
      c = ' ';
    } else if (c == '%') {
      if (len - i < 3 || !g_ascii_isxdigit(bytes[i + 1]) || !g_ascii_isxdigit(bytes[i + 2]))
        break;
      c = (char) (g_ascii_xdigit_value(bytes[i + 1]) * 16 +
                  g_ascii_xdigit_value(bytes[i + 2]));
      i += 2;
    }
    plain[n++] = c;
    if (i + 1 == len && g_utf8_validate_len(plain, n, NULL)) {
      plain[n] = '\0';
      return g_steal_pointer(&plain);
    }
  }
  secret_wipe(plain, n);
  return len == 0 ? g_strdup("") : NULL;
}

static gboolean
parse_field(Form *form, const char *bytes, gsize len, GError **error)
{
  const char *equals = memchr(bytes, '=', len);
  gsize name_len = equals != NULL ? (gsize) (equals - bytes) : len;
  Field field = {NULL, NULL};
  field.name = decode(bytes, name_len);
  field.value = equals != NULL ? decode(equals + 1, len - name_len - 1) : g_strdup("");
  if (field.name == NULL || field.value == NULL || form_get(form, field.name) != NULL) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "field %u of the form is bad",
                form->fields->len + 1);
    field_clear(&field);
    return FALSE;
  }
  g_array_append_val(form->fields, field);
  return TRUE;
}

Form *
form_new(void)
{
  Form *form = g_new0(Form, 1);
  form->fields = g_array_new(FALSE, TRUE, sizeof(Field));
  g_array_set_clear_func(form->fields, field_clear);
  return form;
}

gboolean
form_add(Form *form, const char *name, const char *value, gsize len)
{
  if (form->fields->len == MAX_FIELDS || form_get(form, name) != NULL ||
      (len > 0 && memchr(value, '\0', len) != NULL))
    return FALSE;
  const Field field = {g_strdup(name), g_strndup(value, len)};
  g_array_append_val(form->fields, field);
  return TRUE;
}

Form *
form_parse(const char *bytes, gsize len, GError **error)
{
  g_autoptr(Form) form = form_new();
  const char *end = bytes + len;
  for (const char *start = bytes; start < end;) {
    const char *stop = memchr(start, '&', (gsize) (end - start));
    if (stop == NULL)
      stop = end;
    if (len > FORM_MAX_BYTES || form->fields->len == MAX_FIELDS) {
      g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT, "the form is too large");
      return NULL;
    }
    if (stop > start && !parse_field(form, start, (gsize) (stop - start), error))
      return NULL;
    start = stop + 1;
  }
  return g_steal_pointer(&form);
}
