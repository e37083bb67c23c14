/*
 * Sealed messages too large for the database. A file is complete and synced under its final
 * name before the row that names it is committed; what is left without a row by a crash is
 * swept later. Whoever writes a file holds a lock on it, so that no sweep takes it away.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/store/internal.h"

#define NAME_BYTES     16   /* random; 32 digits */
#define FILE_MODE      0640 /* deliver writes, the viewer reads */
#define DIRECTORY_MODE 02770
#define TEMPORARY      ".new"
#define SWEEP_AGE_S    3600 /* a younger file may be on its way to a commit */

struct LargeFile {
  char *name;
  char *directory; /* of the file itself */
  char *path;
  char *temporary;
  int fd;
  gboolean placed;
};

static gboolean
is_name(const char *name)
{
  return strlen(name) == 2 * NAME_BYTES &&
         strspn(name, "0123456789abcdef") == 2 * NAME_BYTES;
}

static char *
path_of(const char *directory, const char *name)
{
  return g_strdup_printf("%s/%.2s/%s", directory, name, name);
}

char *
large_file_path(const char *directory, const char *name)
{
  return is_name(name) ? path_of(directory, name) : NULL;
}

static gboolean
fail(const char *what, GError **error)
{
  zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, what);
  return FALSE;
}

static gboolean
sync_directory(const char *path, GError **error)
{
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return fail(path, error);
  gboolean done = fsync(fd) == 0 || fail(path, error);
  close(fd);
  return done;
}

/* Makes the directory of FILE below DIRECTORY, one of 256. */
static gboolean
make_directory(const LargeFile *file, const char *directory, GError **error)
{
  struct stat status;
  if (mkdir(file->directory, 0700) < 0 && errno != EEXIST)
    return fail(file->directory, error);
  if (stat(file->directory, &status) < 0)
    return fail(file->directory, error);
  if ((status.st_mode & 07777) == DIRECTORY_MODE)
    return TRUE;
  /* The mode comes last: who was killed before it leaves the rest to the next one. */
  return sync_directory(directory, error) &&
         (chmod(file->directory, DIRECTORY_MODE) == 0 || fail(file->directory, error));
}

LargeFile *
large_file_new(const char *directory, GError **error)
{
  guint8 random[NAME_BYTES];
  if (!crypt_random(random, sizeof random, error))
    return NULL;
  g_autoptr(LargeFile) file = g_new0(LargeFile, 1);
  file->fd = -1;
  file->name = crypt_hex(random, sizeof random);
  file->directory = g_strdup_printf("%s/%.2s", directory, file->name);
  file->path = path_of(directory, file->name);
  file->temporary = g_strconcat(file->path, TEMPORARY, NULL);
  if (!make_directory(file, directory, error))
    return NULL;
  file->fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                  FILE_MODE);
  if (file->fd < 0 || fchmod(file->fd, FILE_MODE) < 0 ||
      flock(file->fd, LOCK_EX | LOCK_NB) < 0) {
    fail(file->temporary, error);
    return NULL;
  }
  return g_steal_pointer(&file);
}

gboolean
large_file_append(LargeFile *file, gconstpointer bytes, gsize len, GError **error)
{
  const guint8 *from = bytes;
  while (len > 0) {
    ssize_t n = write(file->fd, from, len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return fail(file->temporary, error);
    from += n;
    len -= (gsize) n;
  }
  return TRUE;
}

gboolean
large_file_place(LargeFile *file, GError **error)
{
  if (fsync(file->fd) < 0 || rename(file->temporary, file->path) < 0)
    return fail(file->temporary, error);
  file->placed = TRUE;
  return sync_directory(file->directory, error);
}

const char *
large_file_name(const LargeFile *file)
{
  return file->name;
}

void
large_file_discard(LargeFile *file)
{
  unlink(file->placed ? file->path : file->temporary);
  file->placed = TRUE; /* nothing is left to remove */
}

void
large_file_free(LargeFile *file)
{
  if (file == NULL)
    return;
  if (file->fd >= 0 && !file->placed)
    unlink(file->temporary);
  if (file->fd >= 0)
    close(file->fd);
  g_free(file->name);
  g_free(file->directory);
  g_free(file->path);
  g_free(file->temporary);
  g_free(file);
}

int
large_file_open(const char *directory, const char *name, GError **error)
{
  g_autofree char *path = large_file_path(directory, name);
  int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
  if (fd >= 0)
    return fd;
  if (path == NULL || errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED,
                        "the file of the message is gone");
  else
    fail(path, error);
  return -1;
}

void
large_file_remove(const char *directory, const char *name)
{
  g_autofree char *path = large_file_path(directory, name);
  if (path != NULL && unlink(path) < 0 && errno != ENOENT)
    log_line(LOG_LEVEL_WARNING, "%s: %s", path, g_strerror(errno));
}

/* Whether the file is old and nobody holds it. *FD then has our own lock on it. */
static gboolean
is_left(const char *path, int *fd)
{
  struct stat status;
  *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  return *fd >= 0 && fstat(*fd, &status) == 0 && S_ISREG(status.st_mode) &&
         time(NULL) - status.st_mtime > SWEEP_AGE_S && flock(*fd, LOCK_EX | LOCK_NB) == 0;
}

/* The rows are asked under our lock: whoever had it before has committed or given up. */
static void
sweep_file(const char *directory, const char *file_name, LargeFileKnown known,
           gpointer data)
{
  g_autofree char *path = g_build_filename(directory, file_name, NULL);
  g_autofree char *name = g_strndup(file_name, 2 * NAME_BYTES);
  const char *ending = strlen(file_name) > strlen(name) ? file_name + strlen(name) : "";
  if (!is_name(name) || (*ending != '\0' && strcmp(ending, TEMPORARY) != 0))
    return;
  int fd = -1;
  if (is_left(path, &fd) && (*ending != '\0' || known(name, data) == 0) &&
      unlink(path) < 0 && errno != ENOENT)
    log_line(LOG_LEVEL_WARNING, "%s: %s", path, g_strerror(errno));
  if (fd >= 0)
    close(fd);
}

void
large_file_sweep(const char *directory, LargeFileKnown known, gpointer data)
{
  for (guint i = 0; i < 256; i++) {
    g_autofree char *path = g_strdup_printf("%s/%02x", directory, i);
    DIR *files = opendir(path);
    for (struct dirent *file; files != NULL && (file = readdir(files)) != NULL;)
      sweep_file(path, file->d_name, known, data);
    if (files != NULL)
      closedir(files);
  }
}
