/*
 * crypt.h - the few primitives that the rest of zegel needs from OpenSSL.
 */
#pragma once

#include <glib.h>

#include "common/base/secret.h"

#define CRYPT_KEY_BYTES    32 /* AES-256 and HMAC-SHA-256 */
#define CRYPT_SHA256_BYTES 32

/* Fills LEN bytes at OUT from the system's CSPRNG. FALSE with ZEGEL_ERROR_TEMPORARY. */
gboolean
crypt_random(gpointer out, gsize len, GError **error);

/*
 * HKDF-SHA-256 (RFC 5869) of SECRET with SALT (LEN bytes, may be NULL) and the text INFO
 * into OUT_LEN bytes at OUT. FALSE with ZEGEL_ERROR_TEMPORARY when OpenSSL fails.
 */
gboolean
crypt_hkdf(const Secret *secret, gconstpointer salt, gsize salt_len, const char *info,
           guint8 *out, gsize out_len, GError **error);

/*
 * scrypt (RFC 7914) of PASSWORD with SALT, COST (N, a power of two), r = 8 and p = 1 into
 * OUT_LEN bytes at OUT: takes COST KiB of memory. FALSE with ZEGEL_ERROR_TEMPORARY.
 */
gboolean
crypt_scrypt(const Secret *password, gconstpointer salt, gsize salt_len, guint64 cost,
             guint8 *out, gsize out_len, GError **error);

/* HMAC-SHA-256 of LEN bytes at DATA under KEY into 32 bytes at MAC. */
gboolean
crypt_hmac(const Secret *key, gconstpointer data, gsize len, guint8 mac[CRYPT_SHA256_BYTES],
           GError **error);

/* Whether LEN bytes at A and B are equal, in a time that depends only on LEN. */
gboolean
crypt_equal(gconstpointer a, gconstpointer b, gsize len);

/* A running SHA-256. */
typedef struct CryptHash CryptHash;

/* A new hash, freed with crypt_hash_free. Never NULL (out of memory ends the process). */
CryptHash *
crypt_hash_new(void);

/* Adds LEN bytes at DATA. */
void
crypt_hash_update(CryptHash *hash, gconstpointer data, gsize len);

/* Writes the digest of all that was added; HASH must not be used again but to free it. */
void
crypt_hash_finish(CryptHash *hash, guint8 out[CRYPT_SHA256_BYTES]);

/* Frees HASH; NULL is allowed. */
void
crypt_hash_free(CryptHash *hash);

/* LEN bytes at BYTES as base64url without padding (RFC 4648 5), a new string. */
char *
crypt_base64url(gconstpointer bytes, gsize len);

/*
 * The bytes of TEXT in base64url without padding into a Secret of exactly LEN bytes, or
 * NULL when TEXT is anything else.
 */
Secret *
crypt_base64url_decode(const char *text, gsize len);

/* LEN bytes at BYTES in lower-case hexadecimal, a new string. */
char *
crypt_hex(gconstpointer bytes, gsize len);

/* Reads exactly LEN bytes from hexadecimal TEXT into OUT; FALSE when it is anything else.
 */
gboolean
crypt_unhex(const char *text, gpointer out, gsize len);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CryptHash, crypt_hash_free)
