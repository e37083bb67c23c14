#include "zegelctl/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "zegelctl/command.h"

#define LOCK_LOOK_MS 50

gboolean
file_write_all(int fd, const char *bytes, gsize len)
{
  while (len > 0) {
    gssize count = write(fd, bytes, len);
    if (count < 0 && errno != EINTR)
      return FALSE;
    bytes += count > 0 ? count : 0;
    len -= count > 0 ? (gsize) count : 0;
  }
  return TRUE;
}

/* The mode comes last: a change of the owner takes bits of it away. */
static gboolean
give_rights(int fd, const FileRights *rights)
{
  gboolean keep = rights->owner == (uid_t) -1 && rights->group == (gid_t) -1;
  return (keep || fchown(fd, rights->owner, rights->group) == 0) &&
         fchmod(fd, rights->mode) == 0;
}

static gboolean
write_new(const char *path, const char *bytes, gsize len, const FileRights *rights,
          GError **error)
{
  unlink(path);
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
  gboolean good = fd >= 0 && file_write_all(fd, bytes, len) && give_rights(fd, rights) &&
                  fsync(fd) == 0;
  if (!good)
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
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

char *
file_resolve(const char *path)
{
  char *resolved = realpath(path, NULL);
  char *copy = g_strdup(resolved != NULL ? resolved : path);
  free(resolved);
  return copy;
}

int
file_lock_directory(const char *path, guint wait_s, GError **error)
{
  g_autofree char *directory = g_path_get_dirname(path);
  gint64 end_us = g_get_monotonic_time() + wait_s * G_TIME_SPAN_SECOND;
  int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, directory);
  while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
    gboolean held = errno == EWOULDBLOCK || errno == EINTR;
    if (held && g_get_monotonic_time() <= end_us) {
      g_usleep(LOCK_LOOK_MS * 1000);
      continue;
    }
    if (held)
      command_error(error, ZEGEL_ERROR_TEMPORARY,
                    "%s: another program has locked this directory", directory);
    else
      zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, directory);
    close(fd);
    return -1;
  }
  return fd;
}

gboolean
file_replace(const char *path, const char *bytes, gsize len, const FileRights *rights,
             GError **error)
{
  g_autofree char *temporary = g_strconcat(path, ".new", NULL);
  gboolean good = write_new(temporary, bytes, len, rights, error);
  if (good && rename(temporary, path) != 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
    good = FALSE;
  }
  if (!good)
    unlink(temporary);
  return good && sync_directory(path, error);
}
