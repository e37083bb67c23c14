/*
 * What stands in the database unreadable: boxes for fields, HMACs to find them by, and the
 * keys of messages, which need the link secret as well.
 */
#include <string.h>

#include "common/base/error.h"
#include "common/crypt/box.h"
#include "common/crypt/gcm.h"
#include "common/store/internal.h"

#define FIELD_LABEL "store field"
#define WRAP_INFO   "zegel message key"

#define WRAP_VERSION      1
#define WRAP_AES_256_GCM  1
#define WRAP_HEADER_BYTES 6 /* version, algorithm, store key id */
#define WRAP_SALT_BYTES   16
#define WRAP_BYTES        (WRAP_HEADER_BYTES + WRAP_SALT_BYTES + CRYPT_KEY_BYTES + GCM_TAG_BYTES)

static const char *const labels[DERIVED_COUNT] = {
    [DERIVED_LINK] = "store link",     [DERIVED_RECIPIENT] = "store recipient",
    [DERIVED_NUMBER] = "store number", [DERIVED_SENDER] = "store sender",
    [DERIVED_CODE] = "store code",     [DERIVED_WRAP] = "store wrap",
};

static void
derived_clear(gpointer p)
{
  Derived *derived = p;
  for (guint use = 0; use < DERIVED_COUNT; use++)
    secret_free(derived->keys[use]);
}

GArray *
derived_new(const KeyRing *ring, GError **error)
{
  g_autoptr(GArray) list = g_array_new(FALSE, TRUE, sizeof(Derived));
  g_array_set_clear_func(list, derived_clear);
  for (guint i = 0; i < keyring_count(ring); i++) {
    Derived empty = {.id = keyring_nth(ring, i)};
    g_array_append_val(list, empty);
    Derived *derived = &g_array_index(list, Derived, i);
    for (guint use = 0; use < DERIVED_COUNT; use++) {
      derived->keys[use] = keyring_derive_key(ring, derived->id, labels[use], error);
      if (derived->keys[use] == NULL)
        return NULL;
    }
  }
  return g_steal_pointer(&list);
}

int
derived_find(const Store *store, guint32 id, GError **error)
{
  for (guint i = 0; i < store->derived->len; i++)
    if (g_array_index(store->derived, Derived, i).id == id)
      return (int) i;
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_KEY_UNKNOWN,
              "store key %08x is not in the key file", id);
  return -1;
}

static const Secret *
derived_key(const Store *store, guint index, DerivedUse use)
{
  return g_array_index(store->derived, Derived, index).keys[use];
}

gboolean
store_mac(const Store *store, guint index, DerivedUse use, const char *organisation,
          gconstpointer data, gsize len, guint8 mac[CRYPT_SHA256_BYTES], GError **error)
{
  gsize head = strlen(organisation) + 1; /* with its NUL, which no name holds */
  guint8 *bytes = g_malloc(head + len);
  memcpy(bytes, organisation, head);
  memcpy(bytes + head, data, len);
  gboolean done = crypt_hmac(derived_key(store, index, use), bytes, head + len, mac, error);
  secret_wipe(bytes, head + len);
  g_free(bytes);
  return done;
}

gboolean
store_mac_address(const Store *store, guint index, DerivedUse use, const char *organisation,
                  const char *address, gboolean whole, guint8 mac[CRYPT_SHA256_BYTES],
                  GError **error)
{
  g_autofree char *plain = g_strdup(address);
  const char *at = strrchr(plain, '@');
  gsize from = whole || at == NULL ? 0 : (gsize) (at - plain);
  for (char *p = plain + from; *p != '\0'; p++)
    *p = g_ascii_tolower(*p);
  return store_mac(store, index, use, organisation, plain, strlen(plain), mac, error);
}

/* "ORGANISATION NUL REFERENCE NUL COLUMN" behind HEAD_LEN bytes at HEAD. */
static GByteArray *
bound_data(const FieldPlace *place, const guint8 *head, gsize head_len)
{
  GByteArray *bound = g_byte_array_new();
  if (head_len > 0)
    g_byte_array_append(bound, head, (guint) head_len);
  const char *const parts[] = {place->organisation, place->reference, place->column};
  for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
    g_byte_array_append(bound, (const guint8 *) parts[i], (guint) strlen(parts[i]) + 1);
  return bound;
}

GBytes *
field_seal(const Store *store, const FieldPlace *place, gconstpointer bytes, gsize len,
           GError **error)
{
  g_autoptr(GByteArray) bound = bound_data(place, NULL, 0);
  return box_seal(store->keys, FIELD_LABEL, bound->data, bound->len, bytes, len, error);
}

void
damaged(GError **error)
{
  if (error != NULL && g_error_matches(*error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID))
    (*error)->code = ZEGEL_ERROR_FORGED;
}

Secret *
field_open(const Store *store, const FieldPlace *place, gconstpointer box, gsize len,
           GError **error)
{
  g_autoptr(GByteArray) bound = bound_data(place, NULL, 0);
  Secret *field =
      box_open(store->keys, FIELD_LABEL, bound->data, bound->len, box, len, error);
  if (field == NULL)
    damaged(error);
  return field;
}

/* The cipher under HKDF(link secret || derived store key, salt). */
static Gcm *
wrap_cipher(const Store *store, guint index, const guint8 *link_secret, const guint8 *salt,
            GError **error)
{
  g_autoptr(Secret) both = secret_new(STORE_LINK_SECRET_BYTES + CRYPT_KEY_BYTES);
  memcpy(secret_bytes(both), link_secret, STORE_LINK_SECRET_BYTES);
  memcpy(secret_bytes(both) + STORE_LINK_SECRET_BYTES,
         secret_peek(derived_key(store, index, DERIVED_WRAP)), CRYPT_KEY_BYTES);
  guint8 key[CRYPT_KEY_BYTES];
  if (!crypt_hkdf(both, salt, WRAP_SALT_BYTES, WRAP_INFO, key, sizeof key, error))
    return NULL;
  Gcm *gcm = gcm_new(key, error);
  secret_wipe(key, sizeof key);
  return gcm;
}

static const guint8 no_nonce[GCM_NONCE_BYTES]; /* the salt makes each key unique */

GBytes *
key_wrap(const Store *store, const FieldPlace *place, const guint8 *link_secret,
         const Secret *key, GError **error)
{
  guint8 wrapped[WRAP_BYTES] = {WRAP_VERSION, WRAP_AES_256_GCM};
  guint8 *salt = wrapped + WRAP_HEADER_BYTES;
  guint32 id_be = GUINT32_TO_BE(g_array_index(store->derived, Derived, 0).id);
  memcpy(wrapped + 2, &id_be, sizeof id_be);
  if (!crypt_random(salt, WRAP_SALT_BYTES, error))
    return NULL;
  g_autoptr(Gcm) gcm = wrap_cipher(store, 0, link_secret, salt, error);
  g_autoptr(GByteArray) bound = bound_data(place, wrapped, WRAP_HEADER_BYTES);
  if (gcm == NULL || !gcm_seal(gcm, no_nonce, bound->data, bound->len, secret_peek(key),
                               CRYPT_KEY_BYTES, salt + WRAP_SALT_BYTES, error))
    return NULL;
  return g_bytes_new(wrapped, sizeof wrapped);
}

Secret *
key_unwrap(const Store *store, const FieldPlace *place, const guint8 *link_secret,
           gconstpointer wrapped, gsize len, GError **error)
{
  const guint8 *bytes = wrapped;
  if (len != WRAP_BYTES || bytes[0] != WRAP_VERSION || bytes[1] != WRAP_AES_256_GCM) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED,
                        "the key of the message is not what was stored");
    return NULL;
  }
  guint32 id_be;
  memcpy(&id_be, bytes + 2, sizeof id_be);
  int index = derived_find(store, GUINT32_FROM_BE(id_be), error);
  if (index < 0)
    return NULL;
  const guint8 *salt = bytes + WRAP_HEADER_BYTES;
  g_autoptr(Gcm) gcm = wrap_cipher(store, (guint) index, link_secret, salt, error);
  g_autoptr(GByteArray) bound = bound_data(place, bytes, WRAP_HEADER_BYTES);
  g_autoptr(Secret) key = secret_new(CRYPT_KEY_BYTES);
  if (gcm == NULL ||
      !gcm_open(gcm, no_nonce, bound->data, bound->len, salt + WRAP_SALT_BYTES,
                CRYPT_KEY_BYTES + GCM_TAG_BYTES, secret_bytes(key), error))
    return NULL;
  return g_steal_pointer(&key);
}
