/*
 * Drafts: what a reader typed comes back after a new code, to him alone.
 */
#include <string.h>

#include "common/base/error.h"
#include "common/store/internal.h"
#include "common/store/share.h"

typedef struct {
  const Entry *entry;
  GBytes *sealed; /* NULL: the draft goes */
  gint64 now_s;
} DraftJob;

static gboolean
put_draft(Db *db, gpointer data, GError **error)
{
  const DraftJob *job = data;
  gint64 row = 0;
  if (!entry_find_row(db, job->entry, job->now_s, &row, error))
    return FALSE;
  if (row == 0)
    return entry_set_gone(error);
  if (job->sealed == NULL)
    return db_run(db, "DELETE FROM draft WHERE entry = ?1", DB_VALUES(V_INT(row)), error);
  return db_run(db, "INSERT OR REPLACE INTO draft (entry, sealed) VALUES (?1, ?2)",
                DB_VALUES(V_INT(row), V_BYTES(job->sealed)), error);
}

gboolean
store_put_draft(Store *store, const Entry *entry, const guint8 *link_secret,
                const char *text, GError **error)
{
  gsize len = strlen(text);
  FieldPlace place = {entry->organisation, entry->reference, "draft"};
  g_autoptr(GBytes) sealed = NULL;
  if (len > STORE_DRAFT_MAX_BYTES) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT, "draft: too long");
    return FALSE;
  }
  if (len > 0 && (sealed = link_seal(store, &place, link_secret, text, len, error)) == NULL)
    return FALSE;
  DraftJob job = {entry, sealed, store_now(store)};
  return writer_run(store->writer, put_draft, &job, error);
}

static char *
get_draft(const Store *store, Db *db, const Entry *entry, const guint8 *link_secret,
          GError **error)
{
  g_autoptr(Query) query =
      db_query(db,
               "SELECT sealed FROM draft WHERE entry = (SELECT id FROM entry"
               "  WHERE reference = ?1 AND organisation = ?2 AND expires_s > ?3)",
               DB_VALUES(V_TEXT(entry->reference), V_TEXT(entry->organisation),
                         V_INT(store_now(store))),
               error);
  int step = query != NULL ? query_step(query, error) : -1;
  if (step <= 0)
    return step == 0 ? g_strdup("") : NULL;
  gsize len = 0;
  FieldPlace place = {entry->organisation, entry->reference, "draft"};
  gconstpointer sealed = query_blob(query, 0, &len);
  g_autoptr(Secret) text = link_open(store, &place, link_secret, sealed, len, error);
  return text != NULL ? g_strndup((const char *) secret_peek(text), secret_size(text))
                      : NULL;
}

char *
store_get_draft(Store *store, const Entry *entry, const guint8 *link_secret, GError **error)
{
  Db *db = store_get_reader(store, error);
  if (db == NULL)
    return NULL;
  char *text = get_draft(store, db, entry, link_secret, error);
  store_put_reader(store, db);
  return text;
}
