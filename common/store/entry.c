#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/crypt/box.h"
#include "common/crypt/seal.h"
#include "common/store/internal.h"
#include "common/store/share.h"

/* The sealed columns, in the order of FIND_SQL. */
static const char *const sealed_columns[] = {
    "address", "number", "sender", "sender_name", "message_id", "body",
};
/* Columns of FIND_SQL. */
enum {
  COLUMN_PURGED = 3,
  FIRST_SEALED,
  COLUMN_SIZE = FIRST_SEALED + G_N_ELEMENTS(sealed_columns),
  COLUMN_ENDED,
  COLUMN_ENDED_S,
  COLUMN_SHARED,
  COLUMN_FROM_READER,
  COLUMN_ANSWERS,
  COLUMN_FORWARDS
};

static const char find_sql[] =
    "SELECT reference, received_s, expires_s, message_key IS NULL, address, number, sender,"
    "  sender_name, message_id, body, (SELECT size FROM message WHERE id = entry.message),"
    "  ended, ended_s, shared, from_reader, answers, forwards"
    "  FROM entry WHERE link = ?1 AND organisation = ?2";

static void
wipe_free(char *text)
{
  if (text != NULL)
    secret_wipe(text, strlen(text));
  g_free(text);
}

void
entry_free(Entry *entry)
{
  if (entry == NULL)
    return;
  char *const texts[] = {entry->reference, entry->organisation, entry->address,
                         entry->number,    entry->sender,       entry->sender_name,
                         entry->message_id};
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
    wipe_free(texts[i]);
  secret_wipe(entry, sizeof *entry);
  g_free(entry);
}

/* The text of sealed column I, "" when it was purged. NULL with an error. */
static Secret *
open_column(const Store *store, const Entry *entry, Query *query, guint i, GError **error)
{
  FieldPlace place = {entry->organisation, entry->reference, sealed_columns[i]};
  gsize len = 0;
  gconstpointer box = query_blob(query, FIRST_SEALED + (int) i, &len);
  if (box == NULL)
    return secret_new(0);
  return field_open(store, &place, box, len, error);
}

static gboolean
open_columns(const Store *store, Entry *entry, Query *query, GError **error)
{
  char **const texts[] = {&entry->address, &entry->number, &entry->sender,
                          &entry->sender_name, &entry->message_id};
  for (guint i = 0; i < G_N_ELEMENTS(sealed_columns); i++) {
    g_autoptr(Secret) field = open_column(store, entry, query, i, error);
    if (field == NULL)
      return FALSE;
    if (i < G_N_ELEMENTS(texts))
      *texts[i] = g_strndup((const char *) secret_peek(field), secret_size(field));
    else if (secret_size(field) == CRYPT_SHA256_BYTES)
      memcpy(entry->body_sha256, secret_peek(field), CRYPT_SHA256_BYTES);
  }
  return TRUE;
}

static guint
uses_left(Query *query, int column, gint64 max)
{
  return (guint) CLAMP(max - query_int(query, column), 0, max);
}

static void
read_flags(Entry *entry, Query *query)
{
  entry->ended_s = query_int(query, COLUMN_ENDED_S);
  entry->shared = query_int(query, COLUMN_SHARED) != 0;
  entry->from_reader = query_int(query, COLUMN_FROM_READER) != 0;
  if (!entry->from_reader)
    entry->answers_left = uses_left(query, COLUMN_ANSWERS, STORE_ANSWERS_MAX);
  if (!entry->shared)
    entry->forwards_left = uses_left(query, COLUMN_FORWARDS, STORE_FORWARDS_MAX);
}

static Entry *
read_entry(const Store *store, const char *organisation, Query *query, GError **error)
{
  g_autoptr(Entry) entry = g_new0(Entry, 1);
  entry->organisation = g_strdup(organisation);
  entry->reference = g_strdup(query_text(query, 0));
  entry->received_s = query_int(query, 1);
  entry->expires_s = query_int(query, 2);
  entry->size_bytes = (guint64) query_int(query, COLUMN_SIZE);
  read_flags(entry, query);
  if (!open_columns(store, entry, query, error))
    return NULL;
  return g_steal_pointer(&entry);
}

/* As much work as opening an entry, so that the clock does not tell who has one (T16). */
static void
pretend(const Store *store, const char *organisation)
{
  static const char plain[CRYPT_SHA256_BYTES];
  FieldPlace place = {organisation, "0000000000000000", "address"};
  g_autoptr(GBytes) box = field_seal(store, &place, plain, sizeof plain, NULL);
  for (guint i = 0; box != NULL && i + 1 < G_N_ELEMENTS(sealed_columns); i++) {
    g_autoptr(Secret) field =
        field_open(store, &place, g_bytes_get_data(box, NULL), g_bytes_get_size(box), NULL);
    g_assert(field != NULL);
  }
}

EntryState
entry_state(gint64 ended, gboolean purged, gint64 expires_s, gint64 now_s)
{
  if (ended == ENTRY_WITHDRAWN || ended == ENTRY_DELETED)
    return (EntryState) ended;
  return purged || expires_s <= now_s ? ENTRY_EXPIRED : ENTRY_OPEN;
}

/* Under each store key in turn, found or not. */
static gboolean
find_entry(const Store *store, Db *db, const char *organisation, const guint8 *link_secret,
           EntryState *state, Entry **entry, GError **error)
{
  for (guint i = 0; i < store->derived->len; i++) {
    guint8 mac[CRYPT_SHA256_BYTES];
    if (!store_mac(store, i, DERIVED_LINK, organisation, link_secret,
                   STORE_LINK_SECRET_BYTES, mac, error))
      return FALSE;
    g_autoptr(Query) query =
        db_query(db, find_sql, DB_VALUES(V_MAC(mac), V_TEXT(organisation)), error);
    int step = query != NULL ? query_step(query, error) : -1;
    if (step < 0)
      return FALSE;
    if (step == 0 || *entry != NULL)
      continue;
    *entry = read_entry(store, organisation, query, error);
    if (*entry == NULL)
      return FALSE;
    *state =
        entry_state(query_int(query, COLUMN_ENDED), query_int(query, COLUMN_PURGED) != 0,
                    (*entry)->expires_s, store_now(store));
  }
  if (*entry == NULL)
    pretend(store, organisation);
  /* "Never existed" is only said when all keys were tried. */
  return derived_is_complete(store, db, error);
}

gboolean
store_find_entry(Store *store, const char *organisation, const guint8 *link_secret,
                 EntryState *state, Entry **entry, GError **error)
{
  *state = ENTRY_NONE;
  *entry = NULL;
  Db *db = store_get_reader(store, error);
  if (db == NULL)
    return FALSE;
  gboolean done = find_entry(store, db, organisation, link_secret, state, entry, error);
  store_put_reader(store, db);
  if (!done)
    g_clear_pointer(entry, entry_free);
  return done;
}

gboolean
entry_find_row(Db *db, const Entry *entry, gint64 now_s, gint64 *id, GError **error)
{
  *id = 0;
  g_autoptr(Query) query = db_query(
      db,
      "SELECT id FROM entry WHERE reference = ?1 AND organisation = ?2"
      "  AND message_key IS NOT NULL AND expires_s > ?3",
      DB_VALUES(V_TEXT(entry->reference), V_TEXT(entry->organisation), V_INT(now_s)),
      error);
  int step = query != NULL ? query_step(query, error) : -1;
  if (step > 0)
    *id = query_int(query, 0);
  return step >= 0;
}

gboolean
entry_find_any(Db *db, const char *organisation, const char *reference, gint64 *id,
               GError **error)
{
  *id = 0;
  g_autoptr(Query) query =
      db_query(db, "SELECT id FROM entry WHERE reference = ?1 AND organisation = ?2",
               DB_VALUES(V_TEXT(reference), V_TEXT(organisation)), error);
  int step = query != NULL ? query_step(query, error) : -1;
  if (step > 0)
    *id = query_int(query, 0);
  if (step == 0)
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "no entry %s", reference);
  return step > 0;
}

/* ---- the message itself ---- */

struct MessageSource {
  Opener *opener;
  int fd;         /* of a large message, or -1 */
  GBytes *sealed; /* of a small one */
  gsize sealed_at;
  GByteArray *plain; /* verified, from plain_at on not yet read */
  gsize plain_at;
  gboolean ended;  /* and the end was verified */
  gboolean failed; /* and so will each further call */
  guint8 buffer[SEAL_CHUNK_BYTES];
};

void
message_source_free(MessageSource *source)
{
  if (source == NULL)
    return;
  opener_free(source->opener);
  if (source->fd >= 0)
    close(source->fd);
  g_clear_pointer(&source->sealed, g_bytes_unref);
  secret_wipe(source->plain->data, source->plain->len);
  g_byte_array_unref(source->plain);
  g_free(source);
}

gboolean
entry_set_gone(GError **error)
{
  g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID,
                      "the message is no longer there");
  return FALSE;
}

/* Fills SOURCE from the row in QUERY: message_key, file, sealed. */
static gboolean
open_row(const Store *store, const Entry *entry, const guint8 *link_secret, Query *query,
         MessageSource *source, GError **error)
{
  FieldPlace place = {entry->organisation, entry->reference, "message_key"};
  gsize len = 0;
  gconstpointer wrapped = query_blob(query, 0, &len);
  g_autoptr(Secret) key = key_unwrap(store, &place, link_secret, wrapped, len, error);
  if (key == NULL)
    return FALSE;
  source->opener = opener_new(key);
  if (!query_is_null(query, 1)) {
    source->fd = large_file_open(store->directory, query_text(query, 1), error);
    return source->fd >= 0;
  }
  gconstpointer sealed = query_blob(query, 2, &len);
  source->sealed = g_bytes_new(sealed, len);
  return TRUE;
}

static gboolean
open_message(const Store *store, Db *db, const Entry *entry, const guint8 *link_secret,
             MessageSource *source, GError **error)
{
  g_autoptr(Query) query =
      db_query(db,
               "SELECT message_key, file, sealed FROM entry"
               "  JOIN message ON message.id = entry.message"
               "  WHERE reference = ?1 AND organisation = ?2"
               "  AND message_key IS NOT NULL AND expires_s > ?3",
               DB_VALUES(V_TEXT(entry->reference), V_TEXT(entry->organisation),
                         V_INT(store_now(store))),
               error);
  int step = query != NULL ? query_step(query, error) : -1;
  if (step <= 0)
    return step == 0 && entry_set_gone(error);
  return open_row(store, entry, link_secret, query, source, error);
}

MessageSource *
store_open_message(Store *store, const Entry *entry, const guint8 *link_secret,
                   GError **error)
{
  Db *db = store_get_reader(store, error);
  if (db == NULL)
    return NULL;
  g_autoptr(MessageSource) source = g_new0(MessageSource, 1);
  source->fd = -1;
  source->plain = g_byte_array_sized_new(SEAL_CHUNK_BYTES);
  gboolean done = open_message(store, db, entry, link_secret, source, error);
  store_put_reader(store, db);
  return done ? g_steal_pointer(&source) : NULL;
}

/* The next sealed bytes into *BYTES; 0 at the end, -1 with an error. */
static gssize
next_sealed(MessageSource *source, const guint8 **bytes, GError **error)
{
  if (source->fd < 0) {
    gsize len = 0;
    const guint8 *all = g_bytes_get_data(source->sealed, &len);
    gsize n = MIN(len - source->sealed_at, sizeof source->buffer);
    if (n > 0)
      *bytes = all + source->sealed_at;
    source->sealed_at += n;
    return (gssize) n;
  }
  *bytes = source->buffer;
  for (;;) {
    ssize_t n = read(source->fd, source->buffer, sizeof source->buffer);
    if (n >= 0 || errno != EINTR) {
      if (n < 0)
        zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, "sealed message");
      return n;
    }
  }
}

/* Opens the next sealed bytes; at their end the last chunk. */
static gboolean
open_next(MessageSource *source, GError **error)
{
  const guint8 *bytes = NULL;
  gssize n = next_sealed(source, &bytes, error);
  if (n < 0)
    return FALSE;
  if (n == 0)
    source->ended = opener_finish(source->opener, source->plain, error);
  if (source->ended ||
      (n > 0 && opener_update(source->opener, bytes, (gsize) n, source->plain, error)))
    return TRUE;
  damaged(error);
  return FALSE;
}

/* Opens more, until there is something to read or the end was verified. */
static gboolean
fill(MessageSource *source, GError **error)
{
  secret_wipe(source->plain->data, source->plain->len);
  g_byte_array_set_size(source->plain, 0);
  source->plain_at = 0;
  while (source->plain->len == 0 && !source->ended && !source->failed)
    source->failed = !open_next(source, error);
  if (source->failed && error != NULL && *error == NULL)
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED,
                        "the message failed to open before");
  return !source->failed;
}

gssize
message_source_read(MessageSource *source, gpointer buffer, gsize len, GError **error)
{
  if ((source->failed || source->plain_at == source->plain->len) && !fill(source, error))
    return -1;
  gsize n = MIN(len, source->plain->len - source->plain_at);
  n = MIN(n, (gsize) G_MAXSSIZE);
  memcpy(buffer, source->plain->data + source->plain_at, n);
  source->plain_at += n;
  return (gssize) n;
}
