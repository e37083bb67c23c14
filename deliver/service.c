#include "deliver/service.h"

static gboolean
load_keys(Service *service, GError **error)
{
  const Config *config = service->config;
  return (service->link_keys = keyring_load(config->deliver_link_key, KEY_LINK, error)) !=
             NULL &&
         (service->store_keys =
              keyring_load(config->deliver_store_key, KEY_STORE, error)) != NULL &&
         (service->ticket_keys =
              keyring_load(config->deliver_ticket_key, KEY_TICKET, error)) != NULL &&
         (service->origin_keys =
              keyring_load(config->deliver_origin_key, KEY_ORIGIN, error)) != NULL;
}

static gboolean
open_store(Service *service, GError **error)
{
  service->store = store_open(service->config->store_database,
                              service->config->store_directory, service->store_keys, error);
  return service->store != NULL;
}

Service *
service_new(Config *config, const Service *base, GError **error)
{
  Service *service = g_atomic_rc_box_new0(Service);
  service->config = config;
  service->claims = base->claims;
  service->confirmer = base->confirmer;
  service->stop_fd = base->stop_fd;
  if (load_keys(service, error) && open_store(service, error))
    return service;
  g_atomic_rc_box_release_full(service, service_clear);
  return NULL;
}

void
service_clear(gpointer p)
{
  Service *service = p;
  store_close(service->store);
  keyring_free((KeyRing *) service->origin_keys);
  keyring_free((KeyRing *) service->ticket_keys);
  keyring_free((KeyRing *) service->store_keys);
  keyring_free((KeyRing *) service->link_keys);
  conf_free((Config *) service->config);
}
