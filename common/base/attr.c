#include "common/base/attr.h"

#include <string.h>

#include "common/base/error.h"

#define FORMAT_BYTES 512 /* of most blocks */
#define FIRST_ROOM   16  /* attributes; enough for a question with one recipient */

/* The texts stand in OWNED, or in the block that was parsed. */
typedef struct {
  const char *name;
  const char *value;
  char *owned;
} Attr;

struct Attrs {
  GArray *list; /* of Attr */
  char *block;  /* that was parsed, or NULL: name, NUL, value, NUL, ... */
  gsize block_len;
};

static void
attr_clear(gpointer p)
{
  Attr *attr = p;
  if (attr->owned != NULL)
    explicit_bzero((char *) attr->value, strlen(attr->value)); /* tickets hold numbers */
  g_free(attr->owned);
}

Attrs *
attrs_new(void)
{
  Attrs *attrs = g_new0(Attrs, 1);
  attrs->list = g_array_sized_new(FALSE, TRUE, sizeof(Attr), FIRST_ROOM);
  g_array_set_clear_func(attrs->list, attr_clear);
  return attrs;
}

void
attrs_free(Attrs *attrs)
{
  if (attrs == NULL)
    return;
  g_array_unref(attrs->list);
  if (attrs->block != NULL)
    explicit_bzero(attrs->block, attrs->block_len);
  g_free(attrs->block);
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
  gsize name_size = strlen(name) + 1, value_size = strlen(value) + 1;
  char *owned = g_malloc(name_size + value_size);
  memcpy(owned, name, name_size);
  memcpy(owned + name_size, value, value_size);
  Attr attr = {owned, owned + name_size, owned};
  g_array_append_val(attrs->list, attr);
}

void
attrs_add_uint(Attrs *attrs, const char *name, guint64 value)
{
  char text[sizeof "18446744073709551615"];
  char *p = text + sizeof text - 1;
  *p = '\0';
  do
    *--p = (char) ('0' + value % 10);
  while ((value /= 10) > 0);
  attrs_add(attrs, name, p);
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

/* Whether C of a value cannot be written as it is. The end of a value can never. */
static gboolean
is_special(char c, AttrCoding coding)
{
  if (coding == ATTR_PLAIN)
    return c == '\0' || c == '\n';
  return (guchar) c < 0x20 || c == 0x7f || c == '%';
}

static void
append_value(GString *text, const char *value, AttrCoding coding)
{
  for (;;) {
    gsize len = 0;
    while (!is_special(value[len], coding))
      len++;
    g_string_append_len(text, value, (gssize) len);
    if (value[len] == '\0')
      return;
    if (coding == ATTR_ESCAPED) /* a plain value cannot hold a line end */
      g_string_append_printf(text, "%%%02X", (guchar) value[len]);
    value += len + 1;
  }
}

char *
attrs_format(const Attrs *attrs, AttrCoding coding)
{
  GString *text = g_string_sized_new(FORMAT_BYTES);
  for (guint i = 0; i < attrs->list->len; i++) {
    const Attr *attr = &g_array_index(attrs->list, Attr, i);
    g_string_append(text, attr->name);
    g_string_append_c(text, '=');
    append_value(text, attr->value, coding);
    g_string_append_c(text, '\n');
  }
  g_string_append_c(text, '\n');
  return g_string_free(text, FALSE);
}

/* Takes the escapes out of the LEN bytes at TEXT, which end in a NUL then. FALSE: one is
 * bad. */
static gboolean
unescape_value(char *text, gsize len)
{
  char *out = memchr(text, '%', len);
  if (out == NULL)
    return TRUE;
  for (const char *p = out, *end = text + len; p < end; p++) {
    if (*p != '%') {
      *out++ = *p;
      continue;
    }
    if (end - p < 3 || !g_ascii_isxdigit(p[1]) || !g_ascii_isxdigit(p[2]))
      return FALSE;
    *out = (char) (g_ascii_xdigit_value(p[1]) * 16 + g_ascii_xdigit_value(p[2]));
    if (*out++ == '\0')
      return FALSE;
    p += 2;
  }
  *out = '\0';
  return TRUE;
}

/* The line of LEN bytes at LINE, in the block, becomes an attribute. */
static gboolean
parse_line(Attrs *attrs, char *line, gsize len, AttrCoding coding, GError **error)
{
  char *equals = memchr(line, '=', len);
  if (equals == NULL || !name_is_valid(line, (gsize) (equals - line)) ||
      memchr(line, '\0', len) != NULL) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "attribute %u: no name=value",
                attrs->list->len + 1);
    return FALSE;
  }
  char *value = equals + 1;
  line[len] = *equals = '\0';
  if (coding == ATTR_ESCAPED && !unescape_value(value, len - (gsize) (value - line))) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "attribute %u: bad escape",
                attrs->list->len + 1);
    return FALSE;
  }
  Attr attr = {line, value, NULL};
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
  attrs->block = g_malloc(len + 1); /* the last line may have no end */
  attrs->block_len = len;
  memcpy(attrs->block, bytes, len);
  char *end = attrs->block + len;
  for (char *line = attrs->block; line < end;) {
    char *newline = memchr(line, '\n', (gsize) (end - line));
    char *stop = newline != NULL ? newline : end;
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
