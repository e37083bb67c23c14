#include <string.h>

#include "common/audit/internal.h"
#include "common/base/error.h"

static void
key_free(gpointer p)
{
  TrailKey *key = p;
  secret_free(key->mac);
  secret_free(key->data);
  secret_free(key->mention);
  ed25519_free(key->signer);
  g_free(key);
}

static gboolean
derive(const KeyRing *ring, TrailKey *key, GError **error)
{
  const struct {
    const char *label;
    Secret **secret;
  } uses[] = {
      {"audit mac", &key->mac},
      {"audit data", &key->data},
      {"audit mention", &key->mention},
  };
  for (guint i = 0; i < G_N_ELEMENTS(uses); i++) {
    *uses[i].secret = keyring_derive_key(ring, key->id, uses[i].label, error);
    if (*uses[i].secret == NULL)
      return FALSE;
  }
  g_autoptr(Secret) seed = keyring_derive_key(ring, key->id, "audit sign", error);
  key->signer = seed != NULL ? ed25519_new(secret_peek(seed), error) : NULL;
  return key->signer != NULL;
}

GPtrArray *
trail_keys_new(const KeyRing *ring, GError **error)
{
  g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(key_free);
  for (guint i = 0; i < keyring_count(ring); i++) {
    TrailKey *key = g_new0(TrailKey, 1);
    key->id = keyring_nth(ring, i);
    g_ptr_array_add(keys, key);
    if (!derive(ring, key, error))
      return NULL;
  }
  return g_steal_pointer(&keys);
}

const TrailKey *
trail_keys_find(const GPtrArray *keys, guint32 id)
{
  for (guint i = 0; keys != NULL && i < keys->len; i++) {
    const TrailKey *key = g_ptr_array_index(keys, i);
    if (key->id == id)
      return key;
  }
  return NULL;
}

const TrailKey *
trail_keys_need(const GPtrArray *keys, guint32 id, GError **error)
{
  const TrailKey *key = trail_keys_find(keys, id);
  if (key == NULL)
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_KEY_UNKNOWN,
                "the audit key %08x, under which a part of the trail was written, is not "
                "in the key file: put its line back, below the current one",
                id);
  return key;
}
