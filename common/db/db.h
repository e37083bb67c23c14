/*
 * db.h - SQLite for the store and for the audit trail.
 *
 * A Db is one connection, used by one thread at a time. Queries are prepared once for each
 * connection and kept. Values are always bound, never put into the text.
 */
#pragma once

#include <glib.h>

typedef struct Db Db;
typedef struct sqlite3_stmt Query;

typedef enum {
  DB_NULL,
  DB_INT,
  DB_TEXT,
  DB_BLOB
} DbKind;

/* A value to bind. Text and bytes are borrowed until the query is done. */
typedef struct {
  DbKind kind;
  gint64 number;
  gconstpointer bytes;
  gsize len;
} DbValue;

#define V_NULL       ((DbValue){.kind = DB_NULL})
#define V_INT(n)     ((DbValue){.kind = DB_INT, .number = (n)})
#define V_TEXT(s)    ((DbValue){.kind = DB_TEXT, .bytes = (s)})
#define V_BLOB(p, n) ((DbValue){.kind = DB_BLOB, .bytes = (p), .len = (n)})
#define V_MAC(p)     V_BLOB(p, CRYPT_SHA256_BYTES)
#define V_BYTES(b)   V_BLOB(g_bytes_get_data(b, NULL), g_bytes_get_size(b))

/* The values of a query, as the two arguments that db_query and db_run take. */
#define DB_VALUES(...)                                                                     \
  (const DbValue[]){__VA_ARGS__}, G_N_ELEMENTS(((const DbValue[]){__VA_ARGS__}))
#define DB_NO_VALUES NULL, 0

typedef enum {
  DB_READER,
  DB_WRITER
} DbRole;

/*
 * Opens the database file at PATH, which exists. A DB_READER can change nothing. NULL with
 * ZEGEL_ERROR_TEMPORARY, or ZEGEL_ERROR_CONFIG when the file is no database.
 */
Db *
db_open(const char *path, DbRole role, GError **error);

/* Closes DB; NULL is allowed. Does not checkpoint: that is the writer's own duty. */
void
db_close(Db *db);

/* Runs the statements of SQL, which take no values. FALSE with an error. */
gboolean
db_exec(Db *db, const char *sql, GError **error);

/*
 * Starts the statement SQL (static text) with COUNT values. NULL with an error. The query
 * is owned by DB; query_done gives it back. The same SQL must not be started twice at a
 * time.
 */
Query *
db_query(Db *db, const char *sql, const DbValue *values, gsize count, GError **error);

/* Runs the statement SQL with COUNT values to its end. FALSE with an error. */
gboolean
db_run(Db *db, const char *sql, const DbValue *values, gsize count, GError **error);

/* Goes to the next row: 1, or 0 when there is none, or -1 with an error. */
int
query_step(Query *query, GError **error);

/* Column COLUMN (from 0) of the row as a number; 0 when it is NULL. */
gint64
query_int(Query *query, int column);

/* The column as text, valid until the next step; NULL when it is NULL. */
const char *
query_text(Query *query, int column);

/* The column as bytes into *LEN, valid until the next step; NULL when NULL or empty. */
gconstpointer
query_blob(Query *query, int column, gsize *len);

/* Whether the column is NULL. */
gboolean
query_is_null(Query *query, int column);

/* Ends QUERY and forgets its values; NULL is allowed. */
void
query_done(Query *query);

/* How many rows the last statement changed. */
gint64
db_changes(Db *db);

/* The row id of the last insert. */
gint64
db_last_id(Db *db);

/* Whether a transaction is open: a grave error ends it by itself. */
gboolean
db_in_transaction(Db *db);

/*
 * Whether the file and its write-ahead log are still those at their paths. FALSE with
 * ZEGEL_ERROR_TEMPORARY when somebody moved or removed them: what is written is then lost.
 */
gboolean
db_is_in_place(Db *db, GError **error);

/* Called after each commit with the length of the write-ahead log in pages. */
typedef void (*DbLogFunc)(gpointer data, guint pages);

/* Has FUNC called with DATA; the connection no longer checkpoints by itself anyhow. */
void
db_watch_log(Db *db, DbLogFunc func, gpointer data);

typedef enum {
  DB_CHECKPOINT_PASSIVE, /* what can be done without making anybody wait */
  DB_CHECKPOINT_TRUNCATE /* wait for readers and writers, and make the log empty */
} DbCheckpoint;

/* Copies the log into the database, as far as others let us. FALSE with an error. */
gboolean
db_checkpoint(Db *db, DbCheckpoint mode, GError **error);

/*
 * Copies all of DB, as it is at one moment, into a new file at PATH (0600), synced; others
 * may write meanwhile. In a transaction of DB it is that moment. FALSE with
 * ZEGEL_ERROR_TEMPORARY or ZEGEL_ERROR_FULL; a file at PATH is then of no use.
 */
gboolean
db_copy(Db *db, const char *path, GError **error);

/* The same of the database file at FROM, which no program needs to have open. FALSE also
 * with ZEGEL_ERROR_CONFIG. */
gboolean
db_copy_file(const char *from, const char *path, GError **error);

/* The tables of a kind of database. Step I makes version I + 1 of version I; an empty
 * database is version 0. */
typedef struct {
  int application_id;
  const char *const *steps; /* SQL */
  gsize step_count;
} DbSchema;

/*
 * Makes the tables of a new database, upgrades an older one, refuses a newer or foreign one
 * with ZEGEL_ERROR_CONFIG. PATH is for the text. Safe against others doing the same.
 */
gboolean
db_prepare(Db *db, const char *path, const DbSchema *schema, GError **error);

/*
 * Looks at every page of the file, and whether each index has what its table has. *PROBLEM
 * gets what is wrong, owned by the caller, or NULL. FALSE with an error when it could not
 * be found out.
 */
gboolean
db_examine(Db *db, char **problem, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Db, db_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Query, query_done)
