/*
 * sign_key.h - private keys in PEM that sign: RSA and Ed25519 (DKIM).
 */
#pragma once

#include <glib.h>

#include "common/base/secret.h"
#include "common/crypt/crypt.h"

#define SIGN_KEY_MIN_BITS 1024 /* of RSA; RFC 8301 3.2 */
#define SIGN_KEY_MAX_BITS 4096

typedef enum {
  SIGN_RSA_SHA256,    /* PKCS#1 v1.5 */
  SIGN_ED25519_SHA256 /* of the digest, RFC 8463 3 */
} SignAlgorithm;

/* One private key; it does not change, so any thread may sign with it. */
typedef struct SignKey SignKey;

/*
 * Reads the file at PATH (key_file.h) with one private key in PEM, not encrypted. Owned by
 * the caller, or NULL with ZEGEL_ERROR_CONFIG and a text that names PATH and the cure.
 */
SignKey *
sign_key_load(const char *path, GError **error);

/* The same of LEN bytes at PEM; WHAT names them in the error. */
SignKey *
sign_key_parse(const char *pem, gsize len, const char *what, GError **error);

/*
 * A new random key for ALGORITHM; BITS are those of RSA, from SIGN_KEY_MIN_BITS to
 * SIGN_KEY_MAX_BITS, and do not count for Ed25519. Owned by the caller, or NULL with
 * ZEGEL_ERROR_TEMPORARY.
 */
SignKey *
sign_key_generate(SignAlgorithm algorithm, guint bits, GError **error);

/* KEY in PEM (PKCS#8), as sign_key_parse reads it: owned by the caller, or NULL with
 * ZEGEL_ERROR_TEMPORARY. Any thread. */
Secret *
sign_key_format(const SignKey *key, GError **error);

/* The public half of KEY in PEM: a new string, or NULL with ZEGEL_ERROR_TEMPORARY. Any
 * thread. */
char *
sign_key_format_public(const SignKey *key, GError **error);

/* The length of KEY: of RSA its modulus, of Ed25519 always 256. */
guint
sign_key_bits(const SignKey *key);

/* Wipes and frees KEY; NULL is allowed. */
void
sign_key_free(SignKey *key);

/* What KEY signs with. */
SignAlgorithm
sign_key_algorithm(const SignKey *key);

/* The signature of DIGEST, or NULL with ZEGEL_ERROR_TEMPORARY. Any thread. */
GBytes *
sign_key_sign(const SignKey *key, const guint8 digest[CRYPT_SHA256_BYTES], GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignKey, sign_key_free)
