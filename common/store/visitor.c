#include <string.h>

#include "common/store/dispatch.h"
#include "common/store/internal.h"

void
visitor_free(Visitor *visitor)
{
  if (visitor == NULL)
    return;
  if (visitor->address != NULL)
    secret_wipe(visitor->address, strlen(visitor->address));
  g_free(visitor->address);
  g_free(visitor->reference);
  g_free(visitor);
}

static gboolean
take_row(const Store *store, const char *organisation, Query *query, Visitor *visitor,
         GError **error)
{
  gsize len = 0;
  visitor->reference = g_strdup(query_text(query, 0));
  visitor->received_s = query_int(query, 1);
  gconstpointer box = query_blob(query, 2, &len);
  if (box == NULL) { /* the entry is over */
    visitor->address = g_strdup("");
    return TRUE;
  }
  FieldPlace place = {organisation, visitor->reference, "address"};
  g_autoptr(Secret) field = field_open(store, &place, box, len, error);
  if (field == NULL)
    return FALSE;
  visitor->address = g_strndup((const char *) secret_peek(field), secret_size(field));
  return TRUE;
}

static gboolean
find(const Store *store, Db *db, const char *sql, const char *organisation,
     const char *reference, Visitor **visitor, GError **error)
{
  g_autoptr(Query) query =
      db_query(db, sql, DB_VALUES(V_TEXT(organisation), V_TEXT(reference)), error);
  int step = query != NULL ? query_step(query, error) : -1;
  if (step <= 0)
    return step == 0;
  g_autoptr(Visitor) found = g_new0(Visitor, 1);
  if (!take_row(store, organisation, query, found, error))
    return FALSE;
  *visitor = g_steal_pointer(&found);
  return TRUE;
}

gboolean
store_find_visitor(Store *store, const char *organisation, const char *reference,
                   gboolean shared, Visitor **visitor, GError **error)
{
  static const char own_sql[] = "SELECT reference, received_s, address FROM entry"
                                "  WHERE organisation = ?1 AND reference = ?2";
  static const char shared_sql[] =
      "SELECT parent.reference, parent.received_s, parent.address FROM entry"
      "  JOIN entry AS parent ON parent.id = entry.parent"
      "  WHERE entry.organisation = ?1 AND entry.reference = ?2";
  *visitor = NULL;
  Db *db = store_get_reader(store, error);
  if (db == NULL)
    return FALSE;
  gboolean done = find(store, db, shared ? shared_sql : own_sql, organisation, reference,
                       visitor, error);
  store_put_reader(store, db);
  return done;
}
