#include "common/base/attr.h"

#include <string.h>

#include "common/base/error.h"

typedef struct {
  char *name;
  char *value;
} Attr;

struct Attrs {
  GArray *list; /* of Attr */
};

static void
attr_clear(gpointer p)
{
  Attr *attr = p;
  g_free(attr->name);
  if (attr->value != NULL)
    explicit_bzero(attr->value, strlen(attr->value)); /* tickets hold numbers */
  g_free(attr->value);
}

Attrs *
attrs_new(void)
{
  Attrs *attrs = g_new0(Attrs, 1);
  attrs->list = g_array_new(FALSE, TRUE, sizeof(Attr));
  g_array_set_clear_func(attrs->list, attr_clear);
  return attrs;
}

void
attrs_free(Attrs *attrs)
{
  if (attrs == NULL)
    return;
  g_array_unref(attrs->list);
  g_free(attrs);
}

static gboolean
name_is_valid(const char *name, gsize len)
{
  for (gsize i = 0; i < len; i++)
    if (!g_ascii_isalnum(name[i]) && name[i] != '_' && name[i] != '-')
      return FALSE;
  return len > 0;
}

void
attrs_add(Attrs *attrs, const char *name, const char *value)
{
  g_return_if_fail(name_is_valid(name, strlen(name)));
  g_return_if_fail(value != NULL);
  Attr attr = {g_strdup(name), g_strdup(value)};
  g_array_append_val(attrs->list, attr);
}

void
attrs_add_uint(Attrs *attrs, const char *name, guint64 value)
{
  g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, value);
  attrs_add(attrs, name, text);
}

const char *
attrs_get(const Attrs *attrs, const char *name)
{
  for (guint i = 0; i < attrs->list->len; i++) {
    const Attr *attr = &g_array_index(attrs->list, Attr, i);
    if (strcmp(attr->name, name) == 0)
      return attr->value;
  }
  return NULL;
}

gboolean
attrs_get_uint(const Attrs *attrs, const char *name, guint64 min, guint64 max, guint64 *out,
               GError **error)
{
  const char *value = attrs_get(attrs, name);
  if (value == NULL || !g_ascii_string_to_unsigned(value, 10, min, max, out, NULL)) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID,
                "attribute %s: a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
                " is expected",
                name, min, max);
    return FALSE;
  }
  return TRUE;
}

guint
attrs_count(const Attrs *attrs)
{
  return attrs->list->len;
}

void
attrs_nth(const Attrs *attrs, guint i, const char **name, const char **value)
{
  const Attr *attr = &g_array_index(attrs->list, Attr, i);
  *name = attr->name;
  *value = attr->value;
}

static void
append_value(GString *text, const char *value, AttrCoding coding)
{
  for (const char *p = value; *p != '\0'; p++) {
    guchar c = (guchar) *p;
    if (coding == ATTR_ESCAPED && (c < 0x20 || c == 0x7f || c == '%'))
      g_string_append_printf(text, "%%%02X", c);
    else if (c != '\n') /* a plain value cannot hold a line end */
      g_string_append_c(text, *p);
  }
}

char *
attrs_format(const Attrs *attrs, AttrCoding coding)
{
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < attrs->list->len; i++) {
    const Attr *attr = &g_array_index(attrs->list, Attr, i);
    g_string_append_printf(text, "%s=", attr->name);
    append_value(text, attr->value, coding);
    g_string_append_c(text, '\n');
  }
  g_string_append_c(text, '\n');
  return g_string_free(text, FALSE);
}

/* The value of LEN bytes at BYTES without its escapes, or NULL when one is bad. */
static char *
unescape_value(const char *bytes, gsize len)
{
  g_autoptr(GString) text = g_string_sized_new(len);
  for (gsize i = 0; i < len; i++) {
    if (bytes[i] != '%') {
      g_string_append_c(text, bytes[i]);
      continue;
    }
    if (len - i < 3 || !g_ascii_isxdigit(bytes[i + 1]) || !g_ascii_isxdigit(bytes[i + 2]))
      return NULL;
    int c = g_ascii_xdigit_value(bytes[i + 1]) * 16 + g_ascii_xdigit_value(bytes[i + 2]);
    if (c == 0)
      return NULL;
    g_string_append_c(text, (char) c);
    i += 2;
  }
  return g_string_free(g_steal_pointer(&text), FALSE);
}

static gboolean
parse_line(Attrs *attrs, const char *line, gsize len, AttrCoding coding, GError **error)
{
  const char *equals = memchr(line, '=', len);
  if (equals == NULL || !name_is_valid(line, (gsize) (equals - line)) ||
      memchr(line, '\0', len) != NULL) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "attribute %u: no name=value",
                attrs->list->len + 1);
    return FALSE;
  }
  const char *start = equals + 1;
  gsize value_len = len - (gsize) (start - line);
  Attr attr = {NULL, NULL};
  attr.value = coding == ATTR_ESCAPED ? unescape_value(start, value_len)
                                      : g_strndup(start, value_len);
  if (attr.value == NULL) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "attribute %u: bad escape",
                attrs->list->len + 1);
    return FALSE;
  }
  attr.name = g_strndup(line, (gsize) (equals - line));
  g_array_append_val(attrs->list, attr);
  return TRUE;
}

Attrs *
attrs_parse(const char *bytes, gsize len, AttrCoding coding, GError **error)
{
  g_autoptr(Attrs) attrs = attrs_new();
  if (len > ATTR_BLOCK_MAX_BYTES) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT, "the block is too large");
    return NULL;
  }
  const char *end = bytes + len;
  for (const char *line = bytes; line < end;) {
    const char *newline = memchr(line, '\n', (gsize) (end - line));
    const char *stop = newline != NULL ? newline : end;
    if (stop == line)
      break; /* the empty line */
    if (attrs->list->len == ATTR_MAX_COUNT) {
      g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT, "too many attributes");
      return NULL;
    }
    if (!parse_line(attrs, line, (gsize) (stop - line), coding, error))
      return NULL;
    line = stop + 1;
  }
  return g_steal_pointer(&attrs);
}

gsize
attrs_block_length(const char *bytes, gsize len)
{
  if (len > 0 && bytes[0] == '\n')
    return 1;
  const char *end = memmem(bytes, len, "\n\n", 2);
  return end == NULL ? 0 : (gsize) (end - bytes) + 2;
}
