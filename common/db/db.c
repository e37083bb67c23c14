#include "common/db/db.h"

#include <errno.h>

#include "common/base/error.h"
#include "common/db/internal.h"

#define BUSY_TIMEOUT_MS 5000 /* another process may hold the lock that long */

/*
 * FULL also for a viewer: a code that counts again after a power loss is a code too many.
 * Checkpoints are made by a thread of their own (writer.c). What SQLite would put into
 * temporary files stays in memory.
 */
static const char settings[] = "PRAGMA foreign_keys = ON;"
                               "PRAGMA synchronous = FULL;"
                               "PRAGMA secure_delete = ON;"
                               "PRAGMA temp_store = MEMORY;"
                               "PRAGMA trusted_schema = OFF;"
                               "PRAGMA cell_size_check = ON;"
                               "PRAGMA wal_autocheckpoint = 0;";

/* What the caller can do about RESULT. */
static ZegelError
error_code(sqlite3 *handle, int result)
{
  int primary = result & 0xff;
  int errnum = sqlite3_system_errno(handle);
  if (primary == SQLITE_FULL)
    return ZEGEL_ERROR_FULL;
  if (primary == SQLITE_IOERR && (errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG))
    return ZEGEL_ERROR_FULL;
  if (primary == SQLITE_NOTADB)
    return ZEGEL_ERROR_CONFIG;
  return ZEGEL_ERROR_TEMPORARY;
}

void
db_set_error(sqlite3 *handle, int result, GError **error)
{
  g_set_error(error, ZEGEL_ERROR, error_code(handle, result), "database: %s (%d)",
              sqlite3_errmsg(handle), sqlite3_extended_errcode(handle));
}

static void
finalize(gpointer statement)
{
  sqlite3_finalize(statement);
}

Db *
db_open(const char *path, DbRole role, GError **error)
{
  g_autoptr(Db) db = g_new0(Db, 1);
  db->log_path = g_strconcat(path, "-wal", NULL);
  db->queries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, finalize);
  int result =
      sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  if (result != SQLITE_OK) {
    db_set_error(db->handle, result, error);
    g_prefix_error(error, "%s: ", path);
    return NULL;
  }
  sqlite3_extended_result_codes(db->handle, 1);
  sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
  sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  if (!db_exec(db, settings, error) ||
      (role == DB_READER && !db_exec(db, "PRAGMA query_only = ON", error))) {
    g_prefix_error(error, "%s: ", path);
    return NULL;
  }
  return g_steal_pointer(&db);
}

void
db_close(Db *db)
{
  if (db == NULL)
    return;
  g_hash_table_unref(db->queries);
  sqlite3_close(db->handle);
  g_free(db->log_path);
  g_free(db);
}

gboolean
db_exec(Db *db, const char *sql, GError **error)
{
  int result = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
  if (result != SQLITE_OK)
    db_set_error(db->handle, result, error);
  return result == SQLITE_OK;
}

static Query *
prepared(Db *db, const char *sql, GError **error)
{
  Query *query = g_hash_table_lookup(db->queries, sql);
  if (query != NULL)
    return query;
  int result =
      sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &query, NULL);
  if (result != SQLITE_OK) {
    db_set_error(db->handle, result, error);
    return NULL;
  }
  g_hash_table_insert(db->queries, (gpointer) sql, query);
  return query;
}

static int
bind(Query *query, int position, const DbValue *value)
{
  switch (value->kind) {
  case DB_NULL:
    return sqlite3_bind_null(query, position);
  case DB_INT:
    return sqlite3_bind_int64(query, position, value->number);
  case DB_TEXT:
    return sqlite3_bind_text(query, position, value->bytes, -1, SQLITE_STATIC);
  case DB_BLOB:
    return sqlite3_bind_blob64(query, position, value->bytes, value->len, SQLITE_STATIC);
  }
  return SQLITE_MISUSE;
}

Query *
db_query(Db *db, const char *sql, const DbValue *values, gsize count, GError **error)
{
  g_autoptr(Query) query = prepared(db, sql, error);
  if (query == NULL)
    return NULL;
  for (gsize i = 0; i < count; i++) {
    int result = bind(query, (int) i + 1, &values[i]);
    if (result != SQLITE_OK) {
      db_set_error(db->handle, result, error);
      return NULL;
    }
  }
  return g_steal_pointer(&query);
}

gboolean
db_run(Db *db, const char *sql, const DbValue *values, gsize count, GError **error)
{
  g_autoptr(Query) query = db_query(db, sql, values, count, error);
  int step = query != NULL ? 1 : -1;
  while (step > 0)
    step = query_step(query, error);
  return step == 0;
}

int
query_step(Query *query, GError **error)
{
  int result = sqlite3_step(query);
  if (result == SQLITE_ROW)
    return 1;
  if (result == SQLITE_DONE)
    return 0;
  db_set_error(sqlite3_db_handle(query), result, error);
  return -1;
}

gint64
query_int(Query *query, int column)
{
  return sqlite3_column_int64(query, column);
}

const char *
query_text(Query *query, int column)
{
  return (const char *) sqlite3_column_text(query, column);
}

gconstpointer
query_blob(Query *query, int column, gsize *len)
{
  gconstpointer bytes = sqlite3_column_blob(query, column);
  *len = (gsize) sqlite3_column_bytes(query, column);
  return bytes;
}

gboolean
query_is_null(Query *query, int column)
{
  return sqlite3_column_type(query, column) == SQLITE_NULL;
}

void
query_done(Query *query)
{
  if (query == NULL)
    return;
  sqlite3_reset(query);
  sqlite3_clear_bindings(query);
}

gint64
db_changes(Db *db)
{
  return sqlite3_changes64(db->handle);
}

gint64
db_last_id(Db *db)
{
  return sqlite3_last_insert_rowid(db->handle);
}

gboolean
db_in_transaction(Db *db)
{
  return sqlite3_get_autocommit(db->handle) == 0;
}

/* SQLite looks after its database file, but not after the log. */
static gboolean
log_is_in_place(Db *db)
{
  struct stat status;
  if (stat(db->log_path, &status) < 0)
    return FALSE;
  if (db->log_ino == 0) {
    db->log_dev = status.st_dev;
    db->log_ino = status.st_ino;
  }
  return status.st_dev == db->log_dev && status.st_ino == db->log_ino;
}

gboolean
db_is_in_place(Db *db, GError **error)
{
  int moved = 0;
  sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  if (moved == 0 && log_is_in_place(db))
    return TRUE;
  g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY,
                      "the database or its log was moved or removed while in use");
  return FALSE;
}

static int
log_grew(gpointer p, sqlite3 *handle, const char *name, int pages)
{
  Db *db = p;
  (void) handle;
  (void) name;
  db->log_func(db->log_data, (guint) MAX(pages, 0));
  return SQLITE_OK;
}

void
db_watch_log(Db *db, DbLogFunc func, gpointer data)
{
  db->log_func = func;
  db->log_data = data;
  sqlite3_wal_hook(db->handle, log_grew, db);
}

gboolean
db_checkpoint(Db *db, DbCheckpoint mode, GError **error)
{
  static const int modes[] = {
      [DB_CHECKPOINT_PASSIVE] = SQLITE_CHECKPOINT_PASSIVE,
      [DB_CHECKPOINT_TRUNCATE] = SQLITE_CHECKPOINT_TRUNCATE,
  };
  int result = sqlite3_wal_checkpoint_v2(db->handle, NULL, modes[mode], NULL, NULL);
  if (result == SQLITE_OK || (result & 0xff) == SQLITE_BUSY)
    return TRUE;
  db_set_error(db->handle, result, error);
  return FALSE;
}

gboolean
db_examine(Db *db, char **problem, GError **error)
{
  static const char sql[] = "PRAGMA integrity_check(1)";
  g_autoptr(GError) failure = NULL;
  *problem = NULL;
  g_autoptr(Query) query = db_query(db, sql, DB_NO_VALUES, &failure);
  if (query != NULL && query_step(query, &failure) == 1) {
    const char *text = query_text(query, 0);
    if (g_strcmp0(text, "ok") != 0)
      *problem = g_strdup(text);
    return TRUE;
  }
  int result = sqlite3_errcode(db->handle) & 0xff;
  if (failure == NULL || result == SQLITE_CORRUPT || result == SQLITE_NOTADB) {
    *problem = g_strdup(failure != NULL ? failure->message : "no answer");
    return TRUE;
  }
  g_propagate_error(error, g_steal_pointer(&failure));
  return FALSE;
}
