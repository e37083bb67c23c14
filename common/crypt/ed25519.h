/*
 * ed25519.h - Ed25519 (RFC 8032) with keys as bare octets: signatures over our own lines.
 */
#pragma once

#include <glib.h>

#include "common/crypt/crypt.h"

#define ED25519_PUBLIC_BYTES    32
#define ED25519_SIGNATURE_BYTES 64

typedef struct Ed25519 Ed25519;

/* The key pair of SEED, the private key of RFC 8032 (CRYPT_KEY_BYTES octets, copied). NULL
 * with ZEGEL_ERROR_TEMPORARY. Any thread may sign with it. */
Ed25519 *
ed25519_new(const guint8 seed[CRYPT_KEY_BYTES], GError **error);

/* Wipes and frees KEY; NULL is allowed. */
void
ed25519_free(Ed25519 *key);

/* The public half, owned by KEY: ED25519_PUBLIC_BYTES octets. */
const guint8 *
ed25519_public(const Ed25519 *key);

/* Signs LEN octets at DATA into SIGNATURE. FALSE with ZEGEL_ERROR_TEMPORARY. */
gboolean
ed25519_sign(const Ed25519 *key, gconstpointer data, gsize len,
             guint8 signature[ED25519_SIGNATURE_BYTES], GError **error);

/* Whether SIGNATURE is PUBLIC_KEY's over LEN octets at DATA. FALSE with ZEGEL_ERROR_FORGED
 * when it is not, or ZEGEL_ERROR_TEMPORARY. Any thread. */
gboolean
ed25519_check(const guint8 public_key[ED25519_PUBLIC_BYTES], gconstpointer data, gsize len,
              const guint8 signature[ED25519_SIGNATURE_BYTES], GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ed25519, ed25519_free)
