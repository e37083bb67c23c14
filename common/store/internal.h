/*
 * internal.h - what the files of this room share. No other room includes it (tests do).
 */
#pragma once

#include <glib.h>

#include "common/base/event.h"
#include "common/crypt/crypt.h"
#include "common/db/db.h"
#include "common/store/history.h"
#include "common/store/store.h"

/* What is derived from each store key, each for one use. */
typedef enum {
  DERIVED_LINK,      /* HMAC that finds an entry by its link */
  DERIVED_RECIPIENT, /* HMAC that finds a repeated filing */
  DERIVED_NUMBER,    /* HMAC that counts codes of a number */
  DERIVED_SENDER,    /* HMAC that counts codes of a sender */
  DERIVED_CODE,      /* HMAC of an access code */
  DERIVED_WRAP,      /* with the link secret: wraps the key of a message */
  DERIVED_STATUS,    /* HMAC that finds a dispatch by its status secret */
  DERIVED_EVENT,     /* HMAC of what events are counted of (store_count) */
  DERIVED_COUNT
} DerivedUse;

typedef struct {
  guint32 id; /* of the store key */
  Secret *keys[DERIVED_COUNT];
} Derived;

typedef struct Writer Writer;

struct Store {
  char *path;
  char *directory;
  const KeyRing *keys;
  GArray *derived; /* of Derived; index 0 is the current key */
  Writer *writer;
  GMutex lock;        /* of readers */
  GPtrArray *readers; /* of Db that nobody uses now */
  gint64 skew_s;      /* added to the clock: tests jump with it */
  int lost_events;    /* that could not be recorded; atomic */
};

/* ---- schema.c ---- */

extern const DbSchema store_schema;

/* The time by which the store lives, Unix seconds. */
gint64
store_now(const Store *store);

/* A connection for reading, the caller's until store_put_reader. NULL with an error. */
Db *
store_get_reader(Store *store, GError **error);

/* Takes DB back for others. */
void
store_put_reader(Store *store, Db *db);

/* ---- writer.c: one thread writes, and commits for many (group commit) ---- */

/* What the writer does within its transaction. FALSE undoes what this job did. */
typedef gboolean (*WriterJob)(Db *db, gpointer data, GError **error);

/* A writer for the database at PATH (copied); its threads start at the first job. */
Writer *
writer_new(const char *path);

/* Ends the threads after what is waiting; NULL is allowed. */
void
writer_free(Writer *writer);

/*
 * Has JOB run with DATA in a transaction, and waits until it was committed. FALSE with the
 * job's own error, or that of the commit, after which the job may yet be on disk. Any
 * thread but the writer's.
 */
gboolean
writer_run(Writer *writer, WriterJob job, gpointer data, GError **error);

/* How many transactions were committed: tests compare it with the jobs. */
guint
writer_commits(Writer *writer);

/* Empties the log into the database, as far as others let us. */
void
writer_checkpoint(Writer *writer);

/* ---- outbox.c: events, in the transaction of what they tell ---- */

/* Within a transaction: EVENT (NULL: none) waits from now on for the audit trail. */
gboolean
outbox_add(const Store *store, Db *db, const Event *event, GError **error);

/* An event that a job may record. Borrowed. */
typedef struct {
  const Store *store;
  Event *event;   /* NULL: none */
  gboolean added; /* the job did */
} Record;

/* outbox_add for RECORD. */
gboolean
record_add(Db *db, Record *record, GError **error);

/* writer_run of JOB with DATA, and then RECORD's event in the log when JOB added it. */
gboolean
record_run(Store *store, WriterJob job, gpointer data, const Record *record,
           GError **error);

/* ---- fields.c: what is sealed or found by HMAC ---- */

/* Derives the keys of all store keys of RING. NULL with an error. */
GArray *
derived_new(const KeyRing *ring, GError **error);

/* The index of store key ID in STORE->derived, or -1 with ZEGEL_ERROR_KEY_UNKNOWN. */
int
derived_find(const Store *store, guint32 id, GError **error);

/*
 * HMAC for USE under key INDEX of ORGANISATION, NUL and LEN bytes at DATA, into MAC. FALSE
 * with an error.
 */
gboolean
store_mac(const Store *store, guint index, DerivedUse use, const char *organisation,
          gconstpointer data, gsize len, guint8 mac[CRYPT_SHA256_BYTES], GError **error);

/* store_mac of ADDRESS, its domain in lower case (all of it when WHOLE). */
gboolean
store_mac_address(const Store *store, guint index, DerivedUse use, const char *organisation,
                  const char *address, gboolean whole, guint8 mac[CRYPT_SHA256_BYTES],
                  GError **error);

/*
 * Whether RING has every key that entries in DB need, and the same keys under the same ids;
 * notes the current one when it is new. FALSE with ZEGEL_ERROR_CONFIG when one is missing.
 */
gboolean
derived_check(const Store *store, Db *db, GError **error);

/* derived_check that notes nothing. */
gboolean
derived_examine(const Store *store, Db *db, GError **error);

/* FALSE with ZEGEL_ERROR_KEY_UNKNOWN when DB was written with a key that is not in STORE.
 */
gboolean
derived_is_complete(const Store *store, Db *db, GError **error);

/* Which row and column a field belongs to: bound to it, so that it opens nowhere else. */
typedef struct {
  const char *organisation, *reference, *column;
} FieldPlace;

/* LEN bytes at BYTES as a box for PLACE. NULL with an error. */
GBytes *
field_seal(const Store *store, const FieldPlace *place, gconstpointer bytes, gsize len,
           GError **error);

/* Makes of a format error what it means for stored bytes: they are not what was sealed. */
void
damaged(GError **error);

/* Opens what field_seal made. NULL with an error. */
Secret *
field_open(const Store *store, const FieldPlace *place, gconstpointer box, gsize len,
           GError **error);

/* LEN bytes at BYTES, sealed for the bearer of LINK_SECRET. NULL with an error. */
GBytes *
link_seal(const Store *store, const FieldPlace *place, const guint8 *link_secret,
          gconstpointer bytes, gsize len, GError **error);

/* Opens what link_seal made. NULL with ZEGEL_ERROR_FORGED for another link secret. */
Secret *
link_open(const Store *store, const FieldPlace *place, const guint8 *link_secret,
          gconstpointer sealed, gsize len, GError **error);

/* The key KEY of a message, wrapped for the bearer of LINK_SECRET. NULL with an error. */
GBytes *
key_wrap(const Store *store, const FieldPlace *place, const guint8 *link_secret,
         const Secret *key, GError **error);

/* Opens what key_wrap made. NULL with ZEGEL_ERROR_FORGED for another link secret. */
Secret *
key_unwrap(const Store *store, const FieldPlace *place, const guint8 *link_secret,
           gconstpointer wrapped, gsize len, GError **error);

/* LEN bytes at BYTES that go with the message whose key is KEY. NULL with an error. */
GBytes *
beside_seal(const Secret *key, const FieldPlace *place, gconstpointer bytes, gsize len,
            GError **error);

/* Opens what beside_seal made. NULL with an error. */
Secret *
beside_open(const Secret *key, const FieldPlace *place, gconstpointer sealed, gsize len,
            GError **error);

/* ---- row.c: one recipient's entry, made before the writer's turn ---- */

typedef struct {
  char reference[STORE_REFERENCE_MAX + 1]; /* random */
  GArray *recipient_macs; /* one under each store key, the current one first */
  guint8 link_mac[CRYPT_SHA256_BYTES];
  GBytes *key, *address, *number, *sender, *sender_name, *message_id, *body;
} EntryRow;

/* Fills ROW for RECIPIENT of a message with KEY. FALSE with an error. */
gboolean
entry_row_make(const Store *store, const FilingMeta *meta, const FilingRecipient *recipient,
               const Secret *key, EntryRow *row, GError **error);

/* Inserts ROW for the message row MESSAGE; PARENT is the entry that it was made of, or 0.
 */
gboolean
entry_row_insert(Db *db, const FilingMeta *meta, const FilingRecipient *recipient,
                 const EntryRow *row, gint64 message, gint64 parent, GError **error);

/* Frees what is in ROW. */
void
entry_row_clear(EntryRow *row);

/* ---- parts.c: the list of attachments, under the key of the message ---- */

/* The parts of META under KEY, or an empty box when META does not know them. */
GBytes *
parts_seal(const FilingMeta *meta, const Secret *key, GError **error);

/* ---- dispatch.c: the message as a whole, made before the writer's turn ---- */

typedef struct {
  guint8 status_mac[CRYPT_SHA256_BYTES];
  GBytes *sealed;
} DispatchRow;

/* Fills ROW from META, whose dispatch is not NULL. FALSE with an error. */
gboolean
dispatch_row_make(const Store *store, const FilingMeta *meta, DispatchRow *row,
                  GError **error);

/* Inserts ROW, or has META->dispatch know the one of the same ticket that is there. */
gboolean
dispatch_row_insert(Db *db, const FilingMeta *meta, const DispatchRow *row, GError **error);

/* Frees what is in ROW. */
void
dispatch_row_clear(DispatchRow *row);

/* ---- history.c ---- */

/* What is still waited for of an entry that nobody opened: bits of its column watch. */
#define WATCH_TELL   1
#define WATCH_REMIND 2

/* Adds to the line of KIND of the entry in row ENTRY. *FIRST (may be NULL): a new line. */
gboolean
history_add(Db *db, gint64 entry, HistoryKind kind, gint64 when_s, gboolean *first,
            GError **error);

/* Takes one from the line of KIND of row ENTRY: it did not happen. */
gboolean
history_take_back(Db *db, gint64 entry, HistoryKind kind, GError **error);

/* The lines of row ENTRY, as store_history. */
GArray *
history_read(Db *db, gint64 entry, GError **error);

/* ---- manage.c ---- */

/* The sealed column of table again: who asked. */
#define AGAIN_COLUMN "asker"

/* ---- end.c: keys and content go ---- */

/* What a transaction purged. Its files are removed after the commit. */
typedef struct {
  guint entries, messages;
  GPtrArray *files; /* names */
} Purged;

/* Destroys the key in row ENTRY, and all that says who wrote what to whom. */
gboolean
entry_purge(Db *db, gint64 entry, Purged *purged, GError **error);

/* Ends PURGED; when it was COMMITTED the files that no row names any more go. */
void
purged_finish(const Store *store, Purged *purged, gboolean committed);

/* ---- large.c: sealed messages in files of their own ---- */

typedef struct LargeFile LargeFile;

/* A new file below DIRECTORY (borrowed) under a temporary name. NULL with an error. */
LargeFile *
large_file_new(const char *directory, GError **error);

/* Appends LEN bytes. FALSE with an error. */
gboolean
large_file_append(LargeFile *file, gconstpointer bytes, gsize len, GError **error);

/* Syncs the file, gives it its name, syncs that. It stays then, even when freed. */
gboolean
large_file_place(LargeFile *file, GError **error);

/* The name that the database keeps. */
const char *
large_file_name(const LargeFile *file);

/* Removes the file, placed or not: no row names it. */
void
large_file_discard(LargeFile *file);

/* Frees FILE, and removes what was not placed. Until then no sweep removes it. */
void
large_file_free(LargeFile *file);

/* Opens file NAME below DIRECTORY. -1 with ZEGEL_ERROR_FORGED when there is none. */
int
large_file_open(const char *directory, const char *name, GError **error);

/* The path of file NAME below DIRECTORY, a new string; NULL when none can have that name.
 */
char *
large_file_path(const char *directory, const char *name);

/* Removes file NAME below DIRECTORY; one that is gone is no error. */
void
large_file_remove(const char *directory, const char *name);

/* Whether the database names the file called NAME; -1 when that is not known. */
typedef int (*LargeFileKnown)(const char *name, gpointer data);

/* Removes old files below DIRECTORY that no row names and nobody is writing. */
void
large_file_sweep(const char *directory, LargeFileKnown known, gpointer data);

/* ---- entry.c ---- */

/* The state of an entry whose column ended is ENDED (0: it did not end by anybody). */
EntryState
entry_state(gint64 ended, gboolean purged, gint64 expires_s, gint64 now_s);

/* The row of the entry REFERENCE, whatever became of it, into *ID. FALSE with
 * ZEGEL_ERROR_INVALID when ORGANISATION has none. */
gboolean
entry_find_any(Db *db, const char *organisation, const char *reference, gint64 *id,
               GError **error);

/* FALSE with ZEGEL_ERROR_INVALID: the message is no longer there. */
gboolean
entry_set_gone(GError **error);

/*
 * The row of ENTRY into *ID when it may still be read at NOW_S, else 0. FALSE with an
 * error.
 */
gboolean
entry_find_row(Db *db, const Entry *entry, gint64 now_s, gint64 *id, GError **error);

/* ---- session.c ---- */

/* What the database keeps of SESSION. */
void
session_hash(const guint8 session[STORE_SESSION_BYTES], guint8 hash[CRYPT_SHA256_BYTES]);

/* Begins a session for row ENTRY; its id goes into SESSION. FALSE with an error. */
gboolean
session_begin(Db *db, gint64 entry, gint64 now_s, guint8 session[STORE_SESSION_BYTES],
              GError **error);

/* ---- use.c ---- */

/* An event to count, under each store key: a rotation forgets nothing. */
typedef struct {
  GArray *macs;
  guint max;
  gint64 window_s, now_s;
  gint64 id; /* of what was counted; 0: there were MAX already */
} EventCount;

/* Fills EVENT for WHAT and SUBJECT; free its macs. FALSE with an error. */
gboolean
event_count_prepare(const Store *store, const char *organisation, const char *what,
                    const char *subject, EventCount *event, GError **error);

/* Counts EVENT, within a transaction. */
gboolean
event_count_add(Db *db, EventCount *event, GError **error);

/* Takes back what event_count_add counted. */
gboolean
event_count_remove(Db *db, const EventCount *event, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(LargeFile, large_file_free)
