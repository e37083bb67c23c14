#include "zegelctl/key.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"

/*
 * Who holds which key, readers before makers: a program that made something with a new key
 * before the reader knows it would only cause delay, but there is no need for that.
 */
static const struct {
  KeyPurpose purpose;
  const char *program;
  gsize path; /* offsets in Config */
  gsize user;
} holders[] = {
    {KEY_LINK, "zegel-deliver", offsetof(Config, deliver_link_key),
     offsetof(Config, deliver_user)},
    {KEY_STORE, "zegel-viewer", offsetof(Config, viewer_store_key),
     offsetof(Config, viewer_user)},
    {KEY_STORE, "zegel-deliver", offsetof(Config, deliver_store_key),
     offsetof(Config, deliver_user)},
    {KEY_TICKET, "zegel-deliver", offsetof(Config, deliver_ticket_key),
     offsetof(Config, deliver_user)},
    {KEY_TICKET, "zegel-milter", offsetof(Config, milter_ticket_key),
     offsetof(Config, milter_user)},
};

static const char *
config_text(const Config *config, gsize offset)
{
  return *(char *const *) (gconstpointer) ((const char *) config + offset);
}

static gboolean
give_to_user(int fd, const char *user, GError **error)
{
  if (geteuid() != 0)
    return TRUE;
  const struct passwd *entry = getpwnam(user);
  if (entry == NULL) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "user %s does not exist", user);
    return FALSE;
  }
  if (fchown(fd, entry->pw_uid, entry->pw_gid) == 0)
    return TRUE;
  zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, user);
  return FALSE;
}

/* Writes and syncs LEN bytes at BYTES to a new file at PATH, for USER alone. */
static gboolean
write_new(const char *path, const char *user, const char *bytes, gsize len, GError **error)
{
  unlink(path); /* of a run that was cut off */
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
  gboolean good = fd >= 0 && write(fd, bytes, len) == (ssize_t) len && fsync(fd) == 0;
  if (!good)
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
  good = good && give_to_user(fd, user, error);
  if (fd >= 0)
    close(fd);
  return good;
}

static gboolean
sync_directory(const char *path, GError **error)
{
  g_autofree char *directory = g_path_get_dirname(path);
  int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean good = fd >= 0 && fsync(fd) == 0;
  if (!good)
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, directory);
  if (fd >= 0)
    close(fd);
  return good;
}

/* The file at FROM to TO in one step, for USER. */
static gboolean
copy_file(const char *from, const char *to, const char *user, GError **error)
{
  char *bytes = NULL;
  gsize len = 0;
  g_autoptr(GError) reason = NULL;
  if (!g_file_get_contents(from, &bytes, &len, &reason)) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, reason->message);
    return FALSE;
  }
  g_autofree char *temporary = g_strconcat(to, ".new", NULL);
  gboolean good = write_new(temporary, user, bytes, len, error);
  secret_wipe(bytes, len);
  g_free(bytes);
  if (good && rename(temporary, to) != 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, to);
    good = FALSE;
  }
  return good && sync_directory(to, error);
}

/* A new file belongs to its user; key_file_generate keeps the owner of an old one. */
static gboolean
generate_at(const char *path, KeyPurpose purpose, const char *user, GError **error)
{
  if (!key_file_generate(path, purpose, error))
    return FALSE;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
    return FALSE;
  }
  gboolean good = give_to_user(fd, user, error);
  close(fd);
  return good;
}

static gboolean
make_directory(const char *path, GError **error)
{
  g_autofree char *directory = g_path_get_dirname(path);
  if (g_mkdir_with_parents(directory, 0755) == 0)
    return TRUE;
  zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, directory);
  return FALSE;
}

gboolean
key_distribute(const Config *config, KeyPurpose purpose, char **restart, GError **error)
{
  g_autoptr(GString) programs = g_string_new(NULL);
  const char *first = NULL;
  for (guint i = 0; i < G_N_ELEMENTS(holders); i++) {
    if (holders[i].purpose != purpose)
      continue;
    const char *path = config_text(config, holders[i].path);
    const char *user = config_text(config, holders[i].user);
    if (!make_directory(path, error))
      return FALSE;
    if (first == NULL ? !generate_at(path, purpose, user, error)
                      : strcmp(first, path) != 0 && !copy_file(first, path, user, error))
      return FALSE;
    g_string_append_printf(programs, "%s%s", first != NULL ? ", " : "", holders[i].program);
    first = first != NULL ? first : path;
  }
  *restart = g_string_free(g_steal_pointer(&programs), FALSE);
  return TRUE;
}
