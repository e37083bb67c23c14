#include "common/crypt/gcm.h"

#include <openssl/crypto.h>

#include "common/base/error.h"
#include "common/crypt/openssl.h"

struct Gcm {
  EVP_CIPHER_CTX *context;
  guint8 key[CRYPT_KEY_BYTES];
};

Gcm *
gcm_new(const guint8 key[CRYPT_KEY_BYTES], GError **error)
{
  g_autoptr(Gcm) gcm = g_new0(Gcm, 1);
  gcm->context = EVP_CIPHER_CTX_new();
  if (gcm->context == NULL ||
      EVP_CipherInit_ex2(gcm->context, crypt_algorithms()->aes_256_gcm, NULL, NULL, 1,
                         NULL) != 1) {
    crypt_fail(error, "AES-256-GCM");
    return NULL;
  }
  for (gsize i = 0; i < CRYPT_KEY_BYTES; i++)
    gcm->key[i] = key[i];
  return g_steal_pointer(&gcm);
}

void
gcm_free(Gcm *gcm)
{
  if (gcm == NULL)
    return;
  EVP_CIPHER_CTX_free(gcm->context); /* wipes its own copy of the key */
  OPENSSL_cleanse(gcm, sizeof *gcm);
  g_free(gcm);
}

/* Keys and nonce in, then the additional data and LEN octets from IN to OUT. */
static gboolean
run(Gcm *gcm, int encrypt, const guint8 *nonce, gconstpointer ad, gsize ad_len,
    gconstpointer in, gsize len, guint8 *out)
{
  int n = 0;
  return ad_len <= G_MAXINT && len <= G_MAXINT &&
         EVP_CipherInit_ex2(gcm->context, NULL, gcm->key, nonce, encrypt, NULL) == 1 &&
         (ad_len == 0 || EVP_CipherUpdate(gcm->context, NULL, &n, ad, (int) ad_len) == 1) &&
         (len == 0 || (EVP_CipherUpdate(gcm->context, out, &n, in, (int) len) == 1 &&
                       (gsize) n == len));
}

gboolean
gcm_seal(Gcm *gcm, const guint8 nonce[GCM_NONCE_BYTES], gconstpointer ad, gsize ad_len,
         gconstpointer plain, gsize len, guint8 *out, GError **error)
{
  int n = 0;
  if (!run(gcm, 1, nonce, ad, ad_len, plain, len, out) ||
      EVP_CipherFinal_ex(gcm->context, out + len, &n) != 1 || n != 0 ||
      EVP_CIPHER_CTX_ctrl(gcm->context, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_BYTES, out + len) !=
          1) {
    OPENSSL_cleanse(out, len + GCM_TAG_BYTES);
    return crypt_fail(error, "AES-256-GCM");
  }
  return TRUE;
}

gboolean
gcm_open(Gcm *gcm, const guint8 nonce[GCM_NONCE_BYTES], gconstpointer ad, gsize ad_len,
         gconstpointer sealed, gsize len, guint8 *out, GError **error)
{
  if (len < GCM_TAG_BYTES) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID,
                        "sealed bytes are too short");
    return FALSE;
  }
  gsize plain_len = len - GCM_TAG_BYTES;
  const guint8 *from = sealed;
  guint8 end[GCM_TAG_BYTES]; /* GCM writes nothing at the end, but a pointer is asked */
  int n = 0;
  if (!run(gcm, 0, nonce, ad, ad_len, from, plain_len, out) ||
      EVP_CIPHER_CTX_ctrl(gcm->context, EVP_CTRL_AEAD_SET_TAG, GCM_TAG_BYTES,
                          (gpointer) (from + plain_len)) != 1) {
    OPENSSL_cleanse(out, plain_len);
    return crypt_fail(error, "AES-256-GCM");
  }
  if (EVP_CipherFinal_ex(gcm->context, end, &n) != 1 || n != 0) {
    OPENSSL_cleanse(out, plain_len);
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED,
                        "the authentication tag is wrong");
    return FALSE;
  }
  return TRUE;
}
