/*
 * promise.h - routes.db: the routes that were promised to the milter.
 *
 * Postfix reads this SQLite file as an ordinary table, whether we live or not. A promise is
 * committed with synchronous=FULL before anybody hears of it. What is committed stands in
 * memory too: a promise kept already costs no write, and a file that is removed, replaced
 * or damaged while we run is put back whole, also when nobody asks anything.
 *
 * The table "route" has the labelled domain and Postfix's transport for it, "tls" the next
 * hop and its TLS policy (routedb.h). One thread, and none of it waits longer than
 * ROUTE_DB_BUSY_MS for somebody who has the file locked.
 */
#pragma once

#include <glib.h>

#include "common/base/label.h"
#include "common/book/book.h"

/*
 * How often a commit looks whether Postfix still opens our file. In between, a promise
 * that nobody sees makes mail wait (the static entry of its label), never go plain.
 */
#define PROMISES_LOOK_MS 100

#define PROMISES_TOUCH_S 3600 /* a row's time of promise is written again after this */
#define PROMISES_FLUSH_S 60   /* and such times are written together */

typedef struct Promises Promises;

/* Names of the ways that routes.db can give; borrowed. */
typedef struct {
  const char *direct; /* the service in master.cf for what must go direct */
  const char *store;  /* whole transport for what may not go direct any more */
  const char *prefer; /* like direct, for mail that is not sensitive */
} PromiseWays;

/* Whose word stands behind a promise. */
typedef enum {
  PROMISE_BOOK, /* a line of the domain book: holds while it stands there */
  PROMISE_NTA   /* the domain's NTA 7516 record: is looked at again and again */
} PromiseSource;

/* All borrowed. */
typedef struct {
  const char *nexthop; /* as Postfix has it; several as "[a]:25, [b]:25" */
  const char *policy;  /* TLS policy for each of them; NULL: no row in the TLS table */
  PromiseSource source;
} PromiseHop;

/* A domain whose promise hangs on its NTA record. */
typedef struct {
  char *domain;      /* as domain_canonical gives it */
  gint64 promised_s; /* when it was last promised, Unix time */
} PromisedDomain;

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
 * Notes that the domain SPELLED (Address.spelled) goes to HOP under LABEL, LABEL_DIRECT or
 * LABEL_PREFER. TRUE when that is new: promises_commit must follow, in the same turn of the
 * loop, before anybody hears it. FALSE: it stands so in routes.db already.
 */
gboolean
promises_note(Promises *promises, const char *spelled, Label label, const PromiseHop *hop,
              const PromiseWays *ways);

/*
 * Whether one of the next hops of HOP has another TLS policy, promised or in the book of
 * the last promises_follow: Postfix can only have one for a next hop (R5).
 */
gboolean
promises_conflict(const Promises *promises, const PromiseHop *hop);

/*
 * Commits what was noted, all or nothing, and looks every PROMISES_LOOK_MS whether the file
 * is still the one that Postfix opens; if not it is put back first. FALSE with
 * ZEGEL_ERROR_TEMPORARY or ZEGEL_ERROR_FULL: then nothing of it may be answered; the notes
 * are dropped, and noting them again is safe. With nothing noted only a file that is not
 * there fails, not one that is locked.
 */
gboolean
promises_commit(Promises *promises, GError **error);

/*
 * Brings every row up to date with BOOK in one transaction: changed next hops and rules are
 * replaced, and what has nobody's word any more turns to WAYS->store, so that mail that
 * waits goes to the viewer. *CHANGED gets the number of rows. BOOK and what WAYS names are
 * borrowed until the next call that succeeds. FALSE as promises_commit, and the old ones
 * stay.
 */
gboolean
promises_follow(Promises *promises, const Book *book, const PromiseWays *ways,
                guint *changed, GError **error);

/*
 * Looks whether routes.db is ours and whole, and puts it back from memory when not; the log
 * says so. To be called every second, also when nobody asks anything. FALSE with
 * ZEGEL_ERROR_TEMPORARY or ZEGEL_ERROR_FULL when it cannot be put back now.
 */
gboolean
promises_look(Promises *promises, GError **error);

/*
 * Until when what was promised holds without another look, monotonic: while
 * promises_changes stays the same a commit with nothing new does nothing before then. 0:
 * not even now.
 */
gint64
promises_hold_until_us(const Promises *promises);

/* A number that is another one whenever something that was promised may have changed. */
guint
promises_changes(const Promises *promises);

/* The domains that are promised by their NTA record, of PromisedDomain, in no order; the
 * caller frees the array. */
GPtrArray *
promises_nta(const Promises *promises);

/* Notes HOP for all rows of DOMAIN that hang on its NTA record. Returns how many rows that
 * changes; promises_commit must follow. */
guint
promises_renew(Promises *promises, const char *domain, const PromiseHop *hop);

/*
 * Notes that DOMAIN is not ready any more: what hangs on its NTA record turns to
 * WAYS->store, and for mail that is not sensitive there is no row then. As promises_renew.
 */
guint
promises_withdraw(Promises *promises, const char *domain);

/* Frees what promises_nta lists. */
void
promised_domain_free(PromisedDomain *promised);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Promises, promises_close)
