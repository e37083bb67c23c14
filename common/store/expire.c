/*
 * The end of messages: keys and content go, in small transactions that no delivery has to
 * wait for. A row without content stays for a year, so that the bearer of a genuine link
 * reads that its time is over, not that it never was.
 */
#include "common/base/log.h"
#include "common/store/internal.h"

#define BATCH_ENTRIES   100
#define DAY_S           86400
#define TOMBSTONE_S     (365 * DAY_S)
#define DISPATCH_KEEP_S (30 * DAY_S)   /* a sender still reads that it expired */
#define LEAP_S          (36 * 60 * 60) /* runs are at most so far apart, or the clock leapt */
#define LEAP_TRUST_S    DAY_S          /* a leap that lasts so long is believed */
#define NEVER           (-1)

typedef struct {
  gint64 now_s;
  gboolean believed; /* whether NOW_S is no mistake of the clock */
  const Store *store;
  Purged purged;     /* in this batch */
  GPtrArray *events; /* of Event: what the log is told of it */
} ExpireJob;

static gboolean
get_state(Db *db, const char *name, gint64 *value, GError **error)
{
  g_autoptr(Query) query = db_query(db, "SELECT value FROM state WHERE name = ?1",
                                    DB_VALUES(V_TEXT(name)), error);
  int step = query != NULL ? query_step(query, error) : -1;
  *value = step > 0 ? query_int(query, 0) : NEVER;
  return step >= 0;
}

static gboolean
set_state(Db *db, const char *name, gint64 value, GError **error)
{
  return db_run(db, "INSERT OR REPLACE INTO state (name, value) VALUES (?1, ?2)",
                DB_VALUES(V_TEXT(name), V_INT(value)), error);
}

/*
 * A clock that leapt years ahead must not destroy what is not old (F20): after a leap
 * nothing is removed until the new time has lasted for a day.
 */
static gboolean
believe_clock(Db *db, gpointer data, GError **error)
{
  ExpireJob *job = data;
  gint64 last_s = NEVER;
  gint64 leap_s = NEVER;
  if (!get_state(db, "expired_s", &last_s, error) ||
      !get_state(db, "leap_s", &leap_s, error))
    return FALSE;
  gboolean leapt = last_s != NEVER && job->now_s > last_s + LEAP_S;
  gboolean lasting = leapt && leap_s != NEVER && job->now_s >= leap_s + LEAP_TRUST_S &&
                     job->now_s <= leap_s + LEAP_TRUST_S + LEAP_S;
  job->believed = !leapt || lasting;
  if (job->believed)
    return set_state(db, "expired_s", job->now_s, error) &&
           set_state(db, "leap_s", NEVER, error);
  gboolean again =
      leap_s == NEVER || job->now_s < leap_s || job->now_s > leap_s + LEAP_TRUST_S + LEAP_S;
  return !again || set_state(db, "leap_s", job->now_s, error);
}

/* The end came with the time, whenever we see to it. */
static gboolean
expire_entry(Db *db, ExpireJob *job, gint64 id, gint64 expires_s, const Event *event,
             GError **error)
{
  return history_add(db, id, HISTORY_EXPIRED, expires_s, NULL, error) &&
         entry_purge(db, id, &job->purged, error) &&
         outbox_add(job->store, db, event, error);
}

/* What COLUMN, sealed in place INDEX of the row, says; NULL when it cannot be opened any
 * more: that keeps nothing from its end. */
static char *
name_in(const Store *store, Query *query, const char *column, int index)
{
  gsize len = 0;
  const FieldPlace place = {query_text(query, 2), query_text(query, 3), column};
  gconstpointer box = query_blob(query, index, &len);
  g_autoptr(Secret) name = box != NULL ? field_open(store, &place, box, len, NULL) : NULL;
  return name != NULL ? g_strndup((const char *) secret_peek(name), secret_size(name))
                      : NULL;
}

/* The event of the row in QUERY, before what it names is destroyed. */
static Event *
expired_event(const Store *store, Query *query)
{
  g_autofree char *to = name_in(store, query, "address", 4);
  g_autofree char *from = name_in(store, query, "sender", 5);
  return event_new(EVENT_EXPIRED, NULL, query_text(query, 2), "ref", query_text(query, 3),
                   "from", from, "to", to, NULL);
}

static gboolean
purge_batch(Db *db, gpointer data, GError **error)
{
  ExpireJob *job = data;
  g_autoptr(Query) query =
      db_query(db,
               "SELECT id, expires_s, organisation, reference, address, sender FROM entry"
               "  WHERE expires_s <= ?1 AND message_key IS NOT NULL LIMIT ?2",
               DB_VALUES(V_INT(job->now_s), V_INT(BATCH_ENTRIES)), error);
  gint64 ids[BATCH_ENTRIES];
  gint64 ends_s[BATCH_ENTRIES];
  guint count = 0;
  int step = query != NULL ? query_step(query, error) : -1;
  for (; step > 0 && count < BATCH_ENTRIES; count++) {
    ids[count] = query_int(query, 0);
    ends_s[count] = query_int(query, 1);
    g_ptr_array_add(job->events, expired_event(job->store, query));
    step = query_step(query, error);
  }
  if (step < 0)
    return FALSE;
  query_done(query); /* before its rows are changed */
  for (guint i = 0; i < count; i++)
    if (!expire_entry(db, job, ids[i], ends_s[i], job->events->pdata[i], error))
      return FALSE;
  return TRUE;
}

/*
 * Who wrote to whom goes with the page on which its sender reads how it ended. Dispatches
 * are found by their entries, from where the last run came to.
 */
static gboolean
purge_dispatches(Db *db, gint64 before_s, GError **error)
{
  gint64 from_s = NEVER;
  if (!get_state(db, "dispatches_s", &from_s, error))
    return FALSE;
  if (from_s >= before_s)
    return TRUE; /* the clock was set back */
  return db_run(db,
                "UPDATE dispatch SET sealed = NULL WHERE expires_s < ?2 AND id IN"
                "  (SELECT dispatch FROM entry WHERE expires_s >= ?1 AND expires_s < ?2)",
                DB_VALUES(V_INT(from_s), V_INT(before_s)), error) &&
         set_state(db, "dispatches_s", before_s, error);
}

/* Rows that say of nobody who wrote to whom, but that there was something. */
static gboolean
drop_tombstones(Db *db, gint64 before_s, GError **error)
{
  return db_run(db,
                "DELETE FROM dispatch WHERE expires_s < ?1 AND id IN"
                "  (SELECT dispatch FROM entry WHERE expires_s < ?1)",
                DB_VALUES(V_INT(before_s)), error) &&
         db_run(db, "DELETE FROM entry WHERE expires_s < ?1 AND message_key IS NULL",
                DB_VALUES(V_INT(before_s)), error);
}

/* Codes count for limits for a day; tombstones stay a year. */
static gboolean
purge_rest(Db *db, gpointer data, GError **error)
{
  const ExpireJob *job = data;
  return db_run(db, "UPDATE code SET dead = 1 WHERE dead = 0 AND expires_s <= ?1",
                DB_VALUES(V_INT(job->now_s)), error) &&
         db_run(db, "DELETE FROM code WHERE issued_s < ?1",
                DB_VALUES(V_INT(job->now_s - DAY_S)), error) &&
         db_run(db, "DELETE FROM session WHERE seen_s < ?1 OR started_s < ?2",
                DB_VALUES(V_INT(job->now_s - STORE_SESSION_IDLE_S),
                          V_INT(job->now_s - STORE_SESSION_MAX_S)),
                error) &&
         db_run(db, "DELETE FROM event WHERE ends_s <= ?1", DB_VALUES(V_INT(job->now_s)),
                error) &&
         purge_dispatches(db, job->now_s - DISPATCH_KEEP_S, error) &&
         drop_tombstones(db, job->now_s - TOMBSTONE_S, error);
}

/* One batch and the files of its messages. A crash between the two leaves files whose keys
 * are destroyed, and a sweep takes them. */
static gboolean
run_batch(Store *store, ExpireJob *job, guint *removed, GError **error)
{
  g_autoptr(GPtrArray) events = g_ptr_array_new_with_free_func((GDestroyNotify) event_free);
  job->purged = (Purged){.entries = 0};
  job->events = events;
  gboolean done = writer_run(store->writer, purge_batch, job, error);
  purged_finish(store, &job->purged, done);
  for (guint i = 0; done && i < events->len; i++)
    event_write(events->pdata[i]);
  if (done)
    *removed += job->purged.messages;
  return done;
}

static int
is_known(const char *name, gpointer data)
{
  Db *db = data;
  g_autoptr(Query) query =
      db_query(db, "SELECT 1 FROM message WHERE file = ?1", DB_VALUES(V_TEXT(name)), NULL);
  return query != NULL ? query_step(query, NULL) : -1;
}

static gboolean
sweep(Store *store, GError **error)
{
  Db *db = store_get_reader(store, error);
  if (db == NULL)
    return FALSE;
  large_file_sweep(store->directory, is_known, db);
  store_put_reader(store, db);
  return TRUE;
}

gboolean
store_check_clock(Store *store, gint64 now_s, gboolean *believed, GError **error)
{
  ExpireJob job = {.now_s = now_s};
  gboolean done = writer_run(store->writer, believe_clock, &job, error);
  *believed = done && job.believed;
  return done;
}

gboolean
store_expire(Store *store, gint64 now_s, guint *removed, GError **error)
{
  ExpireJob job = {.now_s = now_s, .store = store};
  *removed = 0;
  if (!store_check_clock(store, now_s, &job.believed, error))
    return FALSE;
  if (!job.believed) {
    log_line(LOG_LEVEL_WARNING, "the clock leapt ahead: nothing is removed for a day");
    return sweep(store, error);
  }
  do {
    if (!run_batch(store, &job, removed, error))
      return FALSE;
  } while (job.purged.entries > 0);
  if (!writer_run(store->writer, purge_rest, &job, error) || !sweep(store, error))
    return FALSE;
  if (*removed > 0)
    writer_checkpoint(store->writer);
  return TRUE;
}
