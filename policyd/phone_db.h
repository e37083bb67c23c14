/*
 * phone_db.h - phone.db: sealed entries, each under an id that says nothing.
 *
 * One SQLite file in a directory that only policyd may enter, WAL, synchronous=FULL. It is
 * opened when it is needed: a file that is damaged, removed or not to be had costs the
 * question that needed it, never a route, and what comes back is used again. Knows nothing
 * of numbers or keys. One thread; waits at most PHONE_DB_BUSY_MS for a lock.
 */
#pragma once

#include <glib.h>

#define PHONE_DB_ID_BYTES 32
#define PHONE_DB_BUSY_MS  200

typedef struct PhoneDb PhoneDb;

/* The file at PATH, not opened yet. Never NULL; freed with phone_db_free. */
PhoneDb *
phone_db_new(const char *path);

/* Closes and frees; NULL is allowed. */
void
phone_db_free(PhoneDb *db);

/* *BOX gets what stands under ID, owned by the caller, or NULL when nothing does. FALSE
 * with ZEGEL_ERROR_TEMPORARY. */
gboolean
phone_db_get(PhoneDb *db, const guint8 id[PHONE_DB_ID_BYTES], GBytes **box, GError **error);

/* BOX stands under ID from now on, on disk, and nothing under FORMER any more (NULL: no
 * other id). FALSE with ZEGEL_ERROR_TEMPORARY or ZEGEL_ERROR_FULL: it is as it was. */
gboolean
phone_db_put(PhoneDb *db, const guint8 id[PHONE_DB_ID_BYTES], const guint8 *former,
             GBytes *box, GError **error);

/* Removes what stands under ID, also from the pages of the file. FALSE as phone_db_put. */
gboolean
phone_db_drop(PhoneDb *db, const guint8 id[PHONE_DB_ID_BYTES], GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(PhoneDb, phone_db_free)
