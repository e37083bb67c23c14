#include "common/crypt/crypt.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>

#include "common/base/error.h"
#include "common/crypt/openssl.h"

struct CryptHash {
  EVP_MD_CTX *context;
};

/*
 * openssl.cnf is not read: it costs a CGI process more than all else it does, and what the
 * formats use is fixed by their version, not by the machine's configuration.
 */
static gpointer
fetch_algorithms(gpointer unused)
{
  (void) unused;
  static CryptAlgorithms fetched;
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
  fetched.aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
  fetched.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
  fetched.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
  fetched.hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
  if (fetched.aes_256_gcm == NULL || fetched.sha256 == NULL || fetched.hmac == NULL ||
      fetched.hkdf == NULL)
    g_error("OpenSSL has no AES-256-GCM, SHA-256, HMAC or HKDF");
  return &fetched;
}

const CryptAlgorithms *
crypt_algorithms(void)
{
  static GOnce once = G_ONCE_INIT;
  return g_once(&once, fetch_algorithms, NULL);
}

gboolean
crypt_fail(GError **error, const char *what)
{
  const char *reason = ERR_reason_error_string(ERR_get_error());
  ERR_clear_error();
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY, "%s: %s", what,
              reason != NULL ? reason : "OpenSSL failed");
  return FALSE;
}

gboolean
crypt_random(gpointer out, gsize len, GError **error)
{
  crypt_algorithms();
  if (len > G_MAXINT || RAND_bytes(out, (int) len) != 1) {
    memset(out, 0, len);
    return crypt_fail(error, "no random bytes");
  }
  return TRUE;
}

gboolean
crypt_hkdf(const Secret *secret, gconstpointer salt, gsize salt_len, const char *info,
           guint8 *out, gsize out_len, GError **error)
{
  static char digest[] = "SHA256";
  OSSL_PARAM params[5];
  gsize n = 0;
  params[n++] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
  params[n++] = OSSL_PARAM_construct_octet_string(
      OSSL_KDF_PARAM_KEY, (gpointer) secret_peek(secret), secret_size(secret));
  params[n++] =
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (gpointer) info, strlen(info));
  if (salt_len > 0)
    params[n++] =
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (gpointer) salt, salt_len);
  params[n] = OSSL_PARAM_construct_end();

  EVP_KDF_CTX *context = EVP_KDF_CTX_new(crypt_algorithms()->hkdf);
  gboolean done = context != NULL && EVP_KDF_derive(context, out, out_len, params) == 1;
  EVP_KDF_CTX_free(context);
  if (!done) {
    OPENSSL_cleanse(out, out_len);
    return crypt_fail(error, "HKDF");
  }
  return TRUE;
}

/* Not fetched with the others: few processes ever need it. */
gboolean
crypt_scrypt(const Secret *password, gconstpointer salt, gsize salt_len, guint64 cost,
             guint8 *out, gsize out_len, GError **error)
{
  guint32 block = 8, lanes = 1;
  guint64 n = cost;
  guint64 memory = 2 * 1024 * cost; /* it needs somewhat more than half of this */
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_octet_string(
          OSSL_KDF_PARAM_PASSWORD, (gpointer) secret_peek(password), secret_size(password)),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (gpointer) salt, salt_len),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &block),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &lanes),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory),
      OSSL_PARAM_construct_end(),
  };
  crypt_algorithms();
  EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
  EVP_KDF_CTX *context = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
  gboolean done = context != NULL && EVP_KDF_derive(context, out, out_len, params) == 1;
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  if (!done) {
    OPENSSL_cleanse(out, out_len);
    return crypt_fail(error, "scrypt");
  }
  return TRUE;
}

gboolean
crypt_hmac(const Secret *key, gconstpointer data, gsize len, guint8 mac[CRYPT_SHA256_BYTES],
           GError **error)
{
  static char digest[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  gsize written = 0;
  EVP_MAC_CTX *context = EVP_MAC_CTX_new(crypt_algorithms()->hmac);
  gboolean done = context != NULL &&
                  EVP_MAC_init(context, secret_peek(key), secret_size(key), params) == 1 &&
                  EVP_MAC_update(context, data, len) == 1 &&
                  EVP_MAC_final(context, mac, &written, CRYPT_SHA256_BYTES) == 1 &&
                  written == CRYPT_SHA256_BYTES;
  EVP_MAC_CTX_free(context);
  if (!done) {
    OPENSSL_cleanse(mac, CRYPT_SHA256_BYTES);
    return crypt_fail(error, "HMAC");
  }
  return TRUE;
}

gboolean
crypt_equal(gconstpointer a, gconstpointer b, gsize len)
{
  return CRYPTO_memcmp(a, b, len) == 0;
}

CryptHash *
crypt_hash_new(void)
{
  CryptHash *hash = g_new0(CryptHash, 1);
  hash->context = EVP_MD_CTX_new();
  if (hash->context == NULL ||
      EVP_DigestInit_ex2(hash->context, crypt_algorithms()->sha256, NULL) != 1)
    g_error("SHA-256 cannot start: out of memory");
  return hash;
}

void
crypt_hash_update(CryptHash *hash, gconstpointer data, gsize len)
{
  if (EVP_DigestUpdate(hash->context, data, len) != 1)
    g_error("SHA-256 failed");
}

void
crypt_hash_finish(CryptHash *hash, guint8 out[CRYPT_SHA256_BYTES])
{
  unsigned int written = 0;
  if (EVP_DigestFinal_ex(hash->context, out, &written) != 1 ||
      written != CRYPT_SHA256_BYTES)
    g_error("SHA-256 failed");
}

void
crypt_hash_free(CryptHash *hash)
{
  if (hash == NULL)
    return;
  EVP_MD_CTX_free(hash->context);
  g_free(hash);
}

char *
crypt_base64url(gconstpointer bytes, gsize len)
{
  char *text = g_base64_encode(bytes, len);
  g_strdelimit(text, "+", '-');
  g_strdelimit(text, "/", '_');
  char *padding = strchr(text, '=');
  if (padding != NULL)
    *padding = '\0';
  return text;
}

/* Whether TEXT is exactly what crypt_base64url makes of BYTES: one link, one spelling. */
static gboolean
is_canonical(const char *text, const Secret *bytes)
{
  char *again = crypt_base64url(secret_peek(bytes), secret_size(bytes));
  gboolean same = strcmp(text, again) == 0;
  secret_wipe(again, strlen(again));
  g_free(again);
  return same;
}

Secret *
crypt_base64url_decode(const char *text, gsize len)
{
  gsize text_len = strlen(text);
  if (text_len != (len * 4 + 2) / 3 || strpbrk(text, "+/=") != NULL)
    return NULL;
  char *standard = g_strconcat(text, &"==="[3 - (4 - text_len % 4) % 4], NULL);
  g_strdelimit(standard, "-", '+');
  g_strdelimit(standard, "_", '/');
  gsize decoded_len = 0;
  guchar *decoded = g_base64_decode(standard, &decoded_len);
  g_autoptr(Secret) secret = secret_new_from(decoded, decoded_len);
  secret_wipe(decoded, decoded_len);
  g_free(decoded);
  secret_wipe(standard, strlen(standard));
  g_free(standard);
  if (decoded_len != len || !is_canonical(text, secret))
    return NULL;
  return g_steal_pointer(&secret);
}

char *
crypt_hex(gconstpointer bytes, gsize len)
{
  static const char digits[] = "0123456789abcdef";
  const guint8 *from = bytes;
  char *text = g_malloc(2 * len + 1);
  for (gsize i = 0; i < len; i++) {
    text[2 * i] = digits[from[i] >> 4];
    text[2 * i + 1] = digits[from[i] & 15];
  }
  text[2 * len] = '\0';
  return text;
}

gboolean
crypt_unhex(const char *text, gpointer out, gsize len)
{
  guint8 *to = out;
  if (strlen(text) != 2 * len)
    return FALSE;
  for (gsize i = 0; i < len; i++) {
    int high = g_ascii_xdigit_value(text[2 * i]);
    int low = g_ascii_xdigit_value(text[2 * i + 1]);
    if (high < 0 || low < 0)
      return FALSE;
    to[i] = (guint8) (high << 4 | low);
  }
  return TRUE;
}
