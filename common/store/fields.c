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
#define BESIDE_INFO "zegel beside message"

#define WRAP_VERSION        1
#define WRAP_AES_256_GCM    1
#define WRAP_HEADER_BYTES   6 /* version, algorithm, store key id */
#define WRAP_SALT_BYTES     16
#define WRAP_OVERHEAD_BYTES (WRAP_HEADER_BYTES + WRAP_SALT_BYTES + GCM_TAG_BYTES)

static const char *const labels[DERIVED_COUNT] = {
    [DERIVED_LINK] = "store link",     [DERIVED_RECIPIENT] = "store recipient",
    [DERIVED_NUMBER] = "store number", [DERIVED_SENDER] = "store sender",
    [DERIVED_CODE] = "store code",     [DERIVED_WRAP] = "store wrap",
    [DERIVED_STATUS] = "store status", [DERIVED_EVENT] = "store event",
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

/* What is sealed: HEADER, a salt, ciphertext and tag. The salt makes each key unique. */
static const guint8 no_nonce[GCM_NONCE_BYTES];

/* The cipher under HKDF(SECRET, SALT). */
static Gcm *
salted_cipher(const Secret *secret, const char *info, const guint8 *salt, GError **error)
{
  guint8 key[CRYPT_KEY_BYTES];
  if (!crypt_hkdf(secret, salt, WRAP_SALT_BYTES, info, key, sizeof key, error))
    return NULL;
  Gcm *gcm = gcm_new(key, error);
  secret_wipe(key, sizeof key);
  return gcm;
}

static GBytes *
seal_under(const Secret *secret, const char *info, guint32 key_id, const FieldPlace *place,
           gconstpointer bytes, gsize len, GError **error)
{
  gsize size = WRAP_OVERHEAD_BYTES + len;
  g_autofree guint8 *sealed = g_malloc0(size);
  guint8 *salt = sealed + WRAP_HEADER_BYTES;
  guint32 id_be = GUINT32_TO_BE(key_id);
  sealed[0] = WRAP_VERSION;
  sealed[1] = WRAP_AES_256_GCM;
  memcpy(sealed + 2, &id_be, sizeof id_be);
  if (!crypt_random(salt, WRAP_SALT_BYTES, error))
    return NULL;
  g_autoptr(Gcm) gcm = salted_cipher(secret, info, salt, error);
  g_autoptr(GByteArray) bound = bound_data(place, sealed, WRAP_HEADER_BYTES);
  if (gcm == NULL || !gcm_seal(gcm, no_nonce, bound->data, bound->len, bytes, len,
                               salt + WRAP_SALT_BYTES, error))
    return NULL;
  return g_bytes_new_take(g_steal_pointer(&sealed), size);
}

/* Whether LEN bytes at SEALED can be what seal_under made; *KEY_ID then is their key's. */
static gboolean
has_wrap_header(const guint8 *sealed, gsize len, guint32 *key_id, GError **error)
{
  guint32 id_be;
  if (len < WRAP_OVERHEAD_BYTES || sealed[0] != WRAP_VERSION ||
      sealed[1] != WRAP_AES_256_GCM) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED,
                        "what was sealed for a link is not what was stored");
    return FALSE;
  }
  memcpy(&id_be, sealed + 2, sizeof id_be);
  *key_id = GUINT32_FROM_BE(id_be);
  return TRUE;
}

static Secret *
open_under(const Secret *secret, const char *info, const FieldPlace *place,
           const guint8 *sealed, gsize len, GError **error)
{
  const guint8 *salt = sealed + WRAP_HEADER_BYTES;
  g_autoptr(Gcm) gcm = salted_cipher(secret, info, salt, error);
  g_autoptr(GByteArray) bound = bound_data(place, sealed, WRAP_HEADER_BYTES);
  g_autoptr(Secret) plain = secret_new(len - WRAP_OVERHEAD_BYTES);
  if (gcm == NULL ||
      !gcm_open(gcm, no_nonce, bound->data, bound->len, salt + WRAP_SALT_BYTES,
                len - WRAP_HEADER_BYTES - WRAP_SALT_BYTES, secret_bytes(plain), error))
    return NULL;
  return g_steal_pointer(&plain);
}

/* Link secret || derived store key INDEX: neither alone opens anything. */
static Secret *
both_secrets(const Store *store, guint index, const guint8 *link_secret)
{
  Secret *both = secret_new(STORE_LINK_SECRET_BYTES + CRYPT_KEY_BYTES);
  memcpy(secret_bytes(both), link_secret, STORE_LINK_SECRET_BYTES);
  memcpy(secret_bytes(both) + STORE_LINK_SECRET_BYTES,
         secret_peek(derived_key(store, index, DERIVED_WRAP)), CRYPT_KEY_BYTES);
  return both;
}

GBytes *
link_seal(const Store *store, const FieldPlace *place, const guint8 *link_secret,
          gconstpointer bytes, gsize len, GError **error)
{
  g_autoptr(Secret) both = both_secrets(store, 0, link_secret);
  return seal_under(both, WRAP_INFO, g_array_index(store->derived, Derived, 0).id, place,
                    bytes, len, error);
}

Secret *
link_open(const Store *store, const FieldPlace *place, const guint8 *link_secret,
          gconstpointer sealed, gsize len, GError **error)
{
  guint32 key_id = 0;
  if (!has_wrap_header(sealed, len, &key_id, error))
    return NULL;
  int index = derived_find(store, key_id, error);
  if (index < 0)
    return NULL;
  g_autoptr(Secret) both = both_secrets(store, (guint) index, link_secret);
  return open_under(both, WRAP_INFO, place, sealed, len, error);
}

GBytes *
key_wrap(const Store *store, const FieldPlace *place, const guint8 *link_secret,
         const Secret *key, GError **error)
{
  return link_seal(store, place, link_secret, secret_peek(key), CRYPT_KEY_BYTES, error);
}

Secret *
key_unwrap(const Store *store, const FieldPlace *place, const guint8 *link_secret,
           gconstpointer wrapped, gsize len, GError **error)
{
  /* One of another length cannot open: it is opened as nothing. */
  gsize size = len == WRAP_OVERHEAD_BYTES + CRYPT_KEY_BYTES ? len : 0;
  return link_open(store, place, link_secret, wrapped, size, error);
}

GBytes *
beside_seal(const Secret *key, const FieldPlace *place, gconstpointer bytes, gsize len,
            GError **error)
{
  return seal_under(key, BESIDE_INFO, 0, place, bytes, len, error);
}

Secret *
beside_open(const Secret *key, const FieldPlace *place, gconstpointer sealed, gsize len,
            GError **error)
{
  guint32 key_id = 0;
  if (!has_wrap_header(sealed, len, &key_id, error))
    return NULL;
  return open_under(key, BESIDE_INFO, place, sealed, len, error);
}
