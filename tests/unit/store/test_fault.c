/*
 * What the disk, another process or a kill can do to the store.
 */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/store/dispatch.h"
#include "common/store/share.h"
#include "tests/unit/store/fixture.h"
#include "tests/unit/tap.h"

#define KIB   1024
#define KILLS 40
#define ENDS  10

static int
try_file(Store *store, guint8 ticket, gsize len)
{
  FilingRecipient recipient;
  Mail mail = {.ticket = ticket, .len = len};
  g_autofree guint8 *content = mail_content(len);
  g_autoptr(GError) error = NULL;
  mail_recipient(&mail, &recipient);
  if (mail_file_content(store, &mail, content, len, &recipient, 1, &error))
    return -1;
  g_assert_true(error->domain == ZEGEL_ERROR);
  return error->code;
}

static gint64
count_rows(const Fixture *fixture, const char *sql)
{
  g_autoptr(Db) db = db_open(fixture->path, DB_READER, NULL);
  g_autoptr(Query) query = db_query(db, sql, DB_NO_VALUES, NULL);
  g_assert_cmpint(query_step(query, NULL), ==, 1);
  return query_int(query, 0);
}

/* F11: another holds the lock for less, then for more, than we wait. */
static gpointer
hold_lock(gpointer data)
{
  Db *db = data;
  g_usleep(G_USEC_PER_SEC);
  db_exec(db, "COMMIT", NULL);
  return NULL;
}

static void
test_busy(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(Db) other = db_open(fixture->path, DB_WRITER, NULL);
  g_assert_true(db_exec(other, "BEGIN EXCLUSIVE", NULL));
  GThread *thread = g_thread_new("holder", hold_lock, other);
  g_assert_cmpint(try_file(fixture->store, 1, 10), ==, -1);
  g_thread_join(thread);

  g_assert_true(db_exec(other, "BEGIN EXCLUSIVE", NULL));
  gint64 start = g_get_monotonic_time();
  g_assert_cmpint(try_file(fixture->store, 2, 10), ==, ZEGEL_ERROR_TEMPORARY);
  gint64 waited_us = g_get_monotonic_time() - start;
  g_assert_cmpint(waited_us, >, 4 * G_USEC_PER_SEC);
  g_assert_cmpint(waited_us, <, 20 * G_USEC_PER_SEC);
  g_assert_true(db_exec(other, "COMMIT", NULL));
  g_assert_cmpint(try_file(fixture->store, 2, 10), ==, -1);
}

/* F9: what is written into a removed file is lost, so it is not acknowledged. */
static void
test_removed(Fixture *fixture, gconstpointer data)
{
  static const char *const endings[] = {"", "-wal"};
  const char *ending = endings[GPOINTER_TO_UINT(data)];
  g_assert_cmpint(try_file(fixture->store, 1, 10), ==, -1);
  g_autofree char *path = g_strconcat(fixture->path, ending, NULL);
  g_assert_cmpint(g_unlink(path), ==, 0);
  g_assert_cmpint(try_file(fixture->store, 2, 10), ==, ZEGEL_ERROR_TEMPORARY);
}

/* Runs FUNC in a process of its own; its exit status. */
static int
in_child(Fixture *fixture, int (*func)(Fixture *fixture))
{
  fixture_close(fixture);
  pid_t child = fork();
  g_assert_cmpint(child, >=, 0);
  if (child == 0) {
    fixture_open(fixture);
    _exit(func(fixture));
  }
  int status = -1;
  g_assert_cmpint(waitpid(child, &status, 0), ==, child);
  fixture_open(fixture);
  g_assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static gpointer
file_in_thread(gpointer p)
{
  Store *store = ((gpointer *) p)[0];
  return GINT_TO_POINTER(
      try_file(store, (guint8) GPOINTER_TO_UINT(((gpointer *) p)[1]), 100 * KIB));
}

/*
 * F8: no room. Everybody who waits is told; with room it goes on without a restart. (A
 * limit on the size of files is an I/O error to SQLite, a full disk SQLITE_FULL.)
 */
static int
fill_disk(Fixture *fixture)
{
  struct rlimit limit = {.rlim_cur = 200 * KIB, .rlim_max = RLIM_INFINITY};
  GThread *threads[10];
  gpointer args[10][2];
  if (try_file(fixture->store, 1, 10) != -1)
    return 1;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &limit);
  for (guint i = 0; i < 10; i++) {
    args[i][0] = fixture->store;
    args[i][1] = GUINT_TO_POINTER(i + 100);
    threads[i] = g_thread_new("filer", file_in_thread, args[i]);
  }
  int told = 0;
  for (guint i = 0; i < 10; i++)
    told += GPOINTER_TO_INT(g_thread_join(threads[i])) != -1;
  int large = try_file(fixture->store, 3, 1000 * KIB);
  limit.rlim_cur = RLIM_INFINITY;
  setrlimit(RLIMIT_FSIZE, &limit);
  if (told < 9 || large != ZEGEL_ERROR_FULL) /* one may just fit */
    return 2;
  return try_file(fixture->store, 2, 100 * KIB) == -1 &&
                 try_file(fixture->store, 3, 1000 * KIB) == -1
             ? 0
             : 3;
}

static void
test_full(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_assert_cmpint(in_child(fixture, fill_disk), ==, 0);
  g_assert_cmpint(count_rows(fixture, "SELECT count(*) FROM entry"), >=, 3);
}

/* A job that fails takes nobody else's along. */
static gpointer
fail_often(gpointer store)
{
  for (int i = 0; i < 50; i++)
    g_assert_false(store_set_notified(store, ORG, "nosuch", "4Z", NULL, NULL));
  return NULL;
}

static void
test_bad_neighbour(Fixture *fixture, gconstpointer data)
{
  (void) data;
  GThread *threads[4];
  for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
    threads[i] = g_thread_new("failing", fail_often, fixture->store);
  for (guint8 i = 1; i < 50; i++)
    g_assert_cmpint(try_file(fixture->store, i, 1000), ==, -1);
  for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
    g_thread_join(threads[i]);
  g_assert_cmpint(count_rows(fixture, "SELECT count(*) FROM entry"), ==, 49);
}

/* What a process says of each message that was committed. */
typedef struct {
  guint8 ticket;
  guint8 link_secret[STORE_LINK_SECRET_BYTES];
  gboolean existed;
} Acknowledged;

/* Files small and large messages until it is killed, and says what it did. */
static void
file_until_killed(Fixture *fixture, guint8 first, int out)
{
  fixture_open(fixture);
  for (guint8 ticket = first; ticket < first + 10; ticket++) {
    FilingRecipient recipient;
    mail_file(fixture->store,
              &(Mail){.ticket = ticket, .len = ticket % 2 == 0 ? 3000 : 200 * KIB},
              &recipient);
    Acknowledged done = {.ticket = ticket, .existed = recipient.existed};
    memcpy(done.link_secret, recipient.link_secret, STORE_LINK_SECRET_BYTES);
    if (write(out, &done, sizeof done) != sizeof done)
      _exit(1);
  }
  _exit(0);
}

static void
check_acknowledged(Fixture *fixture, const GArray *list)
{
  for (guint i = 0; i < list->len; i++) {
    const Acknowledged *done = &g_array_index(list, Acknowledged, i);
    FilingRecipient recipient;
    memcpy(recipient.link_secret, done->link_secret, sizeof done->link_secret);
    if (!done->existed)
      mail_check(fixture->store, &recipient, done->ticket % 2 == 0 ? 3000 : 200 * KIB);
  }
}

/* F1, K2: killed at any moment, what was acknowledged is there, once. */
static void
test_kills(Fixture *fixture, gconstpointer data)
{
  (void) data;
  guint acknowledged = 0;
  for (int round = 0; round < KILLS; round++) {
    int pipe_fds[2];
    guint8 first = (guint8) (1 + 10 * (round % 20)); /* later rounds repeat tickets */
    fixture_close(fixture);
    g_assert_cmpint(pipe(pipe_fds), ==, 0);
    pid_t child = fork();
    if (child == 0)
      file_until_killed(fixture, first, pipe_fds[1]);
    close(pipe_fds[1]);
    Acknowledged done;
    GArray *list = g_array_new(FALSE, FALSE, sizeof done);
    for (int i = 0; i < round % 10; i++) {
      g_assert_cmpint(read(pipe_fds[0], &done, sizeof done), ==, sizeof done);
      g_array_append_val(list, done);
    }
    g_usleep((gulong) (round * 367 % 3000));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    fixture_open(fixture);
    while (read(pipe_fds[0], &done, sizeof done) == sizeof done)
      g_array_append_val(list, done);
    acknowledged += list->len;
    check_acknowledged(fixture, list);
    g_array_unref(list);
    close(pipe_fds[0]);
    for (guint8 ticket = first; ticket < first + 10; ticket++) /* Postfix tries again */
      g_assert_cmpint(try_file(fixture->store, ticket, 10), ==, -1);
  }
  g_test_message("%u acknowledged in %d rounds", acknowledged, KILLS);
  g_assert_cmpuint(acknowledged, >, 100);
  g_assert_cmpint(
      count_rows(fixture, "SELECT count(*) - count(DISTINCT ticket) FROM entry"), ==, 0);
  g_assert_cmpint(count_rows(fixture, "SELECT count(*) FROM message"), ==,
                  count_rows(fixture, "SELECT count(*) FROM entry"));
}

/* Withdraws what was filed, one after the other, until it is killed. */
static void
withdraw_until_killed(Fixture *fixture, const FilingRecipient *recipients, int out)
{
  fixture_open(fixture);
  for (guint8 i = 0; i < ENDS; i++) {
    gboolean changed = FALSE;
    g_assert_true(store_withdraw(fixture->store, ORG, recipients[i].reference,
                                 HISTORY_RECALLED, NULL, &changed, NULL));
    if (write(out, &i, 1) != 1)
      _exit(1);
  }
  _exit(0);
}

/* Each message of RECIPIENTS is whole, or withdrawn with its history: how many are. */
static guint
count_withdrawn(Fixture *fixture, const FilingRecipient *recipients)
{
  guint withdrawn = 0;
  for (guint i = 0; i < ENDS; i++) {
    EntryState state = mail_state(fixture->store, &recipients[i]);
    HistoryLine line =
        mail_history(fixture->store, recipients[i].reference, HISTORY_RECALLED);
    g_assert_true((state == ENTRY_WITHDRAWN) == (line.count == 1));
    if (state == ENTRY_WITHDRAWN)
      withdrawn++;
    else
      mail_check(fixture->store, &recipients[i], 200 * KIB);
  }
  return withdrawn;
}

/* F1, S13: killed at any moment, what was said to be withdrawn is. */
static void
test_withdraw_kills(Fixture *fixture, gconstpointer data)
{
  (void) data;
  guint partly = 0;
  for (guint round = 0; round < 12; round++) {
    FilingRecipient recipients[ENDS];
    int pipe_fds[2];
    for (guint8 i = 0; i < ENDS; i++)
      mail_file(fixture->store,
                &(Mail){.ticket = (guint8) (1 + round * ENDS + i), .len = 200 * KIB},
                &recipients[i]);
    fixture_close(fixture);
    g_assert_cmpint(pipe(pipe_fds), ==, 0);
    pid_t child = fork();
    if (child == 0)
      withdraw_until_killed(fixture, recipients, pipe_fds[1]);
    close(pipe_fds[1]);
    guint8 last = 0;
    guint said = 0;
    if (round % 3 != 0 && read(pipe_fds[0], &last, 1) == 1)
      said++;
    g_usleep(round * 700);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    while (read(pipe_fds[0], &last, 1) == 1)
      said++;
    close(pipe_fds[0]);
    fixture_open(fixture);
    guint withdrawn = count_withdrawn(fixture, recipients);
    g_assert_cmpuint(withdrawn, >=, said);
    g_assert_cmpuint(withdrawn, <=, said + 1);
    partly += withdrawn > 0 && withdrawn < ENDS;
  }
  g_test_message("%u of 12 were killed in between", partly);
  g_assert_cmpuint(partly, >, 0);
}

/* Two processes file at once; nothing of either is lost. */
static void
test_two_processes(Fixture *fixture, gconstpointer data)
{
  (void) data;
  pid_t children[2];
  fixture_close(fixture);
  for (guint8 i = 0; i < 2; i++) {
    children[i] = fork();
    if (children[i] == 0) {
      fixture_open(fixture);
      for (guint8 n = 0; n < 50; n++)
        if (try_file(fixture->store, (guint8) (1 + i * 100 + n), 3000) != -1)
          _exit(1);
      _exit(0);
    }
  }
  for (guint8 i = 0; i < 2; i++) {
    int status = -1;
    g_assert_cmpint(waitpid(children[i], &status, 0), ==, children[i]);
    g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  fixture_open(fixture);
  g_assert_cmpint(count_rows(fixture, "SELECT count(*) FROM entry"), ==, 100);
}

#define DAMAGES      60
#define DAMAGED_MAIL 6

/* The same of draft, attachments and dispatch. */
static void
read_damaged_more(Store *store, const Entry *entry, const guint8 *link_secret)
{
  gboolean cut = FALSE;
  g_autofree char *draft = store_get_draft(store, entry, link_secret, NULL);
  g_autoptr(GPtrArray) parts = store_entry_parts(store, entry, link_secret, &cut, NULL);
  g_autoptr(Dispatch) dispatch = NULL;
  if (draft != NULL && *draft != '\0')
    g_assert_cmpstr(draft, ==, "geachte dokter");
  if (parts != NULL && parts->len > 0)
    g_assert_cmpstr(((TicketPart *) parts->pdata[0])->name, ==, "brief.pdf");
  if (store_find_dispatch_of(store, ORG, entry->reference, &dispatch, NULL) &&
      dispatch != NULL && dispatch->recipients->len > 0)
    g_assert_cmpstr(((DispatchRecipient *) dispatch->recipients->pdata[0])->address, ==,
                    ADDRESS);
}

/* Six messages with all that may belong to one. */
static void
file_damaged_mail(Store *store, FilingRecipient *recipients)
{
  const FilingRoute route = {ADDRESS, "viewer"};
  g_autofree char *name = g_strdup("brief.pdf");
  TicketPart part = {.name = name, .size = 77};
  g_autoptr(GPtrArray) parts = g_ptr_array_new();
  g_ptr_array_add(parts, &part);
  for (guint8 i = 0; i < DAMAGED_MAIL; i++) {
    FilingDispatch dispatch = {.routes = &route, .route_count = 1};
    g_assert_true(crypt_random(dispatch.status_secret, STORE_LINK_SECRET_BYTES, NULL));
    Mail mail = {
        .ticket = (guint8) (i + 1), .len = 3000, .dispatch = &dispatch, .parts = parts};
    mail_file(store, &mail, &recipients[i]);
    g_autoptr(Entry) entry = mail_entry(store, ORG, &recipients[i]);
    g_assert_true(
        store_put_draft(store, entry, recipients[i].link_secret, "geachte dokter", NULL));
  }
}

/* What is read after damage is right, or it is an error; DAMAGED_MAIL messages at most. */
static guint
read_damaged(Fixture *fixture, const FilingRecipient *recipients)
{
  guint right = 0;
  g_autoptr(Store) store =
      store_open(fixture->path, fixture->messages, fixture->ring, NULL);
  for (guint i = 0; store != NULL && i < DAMAGED_MAIL; i++) {
    EntryState state = ENTRY_NONE;
    g_autoptr(Entry) entry = NULL;
    if (!store_find_entry(store, ORG, recipients[i].link_secret, &state, &entry, NULL) ||
        state != ENTRY_OPEN)
      continue;
    g_assert_cmpstr(entry->address, ==, ADDRESS);
    g_assert_cmpstr(entry->number, ==, NUMBER);
    g_autoptr(GByteArray) all = mail_read(store, entry, recipients[i].link_secret, NULL);
    if (all == NULL)
      continue;
    g_autofree guint8 *content = mail_content(3000);
    g_assert_cmpmem(all->data, all->len, content, 3000);
    right++;
    read_damaged_more(store, entry, recipients[i].link_secret);
  }
  if (store != NULL)
    try_file(store, 200, 3000); /* may succeed or fail, but ends */
  return right;
}

static void
forget_log(const Fixture *fixture)
{
  g_autofree char *log = g_strconcat(fixture->path, "-wal", NULL);
  g_autofree char *index = g_strconcat(fixture->path, "-shm", NULL);
  g_unlink(log);
  g_unlink(index);
}

/* F12: octets flipped anywhere in the database. */
static void
test_random_damage(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient recipients[DAMAGED_MAIL];
  file_damaged_mail(fixture->store, recipients);
  writer_checkpoint(fixture->store->writer);
  fixture_close(fixture);
  g_autofree char *bytes = NULL;
  gsize len = 0;
  g_assert_true(g_file_get_contents(fixture->path, &bytes, &len, NULL));
  g_autoptr(GRand) rand = g_rand_new_with_seed(7516);
  guint right = 0;
  for (int round = 0; round < DAMAGES; round++) {
    g_autofree char *copy = g_memdup2(bytes, len);
    gint32 at = g_rand_int_range(rand, 0, (gint32) len);
    gint32 count = MIN(g_rand_int_range(rand, 1, 513), (gint32) len - at);
    for (gint32 i = at; i < at + count; i++)
      copy[i] ^= (char) g_rand_int_range(rand, 1, 256);
    forget_log(fixture);
    g_assert_true(g_file_set_contents(fixture->path, copy, (gssize) len, NULL));
    right += read_damaged(fixture, recipients);
  }
  g_test_message("%u of %d messages were readable", right, DAMAGES * DAMAGED_MAIL);
  g_assert_cmpuint(right, >, DAMAGES * DAMAGED_MAIL / 4); /* the others are not harmed */
  g_assert_cmpuint(right, <, DAMAGES * DAMAGED_MAIL);
  forget_log(fixture);
  g_assert_true(g_file_set_contents(fixture->path, bytes, (gssize) len, NULL));
  fixture_open(fixture);
  mail_check(fixture->store, &recipients[0], 3000);
}

static gpointer
file_flood(gpointer p)
{
  gpointer *args = p;
  for (guint i = 0; i < 150; i++) {
    g_autofree char *address = g_strdup_printf("r%u@example.com", i);
    FilingRecipient recipient;
    mail_file(args[0],
              &(Mail){.ticket = (guint8) GPOINTER_TO_UINT(args[1]),
                      .len = 40 * KIB,
                      .address = address},
              &recipient);
  }
  return NULL;
}

/* The checkpoint keeps up with eight sessions: the log does not grow with the store. */
static void
test_log_size(Fixture *fixture, gconstpointer data)
{
  (void) data;
  GThread *threads[8];
  gpointer args[8][2];
  for (guint i = 0; i < 8; i++) {
    args[i][0] = fixture->store;
    args[i][1] = GUINT_TO_POINTER(i + 1);
    threads[i] = g_thread_new("flood", file_flood, args[i]);
  }
  for (guint i = 0; i < 8; i++)
    g_thread_join(threads[i]);
  GStatBuf log;
  g_autofree char *path = g_strconcat(fixture->path, "-wal", NULL);
  g_assert_cmpint(g_stat(path, &log), ==, 0);
  g_test_message("48 MB filed, log %" G_GINT64_FORMAT " kB", (gint64) log.st_size / KIB);
  g_assert_cmpint(log.st_size, <, 40 * KIB * KIB);
  fixture_close(fixture);
  fixture_open(fixture);
  g_assert_cmpint(count_rows(fixture, "SELECT count(*) FROM entry"), ==, 8 * 150);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  fixture_add("/fault/busy (F11)", test_busy);
  g_test_add("/fault/database removed (F9)", Fixture, GUINT_TO_POINTER(0), fixture_setup,
             test_removed, fixture_teardown);
  g_test_add("/fault/log removed (F9)", Fixture, GUINT_TO_POINTER(1), fixture_setup,
             test_removed, fixture_teardown);
  fixture_add("/fault/full (F8)", test_full);
  fixture_add("/fault/bad neighbour", test_bad_neighbour);
  fixture_add("/fault/kills (F1)", test_kills);
  fixture_add("/fault/kills while withdrawing (F1)", test_withdraw_kills);
  fixture_add("/fault/two processes", test_two_processes);
  fixture_add("/fault/random damage (F12)", test_random_damage);
  fixture_add("/fault/log size", test_log_size);
  return g_test_run();
}
