#include "common/crypt/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/base/error.h"

gboolean
key_file_check(const char *path, const struct stat *status, GError **error)
{
  if (!S_ISREG(status->st_mode)) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "%s: not a regular file", path);
    return FALSE;
  }
  if ((status->st_mode & 07177) != 0) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG,
                "%s: mode %04o lets others at the key: chmod 0400 it, and rotate the key "
                "if others were there",
                path, (guint) (status->st_mode & 07777));
    return FALSE;
  }
  if (geteuid() != 0 && status->st_uid != geteuid() && status->st_uid != 0) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG,
                "%s: owned by user %u: chown it to the user that runs this program", path,
                (guint) status->st_uid);
    return FALSE;
  }
  return TRUE;
}

Secret *
key_file_read_fd(int fd, const char *path, GError **error)
{
  g_autoptr(Secret) buffer = secret_new(KEY_FILE_MAX_BYTES + 1);
  gsize len = 0;
  while (len <= KEY_FILE_MAX_BYTES) {
    ssize_t n = read(fd, secret_bytes(buffer) + len, KEY_FILE_MAX_BYTES + 1 - len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
      return NULL;
    }
    if (n == 0)
      return secret_new_from(secret_peek(buffer), len);
    len += (gsize) n;
  }
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "%s: too large for a key file", path);
  return NULL;
}

Secret *
key_file_read(const char *path, GError **error)
{
  /* O_NONBLOCK: a FIFO in its place must not hang us. */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
    return NULL;
  }
  struct stat status;
  Secret *bytes = NULL;
  if (fstat(fd, &status) < 0)
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
  else if (key_file_check(path, &status, error))
    bytes = key_file_read_fd(fd, path, error);
  close(fd);
  return bytes;
}
