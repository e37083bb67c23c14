#include "zegelctl/opened.h"

#include <sys/stat.h>

#include "common/base/daemon.h"
#include "zegelctl/command.h"

#define STORE_UMASK 0007 /* the viewer's group shares the store */

gboolean
opened_store(Opened *opened, GError **error)
{
  if (opened->config == NULL && (opened->config = command_config(error)) == NULL)
    return FALSE;
  const Config *config = opened->config;
  g_free(opened->user);
  opened->user = command_user();
  if (!daemon_become(config->deliver_user, error))
    return FALSE;
  opened->keys = keyring_load(config->deliver_store_key, KEY_STORE, error);
  if (opened->keys == NULL)
    return FALSE;
  umask(STORE_UMASK);
  opened->store =
      store_open(config->store_database, config->store_directory, opened->keys, error);
  return opened->store != NULL;
}

void
opened_clear(Opened *opened)
{
  store_close(opened->store);
  g_free(opened->user);
  keyring_free(opened->keys);
  if (opened->config != NULL)
    conf_free(opened->config);
}
