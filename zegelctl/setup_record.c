#include "zegelctl/setup_record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "common/base/error.h"
#include "zegelctl/command.h"
#include "zegelctl/file.h"

#define RECORD  SETUP_DIRECTORY "/record"
#define KEPT    SETUP_DIRECTORY "/kept"
#define GROUP   "setup"
#define VERSION 1

static const char *const names[] = {[CF_MAIN] = "main.cf", [CF_MASTER] = "master.cf"};
static const char *const befores[] = {
    [CF_MAIN] = "main_before", [CF_MASTER] = "master_before"};
static const char *const afters[] = {
    [CF_MAIN] = "main_after", [CF_MASTER] = "master_after"};
static const char *const copies[] = {[CF_MAIN] = SETUP_DIRECTORY "/main.cf.before",
                                     [CF_MASTER] = SETUP_DIRECTORY "/master.cf.before"};

static const FileRights private_rights = {
    .mode = 0600, .owner = (uid_t) -1, .group = (gid_t) -1};

SetupRecord *
setup_record_new(const char *directory)
{
  SetupRecord *record = g_new0(SetupRecord, 1);
  record->directory = g_strdup(directory);
  record->made = g_ptr_array_new_with_free_func(g_free);
  record->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  memcpy(record->ports, setup_default_ports, sizeof record->ports);
  return record;
}

void
setup_record_free(SetupRecord *record)
{
  if (record == NULL)
    return;
  for (guint kind = 0; kind < G_N_ELEMENTS(names); kind++) {
    g_free(record->before[kind]);
    g_free(record->after[kind]);
  }
  g_free(record->directory);
  g_ptr_array_unref(record->made);
  g_hash_table_unref(record->files);
  g_free(record);
}

static char *
hash_of(const char *text)
{
  return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
}

/* ---- Reading and writing ---- */

static char *
decode(GKeyFile *file, const char *key, GError **error)
{
  gsize len = 0;
  g_autofree char *coded = g_key_file_get_string(file, GROUP, key, error);
  if (coded == NULL)
    return NULL;
  g_autofree guchar *bytes = g_base64_decode(coded, &len);
  return g_strndup((const char *) bytes, len);
}

/* "HASH PATH" of each file. */
static void
load_files(SetupRecord *record, char **lines)
{
  for (char **line = lines; line != NULL && *line != NULL; line++) {
    char *space = strchr(*line, ' ');
    if (space != NULL)
      g_hash_table_replace(record->files, g_strdup(space + 1),
                           g_strndup(*line, (gsize) (space - *line)));
  }
}

static SetupRecord *
load_from(GKeyFile *file, GError **error)
{
  g_autofree char *directory = g_key_file_get_string(file, GROUP, "directory", error);
  if (directory == NULL)
    return NULL;
  g_autoptr(SetupRecord) record = setup_record_new(directory);
  for (guint kind = 0; kind < G_N_ELEMENTS(names); kind++) {
    record->before[kind] = decode(file, befores[kind], error);
    record->after[kind] =
        record->before[kind] != NULL ? decode(file, afters[kind], error) : NULL;
    if (record->after[kind] == NULL)
      return NULL;
  }
  g_auto(GStrv) made = g_key_file_get_string_list(file, GROUP, "made", NULL, NULL);
  for (char **hash = made; hash != NULL && *hash != NULL; hash++)
    g_ptr_array_add(record->made, g_strdup(*hash));
  g_auto(GStrv) files = g_key_file_get_string_list(file, GROUP, "files", NULL, NULL);
  load_files(record, files);
  gsize count = 0;
  g_autofree int *ports = g_key_file_get_integer_list(file, GROUP, "ports", &count, NULL);
  for (guint i = 0; ports != NULL && i < MIN(count, SETUP_PORTS); i++)
    record->ports[i] = (guint) ports[i];
  return g_steal_pointer(&record);
}

SetupRecord *
setup_record_load(GError **error)
{
  g_autoptr(GKeyFile) file = g_key_file_new();
  g_autoptr(GError) reason = NULL;
  if (!g_file_test(RECORD, G_FILE_TEST_EXISTS))
    return NULL;
  SetupRecord *record = g_key_file_load_from_file(file, RECORD, G_KEY_FILE_NONE, &reason)
                            ? load_from(file, &reason)
                            : NULL;
  if (record == NULL)
    command_error(error, ZEGEL_ERROR_CONFIG, RECORD ": %s", reason->message);
  return record;
}

static void
encode(GKeyFile *file, const char *key, const char *text)
{
  g_autofree char *coded = g_base64_encode((const guchar *) text, strlen(text));
  g_key_file_set_string(file, GROUP, key, coded);
}

static void
save_files(GKeyFile *file, const SetupRecord *record)
{
  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
  GHashTableIter iter;
  gpointer path, hash;
  g_hash_table_iter_init(&iter, record->files);
  while (g_hash_table_iter_next(&iter, &path, &hash))
    g_ptr_array_add(lines, g_strdup_printf("%s %s", (char *) hash, (char *) path));
  g_key_file_set_string_list(file, GROUP, "files", (const char *const *) lines->pdata,
                             lines->len);
}

static gboolean
save_copies(const SetupRecord *record, GError **error)
{
  for (guint kind = 0; kind < G_N_ELEMENTS(names); kind++)
    if (!file_replace(copies[kind], record->before[kind], strlen(record->before[kind]),
                      &private_rights, error))
      return FALSE;
  return TRUE;
}

gboolean
setup_record_save(const SetupRecord *record, GError **error)
{
  g_autoptr(GKeyFile) file = g_key_file_new();
  int ports[SETUP_PORTS];
  for (guint i = 0; i < SETUP_PORTS; i++)
    ports[i] = (int) record->ports[i];
  g_key_file_set_integer(file, GROUP, "version", VERSION);
  g_key_file_set_string(file, GROUP, "directory", record->directory);
  for (guint kind = 0; kind < G_N_ELEMENTS(names); kind++) {
    encode(file, befores[kind], record->before[kind]);
    encode(file, afters[kind], record->after[kind]);
  }
  g_key_file_set_string_list(file, GROUP, "made", (const char *const *) record->made->pdata,
                             record->made->len);
  g_key_file_set_integer_list(file, GROUP, "ports", ports, SETUP_PORTS);
  save_files(file, record);
  gsize len = 0;
  g_autofree char *text = g_key_file_to_data(file, &len, NULL);
  return save_copies(record, error) &&
         file_replace(RECORD, text, len, &private_rights, error);
}

gboolean
setup_record_remove(GError **error)
{
  for (guint kind = 0; kind < G_N_ELEMENTS(names); kind++)
    unlink(copies[kind]);
  if (unlink(RECORD) == 0 || errno == ENOENT)
    return TRUE;
  zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, RECORD);
  return FALSE;
}

/* ---- main.cf and master.cf ---- */

static char *
path_of(const char *directory, CfKind kind)
{
  g_autofree char *path = g_build_filename(directory, names[kind], NULL);
  return file_resolve(path);
}

static char *
read_text(const char *path, GError **error)
{
  g_autoptr(GError) reason = NULL;
  char *text = NULL;
  gsize len = 0;
  if (!g_file_get_contents(path, &text, &len, &reason)) {
    command_error(error, ZEGEL_ERROR_CONFIG, "%s", reason->message);
    return NULL;
  }
  if (strlen(text) == len)
    return text;
  g_free(text);
  command_error(error, ZEGEL_ERROR_CONFIG, "%s has a NUL byte", path);
  return NULL;
}

char *
setup_read(const char *directory, CfKind kind, GError **error)
{
  g_autofree char *path = path_of(directory, kind);
  return read_text(path, error);
}

static gboolean
was_made(const SetupRecord *record, const char *text)
{
  g_autofree char *hash = hash_of(text);
  return g_ptr_array_find_with_equal_func(record->made, hash, g_str_equal, NULL);
}

gboolean
setup_record_put(SetupRecord *record, CfKind kind, const char *text, gboolean noted,
                 GError **error)
{
  struct stat status;
  g_autofree char *path = path_of(record->directory, kind);
  g_autofree char *current = read_text(path, error);
  if (current == NULL)
    return FALSE;
  if (strcmp(current, text) == 0)
    return TRUE;
  if (stat(path, &status) < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
    return FALSE;
  }
  if (noted && !was_made(record, text)) {
    g_ptr_array_add(record->made, hash_of(text));
    if (!setup_record_save(record, error))
      return FALSE;
  }
  const FileRights rights = {
      .mode = status.st_mode & 07777, .owner = status.st_uid, .group = status.st_gid};
  return file_replace(path, text, strlen(text), &rights, error);
}

/* Words of zegel_site_alias_maps that setup wrote itself. */
#define OUR_TABLE "inline:{postmaster@"

/*
 * "From now on change zegel_site_alias_maps", says README.postfix. So what CURRENT has
 * there is the site's own, and goes back to virtual_alias_maps of BASE; NULL when it is as
 * we left it.
 */
static char *
move_aliases(const char *after, const char *current, const char *base)
{
  g_autoptr(Cf) ours = cf_parse(CF_MAIN, after);
  g_autoptr(Cf) now = cf_parse(CF_MAIN, current);
  g_autofree char *left = cf_entry(ours, "zegel_site_alias_maps");
  g_autofree char *found = cf_entry(now, "zegel_site_alias_maps");
  if (left == NULL || found == NULL || strcmp(left, found) == 0 ||
      strchr(found, '=') == NULL)
    return NULL;
  g_autoptr(GPtrArray) theirs = g_ptr_array_new();
  g_auto(GStrv) words = site_words(strchr(found, '=') + 1);
  for (char **word = words; *word != NULL; word++)
    if (!g_str_has_prefix(*word, OUR_TABLE))
      g_ptr_array_add(theirs, *word);
  g_ptr_array_add(theirs, NULL);
  g_autofree char *value = g_strjoinv(" ", (char **) theirs->pdata);
  g_autofree char *entry = g_strdup_printf("virtual_alias_maps = %s\n", value);
  g_autoptr(Cf) moved = cf_parse(CF_MAIN, base);
  cf_put(moved, "virtual_alias_maps", entry);
  cf_put(moved, "zegel_site_alias_maps", NULL);
  return cf_text(moved);
}

static gboolean
is_aliases(gconstpointer key, gconstpointer name)
{
  return g_str_equal(key, name);
}

char *
setup_record_base(const SetupRecord *record, CfKind kind, const char *current,
                  GPtrArray *conflicts)
{
  if (strcmp(current, record->before[kind]) == 0 || was_made(record, current))
    return g_strdup(record->before[kind]);
  g_autofree char *base =
      cf_take_out(kind, record->before[kind], record->after[kind], current, conflicts);
  char *moved = kind == CF_MAIN ? move_aliases(record->after[kind], current, base) : NULL;
  guint at;
  if (moved == NULL)
    return g_steal_pointer(&base);
  if (g_ptr_array_find_with_equal_func(conflicts, "zegel_site_alias_maps", is_aliases, &at))
    g_ptr_array_remove_index(conflicts, at);
  return moved;
}

/* ---- Files of ours ---- */

gboolean
setup_record_file(SetupRecord *record, const SetupFile *file, SetupWritten *written,
                  GError **error)
{
  g_autofree char *directory = g_path_get_dirname(file->path);
  const FileRights rights = {.mode = 0644, .owner = 0, .group = 0};
  const char *noted = g_hash_table_lookup(record->files, file->path);
  g_autofree char *hash = hash_of(file->text);
  *written = SETUP_WRITTEN_SAME;
  if (g_file_test(file->path, G_FILE_TEST_EXISTS)) {
    g_autofree char *text = read_text(file->path, error);
    if (text == NULL)
      return FALSE;
    g_autofree char *current = hash_of(text);
    if (g_strcmp0(noted, hash) == 0 && strcmp(current, hash) == 0)
      return TRUE;
    if (strcmp(current, hash) != 0 && g_strcmp0(noted, current) != 0) {
      *written = SETUP_WRITTEN_KEPT;
      return TRUE;
    }
  }
  *written = SETUP_WRITTEN_NEW;
  if (g_mkdir_with_parents(directory, 0755) != 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, directory);
    return FALSE;
  }
  g_hash_table_replace(record->files, g_strdup(file->path), g_steal_pointer(&hash));
  return setup_record_save(record, error) &&
         file_replace(file->path, file->text, strlen(file->text), &rights, error);
}

/* PATH goes; when it is not as HASH, into KEPT. Its index goes too, and its directory when
 * nothing else is in it. */
static gboolean
remove_file(const char *path, const char *hash, GError **error)
{
  g_autofree char *index = g_strconcat(path, ".db", NULL);
  g_autofree char *name = g_strdelimit(g_strdup(path + 1), "/", '-');
  g_autofree char *place = g_build_filename(KEPT, name, NULL);
  g_autofree char *directory = g_path_get_dirname(path);
  unlink(index);
  if (!g_file_test(path, G_FILE_TEST_EXISTS))
    return TRUE;
  g_autofree char *text = read_text(path, error);
  if (text == NULL)
    return FALSE;
  g_autofree char *current = hash_of(text);
  if (strcmp(current, hash) != 0 &&
      (g_mkdir_with_parents(KEPT, 0700) != 0 ||
       !file_replace(place, text, strlen(text), &private_rights, error)))
    return FALSE;
  if (unlink(path) == 0) {
    rmdir(directory);
    return TRUE;
  }
  zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
  return FALSE;
}

gboolean
setup_record_remove_files(SetupRecord *record, GError **error)
{
  GHashTableIter iter;
  gpointer path, hash;
  g_hash_table_iter_init(&iter, record->files);
  while (g_hash_table_iter_next(&iter, &path, &hash))
    if (!remove_file(path, hash, error))
      return FALSE;
  return TRUE;
}
