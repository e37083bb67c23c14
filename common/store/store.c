#include "common/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/store/internal.h"

/* Two users share the store through one group: deliver and viewer. */
#define DATABASE_MODE  0660
#define DIRECTORY_MODE 02770

gint64
store_now(const Store *store)
{
  return g_get_real_time() / G_USEC_PER_SEC + store->skew_s;
}

static gboolean
sync_directory(const char *path, GError **error)
{
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean done = fd >= 0 && fsync(fd) == 0;
  if (!done)
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
  if (fd >= 0)
    close(fd);
  return done;
}

static gboolean
make_directory(const char *path, GError **error)
{
  if (mkdir(path, 0700) < 0) {
    if (errno == EEXIST)
      return TRUE;
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
    return FALSE;
  }
  if (chmod(path, DIRECTORY_MODE) < 0) { /* whatever the umask */
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
    return FALSE;
  }
  return TRUE;
}

/*
 * Makes the database file when it is missing, with rights for the group: SQLite gives its
 * log the same. One that exists is not opened here: closing it would drop SQLite's locks.
 */
static gboolean
make_database(const char *path, GError **error)
{
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, DATABASE_MODE);
  if (fd < 0 && errno == EEXIST)
    return TRUE;
  gboolean made = fd >= 0 && fchmod(fd, DATABASE_MODE) == 0;
  if (!made)
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
  if (fd >= 0)
    close(fd);
  g_autofree char *directory = g_path_get_dirname(path);
  return made && sync_directory(directory, error);
}

static gboolean
make_all(const Store *store, GError **error)
{
  g_autofree char *parent = g_path_get_dirname(store->path);
  return make_directory(parent, error) && make_directory(store->directory, error) &&
         make_database(store->path, error);
}

Db *
store_get_reader(Store *store, GError **error)
{
  Db *db = NULL;
  g_mutex_lock(&store->lock);
  if (store->readers->len > 0)
    db = g_ptr_array_steal_index_fast(store->readers, store->readers->len - 1);
  g_mutex_unlock(&store->lock);
  return db != NULL ? db : db_open(store->path, DB_READER, error);
}

void
store_put_reader(Store *store, Db *db)
{
  g_mutex_lock(&store->lock);
  g_ptr_array_add(store->readers, db);
  g_mutex_unlock(&store->lock);
}

static void
close_reader(gpointer db)
{
  db_close(db);
}

/* The first reader also sees to the tables; it may write until then. */
static gboolean
prepare(Store *store, GError **error)
{
  g_autoptr(Db) db = db_open(store->path, DB_WRITER, error);
  if (db == NULL || !db_prepare(db, store->path, &store_schema, error) ||
      !derived_check(store, db, error) || !db_exec(db, "PRAGMA query_only = ON", error))
    return FALSE;
  store_put_reader(store, g_steal_pointer(&db));
  return TRUE;
}

Store *
store_open(const char *path, const char *directory, const KeyRing *keys, GError **error)
{
  g_autoptr(Store) store = g_new0(Store, 1);
  store->path = g_strdup(path);
  store->directory = g_strdup(directory);
  store->keys = keys;
  g_mutex_init(&store->lock);
  store->readers = g_ptr_array_new_with_free_func(close_reader);
  store->writer = writer_new(path);
  store->derived = derived_new(keys, error);
  if (store->derived == NULL || !make_all(store, error) || !prepare(store, error))
    return NULL;
  return g_steal_pointer(&store);
}

void
store_close(Store *store)
{
  if (store == NULL)
    return;
  writer_free(store->writer);
  g_ptr_array_unref(store->readers);
  g_clear_pointer(&store->derived, g_array_unref);
  g_mutex_clear(&store->lock);
  g_free(store->path);
  g_free(store->directory);
  g_free(store);
}
