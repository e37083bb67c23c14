/*
 * routedb.h - routes.db, the SQLite file: what stands in it, read and written whole.
 *
 * WAL mode with PERSIST_WAL, because a reader without the right to write fails when -wal
 * and -shm are gone. Postfix reads "SELECT transport FROM route WHERE key = ..." and
 * "SELECT policy FROM tls WHERE nexthop = ...": these work at every moment, and with every
 * version of the file. One thread.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "common/base/label.h"

#define ROUTE_DB_OPEN_BUSY_MS 2000 /* how long opening waits for another writer */
#define ROUTE_DB_BUSY_MS      20   /* how long a write waits: everybody else waits too */
#define ROUTE_DB_PATIENCE_MS                                                               \
  200 /* after a wait in vain the next writes wait not at all                              \
       */

/* Whose word stands behind a row; the numbers stand in the file. */
typedef enum {
  ROUTE_BOOK = 0,
  ROUTE_NTA = 1,
  ROUTE_NOBODY = 2 /* not direct any more: the transport is the store */
} RouteSource;

typedef struct {
  char *key;       /* the domain with its label, as Postfix asks */
  char *transport; /* as Postfix's transport table has it */
  RouteSource source;
  gint64 promised_s; /* when it was last promised, Unix time */
  Label label;       /* of key */
  char *domain;      /* the canonical domain of key; NULL when it is none */
} RouteRow;

/* Rows, or changes of rows: then NULL as a value means that the row goes. */
typedef struct {
  GHashTable *routes; /* key to RouteRow */
  GHashTable *tls;    /* next hop to policy */
} RouteTables;

typedef struct RouteDb RouteDb;

typedef enum {
  ROUTE_DB_GOOD,
  ROUTE_DB_BUSY,    /* somebody keeps us from looking */
  ROUTE_DB_GONE,    /* not where Postfix opens it, or another file is there */
  ROUTE_DB_DAMAGED, /* cannot be read, or something else stands in it */
} RouteDbState;

/* A row with copies; freed with route_row_free. */
RouteRow *
route_row_new(const char *key, const char *transport, RouteSource source,
              gint64 promised_s);

/* Frees ROW; NULL is allowed. */
void
route_row_free(RouteRow *row);

/* Empty tables; freed with route_tables_free. */
RouteTables *
route_tables_new(void);

/* Frees TABLES; NULL is allowed. */
void
route_tables_free(RouteTables *tables);

/* How many rows, or changes, are in TABLES. */
guint
route_tables_count(const RouteTables *tables);

/*
 * Opens the file PATH of GROUP ((gid_t) -1: any), or makes it, brings an older version up
 * to date and fills TABLES. A damaged file becomes PATH.damaged, with an alarm, and a new
 * one is made; *REBUILT is then TRUE. NULL with ZEGEL_ERROR_CONFIG or
 * ZEGEL_ERROR_TEMPORARY. Freed with route_db_close.
 */
RouteDb *
route_db_open(const char *path, gid_t group, RouteTables *tables, gboolean *rebuilt,
              GError **error);

/* Closes; NULL is allowed. -wal and -shm stay. */
void
route_db_close(RouteDb *db);

/* Writes CHANGES in one transaction, synced. FALSE with ZEGEL_ERROR_TEMPORARY or
 * ZEGEL_ERROR_FULL; it may have been done all the same. */
gboolean
route_db_write(RouteDb *db, const RouteTables *changes, GError **error);

/*
 * Whether Postfix, when it opens the file now, reads what is in TABLES. Costs three lstat
 * as long as nobody wrote but us. Mends rights that were taken away.
 */
RouteDbState
route_db_look(RouteDb *db, const RouteTables *tables);

/*
 * What the file that is at the path of DB now says, when it is another one of ours and
 * whole, of any version; NULL when not. It is only read.
 */
RouteTables *
route_db_read_other(const RouteDb *db);

/*
 * Puts a file with TABLES where Postfix opens it, and opens it. What is there now is kept
 * as PATH.SUFFIX, or not when SUFFIX is NULL. Who has the former file open finds no tables
 * in it any more, unless somebody gave it another name. FALSE with ZEGEL_ERROR_CONFIG,
 * ZEGEL_ERROR_TEMPORARY or ZEGEL_ERROR_FULL: to be tried again.
 */
gboolean
route_db_put_back(RouteDb *db, const RouteTables *tables, const char *suffix,
                  GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RouteRow, route_row_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RouteTables, route_tables_free)
