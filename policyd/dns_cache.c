#include "policyd/dns_cache.h"

#include <string.h>

/* What the allocator and the tables take besides the octets themselves, roughly. */
#define ANSWER_OVERHEAD_BYTES 256
#define RECORD_OVERHEAD_BYTES 80

typedef struct {
  DnsAnswer *answer;
  gsize bytes;
  GList link; /* in the cache's order */
} Entry;

struct DnsCache {
  guint max;
  gsize max_bytes;
  gsize bytes;
  GHashTable *entries; /* DnsAnswer, as key, to Entry */
  GQueue order;        /* of Entry, the one used last first */
};

guint
dns_key_hash(gconstpointer key)
{
  const DnsAnswer *answer = key;
  return g_str_hash(answer->name) ^ ((guint) answer->type << 16);
}

gboolean
dns_key_equal(gconstpointer one, gconstpointer other)
{
  const DnsAnswer *a = one, *b = other;
  return a->type == b->type && strcmp(a->name, b->name) == 0;
}

static void
entry_free(gpointer p)
{
  Entry *entry = p;
  dns_answer_unref(entry->answer);
  g_free(entry);
}

DnsCache *
dns_cache_new(guint max, gsize max_bytes)
{
  DnsCache *cache = g_new0(DnsCache, 1);
  cache->max = max;
  cache->max_bytes = max_bytes;
  cache->entries = g_hash_table_new_full(dns_key_hash, dns_key_equal, NULL, entry_free);
  return cache;
}

void
dns_cache_free(DnsCache *cache)
{
  if (cache == NULL)
    return;
  g_hash_table_unref(cache->entries);
  g_free(cache);
}

static gsize
answer_bytes(const DnsAnswer *answer)
{
  gsize bytes = ANSWER_OVERHEAD_BYTES + sizeof(Entry) + strlen(answer->name);
  for (guint i = 0; i < answer->records->len; i++)
    bytes += RECORD_OVERHEAD_BYTES + g_bytes_get_size(answer->records->pdata[i]);
  return bytes;
}

static void
drop(DnsCache *cache, Entry *entry)
{
  cache->bytes -= entry->bytes;
  g_queue_unlink(&cache->order, &entry->link);
  g_hash_table_remove(cache->entries, entry->answer);
}

DnsAnswer *
dns_cache_get(DnsCache *cache, const char *name, guint16 type, gint64 now_us)
{
  const DnsAnswer key = {.name = (char *) name, .type = type};
  Entry *entry = g_hash_table_lookup(cache->entries, &key);
  if (entry == NULL || entry->answer->expires_us <= now_us)
    return NULL;
  g_queue_unlink(&cache->order, &entry->link);
  g_queue_push_head_link(&cache->order, &entry->link);
  return entry->answer;
}

void
dns_cache_put(DnsCache *cache, DnsAnswer *answer, gint64 now_us)
{
  Entry *old = g_hash_table_lookup(cache->entries, answer);
  if (old != NULL && answer->outcome == DNS_FAILURE &&
      old->answer->outcome != DNS_FAILURE && old->answer->expires_us > now_us)
    return;
  if (old != NULL)
    drop(cache, old);
  Entry *entry = g_new0(Entry, 1);
  entry->answer = dns_answer_ref(answer);
  entry->bytes = answer_bytes(answer);
  entry->link.data = entry;
  cache->bytes += entry->bytes;
  g_queue_push_head_link(&cache->order, &entry->link);
  g_hash_table_insert(cache->entries, entry->answer, entry);
  while (g_hash_table_size(cache->entries) > cache->max || cache->bytes > cache->max_bytes)
    drop(cache, g_queue_peek_tail(&cache->order));
}

guint
dns_cache_size(const DnsCache *cache)
{
  return g_hash_table_size(cache->entries);
}
