/*
 * inspected.c - what a zegel-reader answered. Strangers' bytes may have taken it over: it
 * is believed in nothing but what it says of its own message, and that is checked.
 */
#include <string.h>

#include "common/base/attr.h"
#include "common/base/error.h"
#include "milter/inspect.h"

#define NAME_MAX_BYTES 4096 /* eight forwarded messages deep, 200 octets each, and more */
#define TYPE_MAX_BYTES 255

/* An answer while it is parsed. */
typedef struct {
  Inspected *inspected;
  InspectedPart *part; /* the last that is not only listed, or NULL */
  const char *next;    /* what must follow, or NULL */
  gboolean has_total;
  gboolean has_cut;
  gboolean has_last;
  gboolean is_last;
} Answer;

typedef gboolean (*TakeFunc)(Answer *answer, const char *value);

static void
part_free(gpointer p)
{
  InspectedPart *part = p;
  g_free(part->name);
  g_free(part->type);
  g_free(part);
}

void
inspected_free(Inspected *inspected)
{
  if (inspected == NULL)
    return;
  g_ptr_array_unref(inspected->parts);
  g_free(inspected->unreadable);
  g_free(inspected);
}

/* Whether VALUE is a line of UTF-8 that may stand in a log and a reply. */
static gboolean
is_line(const char *value, gsize max)
{
  gsize len = strlen(value);
  if (len == 0 || len > max || !g_utf8_validate(value, (gssize) len, NULL))
    return FALSE;
  for (const char *p = value; *p != '\0'; p = g_utf8_next_char(p))
    if (g_unichar_iscntrl(g_utf8_get_char(p)))
      return FALSE;
  return TRUE;
}

static InspectedPart *
add_part(Answer *answer, const char *name, gboolean listed)
{
  if (answer->inspected->parts->len >= INSPECT_MAX_NAMES || !is_line(name, NAME_MAX_BYTES))
    return NULL;
  InspectedPart *part = g_new0(InspectedPart, 1);
  part->name = g_strdup(name);
  part->type = g_strdup("");
  part->listed = listed;
  g_ptr_array_add(answer->inspected->parts, part);
  return part;
}

static gboolean
take_name(Answer *answer, const char *value)
{
  answer->part = add_part(answer, value, FALSE);
  answer->next = "type";
  return answer->part != NULL;
}

static gboolean
take_type(Answer *answer, const char *value)
{
  if (!is_line(value, TYPE_MAX_BYTES))
    return FALSE;
  g_free(answer->part->type);
  answer->part->type = g_strdup(value);
  answer->next = "size";
  return TRUE;
}

static gboolean
take_size(Answer *answer, const char *value)
{
  answer->next = "sha256";
  return g_ascii_string_to_unsigned(value, 10, 0, G_MAXUINT32, &answer->part->size, NULL);
}

static gboolean
take_sha256(Answer *answer, const char *value)
{
  if (strlen(value) != 2 * INSPECT_SHA256_BYTES)
    return FALSE;
  for (gsize i = 0; i < INSPECT_SHA256_BYTES; i++) {
    gint high = g_ascii_xdigit_value(value[2 * i]);
    gint low = g_ascii_xdigit_value(value[2 * i + 1]);
    if (high < 0 || low < 0)
      return FALSE;
    answer->part->sha256[i] = (guint8) (high << 4 | low);
  }
  answer->next = NULL;
  return TRUE;
}

/* In or of the attachment before it. */
static gboolean
take_listed(Answer *answer, const char *value)
{
  return answer->part != NULL && add_part(answer, value, TRUE) != NULL;
}

/* Of no attachment, so that none has to stand before it. */
static gboolean
take_text(Answer *answer, const char *value)
{
  return add_part(answer, value, TRUE) != NULL;
}

static gboolean
take_unreadable(Answer *answer, const char *value)
{
  if (answer->inspected->unreadable != NULL || !is_line(value, NAME_MAX_BYTES))
    return FALSE;
  answer->inspected->unreadable = g_strdup(value);
  return TRUE;
}

static gboolean
take_total(Answer *answer, const char *value)
{
  gboolean is_first = !answer->has_total;
  answer->has_total = TRUE;
  return is_first && g_ascii_string_to_unsigned(value, 10, 0, G_MAXUINT32,
                                                &answer->inspected->total_bytes, NULL);
}

/* Reads 0 or 1 into *FLAG, once. */
static gboolean
take_flag(const char *value, gboolean *has, gboolean *flag)
{
  gboolean is_first = !*has;
  *has = TRUE;
  *flag = g_str_equal(value, "1");
  return is_first && (*flag || g_str_equal(value, "0"));
}

static gboolean
take_cut(Answer *answer, const char *value)
{
  return take_flag(value, &answer->has_cut, &answer->inspected->cut);
}

static gboolean
take_last(Answer *answer, const char *value)
{
  return take_flag(value, &answer->has_last, &answer->is_last);
}

static const struct {
  const char *name;
  TakeFunc take;
} takes[] = {
    {"name", take_name},     {"type", take_type},    {"size", take_size},
    {"sha256", take_sha256}, {"alias", take_listed}, {"inside", take_listed},
    {"text", take_text},     {"total", take_total},  {"unreadable", take_unreadable},
    {"cut", take_cut},       {"last", take_last},
};

static gboolean
take_attribute(Answer *answer, const char *name, const char *value)
{
  gboolean is_part_of_it =
      g_str_equal(name, "type") || g_str_equal(name, "size") || g_str_equal(name, "sha256");
  if ((answer->next != NULL || is_part_of_it) && g_strcmp0(answer->next, name) != 0)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS(takes); i++)
    if (g_str_equal(takes[i].name, name))
      return takes[i].take(answer, value);
  return FALSE;
}

/* Whether the sizes add up to the total. */
static gboolean
adds_up(const Inspected *inspected)
{
  guint64 sum = 0;
  for (guint i = 0; i < inspected->parts->len; i++) {
    const InspectedPart *part = inspected->parts->pdata[i];
    sum += part->size;
  }
  return sum == inspected->total_bytes;
}

Inspected *
inspected_parse(const char *bytes, gsize len, gboolean *is_last, GError **error)
{
  if (len == 0 || attrs_block_length(bytes, len) != len) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID,
                        "the answer is not one block");
    return NULL;
  }
  g_autoptr(Attrs) attrs = attrs_parse(bytes, len, ATTR_ESCAPED, error);
  if (attrs == NULL)
    return NULL;
  g_autoptr(Inspected) inspected = g_new0(Inspected, 1);
  inspected->parts = g_ptr_array_new_with_free_func(part_free);
  Answer answer = {.inspected = inspected};
  for (guint i = 0; i < attrs_count(attrs); i++) {
    const char *name;
    const char *value;
    attrs_nth(attrs, i, &name, &value);
    if (take_attribute(&answer, name, value))
      continue;
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "attribute %u is senseless",
                i + 1);
    return NULL;
  }
  if (answer.next != NULL || !answer.has_total || !answer.has_cut || !answer.has_last ||
      !adds_up(inspected)) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID,
                        "the answer is not complete");
    return NULL;
  }
  *is_last = answer.is_last;
  return g_steal_pointer(&inspected);
}
