#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/store/fixture.h"
#include "tests/unit/tap.h"

static const CodeLimits generous = {1000, 1000, 1000, 1000};

/* A filed message, its entry and a code. */
typedef struct {
  FilingRecipient recipient;
  Entry *entry;
  char code[STORE_CODE_DIGITS + 1];
  gint64 code_id;
} Visit;

static void
visit_begin(Fixture *fixture, guint8 ticket, Visit *visit)
{
  memset(visit, 0, sizeof *visit);
  mail_file(fixture->store, &(Mail){.ticket = ticket, .len = 10}, &visit->recipient);
  visit->entry = mail_entry(fixture->store, ORG, &visit->recipient);
}

static CodeIssue
visit_issue(Store *store, Visit *visit, const CodeLimits *limits, guint *wait_s)
{
  CodeIssue result = (CodeIssue) 99;
  guint wait = 99;
  g_autoptr(GError) error = NULL;
  memset(visit->code, 'x', sizeof visit->code);
  g_assert_true(store_issue_code(store, visit->entry, limits, NULL, &result, visit->code,
                                 &visit->code_id, &wait, &error));
  g_assert_no_error(error);
  if (result == CODE_ISSUED) {
    g_assert_cmpuint(strspn(visit->code, "0123456789"), ==, STORE_CODE_DIGITS);
    g_assert_cmpint(visit->code_id, !=, 0);
  } else {
    g_assert_cmpstr(visit->code, ==, "");
  }
  if (wait_s != NULL)
    *wait_s = wait;
  return result;
}

static CodeCheck
visit_check(Store *store, const Visit *visit, const char *code, guint *tries_left)
{
  CodeCheck result = (CodeCheck) 99;
  guint8 session[STORE_SESSION_BYTES];
  guint left = 99;
  g_autoptr(GError) error = NULL;
  memset(session, 0xee, sizeof session);
  g_assert_true(
      store_check_code(store, visit->entry, code, NULL, &result, session, &left, &error));
  g_assert_no_error(error);
  static const guint8 none[STORE_SESSION_BYTES];
  g_assert_true((memcmp(session, none, sizeof none) != 0) == (result == CODE_RIGHT));
  if (tries_left != NULL)
    *tries_left = left;
  return result;
}

static void
wrong_code(const Visit *visit, char wrong[STORE_CODE_DIGITS + 1])
{
  memcpy(wrong, visit->code, STORE_CODE_DIGITS + 1);
  wrong[0] = wrong[0] == '9' ? '0' : (char) (wrong[0] + 1);
}

static void
test_right(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Visit visit;
  guint left = 99;
  visit_begin(fixture, 1, &visit);
  g_assert_cmpint(visit_check(fixture->store, &visit, "123456", &left), ==, CODE_EXPIRED);
  g_assert_cmpuint(left, ==, 0);
  g_assert_cmpint(visit_issue(fixture->store, &visit, &generous, NULL), ==, CODE_ISSUED);
  g_assert_cmpint(visit_check(fixture->store, &visit, visit.code, &left), ==, CODE_RIGHT);
  g_assert_cmpint(visit_check(fixture->store, &visit, visit.code, &left), ==, CODE_EXPIRED);
  g_assert_cmpuint(left, ==, 0);
  entry_free(visit.entry);
}

/* T2: the right code on the sixth try is refused. */
static void
test_tries(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Visit visit;
  char wrong[STORE_CODE_DIGITS + 1];
  guint left = 99;
  visit_begin(fixture, 1, &visit);
  visit_issue(fixture->store, &visit, &generous, NULL);
  wrong_code(&visit, wrong);
  for (guint i = 1; i <= STORE_CODE_TRIES; i++) {
    g_assert_cmpint(visit_check(fixture->store, &visit, wrong, &left), ==, CODE_WRONG);
    g_assert_cmpuint(left, ==, STORE_CODE_TRIES - i);
    fixture_close(fixture); /* tries are counted on disk */
    fixture_open(fixture);
  }
  g_assert_cmpint(visit_check(fixture->store, &visit, visit.code, &left), ==,
                  CODE_NO_TRIES);
  g_assert_cmpuint(left, ==, 0);
  fixture->store->skew_s = STORE_CODE_WAIT_S + 1; /* T26: a new code helps */
  g_assert_cmpint(visit_issue(fixture->store, &visit, &generous, NULL), ==, CODE_ISSUED);
  g_assert_cmpint(visit_check(fixture->store, &visit, visit.code, &left), ==, CODE_RIGHT);
  entry_free(visit.entry);
}

static void
test_malformed(Fixture *fixture, gconstpointer data)
{
  (void) data;
  static const char *const bad[] = {"",       "12345",  "1234567", "12345a",
                                    "12 456", "-12345", "123456 ", "\357\274\221123"};
  Visit visit;
  visit_begin(fixture, 1, &visit);
  visit_issue(fixture->store, &visit, &generous, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    CodeCheck result = CODE_RIGHT;
    guint8 session[STORE_SESSION_BYTES];
    guint left = 99;
    g_autoptr(GError) error = NULL;
    g_assert_false(store_check_code(fixture->store, visit.entry, bad[i], NULL, &result,
                                    session, &left, &error));
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
    g_assert_cmpint(result, !=, CODE_RIGHT);
  }
  guint left = 99;
  char wrong[STORE_CODE_DIGITS + 1];
  wrong_code(&visit, wrong);
  visit_check(fixture->store, &visit, wrong, &left);
  g_assert_cmpuint(left, ==, STORE_CODE_TRIES - 1);
  entry_free(visit.entry);
}

/* T4 */
static void
test_other_link(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Visit a, b;
  visit_begin(fixture, 1, &a);
  visit_begin(fixture, 2, &b);
  visit_issue(fixture->store, &a, &generous, NULL);
  g_assert_cmpint(visit_check(fixture->store, &b, a.code, NULL), ==, CODE_EXPIRED);
  do { /* not equal by chance */
    fixture->store->skew_s += STORE_CODE_WAIT_S + 1;
    visit_issue(fixture->store, &b, &generous, NULL);
  } while (strcmp(a.code, b.code) == 0);
  g_assert_cmpint(visit_check(fixture->store, &b, a.code, NULL), ==, CODE_WRONG);
  g_assert_cmpint(visit_check(fixture->store, &a, a.code, NULL), ==, CODE_RIGHT);
  entry_free(a.entry);
  entry_free(b.entry);
}

static void
test_wait(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Visit visit;
  guint wait_s = 99;
  visit_begin(fixture, 1, &visit);
  visit_issue(fixture->store, &visit, &generous, &wait_s);
  g_assert_cmpuint(wait_s, ==, 0);
  char first[STORE_CODE_DIGITS + 1];
  memcpy(first, visit.code, sizeof first);
  g_assert_cmpint(visit_issue(fixture->store, &visit, &generous, &wait_s), ==, CODE_WAIT);
  g_assert_cmpuint(wait_s, <=, STORE_CODE_WAIT_S);
  g_assert_cmpuint(wait_s, >, STORE_CODE_WAIT_S - 10);
  fixture->store->skew_s = STORE_CODE_WAIT_S + 1;
  g_assert_cmpint(visit_issue(fixture->store, &visit, &generous, &wait_s), ==, CODE_ISSUED);
  if (strcmp(first, visit.code) != 0) /* the older one is dead */
    g_assert_cmpint(visit_check(fixture->store, &visit, first, NULL), ==, CODE_WRONG);
  g_assert_cmpint(visit_check(fixture->store, &visit, visit.code, NULL), ==, CODE_RIGHT);
  entry_free(visit.entry);
}

static void
test_link_limit(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Visit visit;
  visit_begin(fixture, 1, &visit);
  for (int i = 0; i < STORE_CODES_PER_DAY; i++) {
    g_assert_cmpint(visit_issue(fixture->store, &visit, &generous, NULL), ==, CODE_ISSUED);
    fixture->store->skew_s += 3600;
  }
  g_assert_cmpint(visit_issue(fixture->store, &visit, &generous, NULL), ==,
                  CODE_LIMIT_LINK);
  fixture->store->skew_s = DAY - 100;
  g_assert_cmpint(visit_issue(fixture->store, &visit, &generous, NULL), ==,
                  CODE_LIMIT_LINK);
  fixture->store->skew_s = DAY + 1; /* rolling: one is a day old now */
  g_assert_cmpint(visit_issue(fixture->store, &visit, &generous, NULL), ==, CODE_ISSUED);
  fixture->store->skew_s += 100;
  g_assert_cmpint(visit_issue(fixture->store, &visit, &generous, NULL), ==,
                  CODE_LIMIT_LINK);
  entry_free(visit.entry);
}

typedef struct {
  const char *name;
  CodeLimits limits;
  Mail second; /* what differs from the first mail */
  gboolean reached;
} LimitRow;

#define MANY 1000
static const LimitRow limit_rows[] = {
    {"number", {1, MANY, MANY, MANY}, {.address = "b@c.d", .sender = "x@y.z"}, TRUE},
    {"other number", {1, MANY, MANY, MANY}, {.number = "+31687654321"}, FALSE},
    {"number, other organisation", {1, MANY, MANY, MANY}, {.organisation = "ha"}, FALSE},
    {"sender", {MANY, 1, MANY, MANY}, {.number = "+31687654321"}, TRUE},
    {"sender in capitals",
     {MANY, 1, MANY, MANY},
     {.sender = "DOKTER.canary-sender@OWN.example"},
     TRUE},
    {"other sender", {MANY, 1, MANY, MANY}, {.sender = "x@y.z"}, FALSE},
    {"organisation",
     {MANY, MANY, 1, MANY},
     {.number = "+31687654321", .sender = "x@y.z"},
     TRUE},
    {"other organisation", {MANY, MANY, 1, MANY}, {.organisation = "ha"}, FALSE},
    {"total",
     {MANY, MANY, MANY, 1},
     {.organisation = "ha", .number = "+31687654321", .sender = "x@y.z"},
     TRUE},
    {"number, and none", {1, MANY, MANY, MANY}, {.number = ""}, FALSE},
    {"none", {0, MANY, MANY, MANY}, {.number = "+31687654321"}, TRUE},
};

static void
test_limits(Fixture *fixture, gconstpointer data)
{
  const LimitRow *row = data;
  Visit first, second;
  visit_begin(fixture, 1, &first);
  visit_issue(fixture->store, &first, &generous, NULL);
  Mail mail = row->second;
  mail.ticket = 2;
  mail_file(fixture->store, &mail, &second.recipient);
  second.entry =
      mail_entry(fixture->store, mail.organisation != NULL ? mail.organisation : ORG,
                 &second.recipient);
  g_assert_cmpint(visit_issue(fixture->store, &second, &row->limits, NULL), ==,
                  row->reached ? CODE_LIMIT_OTHER : CODE_ISSUED);
  fixture->store->skew_s = DAY + 1;
  if (row->limits.number > 0) /* rolling: all is forgotten after a day */
    g_assert_cmpint(visit_issue(fixture->store, &second, &row->limits, NULL), ==,
                    CODE_ISSUED);
  entry_free(first.entry);
  entry_free(second.entry);
}

/* What could not be sent counts for nothing, and cannot be typed. */
static void
test_revoke(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Visit visit, other;
  visit_begin(fixture, 1, &visit);
  visit_begin(fixture, 2, &other);
  for (int i = 0; i < 3 * STORE_CODES_PER_DAY; i++) {
    g_assert_cmpint(visit_issue(fixture->store, &visit, &generous, NULL), ==, CODE_ISSUED);
    g_assert_true(store_revoke_code(fixture->store, other.entry, visit.code_id, NULL,
                                    NULL)); /* not its */
    g_assert_cmpint(visit_issue(fixture->store, &other, &generous, NULL), ==,
                    i == 0 ? CODE_ISSUED : CODE_WAIT);
    g_assert_true(
        store_revoke_code(fixture->store, visit.entry, visit.code_id, NULL, NULL));
    char code[STORE_CODE_DIGITS + 1] = "000000";
    g_assert_cmpint(visit_check(fixture->store, &visit, code, NULL), ==, CODE_EXPIRED);
  }
  entry_free(visit.entry);
  entry_free(other.entry);
}

/* A code that was used cannot be taken back: its session would lose its count. */
static void
test_revoke_used(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Visit visit;
  visit_begin(fixture, 1, &visit);
  visit_issue(fixture->store, &visit, &generous, NULL);
  gint64 id = visit.code_id;
  visit_check(fixture->store, &visit, visit.code, NULL);
  g_assert_true(store_revoke_code(fixture->store, visit.entry, id, NULL, NULL));
  g_assert_cmpint(visit_issue(fixture->store, &visit, &generous, NULL), ==, CODE_WAIT);
  entry_free(visit.entry);
}

/* F20, T34: what was used or seen expired stays so, wherever the clock goes. */
static void
test_clock(Fixture *fixture, gconstpointer data)
{
  (void) data;
  static const gint64 jumps[] = {
      -3600, 0, 300, 3600, -3600, 10LL * 365 * DAY, -50LL * 365 * DAY, 0, 1};
  Visit used, late, early;
  visit_begin(fixture, 1, &used);
  visit_begin(fixture, 2, &late);
  visit_begin(fixture, 3, &early);
  visit_issue(fixture->store, &used, &generous, NULL);
  visit_issue(fixture->store, &late, &generous, NULL);
  visit_issue(fixture->store, &early, &generous, NULL);
  g_assert_cmpint(visit_check(fixture->store, &used, used.code, NULL), ==, CODE_RIGHT);
  fixture->store->skew_s = -3600; /* a code from the future is none */
  g_assert_cmpint(visit_check(fixture->store, &early, early.code, NULL), ==, CODE_EXPIRED);
  fixture->store->skew_s = STORE_CODE_LIFE_S + 1;
  g_assert_cmpint(visit_check(fixture->store, &late, late.code, NULL), ==, CODE_EXPIRED);
  for (gsize i = 0; i < G_N_ELEMENTS(jumps); i++) {
    fixture->store->skew_s = jumps[i];
    g_assert_cmpint(visit_check(fixture->store, &used, used.code, NULL), ==, CODE_EXPIRED);
    g_assert_cmpint(visit_check(fixture->store, &late, late.code, NULL), ==, CODE_EXPIRED);
  }
  entry_free(used.entry);
  entry_free(late.entry);
  entry_free(early.entry);
}

static void
test_life(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Visit visit;
  visit_begin(fixture, 1, &visit);
  visit_issue(fixture->store, &visit, &generous, NULL);
  fixture->store->skew_s = STORE_CODE_LIFE_S - 5;
  g_assert_cmpint(visit_check(fixture->store, &visit, visit.code, NULL), ==, CODE_RIGHT);
  entry_free(visit.entry);
}

static void
test_gone_entry(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Visit visit;
  visit_begin(fixture, 1, &visit);
  visit_issue(fixture->store, &visit, &generous, NULL);
  fixture->store->skew_s = RETENTION + 1;
  CodeIssue result = CODE_ISSUED;
  guint wait_s = 0;
  g_autoptr(GError) error = NULL;
  g_assert_false(store_issue_code(fixture->store, visit.entry, &generous, NULL, &result,
                                  visit.code, &visit.code_id, &wait_s, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  g_assert_cmpint(visit_check(fixture->store, &visit, "000000", NULL), ==, CODE_EXPIRED);
  entry_free(visit.entry);
}

/* A rotation of the store key between sending and typing. */
static void
test_rotation(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Visit visit, again;
  visit_begin(fixture, 1, &visit);
  visit_begin(fixture, 2, &again);
  visit_issue(fixture->store, &visit, &generous, NULL);
  fixture_close(fixture);
  keyring_free(fixture->ring);
  fixture->ring = ring_new(KEY_STORE, TRUE);
  fixture_open(fixture);
  static const CodeLimits one = {1, MANY, MANY, MANY};
  g_assert_cmpint(visit_issue(fixture->store, &again, &one, NULL), ==, CODE_LIMIT_OTHER);
  g_assert_cmpint(visit_check(fixture->store, &visit, visit.code, NULL), ==, CODE_RIGHT);
  entry_free(visit.entry);
  entry_free(again.entry);
}

/* Who has no number: the address counts in its place, in any case (S6). */
static void
test_limit_of_address(Fixture *fixture, gconstpointer data)
{
  (void) data;
  static const CodeLimits one = {1, MANY, MANY, MANY};
  static const struct {
    const char *address;
    CodeIssue expected;
  } rows[] = {
      {ADDRESS, CODE_ISSUED},
      {ADDRESS, CODE_LIMIT_OTHER},
      {"JAN.canary-address@EXAMPLE.com", CODE_LIMIT_OTHER},
      {"piet@example.com", CODE_ISSUED},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    Visit visit;
    Mail mail = {.address = rows[i].address, .number = "", .ticket = (guint8) (10 + i)};
    mail_file(fixture->store, &mail, &visit.recipient);
    visit.entry = mail_entry(fixture->store, ORG, &visit.recipient);
    g_assert_cmpstr(visit.entry->number, ==, "");
    g_assert_cmpint(visit_issue(fixture->store, &visit, &one, NULL), ==, rows[i].expected);
    entry_free(visit.entry);
  }
}

/* Each digit comes at each place: 300 codes miss one with a chance of 1 in 10^12. */
static void
test_digits(Fixture *fixture, gconstpointer data)
{
  (void) data;
  guint seen[STORE_CODE_DIGITS][10] = {{0}};
  Visit visit;
  visit_begin(fixture, 1, &visit);
  for (int i = 0; i < 300; i++) {
    fixture->store->skew_s += 3600;
    visit_issue(fixture->store, &visit, &generous, NULL);
    if (visit.code[0] == '\0')
      g_assert_true(
          store_revoke_code(fixture->store, visit.entry, visit.code_id, NULL, NULL));
    for (int d = 0; d < STORE_CODE_DIGITS && visit.code[0] != '\0'; d++)
      seen[d][visit.code[d] - '0']++;
    g_assert_true(
        store_revoke_code(fixture->store, visit.entry, visit.code_id, NULL, NULL));
  }
  for (int d = 0; d < STORE_CODE_DIGITS; d++)
    for (int digit = 0; digit < 10; digit++)
      g_assert_cmpuint(seen[d][digit], >, 0);
  entry_free(visit.entry);
}

/* ---- many at once ---- */

typedef struct {
  Store *store;
  const Visit *visit;
  const char *code;
  gint results[4]; /* by CodeCheck */
} Crowd;

static gpointer
guess(gpointer p)
{
  Crowd *crowd = p;
  CodeCheck result = visit_check(crowd->store, crowd->visit, crowd->code, NULL);
  g_atomic_int_inc(&crowd->results[result]);
  return NULL;
}

static void
crowd_guess(Crowd *crowd, guint count)
{
  g_autofree GThread **threads = g_new0(GThread *, count);
  for (guint i = 0; i < count; i++)
    threads[i] = g_thread_new("guess", guess, crowd);
  for (guint i = 0; i < count; i++)
    g_thread_join(threads[i]);
}

static void
test_parallel_wrong(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Visit visit;
  char wrong[STORE_CODE_DIGITS + 1];
  visit_begin(fixture, 1, &visit);
  visit_issue(fixture->store, &visit, &generous, NULL);
  wrong_code(&visit, wrong);
  Crowd crowd = {fixture->store, &visit, wrong, {0}};
  crowd_guess(&crowd, 200);
  g_assert_cmpint(crowd.results[CODE_WRONG], ==, STORE_CODE_TRIES);
  g_assert_cmpint(crowd.results[CODE_NO_TRIES], ==, 200 - STORE_CODE_TRIES);
  entry_free(visit.entry);
}

static void
test_parallel_right(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Visit visit;
  visit_begin(fixture, 1, &visit);
  visit_issue(fixture->store, &visit, &generous, NULL);
  Crowd crowd = {fixture->store, &visit, visit.code, {0}};
  crowd_guess(&crowd, 100);
  g_assert_cmpint(crowd.results[CODE_RIGHT], ==, 1);
  g_assert_cmpint(crowd.results[CODE_EXPIRED], ==, 99);
  entry_free(visit.entry);
}

/* Runs COUNT guesses of CODE in each of four processes; how many had RESULT. */
static int
processes_guess(Fixture *fixture, const Visit *visit, const char *code, guint count,
                CodeCheck result)
{
  pid_t children[4];
  fixture_close(fixture); /* SQLite does not survive a fork */
  for (gsize i = 0; i < G_N_ELEMENTS(children); i++) {
    children[i] = fork();
    g_assert_cmpint(children[i], >=, 0);
    if (children[i] == 0) {
      fixture_open(fixture);
      Crowd crowd = {fixture->store, visit, code, {0}};
      crowd_guess(&crowd, count);
      _exit(crowd.results[result]);
    }
  }
  int total = 0;
  for (gsize i = 0; i < G_N_ELEMENTS(children); i++) {
    int status = -1;
    g_assert_cmpint(waitpid(children[i], &status, 0), ==, children[i]);
    g_assert_true(WIFEXITED(status));
    total += WEXITSTATUS(status);
  }
  fixture_open(fixture);
  return total;
}

static void
test_processes_wrong(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Visit visit;
  char wrong[STORE_CODE_DIGITS + 1];
  visit_begin(fixture, 1, &visit);
  visit_issue(fixture->store, &visit, &generous, NULL);
  wrong_code(&visit, wrong);
  g_assert_cmpint(processes_guess(fixture, &visit, wrong, 50, CODE_WRONG), ==,
                  STORE_CODE_TRIES);
  g_assert_cmpint(visit_check(fixture->store, &visit, visit.code, NULL), ==, CODE_NO_TRIES);
  entry_free(visit.entry);
}

static void
test_processes_right(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Visit visit;
  visit_begin(fixture, 1, &visit);
  visit_issue(fixture->store, &visit, &generous, NULL);
  g_assert_cmpint(processes_guess(fixture, &visit, visit.code, 25, CODE_RIGHT), ==, 1);
  entry_free(visit.entry);
}

static gpointer
ask(gpointer p)
{
  Crowd *crowd = p;
  Visit visit = *crowd->visit;
  CodeIssue result = visit_issue(crowd->store, &visit, &generous, NULL);
  g_atomic_int_inc(&crowd->results[result]);
  return NULL;
}

/* However many ask at once, one SMS goes out. */
static void
test_parallel_issue(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Visit visit;
  GThread *threads[50];
  visit_begin(fixture, 1, &visit);
  Crowd crowd = {fixture->store, &visit, NULL, {0}};
  for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
    threads[i] = g_thread_new("ask", ask, &crowd);
  for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
    g_thread_join(threads[i]);
  g_assert_cmpint(crowd.results[CODE_ISSUED], ==, 1);
  g_assert_cmpint(crowd.results[CODE_WAIT], ==, 49);
  entry_free(visit.entry);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  fixture_add("/code/right", test_right);
  fixture_add("/code/tries (T2)", test_tries);
  fixture_add("/code/malformed", test_malformed);
  fixture_add("/code/other link (T4)", test_other_link);
  fixture_add("/code/wait", test_wait);
  fixture_add("/code/limit of a link", test_link_limit);
  for (gsize i = 0; i < G_N_ELEMENTS(limit_rows); i++) {
    g_autofree char *path = g_strconcat("/code/limits/", limit_rows[i].name, NULL);
    g_test_add(path, Fixture, &limit_rows[i], fixture_setup, test_limits, fixture_teardown);
  }
  fixture_add("/code/limit of an address (S6)", test_limit_of_address);
  fixture_add("/code/revoke", test_revoke);
  fixture_add("/code/revoke used", test_revoke_used);
  fixture_add("/code/clock (F20, T34)", test_clock);
  fixture_add("/code/life", test_life);
  fixture_add("/code/gone entry", test_gone_entry);
  fixture_add("/code/rotation", test_rotation);
  fixture_add("/code/digits", test_digits);
  fixture_add("/code/200 wrong at once (T2)", test_parallel_wrong);
  fixture_add("/code/100 right at once (T3)", test_parallel_right);
  fixture_add("/code/wrong in four processes", test_processes_wrong);
  fixture_add("/code/right in four processes", test_processes_right);
  fixture_add("/code/50 ask at once", test_parallel_issue);
  return g_test_run();
}
