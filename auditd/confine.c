#include "auditd/confine.h"

#include "common/sandbox/sandbox.h"

gboolean
confine(const Config *config, const char *config_path, GError **error)
{
  const char *const reads[] = {config_path, config->audit_key, NULL};
  const char *const changes[] = {config->audit_database, NULL};
  const SandboxDaemon daemon = {.reads = reads, .changes = changes};
  return sandbox_confine_daemon(&daemon, error);
}
