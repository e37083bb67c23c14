/*
 * verify_run.h - a verification that is going on: what verify.c and verify_chain.c share.
 */
#pragma once

#include "common/audit/internal.h"

typedef struct Batch Batch;

/* A verification that is going on. */
typedef struct {
  const VerifyWith *with;
  Db *db;
  GPtrArray *keys; /* of TrailKey, or NULL */

  TrailEnd end;
  char *end_text;
  GPtrArray *texts;     /* of the statements */
  GArray *statements;   /* of Statement, by count */
  guint statement;      /* the next to be compared with the chain */
  guint64 base, number; /* the chain begins behind BASE, and is followed through NUMBER */
  guint8 hash[CRYPT_SHA256_BYTES];
  guint32 key_id;        /* under which records are written here */
  guint32 unknown_key;   /* one that KEYS lacks, */
  guint64 unknown_at;    /* and the first record under it; 0: none */
  guint64 sure;          /* through this record the chain is what statements in it say, */
  guint64 sure_outside;  /* and through this one what those that were given say */
  GArray *announcements; /* of Announcement */
  GArray *erased;        /* of Place: what records say was erased */
  guint64 expired;       /* what records say was removed: through this one */

  Query *mentions; /* in step with the records; NULL without the key */
  Mention mention; /* the next one; record 0: there are no more */
  Batch *batch;
  GAsyncQueue *queue; /* of Batch, for the threads that check them */

  GMutex lock; /* of what is below */
  GCond less;  /* there are fewer batches */
  guint batches;
  GArray *missing; /* of Place */
  guint64 wrong_at, found_through;
  char *what;      /* what is wrong, at the first place where something is; or NULL */
  GError *failure; /* a thread could not do its work */
} Verify;

/* Notes that something is wrong at record NUMBER (0: of none); what is wrong first counts.
 * Any thread. */
void
verify_found(Verify *verify, guint64 number, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Whether nothing was found yet, and nothing failed. Any thread. */
gboolean
verify_is_good(Verify *verify);

/* Notes that the chain is not what STATEMENT says. */
void
verify_found_difference(Verify *verify, const Statement *statement);

/*
 * Follows the chain from its beginning to its last record, compares it with the statements,
 * and has threads look at each record by itself; all is done when this returns. FALSE with
 * an error when that was not possible, whatever was found.
 */
gboolean
verify_chain(Verify *verify, GError **error);
