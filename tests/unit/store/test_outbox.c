/*
 * Events wait in the store, sealed and in order, until somebody brought them to the trail.
 */
#include "tests/unit/store/events.h"
#include "tests/unit/tap.h"

/* A job that fails after its event was added takes it along; others of the same
 * transaction stay. */
static gboolean
add_and_fail(Db *db, gpointer data, GError **error)
{
  Record *record = data;
  g_assert_true(record_add(db, record, error));
  g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "on purpose");
  return FALSE;
}

static void
test_rolled_back(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(Event) event = make(EVENT_OPENED, "x");
  g_autoptr(Event) other = make(EVENT_LOGIN, "y");
  Record record = {fixture->store, event, FALSE};
  off_t mark = log_mark();
  g_assert_false(record_run(fixture->store, add_and_fail, &record, &record, NULL));
  g_autofree char *log = log_since(mark);
  g_assert_cmpstr(log, ==, "");
  g_assert_true(store_record(fixture->store, other, NULL));
  g_autoptr(WaitingEvent) last = last_of(fixture, 1);
  g_assert_cmpstr(last->id, ==, event_id(other));
}

/* ---- Out of the store ---- */

static void
record(Fixture *fixture, EventKind kind, const char *reference)
{
  g_autoptr(Event) event = make(kind, reference);
  g_assert_true(store_record(fixture->store, event, NULL));
}

static void
test_order(Fixture *fixture, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < 300; i++) {
    g_autofree char *reference = g_strdup_printf("%u", i);
    record(fixture, EVENT_OPENED, reference);
  }
  for (guint at = 0; at < 300; at += 100) {
    g_autoptr(GPtrArray) list = store_waiting_events(fixture->store, 100, NULL);
    g_autoptr(GPtrArray) same = store_waiting_events(fixture->store, 100, NULL);
    g_assert_cmpuint(list->len, ==, 100);
    for (guint i = 0; i < 100; i++) {
      const WaitingEvent *one = list->pdata[i];
      g_autofree char *reference = g_strdup_printf("%u", at + i);
      g_assert_cmpstr(event_get(one->event, "ref"), ==, reference);
    }
    g_assert_true(store_forget_events(fixture->store, list, NULL));
    g_assert_true(store_forget_events(fixture->store, same, NULL)); /* twice */
  }
  g_autoptr(GPtrArray) none = waiting(fixture);
  g_assert_cmpuint(none->len, ==, 0);
}

/* What one forgets late is not what has come into its row since. */
static void
test_row_again(Fixture *fixture, gconstpointer data)
{
  (void) data;
  record(fixture, EVENT_OPENED, "old");
  g_autoptr(GPtrArray) list = waiting(fixture);
  g_autoptr(GPtrArray) late = waiting(fixture);
  g_assert_true(store_forget_events(fixture->store, list, NULL));
  record(fixture, EVENT_OPENED, "new");
  g_assert_true(store_forget_events(fixture->store, late, NULL));
  g_autoptr(WaitingEvent) last = last_of(fixture, 1);
  g_assert_cmpint(last->row, ==, ((const WaitingEvent *) late->pdata[0])->row);
  g_assert_cmpstr(event_get(last->event, "ref"), ==, "new");
}

/* Somebody exchanges two of three: he is found out, and the third goes its way. */
static void
test_damaged(Fixture *fixture, gconstpointer data)
{
  (void) data;
  record(fixture, EVENT_OPENED, "1");
  record(fixture, EVENT_LOGIN, "2");
  record(fixture, EVENT_DELETED, "3");
  g_autoptr(Db) db = db_open(fixture->path, DB_WRITER, NULL);
  g_assert_true(db_exec(db,
                        "CREATE TEMP TABLE t AS SELECT id, event FROM outbox;"
                        "UPDATE outbox SET event = (SELECT event FROM t"
                        "  WHERE t.id = 3 - outbox.id) WHERE id < 3",
                        NULL));
  g_autoptr(GPtrArray) list = waiting(fixture);
  g_assert_cmpuint(list->len, ==, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_true((((const WaitingEvent *) list->pdata[i])->event == NULL) == (i < 2));
  off_t mark = log_mark();
  g_assert_true(store_forget_events(fixture->store, list, NULL));
  g_autoptr(WaitingEvent) last = last_of(fixture, 1);
  g_autofree char *log = log_since(mark);
  g_assert_cmpint(event_kind(last->event), ==, EVENT_INTEGRITY);
  g_assert_cmpstr(event_get(last->event, "count"), ==, "2");
  g_assert_nonnull(strstr(log, "event=integrity"));
}

/* Sealed with a key that came later: it waits, and nothing overtakes it. */
static void
test_other_key(Fixture *fixture, gconstpointer data)
{
  (void) data;
  record(fixture, EVENT_OPENED, "1");
  g_autoptr(KeyRing) newer = ring_new(KEY_STORE, TRUE);
  g_autoptr(Store) other = store_open(fixture->path, fixture->messages, newer, NULL);
  g_autoptr(Event) event = make(EVENT_LOGIN, "2");
  g_assert_true(store_record(other, event, NULL));
  record(fixture, EVENT_OPENED, "3");
  g_autoptr(GPtrArray) list = waiting(fixture);
  g_assert_cmpuint(list->len, ==, 1);
  g_assert_true(store_forget_events(fixture->store, list, NULL));
  g_autoptr(GError) error = NULL;
  g_assert_null(store_waiting_events(fixture->store, ALL, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_KEY_UNKNOWN);
  g_autoptr(GPtrArray) all = store_waiting_events(other, ALL, NULL);
  g_assert_cmpuint(all->len, ==, 2);

  /* And a store that nobody could empty is not opened. */
  fixture_close(fixture);
  g_clear_pointer(&other, store_close);
  g_autoptr(GError) missing = NULL;
  g_assert_null(store_open(fixture->path, fixture->messages, fixture->ring, &missing));
  g_assert_error(missing, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
}

/* ---- The sink ---- */

static void
test_sink(Fixture *fixture, gconstpointer data)
{
  (void) data;
  event_set_sink(store_record_sink, fixture->store);
  event_log(EVENT_CODE_SENT, NULL, ORG, "ref", "1", NULL);
  refuse_rows(fixture, TRUE);
  off_t mark = log_mark();
  event_log(EVENT_CODE_SENT, NULL, ORG, "ref", "2", NULL);
  event_log(EVENT_CODE_SENT, NULL, ORG, "ref", "3", NULL);
  g_autofree char *log = log_since(mark);
  g_assert_nonnull(strstr(log, "ref=3"));
  g_assert_nonnull(strstr(log, "is in the log only"));
  refuse_rows(fixture, FALSE);
  event_log(EVENT_CODE_SENT, NULL, ORG, "ref", "4", NULL);
  event_log(EVENT_CODE_SENT, NULL, ORG, "ref", "5", NULL);
  event_set_sink(NULL, NULL);
  g_autoptr(GPtrArray) list = waiting(fixture);
  static const char *const references[] = {"1", "4", NULL, "5"};
  g_assert_cmpuint(list->len, ==, G_N_ELEMENTS(references));
  for (guint i = 0; i < list->len; i++) {
    const WaitingEvent *one = list->pdata[i];
    g_assert_cmpstr(event_get(one->event, "ref"), ==, references[i]);
  }
  const WaitingEvent *lost = list->pdata[2];
  g_assert_cmpint(event_kind(lost->event), ==, EVENT_AUDIT_LOST);
  g_assert_cmpstr(event_get(lost->event, "count"), ==, "2");
}

#define THREADS 8
#define EACH    50

static gpointer
record_many(gpointer data)
{
  for (guint i = 0; i < EACH; i++)
    record(data, EVENT_OPENED, "x");
  return NULL;
}

/* From many threads at once, while another takes them out: each once. */
static void
test_threads(Fixture *fixture, gconstpointer data)
{
  (void) data;
  GThread *threads[THREADS];
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < THREADS; i++)
    threads[i] = g_thread_new("recorder", record_many, fixture);
  gint64 end_us = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
  while (g_hash_table_size(seen) < THREADS * EACH) {
    g_assert_cmpint(g_get_monotonic_time(), <, end_us);
    g_autoptr(GPtrArray) list = store_waiting_events(fixture->store, 20, NULL);
    for (guint i = 0; i < list->len; i++)
      g_assert_true(
          g_hash_table_add(seen, g_strdup(((const WaitingEvent *) list->pdata[i])->id)));
    g_assert_true(store_forget_events(fixture->store, list, NULL));
  }
  for (guint i = 0; i < THREADS; i++)
    g_thread_join(threads[i]);
  g_autoptr(GPtrArray) none = waiting(fixture);
  g_assert_cmpuint(none->len, ==, 0);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  catch_log();
  fixture_add("/outbox/rolled back", test_rolled_back);
  fixture_add("/outbox/in order, and once", test_order);
  fixture_add("/outbox/a row that is used again", test_row_again);
  fixture_add("/outbox/damaged", test_damaged);
  fixture_add("/outbox/another key", test_other_key);
  fixture_add("/outbox/sink", test_sink);
  fixture_add("/outbox/threads", test_threads);
  return g_test_run();
}
