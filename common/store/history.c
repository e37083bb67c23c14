#include "common/store/history.h"

#include "common/base/error.h"
#include "common/store/internal.h"

/* What nobody waits for any more once it happened. */
static int
stops_watching(HistoryKind kind)
{
  if (kind == HISTORY_TOLD)
    return WATCH_TELL;
  if (kind == HISTORY_REMINDED)
    return WATCH_REMIND;
  return kind == HISTORY_OPENED ? WATCH_TELL | WATCH_REMIND : 0;
}

static gboolean
stop_watching(Db *db, gint64 entry, HistoryKind kind, GError **error)
{
  int bits = stops_watching(kind);
  return bits == 0 ||
         db_run(db, "UPDATE entry SET watch = watch & ~?1 WHERE id = ?2 AND watch & ?1",
                DB_VALUES(V_INT(bits), V_INT(entry)), error);
}

gboolean
history_add(Db *db, gint64 entry, HistoryKind kind, gint64 when_s, gboolean *first,
            GError **error)
{
  g_autoptr(Query) query =
      db_query(db,
               "INSERT INTO history (entry, kind, first_s, last_s, count)"
               "  VALUES (?1, ?2, ?3, ?3, 1) ON CONFLICT (entry, kind) DO UPDATE"
               "  SET last_s = max(last_s, ?3), count = count + 1 RETURNING count",
               DB_VALUES(V_INT(entry), V_INT(kind), V_INT(when_s)), error);
  if (query == NULL || query_step(query, error) != 1)
    return FALSE;
  if (first != NULL)
    *first = query_int(query, 0) == 1;
  return query_step(query, error) == 0 && stop_watching(db, entry, kind, error);
}

gboolean
history_take_back(Db *db, gint64 entry, HistoryKind kind, GError **error)
{
  return db_run(db, "UPDATE history SET count = count - 1 WHERE entry = ?1 AND kind = ?2",
                DB_VALUES(V_INT(entry), V_INT(kind)), error) &&
         db_run(db, "DELETE FROM history WHERE entry = ?1 AND kind = ?2 AND count < 1",
                DB_VALUES(V_INT(entry), V_INT(kind)), error);
}

GArray *
history_read(Db *db, gint64 entry, GError **error)
{
  /* When it was stored and notified its own row knows (HISTORY_STORED, HISTORY_NOTIFIED):
   * a filing writes no line. */
  g_autoptr(GArray) lines = g_array_new(FALSE, FALSE, sizeof(HistoryLine));
  g_autoptr(Query) query = db_query(
      db,
      "SELECT 0, received_s, received_s, 1 FROM entry WHERE id = ?1"
      " UNION ALL SELECT 1, notified_s, notified_s, 1 FROM entry"
      "  WHERE id = ?1 AND notified_s IS NOT NULL"
      " UNION ALL SELECT kind, first_s, last_s, count FROM history WHERE entry = ?1"
      " ORDER BY 2, 1",
      DB_VALUES(V_INT(entry)), error);
  int step = query != NULL ? query_step(query, error) : -1;
  for (; step > 0; step = query_step(query, error)) {
    HistoryLine line = {(HistoryKind) query_int(query, 0), query_int(query, 1),
                        query_int(query, 2), (guint) query_int(query, 3)};
    g_array_append_val(lines, line);
  }
  return step == 0 ? g_steal_pointer(&lines) : NULL;
}

typedef struct {
  const char *organisation, *reference;
  HistoryKind kind;
  gint64 now_s;
  Record record;
  gboolean first;
} NoteJob;

static gboolean
note(Db *db, gpointer data, GError **error)
{
  NoteJob *job = data;
  gint64 entry = 0;
  return entry_find_any(db, job->organisation, job->reference, &entry, error) &&
         history_add(db, entry, job->kind, job->now_s, &job->first, error) &&
         record_add(db, &job->record, error);
}

gboolean
store_note(Store *store, const char *organisation, const char *reference, HistoryKind kind,
           Event *event, gboolean *first, GError **error)
{
  g_return_val_if_fail(kind > HISTORY_NOTIFIED && kind < HISTORY_COUNT, FALSE);
  NoteJob job = {organisation,          reference, kind, store_now(store),
                 {store, event, FALSE}, FALSE};
  gboolean done = record_run(store, note, &job, &job.record, error);
  if (first != NULL)
    *first = job.first;
  return done;
}

GArray *
store_history(Store *store, const char *organisation, const char *reference, GError **error)
{
  gint64 entry = 0;
  Db *db = store_get_reader(store, error);
  if (db == NULL)
    return NULL;
  GArray *lines = entry_find_any(db, organisation, reference, &entry, error)
                      ? history_read(db, entry, error)
                      : NULL;
  store_put_reader(store, db);
  return lines;
}
