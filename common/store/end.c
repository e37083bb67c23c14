/*
 * The end of an entry before its time: its sender withdraws it, or its reader deletes it.
 * The key is destroyed in the database and in its log before the caller hears of it (T37).
 */
#include <string.h>

#include "common/base/error.h"
#include "common/store/dispatch.h"
#include "common/store/internal.h"

/* Removes message ID when no entry needs it any more. */
static gboolean
remove_message(Db *db, Purged *purged, gint64 id, GError **error)
{
  g_autoptr(Query) query = db_query(
      db,
      "DELETE FROM message WHERE id = ?1"
      "  AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.message = ?1) RETURNING file",
      DB_VALUES(V_INT(id)), error);
  int step = query != NULL ? query_step(query, error) : -1;
  if (step <= 0)
    return step == 0;
  purged->messages++;
  if (!query_is_null(query, 0)) {
    if (purged->files == NULL)
      purged->files = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(purged->files, g_strdup(query_text(query, 0)));
  }
  return query_step(query, error) >= 0;
}

/* The row of the message of ENTRY into *MESSAGE; 0 when it has none. */
static gboolean
find_message(Db *db, gint64 entry, gint64 *message, GError **error)
{
  g_autoptr(Query) query = db_query(db, "SELECT message FROM entry WHERE id = ?1",
                                    DB_VALUES(V_INT(entry)), error);
  int step = query != NULL ? query_step(query, error) : -1;
  *message = step > 0 ? query_int(query, 0) : 0;
  return step >= 0;
}

/* What lets a reader in, or is his. */
static gboolean
drop_access(Db *db, gint64 entry, GError **error)
{
  return db_run(db, "DELETE FROM session WHERE entry = ?1", DB_VALUES(V_INT(entry)),
                error) &&
         db_run(db, "UPDATE code SET dead = 1 WHERE entry = ?1", DB_VALUES(V_INT(entry)),
                error) &&
         db_run(db, "DELETE FROM draft WHERE entry = ?1", DB_VALUES(V_INT(entry)), error);
}

gboolean
entry_purge(Db *db, gint64 entry, Purged *purged, GError **error)
{
  gint64 message = 0;
  purged->entries++;
  return find_message(db, entry, &message, error) &&
         db_run(db,
                "UPDATE entry SET message = NULL, message_key = NULL, address = NULL,"
                "  number = NULL, sender = NULL, sender_name = NULL, message_id = NULL,"
                "  body = NULL, watch = 0 WHERE id = ?1",
                DB_VALUES(V_INT(entry)), error) &&
         drop_access(db, entry, error) &&
         db_run(db, "DELETE FROM again WHERE entry = ?1", DB_VALUES(V_INT(entry)), error) &&
         (message == 0 || remove_message(db, purged, message, error));
}

void
purged_finish(const Store *store, Purged *purged, gboolean committed)
{
  for (guint i = 0; committed && purged->files != NULL && i < purged->files->len; i++)
    large_file_remove(store->directory, g_ptr_array_index(purged->files, i));
  g_clear_pointer(&purged->files, g_ptr_array_unref);
}

typedef struct {
  const char *organisation, *reference;
  HistoryKind kind;
  EntryState state;
  gboolean with_shared; /* what the reader shared of it goes as well */
  gint64 now_s;
  Record record;
  Purged purged;
  gboolean changed;
} EndJob;

static gboolean
end_row(Db *db, EndJob *job, gint64 entry, GError **error)
{
  return db_run(db, "UPDATE entry SET ended = ?1, ended_s = ?2 WHERE id = ?3",
                DB_VALUES(V_INT(job->state), V_INT(job->now_s), V_INT(entry)), error) &&
         history_add(db, entry, job->kind, job->now_s, NULL, error) &&
         entry_purge(db, entry, &job->purged, error);
}

/* The open ones of row ENTRY and what was shared of it, and of that. */
static GArray *
find_open(Db *db, const EndJob *job, gint64 entry, GError **error)
{
  g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(gint64));
  g_autoptr(Query) query =
      db_query(db,
               "WITH RECURSIVE tree (id) AS (VALUES (?1) UNION"
               "  SELECT entry.id FROM entry JOIN tree ON entry.parent = tree.id"
               "  WHERE ?2)"
               " SELECT entry.id FROM entry JOIN tree ON entry.id = tree.id"
               "  WHERE message_key IS NOT NULL AND expires_s > ?3",
               DB_VALUES(V_INT(entry), V_INT(job->with_shared), V_INT(job->now_s)), error);
  int step = query != NULL ? query_step(query, error) : -1;
  for (; step > 0; step = query_step(query, error)) {
    gint64 row = query_int(query, 0);
    g_array_append_val(rows, row);
  }
  return step == 0 ? g_steal_pointer(&rows) : NULL;
}

static gboolean
end_entry(Db *db, gpointer data, GError **error)
{
  EndJob *job = data;
  gint64 entry = 0;
  if (!entry_find_any(db, job->organisation, job->reference, &entry, error))
    return FALSE;
  g_autoptr(GArray) rows = find_open(db, job, entry, error);
  if (rows == NULL)
    return FALSE;
  for (guint i = 0; i < rows->len; i++) {
    gint64 row = g_array_index(rows, gint64, i);
    job->changed = job->changed || row == entry;
    if (!end_row(db, job, row, error))
      return FALSE;
  }
  return !job->changed || record_add(db, &job->record, error);
}

static gboolean
run_end(Store *store, EndJob *job, GError **error)
{
  gboolean done = record_run(store, end_entry, job, &job->record, error);
  purged_finish(store, &job->purged, done);
  if (done && job->purged.entries > 0)
    writer_checkpoint(store->writer); /* the key still stood in the log */
  return done;
}

gboolean
store_withdraw(Store *store, const char *organisation, const char *reference,
               HistoryKind kind, Event *event, gboolean *changed, GError **error)
{
  EndJob job = {.organisation = organisation,
                .reference = reference,
                .kind = kind,
                .state = ENTRY_WITHDRAWN,
                .with_shared = TRUE,
                .now_s = store_now(store),
                .record = {store, event, FALSE}};
  gboolean done = run_end(store, &job, error);
  *changed = done && job.changed;
  return done;
}

gboolean
store_delete(Store *store, const Entry *entry, Event *event, GError **error)
{
  EndJob job = {.organisation = entry->organisation,
                .reference = entry->reference,
                .kind = HISTORY_DELETED,
                .state = ENTRY_DELETED,
                .now_s = store_now(store),
                .record = {store, event, FALSE}};
  return run_end(store, &job, error);
}

/* ---- Another number ---- */

typedef struct {
  const char *organisation, *reference;
  GBytes *number; /* sealed */
  EndJob shared;  /* of what was shared of it */
} NumberJob;

/* Who read with a code on the old number may have been the wrong one: what he shared would
 * let him in as before (T31). */
static gboolean
end_shared(Db *db, EndJob *job, gint64 entry, GError **error)
{
  g_autoptr(GArray) rows = find_open(db, job, entry, error);
  for (guint i = 0; rows != NULL && i < rows->len; i++) {
    gint64 row = g_array_index(rows, gint64, i);
    if (row != entry && !end_row(db, job, row, error))
      return FALSE;
  }
  return rows != NULL;
}

static gboolean
change_number(Db *db, gpointer data, GError **error)
{
  NumberJob *job = data;
  g_autoptr(Query) query = db_query(
      db,
      "UPDATE entry SET number = ?1 WHERE reference = ?2 AND organisation = ?3"
      "  AND message_key IS NOT NULL AND expires_s > ?4 AND shared = 0 RETURNING id",
      DB_VALUES(V_BYTES(job->number), V_TEXT(job->reference), V_TEXT(job->organisation),
                V_INT(job->shared.now_s)),
      error);
  int step = query != NULL ? query_step(query, error) : -1;
  if (step <= 0)
    return step == 0 && entry_set_gone(error);
  gint64 entry = query_int(query, 0);
  return query_step(query, error) >= 0 && drop_access(db, entry, error) &&
         history_add(db, entry, HISTORY_NUMBER_CHANGED, job->shared.now_s, NULL, error) &&
         end_shared(db, &job->shared, entry, error) &&
         record_add(db, &job->shared.record, error);
}

gboolean
store_change_number(Store *store, const char *organisation, const char *reference,
                    const char *number, Event *event, GError **error)
{
  FieldPlace place = {organisation, reference, "number"};
  g_autoptr(GBytes) sealed = field_seal(store, &place, number, strlen(number), error);
  NumberJob job = {organisation,
                   reference,
                   sealed,
                   {.kind = HISTORY_RECALLED,
                    .state = ENTRY_WITHDRAWN,
                    .with_shared = TRUE,
                    .now_s = store_now(store),
                    .record = {store, event, FALSE}}};
  gboolean done =
      sealed != NULL && record_run(store, change_number, &job, &job.shared.record, error);
  purged_finish(store, &job.shared.purged, done);
  if (done && job.shared.purged.entries > 0)
    writer_checkpoint(store->writer); /* the key still stood in the log */
  return done;
}
