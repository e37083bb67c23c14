#include "milter/confine.h"

#include "common/sandbox/sandbox.h"

gboolean
confine(const Config *config, const char *config_path, gboolean mx, GError **error)
{
  const char *const mx_reads[] = {config_path, NULL};
  const char *const reads[] = {
      config_path, config->milter_ticket_key, config->milter_origin_key, config->dkim_keys,
      NULL,
  };
  const char *const runs[] = {config->milter_reader, NULL};
  const SandboxDaemon at_mx = {.reads = mx_reads};
  const SandboxDaemon at_submission = {
      .duties = SANDBOX_PROGRAMS, .reads = reads, .runs = runs};
  return sandbox_confine_daemon(mx ? &at_mx : &at_submission, error);
}
