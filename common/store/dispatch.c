#include "common/store/dispatch.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/base/error.h"
#include "common/store/internal.h"

static void
wipe_free(char *text)
{
  if (text != NULL)
    secret_wipe(text, strlen(text));
  g_free(text);
}

static void
recipient_free(gpointer p)
{
  DispatchRecipient *recipient = p;
  wipe_free(recipient->address);
  wipe_free(recipient->number);
  g_free(recipient->route);
  g_free(recipient->reference);
  g_clear_pointer(&recipient->history, g_array_unref);
  g_free(recipient);
}

void
dispatch_free(Dispatch *dispatch)
{
  if (dispatch == NULL)
    return;
  wipe_free(dispatch->sender);
  wipe_free(dispatch->sender_name);
  wipe_free(dispatch->message_id);
  g_free(dispatch->organisation);
  g_ptr_array_unref(dispatch->recipients);
  g_free(dispatch);
}

/* ---- What is sealed of it ---- */

static GBytes *
seal_dispatch(const Store *store, const FieldPlace *place, const FilingMeta *meta,
              GError **error)
{
  g_autoptr(Attrs) attrs = attrs_new();
  attrs_add(attrs, "sender", meta->sender);
  attrs_add(attrs, "sender-name", meta->sender_name != NULL ? meta->sender_name : "");
  attrs_add(attrs, "message-id", meta->message_id != NULL ? meta->message_id : "");
  for (guint i = 0; i < meta->dispatch->route_count; i++) {
    const FilingRoute *one = &meta->dispatch->routes[i];
    attrs_add(attrs, "to", one->address);
    attrs_add(attrs, "route", one->route != NULL ? one->route : "");
  }
  g_autofree char *block = attrs_format(attrs, ATTR_ESCAPED);
  GBytes *sealed = field_seal(store, place, block, strlen(block), error);
  secret_wipe(block, strlen(block));
  return sealed;
}

gboolean
dispatch_row_make(const Store *store, const FilingMeta *meta, DispatchRow *row,
                  GError **error)
{
  g_autofree char *ticket = crypt_hex(meta->ticket_id, TICKET_ID_BYTES);
  FieldPlace place = {meta->organisation, ticket, "dispatch"};
  row->sealed = seal_dispatch(store, &place, meta, error);
  return row->sealed != NULL && store_mac(store, 0, DERIVED_STATUS, meta->organisation,
                                          meta->dispatch->status_secret,
                                          STORE_LINK_SECRET_BYTES, row->status_mac, error);
}

void
dispatch_row_clear(DispatchRow *row)
{
  g_clear_pointer(&row->sealed, g_bytes_unref);
}

static DispatchRecipient *
add_recipient(Dispatch *dispatch, const char *address)
{
  DispatchRecipient *recipient = g_new0(DispatchRecipient, 1);
  recipient->address = g_strdup(address);
  recipient->route = g_strdup("");
  recipient->number = g_strdup("");
  recipient->state = ENTRY_NONE;
  g_ptr_array_add(dispatch->recipients, recipient);
  return recipient;
}

static void
set_text(char **text, const char *value)
{
  g_free(*text);
  *text = g_strdup(value);
}

static void
take_attribute(Dispatch *dispatch, const char *name, const char *value)
{
  GPtrArray *list = dispatch->recipients;
  if (strcmp(name, "sender") == 0)
    set_text(&dispatch->sender, value);
  else if (strcmp(name, "sender-name") == 0)
    set_text(&dispatch->sender_name, value);
  else if (strcmp(name, "message-id") == 0)
    set_text(&dispatch->message_id, value);
  else if (strcmp(name, "to") == 0)
    add_recipient(dispatch, value);
  else if (strcmp(name, "route") == 0 && list->len > 0)
    set_text(&((DispatchRecipient *) list->pdata[list->len - 1])->route, value);
}

static gboolean
open_dispatch(const Store *store, Dispatch *dispatch, gconstpointer box, gsize len,
              GError **error)
{
  g_autofree char *ticket = crypt_hex(dispatch->ticket_id, TICKET_ID_BYTES);
  FieldPlace place = {dispatch->organisation, ticket, "dispatch"};
  g_autoptr(Secret) block = field_open(store, &place, box, len, error);
  if (block == NULL)
    return FALSE;
  g_autoptr(Attrs) attrs = attrs_parse((const char *) secret_peek(block),
                                       secret_size(block), ATTR_ESCAPED, error);
  if (attrs == NULL) {
    damaged(error);
    return FALSE;
  }
  for (guint i = 0; i < attrs_count(attrs); i++) {
    const char *name = NULL;
    const char *value = NULL;
    attrs_nth(attrs, i, &name, &value);
    take_attribute(dispatch, name, value);
  }
  return TRUE;
}

/* ---- Filing ---- */

/* The dispatch of ticket ?1, by any of its entries. */
#define OF_TICKET                                                                          \
  "(SELECT dispatch FROM entry WHERE ticket = ?1 AND organisation = ?2"                    \
  "  AND dispatch IS NOT NULL LIMIT 1)"

/* What another transaction of the same ticket made; its secret is derived again. */
static gboolean
take_existing(FilingDispatch *dispatch, Query *query, GError **error)
{
  gsize len = 0;
  gconstpointer nonce = query_blob(query, 0, &len);
  if (len != STORE_NONCE_BYTES) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED, "dispatch: no good nonce");
    return FALSE;
  }
  memcpy(dispatch->status_nonce, nonce, len);
  dispatch->status_key_id = (guint32) query_int(query, 1);
  dispatch->confirmed = !query_is_null(query, 2);
  return query_step(query, error) >= 0;
}

/* 1 when there is one, which lives as long as the last of its entries; 0; -1 with an error.
 */
static int
find_existing(Db *db, const FilingMeta *meta, GError **error)
{
  g_autoptr(Query) query =
      db_query(db,
               "UPDATE dispatch SET expires_s = max(expires_s, ?3) WHERE id = " OF_TICKET
               "  RETURNING status_nonce, status_key, confirmed",
               DB_VALUES(V_BLOB(meta->ticket_id, TICKET_ID_BYTES),
                         V_TEXT(meta->organisation), V_INT(meta->expires_s)),
               error);
  int step = query != NULL ? query_step(query, error) : -1;
  if (step > 0)
    return take_existing(meta->dispatch, query, error) ? 1 : -1;
  return step;
}

static gboolean
insert_dispatch(Db *db, const FilingMeta *meta, const DispatchRow *row, GError **error)
{
  FilingDispatch *dispatch = meta->dispatch;
  return db_run(
      db,
      "INSERT INTO dispatch (ticket, organisation, status, status_nonce, status_key,"
      "  received_s, expires_s, sealed, confirmed, confirmed_s)"
      "  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, iif(?9 IS NULL, NULL, ?6))",
      DB_VALUES(V_BLOB(meta->ticket_id, TICKET_ID_BYTES), V_TEXT(meta->organisation),
                V_MAC(row->status_mac), V_BLOB(dispatch->status_nonce, STORE_NONCE_BYTES),
                V_INT(dispatch->status_key_id), V_INT(meta->received_s),
                V_INT(meta->expires_s), V_BYTES(row->sealed),
                V_TEXT(dispatch->confirmed ? "" : NULL)),
      error);
}

gboolean
dispatch_row_insert(Db *db, const FilingMeta *meta, const DispatchRow *row, GError **error)
{
  DbValue ticket = V_BLOB(meta->ticket_id, TICKET_ID_BYTES);
  DbValue organisation = V_TEXT(meta->organisation);
  int found = find_existing(db, meta, error);
  if (found < 0)
    return FALSE;
  if (found == 0) {
    if (!insert_dispatch(db, meta, row, error))
      return FALSE;
    return db_run(db,
                  "UPDATE entry SET dispatch = ?3 WHERE ticket = ?1 AND organisation = ?2",
                  DB_VALUES(ticket, organisation, V_INT(db_last_id(db))), error);
  }
  return db_run(db,
                "UPDATE entry SET dispatch = " OF_TICKET
                "  WHERE ticket = ?1 AND organisation = ?2 AND dispatch IS NULL",
                DB_VALUES(ticket, organisation), error);
}

typedef struct {
  const char *organisation;
  const guint8 *ticket_id;
  const char *queue_id;
  gint64 now_s;
  Record record;
} ConfirmedJob;

static gboolean
set_confirmed(Db *db, gpointer data, GError **error)
{
  ConfirmedJob *job = data;
  if (!db_run(db,
              "UPDATE dispatch SET confirmed = ?3, confirmed_s = ?4 WHERE id = " OF_TICKET,
              DB_VALUES(V_BLOB(job->ticket_id, TICKET_ID_BYTES), V_TEXT(job->organisation),
                        V_TEXT(job->queue_id), V_INT(job->now_s)),
              error))
    return FALSE;
  if (db_changes(db) == 0)
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "no such dispatch");
  return db_changes(db) > 0 && record_add(db, &job->record, error);
}

gboolean
store_set_confirmed(Store *store, const char *organisation, const guint8 *ticket_id,
                    const char *queue_id, Event *event, GError **error)
{
  ConfirmedJob job = {organisation,
                      ticket_id,
                      queue_id != NULL ? queue_id : "",
                      store_now(store),
                      {store, event, FALSE}};
  return record_run(store, set_confirmed, &job, &job.record, error);
}

/* ---- Looking at one ---- */

/* Recipients by the HMAC that their entries have, under each store key. */
static GHashTable *
recipients_by_mac(const Store *store, const Dispatch *dispatch, GError **error)
{
  g_autoptr(GHashTable) table = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
                                                      (GDestroyNotify) g_bytes_unref, NULL);
  for (guint r = 0; r < dispatch->recipients->len; r++)
    for (guint i = 0; i < store->derived->len; i++) {
      DispatchRecipient *recipient = dispatch->recipients->pdata[r];
      guint8 mac[CRYPT_SHA256_BYTES];
      if (!store_mac_address(store, i, DERIVED_RECIPIENT, dispatch->organisation,
                             recipient->address, FALSE, mac, error))
        return NULL;
      g_hash_table_insert(table, g_bytes_new(mac, sizeof mac), recipient);
    }
  return g_steal_pointer(&table);
}

static gboolean
open_text(const Store *store, const FieldPlace *place, Query *query, int column,
          char **text, GError **error)
{
  gsize len = 0;
  gconstpointer box = query_blob(query, column, &len);
  if (box == NULL)
    return TRUE; /* purged: what stands there stays */
  g_autoptr(Secret) field = field_open(store, place, box, len, error);
  if (field == NULL)
    return FALSE;
  wipe_free(*text);
  *text = g_strndup((const char *) secret_peek(field), secret_size(field));
  return TRUE;
}

/* From QUERY: id, recipient, reference, number, ended, ended_s, purged, expires_s. */
static gboolean
take_entry(const Store *store, Db *db, const Dispatch *dispatch, Query *query,
           DispatchRecipient *recipient, GError **error)
{
  g_free(recipient->reference);
  recipient->reference = g_strdup(query_text(query, 2));
  recipient->state = entry_state(query_int(query, 4), query_int(query, 6) != 0,
                                 query_int(query, 7), store_now(store));
  recipient->ended_s = query_int(query, 5);
  g_clear_pointer(&recipient->history, g_array_unref);
  recipient->history = history_read(db, query_int(query, 0), error);
  FieldPlace place = {dispatch->organisation, recipient->reference, "number"};
  return recipient->history != NULL &&
         open_text(store, &place, query, 3, &recipient->number, error);
}

static gboolean
read_entries(const Store *store, Db *db, const Dispatch *dispatch, GError **error)
{
  g_autoptr(GHashTable) table = recipients_by_mac(store, dispatch, error);
  if (table == NULL)
    return FALSE;
  g_autoptr(Query) query =
      db_query(db,
               "SELECT id, recipient, reference, number, ended, ended_s,"
               "  message_key IS NULL, expires_s FROM entry"
               "  WHERE ticket = ?1 AND organisation = ?2",
               DB_VALUES(V_BLOB(dispatch->ticket_id, TICKET_ID_BYTES),
                         V_TEXT(dispatch->organisation)),
               error);
  int step = query != NULL ? query_step(query, error) : -1;
  for (; step > 0; step = query_step(query, error)) {
    gsize len = 0;
    gconstpointer mac = query_blob(query, 1, &len);
    g_autoptr(GBytes) key = g_bytes_new(mac, len);
    DispatchRecipient *recipient = g_hash_table_lookup(table, key);
    if (recipient != NULL && !take_entry(store, db, dispatch, query, recipient, error))
      return FALSE;
  }
  return step == 0;
}

#define DISPATCH_COLUMNS                                                                   \
  "ticket, status_nonce, status_key, received_s, expires_s, confirmed IS NOT NULL, sealed"

/* What the row in QUERY (DISPATCH_COLUMNS) says, without its recipients' entries. */
static Dispatch *
read_row(const Store *store, const char *organisation, Query *query, GError **error)
{
  g_autoptr(Dispatch) dispatch = g_new0(Dispatch, 1);
  dispatch->recipients = g_ptr_array_new_with_free_func(recipient_free);
  dispatch->organisation = g_strdup(organisation);
  dispatch->sender = g_strdup("");
  dispatch->sender_name = g_strdup("");
  dispatch->message_id = g_strdup("");
  gsize ticket_len = 0, nonce_len = 0, len = 0;
  gconstpointer ticket = query_blob(query, 0, &ticket_len);
  gconstpointer nonce = query_blob(query, 1, &nonce_len);
  if (ticket_len != TICKET_ID_BYTES || nonce_len != STORE_NONCE_BYTES) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED, "dispatch: damaged");
    return NULL;
  }
  memcpy(dispatch->ticket_id, ticket, ticket_len);
  memcpy(dispatch->status_nonce, nonce, nonce_len);
  dispatch->status_key_id = (guint32) query_int(query, 2);
  dispatch->received_s = query_int(query, 3);
  dispatch->expires_s = query_int(query, 4);
  dispatch->confirmed = query_int(query, 5) != 0;
  gconstpointer sealed = query_blob(query, 6, &len);
  if (sealed != NULL && !open_dispatch(store, dispatch, sealed, len, error))
    return NULL;
  return g_steal_pointer(&dispatch);
}

/* The dispatch whose row QUERY finds into *DISPATCH, if there is one. */
static gboolean
read_found(const Store *store, Db *db, const char *organisation, Query *query,
           Dispatch **dispatch, GError **error)
{
  int step = query != NULL ? query_step(query, error) : -1;
  if (step <= 0)
    return step == 0;
  g_autoptr(Dispatch) found = read_row(store, organisation, query, error);
  if (found == NULL || !read_entries(store, db, found, error))
    return FALSE;
  *dispatch = g_steal_pointer(&found);
  return TRUE;
}

/* As much work as opening a small one (T16). */
static void
pretend(const Store *store, const char *organisation)
{
  static const char plain[256];
  FieldPlace place = {organisation, "0000000000000000", "dispatch"};
  g_autoptr(GBytes) box = field_seal(store, &place, plain, sizeof plain, NULL);
  for (int i = 0; box != NULL && i < 2; i++) {
    g_autoptr(Secret) field =
        field_open(store, &place, g_bytes_get_data(box, NULL), g_bytes_get_size(box), NULL);
    g_assert(field != NULL);
  }
}

static gboolean
find_by_secret(const Store *store, Db *db, const char *organisation,
               const guint8 *status_secret, Dispatch **dispatch, GError **error)
{
  for (guint i = 0; i < store->derived->len; i++) {
    guint8 mac[CRYPT_SHA256_BYTES];
    if (!store_mac(store, i, DERIVED_STATUS, organisation, status_secret,
                   STORE_LINK_SECRET_BYTES, mac, error))
      return FALSE;
    if (*dispatch != NULL)
      continue;
    g_autoptr(Query) query = db_query(db,
                                      "SELECT " DISPATCH_COLUMNS " FROM dispatch"
                                      "  WHERE status = ?1 AND organisation = ?2",
                                      DB_VALUES(V_MAC(mac), V_TEXT(organisation)), error);
    if (!read_found(store, db, organisation, query, dispatch, error))
      return FALSE;
  }
  if (*dispatch == NULL)
    pretend(store, organisation);
  return derived_is_complete(store, db, error);
}

gboolean
store_find_dispatch(Store *store, const char *organisation, const guint8 *status_secret,
                    Dispatch **dispatch, GError **error)
{
  *dispatch = NULL;
  Db *db = store_get_reader(store, error);
  gboolean done =
      db != NULL && find_by_secret(store, db, organisation, status_secret, dispatch, error);
  if (db != NULL)
    store_put_reader(store, db);
  if (!done)
    g_clear_pointer(dispatch, dispatch_free);
  return done;
}

static gboolean
find_by_reference(const Store *store, Db *db, const char *organisation,
                  const char *reference, Dispatch **dispatch, GError **error)
{
  g_autoptr(Query) query =
      db_query(db,
               "SELECT " DISPATCH_COLUMNS " FROM dispatch"
               "  WHERE id = (SELECT dispatch FROM entry"
               "    WHERE reference = ?1 AND organisation = ?2)",
               DB_VALUES(V_TEXT(reference), V_TEXT(organisation)), error);
  return read_found(store, db, organisation, query, dispatch, error);
}

gboolean
store_find_dispatch_of(Store *store, const char *organisation, const char *reference,
                       Dispatch **dispatch, GError **error)
{
  *dispatch = NULL;
  Db *db = store_get_reader(store, error);
  gboolean done =
      db != NULL && find_by_reference(store, db, organisation, reference, dispatch, error);
  if (db != NULL)
    store_put_reader(store, db);
  if (!done)
    g_clear_pointer(dispatch, dispatch_free);
  return done;
}

/* ---- What waits for its confirmation ---- */

static gboolean
find_unconfirmed(const Store *store, Db *db, const char *organisation, gint64 since_s,
                 guint skip, guint max, GPtrArray *list, GError **error)
{
  g_autoptr(Query) query = db_query(
      db,
      "SELECT " DISPATCH_COLUMNS " FROM dispatch"
      "  WHERE confirmed IS NULL AND organisation = ?1 AND received_s >= ?2"
      "  ORDER BY received_s LIMIT ?3 OFFSET ?4",
      DB_VALUES(V_TEXT(organisation), V_INT(since_s), V_INT(max), V_INT(skip)), error);
  int step = query != NULL ? query_step(query, error) : -1;
  for (; step > 0; step = query_step(query, error)) {
    Dispatch *dispatch = read_row(store, organisation, query, error);
    if (dispatch == NULL)
      return FALSE;
    g_ptr_array_add(list, dispatch);
  }
  for (guint i = 0; step == 0 && i < list->len; i++)
    if (!read_entries(store, db, list->pdata[i], error))
      return FALSE;
  return step == 0;
}

GPtrArray *
store_find_unconfirmed(Store *store, const char *organisation, gint64 since_s, guint skip,
                       guint max, GError **error)
{
  Db *db = store_get_reader(store, error);
  if (db == NULL)
    return NULL;
  g_autoptr(GPtrArray) list =
      g_ptr_array_new_with_free_func((GDestroyNotify) dispatch_free);
  gboolean done =
      find_unconfirmed(store, db, organisation, since_s, skip, max, list, error);
  store_put_reader(store, db);
  return done ? g_steal_pointer(&list) : NULL;
}
