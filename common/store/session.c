#include <string.h>

#include "common/store/internal.h"

#define CLOCK_SLACK_S 60 /* by so much a clock may be set back while a session lives */

typedef struct {
  const Entry *entry;
  guint8 hash[CRYPT_SHA256_BYTES];
  gint64 now_s;
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

static gboolean
end_session(Db *db, const SessionJob *job, GError **error)
{
  return db_run(db, "DELETE FROM session WHERE hash = ?1", DB_VALUES(V_MAC(job->hash)),
                error);
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

gboolean
store_touch_session(Store *store, const Entry *entry, const guint8 *session,
                    gboolean *alive, gint64 *ends_s, GError **error)
{
  SessionJob job = {.entry = entry, .now_s = store_now(store)};
  session_hash(session, job.hash);
  gboolean done = writer_run(store->writer, touch, &job, error);
  *alive = done && job.alive;
  *ends_s = *alive ? MIN(job.ends_s, entry->expires_s) : 0;
  return done;
}

static gboolean
end(Db *db, gpointer data, GError **error)
{
  return end_session(db, data, error);
}

gboolean
store_end_session(Store *store, const guint8 *session, GError **error)
{
  SessionJob job = {.entry = NULL};
  session_hash(session, job.hash);
  return writer_run(store->writer, end, &job, error);
}
