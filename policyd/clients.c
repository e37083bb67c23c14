#include "policyd/clients.h"

#include "common/base/network.h"
#include "policyd/kept.h"

struct Clients {
  Kept *certificates; /* by address and port */
};

Clients *
clients_new(void)
{
  Clients *clients = g_new0(Clients, 1);
  clients->certificates = kept_new(CLIENTS_MAX, (GDestroyNotify) client_certificate_free);
  return clients;
}

void
clients_free(Clients *clients)
{
  if (clients == NULL)
    return;
  kept_free(clients->certificates);
  g_free(clients);
}

/* ADDRESS and PORT in one form, new, or NULL: it is no address. */
static char *
key_of(const char *address, guint16 port)
{
  Network parsed;
  if (!network_parse_address(address, &parsed) || port == 0)
    return NULL;
  g_autofree char *text = network_to_string(&parsed);
  return g_strdup_printf("%s %u", text, port);
}

void
clients_note(Clients *clients, const char *address, guint16 port,
             ClientCertificate *certificate, gint64 now_us)
{
  g_autoptr(ClientCertificate) taken = certificate;
  g_autofree char *key = key_of(address, port);
  if (key == NULL)
    return;
  if (taken == NULL)
    kept_drop(clients->certificates, key);
  else
    kept_put(clients->certificates, key, g_steal_pointer(&taken),
             now_us + CLIENTS_KEEP_S * G_TIME_SPAN_SECOND, now_us);
}

const ClientCertificate *
clients_find(Clients *clients, const char *address, guint16 port, gint64 now_us)
{
  g_autofree char *key = key_of(address, port);
  gpointer certificate = NULL;
  if (key == NULL || !kept_get(clients->certificates, key, now_us, &certificate, NULL))
    return NULL;
  return certificate;
}

guint
clients_count(const Clients *clients)
{
  return kept_count(clients->certificates);
}
