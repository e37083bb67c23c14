#include "tests/unit/store/fixture.h"
#include "tests/unit/tap.h"

static const CodeLimits generous = {1000, 1000, 1000, 1000};

typedef struct {
  FilingRecipient recipient;
  Entry *entry;
  guint8 session[STORE_SESSION_BYTES];
} Visit;

static void
visit_begin(Fixture *fixture, guint8 ticket, gint64 expires_s, Visit *visit)
{
  Mail mail = {.ticket = ticket, .expires_s = expires_s};
  mail_file(fixture->store, &mail, &visit->recipient);
  visit->entry = mail_entry(fixture->store, ORG, &visit->recipient);
  CodeIssue issue = CODE_WAIT;
  CodeCheck check = CODE_WRONG;
  char code[STORE_CODE_DIGITS + 1];
  gint64 code_id = 0;
  guint number = 0;
  g_assert_true(store_issue_code(fixture->store, visit->entry, &generous, NULL, &issue,
                                 code, &code_id, &number, NULL));
  g_assert_true(store_check_code(fixture->store, visit->entry, code, NULL, &check,
                                 visit->session, &number, NULL));
  g_assert_cmpint(check, ==, CODE_RIGHT);
}

static gboolean
is_alive(Store *store, const Entry *entry, const guint8 *session, gint64 *ends_s)
{
  gboolean alive = -1;
  gint64 ends = -1;
  g_autoptr(GError) error = NULL;
  g_assert_true(store_touch_session(store, entry, session, &alive, &ends, &error));
  g_assert_no_error(error);
  g_assert_true(alive == TRUE || alive == FALSE);
  if (ends_s != NULL)
    *ends_s = ends;
  return alive;
}

static void
test_idle(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Visit visit;
  gint64 ends_s = 0;
  visit_begin(fixture, 1, 0, &visit);
  for (int i = 0; i < 5; i++) {
    g_assert_true(is_alive(fixture->store, visit.entry, visit.session, &ends_s));
    g_assert_cmpint(ABS(ends_s - store_now(fixture->store) - STORE_SESSION_IDLE_S), <, 3);
    fixture->store->skew_s += STORE_SESSION_IDLE_S - 5;
  }
  fixture->store->skew_s += 10;
  g_assert_false(is_alive(fixture->store, visit.entry, visit.session, NULL));
  fixture->store->skew_s -= 100; /* over is over, whatever the clock says later */
  g_assert_false(is_alive(fixture->store, visit.entry, visit.session, NULL));
  entry_free(visit.entry);
}

static void
test_absolute(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Visit visit;
  gint64 ends_s = 0;
  visit_begin(fixture, 1, 0, &visit);
  gint64 began_s = store_now(fixture->store);
  for (int i = 0; i < STORE_SESSION_MAX_S / 1000; i++) {
    g_assert_true(is_alive(fixture->store, visit.entry, visit.session, &ends_s));
    g_assert_cmpint(ends_s, <=, began_s + STORE_SESSION_MAX_S);
    fixture->store->skew_s += 1000;
  }
  g_assert_true(is_alive(fixture->store, visit.entry, visit.session, &ends_s));
  fixture->store->skew_s = STORE_SESSION_MAX_S + 1;
  g_assert_false(is_alive(fixture->store, visit.entry, visit.session, NULL));
  entry_free(visit.entry);
}

static void
test_end(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Visit visit;
  visit_begin(fixture, 1, 0, &visit);
  fixture_close(fixture); /* a restart ends no session */
  fixture_open(fixture);
  g_assert_true(is_alive(fixture->store, visit.entry, visit.session, NULL));
  g_assert_true(store_end_session(fixture->store, visit.session, NULL, NULL));
  g_assert_false(is_alive(fixture->store, visit.entry, visit.session, NULL));
  g_assert_true(store_end_session(fixture->store, visit.session, NULL, NULL));
  entry_free(visit.entry);
}

/* A session opens its own message alone; asking with it elsewhere does not harm it. */
static void
test_other_entry(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Visit a, b;
  visit_begin(fixture, 1, 0, &a);
  visit_begin(fixture, 2, 0, &b);
  g_assert_false(is_alive(fixture->store, b.entry, a.session, NULL));
  g_assert_false(is_alive(fixture->store, a.entry, b.session, NULL));
  g_assert_true(is_alive(fixture->store, a.entry, a.session, NULL));
  g_assert_true(is_alive(fixture->store, b.entry, b.session, NULL));
  entry_free(a.entry);
  entry_free(b.entry);
}

/* T7: an id that we did not give is worth nothing, nor is the stored hash. */
static void
test_planted(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Visit visit;
  visit_begin(fixture, 1, 0, &visit);
  guint8 planted[STORE_SESSION_BYTES] = {1, 2, 3};
  g_assert_false(is_alive(fixture->store, visit.entry, planted, NULL));
  session_hash(visit.session, planted);
  g_assert_false(is_alive(fixture->store, visit.entry, planted, NULL));
  visit.session[0] ^= 1;
  g_assert_false(is_alive(fixture->store, visit.entry, visit.session, NULL));
  entry_free(visit.entry);
}

/* A message whose time is over takes its sessions along. */
static void
test_expired_entry(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Visit visit;
  gint64 ends_s = 0;
  gint64 expires_s = store_now(fixture->store) + 500;
  visit_begin(fixture, 1, expires_s, &visit);
  g_assert_true(is_alive(fixture->store, visit.entry, visit.session, &ends_s));
  g_assert_cmpint(ends_s, ==, expires_s);
  fixture->store->skew_s = 501;
  g_assert_false(is_alive(fixture->store, visit.entry, visit.session, NULL));
  entry_free(visit.entry);
}

/* F20: an hour back ends a session rather than prolonging it. */
static void
test_clock_back(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Visit visit;
  visit_begin(fixture, 1, 0, &visit);
  fixture->store->skew_s = -30; /* a small correction harms nobody */
  g_assert_true(is_alive(fixture->store, visit.entry, visit.session, NULL));
  fixture->store->skew_s = -3600;
  g_assert_false(is_alive(fixture->store, visit.entry, visit.session, NULL));
  entry_free(visit.entry);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  fixture_add("/session/idle (V10)", test_idle);
  fixture_add("/session/absolute", test_absolute);
  fixture_add("/session/end", test_end);
  fixture_add("/session/other entry", test_other_entry);
  fixture_add("/session/planted (T7)", test_planted);
  fixture_add("/session/expired entry", test_expired_entry);
  fixture_add("/session/clock back (F20)", test_clock_back);
  return g_test_run();
}
