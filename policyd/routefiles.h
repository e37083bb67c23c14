/*
 * routefiles.h - routes.db with its -wal and -shm as files: who may read them, and whether
 * they are still those that were opened.
 *
 * Nothing here opens them: closing a descriptor of ours would drop SQLite's locks. One
 * thread.
 */
#pragma once

#include <sys/stat.h>

#include <glib.h>

#define ROUTE_FILES_COUNT 3

/* The files at one moment. */
typedef struct {
  struct stat status[ROUTE_FILES_COUNT];
} RouteFilesMark;

typedef enum {
  ROUTE_FILES_SAME,
  ROUTE_FILES_TOUCHED, /* the same files, and somebody wrote in them */
  ROUTE_FILES_OTHER    /* another file, or none, is where ours was */
} RouteFilesState;

/*
 * Makes PATH with mode 0640 and GROUP ((gid_t) -1: any) when it is missing, before SQLite
 * opens it: -wal and -shm get the same. Not while SQLite has it open. FALSE with
 * ZEGEL_ERROR_CONFIG.
 */
gboolean
route_files_prepare(const char *path, gid_t group, GError **error);

/* Gives the directory and the files of PATH the rights back that Postfix and we need, where
 * they are ours. What cannot be mended is left: route_files_compare sees it. */
void
route_files_mend(const char *path, gid_t group);

/* How the files of PATH are now; what is missing has inode 0. */
void
route_files_mark(const char *path, RouteFilesMark *mark);

/* The files of PATH now, beside MARK. A file that is not ours or not of GROUP is another.
 */
RouteFilesState
route_files_compare(const char *path, gid_t group, const RouteFilesMark *mark);

/*
 * Puts the closed database FRESH, of which all files are there, in the place of PATH. In
 * the microseconds between nobody without the right to write can open it: one that mixed
 * the files of both would read nonsense. What stood there is kept as ASIDE, unless that is
 * NULL. FALSE with ZEGEL_ERROR_TEMPORARY or ZEGEL_ERROR_FULL.
 */
gboolean
route_files_replace(const char *fresh, const char *path, const char *aside, GError **error);

/* Removes PATH, a database that nobody has open, with all that belongs to it. */
void
route_files_remove(const char *path);
