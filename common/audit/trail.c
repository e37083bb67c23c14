/*
 * Reading: which records may fit is looked up by an index, then each is read by itself and
 * looked at. No transaction stays open while a caller writes to somebody's terminal.
 */
#include "common/audit/trail.h"

#include <string.h>

#include "common/audit/internal.h"
#include "common/base/error.h"

struct Trail {
  Db *db;
  GPtrArray *keys; /* of TrailKey, or NULL */
};

Trail *
trail_open(const char *path, const KeyRing *keys, GError **error)
{
  g_autoptr(Trail) trail = g_new0(Trail, 1);
  trail->db = trail_open_db(path, DB_READER, error);
  if (trail->db == NULL)
    return NULL;
  if (keys != NULL && (trail->keys = trail_keys_new(keys, error)) == NULL)
    return NULL;
  return g_steal_pointer(&trail);
}

void
trail_close(Trail *trail)
{
  if (trail == NULL)
    return;
  db_close(trail->db);
  if (trail->keys != NULL)
    g_ptr_array_unref(trail->keys);
  g_free(trail);
}

/* ---- Which records may fit ---- */

/* Adds the numbers that SQL gives. */
static gboolean
add_numbers(Trail *trail, GArray *numbers, const char *sql, const DbValue *values,
            gsize count, GError **error)
{
  g_autoptr(Query) query = db_query(trail->db, sql, values, count, error);
  int step = query != NULL ? 1 : -1;
  while (step > 0 && (step = query_step(query, error)) > 0) {
    gint64 number = query_int(query, 0);
    g_array_append_val(numbers, number);
  }
  return step == 0;
}

/* Those that name VALUE, whichever key they were written under. */
static gboolean
add_mentions(Trail *trail, GArray *numbers, MentionKind kind, const char *value,
             GError **error)
{
  static const char sql[] = "SELECT record FROM mention WHERE value = ?1";
  if (trail->keys == NULL) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_KEY_UNKNOWN,
                        "who and what a record names can only be looked up with the key");
    return FALSE;
  }
  for (guint i = 0; i < trail->keys->len; i++) {
    guint8 mention[TRAIL_MENTION_BYTES];
    if (!mention_format(g_ptr_array_index(trail->keys, i), kind, value, mention, error) ||
        !add_numbers(trail, numbers, sql, DB_VALUES(V_BLOB(mention, sizeof mention)),
                     error))
      return FALSE;
  }
  return TRUE;
}

static gint64
until_us(const TrailQuery *query)
{
  return query->until_us != 0 ? query->until_us : G_MAXINT64;
}

static gboolean
has_time(const TrailQuery *query)
{
  return query->from_us != 0 || query->until_us != 0;
}

/* The numbers of records that may fit, by the narrowest index. */
static gboolean
find_numbers(Trail *trail, const TrailQuery *query, GArray *numbers, GError **error)
{
  static const char by_reference[] = "SELECT number FROM record WHERE reference = ?1";
  static const char by_queue_id[] = "SELECT number FROM record WHERE queue_id = ?1";
  static const char by_organisation[] = "SELECT number FROM record WHERE organisation = ?3"
                                        " AND at_us >= ?1 AND at_us < ?2";
  static const char by_event[] = "SELECT number FROM record WHERE event = ?3"
                                 " AND at_us >= ?1 AND at_us < ?2";
  static const char by_time[] =
      "SELECT number FROM record WHERE at_us >= ?1 AND at_us < ?2";
  if (query->reference != NULL)
    return add_numbers(trail, numbers, by_reference, DB_VALUES(V_TEXT(query->reference)),
                       error);
  if (query->queue_id != NULL)
    return add_numbers(trail, numbers, by_queue_id, DB_VALUES(V_TEXT(query->queue_id)),
                       error);
  if (query->message_id != NULL)
    return add_mentions(trail, numbers, MENTION_MESSAGE, query->message_id, error);
  if (query->person != NULL)
    return add_mentions(trail, numbers, MENTION_PERSON, query->person, error);
  const char *name = query->event != NULL ? query->event : query->organisation;
  const char *sql = query->event != NULL ? by_event : by_organisation;
  if (name == NULL)
    sql = by_time;
  const DbValue values[] = {V_INT(query->from_us), V_INT(until_us(query)), V_TEXT(name)};
  return add_numbers(trail, numbers, sql, values, name != NULL ? 3 : 2, error);
}

/* Whether QUERY leaves nothing but to look at each record. */
static gboolean
is_broad(const TrailQuery *query)
{
  return query->reference == NULL && query->queue_id == NULL && query->message_id == NULL &&
         query->person == NULL && query->event == NULL && query->organisation == NULL &&
         !has_time(query);
}

static int
compare_numbers(gconstpointer a, gconstpointer b)
{
  gint64 left = *(const gint64 *) a, right = *(const gint64 *) b;
  return (left > right) - (left < right);
}

/* ---- One record ---- */

static gboolean
field_is(const Field *field, const char *text)
{
  return text == NULL || (field->bytes != NULL && strlen(text) == field->len &&
                          memcmp(field->bytes, text, field->len) == 0);
}

/* Whether ROW fits, as far as can be said without what is sealed. */
static gboolean
row_fits(const Row *row, const TrailQuery *query)
{
  return row->number > 0 && (guint64) row->number > query->after &&
         row->at_us >= query->from_us && row->at_us < until_us(query) &&
         (query->nta == NTA_NONE || row->nta == (gint64) query->nta) &&
         field_is(&row->fields[FIELD_ORGANISATION], query->organisation) &&
         field_is(&row->fields[FIELD_EVENT], query->event) &&
         field_is(&row->fields[FIELD_REFERENCE], query->reference) &&
         field_is(&row->fields[FIELD_QUEUE_ID], query->queue_id);
}

static gboolean
attrs_mention(const Attrs *attrs, MentionKind kind, const char *value)
{
  for (guint i = 0; value != NULL && i < attrs_count(attrs); i++) {
    const char *key = NULL, *there = NULL;
    attrs_nth(attrs, i, &key, &there);
    if (mention_kind(key) == kind && mention_equal(kind, there, value))
      return TRUE;
  }
  return value == NULL;
}

/* What of ROW is sealed, or NULL without an error when there is nothing to be opened. */
static GArray *
open_values(Trail *trail, const Row *row, const Attrs *text, GError **error)
{
  const Field *sealed = &row->fields[FIELD_SEALED];
  if (trail->keys == NULL || sealed->bytes == NULL)
    return NULL;
  const TrailKey *key = trail_keys_need(trail->keys, (guint32) row->key, error);
  g_autoptr(GArray) values =
      key != NULL ? values_open(key, (guint64) row->number, sealed, error) : NULL;
  if (values == NULL)
    g_prefix_error(error, "record %" G_GINT64_FORMAT ": ", row->number);
  else if (!values_match(values, text)) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED,
                "record %" G_GINT64_FORMAT ": a value is not what was recorded",
                row->number);
    return NULL;
  }
  return g_steal_pointer(&values);
}

/* The attributes of the event in TEXT, with VALUES (may be NULL) where they belong. *GONE
 * gets how many have no value. */
static Attrs *
fill_in(const Attrs *text, const GArray *values, guint *gone)
{
  Attrs *attrs = attrs_new();
  guint used = 0;
  for (guint i = 1; i < attrs_count(text); i++) { /* the first is the record's number */
    const char *key = NULL, *value = NULL;
    attrs_nth(text, i, &key, &value);
    if (commitment_is(value)) {
      const SealedValue *sealed = values != NULL && used < values->len
                                      ? &g_array_index(values, SealedValue, used)
                                      : NULL;
      gboolean there = sealed != NULL && sealed->position == i;
      value = there ? sealed->value : "";
      used += there ? 1 : 0;
      *gone += there ? 0 : 1;
    }
    attrs_add(attrs, key, value);
  }
  return attrs;
}

/* What is wanted, and how much of it there was. */
typedef struct {
  Trail *trail;
  const TrailQuery *query;
  TrailFunc func;
  gpointer data;
  guint found;
} Reading;

static gboolean
show_row(Reading *reading, const Row *row, GError **error)
{
  const TrailQuery *query = reading->query;
  const Field *bytes = &row->fields[FIELD_TEXT];
  GError *problem = NULL;
  guint gone = 0;
  if (!row_fits(row, query))
    return TRUE;
  g_autoptr(Attrs) text = attrs_parse(bytes->bytes, bytes->len, ATTR_ESCAPED, NULL);
  if (text == NULL) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED,
                "record %" G_GINT64_FORMAT " is damaged", row->number);
    return FALSE;
  }
  g_autoptr(GArray) values = open_values(reading->trail, row, text, &problem);
  if (problem != NULL) {
    g_propagate_error(error, problem);
    return FALSE;
  }
  g_autoptr(Attrs) attrs = fill_in(text, values, &gone);
  if (!attrs_mention(attrs, MENTION_PERSON, query->person) ||
      !attrs_mention(attrs, MENTION_MESSAGE, query->message_id))
    return TRUE;
  TrailRecord record = {.number = (guint64) row->number, .at_us = row->at_us};
  record.attrs = attrs;
  record.erased = gone > 0 && (values != NULL || row->fields[FIELD_SEALED].bytes == NULL);
  reading->found++;
  return reading->func(&record, reading->data, error);
}

static gboolean
is_full(const Reading *reading)
{
  return reading->query->limit > 0 && reading->found >= reading->query->limit;
}

/* Reads the row that SQL gives for NUMBER: 1, or 0 when there is none, or -1. */
static int
read_row(Trail *trail, const char *sql, gint64 number, Row *row, GError **error)
{
  g_autoptr(Query) query = db_query(trail->db, sql, DB_VALUES(V_INT(number)), error);
  int step = query != NULL ? query_step(query, error) : -1;
  if (step > 0)
    row_read(query, row);
  return step;
}

/* Looks at each record. */
static gboolean
read_all(Reading *reading, GError **error)
{
  static const char up[] =
      "SELECT " ROW_COLUMNS " FROM record WHERE number > ?1 ORDER BY number LIMIT 1";
  static const char down[] =
      "SELECT " ROW_COLUMNS " FROM record WHERE number < ?1 ORDER BY number DESC LIMIT 1";
  gboolean newest_first = reading->query->newest_first;
  gint64 at = newest_first ? G_MAXINT64 : (gint64) reading->query->after;
  while (!is_full(reading)) {
    g_auto(Row) row = {.block = NULL};
    int step = read_row(reading->trail, newest_first ? down : up, at, &row, error);
    if (step <= 0 || (guint64) row.number <= reading->query->after)
      return step >= 0;
    if (!show_row(reading, &row, error))
      return FALSE;
    at = row.number;
  }
  return TRUE;
}

/* Looks at those with NUMBERS, which are in order. */
static gboolean
read_numbers(Reading *reading, const GArray *numbers, GError **error)
{
  static const char sql[] = "SELECT " ROW_COLUMNS " FROM record WHERE number = ?1";
  for (guint i = 0; i < numbers->len && !is_full(reading); i++) {
    g_auto(Row) row = {.block = NULL};
    guint place = reading->query->newest_first ? numbers->len - 1 - i : i;
    int step =
        read_row(reading->trail, sql, g_array_index(numbers, gint64, place), &row, error);
    if (step < 0 || (step > 0 && !show_row(reading, &row, error)))
      return FALSE;
  }
  return TRUE;
}

gboolean
trail_each(Trail *trail, const TrailQuery *query, TrailFunc func, gpointer data,
           GError **error)
{
  Reading reading = {trail, query, func, data, 0};
  if (is_broad(query))
    return read_all(&reading, error);
  g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(gint64));
  if (!find_numbers(trail, query, numbers, error))
    return FALSE;
  g_array_sort(numbers, compare_numbers);
  return read_numbers(&reading, numbers, error);
}

/* ---- How it stands ---- */

/* The number that SQL gives for VALUES into *NUMBER, 0 for none. */
static gboolean
read_number(Trail *trail, const char *sql, const DbValue *values, gsize count,
            gint64 *number, GError **error)
{
  g_autoptr(Query) query = db_query(trail->db, sql, values, count, error);
  int step = query != NULL ? query_step(query, error) : -1;
  *number = step > 0 ? query_int(query, 0) : 0;
  return step >= 0;
}

static gboolean
read_checkpoint(Trail *trail, gint64 *at_s, GError **error)
{
  static const char sql[] = "SELECT text FROM checkpoint ORDER BY count DESC LIMIT 1";
  Checkpoint checkpoint = {.at_s = 0};
  g_autoptr(Query) query = db_query(trail->db, sql, DB_NO_VALUES, error);
  int step = query != NULL ? query_step(query, error) : -1;
  const char *text = step > 0 ? query_text(query, 0) : NULL;
  if (text != NULL && !checkpoint_parse(text, &checkpoint, error))
    return FALSE;
  *at_s = checkpoint.at_s;
  return step >= 0;
}

gboolean
trail_status(Trail *trail, gint64 since_us, TrailStatus *status, GError **error)
{
  static const char last_sql[] = "SELECT max(number) FROM record";
  static const char count_sql[] =
      "SELECT count(*) FROM record WHERE event = ?1 AND at_us >= ?2";
  gint64 number = 0;
  if (!read_number(trail, last_sql, DB_NO_VALUES, &number, error) ||
      !read_checkpoint(trail, &status->checkpoint_s, error))
    return FALSE;
  status->last = (guint64) number;
  for (guint i = 0; i < EVENT_COUNT; i++) {
    const char *name = event_facts((EventKind) i)->name;
    if (!read_number(trail, count_sql, DB_VALUES(V_TEXT(name), V_INT(since_us)), &number,
                     error))
      return FALSE;
    status->counts[i] = (guint64) number;
  }
  return TRUE;
}
