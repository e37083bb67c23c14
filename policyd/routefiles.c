#include "policyd/routefiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/log.h"

#define FILE_MODE 0640

enum {
  MAIN,
  WAL,
  SHM
};
static const char *const suffixes[ROUTE_FILES_COUNT] = {
    [MAIN] = "", [WAL] = "-wal", [SHM] = "-shm"};

static char *
name_of(const char *path, guint file)
{
  return g_strconcat(path, suffixes[file], NULL);
}

gboolean
route_files_prepare(const char *path, gid_t group, GError **error)
{
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
    if (fd >= 0)
      close(fd);
    return FALSE;
  }
  gboolean good = (group == (gid_t) -1 || status.st_gid == group ||
                   fchown(fd, (uid_t) -1, group) == 0) &&
                  fchmod(fd, FILE_MODE) == 0;
  close(fd);
  if (!good)
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG,
                "%s: must be ours and of Postfix's group: chown the directory to the user "
                "of policyd and that group, chmod 2750, and the files in it too",
                path);
  return good;
}

/* ---- Rights ---- */

/*
 * Who is not in the group cannot give a directory its setgid bit back (chmod(2)). Without
 * it the files that are there can be used, but no new one gets the group: that takes a
 * hand.
 */
static void
mend_directory(const char *path, gid_t group)
{
  g_autofree char *directory = g_path_get_dirname(path);
  mode_t needed = group == (gid_t) -1 ? 0700 : 02750;
  mode_t vital = needed & 0777;
  struct stat status;
  if (stat(directory, &status) < 0 || status.st_uid != geteuid() ||
      (status.st_mode & vital) == vital)
    return;
  mode_t mode = (status.st_mode & 07777) | needed;
  gboolean done = chmod(directory, mode) == 0 && stat(directory, &status) == 0;
  log_line(LOG_LEVEL_ALARM, "the rights of %s were taken away: %s", directory,
           !done                                 ? "they cannot be mended"
           : (status.st_mode & needed) == needed ? "they are mended"
                                                 : "they are mended, but for chmod g+s");
}

static void
mend_file(const char *path, gid_t group)
{
  struct stat status;
  if (lstat(path, &status) < 0 || !S_ISREG(status.st_mode) || status.st_uid != geteuid())
    return;
  gboolean group_good = group == (gid_t) -1 || status.st_gid == group;
  if (group_good && (status.st_mode & 07777) == FILE_MODE)
    return;
  gboolean done =
      (group_good || lchown(path, (uid_t) -1, group) == 0) && chmod(path, FILE_MODE) == 0;
  log_line(LOG_LEVEL_ALARM, "the rights of %s were taken away: %s", path,
           done ? "they are mended" : "they cannot be mended");
}

void
route_files_mend(const char *path, gid_t group)
{
  mend_directory(path, group);
  for (guint i = 0; i < ROUTE_FILES_COUNT; i++) {
    g_autofree char *name = name_of(path, i);
    mend_file(name, group);
  }
}

/* ---- The same files? ---- */

void
route_files_mark(const char *path, RouteFilesMark *mark)
{
  for (guint i = 0; i < ROUTE_FILES_COUNT; i++) {
    g_autofree char *name = name_of(path, i);
    if (lstat(name, &mark->status[i]) < 0)
      mark->status[i] = (struct stat){0};
  }
}

static gboolean
is_same_file(const struct stat *was, const struct stat *is, gid_t group)
{
  return is->st_ino != 0 && was->st_dev == is->st_dev && was->st_ino == is->st_ino &&
         S_ISREG(is->st_mode) && is->st_uid == geteuid() &&
         (group == (gid_t) -1 || is->st_gid == group);
}

/* Readers write in -shm, and SQLite itself checks what stands there. */
static gboolean
is_written(const struct stat *was, const struct stat *is, guint file)
{
  return file != SHM &&
         (was->st_size != is->st_size || was->st_mtim.tv_sec != is->st_mtim.tv_sec ||
          was->st_mtim.tv_nsec != is->st_mtim.tv_nsec);
}

RouteFilesState
route_files_compare(const char *path, gid_t group, const RouteFilesMark *mark)
{
  RouteFilesMark now;
  RouteFilesState state = ROUTE_FILES_SAME;
  route_files_mark(path, &now);
  for (guint i = 0; i < ROUTE_FILES_COUNT; i++) {
    if (!is_same_file(&mark->status[i], &now.status[i], group))
      return ROUTE_FILES_OTHER;
    if (is_written(&mark->status[i], &now.status[i], i))
      state = ROUTE_FILES_TOUCHED;
  }
  return state;
}

/* ---- Another in its place ---- */

static void
keep_aside(const char *path, const char *aside)
{
  unlink(aside);
  if (link(path, aside) < 0 && errno != ENOENT)
    log_line(LOG_LEVEL_ALARM, "%s could not be kept as %s: %s", path, aside,
             g_strerror(errno));
}

/* Power loss must not bring back the file that was replaced. */
static gboolean
sync_directory(const char *path)
{
  g_autofree char *directory = g_path_get_dirname(path);
  int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean done = fd >= 0 && fsync(fd) == 0;
  if (fd >= 0)
    close(fd);
  return done;
}

gboolean
route_files_replace(const char *fresh, const char *path, const char *aside, GError **error)
{
  gboolean good = TRUE;
  g_autofree char *old_wal = name_of(path, WAL);
  g_autofree char *old_shm = name_of(path, SHM);
  if (aside != NULL)
    keep_aside(path, aside);
  unlink(old_wal);
  unlink(old_shm);
  for (guint i = 0; good && i < ROUTE_FILES_COUNT; i++) {
    g_autofree char *from = name_of(fresh, i);
    g_autofree char *to = name_of(path, i);
    good = rename(from, to) == 0;
  }
  good = good && sync_directory(path);
  if (!good)
    zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, path);
  return good;
}

void
route_files_remove(const char *path)
{
  g_autofree char *journal = g_strconcat(path, "-journal", NULL);
  unlink(journal);
  for (guint i = 0; i < ROUTE_FILES_COUNT; i++) {
    g_autofree char *name = name_of(path, i);
    unlink(name);
  }
}
