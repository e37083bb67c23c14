/*
 * restore.c - zegelctl restore: what zegelctl backup took, onto a host without anything.
 *
 * All is looked at before anything is written: that the backup is whole and was not
 * changed, that the keys are those it was made with, and that nothing of zegel is here.
 * What was written is taken back when a later step fails. That a host goes on from a backup
 * is the first event of its audit trail behind those of the backup.
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
#include "common/base/unix.h"
#include "common/crypt/key_file.h"
#include "common/store/outbox.h"
#include "zegelctl/aside.h"
#include "zegelctl/archive.h"
#include "zegelctl/command.h"
#include "zegelctl/file.h"
#include "zegelctl/holdings.h"
#include "zegelctl/opened.h"
#include "zegelctl/tree.h"

#define CONNECT_MS     1000
#define KEYS_MAX       (16U * 1024 * 1024)
#define KEY_NEVER_MODE 07022 /* what no key file has */
#define MAX_TOLD       3     /* paths that are named */
#define DAY_FORMAT     "%Y-%m-%d %H:%M"
#define SQLITE_FILES                                                                       \
  {                                                                                        \
    "-wal", "-shm", "-journal"                                                             \
  }

static char *option_keys;

typedef struct {
  char *directory;
  char *tree;
  Secret *text; /* the manifest as it stands there */
  Archive *archive;
  Archive *keys; /* NULL: those that are here */
  Config *config;
  GPtrArray *placed; /* of char *: what was written, in order */
} Restore;

static void
restore_clear(Restore *restore)
{
  g_free(restore->directory);
  g_free(restore->tree);
  secret_free(restore->text);
  archive_free(restore->archive);
  archive_free(restore->keys);
  conf_free(restore->config);
  if (restore->placed != NULL)
    g_ptr_array_unref(restore->placed);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Restore, restore_clear)

static gboolean
fail(const char *path, GError **error)
{
  zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, path);
  return FALSE;
}

static char *
time_of(const Archive *archive)
{
  g_autoptr(GDateTime) at = g_date_time_new_from_unix_local(archive->at_s);
  return g_date_time_format(at, DAY_FORMAT);
}

/* ---- Reading the backup ---- */

/* The file PATH, of at most MAX octets. NULL with an error. */
static Secret *
read_file(const char *path, guint64 max, GError **error)
{
  struct stat status;
  char *bytes = NULL;
  gsize len = 0;
  g_autoptr(GError) reason = NULL;
  int problem = stat(path, &status) < 0          ? errno
                : (guint64) status.st_size > max ? EFBIG
                                                 : 0;
  if (problem != 0) {
    command_error(error, ZEGEL_ERROR_INVALID, "%s: %s", path, g_strerror(problem));
    return NULL;
  }
  if (!g_file_get_contents(path, &bytes, &len, &reason)) {
    command_error(error, ZEGEL_ERROR_INVALID, "%s", reason->message);
    return NULL;
  }
  Secret *text = secret_new_from(bytes, len);
  secret_wipe(bytes, len);
  g_free(bytes);
  return text;
}

static Archive *
parse_file(const char *path, const Secret *text, gboolean of_keys, GError **error)
{
  g_autoptr(Archive) archive =
      archive_parse(path, (const char *) secret_peek(text), secret_size(text), error);
  if (archive == NULL || archive->of_keys == of_keys)
    return g_steal_pointer(&archive);
  command_error(error, ZEGEL_ERROR_INVALID, "%s: %s", path,
                of_keys ? "has no keys: it is the backup itself"
                        : "has keys: it is not the backup itself");
  return NULL;
}

static gboolean
read_backup(Restore *restore, const char *directory, GError **error)
{
  restore->directory = g_canonicalize_filename(directory, NULL);
  restore->tree = g_build_filename(restore->directory, ARCHIVE_TREE, NULL);
  g_autofree char *manifest = g_build_filename(restore->directory, ARCHIVE_MANIFEST, NULL);
  restore->text = read_file(manifest, ARCHIVE_MAX_BYTES, error);
  if (restore->text == NULL)
    return FALSE;
  restore->archive = parse_file(manifest, restore->text, FALSE, error);
  if (restore->archive == NULL)
    return FALSE;
  g_autofree char *config = g_strconcat(restore->tree, restore->archive->config, NULL);
  restore->config = conf_load(config, error);
  if (restore->config == NULL || option_keys == NULL)
    return restore->config != NULL;
  g_autoptr(Secret) text = read_file(option_keys, KEYS_MAX, error);
  restore->keys = text != NULL ? parse_file(option_keys, text, TRUE, error) : NULL;
  return restore->keys != NULL;
}

/* Every file of the manifest is there, as it was. */
static gboolean
check_files(const Restore *restore, GError **error)
{
  for (guint i = 0; i < restore->archive->items->len; i++) {
    const ArchiveItem *item = restore->archive->items->pdata[i];
    g_autofree char *copy = g_strconcat(restore->tree, item->path, NULL);
    guint8 hash[CRYPT_SHA256_BYTES];
    guint64 size;
    if (!item->is_file)
      continue;
    if (!tree_hash(copy, &size, hash, error))
      return FALSE;
    if (size != item->size || !crypt_equal(hash, item->sha256, sizeof hash))
      return command_error(error, ZEGEL_ERROR_INVALID, "%s: is not what was backed up",
                           copy);
  }
  return TRUE;
}

/* ---- Keys ---- */

static const ArchiveItem *
find_item(const Archive *archive, const char *path)
{
  for (guint i = 0; i < archive->items->len; i++) {
    const ArchiveItem *item = archive->items->pdata[i];
    if (strcmp(item->path, path) == 0)
      return item;
  }
  return NULL;
}

/* The key file of HOLDING: of the file with the keys, or the one that is here. */
static KeyRing *
open_ring(const Restore *restore, const HoldingKey *holding, GError **error)
{
  if (restore->keys == NULL)
    return keyring_load(holding->path, holding->purpose, error);
  const ArchiveItem *item = find_item(restore->keys, holding->path);
  if (item == NULL || item->content == NULL) {
    command_error(error, ZEGEL_ERROR_CONFIG, "%s: has no key file %s", option_keys,
                  holding->path);
    return NULL;
  }
  return keyring_parse((const char *) secret_peek(item->content),
                       secret_size(item->content), holding->purpose, holding->path, error);
}

static gboolean
other_days(const Restore *restore, const ArchiveKey *key, GError **error)
{
  g_autofree char *backup_time = time_of(restore->archive);
  g_autofree char *keys_time =
      restore->keys != NULL ? time_of(restore->keys) : g_strdup("this host");
  return command_error(error, ZEGEL_ERROR_CONFIG,
                       "the backup (of %s) was made with %s key %08x, which the keys (of "
                       "%s) do not have, or "
                       "have another under that id: they are of different days",
                       backup_time, key_purpose_name(key->purpose), key->id, keys_time);
}

/* That the keys are those of the backup, and that they vouch for its manifest. */
static gboolean
check_keys(const Restore *restore, GError **error)
{
  HoldingKey all[HOLDING_KEYS];
  holdings_keys(restore->config, all);
  for (guint i = 0; i < HOLDING_KEYS; i++) {
    g_autoptr(KeyRing) ring = open_ring(restore, &all[i], error);
    const ArchiveKey *missing =
        ring != NULL ? archive_missing_key(restore->archive, ring, all[i].purpose) : NULL;
    if (ring == NULL)
      return FALSE;
    if (missing != NULL)
      return other_days(restore, missing, error);
    if (all[i].purpose == KEY_STORE &&
        !archive_check((const char *) secret_peek(restore->text),
                       secret_size(restore->text), ring, error))
      return FALSE;
  }
  return TRUE;
}

/* ---- The host ---- */

static gboolean
check_programs(const Restore *restore, GError **error)
{
  g_autoptr(GPtrArray) sockets = holdings_sockets(restore->config);
  for (guint i = 0; i < sockets->len; i++) {
    int fd =
        unix_connect(sockets->pdata[i], g_get_monotonic_time() + CONNECT_MS * 1000, NULL);
    if (fd < 0)
      continue;
    close(fd);
    return command_error(error, ZEGEL_ERROR_CONFIG,
                         "zegel runs here: %s answers; stop all its programs first",
                         (const char *) sockets->pdata[i]);
  }
  return TRUE;
}

static void
note_when_there(GPtrArray *there, const char *path)
{
  struct stat status;
  if (lstat(path, &status) == 0)
    g_ptr_array_add(there, g_strdup(path));
}

/* Whether what is at the place of ITEM is the same file. */
static gboolean
is_the_same(const ArchiveItem *item)
{
  guint8 hash[CRYPT_SHA256_BYTES];
  guint64 size;
  return tree_hash(item->path, &size, hash, NULL) && size == item->size &&
         crypt_equal(hash, item->sha256, sizeof hash);
}

static gboolean
is_empty(const char *path)
{
  struct stat status;
  return lstat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0;
}

/* A file that is the same already harms nobody. UNUSED: nor does an empty one, or a key:
 * nothing was sealed with it. */
static void
note_items(GPtrArray *there, const Archive *archive, gboolean are_keys, gboolean unused)
{
  for (guint i = 0; archive != NULL && i < archive->items->len; i++) {
    const ArchiveItem *item = archive->items->pdata[i];
    if (item->is_file && !is_the_same(item) &&
        !(unused && (are_keys || is_empty(item->path))))
      note_when_there(there, item->path);
  }
}

/* For tree_walk, of the directory for messages: one that no row of ours would name. */
static gboolean
note_file(const char *path, const struct stat *status, gpointer there, GError **error)
{
  (void) error;
  if (S_ISREG(status->st_mode))
    g_ptr_array_add(there, g_strdup(path));
  return TRUE;
}

static gboolean
note_databases(GPtrArray *there, const Config *config, GError **error)
{
  static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
  HoldingDatabase all[HOLDING_DATABASES];
  holdings_databases(config, all);
  for (guint i = 0; i < HOLDING_DATABASES; i++)
    for (guint e = 0; e < G_N_ELEMENTS(endings); e++) {
      g_autofree char *path = g_strconcat(all[i].path, endings[e], NULL);
      note_when_there(there, path);
    }
  return tree_walk(config->store_directory, note_file, there, error);
}

/* Nothing is here that would be lost, or would be taken for a part of the backup. Where the
 * package was installed and nothing else was done, there are keys and an empty book. */
static gboolean
check_empty(const Restore *restore, GError **error)
{
  g_autoptr(GPtrArray) there = g_ptr_array_new_with_free_func(g_free);
  if (!note_databases(there, restore->config, error))
    return FALSE;
  gboolean unused =
      there->len == 0 && !g_file_test(restore->archive->config, G_FILE_TEST_EXISTS);
  note_items(there, restore->archive, FALSE, unused);
  note_items(there, restore->keys, TRUE, unused);
  if (there->len == 0)
    return TRUE;
  g_autoptr(GString) list = g_string_new(NULL);
  for (guint i = 0; i < MIN(there->len, MAX_TOLD); i++)
    g_string_append_printf(list, "%s%s", i > 0 ? ", " : "", (const char *) there->pdata[i]);
  return command_error(error, ZEGEL_ERROR_CONFIG,
                       "this host is not empty: %s%s; move away what is there, for example "
                       "by giving the directories other names",
                       list->str, there->len > MAX_TOLD ? " and more" : "");
}

/* ---- Users ---- */

static gboolean
find_number(const char *name, guint64 *number)
{
  return g_ascii_string_to_unsigned(name, 10, 0, G_MAXUINT32 - 1, number, NULL);
}

/* Whom ITEM belongs to on this host. */
static gboolean
find_owner(const ArchiveItem *item, uid_t *uid, gid_t *gid, GError **error)
{
  guint64 number;
  const struct passwd *user = getpwnam(item->owner);
  const struct group *group = getgrnam(item->group);
  if (user != NULL)
    *uid = user->pw_uid;
  else if (find_number(item->owner, &number))
    *uid = (uid_t) number;
  else
    return command_error(error, ZEGEL_ERROR_CONFIG,
                         "there is no user %s here: install zegel first", item->owner);
  if (group != NULL)
    *gid = group->gr_gid;
  else if (find_number(item->group, &number))
    *gid = (gid_t) number;
  else
    return command_error(error, ZEGEL_ERROR_CONFIG,
                         "there is no group %s here: install zegel first", item->group);
  return TRUE;
}

static gboolean
has_file(const Archive *archive, const char *path)
{
  for (guint i = 0; i < archive->items->len; i++) {
    const ArchiveItem *item = archive->items->pdata[i];
    if (item->is_file && strcmp(item->path, path) == 0)
      return TRUE;
  }
  return FALSE;
}

/* Whether ITEM of the file with the keys is what backup puts there: a key, or a file beside
 * zegel.conf that its owner alone may read. */
static gboolean
is_secret(const Restore *restore, const ArchiveItem *item)
{
  g_autofree char *directory = g_path_get_dirname(restore->archive->config);
  g_autofree char *below = g_strconcat(directory, "/", NULL);
  gboolean beside = item->is_file && g_str_has_prefix(item->path, below);
  return holdings_is_secret(restore->config, directory, item->path,
                            beside ? S_IFREG | item->mode : 0) &&
         (item->mode & KEY_NEVER_MODE) == 0;
}

/* Nothing vouches for the file with the keys, so it brings keys, and replaces nothing of
 * the manifest. */
static gboolean
check_secrets(const Restore *restore, GError **error)
{
  for (guint i = 0; restore->keys != NULL && i < restore->keys->items->len; i++) {
    const ArchiveItem *item = restore->keys->items->pdata[i];
    if (!is_secret(restore, item) || has_file(restore->archive, item->path))
      return command_error(error, ZEGEL_ERROR_CONFIG, "%s: %s is no key", option_keys,
                           item->path);
  }
  return TRUE;
}

static gboolean
check_owners(const Archive *archive, GError **error)
{
  uid_t uid;
  gid_t gid;
  for (guint i = 0; archive != NULL && i < archive->items->len; i++)
    if (!find_owner(archive->items->pdata[i], &uid, &gid, error))
      return FALSE;
  return TRUE;
}

/* ---- Writing ---- */

/* The file of ITEM, its owner and rights last: nobody has it open before. */
static gboolean
place_file(const Restore *restore, const ArchiveItem *item, GError **error)
{
  g_autofree char *copy = g_strconcat(restore->tree, item->path, NULL);
  const FileRights rights = {.mode = 0600, .owner = (uid_t) -1, .group = (gid_t) -1};
  guint8 hash[CRYPT_SHA256_BYTES];
  guint64 size;
  if (item->content != NULL)
    return file_replace(item->path, (const char *) secret_peek(item->content),
                        secret_size(item->content), &rights, error);
  if (!tree_copy(copy, item->path, &size, hash, error))
    return FALSE;
  if (crypt_equal(hash, item->sha256, sizeof hash))
    return TRUE;
  unlink(item->path);
  return command_error(error, ZEGEL_ERROR_INVALID, "%s: was changed just now", copy);
}

/* A directory that is there stays as it is, and so does a file that is the same. */
static gboolean
place_item(Restore *restore, const ArchiveItem *item, GError **error)
{
  uid_t uid;
  gid_t gid;
  if (item->is_file && is_the_same(item))
    return TRUE;
  g_autofree char *parent = g_path_get_dirname(item->path);
  if (!find_owner(item, &uid, &gid, error))
    return FALSE;
  if (!item->is_file && mkdir(item->path, 0700) < 0)
    return errno == EEXIST || fail(item->path, error);
  if (item->is_file && !place_file(restore, item, error))
    return FALSE;
  g_ptr_array_add(restore->placed, g_strdup(item->path));
  int fd = open(item->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  gboolean given = fd >= 0 && fchown(fd, uid, gid) == 0 && fchmod(fd, item->mode) == 0;
  gboolean good = given || fail(item->path, error);
  if (fd >= 0)
    close(fd);
  return good && tree_sync(parent, error);
}

static gboolean
place_all(Restore *restore, const Archive *archive, GError **error)
{
  for (guint i = 0; archive != NULL && i < archive->items->len; i++)
    if (!place_item(restore, archive->items->pdata[i], error))
      return FALSE;
  return TRUE;
}

/* What was written goes, in the opposite order; and what opening a database made. */
static void
take_back(const Restore *restore)
{
  static const char *const endings[] = SQLITE_FILES;
  HoldingDatabase all[HOLDING_DATABASES];
  holdings_databases(restore->config, all);
  for (guint i = 0; i < HOLDING_DATABASES; i++)
    for (guint e = 0; e < G_N_ELEMENTS(endings); e++) {
      g_autofree char *path = g_strconcat(all[i].path, endings[e], NULL);
      unlink(path);
    }
  for (guint i = restore->placed->len; i > 0; i--)
    remove(restore->placed->pdata[i - 1]);
}

/* For aside_run: the store opens with its keys, and what happened waits in it for the
 * trail.
 */
static int
record_restore(gpointer data)
{
  const Restore *restore = data;
  GError *error = NULL;
  g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(restore->archive->at_s);
  g_autofree char *time = g_date_time_format(at, "%Y-%m-%dT%H:%M:%SZ");
  g_autofree char *user = command_user();
  g_autoptr(Event) event = event_new(EVENT_RESTORED, NULL, NULL, "by", user, "backup",
                                     restore->archive->id, "until", time, NULL);
  g_auto(Opened) opened = {.config = conf_load(restore->archive->config, &error)};
  if (opened.config == NULL || !opened_store(&opened, &error) ||
      !store_record(opened.store, event, &error))
    return command_fail(error);
  event_write(event);
  return EX_OK;
}

static gboolean
write_all(Restore *restore, GError **error)
{
  restore->placed = g_ptr_array_new_with_free_func(g_free);
  if (place_all(restore, restore->archive, error) &&
      place_all(restore, restore->keys, error)) {
    sync(); /* owners and rights too */
    if (aside_run(record_restore, restore) == EX_OK)
      return TRUE;
    command_error(error, ZEGEL_ERROR_TEMPORARY, "the store cannot be opened");
  }
  take_back(restore);
  return FALSE;
}

/* ---- The command ---- */

static gboolean
run(Restore *restore, const char *directory, GError **error)
{
  if (geteuid() != 0)
    return command_error(error, ZEGEL_ERROR_CONFIG,
                         "only root can give files to all users");
  return read_backup(restore, directory, error) && check_programs(restore, error) &&
         check_empty(restore, error) && check_secrets(restore, error) &&
         check_keys(restore, error) && check_owners(restore->archive, error) &&
         check_owners(restore->keys, error) && check_files(restore, error) &&
         write_all(restore, error);
}

static int
run_restore(int argc, char **argv)
{
  GError *error = NULL;
  g_auto(Restore) restore = {.directory = NULL};
  (void) argc;
  if (!run(&restore, argv[0], &error)) {
    g_prefix_error(&error, "nothing was restored: ");
    return command_fail(error);
  }
  g_autofree char *time = time_of(restore.archive);
  printf(
      "Restored %u files of the backup of %s.\n"
      "Start zegel-auditd and the other programs, and then Postfix; zegelctl audit verify\n"
      "says whether the trail is what was written.\n",
      restore.placed->len, time);
  return command_done(EX_OK);
}

static const GOptionEntry restore_options[] = {
    {"keys", 0, 0, G_OPTION_ARG_FILENAME, &option_keys,
     "The keys of the backup; without it those that are here", "FILE"},
    G_OPTION_ENTRY_NULL,
};

const Command restore_commands[] = {
    {{"restore", NULL},
     1,
     1,
     "DIRECTORY [--keys FILE]",
     "Put what zegelctl backup took onto this host, on which nothing of zegel is",
     restore_options,
     run_restore},
    {.words = {NULL}},
};
