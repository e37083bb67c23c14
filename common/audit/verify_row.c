/*
 * One record by itself. Everything beside its text follows from the text, or from what the
 * text commits to, so nothing beside it can change without being seen.
 */
#include <string.h>

#include "common/audit/internal.h"
#include "common/base/error.h"

static gboolean
bad(const char *what, GError **error)
{
  g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED, what);
  return FALSE;
}

static gboolean
field_equal(const Field *field, const char *text)
{
  if (text == NULL || field->bytes == NULL)
    return text == NULL && field->bytes == NULL;
  return strlen(text) == field->len && memcmp(text, field->bytes, field->len) == 0;
}

/* Whether ATTRS begin with the number of ROW. */
static gboolean
number_is(const Attrs *attrs, const Row *row)
{
  const char *key = NULL, *value = NULL;
  g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, row->number);
  if (attrs_count(attrs) == 0)
    return FALSE;
  attrs_nth(attrs, 0, &key, &value);
  return strcmp(key, "record") == 0 && strcmp(value, number) == 0;
}

static gboolean
columns_are(const Attrs *attrs, const Row *row)
{
  Columns columns;
  const Field *id = &row->fields[FIELD_ID];
  return columns_parse(attrs, &columns) && columns.at_us == row->at_us &&
         columns.nta == row->nta && id->len == sizeof columns.id &&
         memcmp(id->bytes, columns.id, sizeof columns.id) == 0 &&
         field_equal(&row->fields[FIELD_ORGANISATION], columns.organisation) &&
         field_equal(&row->fields[FIELD_EVENT], columns.event) &&
         field_equal(&row->fields[FIELD_QUEUE_ID], columns.queue_id) &&
         field_equal(&row->fields[FIELD_REFERENCE], columns.reference);
}

/* Notes the commitments of ATTRS that none of VALUES (NULL: there are none) stands for.
 * Returns how many commitments there are. */
static guint
find_missing(const Attrs *attrs, const Row *row, const GArray *values, GArray *missing)
{
  guint count = 0, used = 0;
  for (guint i = 1; i < attrs_count(attrs); i++) {
    const char *key = NULL, *value = NULL;
    attrs_nth(attrs, i, &key, &value);
    if (!commitment_is(value))
      continue;
    count++;
    if (values != NULL && used < values->len &&
        g_array_index(values, SealedValue, used).position == i) {
      used++;
      continue;
    }
    const Place place = {row->number, i};
    g_array_append_val(missing, place);
  }
  return count;
}

static int
compare_mentions(gconstpointer a, gconstpointer b)
{
  return memcmp(((const Mention *) a)->value, ((const Mention *) b)->value,
                TRAIL_MENTION_BYTES);
}

/* What must be found by VALUES: an array of Mention, in order, each once. */
static GArray *
expected_mentions(const TrailKey *key, const Attrs *attrs, const GArray *values,
                  GError **error)
{
  g_autoptr(GArray) mentions = g_array_new(FALSE, TRUE, sizeof(Mention));
  for (guint i = 0; i < values->len; i++) {
    const SealedValue *value = &g_array_index(values, SealedValue, i);
    const char *name = NULL, *stands = NULL;
    Mention mention = {.len = TRAIL_MENTION_BYTES};
    attrs_nth(attrs, value->position, &name, &stands);
    MentionKind kind = mention_kind(name);
    if (kind == MENTION_NONE)
      continue;
    if (!mention_format(key, kind, value->value, mention.value, error))
      return NULL;
    g_array_append_val(mentions, mention);
  }
  g_array_sort(mentions, compare_mentions);
  for (guint i = 1; i < mentions->len;)
    if (compare_mentions(&g_array_index(mentions, Mention, i - 1),
                         &g_array_index(mentions, Mention, i)) == 0)
      g_array_remove_index(mentions, i);
    else
      i++;
  return g_steal_pointer(&mentions);
}

static gboolean
mentions_check(const TrailKey *key, const Attrs *attrs, const GArray *values,
               const Mention *mentions, gsize count, GError **error)
{
  g_autoptr(GArray) expected = expected_mentions(key, attrs, values, error);
  if (expected == NULL)
    return FALSE;
  gboolean same = expected->len == count;
  for (gsize i = 0; same && i < count; i++) {
    const Mention *mention = &g_array_index(expected, Mention, i);
    same = mentions[i].len == mention->len && compare_mentions(&mentions[i], mention) == 0;
  }
  return same || bad("by which persons it is found is not as it was recorded", error);
}

static gboolean
mac_check(const TrailKey *key, const guint8 *hash, const Row *row, GError **error)
{
  guint8 mac[CRYPT_SHA256_BYTES];
  const Field *field = &row->fields[FIELD_MAC];
  if (!chain_mac(key, hash, mac, error))
    return FALSE;
  return (field->len == sizeof mac && crypt_equal(field->bytes, mac, sizeof mac)) ||
         bad("it is not what was recorded, or not in its place (MAC)", error);
}

/* With the key: whether what is sealed in ROW is what ATTRS commit to. */
static gboolean
sealed_check(const TrailKey *key, const Row *row, const Attrs *attrs,
             const Mention *mentions, gsize count, GArray *missing, GError **error)
{
  const Field *sealed = &row->fields[FIELD_SEALED];
  g_autoptr(GError) problem = NULL;
  g_autoptr(GArray) values = sealed->bytes != NULL
                                 ? values_open(key, (guint64) row->number, sealed, &problem)
                                 : values_new();
  if (values == NULL && problem->code != ZEGEL_ERROR_FORGED) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
  }
  if (values == NULL || !values_match(values, attrs))
    return bad("its sealed values are not what was recorded", error);
  find_missing(attrs, row, values, missing);
  return mentions_check(key, attrs, values, mentions, count, error);
}

gboolean
row_check(const TrailKey *key, const guint8 hash[CRYPT_SHA256_BYTES], const Row *row,
          const Mention *mentions, gsize count, GArray *missing, GError **error)
{
  const Field *text = &row->fields[FIELD_TEXT];
  if (key != NULL && !mac_check(key, hash, row, error))
    return FALSE;
  g_autoptr(Attrs) attrs =
      text->bytes != NULL ? attrs_parse(text->bytes, text->len, ATTR_ESCAPED, NULL) : NULL;
  if (attrs == NULL || !number_is(attrs, row))
    return bad("its text is not what was recorded", error);
  if (!columns_are(attrs, row))
    return bad("what it is found by is not what was recorded", error);
  if (key != NULL)
    return sealed_check(key, row, attrs, mentions, count, missing, error);
  if (row->fields[FIELD_SEALED].bytes == NULL)
    find_missing(attrs, row, NULL, missing);
  return TRUE;
}
