#include "policyd/phone_db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "common/base/error.h"
#include "common/base/log.h"

#define APPLICATION_ID 0x7a675048 /* "zgPH", in the file's header */
#define SCHEMA_VERSION 1
#define FILE_MODE      0600
#define NEWER          SQLITE_MISMATCH /* what opening answers to a later version */

struct PhoneDb {
  char *path;
  sqlite3 *db;        /* NULL: not open */
  struct stat status; /* of the file that is open */
};

static const char schema_sql[] =
    "CREATE TABLE IF NOT EXISTS phone"
    " (id BLOB PRIMARY KEY NOT NULL, entry BLOB NOT NULL) WITHOUT ROWID;";
static const char get_sql[] = "SELECT entry FROM phone WHERE id = ?1";
static const char put_sql[] = "INSERT INTO phone (id, entry) VALUES (?1, ?2)"
                              " ON CONFLICT (id) DO UPDATE SET entry = excluded.entry";
static const char drop_sql[] = "DELETE FROM phone WHERE id = ?1";

PhoneDb *
phone_db_new(const char *path)
{
  PhoneDb *db = g_new0(PhoneDb, 1);
  db->path = g_strdup(path);
  return db;
}

static void
close_file(PhoneDb *db)
{
  sqlite3_close(db->db);
  db->db = NULL;
}

void
phone_db_free(PhoneDb *db)
{
  if (db == NULL)
    return;
  close_file(db);
  g_free(db->path);
  g_free(db);
}

/* After a failure the file is opened anew: it may have been replaced by a good one. */
static gboolean
fail(PhoneDb *db, GError **error)
{
  int code = db->db != NULL ? sqlite3_errcode(db->db) : SQLITE_NOMEM;
  g_set_error(error, ZEGEL_ERROR,
              code == SQLITE_FULL ? ZEGEL_ERROR_FULL : ZEGEL_ERROR_TEMPORARY,
              "the phone book %s: %s", db->path,
              db->db != NULL ? sqlite3_errmsg(db->db) : sqlite3_errstr(code));
  close_file(db);
  return FALSE;
}

/* ---- Opening ---- */

/* With rights for us alone before SQLite sees it: -wal and -shm get the same. */
static gboolean
prepare_file(PhoneDb *db, GError **error)
{
  int fd = open(db->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
  gboolean good = fd >= 0 && fchmod(fd, FILE_MODE) == 0 && fstat(fd, &db->status) == 0;
  if (!good)
    zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, db->path);
  if (fd >= 0)
    close(fd);
  return good;
}

/* The one value that SQL has; -1 when there is none. *CODE is SQLite's. */
static gint64
ask_number(sqlite3 *db, const char *sql, int *code)
{
  sqlite3_stmt *row = NULL;
  gint64 number = -1;
  *code = sqlite3_prepare_v2(db, sql, -1, &row, NULL);
  if (*code == SQLITE_OK)
    *code = sqlite3_step(row);
  if (*code == SQLITE_ROW)
    number = sqlite3_column_int64(row, 0);
  sqlite3_finalize(row);
  return number;
}

/* Whether SQLite can read the file, and it is ours or an empty one; or NEWER. */
static int
check_file(sqlite3 *db)
{
  int code = SQLITE_OK;
  gint64 wrong = ask_number(
      db, "SELECT count(*) FROM pragma_quick_check(1) WHERE quick_check <> 'ok'", &code);
  if (code != SQLITE_ROW)
    return code;
  gint64 id = ask_number(db, "PRAGMA application_id", &code);
  gint64 tables = ask_number(db, "SELECT count(*) FROM sqlite_schema", &code);
  gint64 version = ask_number(db, "PRAGMA user_version", &code);
  if (wrong > 0)
    return SQLITE_CORRUPT;
  if (id == APPLICATION_ID && version > SCHEMA_VERSION)
    return NEWER;
  return id == APPLICATION_ID || (id == 0 && tables == 0) ? SQLITE_OK : SQLITE_NOTADB;
}

static int
set_up(sqlite3 *db)
{
  g_autofree char *sql = g_strdup_printf(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
      "BEGIN IMMEDIATE; %s PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
      schema_sql, APPLICATION_ID, SCHEMA_VERSION);
  return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int
open_once(PhoneDb *db)
{
  int code =
      sqlite3_open_v2(db->path, &db->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  if (code == SQLITE_OK)
    code = sqlite3_busy_timeout(db->db, PHONE_DB_BUSY_MS);
  if (code == SQLITE_OK)
    code = check_file(db->db);
  return code == SQLITE_OK ? set_up(db->db) : code;
}

/* What a damaged file held is lost until the numbers are given again; it is kept for who
 * wants to look. */
static gboolean
set_aside(PhoneDb *db, GError **error)
{
  static const char *const suffixes[] = {"-wal", "-shm"};
  g_autofree char *aside = g_strconcat(db->path, ".damaged", NULL);
  close_file(db);
  if (rename(db->path, aside) < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, db->path);
    return FALSE;
  }
  for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
    g_autofree char *name = g_strconcat(db->path, suffixes[i], NULL);
    unlink(name);
  }
  log_line(LOG_LEVEL_ALARM, "%s was damaged: it is now %s, and the phone book is empty",
           db->path, aside);
  return prepare_file(db, error);
}

/* Whether the file that we have open still has its name. */
static gboolean
is_in_place(const PhoneDb *db)
{
  struct stat now;
  return lstat(db->path, &now) == 0 && now.st_dev == db->status.st_dev &&
         now.st_ino == db->status.st_ino;
}

static gboolean
open_file(PhoneDb *db, GError **error)
{
  if (db->db != NULL && is_in_place(db))
    return TRUE;
  if (db->db != NULL)
    log_line(LOG_LEVEL_ALARM, "%s was removed or replaced: it is opened anew", db->path);
  close_file(db);
  if (!prepare_file(db, error))
    return FALSE;
  int code = open_once(db);
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
    if (!set_aside(db, error))
      return FALSE;
    code = open_once(db);
  }
  if (code != NEWER)
    return code == SQLITE_OK || fail(db, error);
  close_file(db);
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY,
              "the phone book %s was made by a newer zegel: install that one, or restore a "
              "backup",
              db->path);
  return FALSE;
}

/* ---- Rows ---- */

/* SQL with ID and BOX (NULL: it has none), prepared; NULL when SQLite refuses. */
static sqlite3_stmt *
prepare(PhoneDb *db, const char *sql, const guint8 *id, GBytes *box)
{
  sqlite3_stmt *statement = NULL;
  gsize len = 0;
  gconstpointer bytes = box != NULL ? g_bytes_get_data(box, &len) : NULL;
  if (sqlite3_prepare_v2(db->db, sql, -1, &statement, NULL) == SQLITE_OK &&
      sqlite3_bind_blob(statement, 1, id, PHONE_DB_ID_BYTES, SQLITE_STATIC) == SQLITE_OK &&
      (box == NULL ||
       sqlite3_bind_blob(statement, 2, bytes, (int) len, SQLITE_STATIC) == SQLITE_OK))
    return statement;
  sqlite3_finalize(statement);
  return NULL;
}

static gboolean
run(PhoneDb *db, const char *sql, const guint8 *id, GBytes *box)
{
  sqlite3_stmt *statement = prepare(db, sql, id, box);
  gboolean done = statement != NULL && sqlite3_step(statement) == SQLITE_DONE;
  sqlite3_finalize(statement);
  return done;
}

gboolean
phone_db_get(PhoneDb *db, const guint8 id[PHONE_DB_ID_BYTES], GBytes **box, GError **error)
{
  *box = NULL;
  if (!open_file(db, error))
    return FALSE;
  sqlite3_stmt *row = prepare(db, get_sql, id, NULL);
  int code = row != NULL ? sqlite3_step(row) : SQLITE_ERROR;
  if (code == SQLITE_ROW)
    *box = g_bytes_new(sqlite3_column_blob(row, 0), (gsize) sqlite3_column_bytes(row, 0));
  gboolean good = code == SQLITE_ROW || code == SQLITE_DONE;
  if (sqlite3_finalize(row) == SQLITE_OK && good)
    return TRUE;
  return fail(db, error);
}

gboolean
phone_db_put(PhoneDb *db, const guint8 id[PHONE_DB_ID_BYTES], const guint8 *former,
             GBytes *box, GError **error)
{
  if (!open_file(db, error))
    return FALSE;
  if (sqlite3_exec(db->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK &&
      run(db, put_sql, id, box) && (former == NULL || run(db, drop_sql, former, NULL)) &&
      sqlite3_exec(db->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
    return TRUE;
  return fail(db, error); /* closing rolls back */
}

gboolean
phone_db_drop(PhoneDb *db, const guint8 id[PHONE_DB_ID_BYTES], GError **error)
{
  if (!open_file(db, error))
    return FALSE;
  /* What was written before still stands in -wal until it is truncated. */
  if (run(db, drop_sql, id, NULL) && sqlite3_exec(db->db, "PRAGMA wal_checkpoint(TRUNCATE)",
                                                  NULL, NULL, NULL) == SQLITE_OK)
    return TRUE;
  return fail(db, error);
}
