#include "common/crypt/sign_key.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "common/base/error.h"
#include "common/crypt/key_file.h"
#include "common/crypt/openssl.h"

#define ED25519_BITS 256 /* OpenSSL says 253 */

struct SignKey {
  EVP_PKEY *key; /* OpenSSL wipes it when it is freed */
  SignAlgorithm algorithm;
};

void
sign_key_free(SignKey *key)
{
  if (key == NULL)
    return;
  EVP_PKEY_free(key->key);
  g_free(key);
}

/* OpenSSL would ask at the terminal for the password of an encrypted key. */
static int
no_password(char *buffer, int size, int writing, void *closure)
{
  (void) buffer;
  (void) size;
  (void) writing;
  (void) closure;
  return -1;
}

/* The algorithm of KEY into *ALGORITHM. FALSE: it is none that we sign with. */
static gboolean
find_algorithm(const EVP_PKEY *key, SignAlgorithm *algorithm)
{
  int bits = EVP_PKEY_get_bits(key);
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519) {
    *algorithm = SIGN_ED25519_SHA256;
    return TRUE;
  }
  *algorithm = SIGN_RSA_SHA256;
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && bits >= SIGN_KEY_MIN_BITS &&
         bits <= SIGN_KEY_MAX_BITS;
}

SignKey *
sign_key_parse(const char *pem, gsize len, const char *what, GError **error)
{
  crypt_algorithms();
  g_autoptr(SignKey) key = g_new0(SignKey, 1);
  BIO *bio = len <= KEY_FILE_MAX_BYTES ? BIO_new_mem_buf(pem, (int) len) : NULL;
  if (bio != NULL)
    key->key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
  BIO_free(bio);
  ERR_clear_error();
  if (key->key == NULL || !find_algorithm(key->key, &key->algorithm)) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG,
                "%s: not a private key in PEM of RSA (%d to %d bits) or Ed25519, without "
                "password: make one with zegelctl dkim generate",
                what, SIGN_KEY_MIN_BITS, SIGN_KEY_MAX_BITS);
    return NULL;
  }
  return g_steal_pointer(&key);
}

SignKey *
sign_key_load(const char *path, GError **error)
{
  g_autoptr(Secret) bytes = key_file_read(path, error);
  if (bytes == NULL)
    return NULL;
  return sign_key_parse((const char *) secret_peek(bytes), secret_size(bytes), path, error);
}

SignKey *
sign_key_generate(SignAlgorithm algorithm, guint bits, GError **error)
{
  crypt_algorithms();
  g_autoptr(SignKey) key = g_new0(SignKey, 1);
  key->algorithm = algorithm;
  key->key = algorithm == SIGN_ED25519_SHA256
                 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                 : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t) bits);
  if (key->key == NULL) {
    crypt_fail(error, "making a key");
    return NULL;
  }
  return g_steal_pointer(&key);
}

Secret *
sign_key_format(const SignKey *key, GError **error)
{
  Secret *pem = NULL;
  char *bytes = NULL;
  BIO *bio = BIO_new(BIO_s_secmem());
  if (bio != NULL &&
      PEM_write_bio_PKCS8PrivateKey(bio, key->key, NULL, NULL, 0, NULL, NULL) == 1) {
    long len = BIO_get_mem_data(bio, &bytes);
    pem = secret_new_from(bytes, (gsize) len);
  } else {
    crypt_fail(error, "writing a key");
  }
  BIO_free(bio); /* it wipes what it held */
  return pem;
}

char *
sign_key_format_public(const SignKey *key, GError **error)
{
  char *pem = NULL;
  char *bytes = NULL;
  BIO *bio = BIO_new(BIO_s_mem());
  if (bio != NULL && PEM_write_bio_PUBKEY(bio, key->key) == 1) {
    long len = BIO_get_mem_data(bio, &bytes);
    pem = g_strndup(bytes, (gsize) len);
  } else {
    crypt_fail(error, "writing a public key");
  }
  BIO_free(bio);
  return pem;
}

guint
sign_key_bits(const SignKey *key)
{
  return key->algorithm == SIGN_ED25519_SHA256 ? ED25519_BITS
                                               : (guint) EVP_PKEY_get_bits(key->key);
}

SignAlgorithm
sign_key_algorithm(const SignKey *key)
{
  return key->algorithm;
}

static gboolean
sign_rsa(EVP_PKEY *key, const guint8 *digest, guint8 *out, gsize *len)
{
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
  gboolean done = context != NULL && EVP_PKEY_sign_init(context) == 1 &&
                  EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
                  EVP_PKEY_CTX_set_signature_md(context, crypt_algorithms()->sha256) == 1 &&
                  EVP_PKEY_sign(context, out, len, digest, CRYPT_SHA256_BYTES) == 1;
  EVP_PKEY_CTX_free(context);
  return done;
}

static gboolean
sign_ed25519(EVP_PKEY *key, const guint8 *digest, guint8 *out, gsize *len)
{
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  gboolean done = context != NULL &&
                  EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
                  EVP_DigestSign(context, out, len, digest, CRYPT_SHA256_BYTES) == 1;
  EVP_MD_CTX_free(context);
  return done;
}

GBytes *
sign_key_sign(const SignKey *key, const guint8 digest[CRYPT_SHA256_BYTES], GError **error)
{
  gsize len = (gsize) EVP_PKEY_get_size(key->key);
  g_autofree guint8 *out = g_malloc(len);
  gboolean done = key->algorithm == SIGN_ED25519_SHA256
                      ? sign_ed25519(key->key, digest, out, &len)
                      : sign_rsa(key->key, digest, out, &len);
  if (!done) {
    crypt_fail(error, "signing");
    return NULL;
  }
  return g_bytes_new_take(g_steal_pointer(&out), len);
}
