/*
 * routes.h - a routes.db of its own for each test, and Postfix's view of it.
 */
#pragma once

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

/* The path of routes.db with SUFFIX behind it; the caller frees it. */
static inline char *
beside(const Fixture *f, const char *suffix)
{
  return g_strconcat(f->path, suffix, NULL);
}

/* A directory with an empty routes.db, open. */
static inline void
set_up(Fixture *f, gconstpointer data)
{
  (void) data;
  f->directory = g_dir_make_tmp("zegel-routes-XXXXXX", NULL);
  f->path = g_build_filename(f->directory, "routes.db", NULL);
  g_autoptr(GError) error = NULL;
  f->promises = promises_open(f->path, NULL, &error);
  g_assert_no_error(error);
}

/* Removes it with all that is in it. */
static inline void
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

/* The book in TEXT, which must be good; the caller frees it. */
static inline Book *
book_of(const char *text)
{
  g_autoptr(GError) error = NULL;
  Book *book = book_parse("book", text, strlen(text), &error);
  g_assert_no_error(error);
  return book;
}

/* routes.db as Postfix opens it; the caller closes it. */
static inline sqlite3 *
open_reader(const Fixture *f)
{
  sqlite3 *db = NULL;
  g_assert_cmpint(sqlite3_open_v2(f->path, &db, SQLITE_OPEN_READONLY, NULL), ==, SQLITE_OK);
  return db;
}

/* The first column of the only row of SQL over DB, or "-" when there is none. */
static inline char *
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

/* SQL over routes.db, opened as Postfix does, must give EXPECTED ("-": no row). */
static inline void
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

/* Notes ENTRY of the book for SPELLED. */
static inline gboolean
note_entry(Fixture *f, const char *spelled, const BookEntry *entry)
{
  PromiseHop hop = {entry->nexthop, entry->policy, PROMISE_BOOK};
  return promises_note(f->promises, spelled, LABEL_DIRECT, &hop, &ways);
}

/* Promises DOMAIN as BOOK has it; whether that is NEW is checked. */
static inline void
promise(Fixture *f, const Book *book, const char *domain, gboolean new)
{
  g_autoptr(GError) error = NULL;
  g_assert_cmpint(note_entry(f, domain, book_find(book, domain)), ==, new);
  g_assert_true(promises_commit(f->promises, &error));
  g_assert_no_error(error);
}

#define PREFER_OF(domain)                                                                  \
  "SELECT transport FROM route WHERE key = '" domain ".prefer.zegel.internal'"
#define SOURCE_OF(domain)                                                                  \
  "SELECT source FROM route WHERE key = '" domain ".direct.zegel.internal'"

/* Notes SPELLED with LABEL by its NTA record; whether that is NEW is checked. */
static inline void
note_nta(Fixture *f, const char *spelled, Label label, const char *nexthop,
         const char *policy, gboolean new)
{
  PromiseHop hop = {nexthop, policy, PROMISE_NTA};
  g_assert_cmpint(promises_note(f->promises, spelled, label, &hop, &ways), ==, new);
}

/* Commits what was noted, which must go well. */
static inline void
commit(Fixture *f)
{
  g_autoptr(GError) error = NULL;
  g_assert_true(promises_commit(f->promises, &error));
  g_assert_no_error(error);
}

/* Lets the rows follow BOOK; as many as EXPECTED must change. */
static inline void
follow(Fixture *f, const Book *book, guint expected)
{
  guint changed = 9999;
  g_autoptr(GError) error = NULL;
  g_assert_true(promises_follow(f->promises, book, &ways, &changed, &error));
  g_assert_no_error(error);
  g_assert_cmpuint(changed, ==, expected);
}

/* Runs SQL over the database at PATH, made when it is missing. */
static inline void
run_sql(const char *path, const char *sql)
{
  sqlite3 *db = NULL;
  int persist = 1;
  g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
  sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
  g_assert_cmpint(sqlite3_exec(db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close(db);
}

/* Opens routes.db again, which must go well. */
static inline void
reopen(Fixture *f)
{
  g_autoptr(GError) error = NULL;
  f->promises = promises_open(f->path, NULL, &error);
  g_assert_no_error(error);
}

#define AGE_OF(domain)                                                                     \
  "SELECT (strftime('%s', 'now') - promised) / 600 FROM route"                             \
  " WHERE key = '" domain ".direct.zegel.internal'"

/* A test of this fixture. */
static inline void
add(const char *path, void (*test)(Fixture *, gconstpointer))
{
  g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}
