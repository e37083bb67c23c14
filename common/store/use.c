/*
 * What may be done only so often. Whoever would take one too many finds none: the writer
 * has one transaction at a time.
 */
#include <string.h>

#include "common/base/error.h"
#include "common/store/internal.h"
#include "common/store/share.h"

/* ---- Of an entry ---- */

typedef struct {
  const Entry *entry;
  const char *sql;
  gint64 max;
  gint64 now_s;
  gboolean granted;
} UseJob;

static gboolean
take_use(Db *db, gpointer data, GError **error)
{
  UseJob *job = data;
  gint64 row = 0;
  if (!entry_find_row(db, job->entry, job->now_s, &row, error))
    return FALSE;
  if (row == 0)
    return entry_set_gone(error);
  if (!db_run(db, job->sql, DB_VALUES(V_INT(row), V_INT(job->max)), error))
    return FALSE;
  job->granted = db_changes(db) > 0;
  return TRUE;
}

gboolean
store_take_use(Store *store, const Entry *entry, EntryUse use, gboolean *granted,
               GError **error)
{
  gboolean answer = use == USE_ANSWER;
  UseJob job = {
      .entry = entry,
      .sql = answer ? "UPDATE entry SET answers = answers + 1"
                      "  WHERE id = ?1 AND answers < ?2 AND from_reader = 0"
                    : "UPDATE entry SET forwards = forwards + 1"
                      "  WHERE id = ?1 AND forwards < ?2 AND shared = 0",
      .max = answer ? STORE_ANSWERS_MAX : STORE_FORWARDS_MAX,
      .now_s = store_now(store),
  };
  gboolean done = writer_run(store->writer, take_use, &job, error);
  *granted = done && job.granted;
  return done;
}

/* Also of an entry that is over since. */
static gboolean
return_use(Db *db, gpointer data, GError **error)
{
  const UseJob *job = data;
  return db_run(db, job->sql,
                DB_VALUES(V_TEXT(job->entry->reference), V_TEXT(job->entry->organisation)),
                error);
}

gboolean
store_return_use(Store *store, const Entry *entry, EntryUse use, GError **error)
{
  UseJob job = {
      .entry = entry,
      .sql = use == USE_ANSWER
                 ? "UPDATE entry SET answers = answers - 1"
                   "  WHERE reference = ?1 AND organisation = ?2 AND answers > 0"
                 : "UPDATE entry SET forwards = forwards - 1"
                   "  WHERE reference = ?1 AND organisation = ?2 AND forwards > 0",
  };
  return writer_run(store->writer, return_use, &job, error);
}

/* ---- Of anything else ---- */

gboolean
event_count_prepare(const Store *store, const char *organisation, const char *what,
                    const char *subject, EventCount *event, GError **error)
{
  gsize what_len = strlen(what) + 1; /* with its NUL */
  g_autofree char *both = g_strdup_printf("%s %s", what, subject);
  both[what_len - 1] = '\0';
  event->now_s = store_now(store);
  event->macs = g_array_new(FALSE, TRUE, CRYPT_SHA256_BYTES);
  g_array_set_size(event->macs, store->derived->len);
  for (guint i = 0; i < store->derived->len; i++)
    if (!store_mac(store, i, DERIVED_EVENT, organisation, both, what_len + strlen(subject),
                   (guint8 *) event->macs->data + i * CRYPT_SHA256_BYTES, error))
      return FALSE;
  return TRUE;
}

static gboolean
count_events(Db *db, const EventCount *event, guint *count, GError **error)
{
  *count = 0;
  for (guint i = 0; i < event->macs->len; i++) {
    const guint8 *mac = (const guint8 *) event->macs->data + i * CRYPT_SHA256_BYTES;
    g_autoptr(Query) query =
        db_query(db, "SELECT count(*) FROM event WHERE subject = ?1 AND counted_s > ?2",
                 DB_VALUES(V_MAC(mac), V_INT(event->now_s - event->window_s)), error);
    if (query == NULL || query_step(query, error) != 1)
      return FALSE;
    *count += (guint) query_int(query, 0);
  }
  return TRUE;
}

gboolean
event_count_add(Db *db, EventCount *event, GError **error)
{
  guint count = 0;
  event->id = 0;
  if (!count_events(db, event, &count, error))
    return FALSE;
  if (count >= event->max)
    return TRUE;
  if (!db_run(db, "INSERT INTO event (subject, counted_s, ends_s) VALUES (?1, ?2, ?3)",
              DB_VALUES(V_MAC(event->macs->data), V_INT(event->now_s),
                        V_INT(event->now_s + event->window_s)),
              error))
    return FALSE;
  event->id = db_last_id(db);
  return TRUE;
}

gboolean
event_count_remove(Db *db, const EventCount *event, GError **error)
{
  return db_run(db, "DELETE FROM event WHERE id = ?1 AND subject = ?2",
                DB_VALUES(V_INT(event->id), V_MAC(event->macs->data)), error);
}

static gboolean
add_event(Db *db, gpointer data, GError **error)
{
  return event_count_add(db, data, error);
}

gboolean
store_count(Store *store, const char *organisation, const char *what, const char *subject,
            guint max, gint64 window_s, gboolean *granted, GError **error)
{
  EventCount event = {.max = max, .window_s = window_s};
  gboolean done = event_count_prepare(store, organisation, what, subject, &event, error) &&
                  writer_run(store->writer, add_event, &event, error);
  *granted = done && event.id != 0;
  g_array_unref(event.macs);
  return done;
}

gboolean
store_was_counted(Store *store, const char *organisation, const char *what,
                  const char *subject, gint64 window_s, gboolean *counted, GError **error)
{
  EventCount event = {.window_s = window_s};
  guint count = 0;
  *counted = FALSE;
  gboolean known = event_count_prepare(store, organisation, what, subject, &event, error);
  Db *db = known ? store_get_reader(store, error) : NULL;
  known = db != NULL && count_events(db, &event, &count, error);
  if (db != NULL)
    store_put_reader(store, db);
  g_array_unref(event.macs);
  *counted = known && count > 0;
  return known;
}
