/*
 * One thread follows the chain, others look at each record by itself.
 */
#include "common/audit/verify_run.h"

#include <stdarg.h>
#include <string.h>

#include "common/base/error.h"

#define BATCH_ROWS  512
#define BATCHES_MAX 16 /* that wait for threads: a bound on memory */

/* Rows that a thread looks at by itself. */
struct Batch {
  const TrailKey *key; /* NULL: without */
  GArray *rows;        /* of Row */
  GByteArray *hashes;  /* behind each row */
  GArray *mentions;    /* of Mention, in the order of the rows */
};

/* ---- What was found ---- */

/* Takes WHAT, which is wrong at NUMBER, or between there and THROUGH. Of several things the
 * one counts that was there first, and then the one that says best where. */
static void
note(Verify *verify, guint64 number, guint64 through, char *what)
{
  g_mutex_lock(&verify->lock);
  if (verify->what == NULL || through < verify->found_through ||
      (through == verify->found_through && number > verify->wrong_at)) {
    g_free(verify->what);
    verify->what = g_steal_pointer(&what);
    verify->wrong_at = number;
    verify->found_through = through;
  }
  g_mutex_unlock(&verify->lock);
  g_free(what);
}

void
verify_found(Verify *verify, guint64 number, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  note(verify, number, number, g_strdup_vprintf(format, args));
  va_end(args);
}

void
verify_found_difference(Verify *verify, const Statement *statement)
{
  guint64 from = statement->differs_after, through = statement->point.count;
  note(verify, from, through,
       g_strdup_printf("something in records %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
                       " is not what was signed: %s",
                       from, through, statement->text));
}

gboolean
verify_is_good(Verify *verify)
{
  g_mutex_lock(&verify->lock);
  gboolean good = verify->what == NULL && verify->failure == NULL;
  g_mutex_unlock(&verify->lock);
  return good;
}

/* ---- Records by themselves, in threads ---- */

static void
row_clear_of(gpointer row)
{
  row_clear(row);
}

static Batch *
batch_new(const TrailKey *key)
{
  Batch *batch = g_new0(Batch, 1);
  batch->key = key;
  batch->rows = g_array_new(FALSE, FALSE, sizeof(Row));
  g_array_set_clear_func(batch->rows, row_clear_of);
  batch->hashes = g_byte_array_new();
  batch->mentions = g_array_new(FALSE, FALSE, sizeof(Mention));
  return batch;
}

static void
batch_free(Batch *batch)
{
  if (batch == NULL)
    return;
  g_array_unref(batch->rows);
  g_byte_array_unref(batch->hashes);
  g_array_unref(batch->mentions);
  g_free(batch);
}

/* How many of the mentions from FIRST on are of record NUMBER. */
static guint
count_mentions(const Batch *batch, guint first, gint64 number)
{
  guint end = first;
  while (end < batch->mentions->len &&
         g_array_index(batch->mentions, Mention, end).record == number)
    end++;
  return end - first;
}

/* Looks at the rows of BATCH up to the first that is not good. */
static void
check_batch(Verify *verify, const Batch *batch, GArray *missing)
{
  const Mention *mentions = (const Mention *) (gconstpointer) batch->mentions->data;
  guint at = 0;
  for (guint i = 0; i < batch->rows->len; i++) {
    const Row *row = &g_array_index(batch->rows, Row, i);
    g_autoptr(GError) error = NULL;
    guint count = count_mentions(batch, at, row->number);
    if (row_check(batch->key, batch->hashes->data + i * CRYPT_SHA256_BYTES, row,
                  count > 0 ? mentions + at : NULL, count, missing, &error)) {
      at += count;
      continue;
    }
    if (g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED)) {
      verify_found(verify, (guint64) row->number, "record %" G_GINT64_FORMAT ": %s",
                   row->number, error->message);
      return;
    }
    g_mutex_lock(&verify->lock);
    if (verify->failure == NULL)
      verify->failure = g_steal_pointer(&error);
    g_mutex_unlock(&verify->lock);
    return;
  }
}

static void
run_batch(Verify *verify, Batch *batch)
{
  g_autoptr(GArray) missing = g_array_new(FALSE, FALSE, sizeof(Place));
  check_batch(verify, batch, missing);
  batch_free(batch);
  g_mutex_lock(&verify->lock);
  g_array_append_vals(verify->missing, missing->data, missing->len);
  verify->batches--;
  g_cond_signal(&verify->less);
  g_mutex_unlock(&verify->lock);
}

/* Behind all others, once for each thread. */
static Batch no_batch;

static gpointer
run_batches(gpointer data)
{
  Verify *verify = data;
  for (Batch *batch; (batch = g_async_queue_pop(verify->queue)) != &no_batch;)
    run_batch(verify, batch);
  return NULL;
}

static void
push_batch(Verify *verify)
{
  if (verify->batch == NULL)
    return;
  g_mutex_lock(&verify->lock);
  while (verify->batches >= BATCHES_MAX)
    g_cond_wait(&verify->less, &verify->lock);
  verify->batches++;
  g_mutex_unlock(&verify->lock);
  g_async_queue_push(verify->queue, g_steal_pointer(&verify->batch));
}

/* ---- What the trail says of itself ---- */

/* What a record says of the key that it and those behind it are written under. */
static gboolean
read_announcement(Verify *verify, const Attrs *attrs)
{
  Announcement key = {.number = verify->number};
  const char *id = attrs_get(attrs, "key");
  const char *public_key = attrs_get(attrs, "public");
  guint64 number = 0;
  if (id == NULL || public_key == NULL ||
      !g_ascii_string_to_unsigned(id, 16, 0, G_MAXUINT32, &number, NULL) ||
      !crypt_unhex(public_key, key.public_key, sizeof key.public_key))
    return FALSE;
  key.id = verify->key_id = (guint32) number;
  g_array_append_val(verify->announcements, key);
  return TRUE;
}

static gboolean
read_place(const char *text, Place *place)
{
  guint64 number = 0, position = 0;
  const char *point = strchr(text, '.');
  if (point == NULL)
    return FALSE;
  g_autofree char *before = g_strndup(text, (gsize) (point - text));
  if (!g_ascii_string_to_unsigned(before, 10, 1, G_MAXINT64, &number, NULL) ||
      !g_ascii_string_to_unsigned(point + 1, 10, 1, ATTR_MAX_COUNT, &position, NULL))
    return FALSE;
  *place = (Place){(gint64) number, (guint) position};
  return TRUE;
}

static gboolean
read_places(Verify *verify, const Attrs *attrs)
{
  const char *list = attrs_get(attrs, "places");
  g_auto(GStrv) places = g_strsplit(list != NULL ? list : "", ";", -1);
  for (guint i = 0; places[i] != NULL; i++) {
    Place place;
    if (!read_place(places[i], &place))
      return FALSE;
    g_array_append_val(verify->erased, place);
  }
  return TRUE;
}

static gboolean
read_expiry(Verify *verify, const Attrs *attrs)
{
  guint64 through = 0;
  if (!attrs_get_uint(attrs, "through", 1, verify->number, &through, NULL))
    return FALSE;
  verify->expired = MAX(verify->expired, through);
  return TRUE;
}

/* Whether TEXT is of a record that the trail made of itself: no other's ends like that. */
static gboolean
is_own(const Field *text)
{
  static const char end[] = "\nsource=" TRAIL_OWN_SOURCE "\n\n";
  const gsize len = sizeof end - 1;
  return text->len > len && memcmp(text->bytes + text->len - len, end, len) == 0;
}

/* Learns from a record of the trail's own. FALSE: it makes no sense. */
static gboolean
read_own(Verify *verify, const Field *text)
{
  EventKind kind = EVENT_COUNT;
  g_autoptr(Attrs) attrs = attrs_parse(text->bytes, text->len, ATTR_ESCAPED, NULL);
  const char *name = attrs != NULL ? attrs_get(attrs, "event") : NULL;
  if (name == NULL || !event_kind_parse(name, &kind))
    return FALSE;
  if (kind == EVENT_AUDIT_KEY)
    return read_announcement(verify, attrs);
  if (kind == EVENT_AUDIT_ERASED)
    return read_places(verify, attrs);
  return kind == EVENT_AUDIT_EXPIRED && read_expiry(verify, attrs);
}

/* ---- The chain ---- */

/* Goes to the next mention. FALSE with an error. */
static gboolean
next_mention(Verify *verify, GError **error)
{
  int step = query_step(verify->mentions, error);
  verify->mention.record = step > 0 ? query_int(verify->mentions, 0) : G_MAXINT64;
  if (step > 0) {
    gconstpointer value = query_blob(verify->mentions, 1, &verify->mention.len);
    if (verify->mention.len == TRAIL_MENTION_BYTES)
      memcpy(verify->mention.value, value, TRAIL_MENTION_BYTES);
  }
  return step >= 0;
}

/* Takes the mentions of record NUMBER into the batch. */
static gboolean
take_mentions(Verify *verify, gint64 number, GError **error)
{
  while (verify->mentions != NULL && verify->mention.record <= number) {
    if (verify->mention.record < number) {
      verify_found(verify, (guint64) MAX(verify->mention.record, 0),
                   "a person is said to be in record %" G_GINT64_FORMAT
                   ", which is not there",
                   verify->mention.record);
      return TRUE;
    }
    g_array_append_val(verify->batch->mentions, verify->mention);
    if (!next_mention(verify, error))
      return FALSE;
  }
  return TRUE;
}

/* Compares the chain with what statements say of this place. One that was given may be no
 * statement of ours at all, so that is looked at when its signature was. */
static void
compare_statements(Verify *verify)
{
  for (; verify->statement < verify->statements->len; verify->statement++) {
    Statement *statement = &g_array_index(verify->statements, Statement, verify->statement);
    if (statement->point.count > verify->number)
      return;
    if (statement->point.count < verify->base)
      continue; /* given, and of a time that expired */
    gboolean outside = statement->kind == STATEMENT_OUTSIDE;
    guint64 *sure = outside ? &verify->sure_outside : &verify->sure;
    if (crypt_equal(statement->point.hash, verify->hash, CRYPT_SHA256_BYTES))
      *sure = statement->point.count;
    else
      statement->differs_after = *sure + 1;
    if (statement->differs_after > 0 && !outside)
      verify_found_difference(verify, statement);
  }
}

/* The key of records here, which KEYS may lack. */
static const TrailKey *
key_here(Verify *verify)
{
  const TrailKey *key = trail_keys_find(verify->keys, verify->key_id);
  if (verify->keys != NULL && key == NULL && verify->unknown_at == 0) {
    verify->unknown_at = verify->number;
    verify->unknown_key = verify->key_id;
  }
  return key;
}

static void
start_batch(Verify *verify, const TrailKey *key)
{
  if (verify->batch != NULL &&
      (verify->batch->key != key || verify->batch->rows->len >= BATCH_ROWS))
    push_batch(verify);
  if (verify->batch == NULL)
    verify->batch = batch_new(key);
}

/* Follows the chain over ROW, which is taken. FALSE with an error. */
static gboolean
follow(Verify *verify, Row *row, GError **error)
{
  const Field *text = &row->fields[FIELD_TEXT];
  gint64 number = row->number;
  gboolean next = number == (gint64) verify->number + 1;
  verify->number++;
  chain_next(verify->hash, text->bytes, text->len, verify->hash);
  if (!next)
    verify_found(verify, verify->number, "record %" G_GUINT64_FORMAT " is missing",
                 verify->number);
  else if (is_own(text) && !read_own(verify, text))
    verify_found(verify, verify->number, "record %" G_GUINT64_FORMAT " makes no sense",
                 verify->number);
  else if (row->key != verify->key_id)
    verify_found(verify, verify->number,
                 "record %" G_GUINT64_FORMAT
                 " is said to be under a key that was not in use",
                 verify->number);
  start_batch(verify, key_here(verify));
  g_array_append_val(verify->batch->rows, *row);
  g_byte_array_append(verify->batch->hashes, verify->hash, CRYPT_SHA256_BYTES);
  row->block = NULL;
  if (!take_mentions(verify, number, error))
    return FALSE;
  compare_statements(verify);
  return TRUE;
}

/* Follows the chain from its beginning to its last record. */
static gboolean
follow_all(Verify *verify, GError **error)
{
  static const char records[] = "SELECT " ROW_COLUMNS " FROM record ORDER BY number";
  static const char mentions[] = "SELECT record, value FROM mention ORDER BY record, value";
  g_autoptr(Query) named = NULL;
  if (verify->keys != NULL) {
    named = verify->mentions = db_query(verify->db, mentions, DB_NO_VALUES, error);
    if (named == NULL || !next_mention(verify, error))
      return FALSE;
  }
  compare_statements(verify);
  g_autoptr(Query) query = db_query(verify->db, records, DB_NO_VALUES, error);
  int step = query != NULL ? 1 : -1;
  while (verify_is_good(verify) && step > 0 && (step = query_step(query, error)) > 0) {
    g_auto(Row) row = {.block = NULL};
    row_read(query, &row);
    if (!follow(verify, &row, error))
      return FALSE;
  }
  if (step == 0 && verify->mentions != NULL && verify->mention.record != G_MAXINT64)
    verify_found(verify, (guint64) MAX(verify->mention.record, 0),
                 "a person is said to be in record %" G_GINT64_FORMAT
                 ", which is not there",
                 verify->mention.record);
  return step >= 0;
}

gboolean
verify_chain(Verify *verify, GError **error)
{
  guint count = g_get_num_processors();
  g_autofree GThread **threads = g_new(GThread *, count);
  verify->queue = g_async_queue_new();
  for (guint i = 0; i < count; i++)
    threads[i] = g_thread_new("verify", run_batches, verify);
  gboolean done = follow_all(verify, error);
  push_batch(verify);
  for (guint i = 0; i < count; i++)
    g_async_queue_push(verify->queue, &no_batch);
  for (guint i = 0; i < count; i++)
    g_thread_join(threads[i]);
  g_clear_pointer(&verify->queue, g_async_queue_unref);
  if (done && verify->failure != NULL) {
    g_propagate_error(error, g_steal_pointer(&verify->failure));
    return FALSE;
  }
  return done;
}
