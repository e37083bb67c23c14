/*
 * copy.h - a copy of the store for a backup, and how it stands; without any key.
 *
 * Whoever calls may read all of it: root. Programs go on meanwhile.
 */
#pragma once

#include <glib.h>

/*
 * Copies the store of DATABASE and DIRECTORY to TO_DATABASE, a new file, and below
 * TO_DIRECTORY, which is there and empty: the database as it is at one moment, and every
 * sealed file that it names then; one that was lost before is told of in an alarm line.
 * Files and directories of the copy get the owner and the
 * rights of what they are copies of. FALSE with ZEGEL_ERROR_CONFIG, ZEGEL_ERROR_TEMPORARY
 * or ZEGEL_ERROR_FULL; what is there is then of no use.
 */
gboolean
store_copy(const char *database, const char *directory, const char *to_database,
           const char *to_directory, GError **error);

/* How a store stands. */
typedef struct {
  guint64 entries;            /* whose time is not over: one for each message and reader */
  guint64 unnotified;         /* of those, whose reader was not mailed yet */
  gint64 oldest_unnotified_s; /* when the oldest of those came; 0: there is none */
  guint64 waiting_events;     /* on their way to the audit trail */
} StoreStatus;

/* Looks at the store of DATABASE. FALSE with ZEGEL_ERROR_CONFIG or ZEGEL_ERROR_TEMPORARY.
 */
gboolean
store_status(const char *database, StoreStatus *status, GError **error);
