#include "zegelctl/holdings.h"

#include <string.h>

void
holdings_databases(const Config *config, HoldingDatabase all[HOLDING_DATABASES])
{
  const HoldingDatabase list[HOLDING_DATABASES] = {
      {"the store", config->store_database},       {"the phone book", config->phone_db},
      {"the routes", config->routes_db},           {"what domains showed", config->seen_db},
      {"the audit trail", config->audit_database},
  };
  memcpy(all, list, sizeof list);
}

void
holdings_keys(const Config *config, HoldingKey all[HOLDING_KEYS])
{
  const HoldingKey list[HOLDING_KEYS] = {
      {KEY_LINK, config->deliver_link_key},     {KEY_STORE, config->deliver_store_key},
      {KEY_STORE, config->viewer_store_key},    {KEY_TICKET, config->deliver_ticket_key},
      {KEY_TICKET, config->milter_ticket_key},  {KEY_PHONE, config->phone_key},
      {KEY_ORIGIN, config->deliver_origin_key}, {KEY_ORIGIN, config->viewer_origin_key},
      {KEY_ORIGIN, config->milter_origin_key},  {KEY_AUDIT, config->audit_key},
  };
  memcpy(all, list, sizeof list);
}

GPtrArray *
holdings_files(const Config *config)
{
  GPtrArray *files = g_ptr_array_new();
  g_ptr_array_add(files, config->domain_book);
  g_ptr_array_add(files, config->audit_roles);
  g_ptr_array_add(files, config->watch_state);
  for (guint i = 0; i < config->organisations->len; i++) {
    const Organisation *organisation = config->organisations->pdata[i];
    if (*organisation->logo != '\0')
      g_ptr_array_add(files, organisation->logo);
  }
  return files;
}

/* Whether PATH is DIRECTORY or lies below it. */
static gboolean
lies_in(const char *path, const char *directory)
{
  gsize len = strlen(directory);
  return strncmp(path, directory, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

static gboolean
is_listed(const Config *config, const char *path)
{
  g_autoptr(GPtrArray) files = holdings_files(config);
  for (guint i = 0; i < files->len; i++)
    if (strcmp(path, files->pdata[i]) == 0)
      return TRUE;
  return FALSE;
}

gboolean
holdings_is_secret(const Config *config, const char *config_directory, const char *path,
                   mode_t mode)
{
  HoldingKey keys[HOLDING_KEYS];
  holdings_keys(config, keys);
  for (guint i = 0; i < HOLDING_KEYS; i++) {
    g_autofree char *directory = g_path_get_dirname(keys[i].path);
    if (strcmp(path, keys[i].path) == 0 ||
        (lies_in(directory, config_directory) && strcmp(directory, config_directory) != 0 &&
         lies_in(path, directory)))
      return TRUE;
  }
  return lies_in(path, config->dkim_keys) ||
         (S_ISREG(mode) && (mode & (S_IRWXG | S_IRWXO)) == 0 && !is_listed(config, path));
}

GPtrArray *
holdings_sockets(const Config *config)
{
  GPtrArray *sockets = g_ptr_array_new();
  char *const all[] = {config->milter_socket,  config->mx_socket,
                       config->policyd_socket, config->deliver_socket,
                       config->viewer_socket,  config->audit_socket};
  for (guint i = 0; i < G_N_ELEMENTS(all); i++)
    g_ptr_array_add(sockets, all[i]);
  return sockets;
}
