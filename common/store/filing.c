#include <string.h>

#include "common/base/error.h"
#include "common/crypt/seal.h"
#include "common/crypt/ticket.h"
#include "common/store/internal.h"

#define INLINE_MAX_BYTES (128 * 1024) /* sealed; above it a file costs less (measured) */
#define APPEND_BYTES     (64 * 1024)  /* what is written to a file at once */
#define REFERENCE_BYTES  10           /* random: 80 bits, 16 characters */

struct Filing {
  Store *store;
  Secret *key;
  Sealer *sealer;
  GByteArray *sealed; /* not yet in the file */
  LargeFile *file;    /* NULL while all is in memory */
  guint64 size;
};

/* What the row of one recipient holds, made before the writer's turn. */
typedef struct {
  char reference[STORE_REFERENCE_MAX + 1];
  GArray *recipient_macs; /* one under each store key, the current one first */
  guint8 link_mac[CRYPT_SHA256_BYTES];
  GBytes *key, *address, *number, *sender, *sender_name, *message_id, *body;
} Row;

typedef struct {
  Filing *filing;
  const FilingMeta *meta;
  FilingRecipient *recipients;
  Row *rows;
  guint count;
  gint64 message; /* row of the message, 0 until a recipient needs it */
} FilingJob;

Filing *
filing_begin(Store *store, GError **error)
{
  g_autoptr(Secret) key = secret_new(CRYPT_KEY_BYTES);
  if (!crypt_random(secret_bytes(key), CRYPT_KEY_BYTES, error))
    return NULL;
  Filing *filing = g_new0(Filing, 1);
  filing->store = store;
  filing->sealer = sealer_new(key);
  filing->key = g_steal_pointer(&key);
  filing->sealed = g_byte_array_new();
  return filing;
}

static gboolean
flush(Filing *filing, GError **error)
{
  if (filing->file == NULL)
    filing->file = large_file_new(filing->store->directory, error);
  if (filing->file == NULL ||
      !large_file_append(filing->file, filing->sealed->data, filing->sealed->len, error))
    return FALSE;
  g_byte_array_set_size(filing->sealed, 0);
  return TRUE;
}

gboolean
filing_write(Filing *filing, gconstpointer bytes, gsize len, GError **error)
{
  const guint8 *from = bytes;
  while (len > 0) {
    gsize n = MIN(len, APPEND_BYTES);
    gsize held_max = filing->file != NULL ? APPEND_BYTES : INLINE_MAX_BYTES;
    if (!sealer_update(filing->sealer, from, n, filing->sealed, error))
      return FALSE;
    if (filing->sealed->len > held_max && !flush(filing, error))
      return FALSE;
    filing->size += n;
    from += n;
    len -= n;
  }
  return TRUE;
}

/* All is sealed; a large message is on disk under its name. */
static gboolean
finish(Filing *filing, GError **error)
{
  if (!sealer_finish(filing->sealer, filing->sealed, error))
    return FALSE;
  if (filing->file == NULL && filing->sealed->len <= INLINE_MAX_BYTES)
    return TRUE;
  return flush(filing, error) && large_file_place(filing->file, error);
}

/* Letters and digits that are not mistaken for one another when read aloud. */
static gboolean
make_reference(char reference[STORE_REFERENCE_MAX + 1], GError **error)
{
  static const char alphabet[32] = "0123456789abcdefghjkmnpqrstvwxyz";
  guint8 random[REFERENCE_BYTES];
  if (!crypt_random(random, sizeof random, error))
    return FALSE;
  guint bits = 0;
  guint held = 0;
  gsize n = 0;
  for (gsize i = 0; i < sizeof random; i++) {
    held = held << 8 | random[i];
    for (bits += 8; bits >= 5; bits -= 5)
      reference[n++] = alphabet[held >> (bits - 5) & 31];
  }
  reference[n] = '\0';
  return TRUE;
}

static gboolean
seal_column(const Store *store, FieldPlace *place, const char *column, gconstpointer bytes,
            gsize len, GBytes **box, GError **error)
{
  place->column = column;
  *box = field_seal(store, place, bytes, len, error);
  return *box != NULL;
}

static gboolean
seal_text(const Store *store, FieldPlace *place, const char *column, const char *text,
          GBytes **box, GError **error)
{
  const char *value = text != NULL ? text : "";
  return seal_column(store, place, column, value, strlen(value), box, error);
}

static gboolean
make_macs(const Store *store, const FilingMeta *meta, const FilingRecipient *recipient,
          Row *row, GError **error)
{
  row->recipient_macs = g_array_new(FALSE, TRUE, CRYPT_SHA256_BYTES);
  g_array_set_size(row->recipient_macs, store->derived->len);
  for (guint i = 0; i < store->derived->len; i++)
    if (!store_mac_address(
            store, i, DERIVED_RECIPIENT, meta->organisation, recipient->address, FALSE,
            (guint8 *) row->recipient_macs->data + i * CRYPT_SHA256_BYTES, error))
      return FALSE;
  return store_mac(store, 0, DERIVED_LINK, meta->organisation, recipient->link_secret,
                   STORE_LINK_SECRET_BYTES, row->link_mac, error);
}

static gboolean
make_row(const Filing *filing, const FilingMeta *meta, const FilingRecipient *recipient,
         Row *row, GError **error)
{
  const Store *store = filing->store;
  if (!make_reference(row->reference, error) ||
      !make_macs(store, meta, recipient, row, error))
    return FALSE;
  FieldPlace place = {meta->organisation, row->reference, "message_key"};
  row->key = key_wrap(store, &place, recipient->link_secret, filing->key, error);
  return row->key != NULL &&
         seal_text(store, &place, "address", recipient->address, &row->address, error) &&
         seal_text(store, &place, "number", recipient->number, &row->number, error) &&
         seal_text(store, &place, "sender", meta->sender, &row->sender, error) &&
         seal_text(store, &place, "sender_name", meta->sender_name, &row->sender_name,
                   error) &&
         seal_text(store, &place, "message_id", meta->message_id, &row->message_id,
                   error) &&
         seal_column(store, &place, "body", meta->body_sha256, CRYPT_SHA256_BYTES,
                     &row->body, error);
}

static void
free_rows(Row *rows, guint count)
{
  for (guint i = 0; i < count; i++) {
    Row *row = &rows[i];
    GBytes *boxes[] = {row->key,         row->address,    row->number, row->sender,
                       row->sender_name, row->message_id, row->body};
    for (gsize b = 0; b < G_N_ELEMENTS(boxes); b++)
      g_clear_pointer(&boxes[b], g_bytes_unref);
    g_clear_pointer(&row->recipient_macs, g_array_unref);
  }
  g_free(rows);
}

/* Whether the stored hash in QUERY (column COLUMN) is that of META; -1 with an error. */
static int
has_same_body(const FilingJob *job, const char *reference, Query *query, int column,
              GError **error)
{
  FieldPlace place = {job->meta->organisation, reference, "body"};
  gsize len = 0;
  gconstpointer box = query_blob(query, column, &len);
  g_autoptr(Secret) body = field_open(job->filing->store, &place, box, len, error);
  if (body == NULL)
    return -1;
  return secret_size(body) == CRYPT_SHA256_BYTES &&
         crypt_equal(secret_peek(body), job->meta->body_sha256, CRYPT_SHA256_BYTES);
}

/* Fills RECIPIENT from the row that was filed before. */
static gboolean
take_existing(const FilingJob *job, FilingRecipient *recipient, Query *query,
              GError **error)
{
  gsize len = 0;
  const char *reference = query_text(query, 0);
  gboolean purged = query_is_null(query, 5); /* expired: nothing is left to compare */
  int same = purged ? TRUE : has_same_body(job, reference, query, 5, error);
  if (same < 0)
    return FALSE;
  recipient->existed = same;
  recipient->conflict = !same;
  recipient->notified = purged || !query_is_null(query, 3);
  recipient->expires_s = query_int(query, 4);
  recipient->link_key_id = (guint32) query_int(query, 2);
  g_strlcpy(recipient->reference, reference, sizeof recipient->reference);
  gconstpointer nonce = query_blob(query, 1, &len);
  if (len != STORE_NONCE_BYTES) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED, "entry %s: no good nonce",
                reference);
    return FALSE;
  }
  memcpy(recipient->link_nonce, nonce, STORE_NONCE_BYTES);
  return TRUE;
}

/* 1 when RECIPIENT was filed before under this ticket, 0 when not, -1 with an error. */
static int
find_existing(Db *db, const FilingJob *job, FilingRecipient *recipient, const Row *row,
              GError **error)
{
  for (guint i = 0; i < row->recipient_macs->len; i++) {
    const guint8 *mac = (const guint8 *) row->recipient_macs->data + i * CRYPT_SHA256_BYTES;
    g_autoptr(Query) query = db_query(
        db,
        "SELECT reference, link_nonce, link_key, notified, expires_s, body"
        "  FROM entry WHERE ticket = ?1 AND recipient = ?2",
        DB_VALUES(V_BLOB(job->meta->ticket_id, TICKET_ID_BYTES), V_MAC(mac)), error);
    int step = query != NULL ? query_step(query, error) : -1;
    if (step < 0)
      return -1;
    if (step > 0)
      return take_existing(job, recipient, query, error) ? 1 : -1;
  }
  return 0;
}

static gboolean
insert_message(Db *db, FilingJob *job, GError **error)
{
  const Filing *filing = job->filing;
  gboolean large = filing->file != NULL;
  DbValue file = large ? V_TEXT(large_file_name(filing->file)) : V_NULL;
  DbValue sealed = large ? V_NULL : V_BLOB(filing->sealed->data, filing->sealed->len);
  if (!db_run(db, "INSERT INTO message (size, file, sealed) VALUES (?1, ?2, ?3)",
              DB_VALUES(V_INT((gint64) filing->size), file, sealed), error))
    return FALSE;
  job->message = db_last_id(db);
  return TRUE;
}

static gboolean
insert_entry(Db *db, const FilingJob *job, const FilingRecipient *recipient, const Row *row,
             GError **error)
{
  const FilingMeta *meta = job->meta;
  return db_run(
      db,
      "INSERT INTO entry (organisation, reference, ticket, recipient, link, link_nonce,"
      "  link_key, queue_id, received_s, expires_s, message, message_key, address, number,"
      "  sender, sender_name, message_id, body)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
      "  ?17, ?18)",
      DB_VALUES(V_TEXT(meta->organisation), V_TEXT(row->reference),
                V_BLOB(meta->ticket_id, TICKET_ID_BYTES), V_MAC(row->recipient_macs->data),
                V_MAC(row->link_mac), V_BLOB(recipient->link_nonce, STORE_NONCE_BYTES),
                V_INT(recipient->link_key_id),
                meta->queue_id != NULL ? V_TEXT(meta->queue_id) : V_NULL,
                V_INT(meta->received_s), V_INT(meta->expires_s), V_INT(job->message),
                V_BYTES(row->key), V_BYTES(row->address), V_BYTES(row->number),
                V_BYTES(row->sender), V_BYTES(row->sender_name), V_BYTES(row->message_id),
                V_BYTES(row->body)),
      error);
}

static gboolean
file_recipient(Db *db, FilingJob *job, guint i, GError **error)
{
  FilingRecipient *recipient = &job->recipients[i];
  const Row *row = &job->rows[i];
  recipient->existed = recipient->conflict = recipient->notified = FALSE;
  int found = find_existing(db, job, recipient, row, error);
  if (found != 0)
    return found > 0;
  if (job->message == 0 && !insert_message(db, job, error))
    return FALSE;
  g_strlcpy(recipient->reference, row->reference, sizeof recipient->reference);
  recipient->expires_s = job->meta->expires_s;
  return insert_entry(db, job, recipient, row, error);
}

static gboolean
file_all(Db *db, gpointer data, GError **error)
{
  FilingJob *job = data;
  for (guint i = 0; i < job->count; i++)
    if (!file_recipient(db, job, i, error))
      return FALSE;
  return TRUE;
}

gboolean
filing_commit(Filing *filing, const FilingMeta *meta, FilingRecipient *recipients,
              guint count, GError **error)
{
  if (!finish(filing, error))
    return FALSE;
  Row *rows = g_new0(Row, count);
  gboolean done = TRUE;
  for (guint i = 0; i < count && done; i++)
    done = make_row(filing, meta, &recipients[i], &rows[i], error);
  FilingJob job = {filing, meta, recipients, rows, count, 0};
  done = done && writer_run(filing->store->writer, file_all, &job, error);
  free_rows(rows, count);
  /* After a failed commit a row may yet name the file: then only a sweep can tell. */
  if (done && job.message == 0 && filing->file != NULL)
    large_file_discard(filing->file);
  return done;
}

void
filing_free(Filing *filing)
{
  if (filing == NULL)
    return;
  secret_free(filing->key);
  sealer_free(filing->sealer);
  g_byte_array_unref(filing->sealed);
  large_file_free(filing->file);
  g_free(filing);
}

typedef struct {
  const char *organisation, *reference, *queue_id;
  gint64 now_s;
} NotifiedJob;

static gboolean
set_notified(Db *db, gpointer data, GError **error)
{
  const NotifiedJob *job = data;
  if (!db_run(db,
              "UPDATE entry SET notified = ?1, notified_s = ?2"
              "  WHERE reference = ?3 AND organisation = ?4",
              DB_VALUES(V_TEXT(job->queue_id), V_INT(job->now_s), V_TEXT(job->reference),
                        V_TEXT(job->organisation)),
              error))
    return FALSE;
  if (db_changes(db) == 0)
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "no entry %s", job->reference);
  return db_changes(db) > 0;
}

gboolean
store_set_notified(Store *store, const char *organisation, const char *reference,
                   const char *queue_id, GError **error)
{
  NotifiedJob job = {organisation, reference, queue_id != NULL ? queue_id : "",
                     store_now(store)};
  return writer_run(store->writer, set_notified, &job, error);
}
