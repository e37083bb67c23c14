#include "policyd/kept.h"

typedef struct {
  Kept *kept;
  char *key;
  gpointer value;
  gint64 until_us;
  GList place; /* in the order; its data is the entry */
} Entry;

struct Kept {
  guint max;
  GDestroyNotify free_value;
  GHashTable *entries; /* key to Entry */
  GQueue order;        /* of Entry, kept longest first */
};

static void
entry_free(gpointer p)
{
  Entry *entry = p;
  if (entry->kept->free_value != NULL)
    entry->kept->free_value(entry->value);
  g_free(entry->key);
  g_free(entry);
}

Kept *
kept_new(guint max, GDestroyNotify free_value)
{
  Kept *kept = g_new0(Kept, 1);
  kept->max = max;
  kept->free_value = free_value;
  kept->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
  g_queue_init(&kept->order);
  return kept;
}

void
kept_free(Kept *kept)
{
  if (kept == NULL)
    return;
  g_hash_table_unref(kept->entries);
  g_free(kept);
}

static void
drop(Kept *kept, Entry *entry)
{
  g_queue_unlink(&kept->order, &entry->place);
  g_hash_table_remove(kept->entries, entry->key);
}

static void
make_room(Kept *kept, gint64 now_us)
{
  Entry *first;
  while ((first = g_queue_peek_head(&kept->order)) != NULL &&
         (first->until_us <= now_us || g_hash_table_size(kept->entries) >= kept->max))
    drop(kept, first);
}

void
kept_put(Kept *kept, const char *key, gpointer value, gint64 until_us, gint64 now_us)
{
  kept_drop(kept, key);
  make_room(kept, now_us);
  Entry *entry = g_new0(Entry, 1);
  entry->kept = kept;
  entry->key = g_strdup(key);
  entry->value = value;
  entry->until_us = until_us;
  entry->place.data = entry;
  g_queue_push_tail_link(&kept->order, &entry->place);
  g_hash_table_insert(kept->entries, entry->key, entry);
}

gboolean
kept_get(Kept *kept, const char *key, gint64 now_us, gpointer *value, gint64 *until_us)
{
  Entry *entry = g_hash_table_lookup(kept->entries, key);
  if (entry != NULL && entry->until_us <= now_us) {
    drop(kept, entry);
    entry = NULL;
  }
  if (entry == NULL)
    return FALSE;
  *value = entry->value;
  if (until_us != NULL)
    *until_us = entry->until_us;
  return TRUE;
}

void
kept_drop(Kept *kept, const char *key)
{
  Entry *entry = g_hash_table_lookup(kept->entries, key);
  if (entry != NULL)
    drop(kept, entry);
}

guint
kept_count(const Kept *kept)
{
  return g_hash_table_size(kept->entries);
}
