/*
 * A database that zegel's first version wrote (version1.sql), opened by this one.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/store/dispatch.h"
#include "common/store/share.h"
#include "tests/unit/store/fixture.h"
#include "tests/unit/tap.h"

#define MADE_S     1795356395 /* when it was written */
#define LEN        200        /* of its messages */
#define KILLS      25
#define TOMBSTONES 20000 /* so that an upgrade takes a while */
#define VERSION    4     /* today's */

static const char *const references[] = {"jxfgvaytv6zb10mn", "9khxvgtn5516m4q5",
                                         "fve9prdrqv81ta45"};

/* The link of message I. */
static FilingRecipient
recipient(guint i)
{
  FilingRecipient one = {.address = ADDRESS};
  memset(one.link_secret, 0x41 + (int) i, sizeof one.link_secret);
  return one;
}

/* Has the fixture's files be those of version 1, with more rows when MANY. */
static void
make_old(Fixture *fixture, gboolean many)
{
  static const char more[] =
      "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT %d)"
      " INSERT INTO entry (organisation, reference, ticket, recipient, link, link_nonce,"
      "  link_key, received_s, expires_s)"
      " SELECT 'ziekenhuis', 'more' || i, randomblob(16), randomblob(32), randomblob(32),"
      "  randomblob(16), 7, 1795000000, 1795000000 FROM n";
  static const char *const endings[] = {"", "-wal", "-shm"};
  g_autofree char *from =
      g_test_build_filename(G_TEST_DIST, "tests/unit/store/version1.sql", NULL);
  g_autofree char *sql = NULL;
  g_autoptr(GError) error = NULL;
  g_assert_true(g_file_get_contents(from, &sql, NULL, NULL));
  fixture_close(fixture);
  for (gsize i = 0; i < G_N_ELEMENTS(endings); i++) {
    g_autofree char *path = g_strconcat(fixture->path, endings[i], NULL);
    g_unlink(path);
  }
  g_assert_true(g_file_set_contents(fixture->path, "", 0, NULL));
  g_autoptr(Db) db = db_open(fixture->path, DB_WRITER, NULL);
  db_exec(db, "PRAGMA foreign_keys = OFF", NULL); /* its tables come in any order */
  db_exec(db, sql, &error);
  g_assert_no_error(error);
  g_autofree char *add = g_strdup_printf(more, TOMBSTONES);
  g_assert_true(!many || db_exec(db, add, NULL));
}

static void
open_old(Fixture *fixture)
{
  fixture_open(fixture);
  fixture->store->skew_s = MADE_S + 10 - g_get_real_time() / G_USEC_PER_SEC;
}

/* All that version 1 knew is there. */
static void
check_all(Fixture *fixture)
{
  Store *store = fixture->store;
  for (guint i = 0; i < 2; i++) {
    FilingRecipient one = recipient(i);
    g_autoptr(Entry) entry = mail_entry(store, ORG, &one);
    g_assert_cmpstr(entry->reference, ==, references[i]);
    g_assert_cmpstr(entry->number, ==, NUMBER);
    g_assert_false(entry->shared);
    g_assert_cmpuint(entry->answers_left, ==, STORE_ANSWERS_MAX);
    g_assert_cmpuint(entry->forwards_left, ==, STORE_FORWARDS_MAX);
    mail_check(store, &one, LEN);
  }
  FilingRecipient over = recipient(2);
  g_assert_cmpint(mail_state(store, &over), ==, ENTRY_EXPIRED);
  g_assert_cmpuint(mail_history(store, references[0], HISTORY_CODE_SENT).count, ==, 2);
  g_assert_cmpuint(mail_history(store, references[0], HISTORY_NOTIFIED).count, ==, 1);
  g_assert_cmpuint(mail_history(store, references[0], HISTORY_STORED).count, ==, 1);
  g_assert_cmpuint(mail_history(store, references[1], HISTORY_NOTIFIED).count, ==, 0);
  g_assert_cmpuint(mail_history(store, references[2], HISTORY_EXPIRED).count, ==, 1);
}

static void
test_upgrade(Fixture *fixture, gconstpointer data)
{
  (void) data;
  make_old(fixture, FALSE);
  open_old(fixture);
  check_all(fixture);

  Store *store = fixture->store;
  FilingRecipient one = recipient(0);
  g_autoptr(Entry) entry = mail_entry(store, ORG, &one);
  static const char code[] = "452962";
  CodeCheck check = CODE_WRONG;
  guint8 session[STORE_SESSION_BYTES];
  guint tries = 0;
  g_assert_true(store_check_code(store, entry, code, NULL, &check, session, &tries, NULL));
  g_assert_cmpint(check, ==, CODE_RIGHT);

  /* Which of them were opened is not known: nobody is told that they never were. */
  g_autoptr(GPtrArray) due =
      store_find_due(store, ORG, DUE_TELL, store_now(store) + DAY, 10, NULL);
  g_assert_cmpuint(due->len, ==, 0);
  /* Nor what was attached. */
  gboolean cut = FALSE;
  g_autoptr(GPtrArray) parts = store_entry_parts(store, entry, one.link_secret, &cut, NULL);
  g_assert_cmpuint(parts->len, ==, 0);
  g_assert_true(cut);
  g_autoptr(Dispatch) dispatch = NULL;
  g_assert_true(store_find_dispatch_of(store, ORG, references[0], &dispatch, NULL));
  g_assert_null(dispatch);
  g_assert_true(store_delete(store, entry, NULL, NULL));
}

/* Postfix tries again what version 1 filed: the same entry, and a dispatch. */
static void
test_repeat(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRoute route = {ADDRESS, "viewer"};
  FilingDispatch filing = {.routes = &route, .route_count = 1};
  FilingRecipient again;
  Mail mail = {.ticket = 1, .len = LEN, .dispatch = &filing};
  make_old(fixture, FALSE);
  open_old(fixture);
  mail_file(fixture->store, &mail, &again);
  g_assert_true(again.existed);
  g_assert_true(again.notified);
  g_assert_cmpstr(again.reference, ==, references[0]);
  g_autoptr(Dispatch) dispatch = NULL;
  g_assert_true(
      store_find_dispatch_of(fixture->store, ORG, references[0], &dispatch, NULL));
  g_assert_cmpstr(((DispatchRecipient *) dispatch->recipients->pdata[0])->reference, ==,
                  references[0]);
}

/* Version 2 had no events that wait. */
static void
test_from_two(Fixture *fixture, gconstpointer data)
{
  (void) data;
  const DbSchema two = {store_schema.application_id, store_schema.steps, 2};
  make_old(fixture, FALSE);
  g_autoptr(Db) db = db_open(fixture->path, DB_WRITER, NULL);
  g_assert_true(db_prepare(db, fixture->path, &two, NULL));
  g_clear_pointer(&db, db_close);
  g_assert_cmpint(fixture_number(fixture, "PRAGMA user_version"), ==, 2);
  open_old(fixture);
  check_all(fixture);
  g_assert_cmpint(fixture_number(fixture, "PRAGMA user_version"), ==, VERSION);
  g_assert_cmpint(fixture_number(fixture, "SELECT count(*) FROM outbox"), ==, 0);
  FilingRecipient one = recipient(0);
  g_autoptr(Entry) entry = mail_entry(fixture->store, ORG, &one);
  g_autoptr(Event) event = event_new(EVENT_DELETED, NULL, ORG, "ref", references[0], NULL);
  g_assert_true(store_delete(fixture->store, entry, event, NULL));
  g_assert_cmpint(fixture_number(fixture, "SELECT count(*) FROM outbox"), ==, 1);
}

/* Killed at any moment it is the one version or the other, and opens. */
static void
test_killed(Fixture *fixture, gconstpointer data)
{
  (void) data;
  guint old = 0;
  guint upgraded = 0;
  for (int i = 0; i < KILLS; i++) {
    make_old(fixture, TRUE);
    pid_t child = fork();
    g_assert_cmpint(child, >=, 0);
    if (child == 0) {
      fixture_open(fixture);
      _exit(0);
    }
    g_usleep((gulong) i * 8000);
    kill(child, SIGKILL);
    g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
    gint64 version = fixture_number(fixture, "PRAGMA user_version");
    old += version == 1;
    upgraded += version == VERSION;
    open_old(fixture);
    check_all(fixture);
    g_assert_cmpint(fixture_number(fixture, "PRAGMA user_version"), ==, VERSION);
    g_assert_cmpint(fixture_number(fixture, "SELECT count(*) FROM history"), ==,
                    TOMBSTONES + 2);
  }
  g_test_message("killed before: %u, after: %u", old, upgraded);
  g_assert_cmpuint(old + upgraded, ==, KILLS);
  g_assert_cmpuint(old, >, 0);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  fixture_add("/upgrade/from version 1", test_upgrade);
  fixture_add("/upgrade/from version 2", test_from_two);
  fixture_add("/upgrade/repeat of what was filed before", test_repeat);
  fixture_add("/upgrade/killed halfway", test_killed);
  return g_test_run();
}
