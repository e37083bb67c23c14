/*
 * The attachments as the milter saw them (K3). Their names say much of a message: they are
 * sealed under its own key, which only the bearer of a link has.
 */
#include <string.h>

#include "common/base/attr.h"
#include "common/base/error.h"
#include "common/store/internal.h"

static FieldPlace
place_of(const char *organisation)
{
  return (FieldPlace){organisation, "",
                      "parts"}; /* one list for all entries of a message */
}

GBytes *
parts_seal(const FilingMeta *meta, const Secret *key, GError **error)
{
  g_autoptr(Attrs) attrs = attrs_new();
  for (guint i = 0; i < meta->parts->len; i++) {
    const TicketPart *part = meta->parts->pdata[i];
    g_autofree char *hash = crypt_hex(part->sha256, sizeof part->sha256);
    attrs_add(attrs, "sha256", hash);
    attrs_add_uint(attrs, "size", part->size);
    attrs_add(attrs, "name", part->name);
  }
  if (meta->parts_cut)
    attrs_add(attrs, "cut", "yes");
  g_autofree char *block = attrs_format(attrs, ATTR_ESCAPED);
  FieldPlace place = place_of(meta->organisation);
  GBytes *sealed = beside_seal(key, &place, block, strlen(block), error);
  secret_wipe(block, strlen(block));
  return sealed;
}

static void
free_part(gpointer p)
{
  TicketPart *part = p;
  secret_wipe(part->name, strlen(part->name));
  g_free(part->name);
  g_free(part);
}

static gboolean
refuse(GError **error)
{
  g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED,
                      "the list of attachments is not what was sealed");
  return FALSE;
}

/* The part whose first attribute is number I. */
static gboolean
read_part(const Attrs *attrs, guint i, GPtrArray *parts, GError **error)
{
  static const char *const names[] = {"sha256", "size", "name"};
  const char *values[G_N_ELEMENTS(names)];
  g_autofree TicketPart *part = g_new0(TicketPart, 1);
  if (i + G_N_ELEMENTS(names) > attrs_count(attrs))
    return refuse(error);
  for (guint n = 0; n < G_N_ELEMENTS(names); n++) {
    const char *name = NULL;
    attrs_nth(attrs, i + n, &name, &values[n]);
    if (strcmp(name, names[n]) != 0)
      return refuse(error);
  }
  if (!crypt_unhex(values[0], part->sha256, sizeof part->sha256) ||
      !g_ascii_string_to_unsigned(values[1], 10, 0, G_MAXUINT64, &part->size, NULL))
    return refuse(error);
  part->name = g_strdup(values[2]);
  g_ptr_array_add(parts, g_steal_pointer(&part));
  return TRUE;
}

static gboolean
read_parts(const Secret *block, GPtrArray *parts, gboolean *cut, GError **error)
{
  g_autoptr(Attrs) attrs = attrs_parse((const char *) secret_peek(block),
                                       secret_size(block), ATTR_ESCAPED, error);
  if (attrs == NULL) {
    damaged(error);
    return FALSE;
  }
  *cut = attrs_get(attrs, "cut") != NULL;
  guint count = attrs_count(attrs) - (*cut ? 1 : 0);
  for (guint i = 0; i < count; i += 3)
    if (!read_part(attrs, i, parts, error))
      return FALSE;
  return TRUE;
}

/* From the row in QUERY: message_key, parts. */
static gboolean
open_parts(const Store *store, const Entry *entry, const guint8 *link_secret, Query *query,
           GPtrArray *parts, gboolean *cut, GError **error)
{
  FieldPlace place = {entry->organisation, entry->reference, "message_key"};
  gsize len = 0;
  gconstpointer wrapped = query_blob(query, 0, &len);
  g_autoptr(Secret) key = key_unwrap(store, &place, link_secret, wrapped, len, error);
  if (key == NULL)
    return FALSE;
  *cut = TRUE;
  if (query_is_null(query, 1))
    return TRUE; /* filed without a list */
  FieldPlace parts_place = place_of(entry->organisation);
  gconstpointer sealed = query_blob(query, 1, &len);
  g_autoptr(Secret) block = beside_open(key, &parts_place, sealed, len, error);
  return block != NULL && read_parts(block, parts, cut, error);
}

static gboolean
find_parts(const Store *store, Db *db, const Entry *entry, const guint8 *link_secret,
           GPtrArray *parts, gboolean *cut, GError **error)
{
  g_autoptr(Query) query =
      db_query(db,
               "SELECT message_key, parts FROM entry"
               "  JOIN message ON message.id = entry.message"
               "  WHERE reference = ?1 AND organisation = ?2"
               "  AND message_key IS NOT NULL AND expires_s > ?3",
               DB_VALUES(V_TEXT(entry->reference), V_TEXT(entry->organisation),
                         V_INT(store_now(store))),
               error);
  int step = query != NULL ? query_step(query, error) : -1;
  if (step <= 0)
    return step == 0 && entry_set_gone(error);
  return open_parts(store, entry, link_secret, query, parts, cut, error);
}

GPtrArray *
store_entry_parts(Store *store, const Entry *entry, const guint8 *link_secret,
                  gboolean *cut, GError **error)
{
  *cut = FALSE;
  Db *db = store_get_reader(store, error);
  if (db == NULL)
    return NULL;
  g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(free_part);
  gboolean done = find_parts(store, db, entry, link_secret, parts, cut, error);
  store_put_reader(store, db);
  return done ? g_steal_pointer(&parts) : NULL;
}
