#include <string.h>

#include "common/base/error.h"
#include "common/crypt/seal.h"
#include "common/crypt/ticket.h"
#include "common/store/internal.h"

#define INLINE_MAX_BYTES (128 * 1024) /* sealed; above it a file costs less (measured) */
#define APPEND_BYTES     (64 * 1024)  /* what is written to a file at once */

struct Filing {
  Store *store;
  Secret *key;
  Sealer *sealer;
  GByteArray *sealed; /* not yet in the file */
  LargeFile *file;    /* NULL while all is in memory */
  guint64 size;
};

typedef struct {
  Filing *filing;
  const FilingMeta *meta;
  FilingRecipient *recipients;
  EntryRow *rows;
  guint count;
  GBytes *parts;
  DispatchRow dispatch;
  GPtrArray *events; /* of Event: what the log is told after the commit */
  gint64 message;    /* row of the message, 0 until a recipient needs it */
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
find_existing(Db *db, const FilingJob *job, FilingRecipient *recipient, const EntryRow *row,
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
  if (!db_run(db, "INSERT INTO message (size, file, sealed, parts) VALUES (?1, ?2, ?3, ?4)",
              DB_VALUES(V_INT((gint64) filing->size), file, sealed,
                        job->parts != NULL ? V_BYTES(job->parts) : V_NULL),
              error))
    return FALSE;
  job->message = db_last_id(db);
  return TRUE;
}

static gboolean
file_recipient(Db *db, FilingJob *job, guint i, GError **error)
{
  FilingRecipient *recipient = &job->recipients[i];
  const EntryRow *row = &job->rows[i];
  recipient->existed = recipient->conflict = recipient->notified = FALSE;
  int found = find_existing(db, job, recipient, row, error);
  if (found != 0)
    return found > 0;
  if (job->message == 0 && !insert_message(db, job, error))
    return FALSE;
  g_strlcpy(recipient->reference, row->reference, sizeof recipient->reference);
  recipient->expires_s = job->meta->expires_s;
  return entry_row_insert(db, job->meta, recipient, row, job->message, 0, error);
}

/* What a visitor wrote himself has the hash of a few words that somebody could guess. */
static gboolean
record_stored(Db *db, FilingJob *job, const FilingRecipient *recipient, GError **error)
{
  const FilingMeta *meta = job->meta;
  gboolean queued = meta->queue_id != NULL && *meta->queue_id != '\0';
  gboolean named = meta->message_id != NULL && *meta->message_id != '\0';
  g_autofree char *hash = crypt_hex(meta->body_sha256, CRYPT_SHA256_BYTES);
  Event *event =
      event_new(EVENT_STORED, queued ? meta->queue_id : NULL, meta->organisation, "ref",
                recipient->reference, "message-id", named ? meta->message_id : NULL, "to",
                recipient->address, "from", meta->sender, "sha256",
                recipient->from_reader ? NULL : hash, "again",
                recipient->existed ? "yes" : NULL, "method",
                recipient->shared           ? "password"
                : recipient->number == NULL ? "email"
                                            : NULL,
                NULL);
  g_ptr_array_add(job->events, event);
  return outbox_add(job->filing->store, db, event, error);
}

static gboolean
file_all(Db *db, gpointer data, GError **error)
{
  FilingJob *job = data;
  for (guint i = 0; i < job->count; i++)
    if (!file_recipient(db, job, i, error) ||
        (!job->recipients[i].conflict &&
         !record_stored(db, job, &job->recipients[i], error)))
      return FALSE;
  return job->meta->dispatch == NULL ||
         dispatch_row_insert(db, job->meta, &job->dispatch, error);
}

/* All that can be made before the writer's turn. */
static gboolean
prepare(FilingJob *job, GError **error)
{
  const Filing *filing = job->filing;
  const FilingMeta *meta = job->meta;
  for (guint i = 0; i < job->count; i++)
    if (!entry_row_make(filing->store, meta, &job->recipients[i], filing->key,
                        &job->rows[i], error))
      return FALSE;
  if (meta->parts != NULL && (job->parts = parts_seal(meta, filing->key, error)) == NULL)
    return FALSE;
  return meta->dispatch == NULL ||
         dispatch_row_make(filing->store, meta, &job->dispatch, error);
}

static void
clear_job(FilingJob *job)
{
  for (guint i = 0; i < job->count; i++)
    entry_row_clear(&job->rows[i]);
  g_free(job->rows);
  g_ptr_array_unref(job->events);
  g_clear_pointer(&job->parts, g_bytes_unref);
  dispatch_row_clear(&job->dispatch);
}

gboolean
filing_commit(Filing *filing, const FilingMeta *meta, FilingRecipient *recipients,
              guint count, GError **error)
{
  if (!finish(filing, error))
    return FALSE;
  FilingJob job = {.filing = filing,
                   .meta = meta,
                   .recipients = recipients,
                   .rows = g_new0(EntryRow, count),
                   .events = g_ptr_array_new_with_free_func((GDestroyNotify) event_free),
                   .count = count};
  gboolean done =
      prepare(&job, error) && writer_run(filing->store->writer, file_all, &job, error);
  for (guint i = 0; done && i < job.events->len; i++)
    event_write(job.events->pdata[i]);
  clear_job(&job);
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
  Record record;
} NotifiedJob;

static gboolean
set_notified(Db *db, gpointer data, GError **error)
{
  NotifiedJob *job = data;
  if (!db_run(db,
              "UPDATE entry SET notified = ?1, notified_s = ?2"
              "  WHERE reference = ?3 AND organisation = ?4",
              DB_VALUES(V_TEXT(job->queue_id), V_INT(job->now_s), V_TEXT(job->reference),
                        V_TEXT(job->organisation)),
              error))
    return FALSE;
  if (db_changes(db) == 0)
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "no entry %s", job->reference);
  return db_changes(db) > 0 && record_add(db, &job->record, error);
}

gboolean
store_set_notified(Store *store, const char *organisation, const char *reference,
                   const char *queue_id, Event *event, GError **error)
{
  NotifiedJob job = {organisation,
                     reference,
                     queue_id != NULL ? queue_id : "",
                     store_now(store),
                     {store, event, FALSE}};
  return record_run(store, set_notified, &job, &job.record, error);
}
