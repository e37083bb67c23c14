#include "policyd/clients.h"

#include <gio/gio.h>

typedef struct {
  char *key;
  ClientCertificate *certificate;
  gint64 until_us;
  GList place; /* in ORDER; its data is the entry */
} Entry;

struct Clients {
  GHashTable *entries; /* key to Entry */
  GQueue order;        /* of Entry, noted longest ago first */
};

static void
entry_free(gpointer p)
{
  Entry *entry = p;
  client_certificate_free(entry->certificate);
  g_free(entry->key);
  g_free(entry);
}

Clients *
clients_new(void)
{
  Clients *clients = g_new0(Clients, 1);
  clients->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
  g_queue_init(&clients->order);
  return clients;
}

void
clients_free(Clients *clients)
{
  if (clients == NULL)
    return;
  g_hash_table_unref(clients->entries);
  g_free(clients);
}

/* ADDRESS and PORT in one form, new, or NULL: it is no address. */
static char *
key_of(const char *address, guint16 port)
{
  g_autoptr(GInetAddress) parsed = g_inet_address_new_from_string(address);
  if (parsed == NULL || port == 0)
    return NULL;
  g_autofree char *text = g_inet_address_to_string(parsed);
  return g_strdup_printf("%s %u", text, port);
}

static void
drop(Clients *clients, Entry *entry)
{
  g_queue_unlink(&clients->order, &entry->place);
  g_hash_table_remove(clients->entries, entry->key);
}

/* Drops what is too old, and the oldest when there is no room for one more. */
static void
make_room(Clients *clients, gint64 now_us)
{
  Entry *oldest;
  while ((oldest = g_queue_peek_head(&clients->order)) != NULL &&
         (oldest->until_us <= now_us || g_hash_table_size(clients->entries) >= CLIENTS_MAX))
    drop(clients, oldest);
}

void
clients_note(Clients *clients, const char *address, guint16 port,
             ClientCertificate *certificate, gint64 now_us)
{
  g_autoptr(ClientCertificate) taken = certificate;
  g_autofree char *key = key_of(address, port);
  Entry *old = key != NULL ? g_hash_table_lookup(clients->entries, key) : NULL;
  if (old != NULL)
    drop(clients, old);
  if (key == NULL || taken == NULL)
    return;
  make_room(clients, now_us);
  Entry *entry = g_new0(Entry, 1);
  entry->key = g_steal_pointer(&key);
  entry->certificate = g_steal_pointer(&taken);
  entry->until_us = now_us + CLIENTS_KEEP_S * G_TIME_SPAN_SECOND;
  entry->place.data = entry;
  g_queue_push_tail_link(&clients->order, &entry->place);
  g_hash_table_insert(clients->entries, entry->key, entry);
}

const ClientCertificate *
clients_find(Clients *clients, const char *address, guint16 port, gint64 now_us)
{
  g_autofree char *key = key_of(address, port);
  Entry *entry = key != NULL ? g_hash_table_lookup(clients->entries, key) : NULL;
  if (entry != NULL && entry->until_us <= now_us) {
    drop(clients, entry);
    entry = NULL;
  }
  return entry != NULL ? entry->certificate : NULL;
}

guint
clients_count(const Clients *clients)
{
  return g_hash_table_size(clients->entries);
}
