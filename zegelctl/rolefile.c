#include "zegelctl/rolefile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"

#define NEW_MODE  0644 /* it holds no secret */
#define MAX_BYTES (1024 * 1024)

static gboolean
is_safe(const char *path, const struct stat *status, GError **error)
{
  if (!S_ISREG(status->st_mode) || status->st_size > MAX_BYTES)
    return command_error(error, ZEGEL_ERROR_CONFIG, "%s: this is no file of roles", path);
  if (status->st_uid != 0 && status->st_uid != geteuid())
    return command_error(error, ZEGEL_ERROR_CONFIG,
                         "%s: its owner must be root: chown root %s", path, path);
  if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return command_error(error, ZEGEL_ERROR_CONFIG,
                         "%s: only its owner may write it: chmod go-w %s", path, path);
  return TRUE;
}

/* All of the file at FD; NULL with an error. */
static GString *
read_all(int fd, const char *path, GError **error)
{
  g_autofree char *buffer = g_malloc(MAX_BYTES);
  GString *text = g_string_new(NULL);
  gssize count;
  while ((count = read(fd, buffer, MAX_BYTES)) > 0 && text->len <= MAX_BYTES)
    g_string_append_len(text, buffer, count);
  if (count == 0)
    return text;
  zegel_error_errno(error, ZEGEL_ERROR_CONFIG, count < 0 ? errno : EFBIG, path);
  g_string_free(text, TRUE);
  return NULL;
}

/* The text of the file at PATH, "" when there is none, and its RIGHTS. */
static GString *
read_file(const char *path, FileRights *rights, GError **error)
{
  struct stat status;
  GString *text = NULL;
  *rights = (FileRights){NEW_MODE, (uid_t) -1, (gid_t) -1};
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 && errno == ENOENT)
    return g_string_new(NULL);
  if (fd < 0 || fstat(fd, &status) != 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
  } else if (is_safe(path, &status, error)) {
    *rights = (FileRights){status.st_mode & 07777, status.st_uid, status.st_gid};
    text = read_all(fd, path, error);
  }
  if (fd >= 0)
    close(fd);
  return text;
}

Roles *
role_file_load(const char *path, GError **error)
{
  FileRights rights;
  GString *text = read_file(path, &rights, error);
  if (text == NULL)
    return NULL;
  Roles *roles = roles_parse(path, text->str, text->len, error);
  g_string_free(text, TRUE);
  return roles;
}

RoleFile *
role_file_open(const char *path, GError **error)
{
  g_autoptr(RoleFile) file = g_new0(RoleFile, 1);
  file->path = file_resolve(path);
  file->lock = file_lock_directory(file->path, ROLE_FILE_LOCK_S, error);
  if (file->lock >= 0)
    file->text = read_file(file->path, &file->rights, error);
  if (file->text != NULL)
    file->roles = roles_parse(file->path, file->text->str, file->text->len, error);
  return file->roles != NULL ? g_steal_pointer(&file) : NULL;
}

gboolean
role_file_change(RoleFile *file, const Edit *edit, GError **error)
{
  GString *text = edit_apply(edit, file->text->str, file->text->len);
  g_autoptr(Roles) roles = roles_parse(file->path, text->str, text->len, error);
  gboolean good =
      roles != NULL && file_replace(file->path, text->str, text->len, &file->rights, error);
  g_string_free(text, TRUE);
  return good;
}

void
role_file_close(RoleFile *file)
{
  if (file == NULL)
    return;
  if (file->lock >= 0)
    close(file->lock); /* and the lock goes with it */
  if (file->text != NULL)
    g_string_free(file->text, TRUE);
  roles_free(file->roles);
  g_free(file->path);
  g_free(file);
}
