/*
 * Databases of versions: how one is made, upgraded, or refused.
 */
#include <string.h>

#include "common/base/error.h"
#include "common/db/db.h"

#define MODE_TRIES   50
#define MODE_WAIT_US (100 * 1000)

/* The number that SQL gives, or -1 with an error. */
static gint64
get_number(Db *db, const char *sql, GError **error)
{
  g_autoptr(Query) query = db_query(db, sql, DB_NO_VALUES, error);
  if (query == NULL || query_step(query, error) != 1)
    return -1;
  return query_int(query, 0);
}

static gboolean
refuse(const char *path, const char *what, GError **error)
{
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "%s: %s", path, what);
  return FALSE;
}

/* Whether the database is ours; *VERSION gets its version. */
static gboolean
get_version(Db *db, const char *path, const DbSchema *schema, gint64 *version,
            GError **error)
{
  *version = get_number(db, "PRAGMA user_version", error);
  if (*version < 0)
    return FALSE;
  gint64 id = get_number(db, "PRAGMA application_id", error);
  if (id < 0)
    return FALSE;
  if (*version > (gint64) schema->step_count)
    return refuse(path, "made by a newer zegel: install that one, or restore a backup",
                  error);
  if (*version > 0)
    return id == schema->application_id ||
           refuse(path, "another program's database", error);
  gint64 tables = get_number(db, "SELECT count(*) FROM sqlite_schema", error);
  return tables == 0 || (tables > 0 && refuse(path, "another program's database", error));
}

/* As get_version, in one transaction: another program may be making the tables just now. */
static gboolean
look_at_version(Db *db, const char *path, const DbSchema *schema, gint64 *version,
                GError **error)
{
  if (!db_exec(db, "BEGIN", error))
    return FALSE;
  gboolean good = get_version(db, path, schema, version, error);
  if (db_in_transaction(db))
    db_exec(db, "ROLLBACK", NULL); /* nothing was written */
  return good;
}

/* Within a transaction: others may have been first. */
static gboolean
upgrade(Db *db, const char *path, const DbSchema *schema, GError **error)
{
  gint64 version = 0;
  if (!get_version(db, path, schema, &version, error))
    return FALSE;
  for (; version < (gint64) schema->step_count; version++)
    if (!db_exec(db, schema->steps[version], error))
      return FALSE;
  g_autofree char *marks =
      g_strdup_printf("PRAGMA application_id = %d;"
                      "PRAGMA user_version = %d;",
                      schema->application_id, (int) schema->step_count);
  return db_exec(db, marks, error);
}

/* Whether the mode of the log is WAL after SQL, which asks for it or sets it. */
static gboolean
log_mode_is_wal(Db *db, const char *sql, GError **error)
{
  g_autoptr(Query) query = db_query(db, sql, DB_NO_VALUES, error);
  if (query == NULL || query_step(query, error) != 1)
    return FALSE;
  if (g_strcmp0(query_text(query, 0), "wal") == 0)
    return TRUE;
  g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY,
                      "database: cannot be put into WAL mode");
  return FALSE;
}

/*
 * SQLite does not wait by itself when two processes make a new database at once, and when
 * the disk fails it says in a row, not in an error, that the mode stayed as it was.
 */
static gboolean
set_log_mode(Db *db, GError **error)
{
  if (log_mode_is_wal(db, "PRAGMA journal_mode", NULL))
    return TRUE;
  for (int i = 0; i < MODE_TRIES; i++) {
    if (log_mode_is_wal(db, "PRAGMA journal_mode = WAL", NULL))
      return TRUE;
    g_usleep(MODE_WAIT_US);
  }
  return log_mode_is_wal(db, "PRAGMA journal_mode = WAL", error);
}

gboolean
db_prepare(Db *db, const char *path, const DbSchema *schema, GError **error)
{
  gint64 version = 0;
  if (!look_at_version(db, path, schema, &version, error))
    return FALSE;
  if (!set_log_mode(db, error))
    return FALSE;
  if (version == (gint64) schema->step_count)
    return TRUE;
  if (!db_exec(db, "BEGIN IMMEDIATE", error))
    return FALSE;
  if (upgrade(db, path, schema, error) && db_exec(db, "COMMIT", error))
    return TRUE;
  if (db_in_transaction(db))
    db_exec(db, "ROLLBACK", NULL);
  return FALSE;
}
