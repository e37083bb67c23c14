#include "viewer-cgi/confine.h"

#include "common/sandbox/sandbox.h"

static void
add(GPtrArray *paths, const char *path)
{
  g_ptr_array_add(paths, g_strdup(path));
}

/* Ends with NULL. Adapters have their settings beside the usual zegel.conf. */
static GPtrArray *
find_reads(const Config *config, const char *config_path)
{
  GPtrArray *reads = g_ptr_array_new_with_free_func(g_free);
  add(reads, config_path);
  add(reads, ZEGEL_SYSCONFDIR "/");
  add(reads, config->viewer_store_key);
  add(reads, config->viewer_origin_key);
  for (guint i = 0; i < config->organisations->len; i++) {
    const Organisation *organisation = config->organisations->pdata[i];
    if (*organisation->logo != '\0')
      add(reads, organisation->logo);
  }
  add(reads, NULL);
  return reads;
}

/* Ends with NULL. */
static GPtrArray *
find_changes(const Config *config)
{
  GPtrArray *changes = g_ptr_array_new_with_free_func(g_free);
  add(changes, config->store_database);
  add(changes, config->store_directory);
  for (char **path = config->sms_directories; *path != NULL; path++)
    g_ptr_array_add(changes, g_strconcat(*path, "/", NULL));
  add(changes, NULL);
  return changes;
}

gboolean
confine(const Config *config, const char *config_path, GError **error)
{
  g_autoptr(GPtrArray) reads = find_reads(config, config_path);
  g_autoptr(GPtrArray) changes = find_changes(config);
  const char *const runs[] = {config->viewer_reader, config->sms_command, NULL};
  const SandboxDaemon daemon = {
      .duties = SANDBOX_INTERNET | SANDBOX_ANY_PORT | SANDBOX_PROGRAMS | SANDBOX_COMMANDS,
      .reads = (const char *const *) reads->pdata,
      .changes = (const char *const *) changes->pdata,
      .runs = runs,
  };
  return sandbox_confine_daemon(&daemon, error);
}
