/*
 * internal.h - for this room: the open connection.
 */
#pragma once

#include <sqlite3.h>
#include <sys/stat.h>

#include "common/db/db.h"

struct Db {
  sqlite3 *handle;
  GHashTable *queries; /* SQL text to sqlite3_stmt */
  DbLogFunc log_func;
  gpointer log_data;
  char *log_path; /* the write-ahead log, */
  dev_t log_dev;  /* and which file it was when it was first looked at */
  ino_t log_ino;  /* 0: not yet */
};

/* Sets ERROR from RESULT of HANDLE, to what its caller can do about it. */
void
db_set_error(sqlite3 *handle, int result, GError **error);
