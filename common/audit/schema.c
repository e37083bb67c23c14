/*
 * The tables. Their meaning is described in zegel-audit(5).
 */
#include <errno.h>
#include <sys/stat.h>

#include "common/audit/internal.h"
#include "common/base/error.h"

#define APPLICATION_ID 0x7a676174 /* "zgat" */

/* Step I makes version I + 1 of version I; an empty database is version 0. */
static const char *const steps[] = {
    "CREATE TABLE record ("
    "  number INTEGER PRIMARY KEY,"
    "  key INTEGER NOT NULL,"
    "  at_us INTEGER NOT NULL,"
    "  nta INTEGER NOT NULL,"
    "  id BLOB NOT NULL,"
    "  organisation TEXT,"
    "  event TEXT NOT NULL,"
    "  queue_id TEXT,"
    "  reference TEXT,"
    "  text TEXT NOT NULL,"
    "  mac BLOB NOT NULL,"
    "  sealed BLOB"
    ") STRICT;"
    "CREATE UNIQUE INDEX record_id ON record (id);"
    "CREATE INDEX record_at ON record (at_us);"
    "CREATE INDEX record_organisation ON record (organisation, at_us);"
    "CREATE INDEX record_event ON record (event, at_us);"
    "CREATE INDEX record_queue_id ON record (queue_id) WHERE queue_id IS NOT NULL;"
    "CREATE INDEX record_reference ON record (reference) WHERE reference IS NOT NULL;"

    "CREATE TABLE mention ("
    "  record INTEGER NOT NULL,"
    "  value BLOB NOT NULL,"
    "  PRIMARY KEY (record, value)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX mention_value ON mention (value, record);"

    "CREATE TABLE checkpoint ("
    "  count INTEGER NOT NULL,"
    "  key INTEGER NOT NULL,"
    "  text TEXT NOT NULL,"
    "  PRIMARY KEY (count, key)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE tail ("
    "  one INTEGER PRIMARY KEY CHECK (one = 1),"
    "  text TEXT NOT NULL"
    ") STRICT;",
};

const DbSchema trail_schema = {APPLICATION_ID, steps, G_N_ELEMENTS(steps)};

/* The number that SQL gives, or -1 with an error. */
static gint64
get_number(Db *db, const char *sql, GError **error)
{
  g_autoptr(Query) query = db_query(db, sql, DB_NO_VALUES, error);
  if (query == NULL || query_step(query, error) != 1)
    return -1;
  return query_int(query, 0);
}

Db *
trail_open_db(const char *path, DbRole role, GError **error)
{
  struct stat status;
  if (stat(path, &status) < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
    return NULL;
  }
  g_autoptr(Db) db = db_open(path, role, error);
  if (db == NULL)
    return NULL;
  gint64 id = get_number(db, "PRAGMA application_id", error);
  gint64 version = id >= 0 ? get_number(db, "PRAGMA user_version", error) : -1;
  if (version < 0)
    return NULL;
  if (id != trail_schema.application_id || version != (gint64) trail_schema.step_count) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG,
                "%s: not an audit trail, or one of another version of zegel", path);
    return NULL;
  }
  return g_steal_pointer(&db);
}
