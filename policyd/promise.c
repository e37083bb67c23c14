#include "policyd/promise.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "common/base/error.h"
#include "common/base/label.h"
#include "common/base/log.h"
#include "policyd/address.h"

#define BUSY_MS                                                                            \
  2000 /* nobody else writes but an administrator by hand; below ASK_TIMEOUT_MS */
#define APPLICATION_ID 0x7a67524f /* "zgRO", in the file's header */
#define SCHEMA_VERSION 1

struct Promises {
  char *path;
  gid_t group; /* (gid_t) -1: not checked */
  sqlite3 *db;
  dev_t device; /* of the open file, to notice that another took its place */
  ino_t inode;
  gint64 looked_us;
  gboolean rebuilt;       /* rows were lost with a damaged file: the book gives them back */
  GHashTable *routes;     /* committed: labelled domain to transport */
  GHashTable *tls;        /* committed: next hop to policy */
  GHashTable *new_routes; /* noted: the same */
  GHashTable *new_tls;
};

static const char schema_sql[] =
    "CREATE TABLE IF NOT EXISTS route"
    " (key TEXT PRIMARY KEY NOT NULL, transport TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS tls"
    " (nexthop TEXT PRIMARY KEY NOT NULL, policy TEXT NOT NULL) WITHOUT ROWID;";

static const char put_route_sql[] =
    "INSERT INTO route VALUES (?1, ?2)"
    " ON CONFLICT (key) DO UPDATE SET transport = excluded.transport";
static const char put_tls_sql[] =
    "INSERT INTO tls VALUES (?1, ?2)"
    " ON CONFLICT (nexthop) DO UPDATE SET policy = excluded.policy";
static const char drop_tls_sql[] = "DELETE FROM tls WHERE nexthop = ?1";

static gboolean
fail(const Promises *promises, GError **error)
{
  int code = promises->db != NULL ? sqlite3_errcode(promises->db) : SQLITE_NOMEM;
  g_set_error(error, ZEGEL_ERROR,
              code == SQLITE_FULL ? ZEGEL_ERROR_FULL : ZEGEL_ERROR_TEMPORARY, "%s: %s",
              promises->path,
              promises->db != NULL ? sqlite3_errmsg(promises->db) : sqlite3_errstr(code));
  return FALSE;
}

static gboolean
run(Promises *promises, const char *sql, GError **error)
{
  return sqlite3_exec(promises->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
         fail(promises, error);
}

static gboolean
misplaced(const char *path, GError **error, const char *what)
{
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "%s: %s", path, what);
  return FALSE;
}

gboolean
promises_make_directory(const char *path, const char *user, const char *group,
                        GError **error)
{
  g_autofree char *directory = g_path_get_dirname(path);
  g_autofree char *parent = g_path_get_dirname(directory);
  if (geteuid() != 0 || g_file_test(directory, G_FILE_TEST_EXISTS))
    return TRUE;
  const struct passwd *owner = getpwnam(user);
  const struct group *readers = getgrnam(group);
  if (owner == NULL || readers == NULL)
    return misplaced(directory, error, "its user or its group does not exist");
  /* Everybody may pass, for Postfix must; what lies in it has rights of its own. */
  if (g_mkdir_with_parents(parent, 0755) < 0 || mkdir(directory, 0700) < 0 ||
      chown(directory, owner->pw_uid, readers->gr_gid) < 0 || chmod(directory, 02750) < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, directory);
    return FALSE;
  }
  return TRUE;
}

/* The file with its rights before SQLite opens it; -wal and -shm get the same. */
static gboolean
prepare_file(Promises *promises, GError **error)
{
  int fd = open(promises->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, promises->path);
    if (fd >= 0)
      close(fd);
    return FALSE;
  }
  gboolean mine = promises->group == (gid_t) -1 || status.st_gid == promises->group ||
                  fchown(fd, (uid_t) -1, promises->group) == 0;
  gboolean good = mine && fchmod(fd, 0640) == 0;
  close(fd);
  promises->device = status.st_dev;
  promises->inode = status.st_ino;
  return good || misplaced(promises->path, error,
                           "must be ours and of Postfix's group: chown the directory to "
                           "the user of policyd and that group, chmod 2750, and the files "
                           "in it too");
}

static gboolean
load_table(Promises *promises, const char *sql, GHashTable *table, GError **error)
{
  sqlite3_stmt *rows = NULL;
  g_hash_table_remove_all(table);
  if (sqlite3_prepare_v2(promises->db, sql, -1, &rows, NULL) != SQLITE_OK)
    return fail(promises, error);
  int step;
  while ((step = sqlite3_step(rows)) == SQLITE_ROW)
    g_hash_table_replace(table, g_strdup((const char *) sqlite3_column_text(rows, 0)),
                         g_strdup((const char *) sqlite3_column_text(rows, 1)));
  sqlite3_finalize(rows);
  return step == SQLITE_DONE || fail(promises, error);
}

/* A file of somebody else is not ours to write in. */
static gboolean
check_identity(Promises *promises, GError **error)
{
  sqlite3_stmt *row = NULL;
  gint64 id = -1, version = -1, tables = -1;
  static const char sql[] = "SELECT (SELECT * FROM pragma_application_id),"
                            " (SELECT * FROM pragma_user_version),"
                            " (SELECT count(*) FROM sqlite_schema)";
  if (sqlite3_prepare_v2(promises->db, sql, -1, &row, NULL) == SQLITE_OK &&
      sqlite3_step(row) == SQLITE_ROW) {
    id = sqlite3_column_int64(row, 0);
    version = sqlite3_column_int64(row, 1);
    tables = sqlite3_column_int64(row, 2);
  }
  if (sqlite3_finalize(row) != SQLITE_OK || tables < 0)
    return fail(promises, error);
  gboolean fresh = tables == 0 && id == 0;
  return fresh || (id == APPLICATION_ID && version == SCHEMA_VERSION) ||
         misplaced(promises->path, error,
                   "is a database of something else, or of another version of zegel");
}

/* SQLite says no error when it stays in another mode, only which one it is. */
static gboolean
enter_wal(Promises *promises, GError **error)
{
  sqlite3_stmt *row = NULL;
  gboolean wal = FALSE;
  if (sqlite3_prepare_v2(promises->db, "PRAGMA journal_mode = WAL", -1, &row, NULL) ==
          SQLITE_OK &&
      sqlite3_step(row) == SQLITE_ROW)
    wal = strcmp((const char *) sqlite3_column_text(row, 0), "wal") == 0;
  if (sqlite3_finalize(row) != SQLITE_OK)
    return fail(promises, error);
  return wal ||
         misplaced(promises->path, error, "cannot be in WAL mode on this file system");
}

static gboolean
set_up(Promises *promises, GError **error)
{
  int persist = 1;
  g_autofree char *identity =
      g_strdup_printf("PRAGMA application_id = %d; PRAGMA user_version = %d;",
                      APPLICATION_ID, SCHEMA_VERSION);
  sqlite3_busy_timeout(promises->db, BUSY_MS);
  sqlite3_extended_result_codes(promises->db, 0);
  if (!check_identity(promises, error) || !enter_wal(promises, error) ||
      !run(promises, "PRAGMA synchronous = FULL", error))
    return FALSE;
  if (sqlite3_file_control(promises->db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist) !=
      SQLITE_OK)
    return fail(promises, error);
  /* The transaction also makes -wal and -shm, which readers need. */
  return run(promises, "BEGIN IMMEDIATE;", error) && run(promises, schema_sql, error) &&
         run(promises, identity, error) && run(promises, "COMMIT;", error) &&
         load_table(promises, "SELECT key, transport FROM route", promises->routes,
                    error) &&
         load_table(promises, "SELECT nexthop, policy FROM tls", promises->tls, error);
}

/* Whether SQLite finds damage in the open file. For Postfix that would be fatal. */
static gboolean
is_damaged(Promises *promises)
{
  sqlite3_stmt *row = NULL;
  gboolean good = FALSE;
  int code = sqlite3_prepare_v2(promises->db, "PRAGMA quick_check(1)", -1, &row, NULL);
  if (code == SQLITE_OK)
    code = sqlite3_step(row);
  if (code == SQLITE_ROW)
    good = strcmp((const char *) sqlite3_column_text(row, 0), "ok") == 0;
  sqlite3_finalize(row);
  return code == SQLITE_CORRUPT || (code == SQLITE_ROW && !good);
}

static void
close_file(Promises *promises)
{
  sqlite3_close(promises->db);
  promises->db = NULL;
}

/* All that is in a damaged file can be promised again; it is kept for who wants to look. */
static gboolean
set_aside(Promises *promises, GError **error)
{
  g_autofree char *aside = g_strconcat(promises->path, ".damaged", NULL);
  g_autofree char *wal = g_strconcat(promises->path, "-wal", NULL);
  g_autofree char *shm = g_strconcat(promises->path, "-shm", NULL);
  close_file(promises);
  if (rename(promises->path, aside) < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, promises->path);
    return FALSE;
  }
  unlink(wal);
  unlink(shm);
  promises->rebuilt = TRUE;
  log_line(LOG_LEVEL_ALARM, "%s was damaged: it is now %s, and is made anew",
           promises->path, aside);
  return TRUE;
}

static gboolean
open_once(Promises *promises, GError **error)
{
  if (!prepare_file(promises, error))
    return FALSE;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(promises->path, &promises->db, flags, NULL) != SQLITE_OK)
    return fail(promises, error);
  return TRUE;
}

static gboolean
open_file(Promises *promises, GError **error)
{
  if (!open_once(promises, error))
    return FALSE;
  if (is_damaged(promises) && (!set_aside(promises, error) || !open_once(promises, error)))
    return FALSE;
  return set_up(promises, error);
}

static GHashTable *
table_new(void)
{
  return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

Promises *
promises_open(const char *path, const char *group, GError **error)
{
  g_autoptr(Promises) promises = g_new0(Promises, 1);
  promises->path = g_strdup(path);
  promises->routes = table_new();
  promises->tls = table_new();
  promises->new_routes = table_new();
  promises->new_tls = table_new();
  promises->group = (gid_t) -1;
  if (group != NULL) {
    const struct group *entry = getgrnam(group);
    if (entry == NULL) {
      misplaced(path, error, "its group does not exist");
      return NULL;
    }
    promises->group = entry->gr_gid;
  }
  return open_file(promises, error) ? g_steal_pointer(&promises) : NULL;
}

void
promises_close(Promises *promises)
{
  if (promises == NULL)
    return;
  close_file(promises);
  g_hash_table_unref(promises->routes);
  g_hash_table_unref(promises->tls);
  g_hash_table_unref(promises->new_routes);
  g_hash_table_unref(promises->new_tls);
  g_free(promises->path);
  g_free(promises);
}

static gboolean
is_kept(GHashTable *table, const char *key, const char *value)
{
  return g_strcmp0(g_hash_table_lookup(table, key), value) == 0;
}

/* Takes KEY and VALUE. */
static gboolean
note(GHashTable *committed, GHashTable *noted, char *key, char *value)
{
  if (is_kept(committed, key, value)) {
    g_free(key);
    g_free(value);
    return FALSE;
  }
  g_hash_table_replace(noted, key, value);
  return TRUE;
}

static gboolean
note_entry(Promises *promises, const char *key, const BookEntry *entry,
           const PromiseWays *ways)
{
  gboolean route_is_new = note(promises->routes, promises->new_routes, g_strdup(key),
                               g_strconcat(ways->direct, ":", entry->nexthop, NULL));
  gboolean tls_is_new = note(promises->tls, promises->new_tls, g_strdup(entry->nexthop),
                             g_strdup(entry->policy));
  return route_is_new || tls_is_new;
}

gboolean
promises_note(Promises *promises, const char *spelled, const BookEntry *entry,
              const PromiseWays *ways)
{
  g_autofree char *key = g_strconcat(spelled, label_suffix(LABEL_DIRECT), NULL);
  return note_entry(promises, key, entry, ways);
}

/* Writes the pairs of TABLE with SQL, which has two parameters. */
static gboolean
write_pairs(Promises *promises, const char *sql, GHashTable *table, GError **error)
{
  sqlite3_stmt *put = NULL;
  if (sqlite3_prepare_v2(promises->db, sql, -1, &put, NULL) != SQLITE_OK)
    return fail(promises, error);
  GHashTableIter iter;
  gpointer key, value;
  gboolean good = TRUE;
  g_hash_table_iter_init(&iter, table);
  while (good && g_hash_table_iter_next(&iter, &key, &value)) {
    good = sqlite3_bind_text(put, 1, key, -1, SQLITE_STATIC) == SQLITE_OK &&
           sqlite3_bind_text(put, 2, value, -1, SQLITE_STATIC) == SQLITE_OK &&
           sqlite3_step(put) == SQLITE_DONE && sqlite3_reset(put) == SQLITE_OK;
    if (!good)
      fail(promises, error);
  }
  sqlite3_finalize(put);
  return good;
}

/* Removes the next hops in NAMES, borrowed by it, from the table and from memory. */
static gboolean
drop_hops(Promises *promises, const GPtrArray *names, GError **error)
{
  sqlite3_stmt *drop = NULL;
  if (sqlite3_prepare_v2(promises->db, drop_tls_sql, -1, &drop, NULL) != SQLITE_OK)
    return fail(promises, error);
  gboolean good = TRUE;
  for (guint i = 0; good && i < names->len; i++) {
    good = sqlite3_bind_text(drop, 1, names->pdata[i], -1, SQLITE_STATIC) == SQLITE_OK &&
           sqlite3_step(drop) == SQLITE_DONE && sqlite3_reset(drop) == SQLITE_OK;
    if (!good)
      fail(promises, error);
  }
  sqlite3_finalize(drop);
  return good;
}

/* Moves the pairs of FROM into TO. */
static void
move_pairs(GHashTable *from, GHashTable *to)
{
  GHashTableIter iter;
  gpointer key, value;
  g_hash_table_iter_init(&iter, from);
  while (g_hash_table_iter_next(&iter, &key, &value)) {
    g_hash_table_iter_steal(&iter);
    g_hash_table_replace(to, key, value);
  }
}

static void
forget_notes(Promises *promises)
{
  g_hash_table_remove_all(promises->new_routes);
  g_hash_table_remove_all(promises->new_tls);
}

/* Writes the notes, without the next hops in OLD_HOPS. */
static gboolean
write_notes(Promises *promises, const GPtrArray *old_hops, GError **error)
{
  gboolean good = run(promises, "BEGIN IMMEDIATE", error) &&
                  drop_hops(promises, old_hops, error) &&
                  write_pairs(promises, put_tls_sql, promises->new_tls, error) &&
                  write_pairs(promises, put_route_sql, promises->new_routes, error) &&
                  run(promises, "COMMIT", error);
  if (!good) {
    /* A COMMIT that failed may have been done: what is noted again is written again. */
    sqlite3_exec(promises->db, "ROLLBACK", NULL, NULL, NULL);
    forget_notes(promises);
    return FALSE;
  }
  for (guint i = 0; i < old_hops->len; i++)
    g_hash_table_remove(promises->tls, old_hops->pdata[i]);
  move_pairs(promises->new_routes, promises->routes);
  move_pairs(promises->new_tls, promises->tls);
  return TRUE;
}

/* Whether Postfix would still open the file that we have open. */
static gboolean
is_in_place(Promises *promises)
{
  struct stat status;
  gint64 now_us = g_get_monotonic_time();
  if (now_us - promises->looked_us < PROMISES_LOOK_MS * G_TIME_SPAN_MILLISECOND)
    return promises->db != NULL;
  promises->looked_us = now_us;
  return promises->db != NULL && lstat(promises->path, &status) == 0 &&
         status.st_dev == promises->device && status.st_ino == promises->inode;
}

/*
 * Another file, or none, is where ours was: what we hold for promised Postfix does not see.
 * Opens that one; the question at hand is not answered, the next one promises anew.
 */
static gboolean
reopen(Promises *promises, GError **error)
{
  close_file(promises);
  forget_notes(promises);
  if (!open_file(promises, error)) {
    close_file(promises);
    return FALSE;
  }
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY,
              "%s was moved or replaced; it is open again now", promises->path);
  return FALSE;
}

gboolean
promises_commit(Promises *promises, GError **error)
{
  if (!is_in_place(promises))
    return reopen(promises, error);
  if (g_hash_table_size(promises->new_routes) == 0 &&
      g_hash_table_size(promises->new_tls) == 0)
    return TRUE;
  g_autoptr(GPtrArray) none = g_ptr_array_new();
  return write_notes(promises, none, error);
}

/* Notes what the row KEY must be by BOOK. */
static void
follow_row(Promises *promises, const char *key, const Book *book, const PromiseWays *ways)
{
  g_autofree char *spelled = label_strip(key);
  g_autofree char *domain = domain_canonical(spelled);
  const BookEntry *entry = domain != NULL ? book_find(book, domain) : NULL;
  if (entry != NULL && !entry->nta)
    note_entry(promises, key, entry, ways);
  else
    note(promises->routes, promises->new_routes, g_strdup(key), g_strdup(ways->store));
}

/* Mail may wait for any of them. */
static void
note_whole_book(Promises *promises, const Book *book, const PromiseWays *ways)
{
  g_autoptr(GPtrArray) entries = book_entries(book);
  for (guint i = 0; i < entries->len; i++) {
    const BookEntry *entry = entries->pdata[i];
    if (!entry->nta)
      promises_note(promises, entry->domain, entry, ways);
  }
}

gboolean
promises_follow(Promises *promises, const Book *book, const PromiseWays *ways,
                guint *changed, GError **error)
{
  if (!is_in_place(promises))
    return reopen(promises, error);
  GHashTableIter iter;
  gpointer key;
  g_hash_table_iter_init(&iter, promises->routes);
  while (g_hash_table_iter_next(&iter, &key, NULL))
    follow_row(promises, key, book, ways);

  g_autoptr(GPtrArray) old_hops = g_ptr_array_new_with_free_func(g_free);
  g_hash_table_iter_init(&iter, promises->tls);
  while (g_hash_table_iter_next(&iter, &key, NULL))
    if (book_policy_of(book, key) == NULL)
      g_ptr_array_add(old_hops, g_strdup(key));

  if (promises->rebuilt)
    note_whole_book(promises, book, ways);
  *changed = g_hash_table_size(promises->new_routes) +
             g_hash_table_size(promises->new_tls) + old_hops->len;
  if (*changed > 0 && !write_notes(promises, old_hops, error))
    return FALSE;
  promises->rebuilt = FALSE;
  return TRUE;
}
