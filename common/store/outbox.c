#include "common/store/outbox.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/store/internal.h"

#define COLUMN "outbox"

/* ---- Recording ---- */

/* Sealed for the row of its id: moved to another row it does not open. */
static GBytes *
seal_event(const Store *store, const Event *event, GError **error)
{
  g_autoptr(Attrs) attrs = event_format(event);
  g_autofree char *block = attrs_format(attrs, ATTR_ESCAPED);
  FieldPlace place = {"", event_id(event), COLUMN};
  GBytes *sealed = field_seal(store, &place, block, strlen(block), error);
  secret_wipe(block, strlen(block));
  return sealed;
}

gboolean
outbox_add(const Store *store, Db *db, const Event *event, GError **error)
{
  if (event == NULL)
    return TRUE;
  g_autoptr(GBytes) sealed = seal_event(store, event, error);
  return sealed != NULL &&
         db_run(db, "INSERT INTO outbox (event, sealed) VALUES (?1, ?2)",
                DB_VALUES(V_TEXT(event_id(event)), V_BYTES(sealed)), error);
}

gboolean
record_add(Db *db, Record *record, GError **error)
{
  record->added = record->event != NULL;
  return outbox_add(record->store, db, record->event, error);
}

gboolean
record_run(Store *store, WriterJob job, gpointer data, const Record *record, GError **error)
{
  if (!writer_run(store->writer, job, data, error))
    return FALSE;
  if (record->added)
    event_write(record->event);
  return TRUE;
}

typedef struct {
  const Store *store;
  const Event *event;
} AddJob;

static gboolean
add_only(Db *db, gpointer data, GError **error)
{
  const AddJob *job = data;
  return outbox_add(job->store, db, job->event, error);
}

gboolean
store_record(Store *store, const Event *event, GError **error)
{
  AddJob job = {store, event};
  return writer_run(store->writer, add_only, &job, error);
}

/* Says how many events are in the log only; what cannot be said now is kept for later. */
static void
tell_lost(Store *store)
{
  int lost = g_atomic_int_exchange(&store->lost_events, 0);
  if (lost == 0)
    return;
  g_autofree char *count = g_strdup_printf("%d", lost);
  g_autoptr(Event) event =
      event_new(EVENT_AUDIT_LOST, NULL, NULL, "count", count, "reason", "store", NULL);
  if (store_record(store, event, NULL))
    event_write(event);
  else
    g_atomic_int_add(&store->lost_events, lost);
}

void
store_record_sink(const Event *event, gpointer p)
{
  Store *store = p;
  g_autoptr(GError) error = NULL;
  if (store_record(store, event, &error)) {
    tell_lost(store);
    return;
  }
  g_atomic_int_inc(&store->lost_events);
  log_line(LOG_LEVEL_ALARM, "event %s, id=%s, is in the log only: %s",
           event_facts(event_kind(event))->name, event_id(event), error->message);
}

/* ---- On the way to zegel-auditd ---- */

void
waiting_event_free(WaitingEvent *waiting)
{
  if (waiting == NULL)
    return;
  event_free(waiting->event);
  g_free(waiting->id);
  g_free(waiting);
}

/* The event in BOX; NULL with ZEGEL_ERROR_FORGED when it is damaged. */
static Event *
open_event(const Store *store, const char *id, gconstpointer box, gsize len, GError **error)
{
  FieldPlace place = {"", id, COLUMN};
  g_autoptr(Secret) block = field_open(store, &place, box, len, error);
  if (block == NULL)
    return NULL;
  g_autoptr(Attrs) attrs = attrs_parse((const char *) secret_peek(block),
                                       secret_size(block), ATTR_ESCAPED, error);
  Event *event = attrs != NULL ? event_parse(attrs, error) : NULL;
  if (event == NULL)
    damaged(error);
  return event;
}

/* The row in QUERY. NULL with an error when it cannot be opened yet. */
static WaitingEvent *
read_row(const Store *store, Query *query, GError **error)
{
  gsize len = 0;
  g_autoptr(WaitingEvent) waiting = g_new0(WaitingEvent, 1);
  g_autoptr(GError) problem = NULL;
  waiting->row = query_int(query, 0);
  waiting->id = g_strdup(query_text(query, 1));
  gconstpointer box = query_blob(query, 2, &len);
  waiting->event = open_event(store, waiting->id, box, len, &problem);
  if (problem != NULL && !g_error_matches(problem, ZEGEL_ERROR, ZEGEL_ERROR_FORGED)) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return NULL;
  }
  return g_steal_pointer(&waiting);
}

/* Up to the first that cannot be opened yet: none overtakes another. */
static gboolean
read_rows(const Store *store, Db *db, guint max, GPtrArray *list, GError **error)
{
  g_autoptr(GError) problem = NULL;
  g_autoptr(Query) query =
      db_query(db, "SELECT id, event, sealed FROM outbox ORDER BY id LIMIT ?1",
               DB_VALUES(V_INT(max)), &problem);
  int step = query != NULL ? query_step(query, &problem) : -1;
  for (; step > 0; step = query_step(query, &problem)) {
    WaitingEvent *waiting = read_row(store, query, &problem);
    if (waiting == NULL)
      break;
    g_ptr_array_add(list, waiting);
  }
  if (problem == NULL || list->len > 0)
    return TRUE;
  g_propagate_error(error, g_steal_pointer(&problem));
  return FALSE;
}

GPtrArray *
store_waiting_events(Store *store, guint max, GError **error)
{
  Db *db = store_get_reader(store, error);
  if (db == NULL)
    return NULL;
  g_autoptr(GPtrArray) list =
      g_ptr_array_new_with_free_func((GDestroyNotify) waiting_event_free);
  gboolean done = read_rows(store, db, max, list, error);
  store_put_reader(store, db);
  return done ? g_steal_pointer(&list) : NULL;
}

typedef struct {
  const GPtrArray *waiting;
  Record record; /* of those that were damaged */
} ForgetJob;

/* An id may have been given again since, when somebody else forgot the row first. */
static gboolean
forget(Db *db, gpointer data, GError **error)
{
  ForgetJob *job = data;
  for (guint i = 0; i < job->waiting->len; i++) {
    const WaitingEvent *one = job->waiting->pdata[i];
    if (!db_run(db, "DELETE FROM outbox WHERE id = ?1 AND event = ?2",
                DB_VALUES(V_INT(one->row), V_TEXT(one->id)), error))
      return FALSE;
  }
  return record_add(db, &job->record, error);
}

/* NULL when nothing of WAITING was damaged. */
static Event *
tell_damaged(const GPtrArray *waiting)
{
  guint count = 0;
  for (guint i = 0; i < waiting->len; i++)
    count += ((const WaitingEvent *) waiting->pdata[i])->event == NULL;
  g_autofree char *text = g_strdup_printf("%u", count);
  return count > 0 ? event_new(EVENT_INTEGRITY, NULL, NULL, "code", "waiting-event",
                               "count", text, NULL)
                   : NULL;
}

gboolean
store_forget_events(Store *store, const GPtrArray *waiting, GError **error)
{
  g_autoptr(Event) event = tell_damaged(waiting);
  ForgetJob job = {waiting, {store, event, FALSE}};
  return record_run(store, forget, &job, &job.record, error);
}
