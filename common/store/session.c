#include <string.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/store/internal.h"

#define CLOCK_SLACK_S 60 /* by so much a clock may be set back while a session lives */

typedef struct {
  const Entry *entry;
  guint8 hash[CRYPT_SHA256_BYTES];
  gint64 now_s;
  Record record;
  gboolean alive;
  gint64 ends_s;
} SessionJob;

void
session_hash(const guint8 session[STORE_SESSION_BYTES], guint8 hash[CRYPT_SHA256_BYTES])
{
  g_autoptr(CryptHash) running = crypt_hash_new();
  crypt_hash_update(running, session, STORE_SESSION_BYTES);
  crypt_hash_finish(running, hash);
}

gboolean
session_begin(Db *db, gint64 entry, gint64 now_s, guint8 session[STORE_SESSION_BYTES],
              GError **error)
{
  guint8 hash[CRYPT_SHA256_BYTES];
  if (!crypt_random(session, STORE_SESSION_BYTES, error))
    return FALSE;
  session_hash(session, hash);
  return db_run(db,
                "INSERT INTO session (hash, entry, started_s, seen_s)"
                "  VALUES (?1, ?2, ?3, ?3)",
                DB_VALUES(V_MAC(hash), V_INT(entry), V_INT(now_s)), error);
}

/* One that was found over is gone: no clock brings it back. Another entry's is let be. */
static gboolean
end_over(Db *db, const SessionJob *job, GError **error)
{
  return db_run(db,
                "DELETE FROM session WHERE hash = ?1 AND"
                "  (seen_s + ?2 <= ?3 OR started_s + ?4 <= ?3 OR seen_s > ?3 + ?5)",
                DB_VALUES(V_MAC(job->hash), V_INT(STORE_SESSION_IDLE_S), V_INT(job->now_s),
                          V_INT(STORE_SESSION_MAX_S), V_INT(CLOCK_SLACK_S)),
                error);
}

static gboolean
touch(Db *db, gpointer data, GError **error)
{
  SessionJob *job = data;
  gint64 row = 0;
  if (!end_over(db, job, error) || !entry_find_row(db, job->entry, job->now_s, &row, error))
    return FALSE;
  g_autoptr(Query) query =
      db_query(db,
               "UPDATE session SET seen_s = ?1 WHERE hash = ?2 AND entry = ?3"
               "  RETURNING started_s",
               DB_VALUES(V_INT(job->now_s), V_MAC(job->hash), V_INT(row)), error);
  int step = query != NULL ? query_step(query, error) : -1;
  if (step <= 0)
    return step == 0;
  job->alive = TRUE;
  job->ends_s =
      MIN(job->now_s + STORE_SESSION_IDLE_S, query_int(query, 0) + STORE_SESSION_MAX_S);
  return query_step(query, error) >= 0;
}

/* What touch finds, without writing: the idle time does not start again. */
static gboolean
look(Db *db, SessionJob *job, GError **error)
{
  gint64 row = 0;
  if (!entry_find_row(db, job->entry, job->now_s, &row, error))
    return FALSE;
  g_autoptr(Query) query = db_query(
      db,
      "SELECT min(seen_s + ?3, started_s + ?4) FROM session"
      "  WHERE hash = ?1 AND entry = ?2"
      "  AND seen_s + ?3 > ?5 AND started_s + ?4 > ?5 AND seen_s <= ?5 + ?6",
      DB_VALUES(V_MAC(job->hash), V_INT(row), V_INT(STORE_SESSION_IDLE_S),
                V_INT(STORE_SESSION_MAX_S), V_INT(job->now_s), V_INT(CLOCK_SLACK_S)),
      error);
  int step = query != NULL ? query_step(query, error) : -1;
  job->alive = step > 0;
  if (job->alive)
    job->ends_s = query_int(query, 0);
  return step >= 0;
}

static gboolean
look_only(Store *store, SessionJob *job, GError **error)
{
  Db *db = store_get_reader(store, error);
  gboolean done = db != NULL && look(db, job, error);
  if (db != NULL)
    store_put_reader(store, db);
  return done;
}

gboolean
store_touch_session(Store *store, const Entry *entry, const guint8 *session,
                    gboolean *alive, gint64 *ends_s, GError **error)
{
  SessionJob job = {.entry = entry, .now_s = store_now(store)};
  session_hash(session, job.hash);
  g_autoptr(GError) full = NULL;
  gboolean done = writer_run(store->writer, touch, &job, &full);
  if (!done && g_error_matches(full, ZEGEL_ERROR, ZEGEL_ERROR_FULL)) {
    log_line(LOG_LEVEL_WARNING, "session goes on without a note: %s", full->message);
    job.alive = FALSE;
    done = look_only(store, &job, error); /* who reads may read on (F8) */
  } else if (!done) {
    g_propagate_error(error, g_steal_pointer(&full));
  }
  *alive = done && job.alive;
  *ends_s = *alive ? MIN(job.ends_s, entry->expires_s) : 0;
  return done;
}

static gboolean
end(Db *db, gpointer data, GError **error)
{
  SessionJob *job = data;
  if (!db_run(db, "DELETE FROM session WHERE hash = ?1", DB_VALUES(V_MAC(job->hash)),
              error))
    return FALSE;
  return db_changes(db) == 0 || record_add(db, &job->record, error);
}

gboolean
store_end_session(Store *store, const guint8 *session, Event *event, GError **error)
{
  SessionJob job = {.record = {store, event, FALSE}};
  session_hash(session, job.hash);
  return record_run(store, end, &job, &job.record, error);
}
