/*
 * Writing: each commit leaves a signed end, so a trail whose last records are cut off does
 * not look like one, unless its file as a whole is of an earlier day.
 */
#include "common/audit/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/audit/internal.h"
#include "common/base/error.h"

#define DATABASE_MODE  0600
#define LOG_PAGES_COPY 1000 /* 4 MB of log: time to copy it into the database */
#define DAY_S          86400

static gint64
now_s(void)
{
  return g_get_real_time() / G_USEC_PER_SEC;
}

static gboolean
forged(const TrailWriter *writer, const char *what, GError **error)
{
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED,
              "%s: %s: the trail is not written on; zegelctl audit verify says more",
              writer->path, what);
  return FALSE;
}

const TrailKey *
writer_key(const TrailWriter *writer)
{
  return g_ptr_array_index(writer->keys, 0);
}

/* ---- What is in a transaction ---- */

static gboolean
insert_mentions(TrailWriter *writer, const TrailKey *key, gint64 number, const Attrs *attrs,
                const GArray *values, GError **error)
{
  static const char sql[] = "INSERT OR IGNORE INTO mention (record, value) VALUES (?1, ?2)";
  for (guint i = 0; i < values->len; i++) {
    const SealedValue *value = &g_array_index(values, SealedValue, i);
    const char *name = NULL, *stands = NULL;
    guint8 mention[TRAIL_MENTION_BYTES];
    attrs_nth(attrs, value->position, &name, &stands);
    MentionKind kind = mention_kind(name);
    if (kind == MENTION_NONE)
      continue;
    if (!mention_format(key, kind, value->value, mention, error) ||
        !db_run(writer->db, sql, DB_VALUES(V_INT(number), V_BLOB(mention, sizeof mention)),
                error))
      return FALSE;
  }
  return TRUE;
}

static DbValue
text_or_null(const char *text)
{
  return text != NULL ? V_TEXT(text) : V_NULL;
}

static gboolean
insert_record(TrailWriter *writer, const TrailKey *key, const Attrs *attrs,
              const char *text, const guint8 *mac, GBytes *sealed, GError **error)
{
  static const char sql[] = "INSERT INTO record (" ROW_COLUMNS ")"
                            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
  Columns columns;
  if (!columns_parse(attrs, &columns)) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "this is no event");
    return FALSE;
  }
  return db_run(writer->db, sql,
                DB_VALUES(V_INT((gint64) writer->end.point.count), V_INT(key->id),
                          V_INT(columns.at_us), V_INT(columns.nta),
                          V_BLOB(columns.id, sizeof columns.id),
                          text_or_null(columns.organisation), V_TEXT(columns.event),
                          text_or_null(columns.queue_id), text_or_null(columns.reference),
                          V_TEXT(text), V_MAC(mac),
                          sealed != NULL ? V_BYTES(sealed) : V_NULL),
                error);
}

/* Chains a record of EVENT. */
static gboolean
add_record(TrailWriter *writer, const Event *event, const char *list, const char *source,
           GError **error)
{
  const TrailKey *key = writer_key(writer);
  guint64 number = writer->end.point.count + 1;
  guint8 mac[CRYPT_SHA256_BYTES];
  g_autoptr(GArray) values = values_new();
  g_autoptr(Attrs) attrs = record_attrs(number, event, list, source, values, error);
  if (attrs == NULL)
    return FALSE;
  g_autoptr(GBytes) sealed =
      values->len > 0 ? values_seal(key, number, values, error) : NULL;
  if (values->len > 0 && sealed == NULL)
    return FALSE;
  g_autofree char *text = attrs_format(attrs, ATTR_ESCAPED);
  TrailEnd *end = &writer->end;
  chain_next(end->point.hash, text, strlen(text), end->point.hash);
  end->point.count = number;
  writer->changed = TRUE;
  return chain_mac(key, end->point.hash, mac, error) &&
         insert_record(writer, key, attrs, text, mac, sealed, error) &&
         insert_mentions(writer, key, (gint64) number, attrs, values, error);
}

gboolean
writer_add_own(TrailWriter *writer, Event *event, const char *list, GError **error)
{
  g_ptr_array_add(writer->own, event);
  return add_record(writer, event, list, TRAIL_OWN_SOURCE, error);
}

char *
writer_keep_checkpoint(TrailWriter *writer, const TrailKey *key, GError **error)
{
  static const char sql[] =
      "INSERT OR REPLACE INTO checkpoint (count, key, text) VALUES (?1, ?2, ?3)";
  Checkpoint checkpoint = writer->end.point;
  checkpoint.key_id = key->id;
  checkpoint.at_s = now_s();
  g_autofree char *text = checkpoint_format(&checkpoint, key->signer, error);
  if (text == NULL ||
      !db_run(writer->db, sql,
              DB_VALUES(V_INT((gint64) checkpoint.count), V_INT(key->id), V_TEXT(text)),
              error))
    return NULL;
  writer->checkpointed = checkpoint.count;
  writer->changed = writer->checkpoints_changed = TRUE;
  return g_steal_pointer(&text);
}

gboolean
hash_checkpoints(Db *db, guint8 out[CRYPT_SHA256_BYTES], GError **error)
{
  static const char sql[] = "SELECT text FROM checkpoint ORDER BY count, key";
  g_autoptr(CryptHash) hash = crypt_hash_new();
  g_autoptr(Query) query = db_query(db, sql, DB_NO_VALUES, error);
  int step = query != NULL ? 1 : -1;
  while (step > 0 && (step = query_step(query, error)) > 0) {
    gsize len = 0;
    gconstpointer text = query_blob(query, 0, &len);
    crypt_hash_update(hash, text, len);
    crypt_hash_update(hash, "\n", 1);
  }
  crypt_hash_finish(hash, out);
  return step == 0;
}

/* Signs the new end and writes it down. Its text, the caller's. */
static char *
write_end(TrailWriter *writer, GError **error)
{
  static const char sql[] = "INSERT OR REPLACE INTO tail (one, text) VALUES (1, ?1)";
  TrailEnd *end = &writer->end;
  if (writer->checkpoints_changed && !hash_checkpoints(writer->db, end->checkpoints, error))
    return NULL;
  end->point.key_id = writer_key(writer)->id;
  end->point.at_s = now_s();
  g_autofree char *text = end_format(end, writer_key(writer)->signer, error);
  if (text == NULL || !db_run(writer->db, sql, DB_VALUES(V_TEXT(text)), error))
    return NULL;
  return g_steal_pointer(&text);
}

/* ---- The end, when it is not known ---- */

/* The text of the row in tail, the caller's; NULL without an error when there is none. */
static char *
read_end(TrailWriter *writer, GError **error)
{
  static const char sql[] = "SELECT text FROM tail";
  g_autoptr(Query) query = db_query(writer->db, sql, DB_NO_VALUES, error);
  if (query == NULL || query_step(query, error) != 1)
    return NULL;
  return g_strdup(query_text(query, 0));
}

/* Whether nothing was ever written. FALSE may come with an error. */
static gboolean
is_new(TrailWriter *writer, GError **error)
{
  static const char sql[] = "SELECT 1 FROM tail UNION ALL SELECT 1 FROM checkpoint"
                            " UNION ALL SELECT 1 FROM record LIMIT 1";
  g_autoptr(Query) query = db_query(writer->db, sql, DB_NO_VALUES, error);
  return query != NULL && query_step(query, error) == 0;
}

/* The newest checkpoint, whose signature is good. */
static gboolean
read_checkpoint(TrailWriter *writer, Checkpoint *checkpoint, GError **error)
{
  static const char sql[] = "SELECT text FROM checkpoint ORDER BY count DESC LIMIT 1";
  g_autoptr(Query) query = db_query(writer->db, sql, DB_NO_VALUES, error);
  int step = query != NULL ? query_step(query, error) : -1;
  if (step < 0)
    return FALSE;
  const char *text = step > 0 ? query_text(query, 0) : NULL;
  if (text == NULL || !checkpoint_parse(text, checkpoint, NULL))
    return forged(writer, "its last checkpoint is damaged or missing", error);
  const TrailKey *key = trail_keys_need(writer->keys, checkpoint->key_id, error);
  if (key == NULL)
    return FALSE;
  return line_check(text, ed25519_public(key->signer), NULL) ||
         forged(writer, "its last checkpoint is not what was signed", error);
}

/* Whether the record in QUERY follows POINT, which it then becomes. */
static gboolean
follow(TrailWriter *writer, Query *query, Checkpoint *point, GError **error)
{
  gsize text_len = 0, mac_len = 0;
  guint8 mac[CRYPT_SHA256_BYTES];
  gconstpointer text = query_blob(query, 2, &text_len);
  gconstpointer there = query_blob(query, 3, &mac_len);
  const TrailKey *key = trail_keys_need(writer->keys, (guint32) query_int(query, 1), error);
  if (key == NULL)
    return FALSE;
  chain_next(point->hash, text, text_len, point->hash);
  point->count++;
  if (!chain_mac(key, point->hash, mac, error))
    return FALSE;
  return (query_int(query, 0) == (gint64) point->count && mac_len == sizeof mac &&
          crypt_equal(mac, there, sizeof mac)) ||
         forged(writer, "its last records are not as they were chained", error);
}

/* Follows the chain from POINT on to the last record, which it becomes. */
static gboolean
follow_chain(TrailWriter *writer, Checkpoint *point, GError **error)
{
  static const char sql[] =
      "SELECT number, key, text, mac FROM record WHERE number > ?1 ORDER BY number";
  g_autoptr(Query) query =
      db_query(writer->db, sql, DB_VALUES(V_INT((gint64) point->count)), error);
  int step = query != NULL ? 1 : -1;
  while (step > 0 && (step = query_step(query, error)) > 0)
    if (!follow(writer, query, point, error))
      return FALSE;
  return step == 0;
}

/* Finds out where the trail ends, and whether it ended there when it was last written. */
static gboolean
load_end(TrailWriter *writer, GError **error)
{
  TrailEnd end;
  Checkpoint point;
  guint8 checkpoints[CRYPT_SHA256_BYTES];
  GError *problem = NULL;
  g_autofree char *text = read_end(writer, &problem);
  if (problem != NULL) {
    g_propagate_error(error, problem);
    return FALSE;
  }
  if (text == NULL || !end_parse(text, &end, NULL))
    return forged(writer, "its end is damaged or missing", error);
  const TrailKey *key = trail_keys_need(writer->keys, end.point.key_id, error);
  if (key == NULL)
    return FALSE;
  if (!line_check(text, ed25519_public(key->signer), NULL))
    return forged(writer, "its end is not what was signed", error);
  if (!read_checkpoint(writer, &point, error))
    return FALSE;
  writer->checkpointed = point.count;
  if (!follow_chain(writer, &point, error) ||
      !hash_checkpoints(writer->db, checkpoints, error))
    return FALSE;
  if (point.count != end.point.count ||
      !crypt_equal(point.hash, end.point.hash, sizeof point.hash) ||
      !crypt_equal(checkpoints, end.checkpoints, sizeof checkpoints))
    return forged(writer, "its end is not where it was", error);
  writer->end = end;
  g_free(writer->end_text);
  writer->end_text = g_steal_pointer(&text);
  return TRUE;
}

/* ---- Transactions ---- */

/* Called within the commit. */
static void
log_grew(gpointer p, guint pages)
{
  TrailWriter *writer = p;
  writer->log_pages = pages;
  if (pages < writer->copied_pages)
    writer->copied_pages = 0; /* it began anew */
}

static gboolean
open_again(TrailWriter *writer, GError **error)
{
  if (writer->db != NULL)
    return TRUE;
  writer->db = trail_open_db(writer->path, DB_WRITER, error);
  if (writer->db == NULL)
    return FALSE;
  db_watch_log(writer->db, log_grew, writer);
  if (load_end(writer, error) && db_is_in_place(writer->db, error))
    return TRUE;
  g_clear_pointer(&writer->db, db_close);
  return FALSE;
}

/* Whether the end is what the last commit left: nobody else writes here. */
static gboolean
end_is_ours(TrailWriter *writer, GError **error)
{
  GError *problem = NULL;
  g_autofree char *text = read_end(writer, &problem);
  if (problem != NULL) {
    g_propagate_error(error, problem);
    return FALSE;
  }
  return g_strcmp0(text, writer->end_text) == 0 ||
         forged(writer, "somebody else changed it meanwhile", error);
}

/* Events of the trail's own are lines of the log as well, once they are in it. */
static void
write_own(TrailWriter *writer)
{
  for (guint i = 0; i < writer->own->len; i++)
    event_write(g_ptr_array_index(writer->own, i));
  g_ptr_array_set_size(writer->own, 0);
}

/* After a commit; what fails now is tried again after a later one. */
static void
copy_log(TrailWriter *writer)
{
  if (writer->log_pages < writer->copied_pages + LOG_PAGES_COPY)
    return;
  writer->copied_pages = writer->log_pages;
  db_checkpoint(writer->db, DB_CHECKPOINT_PASSIVE, NULL);
}

static gboolean
try_job(TrailWriter *writer, WriterJob job, gpointer data, GError **error)
{
  writer->changed = writer->checkpoints_changed = FALSE;
  if (!db_run(writer->db, "BEGIN IMMEDIATE", DB_NO_VALUES, error) ||
      !end_is_ours(writer, error) || !job(writer, data, error))
    return FALSE;
  g_autofree char *text = writer->changed ? write_end(writer, error) : NULL;
  if ((writer->changed && text == NULL) ||
      !db_run(writer->db, "COMMIT", DB_NO_VALUES, error) ||
      !db_is_in_place(writer->db, error))
    return FALSE;
  if (text != NULL) {
    g_free(writer->end_text);
    writer->end_text = g_steal_pointer(&text);
  }
  return TRUE;
}

gboolean
trail_writer_run(TrailWriter *writer, WriterJob job, gpointer data, GError **error)
{
  if (!open_again(writer, error))
    return FALSE;
  if (try_job(writer, job, data, error)) {
    write_own(writer);
    copy_log(writer);
    return TRUE;
  }
  /* What is on disk now is looked at again before the next transaction. */
  if (db_in_transaction(writer->db))
    db_exec(writer->db, "ROLLBACK", NULL);
  g_clear_pointer(&writer->db, db_close);
  g_ptr_array_set_size(writer->own, 0);
  return FALSE;
}

/* ---- Opening ---- */

/* From now on records are written under the current key. */
static gboolean
announce_key(TrailWriter *writer, GError **error)
{
  const TrailKey *key = writer_key(writer);
  g_autofree char *id = g_strdup_printf("%08x", key->id);
  g_autofree char *public_key =
      crypt_hex(ed25519_public(key->signer), ED25519_PUBLIC_BYTES);
  Event *event =
      event_new(EVENT_AUDIT_KEY, NULL, NULL, "key", id, "public", public_key, NULL);
  return writer_add_own(writer, event, NULL, error);
}

static gboolean
keep(TrailWriter *writer, const TrailKey *key, GError **error)
{
  g_autofree char *text = writer_keep_checkpoint(writer, key, error);
  return text != NULL;
}

static gboolean
begin_trail(TrailWriter *writer, gpointer unused, GError **error)
{
  (void) unused;
  writer->end.point.count = 0;
  return crypt_random(writer->end.point.hash, CRYPT_SHA256_BYTES, error) &&
         keep(writer, writer_key(writer), error) && announce_key(writer, error);
}

/* The old key vouches for the record that names the new one. */
static gboolean
change_key(TrailWriter *writer, gpointer unused, GError **error)
{
  (void) unused;
  const TrailKey *old = trail_keys_need(writer->keys, writer->end.point.key_id, error);
  return old != NULL && announce_key(writer, error) && keep(writer, old, error) &&
         keep(writer, writer_key(writer), error);
}

/* Makes the database file when it is missing, for its owner alone. */
static gboolean
make_database(const char *path, GError **error)
{
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, DATABASE_MODE);
  if (fd < 0 && errno == EEXIST)
    return TRUE;
  if (fd < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
    return FALSE;
  }
  close(fd);
  g_autofree char *directory = g_path_get_dirname(path);
  int dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean synced = dir_fd >= 0 && fsync(dir_fd) == 0;
  if (!synced)
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, directory);
  if (dir_fd >= 0)
    close(dir_fd);
  return synced;
}

/* Opens the database, and loads its end or begins a trail in it. */
static gboolean
open_trail(TrailWriter *writer, GError **error)
{
  GError *problem = NULL;
  if (!make_database(writer->path, error))
    return FALSE;
  writer->db = db_open(writer->path, DB_WRITER, error);
  if (writer->db == NULL || !db_prepare(writer->db, writer->path, &trail_schema, error))
    return FALSE;
  db_watch_log(writer->db, log_grew, writer);
  if (is_new(writer, &problem))
    return trail_writer_run(writer, begin_trail, NULL, error);
  if (problem != NULL) {
    g_propagate_error(error, problem);
    return FALSE;
  }
  return load_end(writer, error) && db_is_in_place(writer->db, error) &&
         (writer->end.point.key_id == writer_key(writer)->id ||
          trail_writer_run(writer, change_key, NULL, error));
}

TrailWriter *
trail_writer_open(const char *path, const KeyRing *keys, GError **error)
{
  g_autoptr(TrailWriter) writer = g_new0(TrailWriter, 1);
  writer->path = g_strdup(path);
  writer->own = g_ptr_array_new_with_free_func((GDestroyNotify) event_free);
  writer->keys = trail_keys_new(keys, error);
  if (writer->keys == NULL || !open_trail(writer, error))
    return NULL;
  return g_steal_pointer(&writer);
}

void
trail_writer_close(TrailWriter *writer)
{
  if (writer == NULL)
    return;
  if (writer->db != NULL)
    db_checkpoint(writer->db, DB_CHECKPOINT_PASSIVE, NULL);
  db_close(writer->db);
  if (writer->keys != NULL)
    g_ptr_array_unref(writer->keys);
  g_ptr_array_unref(writer->own);
  g_free(writer->end_text);
  g_free(writer->path);
  g_free(writer);
}

/* ---- Events ---- */

typedef struct {
  const TrailEntry *entries;
  guint count;
} AppendJob;

/* 1 when the event is there already, 0, or -1 with an error. */
static int
is_there(TrailWriter *writer, const Event *event, GError **error)
{
  static const char sql[] = "SELECT 1 FROM record WHERE id = ?1";
  guint8 id[EVENT_ID_BYTES] = {0};
  crypt_unhex(event_id(event), id, sizeof id);
  g_autoptr(Query) query =
      db_query(writer->db, sql, DB_VALUES(V_BLOB(id, sizeof id)), error);
  return query != NULL ? query_step(query, error) : -1;
}

static gboolean
append_entries(TrailWriter *writer, gpointer data, GError **error)
{
  const AppendJob *job = data;
  for (guint i = 0; i < job->count; i++) {
    const TrailEntry *entry = &job->entries[i];
    int there = is_there(writer, entry->event, error);
    if (there < 0 ||
        (there == 0 && !add_record(writer, entry->event, NULL, entry->source, error)))
      return FALSE;
  }
  return TRUE;
}

gboolean
trail_writer_append(TrailWriter *writer, const TrailEntry *entries, guint count,
                    GError **error)
{
  AppendJob job = {entries, count};
  for (guint i = 0; i < count; i++)
    if (entries[i].source[0] == TRAIL_OWN_SOURCE[0]) {
      g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "not a user's name");
      return FALSE;
    }
  return trail_writer_run(writer, append_entries, &job, error);
}

/* ---- Checkpoints ---- */

gboolean
trail_writer_needs_checkpoint(const TrailWriter *writer)
{
  return writer->end.point.count > writer->checkpointed;
}

/* The newest checkpoint of the current key behind the first of all into *LAST: 1, or 0 when
 * there is none, or -1 with an error. */
static int
find_last(TrailWriter *writer, Checkpoint *last, GError **error)
{
  static const char sql[] = "SELECT text FROM checkpoint WHERE key = ?1"
                            " AND count > (SELECT min(count) FROM checkpoint)"
                            " ORDER BY count DESC LIMIT 1";
  g_autoptr(Query) query =
      db_query(writer->db, sql, DB_VALUES(V_INT(writer_key(writer)->id)), error);
  int step = query != NULL ? query_step(query, error) : -1;
  const char *text = step > 0 ? query_text(query, 0) : NULL;
  if (step <= 0)
    return step;
  return text != NULL && checkpoint_parse(text, last, NULL) ? 1 : 0;
}

/* The last checkpoint of a day stays, those before it do not: whoever needs one of them has
 * it from outside. The first of all stays, and those of a key that is no longer used. */
static gboolean
drop_of_today(TrailWriter *writer, GError **error)
{
  static const char sql[] = "DELETE FROM checkpoint WHERE count = ?1 AND key = ?2";
  Checkpoint last;
  int found = find_last(writer, &last, error);
  if (found <= 0 || last.at_s / DAY_S != now_s() / DAY_S)
    return found >= 0;
  return db_run(writer->db, sql, DB_VALUES(V_INT((gint64) last.count), V_INT(last.key_id)),
                error);
}

static gboolean
make_checkpoint(TrailWriter *writer, gpointer data, GError **error)
{
  char **text = data;
  if (!drop_of_today(writer, error))
    return FALSE;
  *text = writer_keep_checkpoint(writer, writer_key(writer), error);
  return *text != NULL;
}

char *
trail_writer_checkpoint(TrailWriter *writer, GError **error)
{
  g_autofree char *text = NULL;
  if (!trail_writer_run(writer, make_checkpoint, &text, error))
    return NULL;
  return g_steal_pointer(&text);
}
