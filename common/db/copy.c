/*
 * A copy of a database while others write in it. In WAL mode a reader keeps nobody from
 * writing, so all pages are copied in one step, as of one moment.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/db/internal.h"

#define COPY_MODE 0600

/* With its rights before anything is in it. */
static gboolean
make_file(const char *path, GError **error)
{
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, COPY_MODE);
  if (fd < 0)
    zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, path);
  else
    close(fd);
  return fd >= 0;
}

static gboolean
sync_file(const char *path, GError **error)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  gboolean done = fd >= 0 && fsync(fd) == 0;
  if (!done)
    zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, path);
  if (fd >= 0)
    close(fd);
  return done;
}

/* All pages of FROM into TO, a new database: without a journal, which nobody would use. */
static gboolean
copy_pages(sqlite3 *from, sqlite3 *to, GError **error)
{
  int result = sqlite3_exec(to, "PRAGMA journal_mode = OFF", NULL, NULL, NULL);
  sqlite3_backup *backup =
      result == SQLITE_OK ? sqlite3_backup_init(to, "main", from, "main") : NULL;
  if (backup != NULL) {
    sqlite3_backup_step(backup, -1);
    result = sqlite3_backup_finish(backup); /* has the error of the step */
  } else if (result == SQLITE_OK)
    result = sqlite3_errcode(to);
  if (result != SQLITE_OK)
    db_set_error(to, result, error);
  return result == SQLITE_OK;
}

gboolean
db_copy(Db *db, const char *path, GError **error)
{
  sqlite3 *to = NULL;
  gboolean copied = FALSE;
  if (!make_file(path, error))
    return FALSE;
  int result =
      sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  if (result == SQLITE_OK)
    copied = copy_pages(db->handle, to, error);
  else
    db_set_error(to, result, error);
  sqlite3_close(to);
  if (copied)
    return sync_file(path, error);
  g_prefix_error(error, "%s: ", path);
  return FALSE;
}

gboolean
db_copy_file(const char *from, const char *path, GError **error)
{
  g_autoptr(Db) db = db_open(from, DB_READER, error);
  return db != NULL && db_copy(db, path, error);
}
