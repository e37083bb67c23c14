/*
 * internal.h - what the files of this room share. No other room includes it (tests do).
 * The bytes are described in zegel-audit(5).
 */
#pragma once

#include "common/audit/checkpoint.h"
#include "common/audit/verify.h"
#include "common/audit/writer.h"
#include "common/base/attr.h"
#include "common/base/event.h"
#include "common/crypt/ed25519.h"
#include "common/db/db.h"

#define TRAIL_SALT_BYTES    16
#define TRAIL_MENTION_BYTES 16 /* of an HMAC: what finds a record by a value */

/* The source of records that the trail makes of itself: no user can have that name. */
#define TRAIL_OWN_SOURCE ":trail"

/* ---- schema.c ---- */

extern const DbSchema trail_schema;

/*
 * Opens the trail at PATH for ROLE, as trail_open says. It is not made and not upgraded
 * here. NULL with ZEGEL_ERROR_CONFIG or ZEGEL_ERROR_TEMPORARY.
 */
Db *
trail_open_db(const char *path, DbRole role, GError **error);

/* ---- keys.c: what is derived from each root key, each for one use ---- */

typedef struct {
  guint32 id;
  Secret *mac;     /* HMAC over the chain */
  Secret *data;    /* seals values */
  Secret *mention; /* HMAC that finds values */
  Ed25519 *signer;
} TrailKey;

/* Of TrailKey, in the order of RING; freed with g_ptr_array_unref. NULL with
 * ZEGEL_ERROR_TEMPORARY. */
GPtrArray *
trail_keys_new(const KeyRing *ring, GError **error);

/* The key ID of KEYS (which may be NULL), or NULL. */
const TrailKey *
trail_keys_find(const GPtrArray *keys, guint32 id);

/* As trail_keys_find, with ZEGEL_ERROR_KEY_UNKNOWN. */
const TrailKey *
trail_keys_need(const GPtrArray *keys, guint32 id, GError **error);

/* ---- line.c: signed lines ---- */

/* What the last commit left: how far the trail goes, signed anew each time. */
typedef struct {
  Checkpoint point;                       /* of the last record */
  guint8 checkpoints[CRYPT_SHA256_BYTES]; /* over all kept checkpoints */
} TrailEnd;

/* CHECKPOINT, signed with KEY, a new string; NULL with ZEGEL_ERROR_TEMPORARY. */
char *
checkpoint_format(const Checkpoint *checkpoint, const Ed25519 *key, GError **error);

/* The same of END. */
char *
end_format(const TrailEnd *end, const Ed25519 *key, GError **error);

/* Reads TEXT, without its signature being checked. FALSE with ZEGEL_ERROR_INVALID. */
gboolean
end_parse(const char *text, TrailEnd *end, GError **error);

/* Whether the signature at the end of TEXT is PUBLIC_KEY's over what is before it. FALSE
 * with ZEGEL_ERROR_FORGED, ZEGEL_ERROR_INVALID or ZEGEL_ERROR_TEMPORARY. */
gboolean
line_check(const char *text, const guint8 public_key[ED25519_PUBLIC_BYTES], GError **error);

/* Reads a time as all our lines and records write it, in microseconds. */
gboolean
parse_time(const char *text, gint64 *at_us);

/* ---- record.c: one record ---- */

/* What a column holds; NULL bytes: nothing. Text may hold anything, and has a NUL behind it
 * that LEN does not count. */
typedef struct {
  const char *bytes;
  gsize len;
} Field;

typedef enum {
  FIELD_ID, /* of the event, 16 octets */
  FIELD_ORGANISATION,
  FIELD_EVENT,
  FIELD_QUEUE_ID,
  FIELD_REFERENCE,
  FIELD_TEXT,
  FIELD_MAC,
  FIELD_SEALED, /* salts and values; NULL: there are none (any more) */
  FIELD_COUNT
} FieldIndex;

/* A row of the table record. */
typedef struct {
  gint64 number, key, at_us, nta;
  Field fields[FIELD_COUNT];
  char *block; /* the fields stand in it */
} Row;

/* The columns that row_read takes, in their order. */
#define ROW_COLUMNS                                                                        \
  "number, key, at_us, nta, id, organisation, event, queue_id, reference, text, mac, "     \
  "sealed"

/* Copies the current row of QUERY into ROW, which row_clear frees. */
void
row_read(Query *query, Row *row);

/* Frees what is in ROW. */
void
row_clear(Row *row);

/* What the columns beside the text must be: all of it stands in the text. */
typedef struct {
  guint8 id[EVENT_ID_BYTES];
  gint64 at_us, nta;                                       /* nta 0: none */
  const char *organisation, *event, *queue_id, *reference; /* of ATTRS, or NULL */
} Columns;

/* What ATTRS, of a record's text, say of its columns. FALSE: they are of no event. */
gboolean
columns_parse(const Attrs *attrs, Columns *columns);

/* A value that says something of a person. */
typedef struct {
  guint position; /* of its attribute in the text, from 0 */
  guint8 salt[TRAIL_SALT_BYTES];
  char *value;
} SealedValue;

/* A new, empty array of SealedValue. */
GArray *
values_new(void);

/* Whether VALUE, of a record's text, stands for a value that is sealed or erased. */
gboolean
commitment_is(const char *value);

/* What stands in the text for VALUE of KEY: a new string. */
char *
commitment_format(const guint8 salt[TRAIL_SALT_BYTES], const char *key, const char *value);

/* What the text of record NUMBER says: attributes that the caller frees. SOURCE brought
 * EVENT; LIST (may be NULL) is what the trail adds to events of its own. VALUES get what
 * must be sealed. NULL with ZEGEL_ERROR_TEMPORARY. */
Attrs *
record_attrs(guint64 number, const Event *event, const char *list, const char *source,
             GArray *values, GError **error);

/* VALUES of record NUMBER as what is kept, or NULL with ZEGEL_ERROR_TEMPORARY. */
GBytes *
values_seal(const TrailKey *key, guint64 number, const GArray *values, GError **error);

/* Opens what values_seal made. NULL with ZEGEL_ERROR_FORGED, or ZEGEL_ERROR_TEMPORARY. */
GArray *
values_open(const TrailKey *key, guint64 number, const Field *sealed, GError **error);

/* Whether each of VALUES, in their order, is what TEXT, the record's attributes, says. */
gboolean
values_match(const GArray *values, const Attrs *text);

/* The hash behind a record of LEN octets at TEXT, when PREVIOUS is that before it. */
void
chain_next(const guint8 previous[CRYPT_SHA256_BYTES], gconstpointer text, gsize len,
           guint8 hash[CRYPT_SHA256_BYTES]);

/* The MAC of HASH under KEY, into MAC. FALSE with ZEGEL_ERROR_TEMPORARY. */
gboolean
chain_mac(const TrailKey *key, const guint8 hash[CRYPT_SHA256_BYTES],
          guint8 mac[CRYPT_SHA256_BYTES], GError **error);

/* ---- mention.c: finding records by what is sealed ---- */

typedef enum {
  MENTION_NONE,
  MENTION_PERSON,
  MENTION_MESSAGE
} MentionKind;

/* By what values of KEY are found. */
MentionKind
mention_kind(const char *key);

/* The octets that stand for VALUE of KIND, into OUT. FALSE with ZEGEL_ERROR_TEMPORARY. */
gboolean
mention_format(const TrailKey *key, MentionKind kind, const char *value,
               guint8 out[TRAIL_MENTION_BYTES], GError **error);

/* Whether A and B, values of KIND, are found as one. */
gboolean
mention_equal(MentionKind kind, const char *a, const char *b);

/* ---- writer.c, for change.c ---- */

struct TrailWriter {
  char *path;
  GPtrArray *keys; /* of TrailKey; the first is the current one */
  Db *db;          /* NULL: must be opened again */
  TrailEnd end;    /* what the last commit left, or what the transaction has so far */
  char *end_text;  /* what the last commit left, signed */
  gboolean changed;
  gboolean checkpoints_changed;
  guint64 checkpointed; /* number of the last record before the newest checkpoint */
  GPtrArray *own;       /* of Event: made here in this transaction */
  guint log_pages, copied_pages;
};

/* What is done within a transaction. FALSE undoes it. */
typedef gboolean (*WriterJob)(TrailWriter *writer, gpointer data, GError **error);

/* Runs JOB with DATA in a transaction of WRITER. FALSE with its error, or an own one. */
gboolean
trail_writer_run(TrailWriter *writer, WriterJob job, gpointer data, GError **error);

/* The key that records are written under now. */
const TrailKey *
writer_key(const TrailWriter *writer);

/* In a transaction: adds a record of EVENT, which the trail makes of itself and which is
 * taken, with LIST (may be NULL). FALSE with an error. */
gboolean
writer_add_own(TrailWriter *writer, Event *event, const char *list, GError **error);

/* In a transaction: signs and keeps a checkpoint of the end with KEY. Its text, the
 * caller's, or NULL with an error. */
char *
writer_keep_checkpoint(TrailWriter *writer, const TrailKey *key, GError **error);

/* The hash over all checkpoints that DB keeps. FALSE with an error. */
gboolean
hash_checkpoints(Db *db, guint8 out[CRYPT_SHA256_BYTES], GError **error);

/* ---- verify_row.c: one record by itself ---- */

/* A value that is not there any more, or could not be seen to be there. */
typedef struct {
  gint64 number;
  guint position;
} Place;

/* What stands in the table mention for a record; others than TRAIL_MENTION_BYTES are kept
 * with LEN alone. */
typedef struct {
  gint64 record;
  guint8 value[TRAIL_MENTION_BYTES];
  gsize len;
} Mention;

/*
 * Checks ROW, behind which the chain has HASH: the columns against the text; with KEY (else
 * NULL) also its MAC, what is sealed, and the COUNT MENTIONS of it, ordered. MISSING (of
 * Place) gets which values are not there. FALSE with ZEGEL_ERROR_FORGED, or
 * ZEGEL_ERROR_TEMPORARY. Any thread.
 */
gboolean
row_check(const TrailKey *key, const guint8 hash[CRYPT_SHA256_BYTES], const Row *row,
          const Mention *mentions, gsize count, GArray *missing, GError **error);

/* ---- verify_sign.c: what signatures vouch for ---- */

/* A signed line, and what it says. */
typedef struct {
  Checkpoint point;
  const char *text; /* owned by whoever made the list */
  enum {
    STATEMENT_KEPT,
    STATEMENT_OUTSIDE,
    STATEMENT_END
  } kind;
  guint64 differs_after; /* the chain is not what it says, from this record on at the
                            earliest; 0: it is */
  gboolean vouched;      /* its signature is that of a key that is trusted */
} Statement;

/* What a record says of a key that came into use. */
typedef struct {
  guint64 number;
  guint32 id;
  guint8 public_key[CHECKPOINT_PUBLIC_BYTES];
} Announcement;

/*
 * Finds out which of STATEMENTS (of Statement) are vouched for: by PUBLIC_KEY or, when that
 * is NULL, one of KEYS (of TrailKey), and by keys that ANNOUNCEMENTS (of Announcement)
 * below such a statement name, when the chain, through LAST, is what it says. FALSE with
 * ZEGEL_ERROR_FORGED when a signature of such a key is wrong in the trail itself, *NUMBER
 * being where, or with ZEGEL_ERROR_TEMPORARY.
 */
gboolean
statements_check(GArray *statements, const GArray *announcements, guint64 last,
                 const guint8 *public_key, const GPtrArray *keys, guint64 *number,
                 GError **error);

/* ---- verify.c ---- */

/* What verify_trail does with DB, but for looking at its pages: in the transaction of the
 * caller, or in its own. */
gboolean
verify_db(Db *db, const VerifyWith *with, VerifyResult *result, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Row, row_clear)
