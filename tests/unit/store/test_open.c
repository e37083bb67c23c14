#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/store/outbox.h"
#include "tests/unit/store/fixture.h"
#include "tests/unit/tap.h"

#define KIB 1024

static int
mode_of(const char *path)
{
  GStatBuf status;
  g_assert_cmpint(g_stat(path, &status), ==, 0);
  return status.st_mode & 07777;
}

/* Tries to open the store; the error's code, or -1 when it opened. */
static int
try_open(const Fixture *fixture, const KeyRing *ring)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Store) store = store_open(fixture->path, fixture->messages, ring, &error);
  g_assert_true((store == NULL) == (error != NULL));
  if (error == NULL)
    return -1;
  g_assert_true(error->domain == ZEGEL_ERROR);
  return error->code;
}

/* Two users of one group work on all files, whatever the umask. */
static void
test_rights(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture_close(fixture);
  nftw(fixture->directory, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
  g_assert_cmpint(g_mkdir(fixture->directory, 0700), ==, 0);
  mode_t mask = umask(077);
  fixture_open(fixture);
  FilingRecipient recipient;
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = 300 * KIB}, &recipient);
  umask(mask);
  g_autofree char *parent = g_path_get_dirname(fixture->path);
  g_assert_cmphex(mode_of(parent), ==, 02770);
  g_assert_cmphex(mode_of(fixture->messages), ==, 02770);
  static const char *const endings[] = {"", "-wal", "-shm"};
  for (gsize i = 0; i < G_N_ELEMENTS(endings); i++) {
    g_autofree char *path = g_strconcat(fixture->path, endings[i], NULL);
    g_assert_cmphex(mode_of(path), ==, 0660);
  }
  g_autoptr(GDir) directories = g_dir_open(fixture->messages, 0, NULL);
  const char *name = g_dir_read_name(directories);
  g_autofree char *directory = g_build_filename(fixture->messages, name, NULL);
  g_assert_cmphex(mode_of(directory), ==, 02770);
  g_autoptr(GDir) files = g_dir_open(directory, 0, NULL);
  g_autofree char *file = g_build_filename(directory, g_dir_read_name(files), NULL);
  g_assert_cmphex(mode_of(file), ==, 0640);
}

static void
test_newer(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient recipient;
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = 10}, &recipient);
  g_autofree char *version = g_strdup_printf(
      "PRAGMA user_version = %d", (int) fixture_number(fixture, "PRAGMA user_version"));
  fixture_close(fixture);
  Db *db = db_open(fixture->path, DB_WRITER, NULL);
  g_assert_true(db_exec(db, "PRAGMA user_version = 99", NULL));
  db_close(db);
  g_assert_cmpint(try_open(fixture, fixture->ring), ==, ZEGEL_ERROR_CONFIG);
  db = db_open(fixture->path, DB_WRITER, NULL);
  g_assert_true(db_exec(db, version, NULL));
  db_close(db);
  fixture_open(fixture);
  mail_check(fixture->store, &recipient, 10);
}

static void
test_foreign(Fixture *fixture, gconstpointer data)
{
  (void) data;
  static const char *const marks[] = {"PRAGMA application_id = 1",
                                      "PRAGMA user_version = 0"};
  fixture_close(fixture);
  for (gsize i = 0; i < G_N_ELEMENTS(marks); i++) {
    Db *db = db_open(fixture->path, DB_WRITER, NULL);
    g_assert_true(db_exec(db, marks[i], NULL));
    db_close(db);
    g_assert_cmpint(try_open(fixture, fixture->ring), ==, ZEGEL_ERROR_CONFIG);
  }
}

static void
test_no_database(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture_close(fixture);
  static const char *const endings[] = {"-wal", "-shm"}; /* they would mend it */
  for (gsize i = 0; i < G_N_ELEMENTS(endings); i++) {
    g_autofree char *path = g_strconcat(fixture->path, endings[i], NULL);
    g_assert_cmpint(g_unlink(path), ==, 0);
  }
  g_autofree char *text = g_strnfill(5000, 'x');
  g_assert_true(g_file_set_contents(fixture->path, text, -1, NULL));
  g_assert_cmpint(try_open(fixture, fixture->ring), ==, ZEGEL_ERROR_CONFIG);
  g_autofree char *after = NULL;
  g_assert_true(g_file_get_contents(fixture->path, &after, NULL, NULL));
  g_assert_cmpstr(after, ==, text);
}

/* A database that was left in another mode, as by a disk that failed while it was made. */
static void
test_log_mode(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient recipient;
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = 10}, &recipient);
  fixture_close(fixture);
  Db *db = db_open(fixture->path, DB_WRITER, NULL);
  g_assert_true(db_exec(db, "PRAGMA journal_mode = DELETE", NULL));
  db_close(db);
  g_autofree char *log = g_strconcat(fixture->path, "-wal", NULL);
  g_assert_false(g_file_test(log, G_FILE_TEST_EXISTS));
  fixture_open(fixture);
  mail_check(fixture->store, &recipient, 10);
  mail_file(fixture->store, &(Mail){.ticket = 2, .len = 10}, &recipient);
  g_assert_true(g_file_test(log, G_FILE_TEST_EXISTS));
}

static void
test_no_directory(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  g_assert_null(store_open("/nonexistent/a/store.db", "/nonexistent/a/messages",
                           fixture->ring, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
}

/* F13, F31: without its key, or with another under the same id, it is not opened. */
static void
test_keys(Fixture *fixture, gconstpointer data)
{
  (void) data;
  static const char other[] = "zegel-key 1 store 0000000c " RING_KEY_NEW "\n";
  static const char wrong[] = "zegel-key 1 store 0000000a " RING_KEY_NEW "\n";
  g_autoptr(KeyRing) other_ring =
      keyring_parse(other, strlen(other), KEY_STORE, "other", NULL);
  g_autoptr(KeyRing) wrong_ring =
      keyring_parse(wrong, strlen(wrong), KEY_STORE, "wrong", NULL);
  FilingRecipient recipient;
  Mail mail = {.ticket = 1, .len = 10, .expires_s = store_now(fixture->store) + 100};
  mail_file(fixture->store, &mail, &recipient);
  g_assert_cmpint(try_open(fixture, other_ring), ==, ZEGEL_ERROR_CONFIG);
  g_assert_cmpint(try_open(fixture, wrong_ring), ==, ZEGEL_ERROR_CONFIG);
  g_assert_cmpint(try_open(fixture, fixture->ring), ==, -1);

  guint removed = 0; /* when nothing needs the old key any more it may go */
  fixture->store->skew_s = 200;
  g_assert_true(store_expire(fixture->store, store_now(fixture->store), &removed, NULL));
  g_assert_cmpint(try_open(fixture, other_ring), ==, ZEGEL_ERROR_CONFIG); /* events wait */
  g_autoptr(GPtrArray) waiting = store_waiting_events(fixture->store, 10, NULL);
  g_assert_cmpuint(waiting->len, ==, 2);
  g_assert_true(store_forget_events(fixture->store, waiting, NULL));
  g_assert_cmpint(try_open(fixture, other_ring), ==, -1);
  g_autoptr(Db) db = db_open(fixture->path, DB_READER, NULL);
  g_autoptr(Query) query =
      db_query(db, "SELECT id, count(*) FROM store_key", DB_NO_VALUES, NULL);
  g_assert_cmpint(query_step(query, NULL), ==, 1);
  g_assert_cmphex(query_int(query, 0), ==, 0xc);
  g_assert_cmpint(query_int(query, 1), ==, 1);
}

/* A viewer that has not got the new key yet does not say that links never existed. */
static void
test_late_key(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(KeyRing) rotated = ring_new(KEY_STORE, TRUE);
  g_autoptr(GError) error = NULL;
  g_autoptr(Store) deliver = store_open(fixture->path, fixture->messages, rotated, &error);
  g_assert_no_error(error);
  FilingRecipient recipient;
  mail_file(deliver, &(Mail){.ticket = 1, .len = 10}, &recipient);
  EntryState state = ENTRY_OPEN;
  Entry *entry = NULL;
  g_assert_false(
      store_find_entry(fixture->store, ORG, recipient.link_secret, &state, &entry, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_KEY_UNKNOWN);
  g_assert_null(entry);
}

/* Four processes make one new store at the same moment, and all can use it. */
static void
test_together(Fixture *fixture, gconstpointer data)
{
  (void) data;
  for (int round = 0; round < 5; round++) {
    fixture_close(fixture);
    nftw(fixture->directory, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
    g_assert_cmpint(g_mkdir(fixture->directory, 0700), ==, 0);
    pid_t children[4];
    for (guint8 i = 0; i < G_N_ELEMENTS(children); i++) {
      children[i] = fork();
      if (children[i] == 0) {
        FilingRecipient recipient;
        fixture_open(fixture);
        mail_file(fixture->store, &(Mail){.ticket = (guint8) (i + 1), .len = 10},
                  &recipient);
        mail_check(fixture->store, &recipient, 10);
        _exit(0);
      }
    }
    for (gsize i = 0; i < G_N_ELEMENTS(children); i++) {
      int status = -1;
      g_assert_cmpint(waitpid(children[i], &status, 0), ==, children[i]);
      g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    fixture_open(fixture);
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  fixture_add("/open/rights", test_rights);
  fixture_add("/open/newer", test_newer);
  fixture_add("/open/foreign", test_foreign);
  fixture_add("/open/no database", test_no_database);
  fixture_add("/open/log mode (F5)", test_log_mode);
  fixture_add("/open/no directory", test_no_directory);
  fixture_add("/open/keys (F13, F31)", test_keys);
  fixture_add("/open/key that comes late", test_late_key);
  fixture_add("/open/four together", test_together);
  return g_test_run();
}
