#include "policyd/routedb.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/book/domain.h"
#include "policyd/routefiles.h"

#define APPLICATION_ID 0x7a67524f /* "zgRO", in the file's header */
#define SCHEMA_VERSION 2          /* 1 had no source and no time */

struct RouteDb {
  char *path;
  gid_t group;
  sqlite3 *db;
  int place;           /* O_PATH of the open file: says whether it has a name; or -1 */
  RouteFilesMark mark; /* the files as we left them */
  gint64 patient_us;   /* until then writes do not wait for a lock */
  gboolean suspect;    /* SQLite complained: look closely */
  int code;            /* of the last failure */
  gboolean placed;     /* the file of mark is whole and only must be opened */
};

static const char schema_sql[] =
    "CREATE TABLE IF NOT EXISTS route"
    " (key TEXT PRIMARY KEY NOT NULL, transport TEXT NOT NULL,"
    " source INTEGER NOT NULL DEFAULT 0, promised INTEGER NOT NULL DEFAULT 0)"
    " WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS tls"
    " (nexthop TEXT PRIMARY KEY NOT NULL, policy TEXT NOT NULL) WITHOUT ROWID;";

static const char migrate_1_sql[] =
    "ALTER TABLE route ADD COLUMN source INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE route ADD COLUMN promised INTEGER NOT NULL DEFAULT 0;"
    "UPDATE route SET promised = CAST(strftime('%s', 'now') AS INTEGER);";

static const char put_route_sql[] =
    "INSERT INTO route (key, transport, source, promised) VALUES (?1, ?2, ?3, ?4)"
    " ON CONFLICT (key) DO UPDATE SET transport = excluded.transport,"
    " source = excluded.source, promised = excluded.promised";
static const char drop_route_sql[] = "DELETE FROM route WHERE key = ?1";
static const char put_tls_sql[] =
    "INSERT INTO tls (nexthop, policy) VALUES (?1, ?2)"
    " ON CONFLICT (nexthop) DO UPDATE SET policy = excluded.policy";
static const char drop_tls_sql[] = "DELETE FROM tls WHERE nexthop = ?1";

static const char load_routes_sql[] = "SELECT key, transport, source, promised FROM route";
static const char load_routes_1_sql[] =
    "SELECT key, transport, 0, CAST(strftime('%s', 'now') AS INTEGER) FROM route";
static const char load_tls_sql[] = "SELECT nexthop, policy FROM tls";

/*
 * Postfix keeps its tables open: processes that have a file which is no more would go on
 * with what stands in it, for hours. Without the tables they end at the next question, and
 * master starts others. Where the file is too damaged for this, it is for them as well.
 */
static const char former_sql[] = "ALTER TABLE route RENAME TO former_route;"
                                 "ALTER TABLE tls RENAME TO former_tls";

/* ---- Rows ---- */

RouteRow *
route_row_new(const char *key, const char *transport, RouteSource source, gint64 promised_s)
{
  RouteRow *row = g_new0(RouteRow, 1);
  g_autofree char *bare = label_strip(key);
  row->key = g_strdup(key);
  row->transport = g_strdup(transport);
  row->source = source;
  row->promised_s = promised_s;
  row->label = label_of(key);
  row->domain = domain_canonical(bare);
  return row;
}

void
route_row_free(RouteRow *row)
{
  if (row == NULL)
    return;
  g_free(row->key);
  g_free(row->transport);
  g_free(row->domain);
  g_free(row);
}

RouteTables *
route_tables_new(void)
{
  RouteTables *tables = g_new0(RouteTables, 1);
  tables->routes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                         (GDestroyNotify) route_row_free);
  tables->tls = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  return tables;
}

void
route_tables_free(RouteTables *tables)
{
  if (tables == NULL)
    return;
  g_hash_table_unref(tables->routes);
  g_hash_table_unref(tables->tls);
  g_free(tables);
}

guint
route_tables_count(const RouteTables *tables)
{
  return g_hash_table_size(tables->routes) + g_hash_table_size(tables->tls);
}

static gboolean
row_equal(const RouteRow *a, const RouteRow *b)
{
  return strcmp(a->transport, b->transport) == 0 && a->source == b->source;
}

/* The time of promise may lag behind. */
static gboolean
tables_equal(const RouteTables *a, const RouteTables *b)
{
  GHashTableIter iter;
  gpointer key, value;
  if (g_hash_table_size(a->routes) != g_hash_table_size(b->routes) ||
      g_hash_table_size(a->tls) != g_hash_table_size(b->tls))
    return FALSE;
  g_hash_table_iter_init(&iter, a->routes);
  while (g_hash_table_iter_next(&iter, &key, &value)) {
    const RouteRow *other = g_hash_table_lookup(b->routes, key);
    if (other == NULL || !row_equal(value, other))
      return FALSE;
  }
  g_hash_table_iter_init(&iter, a->tls);
  while (g_hash_table_iter_next(&iter, &key, &value))
    if (g_strcmp0(g_hash_table_lookup(b->tls, key), value) != 0)
      return FALSE;
  return TRUE;
}

/* ---- Errors ---- */

static gboolean
fail(RouteDb *db, GError **error)
{
  int code = db->db != NULL ? sqlite3_errcode(db->db) : SQLITE_NOMEM;
  db->code = code;
  g_set_error(error, ZEGEL_ERROR,
              code == SQLITE_FULL ? ZEGEL_ERROR_FULL : ZEGEL_ERROR_TEMPORARY, "%s: %s",
              db->path, db->db != NULL ? sqlite3_errmsg(db->db) : sqlite3_errstr(code));
  return FALSE;
}

static gboolean
run(RouteDb *db, const char *sql, GError **error)
{
  return sqlite3_exec(db->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail(db, error);
}

static gboolean
misplaced(RouteDb *db, GError **error, const char *what)
{
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "%s: %s", db->path, what);
  return FALSE;
}

/* ---- Reading ---- */

static const char *
text_of(sqlite3_stmt *row, int column)
{
  const char *text = (const char *) sqlite3_column_text(row, column);
  return text != NULL ? text : "";
}

static void
load_route(sqlite3_stmt *row, RouteTables *tables)
{
  gint64 number = sqlite3_column_int64(row, 2);
  RouteSource source =
      number == ROUTE_BOOK || number == ROUTE_NTA ? (RouteSource) number : ROUTE_NOBODY;
  RouteRow *read =
      route_row_new(text_of(row, 0), text_of(row, 1), source, sqlite3_column_int64(row, 3));
  g_hash_table_replace(tables->routes, g_strdup(read->key), read);
}

static void
load_tls(sqlite3_stmt *row, RouteTables *tables)
{
  g_hash_table_replace(tables->tls, g_strdup(text_of(row, 0)), g_strdup(text_of(row, 1)));
}

/* Gives every row of SQL to LOAD; returns SQLite's code, SQLITE_DONE when it went well. */
static int
load_rows(sqlite3 *db, const char *sql, void (*load)(sqlite3_stmt *, RouteTables *),
          RouteTables *tables)
{
  sqlite3_stmt *rows = NULL;
  int code = sqlite3_prepare_v2(db, sql, -1, &rows, NULL);
  if (code == SQLITE_OK)
    while ((code = sqlite3_step(rows)) == SQLITE_ROW)
      load(rows, tables);
  sqlite3_finalize(rows);
  return code;
}

static int
load_all(sqlite3 *db, gint64 version, RouteTables *tables)
{
  g_hash_table_remove_all(tables->routes);
  g_hash_table_remove_all(tables->tls);
  int code =
      load_rows(db, version == 1 ? load_routes_1_sql : load_routes_sql, load_route, tables);
  return code == SQLITE_DONE ? load_rows(db, load_tls_sql, load_tls, tables) : code;
}

/* Whose file it is. Returns SQLite's code, SQLITE_ROW when it went well. */
static int
read_identity(sqlite3 *db, gint64 *id, gint64 *version, gint64 *tables)
{
  static const char sql[] = "SELECT (SELECT * FROM pragma_application_id),"
                            " (SELECT * FROM pragma_user_version),"
                            " (SELECT count(*) FROM sqlite_schema)";
  sqlite3_stmt *row = NULL;
  int code = sqlite3_prepare_v2(db, sql, -1, &row, NULL);
  if (code == SQLITE_OK)
    code = sqlite3_step(row);
  if (code == SQLITE_ROW) {
    *id = sqlite3_column_int64(row, 0);
    *version = sqlite3_column_int64(row, 1);
    *tables = sqlite3_column_int64(row, 2);
  }
  sqlite3_finalize(row);
  return code;
}

/* SQLITE_OK when SQLite finds no damage, SQLITE_CORRUPT or whatever else it says. */
static int
check_pages(sqlite3 *db)
{
  sqlite3_stmt *row = NULL;
  int code = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &row, NULL);
  if (code == SQLITE_OK)
    code = sqlite3_step(row);
  if (code == SQLITE_ROW)
    code = strcmp(text_of(row, 0), "ok") == 0 ? SQLITE_OK : SQLITE_CORRUPT;
  sqlite3_finalize(row);
  return code;
}

/* The whole of a file of ours, of any version, that is open as DB. SQLite's code. */
static int
read_whole(sqlite3 *db, RouteTables *tables)
{
  gint64 id = 0, version = 0, count = 0;
  int code = check_pages(db);
  if (code != SQLITE_OK)
    return code;
  code = read_identity(db, &id, &version, &count);
  if (code != SQLITE_ROW)
    return code;
  if (id != APPLICATION_ID || version < 1 || version > SCHEMA_VERSION)
    return SQLITE_NOTADB;
  code = load_all(db, version, tables);
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* ---- Opening ---- */

/* A file of somebody else is not ours to write in. */
static gboolean
check_identity(RouteDb *db, gint64 *version, GError **error)
{
  gint64 id = -1, tables = -1;
  if (read_identity(db->db, &id, version, &tables) != SQLITE_ROW)
    return fail(db, error);
  gboolean fresh = tables == 0 && id == 0;
  return fresh || (id == APPLICATION_ID && *version >= 1 && *version <= SCHEMA_VERSION) ||
         misplaced(db, error,
                   "is a database of something else, or of another version of zegel");
}

/* SQLite says no error when it stays in another mode, only which one it is. */
static gboolean
enter_wal(RouteDb *db, GError **error)
{
  sqlite3_stmt *row = NULL;
  gboolean wal = FALSE;
  if (sqlite3_prepare_v2(db->db, "PRAGMA journal_mode = WAL", -1, &row, NULL) ==
          SQLITE_OK &&
      sqlite3_step(row) == SQLITE_ROW)
    wal = strcmp(text_of(row, 0), "wal") == 0;
  if (sqlite3_finalize(row) != SQLITE_OK)
    return fail(db, error);
  return wal || misplaced(db, error, "cannot be in WAL mode on this file system");
}

/* Also makes -wal and -shm, which readers need. */
static gboolean
bring_up_to_date(RouteDb *db, gint64 version, GError **error)
{
  g_autofree char *identity =
      g_strdup_printf("PRAGMA application_id = %d; PRAGMA user_version = %d;",
                      APPLICATION_ID, SCHEMA_VERSION);
  gboolean good = run(db, "BEGIN IMMEDIATE", error) &&
                  (version != 1 || run(db, migrate_1_sql, error)) &&
                  run(db, schema_sql, error) && run(db, identity, error) &&
                  run(db, "COMMIT", error);
  if (!good)
    sqlite3_exec(db->db, "ROLLBACK", NULL, NULL, NULL);
  return good;
}

static gboolean
set_up(RouteDb *db, int busy_ms, GError **error)
{
  gint64 version = 0;
  sqlite3_busy_timeout(db->db, busy_ms);
  sqlite3_extended_result_codes(db->db, 0);
  if (!check_identity(db, &version, error) || !enter_wal(db, error) ||
      !run(db, "PRAGMA synchronous = FULL", error) || !bring_up_to_date(db, version, error))
    return FALSE;
  route_files_mark(db->path, &db->mark);
  return TRUE;
}

static void
close_file(RouteDb *db)
{
  sqlite3_close(db->db);
  db->db = NULL;
  if (db->place >= 0)
    close(db->place); /* with O_PATH that does not drop SQLite's locks */
  db->place = -1;
}

static gboolean
open_once(RouteDb *db, GError **error)
{
  if (!route_files_prepare(db->path, db->group, error))
    return FALSE;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  int persist = 1; /* from the first moment: closing would remove -wal and -shm else */
  if (sqlite3_open_v2(db->path, &db->db, flags, NULL) == SQLITE_OK &&
      sqlite3_file_control(db->db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist) ==
          SQLITE_OK) {
    db->place = open(db->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    return TRUE;
  }
  fail(db, error);
  close_file(db);
  return FALSE;
}

/* All that is in a damaged file can be promised again; it is kept for who wants to look. */
static gboolean
set_aside(RouteDb *db, GError **error)
{
  g_autofree char *aside = g_strconcat(db->path, ".damaged", NULL);
  sqlite3_exec(db->db, former_sql, NULL, NULL, NULL);
  close_file(db);
  if (rename(db->path, aside) < 0)
    return misplaced(db, error, "is damaged, and cannot be renamed");
  route_files_remove(db->path);
  log_line(LOG_LEVEL_ALARM, "%s was damaged: it is now %s, and is made anew", db->path,
           aside);
  return open_once(db, error);
}

static gboolean
open_and_load(RouteDb *db, RouteTables *tables, gboolean *rebuilt, GError **error)
{
  route_files_mend(db->path, db->group);
  if (!open_once(db, error))
    return FALSE;
  sqlite3_busy_timeout(db->db, ROUTE_DB_OPEN_BUSY_MS);
  int code = check_pages(db->db);
  *rebuilt = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
  if (*rebuilt && !set_aside(db, error))
    return FALSE;
  return set_up(db, ROUTE_DB_OPEN_BUSY_MS, error) &&
         (load_all(db->db, SCHEMA_VERSION, tables) == SQLITE_DONE || fail(db, error));
}

RouteDb *
route_db_open(const char *path, gid_t group, RouteTables *tables, gboolean *rebuilt,
              GError **error)
{
  RouteDb *db = g_new0(RouteDb, 1);
  db->path = g_strdup(path);
  db->group = group;
  db->place = -1;
  if (open_and_load(db, tables, rebuilt, error))
    return db;
  route_db_close(db);
  return NULL;
}

void
route_db_close(RouteDb *db)
{
  if (db == NULL)
    return;
  close_file(db);
  g_free(db->path);
  g_free(db);
}

/* ---- Writing ---- */

static gboolean
bind_row(sqlite3_stmt *put, gconstpointer value)
{
  const RouteRow *row = value;
  return sqlite3_bind_text(put, 2, row->transport, -1, SQLITE_STATIC) == SQLITE_OK &&
         sqlite3_bind_int64(put, 3, row->source) == SQLITE_OK &&
         sqlite3_bind_int64(put, 4, row->promised_s) == SQLITE_OK;
}

static gboolean
bind_policy(sqlite3_stmt *put, gconstpointer policy)
{
  return sqlite3_bind_text(put, 2, policy, -1, SQLITE_STATIC) == SQLITE_OK;
}

static gboolean
step_once(sqlite3_stmt *statement)
{
  return sqlite3_step(statement) == SQLITE_DONE && sqlite3_reset(statement) == SQLITE_OK;
}

/* Runs PUT_SQL for the values of TABLE, which BIND binds, and DROP_SQL where it is NULL. */
static gboolean
write_table(RouteDb *db, GHashTable *table, const char *put_sql, const char *drop_sql,
            gboolean (*bind)(sqlite3_stmt *, gconstpointer), GError **error)
{
  sqlite3_stmt *put = NULL, *drop = NULL;
  gboolean good = sqlite3_prepare_v2(db->db, put_sql, -1, &put, NULL) == SQLITE_OK &&
                  sqlite3_prepare_v2(db->db, drop_sql, -1, &drop, NULL) == SQLITE_OK;
  GHashTableIter iter;
  gpointer key, value;
  g_hash_table_iter_init(&iter, table);
  while (good && g_hash_table_iter_next(&iter, &key, &value)) {
    sqlite3_stmt *statement = value != NULL ? put : drop;
    good = sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC) == SQLITE_OK &&
           (value == NULL || bind(statement, value)) && step_once(statement);
  }
  if (!good)
    fail(db, error);
  sqlite3_finalize(put);
  sqlite3_finalize(drop);
  return good;
}

static gboolean
write_changes(RouteDb *db, const RouteTables *changes, GError **error)
{
  gboolean good =
      run(db, "BEGIN IMMEDIATE", error) &&
      write_table(db, changes->tls, put_tls_sql, drop_tls_sql, bind_policy, error) &&
      write_table(db, changes->routes, put_route_sql, drop_route_sql, bind_row, error) &&
      run(db, "COMMIT", error);
  if (!good)
    sqlite3_exec(db->db, "ROLLBACK", NULL, NULL, NULL);
  return good;
}

/* Everybody waits while we wait for a lock: not again when it was in vain just now. */
static void
set_patience(RouteDb *db)
{
  gboolean patient = g_get_monotonic_time() >= db->patient_us;
  sqlite3_busy_timeout(db->db, patient ? ROUTE_DB_BUSY_MS : 0);
}

static void
note_failure(RouteDb *db)
{
  gint64 now_us = g_get_monotonic_time();
  if (db->code != SQLITE_BUSY)
    db->suspect = TRUE;
  else if (now_us >= db->patient_us)
    db->patient_us = now_us + ROUTE_DB_PATIENCE_MS * G_TIME_SPAN_MILLISECOND;
}

gboolean
route_db_write(RouteDb *db, const RouteTables *changes, GError **error)
{
  if (db->db == NULL) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY, "%s is not open", db->path);
    return FALSE;
  }
  set_patience(db);
  if (!write_changes(db, changes, error)) {
    note_failure(db);
    return FALSE;
  }
  route_files_mark(db->path, &db->mark);
  return TRUE;
}

/* ---- What Postfix sees ---- */

/* Opens what is at the path, for reading only. NULL when that fails. */
static sqlite3 *
open_reader(const RouteDb *db, const char *uri_suffix)
{
  struct stat status;
  sqlite3 *reader = NULL;
  g_autofree char *escaped = g_uri_escape_string(db->path, "/", FALSE);
  g_autofree char *uri = g_strconcat("file:", escaped, uri_suffix, NULL);
  int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
  if (lstat(db->path, &status) < 0 || !S_ISREG(status.st_mode)) /* a FIFO would block */
    return NULL;
  if (sqlite3_open_v2(uri, &reader, flags, NULL) != SQLITE_OK)
    g_clear_pointer(&reader, sqlite3_close);
  else
    sqlite3_busy_timeout(reader, ROUTE_DB_BUSY_MS);
  return reader;
}

/* A reader of our own: the pages that the writer keeps in memory prove nothing. */
static RouteDbState
read_as_postfix(const RouteDb *db, const RouteTables *tables)
{
  g_autoptr(RouteTables) read = route_tables_new();
  sqlite3 *reader = open_reader(db, "");
  if (reader == NULL)
    return ROUTE_DB_DAMAGED;
  int code = read_whole(reader, read);
  sqlite3_close(reader);
  if (code == SQLITE_BUSY)
    return ROUTE_DB_BUSY;
  return code == SQLITE_OK && tables_equal(tables, read) ? ROUTE_DB_GOOD : ROUTE_DB_DAMAGED;
}

RouteDbState
route_db_look(RouteDb *db, const RouteTables *tables)
{
  RouteFilesMark now;
  route_files_mend(db->path, db->group);
  if (db->db == NULL)
    return ROUTE_DB_GONE;
  RouteFilesState files = route_files_compare(db->path, db->group, &db->mark);
  if (files == ROUTE_FILES_OTHER)
    return ROUTE_DB_GONE;
  if (files == ROUTE_FILES_SAME && !db->suspect)
    return ROUTE_DB_GOOD;
  route_files_mark(db->path, &now);
  RouteDbState state = read_as_postfix(db, tables);
  if (state == ROUTE_DB_GOOD) {
    db->mark = now;
    db->suspect = FALSE;
  }
  return state;
}

/* Whoever put one file there left ours beside it: what -wal says is not of that file. */
RouteTables *
route_db_read_other(const RouteDb *db)
{
  g_autoptr(RouteTables) read = route_tables_new();
  sqlite3 *reader = open_reader(db, "?immutable=1");
  if (reader == NULL)
    return NULL;
  int code = read_whole(reader, read);
  sqlite3_close(reader);
  return code == SQLITE_OK ? g_steal_pointer(&read) : NULL;
}

/* ---- Putting back ---- */

/* Makes the file at FRESH->path with TABLES, and closes it. */
static gboolean
build(RouteDb *fresh, const RouteTables *tables, GError **error)
{
  route_files_remove(fresh->path);
  gboolean good = open_once(fresh, error) && set_up(fresh, ROUTE_DB_BUSY_MS, error) &&
                  write_changes(fresh, tables, error) &&
                  run(fresh, "PRAGMA wal_checkpoint(TRUNCATE)", error);
  close_file(fresh);
  return good;
}

/* Not when the file has a name somewhere: then somebody wants to keep it. */
static void
turn_readers_away(const RouteDb *db, const char *aside)
{
  struct stat former, kept;
  if (db->db == NULL || db->place < 0 || fstat(db->place, &former) < 0)
    return;
  gboolean is_kept = aside != NULL && lstat(aside, &kept) == 0 &&
                     kept.st_dev == former.st_dev && kept.st_ino == former.st_ino;
  if (former.st_nlink == (is_kept ? 1 : 0))
    sqlite3_exec(db->db, former_sql, NULL, NULL, NULL);
}

static gboolean
place(RouteDb *db, const RouteTables *tables, const char *suffix, GError **error)
{
  g_autofree char *path = g_strconcat(db->path, ".new", NULL);
  g_autofree char *aside = suffix != NULL ? g_strconcat(db->path, ".", suffix, NULL) : NULL;
  RouteDb fresh = {.path = path, .group = db->group, .place = -1};
  gboolean good =
      build(&fresh, tables, error) && route_files_replace(path, db->path, aside, error);
  if (good)
    turn_readers_away(db, aside);
  else
    route_files_remove(path);
  return good;
}

gboolean
route_db_put_back(RouteDb *db, const RouteTables *tables, const char *suffix,
                  GError **error)
{
  db->placed =
      db->placed && route_files_compare(db->path, db->group, &db->mark) == ROUTE_FILES_SAME;
  if (!db->placed) {
    if (!place(db, tables, suffix, error))
      return FALSE;
    route_files_mark(db->path, &db->mark);
    db->placed = TRUE;
  }
  close_file(db);
  if (!open_once(db, error) || !set_up(db, ROUTE_DB_BUSY_MS, error)) {
    close_file(db);
    return FALSE;
  }
  db->placed = FALSE;
  db->suspect = FALSE;
  return TRUE;
}
