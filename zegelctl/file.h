/*
 * file.h - replaces a file in one step: whole and on disk, or as it was.
 */
#pragma once

#include <sys/types.h>

#include <glib.h>

typedef struct {
  mode_t mode;
  uid_t owner; /* (uid_t) -1: stays with who runs us */
  gid_t group; /* (gid_t) -1: the same */
} FileRights;

/* Writes LEN bytes at BYTES to FD, all of them; FALSE with errno. */
gboolean
file_write_all(int fd, const char *bytes, gsize len);

/* PATH without symbolic links, as far as it is there: rename(2) would replace a link, not
 * what it leads to. A new string. */
char *
file_resolve(const char *path);

/*
 * Locks the directory of the file at PATH with flock(2), waiting up to WAIT_S seconds. A
 * descriptor whose close ends the lock, or -1 with ZEGEL_ERROR_CONFIG, or
 * ZEGEL_ERROR_TEMPORARY when another one holds it.
 */
int
file_lock_directory(const char *path, guint wait_s, GError **error);

/*
 * Writes LEN bytes at BYTES beside PATH as PATH.new with RIGHTS, syncs it, and gives it the
 * name PATH. A PATH.new that is left of a run that was cut off is removed: only one may run
 * at a time, which the caller sees to. FALSE with ZEGEL_ERROR_CONFIG (or _FULL); PATH is
 * then as it was.
 */
gboolean
file_replace(const char *path, const char *bytes, gsize len, const FileRights *rights,
             GError **error);
