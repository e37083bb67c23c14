#include "common/store/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/store/internal.h"

#define PIECE_BYTES 131072
#define MAX_ROUNDS  20 /* of a store in which something is removed all the time */
#define FILE_MODE   0600

typedef struct {
  Db *db;
  const char *directory, *to_directory;
  GHashTable *copied;  /* names of files that were */
  GHashTable *missing; /* names of files that once were not there */
  guint gone;          /* how many of this round were removed meanwhile */
} Copy;

/* ---- One sealed file ---- */

static gboolean
fail(const char *path, GError **error)
{
  zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, path);
  return FALSE;
}

static gboolean
write_all(int fd, const guint8 *bytes, gsize len)
{
  while (len > 0) {
    ssize_t n = write(fd, bytes, len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return FALSE;
    bytes += n;
    len -= (gsize) n;
  }
  return TRUE;
}

/* All of FROM into TO, with its owner and rights, synced. FALSE with errno. */
static gboolean
copy_bytes(int from, int to)
{
  g_autofree guint8 *piece = g_malloc(PIECE_BYTES);
  struct stat status;
  ssize_t n;
  while ((n = read(from, piece, PIECE_BYTES)) != 0) {
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 || !write_all(to, piece, (gsize) n))
      return FALSE;
  }
  return fstat(from, &status) == 0 && fchown(to, status.st_uid, status.st_gid) == 0 &&
         fchmod(to, status.st_mode & 07777) == 0 && fsync(to) == 0;
}

/* Makes the directory of the file at TO_PATH like that of the one at PATH. */
static gboolean
make_directory(const char *path, const char *to_path, GError **error)
{
  g_autofree char *from = g_path_get_dirname(path);
  g_autofree char *to = g_path_get_dirname(to_path);
  struct stat status;
  if (mkdir(to, 0700) < 0)
    return errno == EEXIST || fail(to, error);
  return (stat(from, &status) == 0 && chown(to, status.st_uid, status.st_gid) == 0 &&
          chmod(to, status.st_mode & 07777) == 0) ||
         fail(to, error);
}

/*
 * The file NAME, at PATH, is not there. The row goes before its file does: when a later
 * database names it still, it is lost, and the rest is copied all the same.
 */
static void
note_missing(Copy *copy, const char *name, const char *path)
{
  if (g_hash_table_add(copy->missing, g_strdup(name))) {
    copy->gone++;
    return;
  }
  log_line(LOG_LEVEL_ALARM,
           "%s: is gone, and a message needs it; the copy of the store "
           "goes without",
           path);
  g_hash_table_add(copy->copied, g_strdup(name));
}

/* Copies the file NAME; one that is not there is noted. */
static gboolean
copy_file(Copy *copy, const char *name, GError **error)
{
  g_autofree char *path = large_file_path(copy->directory, name);
  g_autofree char *to_path = large_file_path(copy->to_directory, name);
  if (path == NULL) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "the store names a file %s", name);
    return FALSE;
  }
  int from = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (from < 0 && errno == ENOENT) {
    note_missing(copy, name, path);
    return TRUE;
  }
  if (from < 0)
    return fail(path, error);
  gboolean done = FALSE;
  int to = -1;
  if (make_directory(path, to_path, error)) {
    to = open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    done = (to >= 0 && copy_bytes(from, to)) || fail(to_path, error);
  }
  if (to >= 0)
    close(to);
  close(from);
  if (done)
    g_hash_table_add(copy->copied, g_strdup(name));
  return done;
}

/* ---- All of them ---- */

/* The names of all files that the database needs, in the open transaction. */
static GPtrArray *
needed_files(Db *db, GError **error)
{
  static const char sql[] = "SELECT file FROM message WHERE file IS NOT NULL";
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(Query) query = db_query(db, sql, DB_NO_VALUES, error);
  int step = query != NULL ? 1 : -1;
  while (step > 0 && (step = query_step(query, error)) > 0)
    g_ptr_array_add(names, g_strdup(query_text(query, 0)));
  return step == 0 ? g_steal_pointer(&names) : NULL;
}

/* What the database needs and, when TO_DATABASE is not NULL, the database: of one moment.
 */
static GPtrArray *
take_snapshot(Db *db, const char *to_database, GError **error)
{
  if (!db_exec(db, "BEGIN", error))
    return NULL;
  g_autoptr(GPtrArray) names = needed_files(db, error);
  gboolean done = names != NULL && (to_database == NULL || db_copy(db, to_database, error));
  db_exec(db, "ROLLBACK", NULL); /* nothing was written */
  return done ? g_steal_pointer(&names) : NULL;
}

/* Copies of NAMES those that were not yet. */
static gboolean
copy_missing(Copy *copy, const GPtrArray *names, GError **error)
{
  copy->gone = 0;
  for (guint i = 0; i < names->len; i++)
    if (!g_hash_table_contains(copy->copied, names->pdata[i]) &&
        !copy_file(copy, names->pdata[i], error))
      return FALSE;
  return TRUE;
}

/* Removes copies that the database, which needs NAMES, no longer needs. */
static void
remove_others(Copy *copy, const GPtrArray *names)
{
  GHashTableIter iter;
  gpointer name;
  for (guint i = 0; i < names->len; i++)
    g_hash_table_remove(copy->copied, names->pdata[i]);
  g_hash_table_iter_init(&iter, copy->copied);
  while (g_hash_table_iter_next(&iter, &name, NULL))
    large_file_remove(copy->to_directory, name);
}

/*
 * A file may be removed between the moment of the database and its own turn: then its
 * message ended meanwhile, and the database is copied once more. Most files are copied
 * before the first such moment, so that little time passes behind it.
 */
static gboolean
copy_all(Copy *copy, const char *to_database, GError **error)
{
  for (guint round = 0; round < MAX_ROUNDS; round++) {
    const char *to = round > 0 ? to_database : NULL;
    if (to != NULL && unlink(to) < 0 && errno != ENOENT)
      return fail(to, error);
    g_autoptr(GPtrArray) names = take_snapshot(copy->db, to, error);
    if (names == NULL || !copy_missing(copy, names, error))
      return FALSE;
    if (to != NULL && copy->gone == 0) {
      remove_others(copy, names);
      return TRUE;
    }
  }
  g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY,
                      "messages are removed from the store faster than it can be copied");
  return FALSE;
}

static gboolean
copy_rights(const char *from, const char *to, GError **error)
{
  struct stat status;
  return (stat(from, &status) == 0 && chown(to, status.st_uid, status.st_gid) == 0 &&
          chmod(to, status.st_mode & 07777) == 0) ||
         fail(to, error);
}

gboolean
store_copy(const char *database, const char *directory, const char *to_database,
           const char *to_directory, GError **error)
{
  g_autoptr(Db) db = db_open(database, DB_READER, error);
  if (db == NULL)
    return FALSE;
  g_autoptr(GHashTable) copied =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr(GHashTable) missing =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  Copy copy = {db, directory, to_directory, copied, missing, 0};
  return copy_all(&copy, to_database, error) && copy_rights(database, to_database, error) &&
         copy_rights(directory, to_directory, error);
}

/* ---- How it stands ---- */

gboolean
store_status(const char *database, StoreStatus *status, GError **error)
{
  static const char sql[] =
      "SELECT (SELECT count(*) FROM entry WHERE expires_s > ?1),"
      " (SELECT count(*) FROM entry WHERE notified IS NULL AND shared = 0"
      "  AND message_key IS NOT NULL),"
      " (SELECT min(received_s) FROM entry WHERE notified IS NULL AND shared = 0"
      "  AND message_key IS NOT NULL),"
      " (SELECT count(*) FROM outbox)";
  g_autoptr(Db) db = db_open(database, DB_READER, error);
  if (db == NULL)
    return FALSE;
  g_autoptr(Query) query =
      db_query(db, sql, DB_VALUES(V_INT(g_get_real_time() / G_USEC_PER_SEC)), error);
  if (query == NULL || query_step(query, error) != 1)
    return FALSE;
  status->entries = (guint64) query_int(query, 0);
  status->unnotified = (guint64) query_int(query, 1);
  status->oldest_unnotified_s = query_int(query, 2);
  status->waiting_events = (guint64) query_int(query, 3);
  return TRUE;
}
