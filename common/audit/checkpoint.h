/*
 * checkpoint.h - a signed line that says how long the trail is and what it holds.
 *
 *     zegel-checkpoint 1 KEYID COUNT HASH TIME SIGNATURE
 *
 * KEYID 8 hexadecimal digits, COUNT the number of the last record, HASH that of the chain
 * there, TIME RFC 3339, SIGNATURE Ed25519 over all before it, base64. Whoever keeps one
 * outside sees when the trail was cut or changed after it. Format: zegel-audit(5).
 */
#pragma once

#include <glib.h>

#include "common/crypt/crypt.h"
#include "common/crypt/key.h"

#define CHECKPOINT_PUBLIC_BYTES 32 /* of Ed25519 */

typedef struct {
  guint32 key_id;
  guint64 count;
  guint8 hash[CRYPT_SHA256_BYTES];
  gint64 at_s;
} Checkpoint;

/* Signs CHECKPOINT, whose key_id is one of KEYS (KEY_AUDIT). A new string, or NULL with
 * ZEGEL_ERROR_KEY_UNKNOWN or ZEGEL_ERROR_TEMPORARY. Any thread. */
char *
checkpoint_sign(const Checkpoint *checkpoint, const KeyRing *keys, GError **error);

/* Reads TEXT, without its signature being checked. FALSE with ZEGEL_ERROR_INVALID. */
gboolean
checkpoint_parse(const char *text, Checkpoint *checkpoint, GError **error);

/* Whether the signature of TEXT is PUBLIC_KEY's. FALSE with ZEGEL_ERROR_FORGED when it is
 * not, or ZEGEL_ERROR_INVALID. Any thread. */
gboolean
checkpoint_check(const char *text, const guint8 public_key[CHECKPOINT_PUBLIC_BYTES],
                 GError **error);

/* The public half of the signing key of key ID of KEYS, into PUBLIC_KEY. FALSE with
 * ZEGEL_ERROR_KEY_UNKNOWN or ZEGEL_ERROR_TEMPORARY. */
gboolean
checkpoint_public_key(const KeyRing *keys, guint32 id,
                      guint8 public_key[CHECKPOINT_PUBLIC_BYTES], GError **error);
