/*
 * What may be taken out of the trail: the values that say something of a person, and the
 * records whose time is over. Both are records themselves.
 */
#include <string.h>

#include "common/audit/internal.h"
#include "common/base/error.h"

/* Places that one record of an erasure names: about 30 KB of text. */
#define PLACES_MAX 2000

/* ---- Erasing ---- */

typedef struct {
  const char *organisation, *person, *who;
  GArray *numbers; /* of the records, in order */
  GString *places; /* NUMBER.POSITION, with ';' between */
  guint place_count;
  guint record_count; /* that PLACES names */
  guint *count;
} EraseJob;

/* Whether each key that the trail was written under is there: a record that cannot be
 * searched would keep what must go. */
static gboolean
keys_are_complete(TrailWriter *writer, GError **error)
{
  static const char sql[] = "SELECT DISTINCT key FROM checkpoint";
  g_autoptr(Query) query = db_query(writer->db, sql, DB_NO_VALUES, error);
  int step = query != NULL ? 1 : -1;
  while (step > 0 && (step = query_step(query, error)) > 0)
    if (trail_keys_need(writer->keys, (guint32) query_int(query, 0), error) == NULL)
      return FALSE;
  return step == 0;
}

/* The records of the organisation that name the person, under KEY. */
static gboolean
find_records(TrailWriter *writer, const TrailKey *key, EraseJob *job, GError **error)
{
  static const char sql[] =
      "SELECT number FROM mention JOIN record ON number = mention.record"
      " WHERE value = ?1 AND organisation = ?2 ORDER BY number";
  guint8 mention[TRAIL_MENTION_BYTES];
  if (!mention_format(key, MENTION_PERSON, job->person, mention, error))
    return FALSE;
  g_autoptr(Query) query = db_query(
      writer->db, sql,
      DB_VALUES(V_BLOB(mention, sizeof mention), V_TEXT(job->organisation)), error);
  int step = query != NULL ? 1 : -1;
  while (step > 0 && (step = query_step(query, error)) > 0) {
    gint64 number = query_int(query, 0);
    g_array_append_val(job->numbers, number);
  }
  return step == 0;
}

static gboolean
read_record(TrailWriter *writer, gint64 number, Row *row, GError **error)
{
  static const char sql[] = "SELECT " ROW_COLUMNS " FROM record WHERE number = ?1";
  g_autoptr(Query) query = db_query(writer->db, sql, DB_VALUES(V_INT(number)), error);
  if (query == NULL || query_step(query, error) != 1)
    return FALSE;
  row_read(query, row);
  return TRUE;
}

/* Whether the value of KEY says something of the person, in a record that names him (as the
 * sender, when FROM_HIM). Who else is named stays, and so does the message of another. */
static gboolean
must_go(const EraseJob *job, const char *key, const char *value, gboolean from_him)
{
  switch (mention_kind(key)) {
  case MENTION_PERSON:
    return mention_equal(MENTION_PERSON, value, job->person);
  case MENTION_MESSAGE:
    return from_him;
  case MENTION_NONE:
    return TRUE;
  }
  return TRUE;
}

static const char *
key_of(const Attrs *text, const SealedValue *value)
{
  const char *key = NULL, *stands = NULL;
  attrs_nth(text, value->position, &key, &stands);
  return key;
}

static gboolean
is_from_him(const EraseJob *job, const Attrs *text, const GArray *values)
{
  for (guint i = 0; i < values->len; i++) {
    const SealedValue *value = &g_array_index(values, SealedValue, i);
    if (strcmp(key_of(text, value), "from") == 0 &&
        mention_equal(MENTION_PERSON, value->value, job->person))
      return TRUE;
  }
  return FALSE;
}

static gboolean
drop_mention(TrailWriter *writer, const TrailKey *key, gint64 number, const char *name,
             const char *value, GError **error)
{
  static const char sql[] = "DELETE FROM mention WHERE record = ?1 AND value = ?2";
  guint8 mention[TRAIL_MENTION_BYTES];
  MentionKind kind = mention_kind(name);
  if (kind == MENTION_NONE)
    return TRUE;
  return mention_format(key, kind, value, mention, error) &&
         db_run(writer->db, sql, DB_VALUES(V_INT(number), V_BLOB(mention, sizeof mention)),
                error);
}

/* Takes out of VALUES what must go, and notes where it stood. */
static gboolean
take_out(TrailWriter *writer, const TrailKey *key, gint64 number, const Attrs *text,
         EraseJob *job, GArray *values, GError **error)
{
  gboolean from_him = is_from_him(job, text, values);
  for (guint i = 0; i < values->len;) {
    const SealedValue *value = &g_array_index(values, SealedValue, i);
    const char *name = key_of(text, value);
    if (!must_go(job, name, value->value, from_him)) {
      i++;
      continue;
    }
    if (!drop_mention(writer, key, number, name, value->value, error))
      return FALSE;
    g_string_append_printf(job->places, "%s%" G_GINT64_FORMAT ".%u",
                           job->places->len > 0 ? ";" : "", number, value->position);
    job->place_count++;
    g_array_remove_index(values, i);
  }
  return TRUE;
}

static gboolean
damaged(gint64 number, GError **error)
{
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED,
              "record %" G_GINT64_FORMAT " is not what was written", number);
  return FALSE;
}

static gboolean
erase_record(TrailWriter *writer, gint64 number, EraseJob *job, GError **error)
{
  static const char sql[] = "UPDATE record SET sealed = ?2 WHERE number = ?1";
  g_auto(Row) row = {.block = NULL};
  if (!read_record(writer, number, &row, error))
    return FALSE;
  const Field *bytes = &row.fields[FIELD_TEXT];
  const TrailKey *key = trail_keys_need(writer->keys, (guint32) row.key, error);
  g_autoptr(Attrs) text = attrs_parse(bytes->bytes, bytes->len, ATTR_ESCAPED, NULL);
  if (key == NULL)
    return FALSE;
  g_autoptr(GArray) values =
      values_open(key, (guint64) number, &row.fields[FIELD_SEALED], error);
  if (values == NULL)
    return FALSE;
  if (text == NULL || !values_match(values, text))
    return damaged(number, error);
  if (!take_out(writer, key, number, text, job, values, error))
    return FALSE;
  g_autoptr(GBytes) sealed =
      values->len > 0 ? values_seal(key, (guint64) number, values, error) : NULL;
  return (values->len == 0 || sealed != NULL) &&
         db_run(writer->db, sql,
                DB_VALUES(V_INT(number), sealed != NULL ? V_BYTES(sealed) : V_NULL), error);
}

/* Records what was erased up to now. */
static gboolean
note_places(TrailWriter *writer, EraseJob *job, GError **error)
{
  if (job->record_count == 0)
    return TRUE;
  g_autofree char *count = g_strdup_printf("%u", job->record_count);
  Event *event = event_new(EVENT_AUDIT_ERASED, NULL, job->organisation, "count", count,
                           "by", job->who, NULL);
  if (!writer_add_own(writer, event, job->places->str, error))
    return FALSE;
  g_string_truncate(job->places, 0);
  job->place_count = job->record_count = 0;
  return TRUE;
}

static gboolean
erase(TrailWriter *writer, gpointer data, GError **error)
{
  EraseJob *job = data;
  if (!keys_are_complete(writer, error))
    return FALSE;
  for (guint i = 0; i < writer->keys->len; i++)
    if (!find_records(writer, g_ptr_array_index(writer->keys, i), job, error))
      return FALSE;
  for (guint i = 0; i < job->numbers->len; i++) {
    if (!erase_record(writer, g_array_index(job->numbers, gint64, i), job, error))
      return FALSE;
    job->record_count++;
    if (job->place_count >= PLACES_MAX && !note_places(writer, job, error))
      return FALSE;
  }
  *job->count = job->numbers->len;
  return note_places(writer, job, error);
}

/* The log still has the pages of before: away with them, as soon as nobody reads them. */
static void
empty_log(TrailWriter *writer)
{
  db_checkpoint(writer->db, DB_CHECKPOINT_TRUNCATE, NULL);
}

gboolean
trail_writer_erase(TrailWriter *writer, const char *organisation, const char *person,
                   const char *who, guint *count, GError **error)
{
  g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(gint64));
  g_autoptr(GString) places = g_string_new("");
  EraseJob job = {.organisation = organisation, .person = person, .who = who};
  job.numbers = numbers;
  job.places = places;
  job.count = count;
  *count = 0;
  if (!trail_writer_run(writer, erase, &job, error))
    return FALSE;
  empty_log(writer);
  return TRUE;
}

/* ---- Expiry ---- */

typedef struct {
  gint64 before_us;
  guint *count;
} ExpireJob;

/*
 * The last record that can go, into *THROUGH; 0: none. What a checkpoint of before
 * JOB->before_us covers had happened by then. The first one that is younger ends it,
 * whatever those behind it say: a clock that was wrong for a while makes records stay, not
 * go. Of two checkpoints at the change of a key that of the new one counts.
 */
static gboolean
find_through(TrailWriter *writer, const ExpireJob *job, gint64 *through, GError **error)
{
  static const char sql[] =
      "SELECT count, checkpoint.text, record.key = checkpoint.key FROM checkpoint"
      " LEFT JOIN record ON number = count"
      " WHERE count > (SELECT min(count) FROM checkpoint) ORDER BY count, checkpoint.key";
  Checkpoint checkpoint;
  g_autoptr(Query) query = db_query(writer->db, sql, DB_NO_VALUES, error);
  int step = query != NULL ? 1 : -1;
  *through = 0;
  while (step > 0 && (step = query_step(query, error)) > 0) {
    const char *text = query_text(query, 1);
    if (text == NULL || !checkpoint_parse(text, &checkpoint, NULL))
      return damaged(query_int(query, 0), error);
    if (checkpoint.at_s >= job->before_us / G_USEC_PER_SEC)
      return TRUE;
    if (query_int(query, 2) == 1)
      *through = query_int(query, 0);
  }
  return step == 0;
}

static gboolean
remove_through(TrailWriter *writer, gint64 through, guint *count, GError **error)
{
  static const char mentions[] = "DELETE FROM mention WHERE record <= ?1";
  static const char records[] = "DELETE FROM record WHERE number <= ?1";
  /* The record at THROUGH itself says which of two checkpoints there is to stay. */
  static const char checkpoints[] =
      "DELETE FROM checkpoint WHERE count < ?1"
      " OR (count = ?1 AND key <> (SELECT key FROM record WHERE number = ?1))";
  const DbValue value = V_INT(through);
  if (!db_run(writer->db, mentions, &value, 1, error) ||
      !db_run(writer->db, checkpoints, &value, 1, error) ||
      !db_run(writer->db, records, &value, 1, error))
    return FALSE;
  *count = (guint) db_changes(writer->db);
  writer->changed = writer->checkpoints_changed = TRUE;
  return TRUE;
}

static gboolean
expire(TrailWriter *writer, gpointer data, GError **error)
{
  const ExpireJob *job = data;
  gint64 through = 0;
  if (!find_through(writer, job, &through, error))
    return FALSE;
  if (through == 0)
    return TRUE;
  if (!remove_through(writer, through, job->count, error))
    return FALSE;
  g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, through);
  g_autofree char *count = g_strdup_printf("%u", *job->count);
  Event *event =
      event_new(EVENT_AUDIT_EXPIRED, NULL, NULL, "count", count, "through", number, NULL);
  return writer_add_own(writer, event, NULL, error);
}

gboolean
trail_writer_expire(TrailWriter *writer, gint64 before_us, guint *count, GError **error)
{
  ExpireJob job = {before_us, count};
  *count = 0;
  if (!trail_writer_run(writer, expire, &job, error))
    return FALSE;
  empty_log(writer);
  return TRUE;
}
