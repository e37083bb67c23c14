/*
 * program.h - a program of the system, run as an administrator would, and what it said.
 *
 * It gets a plain environment and the directories of the system as its PATH, whatever ours
 * is. One thread at a time: it waits, PROGRAM_TIMEOUT_S at most.
 */
#pragma once

#include <glib.h>

#define PROGRAM_TIMEOUT_S   120
#define PROGRAM_MAX_BYTES   (8 << 20) /* of what it says */
#define PROGRAM_DIRECTORIES "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Where NAME is in PROGRAM_DIRECTORIES (itself when it has a '/'): a new string, or NULL.
 */
char *
program_find(const char *name);

/*
 * Runs ARGV, whose first is as for program_find, without input. *OUTPUT (may be NULL) gets
 * its standard output, without the newlines at its end. FALSE with ZEGEL_ERROR_CONFIG when
 * it is not there or its exit status is not 0, ZEGEL_ERROR_TEMPORARY when it did not end,
 * and ZEGEL_ERROR_LIMIT when it said too much.
 */
gboolean
program_read(const char *const *argv, char **output, GError **error);

/*
 * The same, with standard error in OUTPUT as well; *STATUS gets the exit status, and only
 * what could not be run or did not end is an error. The text in ERROR is for people.
 */
gboolean
program_run(const char *const *argv, int *status, char **output, GError **error);
