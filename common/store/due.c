#include <string.h>

#include "common/base/error.h"
#include "common/store/dispatch.h"
#include "common/store/internal.h"

static void
due_free(gpointer p)
{
  Due *due = p;
  char *const texts[] = {due->reference,   due->address,    due->number, due->sender,
                         due->sender_name, due->message_id, due->asker};
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
    if (texts[i] != NULL)
      secret_wipe(texts[i], strlen(texts[i]));
    g_free(texts[i]);
  }
  g_free(due);
}

static gboolean
open_text(const Store *store, FieldPlace *place, const char *name, Query *query, int column,
          char **text, GError **error)
{
  gsize len = 0;
  gconstpointer box = query_blob(query, column, &len);
  place->column = name;
  g_autoptr(Secret) field = field_open(store, place, box, len, error);
  if (field == NULL)
    return FALSE;
  *text = g_strndup((const char *) secret_peek(field), secret_size(field));
  return TRUE;
}

#define DUE_COLUMNS                                                                        \
  "reference, received_s, expires_s, link_nonce, link_key, address, number, sender,"       \
  " sender_name, message_id, "
#define DUE_OPEN                                                                           \
  " AND organisation = ?2 AND message_key IS NOT NULL AND shared = 0 LIMIT ?3"

/* Entries that expire later than now and are watched: entry_expires has both. */
static const char *const due_sql[] = {
    [DUE_TELL] = "SELECT " DUE_COLUMNS "0, NULL FROM entry WHERE expires_s > ?1"
                 "  AND watch IN (1, 3) AND received_s < ?4" DUE_OPEN,
    [DUE_REMIND] = "SELECT " DUE_COLUMNS "0, NULL FROM entry WHERE expires_s > ?1"
                   "  AND watch IN (2, 3) AND expires_s < ?4" DUE_OPEN,
    /* That table is nearly always empty, and looked at all the time. */
    [DUE_AGAIN] = "SELECT " DUE_COLUMNS "asked_s, asker FROM again CROSS JOIN entry"
                  "  ON entry.id = again.entry WHERE expires_s > ?1"
                  "  AND asked_s <= ?4" DUE_OPEN,
};

static gboolean
take_row(const Store *store, const char *organisation, Query *query, GPtrArray *list,
         GError **error)
{
  gsize len = 0;
  Due *due = g_new0(Due, 1);
  g_ptr_array_add(list, due);
  due->reference = g_strdup(query_text(query, 0));
  due->received_s = query_int(query, 1);
  due->expires_s = query_int(query, 2);
  due->link_key_id = (guint32) query_int(query, 4);
  due->asked_s = query_int(query, 10);
  gconstpointer nonce = query_blob(query, 3, &len);
  if (len != STORE_NONCE_BYTES) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED, "entry %s: no good nonce",
                due->reference);
    return FALSE;
  }
  memcpy(due->link_nonce, nonce, len);
  FieldPlace place = {organisation, due->reference, NULL};
  return open_text(store, &place, "address", query, 5, &due->address, error) &&
         open_text(store, &place, "number", query, 6, &due->number, error) &&
         open_text(store, &place, "sender", query, 7, &due->sender, error) &&
         open_text(store, &place, "sender_name", query, 8, &due->sender_name, error) &&
         open_text(store, &place, "message_id", query, 9, &due->message_id, error) &&
         (query_is_null(query, 11) ||
          open_text(store, &place, AGAIN_COLUMN, query, 11, &due->asker, error));
}

static gboolean
find_due(const Store *store, Db *db, const char *organisation, DueKind kind,
         gint64 before_s, guint max, GPtrArray *list, GError **error)
{
  g_autoptr(Query) query = db_query(
      db, due_sql[kind],
      DB_VALUES(V_INT(store_now(store)), V_TEXT(organisation), V_INT(max), V_INT(before_s)),
      error);
  int step = query != NULL ? query_step(query, error) : -1;
  for (; step > 0; step = query_step(query, error))
    if (!take_row(store, organisation, query, list, error))
      return FALSE;
  return step == 0;
}

GPtrArray *
store_find_due(Store *store, const char *organisation, DueKind kind, gint64 before_s,
               guint max, GError **error)
{
  Db *db = store_get_reader(store, error);
  if (db == NULL)
    return NULL;
  g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(due_free);
  gboolean done = find_due(store, db, organisation, kind, before_s, max, list, error);
  store_put_reader(store, db);
  return done ? g_steal_pointer(&list) : NULL;
}
