/*
 * backup.c - zegelctl backup: all that zegel keeps, into a directory, while it serves.
 *
 * Each database is copied as it is at one moment, the store before the audit trail: an
 * event that is no longer on its way to the trail then stands in the copy of it. Keys go
 * into a second file, and only when they are asked for: who has the one reads nothing
 * without the other. The manifest comes last: a directory without it is no backup.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/crypt/key_file.h"
#include "common/db/db.h"
#include "common/store/copy.h"
#include "config.h"
#include "zegelctl/archive.h"
#include "zegelctl/command.h"
#include "zegelctl/file.h"
#include "zegelctl/holdings.h"
#include "zegelctl/record.h"
#include "zegelctl/tree.h"

#define DIRECTORY_MODE 0700
#define SECRET_MODE    0400

static char *option_keys;

typedef struct {
  Config *config;
  char *config_path;
  char *directory; /* of the backup */
  char *tree;      /* below it */
  Archive *archive;
  Archive *keys; /* NULL: not wanted */
  KeyRing *store_keys;
  guint64 bytes;
} Backup;

static void
backup_clear(Backup *backup)
{
  conf_free(backup->config);
  archive_free(backup->archive);
  archive_free(backup->keys);
  keyring_free(backup->store_keys);
  g_free(backup->config_path);
  g_free(backup->directory);
  g_free(backup->tree);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Backup, backup_clear)

static gboolean
fail(const char *path, GError **error)
{
  zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, path);
  return FALSE;
}

/* ---- What stands in the manifest ---- */

static char *
user_name(uid_t uid)
{
  const struct passwd *entry = getpwuid(uid);
  return entry != NULL ? g_strdup(entry->pw_name) : g_strdup_printf("%u", (guint) uid);
}

static char *
group_name(gid_t gid)
{
  const struct group *entry = getgrgid(gid);
  return entry != NULL ? g_strdup(entry->gr_name) : g_strdup_printf("%u", (guint) gid);
}

/* A new item of ARCHIVE for PATH, with the owner and the rights in STATUS. NULL with an
 * error. */
static ArchiveItem *
add_item(Archive *archive, const char *path, const struct stat *status, GError **error)
{
  if (!archive_path_is_good(path)) {
    command_error(error, ZEGEL_ERROR_CONFIG, "%s: no such name can be in a backup", path);
    return NULL;
  }
  ArchiveItem *item = archive_add(archive, path);
  item->is_file = S_ISREG(status->st_mode);
  item->mode = status->st_mode & 07777;
  item->owner = user_name(status->st_uid);
  item->group = group_name(status->st_gid);
  return item;
}

/* For tree_walk: PATH, in the tree, is in the backup now. */
static gboolean
list_copy(const char *path, const struct stat *status, gpointer data, GError **error)
{
  Backup *backup = data;
  const char *own = path + strlen(backup->tree);
  ArchiveItem *item = *own != '\0' ? add_item(backup->archive, own, status, error) : NULL;
  if (item == NULL)
    return *own == '\0'; /* the tree itself */
  if (item->is_file && !tree_hash(path, &item->size, item->sha256, error))
    return FALSE;
  backup->bytes += item->size;
  return TRUE;
}

/* ---- Copies ---- */

/* Makes the directories above PATH in the tree, like those that they are copies of. */
static gboolean
make_parents(const Backup *backup, const char *path, GError **error)
{
  g_autofree char *parent = g_path_get_dirname(path);
  g_autofree char *copy = g_strconcat(backup->tree, parent, NULL);
  if (strcmp(parent, "/") == 0)
    return TRUE;
  if (!make_parents(backup, parent, error))
    return FALSE;
  if (mkdir(copy, DIRECTORY_MODE) < 0)
    return errno == EEXIST || fail(copy, error);
  return tree_copy_rights(parent, copy, error);
}

/* The database PATH, when there is one. */
static gboolean
copy_database(const Backup *backup, const char *path, GError **error)
{
  g_autofree char *copy = g_strconcat(backup->tree, path, NULL);
  if (access(path, F_OK) < 0 && errno == ENOENT)
    return TRUE;
  return make_parents(backup, path, error) && db_copy_file(path, copy, error) &&
         tree_copy_rights(path, copy, error);
}

static gboolean
copy_store(const Backup *backup, GError **error)
{
  const Config *config = backup->config;
  g_autofree char *database = g_strconcat(backup->tree, config->store_database, NULL);
  g_autofree char *directory = g_strconcat(backup->tree, config->store_directory, NULL);
  if (!make_parents(backup, config->store_database, error) ||
      !make_parents(backup, config->store_directory, error))
    return FALSE;
  if (mkdir(directory, DIRECTORY_MODE) < 0)
    return fail(directory, error);
  return store_copy(config->store_database, config->store_directory, database, directory,
                    error);
}

/* The store first, the trail last. */
static gboolean
copy_databases(const Backup *backup, GError **error)
{
  HoldingDatabase all[HOLDING_DATABASES];
  holdings_databases(backup->config, all);
  for (guint i = 0; i < HOLDING_DATABASES; i++)
    if (!(i == 0 ? copy_store(backup, error) : copy_database(backup, all[i].path, error))) {
      g_prefix_error(error, "%s: ", all[i].what);
      return FALSE;
    }
  return TRUE;
}

/* The file PATH, when it is there and was not copied before; a symbolic link becomes what
 * it leads to. */
static gboolean
copy_file(const Backup *backup, const char *path, GError **error)
{
  guint64 size;
  guint8 hash[CRYPT_SHA256_BYTES];
  g_autofree char *copy = g_strconcat(backup->tree, path, NULL);
  g_autofree char *from = file_resolve(path);
  if (access(path, F_OK) < 0 || access(copy, F_OK) == 0)
    return TRUE;
  return make_parents(backup, path, error) && tree_copy(from, copy, &size, hash, error) &&
         tree_copy_rights(from, copy, error);
}

/* ---- Keys ---- */

/* The directories above it are in the backup itself: keys of another day fit as well. */
static gboolean
add_secret(Backup *backup, const char *path, const struct stat *status, GError **error)
{
  if (S_ISDIR(status->st_mode))
    return TRUE;
  if (!make_parents(backup, path, error))
    return FALSE;
  ArchiveItem *item =
      backup->keys != NULL ? add_item(backup->keys, path, status, error) : NULL;
  if (item == NULL)
    return backup->keys == NULL;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0)
    return fail(path, error);
  item->content = key_file_read_fd(fd, path, error);
  close(fd);
  if (item->content == NULL)
    return FALSE;
  g_autoptr(CryptHash) hash = crypt_hash_new();
  item->size = secret_size(item->content);
  crypt_hash_update(hash, secret_peek(item->content), item->size);
  crypt_hash_finish(hash, item->sha256);
  return TRUE;
}

/* For tree_walk, of the directory of zegel.conf: to the keys, or into the tree. */
static gboolean
take_config(const char *path, const struct stat *status, gpointer data, GError **error)
{
  Backup *backup = data;
  gboolean is_config = strcmp(path, backup->config_path) == 0;
  if (!is_config &&
      holdings_is_secret(backup->config, ZEGEL_SYSCONFDIR, path, status->st_mode))
    return add_secret(backup, path, status, error);
  return S_ISDIR(status->st_mode) || copy_file(backup, path, error);
}

/* For tree_walk, of what holds keys alone. */
static gboolean
take_secret(const char *path, const struct stat *status, gpointer data, GError **error)
{
  return add_secret(data, path, status, error);
}

static gboolean
is_in(const char *path, const char *directory)
{
  gsize len = strlen(directory);
  return strncmp(path, directory, len) == 0 && path[len] == '/';
}

/* What every key is like, and keys that lie elsewhere. */
static gboolean
take_keys(Backup *backup, GError **error)
{
  HoldingKey all[HOLDING_KEYS];
  guint seen = 0; /* purposes */
  holdings_keys(backup->config, all);
  for (guint i = 0; i < HOLDING_KEYS; i++) {
    g_autoptr(KeyRing) ring = keyring_load(all[i].path, all[i].purpose, error);
    if (ring == NULL || ((seen & (1U << all[i].purpose)) == 0 &&
                         !archive_add_keys(backup->archive, ring, all[i].purpose, error)))
      return FALSE;
    seen |= 1U << all[i].purpose;
    if (!is_in(all[i].path, ZEGEL_SYSCONFDIR) &&
        !tree_walk(all[i].path, take_secret, backup, error))
      return FALSE;
  }
  return is_in(backup->config->dkim_keys, ZEGEL_SYSCONFDIR) ||
         tree_walk(backup->config->dkim_keys, take_secret, backup, error);
}

static gboolean
take_files(Backup *backup, GError **error)
{
  g_autoptr(GPtrArray) files = holdings_files(backup->config);
  if (!copy_file(backup, backup->config_path, error))
    return FALSE;
  for (guint i = 0; i < files->len; i++)
    if (!copy_file(backup, files->pdata[i], error))
      return FALSE;
  return tree_walk(ZEGEL_SYSCONFDIR, take_config, backup, error) &&
         (is_in(backup->config->dkim_directory, ZEGEL_SYSCONFDIR) ||
          tree_walk(backup->config->dkim_directory, take_config, backup, error));
}

/* ---- All of it ---- */

static gboolean
prepare(Backup *backup, const char *directory, GError **error)
{
  gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
  if (geteuid() != 0)
    return command_error(error, ZEGEL_ERROR_CONFIG, "only root can read all of it");
  if ((backup->config = command_config(error)) == NULL)
    return FALSE;
  backup->config_path = g_canonicalize_filename(command_config_path(), NULL);
  backup->directory = g_canonicalize_filename(directory, NULL);
  backup->tree = g_build_filename(backup->directory, ARCHIVE_TREE, NULL);
  backup->archive = archive_new(now_s, PACKAGE_VERSION, backup->config_path, error);
  backup->store_keys = keyring_load(backup->config->deliver_store_key, KEY_STORE, error);
  if (backup->archive == NULL || backup->store_keys == NULL)
    return FALSE;
  if (option_keys == NULL)
    return TRUE;
  backup->keys = archive_new(now_s, PACKAGE_VERSION, backup->config_path, error);
  if (backup->keys == NULL)
    return FALSE;
  backup->keys->of_keys = TRUE;
  g_free(backup->keys->id);
  backup->keys->id = g_strdup(backup->archive->id);
  return TRUE;
}

/* Who took what, before keys leave and after all else: a backup is made although
 * zegel-auditd is not there. */
static gboolean
tell(const Backup *backup, GError **error)
{
  g_autofree char *user = command_user();
  g_autofree char *bytes = g_strdup_printf("%" G_GUINT64_FORMAT, backup->bytes);
  g_autoptr(Event) event =
      event_new(EVENT_BACKUP, NULL, NULL, "by", user, "backup", backup->archive->id,
                "bytes", bytes, "scope", backup->keys != NULL ? "keys" : "data", NULL);
  if (backup->keys != NULL)
    return record_first(backup->config, event, error);
  event_send(event);
  return TRUE;
}

/* ARCHIVE as the new file PATH. */
static gboolean
write_archive(const Archive *archive, const KeyRing *keys, const char *path, GError **error)
{
  g_autoptr(Secret) text = archive_format(archive, keys, error);
  const FileRights rights = {.mode = SECRET_MODE, .owner = (uid_t) -1, .group = (gid_t) -1};
  return text != NULL && file_replace(path, (const char *) secret_peek(text),
                                      secret_size(text), &rights, error);
}

static gboolean
fill(Backup *backup, GError **error)
{
  g_autofree char *manifest = g_build_filename(backup->directory, ARCHIVE_MANIFEST, NULL);
  if (mkdir(backup->tree, DIRECTORY_MODE) < 0)
    return fail(backup->tree, error);
  return take_keys(backup, error) && take_files(backup, error) &&
         copy_databases(backup, error) &&
         tree_walk(backup->tree, list_copy, backup, error) && tell(backup, error) &&
         (backup->keys == NULL || write_archive(backup->keys, NULL, option_keys, error)) &&
         write_archive(backup->archive, backup->store_keys, manifest, error);
}

/* What was begun and not finished goes. */
static gboolean
make_backup(Backup *backup, const char *directory, GError **error)
{
  if (!prepare(backup, directory, error))
    return FALSE;
  if (option_keys != NULL && access(option_keys, F_OK) == 0)
    return command_error(error, ZEGEL_ERROR_INVALID, "%s: is there already", option_keys);
  if (mkdir(backup->directory, DIRECTORY_MODE) < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_INVALID, errno, backup->directory);
    return FALSE;
  }
  if (fill(backup, error))
    return TRUE;
  tree_remove(backup->directory);
  if (option_keys != NULL)
    unlink(option_keys);
  return FALSE;
}

static int
run_backup(int argc, char **argv)
{
  GError *error = NULL;
  g_auto(Backup) backup = {.config = NULL};
  (void) argc;
  if (!make_backup(&backup, argv[0], &error)) {
    g_prefix_error(&error, "there is no backup: ");
    return command_fail(error);
  }
  printf("%s: backup %s, %u files, %" G_GUINT64_FORMAT " MiB\n", backup.directory,
         backup.archive->id, backup.archive->items->len, backup.bytes / (1024 * 1024));
  if (backup.keys != NULL)
    printf("%s: the keys; keep them where the backup is not\n", option_keys);
  else
    puts("It has no keys: without them nobody can use it (zegelctl backup --keys).");
  return command_done(EX_OK);
}

static const GOptionEntry backup_options[] = {
    {"keys", 0, 0, G_OPTION_ARG_FILENAME, &option_keys, "The keys too, into this file",
     "FILE"},
    G_OPTION_ENTRY_NULL,
};

const Command backup_commands[] = {
    {{"backup", NULL},
     1,
     1,
     "DIRECTORY [--keys FILE]",
     "Copy all that zegel keeps into DIRECTORY, a new one, while it serves",
     backup_options,
     run_backup},
    {.words = {NULL}},
};
