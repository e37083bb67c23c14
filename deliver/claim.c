#include "deliver/claim.h"

struct Claims {
  GMutex mutex;
  GHashTable *keys;
};

Claims *
claims_new(void)
{
  Claims *claims = g_new0(Claims, 1);
  g_mutex_init(&claims->mutex);
  claims->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  return claims;
}

void
claims_free(Claims *claims)
{
  if (claims == NULL)
    return;
  g_hash_table_unref(claims->keys);
  g_mutex_clear(&claims->mutex);
  g_free(claims);
}

gboolean
claims_take(Claims *claims, const char *key)
{
  g_mutex_lock(&claims->mutex);
  gboolean taken = g_hash_table_add(claims->keys, g_strdup(key));
  g_mutex_unlock(&claims->mutex);
  return taken;
}

void
claims_release(Claims *claims, const char *key)
{
  g_mutex_lock(&claims->mutex);
  g_hash_table_remove(claims->keys, key);
  g_mutex_unlock(&claims->mutex);
}
