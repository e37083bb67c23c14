#include "policyd/spf_cache.h"

#include <string.h>

typedef struct {
  char *key;
  SpfVerdict verdict;
  gint64 expires_us;
  GList place; /* in ORDER; its data is the entry */
} Entry;

struct SpfCache {
  GHashTable *entries; /* key to Entry */
  GQueue order;        /* of Entry, kept longest first */
};

static void
entry_free(gpointer p)
{
  Entry *entry = p;
  g_free(entry->key);
  g_free(entry);
}

SpfCache *
spf_cache_new(void)
{
  SpfCache *cache = g_new0(SpfCache, 1);
  cache->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
  g_queue_init(&cache->order);
  return cache;
}

void
spf_cache_free(SpfCache *cache)
{
  if (cache == NULL)
    return;
  g_hash_table_unref(cache->entries);
  g_free(cache);
}

/* With the length of HELO: no two checks have one key. */
char *
spf_cache_key(const char *address, const char *helo, const char *sender)
{
  return g_strdup_printf("%s\n%" G_GSIZE_FORMAT "\n%s\n%s", address, strlen(helo), helo,
                         sender);
}

static void
drop(SpfCache *cache, Entry *entry)
{
  g_queue_unlink(&cache->order, &entry->place);
  g_hash_table_remove(cache->entries, entry->key);
}

gboolean
spf_cache_get(SpfCache *cache, const char *key, gint64 now_us, SpfVerdict *verdict,
              gint64 *expires_us)
{
  Entry *entry = g_hash_table_lookup(cache->entries, key);
  if (entry == NULL)
    return FALSE;
  if (entry->expires_us <= now_us) {
    drop(cache, entry);
    return FALSE;
  }
  *verdict = entry->verdict;
  *expires_us = entry->expires_us;
  return TRUE;
}

void
spf_cache_put(SpfCache *cache, const char *key, SpfVerdict verdict, gint64 expires_us,
              gint64 now_us)
{
  Entry *old = g_hash_table_lookup(cache->entries, key);
  if (old != NULL)
    drop(cache, old);
  if (verdict == SPF_VERDICT_TEMPERROR || verdict == SPF_VERDICT_PERMERROR)
    return;
  if (g_hash_table_size(cache->entries) == SPF_CACHE_MAX)
    drop(cache, g_queue_peek_head(&cache->order));
  Entry *entry = g_new0(Entry, 1);
  entry->key = g_strdup(key);
  entry->verdict = verdict;
  entry->expires_us = MIN(expires_us, now_us + SPF_CACHE_KEEP_S * G_TIME_SPAN_SECOND);
  entry->place.data = entry;
  g_queue_push_tail_link(&cache->order, &entry->place);
  g_hash_table_insert(cache->entries, entry->key, entry);
}
