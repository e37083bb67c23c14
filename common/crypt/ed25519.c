#include "common/crypt/ed25519.h"

#include <openssl/err.h>

#include "common/base/error.h"
#include "common/crypt/openssl.h"

struct Ed25519 {
  EVP_PKEY *key; /* OpenSSL wipes it when it is freed */
  guint8 public_key[ED25519_PUBLIC_BYTES];
};

void
ed25519_free(Ed25519 *key)
{
  if (key == NULL)
    return;
  EVP_PKEY_free(key->key);
  g_free(key);
}

Ed25519 *
ed25519_new(const guint8 seed[CRYPT_KEY_BYTES], GError **error)
{
  crypt_algorithms();
  g_autoptr(Ed25519) key = g_new0(Ed25519, 1);
  gsize len = sizeof key->public_key;
  key->key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, CRYPT_KEY_BYTES);
  if (key->key == NULL ||
      EVP_PKEY_get_raw_public_key(key->key, key->public_key, &len) != 1 ||
      len != sizeof key->public_key) {
    crypt_fail(error, "Ed25519");
    return NULL;
  }
  return g_steal_pointer(&key);
}

const guint8 *
ed25519_public(const Ed25519 *key)
{
  return key->public_key;
}

gboolean
ed25519_sign(const Ed25519 *key, gconstpointer data, gsize len,
             guint8 signature[ED25519_SIGNATURE_BYTES], GError **error)
{
  gsize written = ED25519_SIGNATURE_BYTES;
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  gboolean done = context != NULL &&
                  EVP_DigestSignInit(context, NULL, NULL, NULL, key->key) == 1 &&
                  EVP_DigestSign(context, signature, &written, data, len) == 1 &&
                  written == ED25519_SIGNATURE_BYTES;
  EVP_MD_CTX_free(context);
  return done || crypt_fail(error, "Ed25519");
}

gboolean
ed25519_check(const guint8 public_key[ED25519_PUBLIC_BYTES], gconstpointer data, gsize len,
              const guint8 signature[ED25519_SIGNATURE_BYTES], GError **error)
{
  crypt_algorithms();
  EVP_PKEY *key =
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, ED25519_PUBLIC_BYTES);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  gboolean ready = key != NULL && context != NULL &&
                   EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1;
  gboolean good = ready && EVP_DigestVerify(context, signature, ED25519_SIGNATURE_BYTES,
                                            data, len) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  if (!ready)
    return crypt_fail(error, "Ed25519");
  if (!good)
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED, "the signature is wrong");
  ERR_clear_error();
  return good;
}
