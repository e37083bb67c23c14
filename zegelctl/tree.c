#include "zegelctl/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "zegelctl/file.h"

#define PIECE_BYTES 131072
#define FILE_MODE   0600
#define MAX_OPEN    16 /* directories at a time, of nftw */

static gboolean
fail(const char *path, GError **error)
{
  zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, path);
  return FALSE;
}

/* ---- Walking ---- */

static int
compare_names(gconstpointer a, gconstpointer b)
{
  return strcmp(*(char *const *) a, *(char *const *) b);
}

/* The names in the directory PATH, in order. */
static GPtrArray *
names_in(const char *path, GError **error)
{
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  DIR *directory = opendir(path);
  if (directory == NULL) {
    fail(path, error);
    return NULL;
  }
  for (struct dirent *one; (one = readdir(directory)) != NULL;)
    if (g_strcmp0(one->d_name, ".") != 0 && g_strcmp0(one->d_name, "..") != 0)
      g_ptr_array_add(names, g_strdup(one->d_name));
  closedir(directory);
  g_ptr_array_sort(names, compare_names);
  return g_steal_pointer(&names);
}

static gboolean
walk(const char *path, guint depth, TreeFunc func, gpointer data, GError **error)
{
  struct stat status;
  if (lstat(path, &status) < 0)
    return errno == ENOENT || fail(path, error); /* gone since its name was read */
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
    return TRUE;
  if (!func(path, &status, data, error))
    return FALSE;
  if (!S_ISDIR(status.st_mode))
    return TRUE;
  if (depth == TREE_MAX_DEPTH) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT, "%s: too deep", path);
    return FALSE;
  }
  g_autoptr(GPtrArray) names = names_in(path, error);
  for (guint i = 0; names != NULL && i < names->len; i++) {
    g_autofree char *below = g_build_filename(path, names->pdata[i], NULL);
    if (!walk(below, depth + 1, func, data, error))
      return FALSE;
  }
  return names != NULL;
}

gboolean
tree_walk(const char *path, TreeFunc func, gpointer data, GError **error)
{
  return walk(path, 0, func, data, error);
}

/* ---- Files ---- */

/* Reads FROM to its end, and writes what it reads to TO unless that is -1. FALSE with
 * errno.
 */
static gboolean
pump(int from, int to, guint64 *size, guint8 sha256[CRYPT_SHA256_BYTES])
{
  g_autofree char *piece = g_malloc(PIECE_BYTES);
  g_autoptr(CryptHash) hash = crypt_hash_new();
  ssize_t n;
  *size = 0;
  while ((n = read(from, piece, PIECE_BYTES)) != 0) {
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 || (to >= 0 && !file_write_all(to, piece, (gsize) n)))
      return FALSE;
    crypt_hash_update(hash, piece, (gsize) n);
    *size += (guint64) n;
  }
  crypt_hash_finish(hash, sha256);
  return TRUE;
}

gboolean
tree_hash(const char *path, guint64 *size, guint8 sha256[CRYPT_SHA256_BYTES],
          GError **error)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  gboolean done = (fd >= 0 && pump(fd, -1, size, sha256)) || fail(path, error);
  if (fd >= 0)
    close(fd);
  return done;
}

gboolean
tree_copy(const char *from, const char *to, guint64 *size,
          guint8 sha256[CRYPT_SHA256_BYTES], GError **error)
{
  int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (in < 0)
    return fail(from, error);
  int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
  gboolean done =
      (out >= 0 && pump(in, out, size, sha256) && fsync(out) == 0) || fail(to, error);
  if (!done && out >= 0)
    unlink(to);
  if (out >= 0)
    close(out);
  close(in);
  return done;
}

gboolean
tree_copy_rights(const char *from, const char *to, GError **error)
{
  struct stat status;
  if (lstat(from, &status) < 0)
    return fail(from, error);
  return (lchown(to, status.st_uid, status.st_gid) == 0 &&
          chmod(to, status.st_mode & 07777) == 0) ||
         fail(to, error);
}

gboolean
tree_sync(const char *path, GError **error)
{
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean done = (fd >= 0 && fsync(fd) == 0) || fail(path, error);
  if (fd >= 0)
    close(fd);
  return done;
}

static int
remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk_state)
{
  (void) status;
  (void) kind;
  (void) walk_state;
  remove(path);
  return 0;
}

void
tree_remove(const char *path)
{
  nftw(path, remove_one, MAX_OPEN, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
