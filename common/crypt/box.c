#include "common/crypt/box.h"

#include <string.h>

#include "common/base/error.h"
#include "common/crypt/crypt.h"
#include "common/crypt/gcm.h"

#define BOX_VERSION      1
#define BOX_AES_256_GCM  1
#define BOX_HEADER_BYTES 6 /* version, algorithm, key id */
#define BOX_SALT_BYTES   16

G_STATIC_ASSERT(BOX_OVERHEAD_BYTES == BOX_HEADER_BYTES + BOX_SALT_BYTES + GCM_TAG_BYTES);

/* The salt makes the key unique, so the nonce has nothing left to do. */
static const guint8 no_nonce[GCM_NONCE_BYTES];

/* The cipher of the box that begins with HEADER (with its salt). */
static Gcm *
box_cipher(const KeyRing *ring, guint32 id, const char *label, const guint8 *header,
           GError **error)
{
  guint8 key[CRYPT_KEY_BYTES];
  if (!keyring_derive(ring, id, label, header + BOX_HEADER_BYTES, BOX_SALT_BYTES, key,
                      sizeof key, error))
    return NULL;
  Gcm *gcm = gcm_new(key, error);
  secret_wipe(key, sizeof key);
  return gcm;
}

/* What the tag covers beside the plaintext: the header, then the caller's AD. */
static guint8 *
bound_data(const guint8 *header, gconstpointer ad, gsize ad_len)
{
  guint8 *bound = g_malloc(BOX_HEADER_BYTES + ad_len);
  memcpy(bound, header, BOX_HEADER_BYTES);
  if (ad_len > 0)
    memcpy(bound + BOX_HEADER_BYTES, ad, ad_len);
  return bound;
}

GBytes *
box_seal(const KeyRing *ring, const char *label, gconstpointer ad, gsize ad_len,
         gconstpointer plain, gsize len, GError **error)
{
  guint32 id = keyring_current(ring);
  guint32 id_be = GUINT32_TO_BE(id);
  g_autofree guint8 *box = g_malloc(BOX_OVERHEAD_BYTES + len);
  box[0] = BOX_VERSION;
  box[1] = BOX_AES_256_GCM;
  memcpy(box + 2, &id_be, sizeof id_be);
  if (!crypt_random(box + BOX_HEADER_BYTES, BOX_SALT_BYTES, error))
    return NULL;
  g_autoptr(Gcm) gcm = box_cipher(ring, id, label, box, error);
  g_autofree guint8 *bound = bound_data(box, ad, ad_len);
  if (gcm == NULL || !gcm_seal(gcm, no_nonce, bound, BOX_HEADER_BYTES + ad_len, plain, len,
                               box + BOX_HEADER_BYTES + BOX_SALT_BYTES, error))
    return NULL;
  return g_bytes_new_take(g_steal_pointer(&box), BOX_OVERHEAD_BYTES + len);
}

Secret *
box_open(const KeyRing *ring, const char *label, gconstpointer ad, gsize ad_len,
         gconstpointer box, gsize len, GError **error)
{
  const guint8 *bytes = box;
  if (len < BOX_OVERHEAD_BYTES || bytes[0] != BOX_VERSION || bytes[1] != BOX_AES_256_GCM) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID,
                        "not a box of a version that we know");
    return NULL;
  }
  guint32 id_be;
  memcpy(&id_be, bytes + 2, sizeof id_be);
  g_autoptr(Gcm) gcm = box_cipher(ring, GUINT32_FROM_BE(id_be), label, bytes, error);
  if (gcm == NULL)
    return NULL;
  g_autofree guint8 *bound = bound_data(bytes, ad, ad_len);
  g_autoptr(Secret) plain = secret_new(len - BOX_OVERHEAD_BYTES);
  gsize head = BOX_HEADER_BYTES + BOX_SALT_BYTES;
  if (!gcm_open(gcm, no_nonce, bound, BOX_HEADER_BYTES + ad_len, bytes + head, len - head,
                secret_bytes(plain), error))
    return NULL;
  return g_steal_pointer(&plain);
}
