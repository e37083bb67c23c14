#include "deliver/confine.h"

#include "common/sandbox/sandbox.h"

gboolean
confine(const Config *config, const char *config_path, GError **error)
{
  const char *const reads[] = {
      config_path,
      config->deliver_link_key,
      config->deliver_store_key,
      config->deliver_ticket_key,
      config->deliver_origin_key,
      NULL,
  };
  const char *const changes[] = {config->store_database, config->store_directory, NULL};
  const char *const runs[] = {config->deliver_reader, NULL};
  const SandboxDaemon daemon = {
      .duties = SANDBOX_INTERNET | SANDBOX_ANY_PORT | SANDBOX_PROGRAMS,
      .reads = reads,
      .changes = changes,
      .runs = runs,
  };
  return sandbox_confine_daemon(&daemon, error);
}
