#include "common/store/look.h"

#include <errno.h>
#include <sys/stat.h>

#include "common/base/error.h"
#include "common/store/internal.h"

/* The number that SQL gives, or FALLBACK when it gives no row. FALSE with an error. */
static gboolean
get_number(Db *db, const char *sql, gint64 fallback, gint64 *number, GError **error)
{
  g_autoptr(Query) query = db_query(db, sql, DB_NO_VALUES, error);
  int step = query != NULL ? query_step(query, error) : -1;
  *number = step > 0 ? query_int(query, 0) : fallback;
  return step >= 0;
}

/* The store at PATH to read, or NULL with an error. */
static Db *
open_db(const char *path, GError **error)
{
  struct stat status;
  gint64 id = 0, version = 0;
  if (stat(path, &status) < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
    return NULL;
  }
  g_autoptr(Db) db = db_open(path, DB_READER, error);
  if (db == NULL || !get_number(db, "PRAGMA application_id", 0, &id, error) ||
      !get_number(db, "PRAGMA user_version", 0, &version, error))
    return NULL;
  if (id == store_schema.application_id && version == (gint64) store_schema.step_count)
    return g_steal_pointer(&db);
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG,
              "%s: no store, or one of another version of zegel", path);
  return NULL;
}

/* Links of messages that can still be read, made with a key that is not in LINKS. */
static gboolean
look_at_links(Db *db, const KeyRing *links, char **problem, GError **error)
{
  g_autoptr(Query) query = db_query(
      db,
      "SELECT DISTINCT link_key FROM entry WHERE message_key IS NOT NULL AND shared = 0",
      DB_NO_VALUES, error);
  int step = query != NULL ? 1 : -1;
  while (*problem == NULL && step > 0 && (step = query_step(query, error)) > 0) {
    guint32 id = (guint32) query_int(query, 0);
    gboolean there = FALSE;
    for (guint i = 0; i < keyring_count(links); i++)
      there = there || keyring_nth(links, i) == id;
    if (!there)
      *problem = g_strdup_printf("link key %08x is not in the key file, and links that "
                                 "may have to be sent again were made with it",
                                 id);
  }
  return step >= 0;
}

gboolean
store_look_keys(const char *path, const KeyRing *keys, const KeyRing *links, char **problem,
                GError **error)
{
  g_autoptr(GError) reason = NULL;
  g_autoptr(Db) db = open_db(path, error);
  Store store = {.keys = keys};
  *problem = NULL;
  if (db == NULL || (store.derived = derived_new(keys, error)) == NULL)
    return FALSE;
  gboolean good = derived_examine(&store, db, &reason);
  g_array_unref(store.derived);
  if (good)
    return look_at_links(db, links, problem, error);
  if (!g_error_matches(reason, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG)) {
    g_propagate_error(error, g_steal_pointer(&reason));
    return FALSE;
  }
  *problem = g_strdup(reason->message);
  return TRUE;
}

gboolean
store_look(const char *path, StoreLook *look, GError **error)
{
  g_autoptr(Db) db = open_db(path, error);
  return db != NULL &&
         get_number(db, "SELECT count(*) FROM outbox", 0, &look->waiting, error) &&
         get_number(db, "SELECT id FROM outbox ORDER BY id LIMIT 1", 0, &look->first,
                    error);
}
