#include "policyd/promise.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <sqlite3.h>

#include "common/base/error.h"
#include "tests/unit/tap.h"

static const PromiseWays ways = {"zegel-direct", "zegel-store:unix:x", "zegel-prefer"};

typedef struct {
  char *directory;
  char *path;
  Promises *promises;
} Fixture;

static char *
beside(const Fixture *f, const char *suffix)
{
  return g_strconcat(f->path, suffix, NULL);
}

static void
set_up(Fixture *f, gconstpointer data)
{
  (void) data;
  f->directory = g_dir_make_tmp("zegel-routes-XXXXXX", NULL);
  f->path = g_build_filename(f->directory, "routes.db", NULL);
  g_autoptr(GError) error = NULL;
  f->promises = promises_open(f->path, NULL, &error);
  g_assert_no_error(error);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  (void) data;
  promises_close(f->promises);
  g_autoptr(GDir) dir = g_dir_open(f->directory, 0, NULL);
  for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
    g_autofree char *path = g_build_filename(f->directory, name, NULL);
    g_unlink(path);
  }
  g_assert_cmpint(g_rmdir(f->directory), ==, 0);
  g_free(f->path);
  g_free(f->directory);
}

static Book *
book_of(const char *text)
{
  g_autoptr(GError) error = NULL;
  Book *book = book_parse("book", text, strlen(text), &error);
  g_assert_no_error(error);
  return book;
}

static sqlite3 *
open_reader(const Fixture *f)
{
  sqlite3 *db = NULL;
  g_assert_cmpint(sqlite3_open_v2(f->path, &db, SQLITE_OPEN_READONLY, NULL), ==, SQLITE_OK);
  return db;
}

/* The first column of the only row of SQL over DB, or "-" when there is none. */
static char *
ask(sqlite3 *db, const char *sql)
{
  sqlite3_stmt *row = NULL;
  g_assert_cmpint(sqlite3_prepare_v2(db, sql, -1, &row, NULL), ==, SQLITE_OK);
  int step = sqlite3_step(row);
  g_assert_true(step == SQLITE_ROW || step == SQLITE_DONE);
  char *text =
      g_strdup(step == SQLITE_ROW ? (const char *) sqlite3_column_text(row, 0) : "-");
  sqlite3_finalize(row);
  return text;
}

static void
assert_row(const Fixture *f, const char *sql, const char *expected)
{
  sqlite3 *db = open_reader(f);
  g_autofree char *text = ask(db, sql);
  g_assert_cmpstr(text, ==, expected);
  sqlite3_close(db);
}

#define ROUTE_OF(domain)                                                                   \
  "SELECT transport FROM route WHERE key = '" domain ".direct.zegel.internal'"
#define TLS_OF(hop) "SELECT policy FROM tls WHERE nexthop = '" hop "'"

static gboolean
note_entry(Fixture *f, const char *spelled, const BookEntry *entry)
{
  PromiseHop hop = {entry->nexthop, entry->policy, PROMISE_BOOK};
  return promises_note(f->promises, spelled, LABEL_DIRECT, &hop, &ways);
}

static void
promise(Fixture *f, const Book *book, const char *domain, gboolean new)
{
  g_autoptr(GError) error = NULL;
  g_assert_cmpint(note_entry(f, domain, book_find(book, domain)), ==, new);
  g_assert_true(promises_commit(f->promises, &error));
  g_assert_no_error(error);
}

static void
test_files(Fixture *f, gconstpointer data)
{
  (void) data;
  static const char *const suffixes[] = {"", "-wal", "-shm"};
  assert_row(f, "PRAGMA journal_mode", "wal");
  promises_close(g_steal_pointer(&f->promises));
  for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
    g_autofree char *path = beside(f, suffixes[i]);
    struct stat status;
    g_test_message("%s", path);
    g_assert_cmpint(stat(path, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 0777, ==, 0640);
  }
}

static void
test_keeps(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(Book) book = book_of("a.nl [x.nl]:25 dane-only\nb.nl [x.nl]:25 dane-only\n");
  assert_row(f, ROUTE_OF("a.nl"), "-");
  promise(f, book, "a.nl", TRUE);
  assert_row(f, ROUTE_OF("a.nl"), "zegel-direct:[x.nl]:25");
  assert_row(f, TLS_OF("[x.nl]:25"), "dane-only");
  assert_row(f, ROUTE_OF("b.nl"), "-");
}

/* A note without a commit is nothing that Postfix could see. */
static void
test_note_only(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(Book) book = book_of("a.nl [x.nl] dane-only\n");
  g_assert_true(note_entry(f, "a.nl", book_find(book, "a.nl")));
  assert_row(f, ROUTE_OF("a.nl"), "-");
}

static void
test_no_second_write(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(Book) book = book_of("a.nl [x.nl] dane-only\n");
  promise(f, book, "a.nl", TRUE);
  sqlite3 *reader = open_reader(f);
  g_autofree char *before = ask(reader, "PRAGMA data_version");
  promise(f, book, "a.nl", FALSE);
  g_autofree char *after = ask(reader, "PRAGMA data_version");
  g_assert_cmpstr(before, ==, after);
  sqlite3_close(reader);
}

static void
test_survives_restart(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(Book) book = book_of("a.nl [x.nl] dane-only\n");
  promise(f, book, "a.nl", TRUE);
  promises_close(g_steal_pointer(&f->promises));
  assert_row(f, ROUTE_OF("a.nl"), "zegel-direct:[x.nl]:25");
  f->promises = promises_open(f->path, NULL, NULL);
  g_assert_nonnull(f->promises);
  promise(f, book, "a.nl", FALSE);
}

static void
test_follows(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  guint changed = 99;
  g_autoptr(Book) old = book_of("same.nl [s.nl] dane-only\ngone.nl [g.nl] dane-only\n"
                                "hop.nl [h.nl] dane-only\nrule.nl [r.nl] dane-only\n");
  promise(f, old, "same.nl", TRUE);
  promise(f, old, "gone.nl", TRUE);
  promise(f, old, "hop.nl", TRUE);
  promise(f, old, "rule.nl", TRUE);
  g_assert_true(promises_follow(f->promises, old, &ways, &changed, &error));
  g_assert_cmpuint(changed, ==, 0);

  g_autoptr(Book) new =
      book_of("same.nl [s.nl] dane-only\nhop.nl [i.nl] dane-only\n"
              "rule.nl [r.nl] secure match=r.nl\nnever-asked.nl [n.nl] secure\n");
  g_assert_true(promises_follow(f->promises, new, &ways, &changed, &error));
  g_assert_no_error(error);
  /* Routes of gone and hop, rules of [i.nl] and [r.nl], next hops [g.nl] and [h.nl]. */
  g_assert_cmpuint(changed, ==, 6);
  assert_row(f, ROUTE_OF("same.nl"), "zegel-direct:[s.nl]:25");
  assert_row(f, ROUTE_OF("gone.nl"), "zegel-store:unix:x");
  assert_row(f, ROUTE_OF("hop.nl"), "zegel-direct:[i.nl]:25");
  assert_row(f, ROUTE_OF("never-asked.nl"), "-");
  assert_row(f, TLS_OF("[r.nl]:25"), "secure match=r.nl");
  assert_row(f, TLS_OF("[i.nl]:25"), "dane-only");
  assert_row(f, TLS_OF("[g.nl]:25"), "-");
  assert_row(f, TLS_OF("[h.nl]:25"), "-");

  promise(f, old, "gone.nl", TRUE);
  assert_row(f, ROUTE_OF("gone.nl"), "zegel-direct:[g.nl]:25");
  assert_row(f, TLS_OF("[g.nl]:25"), "dane-only");
}

/* The spelling of the question is the key; the book knows the domain by its A-labels. */
static void
test_spelling(Fixture *f, gconstpointer data)
{
  (void) data;
  guint changed = 0;
  g_autoptr(Book) book = book_of("m\xc3\xbcller.nl [x.nl] dane-only\n");
  const BookEntry *entry = book_find(book, "xn--mller-kva.nl");
  g_assert_true(note_entry(f, "m\xc3\xbcller.nl", entry));
  g_assert_true(note_entry(f, "xn--mller-kva.nl", entry));
  g_assert_true(promises_commit(f->promises, NULL));
  assert_row(f, ROUTE_OF("m\xc3\xbcller.nl"), "zegel-direct:[x.nl]:25");
  assert_row(f, ROUTE_OF("xn--mller-kva.nl"), "zegel-direct:[x.nl]:25");
  g_autoptr(Book) empty = book_of("");
  g_assert_true(promises_follow(f->promises, empty, &ways, &changed, NULL));
  g_assert_cmpuint(changed, ==, 3);
  assert_row(f, ROUTE_OF("m\xc3\xbcller.nl"), "zegel-store:unix:x");
}

/* F11: while another holds the database nothing is promised; afterwards it works again. */
static void
test_locked(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  g_autoptr(Book) book = book_of("a.nl [x.nl] dane-only\n");
  sqlite3 *other = NULL;
  g_assert_cmpint(sqlite3_open(f->path, &other), ==, SQLITE_OK);
  g_assert_cmpint(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), ==, SQLITE_OK);
  g_assert_true(note_entry(f, "a.nl", book_find(book, "a.nl")));
  g_assert_false(promises_commit(f->promises, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
  sqlite3_close(other);
  assert_row(f, ROUTE_OF("a.nl"), "-");
  promise(f, book, "a.nl", TRUE);
  assert_row(f, ROUTE_OF("a.nl"), "zegel-direct:[x.nl]:25");
}

/* F9: a file that Postfix does not open any more is put back before anything is promised.
 */
static void
test_moved(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(Book) book = book_of("a.nl [x.nl] dane-only\nb.nl [y.nl] dane-only\n");
  g_autofree char *old = beside(f, ".old");
  g_autofree char *wal = beside(f, "-wal");
  g_autofree char *shm = beside(f, "-shm");
  promise(f, book, "a.nl", TRUE);
  g_assert_cmpint(g_rename(f->path, old), ==, 0);
  g_unlink(wal);
  g_unlink(shm);
  g_usleep(1000 * PROMISES_LOOK_MS);
  promise(f, book, "b.nl", TRUE);
  assert_row(f, ROUTE_OF("a.nl"), "zegel-direct:[x.nl]:25");
  assert_row(f, ROUTE_OF("b.nl"), "zegel-direct:[y.nl]:25");
  assert_row(f, TLS_OF("[x.nl]:25"), "dane-only");
}

/* A database of something else is left as it is; what is none is set aside. */
static void
test_foreign(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  g_autofree char *path = beside(f, ".old");
  sqlite3 *db = NULL;
  g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
  g_assert_cmpint(sqlite3_exec(db, "CREATE TABLE mine (x)", NULL, NULL, NULL), ==,
                  SQLITE_OK);
  sqlite3_close(db);
  g_assert_null(promises_open(path, NULL, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
  g_assert_true(
      g_file_set_contents(path, "this is no database, but a longer text", -1, NULL));
  g_autoptr(Promises) fresh = promises_open(path, NULL, NULL);
  g_assert_nonnull(fresh);
}

/* F12: a damaged file is made anew with all that the book has, also what nobody asked yet.
 */
static void
test_damaged(Fixture *f, gconstpointer data)
{
  (void) data;
  guint changed = 0;
  g_autoptr(Book) book = book_of("a.nl [x.nl] dane-only\nb.nl [y.nl] secure\n");
  g_autofree char *wal = beside(f, "-wal");
  g_autofree char *aside = beside(f, ".damaged");
  promise(f, book, "a.nl", TRUE);
  promises_close(g_steal_pointer(&f->promises));

  /* The header stays what it was; the page of table route is none any more. */
  g_autofree char *bytes = NULL;
  gsize len = 0;
  sqlite3 *db = NULL;
  g_assert_cmpint(sqlite3_open(f->path, &db), ==, SQLITE_OK);
  g_autofree char *folded = ask(db, "PRAGMA wal_checkpoint(TRUNCATE)");
  g_assert_cmpstr(folded, ==, "0");
  sqlite3_close(db);
  g_assert_true(g_file_get_contents(f->path, &bytes, &len, NULL));
  g_assert_cmpuint(len, >=, 3 * 4096);
  memset(bytes + 4096, 0xa5, 4096);
  g_assert_true(g_file_set_contents(f->path, bytes, (gssize) len, NULL));
  g_unlink(wal);

  f->promises = promises_open(f->path, NULL, NULL);
  g_assert_nonnull(f->promises);
  g_assert_true(g_file_test(aside, G_FILE_TEST_EXISTS));
  g_assert_true(promises_follow(f->promises, book, &ways, &changed, NULL));
  g_assert_cmpuint(changed, ==, 4);
  assert_row(f, ROUTE_OF("a.nl"), "zegel-direct:[x.nl]:25");
  assert_row(f, ROUTE_OF("b.nl"), "zegel-direct:[y.nl]:25");
  assert_row(f, TLS_OF("[y.nl]:25"), "secure");
}

static void
add(const char *path, void (*test)(Fixture *, gconstpointer))
{
  g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  add("/promise/files", test_files);
  add("/promise/keeps", test_keeps);
  add("/promise/note-only", test_note_only);
  add("/promise/no-second-write", test_no_second_write);
  add("/promise/survives-restart", test_survives_restart);
  add("/promise/follows", test_follows);
  add("/promise/spelling", test_spelling);
  add("/promise/locked", test_locked);
  add("/promise/moved", test_moved);
  add("/promise/foreign", test_foreign);
  add("/promise/damaged", test_damaged);
  return g_test_run();
}
