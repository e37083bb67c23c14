/*
 * seal.h - messages of any size, sealed in constant memory.
 *
 * Sealed message: version 1 (1 octet), algorithm 1 = AES-256-GCM (1), then chunks of
 * SEAL_CHUNK_BYTES of plaintext, each followed by its tag (16). The nonce is the chunk's
 * number (11 octets, big endian) and a last octet, 1 for the last chunk and else 0, so a
 * chunk that is cut off, repeated, moved or appended is noticed. Every message has a random
 * key of its own, so nonces need no randomness. The last chunk may be short or empty.
 * Format: zegel-store(5).
 */
#pragma once

#include <glib.h>

#include "common/base/secret.h"

#define SEAL_CHUNK_BYTES 65536

typedef struct Sealer Sealer;
typedef struct Opener Opener;

/* A sealer under KEY (CRYPT_KEY_BYTES, borrowed, copied). Never NULL. */
Sealer *
sealer_new(const Secret *key);

/* Appends to OUT what LEN more bytes at PLAIN yield. FALSE with ZEGEL_ERROR_TEMPORARY. */
gboolean
sealer_update(Sealer *sealer, gconstpointer plain, gsize len, GByteArray *out,
              GError **error);

/* Appends the last chunk to OUT. The sealer can then only be freed. */
gboolean
sealer_finish(Sealer *sealer, GByteArray *out, GError **error);

/* Wipes and frees SEALER; NULL is allowed. */
void
sealer_free(Sealer *sealer);

/* An opener under KEY (borrowed, copied). Never NULL. */
Opener *
opener_new(const Secret *key);

/*
 * Appends to OUT the plaintext of each chunk whose tag was verified. FALSE with
 * ZEGEL_ERROR_FORGED or ZEGEL_ERROR_INVALID; OUT then holds nothing of the bad chunk.
 */
gboolean
opener_update(Opener *opener, gconstpointer sealed, gsize len, GByteArray *out,
              GError **error);

/* Appends the last chunk; FALSE with ZEGEL_ERROR_FORGED when the end is missing. */
gboolean
opener_finish(Opener *opener, GByteArray *out, GError **error);

/* Wipes and frees OPENER; NULL is allowed. */
void
opener_free(Opener *opener);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sealer, sealer_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Opener, opener_free)
