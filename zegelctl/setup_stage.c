#include "zegelctl/setup_stage.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "common/base/error.h"
#include "zegelctl/command.h"
#include "zegelctl/setup_postfix.h"

#define STAGE SETUP_DIRECTORY "/stage"

void
setup_stage_remove(void)
{
  g_autoptr(GDir) stage = g_dir_open(STAGE, 0, NULL);
  for (const char *name; stage != NULL && (name = g_dir_read_name(stage)) != NULL;) {
    g_autofree char *path = g_build_filename(STAGE, name, NULL);
    unlink(path);
  }
  rmdir(STAGE);
}

static gboolean
write_files(const char *main_cf, const char *master_cf, GError **error)
{
  g_autoptr(GError) reason = NULL;
  if (g_file_set_contents(STAGE "/main.cf", main_cf, -1, &reason) &&
      g_file_set_contents(STAGE "/master.cf", master_cf, -1, &reason))
    return TRUE;
  return command_error(error, ZEGEL_ERROR_CONFIG, "%s", reason->message);
}

/* What a value names by $config_directory is found here too. */
static void
link_others(const char *directory)
{
  g_autoptr(GDir) files = g_dir_open(directory, 0, NULL);
  for (const char *name; files != NULL && (name = g_dir_read_name(files)) != NULL;) {
    g_autofree char *real = g_build_filename(directory, name, NULL);
    g_autofree char *path = g_build_filename(STAGE, name, NULL);
    if (strcmp(name, "main.cf") != 0 && strcmp(name, "master.cf") != 0 &&
        symlink(real, path) != 0)
      continue; /* Postfix says what it misses */
  }
}

Site *
setup_stage_open(const char *directory, const char *main_cf, const char *master_cf,
                 GError **error)
{
  setup_stage_remove();
  if (g_mkdir(STAGE, 0700) != 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, STAGE);
    return NULL;
  }
  link_others(directory);
  return write_files(main_cf, master_cf, error) ? site_open(STAGE, error) : NULL;
}

/* The first complaint of NOW that BEFORE has not, or NULL. */
static const char *
find_new(GHashTable *before, GHashTable *now)
{
  GHashTableIter iter;
  gpointer line;
  g_hash_table_iter_init(&iter, now);
  while (g_hash_table_iter_next(&iter, &line, NULL))
    if (!g_hash_table_contains(before, line))
      return line;
  return NULL;
}

gboolean
setup_stage_check(const SetupRecord *record, GError **error)
{
  g_autoptr(GHashTable) before = setup_postfix_complaints(STAGE, error);
  if (before == NULL ||
      !write_files(record->after[CF_MAIN], record->after[CF_MASTER], error))
    return FALSE;
  g_autoptr(GHashTable) after = setup_postfix_complaints(STAGE, error);
  if (after == NULL)
    return FALSE;
  const char *complaint = find_new(before, after);
  if (complaint != NULL)
    return command_error(error, ZEGEL_ERROR_CONFIG,
                         "Postfix would not understand what setup writes: %s", complaint);
  return write_files(record->before[CF_MAIN], record->before[CF_MASTER], error);
}
