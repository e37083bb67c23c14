#include "tests/unit/policyd/routes.h"

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

/* F11: while another holds the database nothing new is promised; what was promised already
 * is, and nobody waits long for that. */
static void
test_locked(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(Book) book = book_of("a.nl [x.nl] dane-only\nb.nl [y.nl] dane-only\n");
  sqlite3 *other = NULL;
  promise(f, book, "b.nl", TRUE);
  g_assert_cmpint(sqlite3_open(f->path, &other), ==, SQLITE_OK);
  g_assert_cmpint(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), ==, SQLITE_OK);
  gint64 start_us = g_get_monotonic_time();
  for (guint i = 0; i < 100; i++) {
    g_autoptr(GError) error = NULL;
    g_assert_true(note_entry(f, "a.nl", book_find(book, "a.nl")));
    g_assert_false(promises_commit(f->promises, &error));
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
    promise(f, book, "b.nl", FALSE);
    g_assert_true(promises_look(f->promises, NULL));
  }
  gint64 took_us = g_get_monotonic_time() - start_us;
  g_test_message("100 questions took %" G_GINT64_FORMAT " us", took_us);
  g_assert_cmpint(took_us, <, 5 * G_TIME_SPAN_SECOND);
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

/* ---- Version 1 ---- */

static const char version_1[] =
    "PRAGMA journal_mode = WAL;"
    "CREATE TABLE route (key TEXT PRIMARY KEY NOT NULL, transport TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE tls (nexthop TEXT PRIMARY KEY NOT NULL, policy TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "INSERT INTO route VALUES ('a.nl.direct.zegel.internal', 'zegel-direct:a.nl'),"
    " ('gone.nl.direct.zegel.internal', 'zegel-direct:[gone.nl]:25');"
    "INSERT INTO tls VALUES ('a.nl', 'secure'), ('[gone.nl]:25', 'dane-only');"
    "PRAGMA application_id = 2053591631; PRAGMA user_version = 1;";

static void
make_version_1(const Fixture *f, const char *path)
{
  (void) f;
  run_sql(path, version_1);
}

/* Postfix has the old file open, and asks with what it prepared before. */
static void
test_migrates(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(Book) book = book_of("a.nl a.nl secure\n");
  promises_close(g_steal_pointer(&f->promises));
  g_assert_cmpint(g_unlink(f->path), ==, 0);
  make_version_1(f, f->path);
  sqlite3 *reader = open_reader(f);
  sqlite3_stmt *query = NULL;
  g_assert_cmpint(sqlite3_prepare_v2(reader, ROUTE_OF("a.nl"), -1, &query, NULL), ==,
                  SQLITE_OK);
  g_assert_cmpint(sqlite3_step(query), ==, SQLITE_ROW);
  reopen(f); /* while the reader is in the middle of it */
  g_assert_cmpstr((const char *) sqlite3_column_text(query, 0), ==, "zegel-direct:a.nl");
  g_assert_cmpint(sqlite3_reset(query), ==, SQLITE_OK);
  g_assert_cmpint(sqlite3_step(query), ==, SQLITE_ROW);
  g_assert_cmpstr((const char *) sqlite3_column_text(query, 0), ==, "zegel-direct:a.nl");
  sqlite3_finalize(query);
  sqlite3_close(reader);
  assert_row(f, "PRAGMA user_version", "2");
  assert_row(f, SOURCE_OF("a.nl"), "0");
  assert_row(f, AGE_OF("a.nl"), "0");
  follow(f, book, 5); /* two routes, one rule more and two less */
  assert_row(f, ROUTE_OF("a.nl"), "zegel-direct:a.nl:25");
  assert_row(f, TLS_OF("a.nl:25"), "secure");
  assert_row(f, ROUTE_OF("gone.nl"), "zegel-store:unix:x");
  promises_close(g_steal_pointer(&f->promises));
  reopen(f);
  follow(f, book, 0);
}

/* ---- A file that does not stay as it was ---- */

static void
remove_files(const Fixture *f)
{
  g_autofree char *wal = beside(f, "-wal");
  g_autofree char *shm = beside(f, "-shm");
  g_unlink(f->path);
  g_unlink(wal);
  g_unlink(shm);
}

static void
remove_main(const Fixture *f)
{
  g_unlink(f->path);
}

static void
remove_wal(const Fixture *f)
{
  g_autofree char *wal = beside(f, "-wal");
  g_unlink(wal);
}

static void
remove_shm(const Fixture *f)
{
  g_autofree char *shm = beside(f, "-shm");
  g_unlink(shm);
}

static void
overwrite(const char *path, gsize offset, gsize len)
{
  g_autofree char *garbage = g_strnfill(len, 'x');
  FILE *file = g_fopen(path, "r+");
  g_assert_nonnull(file);
  fseek(file, (long) offset, SEEK_SET);
  g_assert_cmpuint(fwrite(garbage, 1, len, file), ==, len);
  fclose(file);
}

static void
overwrite_all(const Fixture *f)
{
  overwrite(f->path, 0, 20000);
}

/* All of -wal is in the file itself then, and is not read any more. */
static void
overwrite_page(const Fixture *f)
{
  run_sql(f->path, "PRAGMA wal_checkpoint(TRUNCATE)");
  overwrite(f->path, 4096, 4096);
}

static void
overwrite_wal(const Fixture *f)
{
  g_autofree char *wal = beside(f, "-wal");
  overwrite(wal, 0, 10000);
}

static void
replace_by_text(const Fixture *f)
{
  g_assert_true(g_file_set_contents(f->path, "no database at all, but text", -1, NULL));
}

static void
replace_by_nothing(const Fixture *f)
{
  g_assert_true(g_file_set_contents(f->path, "", 0, NULL));
}

static void
replace_by_other(const Fixture *f)
{
  remove_files(f);
  run_sql(f->path, "CREATE TABLE mine (x)");
}

static void
replace_by_version_1(const Fixture *f)
{
  remove_files(f);
  make_version_1(f, f->path);
}

static void
replace_by_fifo(const Fixture *f)
{
  g_unlink(f->path);
  g_assert_cmpint(mkfifo(f->path, 0640), ==, 0);
}

static void
truncate_main(const Fixture *f)
{
  g_assert_cmpint(truncate(f->path, 0), ==, 0);
}

static void
take_rights(const Fixture *f)
{
  g_assert_cmpint(g_chmod(f->path, 0), ==, 0);
}

static void
take_rights_of_directory(const Fixture *f)
{
  g_assert_cmpint(g_chmod(f->directory, 0), ==, 0);
}

static void
drop_table(const Fixture *f)
{
  run_sql(f->path, "DROP TABLE tls");
}

static void
change_row(const Fixture *f)
{
  run_sql(f->path, "UPDATE route SET transport = 'smtp:[evil.nl]'");
}

static const struct {
  const char *name;
  void (*harm)(const Fixture *f);
} harms[] = {
    {"remove-files", remove_files},
    {"remove-main", remove_main},
    {"remove-wal", remove_wal},
    {"remove-shm", remove_shm},
    {"overwrite-all", overwrite_all},
    {"overwrite-page", overwrite_page},
    {"overwrite-wal", overwrite_wal},
    {"replace-by-text", replace_by_text},
    {"replace-by-nothing", replace_by_nothing},
    {"replace-by-other", replace_by_other},
    {"replace-by-version-1", replace_by_version_1},
    {"replace-by-fifo", replace_by_fifo},
    {"truncate", truncate_main},
    {"rights", take_rights},
    {"rights-of-directory", take_rights_of_directory},
    {"drop-table", drop_table},
    {"change-row", change_row},
};

static void
assert_whole(const Fixture *f)
{
  struct stat status;
  assert_row(f, ROUTE_OF("a.nl"), "zegel-direct:[mx.a.nl]");
  assert_row(f, ROUTE_OF("b.nl"), "zegel-direct:[mx.b.nl]:25");
  assert_row(f, TLS_OF("[mx.b.nl]:25"), "secure");
  assert_row(f, ROUTE_OF("c.nl"), "zegel-direct:[x.nl]:25");
  assert_row(f, TLS_OF("[x.nl]:25"), "dane-only");
  assert_row(f, PREFER_OF("a.nl"), "zegel-prefer:[mx.a.nl]");
  assert_row(f, "PRAGMA journal_mode", "wal");
  assert_row(f, "PRAGMA integrity_check", "ok");
  g_assert_cmpint(stat(f->path, &status), ==, 0);
  g_assert_cmpint(status.st_mode & 0777, ==, 0640);
  g_assert_cmpint(stat(f->directory, &status), ==, 0);
  g_assert_cmpint(status.st_mode & 0700, ==, 0700);
}

/* F9, F12: whatever is done to the file, it is whole again without any question. */
static void
test_harm(Fixture *f, gconstpointer data)
{
  guint row = GPOINTER_TO_UINT(data);
  g_autoptr(GError) error = NULL;
  g_autoptr(Book) book =
      book_of("c.nl [x.nl] dane-only\nb.nl nta secure\nlater.nl [l.nl] secure\n");
  follow(f, book, 0);
  note_nta(f, "a.nl", LABEL_DIRECT, "[mx.a.nl]", NULL, TRUE);
  note_nta(f, "a.nl", LABEL_PREFER, "[mx.a.nl]", NULL, TRUE);
  note_nta(f, "b.nl", LABEL_DIRECT, "[mx.b.nl]:25", "secure", TRUE);
  promise(f, book, "c.nl", TRUE);
  assert_whole(f);
  harms[row].harm(f);
  g_assert_true(promises_look(f->promises, &error));
  g_assert_no_error(error);
  assert_whole(f);
  promise(f, book, "later.nl", TRUE);
  assert_row(f, ROUTE_OF("later.nl"), "zegel-direct:[l.nl]:25");
  promises_close(g_steal_pointer(&f->promises));
  assert_whole(f);
  reopen(f);
  follow(f, book, 0);
}

/* Nothing can be put back where a directory stands; afterwards it is. */
static void
test_cannot_put_back(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(Book) book = book_of("a.nl [x.nl] dane-only\n");
  promise(f, book, "a.nl", TRUE);
  remove_files(f);
  g_assert_cmpint(g_mkdir(f->path, 0700), ==, 0);
  for (guint i = 0; i < 2; i++) {
    g_autoptr(GError) error = NULL;
    g_assert_false(promises_look(f->promises, &error));
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
    g_assert_false(promises_commit(f->promises, NULL));
  }
  g_assert_cmpint(g_rmdir(f->path), ==, 0);
  g_assert_true(promises_look(f->promises, NULL));
  assert_row(f, ROUTE_OF("a.nl"), "zegel-direct:[x.nl]:25");
}

/* Postfix has the file open: it must open the new one, and never go on with the old. But
 * what somebody took away for himself stays as it was. */
static void
test_readers(Fixture *f, gconstpointer data)
{
  gboolean moved = GPOINTER_TO_UINT(data) == 1;
  gboolean changed = GPOINTER_TO_UINT(data) == 2;
  g_autoptr(Book) book = book_of("a.nl [x.nl] dane-only\n");
  g_autofree char *old = beside(f, ".old");
  sqlite3_stmt *query = NULL;
  promise(f, book, "a.nl", TRUE);
  sqlite3 *reader = open_reader(f);
  g_autofree char *before = ask(reader, ROUTE_OF("a.nl"));
  g_assert_cmpstr(before, ==, "zegel-direct:[x.nl]:25");
  if (moved)
    g_assert_cmpint(g_rename(f->path, old), ==, 0);
  else if (changed)
    run_sql(f->path, "DELETE FROM route");
  else
    remove_files(f);
  g_assert_true(promises_look(f->promises, NULL));
  static const char *const questions[] = {ROUTE_OF("a.nl"), TLS_OF("[x.nl]:25")};
  for (guint i = 0; i < G_N_ELEMENTS(questions); i++) {
    int code = sqlite3_prepare_v2(reader, questions[i], -1, &query, NULL);
    if (code == SQLITE_OK)
      code = sqlite3_step(query); /* the schema is looked at only now */
    g_assert_cmpint(code, ==, moved ? SQLITE_ROW : SQLITE_ERROR);
    sqlite3_finalize(query);
  }
  sqlite3_close(reader);
  assert_row(f, ROUTE_OF("a.nl"), "zegel-direct:[x.nl]:25");
}

/* ---- An old copy ---- */

static void
put_by_rename(const Fixture *f, const char *copy)
{
  g_assert_cmpint(g_rename(copy, f->path), ==, 0);
}

static void
put_in_place(const Fixture *f, const char *copy)
{
  g_autofree char *bytes = NULL;
  gsize len = 0;
  g_assert_true(g_file_get_contents(copy, &bytes, &len, NULL));
  FILE *file = g_fopen(f->path, "w");
  g_assert_cmpuint(fwrite(bytes, 1, len, file), ==, len);
  fclose(file);
}

static void
put_after_removal(const Fixture *f, const char *copy)
{
  remove_files(f);
  put_by_rename(f, copy);
}

static void (*const puts_back[])(const Fixture *, const char *) = {
    put_by_rename, put_in_place, put_after_removal};

/* F31: what was promised since holds, and what was withdrawn stays withdrawn. What only the
 * copy has can be what mail waits for: it is taken over, as the book of now has it. */
static void
test_old_copy(Fixture *f, gconstpointer data)
{
  guint way = GPOINTER_TO_UINT(data);
  g_autoptr(GError) error = NULL;
  g_autofree char *copy = beside(f, ".old");
  g_autofree char *sql = g_strdup_printf("VACUUM INTO '%s'", copy);
  g_autoptr(Book) book = book_of("b.nl [x.nl] secure\nlost.nl [l.nl] secure\n");
  follow(f, book, 0);
  note_nta(f, "a.nl", LABEL_DIRECT, "[old.nl]", NULL, TRUE);
  note_nta(f, "w.nl", LABEL_DIRECT, "[w.nl]", NULL, TRUE);
  commit(f);
  run_sql(f->path, sql);
  run_sql(copy, "INSERT INTO route VALUES"
                " ('lost.nl.direct.zegel.internal', 'zegel-direct:[former.nl]:25', 0, 1),"
                " ('nta.nl.direct.zegel.internal', 'zegel-direct:[n.nl]', 1, 1),"
                " ('left.nl.direct.zegel.internal', 'zegel-direct:[l2.nl]:25', 0, 1),"
                " ('p.nl.prefer.zegel.internal', 'zegel-prefer:[p.nl]', 1, 1);"
                "INSERT INTO tls VALUES ('[former.nl]:25', 'dane-only')");
  promise(f, book, "b.nl", TRUE);
  promises_withdraw(f->promises, "w.nl");
  PromiseHop hop = {"[new.nl]", NULL, PROMISE_NTA};
  promises_renew(f->promises, "a.nl", &hop);
  commit(f);
  puts_back[way](f, copy);
  g_assert_true(promises_look(f->promises, &error));
  g_assert_no_error(error);
  assert_row(f, ROUTE_OF("a.nl"), "zegel-direct:[new.nl]");
  assert_row(f, ROUTE_OF("b.nl"), "zegel-direct:[x.nl]:25");
  assert_row(f, TLS_OF("[x.nl]:25"), "secure");
  assert_row(f, ROUTE_OF("w.nl"), "zegel-store:unix:x");
  assert_row(f, "PRAGMA integrity_check", "ok");
  if (puts_back[way] == put_in_place)
    return; /* with our -wal beside it nobody can say what the copy was */
  assert_row(f, ROUTE_OF("lost.nl"), "zegel-direct:[l.nl]:25");
  assert_row(f, TLS_OF("[l.nl]:25"), "secure");
  assert_row(f, TLS_OF("[former.nl]:25"), "-");
  assert_row(f, ROUTE_OF("nta.nl"), "zegel-direct:[n.nl]");
  assert_row(f, ROUTE_OF("left.nl"), "zegel-store:unix:x");
  assert_row(f, PREFER_OF("p.nl"), "-");
}

/* A copy from before an upgrade: of what it has more nothing is lost. */
static void
test_old_version(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(Book) book = book_of("a.nl [now.nl] dane-only\n");
  follow(f, book, 0);
  replace_by_version_1(f);
  g_assert_true(promises_look(f->promises, NULL));
  assert_row(f, ROUTE_OF("a.nl"), "zegel-direct:[now.nl]:25");
  assert_row(f, ROUTE_OF("gone.nl"), "zegel-store:unix:x");
  assert_row(f, "PRAGMA user_version", "2");
}

static void
add_rows(const char *path, guint count, void (*test)(Fixture *, gconstpointer))
{
  for (guint i = 0; i < count; i++) {
    g_autofree char *name = g_strdup_printf("%s/%u", path, i);
    g_test_add(name, Fixture, GUINT_TO_POINTER(i), set_up, test, tear_down);
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  add("/promise/files", test_files);
  add("/promise/locked", test_locked);
  add("/promise/moved", test_moved);
  add("/promise/foreign", test_foreign);
  add("/promise/damaged", test_damaged);
  add("/promise/migrates", test_migrates);
  add("/promise/cannot-put-back", test_cannot_put_back);
  add_rows("/promise/harm", G_N_ELEMENTS(harms), test_harm);
  add_rows("/promise/readers", 3, test_readers);
  add("/promise/old-version", test_old_version);
  add_rows("/promise/old-copy", G_N_ELEMENTS(puts_back), test_old_copy);
  return g_test_run();
}
