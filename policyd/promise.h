/*
 * promise.h - routes.db: the routes that were promised to the milter.
 *
 * Postfix reads this SQLite file as an ordinary table, whether we live or not: WAL mode
 * with PERSIST_WAL, because a reader without the right to write fails when -wal and -shm
 * are gone. A promise is committed with synchronous=FULL before anybody hears of it. What
 * is committed stands in memory too, so that a promise kept already costs no write.
 *
 * The table "route" has the labelled domain and Postfix's transport for it, "tls" the next
 * hop and its TLS policy. One thread.
 */
#pragma once

#include <glib.h>

#include "common/book/book.h"

/*
 * How often it is looked after that Postfix still opens our file. In between, a promise
 * that nobody sees makes mail wait (the static entry of its label), never go plain.
 */
#define PROMISES_LOOK_MS 100

typedef struct Promises Promises;

/* Names of the ways that routes.db can give; borrowed. */
typedef struct {
  const char *direct; /* the service in master.cf for next hops of the book */
  const char *store;  /* whole transport for what may not go direct any more */
} PromiseWays;

/*
 * Makes the directory of the file PATH, when it is missing, for USER and GROUP with mode
 * 2750: the files of SQLite then belong to GROUP, which Postfix reads with. Only root can
 * do it; does nothing when we are not, or when the directory is there. FALSE with
 * ZEGEL_ERROR_CONFIG.
 */
gboolean
promises_make_directory(const char *path, const char *user, const char *group,
                        GError **error);

/*
 * Opens the file PATH, or makes it with mode 0640, and reads what was promised. GROUP, when
 * not NULL, must be the file's. A damaged file is set aside with an alarm, made anew, and
 * filled by the next promises_follow with all that the book has. NULL with
 * ZEGEL_ERROR_CONFIG or ZEGEL_ERROR_TEMPORARY. Freed with promises_close.
 */
Promises *
promises_open(const char *path, const char *group, GError **error);

/* Closes; NULL is allowed. -wal and -shm stay. */
void
promises_close(Promises *promises);

/*
 * Notes that the domain SPELLED (Address.spelled) goes direct as ENTRY (borrowed) says.
 * TRUE when that is new: promises_commit must follow before anybody hears it.
 */
gboolean
promises_note(Promises *promises, const char *spelled, const BookEntry *entry,
              const PromiseWays *ways);

/*
 * Commits what was noted, all or nothing, and looks every PROMISES_LOOK_MS whether the file
 * is still the one that Postfix opens. FALSE with ZEGEL_ERROR_TEMPORARY or
 * ZEGEL_ERROR_FULL: then nothing of it may be answered; the notes are dropped, and noting
 * them again is safe.
 */
gboolean
promises_commit(Promises *promises, GError **error);

/*
 * Brings every row up to date with BOOK in one transaction: changed next hops and rules are
 * replaced, and the domains that are no longer in it turn to WAYS->store, so that mail that
 * waits goes to the viewer. *CHANGED gets the number of rows. FALSE as promises_commit.
 */
gboolean
promises_follow(Promises *promises, const Book *book, const PromiseWays *ways,
                guint *changed, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Promises, promises_close)
