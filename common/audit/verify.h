/*
 * verify.h - whether the audit trail is what was written.
 */
#pragma once

#include "common/audit/checkpoint.h"

/* What a verification goes by; at least one of the first two. */
typedef struct {
  const KeyRing *keys;            /* KEY_AUDIT, or NULL: then MACs and values count not */
  const guint8 *public_key;       /* CHECKPOINT_PUBLIC_BYTES, or NULL: that of KEYS */
  const char *const *checkpoints; /* NULL-ended texts that were kept outside; or NULL */
} VerifyWith;

/* What was found. Free with verify_result_clear. */
typedef struct {
  gboolean good;
  guint64 first, last; /* numbers of the records that are there; 0: none */
  guint64 proven;      /* through this one a signature vouches for the chain */
  guint64 erased;      /* records with erased values, all of them accounted for */
  guint64 wrong_at;    /* number of the record where it is not good; 0: of none */
  char *what;          /* what is wrong, for people; NULL when good */
} VerifyResult;

/* Frees what is in RESULT. */
void
verify_result_clear(VerifyResult *result);

/*
 * Verifies the trail at PATH WITH what there is, from its first record to its last. TRUE
 * when that could be done, whatever was found. FALSE with ZEGEL_ERROR_CONFIG (no trail, no
 * key) or ZEGEL_ERROR_TEMPORARY.
 */
gboolean
verify_trail(const char *path, const VerifyWith *with, VerifyResult *result,
             GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VerifyResult, verify_result_clear)
