#include <string.h>

#include "common/crypt/ticket.h"
#include "common/store/internal.h"

#define REFERENCE_BYTES 10 /* random: 80 bits */

G_STATIC_ASSERT(REFERENCE_BYTES * 8 == STORE_REFERENCE_CHARS * 5);

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
          EntryRow *row, GError **error)
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

gboolean
entry_row_make(const Store *store, const FilingMeta *meta, const FilingRecipient *recipient,
               const Secret *key, EntryRow *row, GError **error)
{
  if (!make_reference(row->reference, error) ||
      !make_macs(store, meta, recipient, row, error))
    return FALSE;
  FieldPlace place = {meta->organisation, row->reference, "message_key"};
  row->key = key_wrap(store, &place, recipient->link_secret, key, error);
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

gboolean
entry_row_insert(Db *db, const FilingMeta *meta, const FilingRecipient *recipient,
                 const EntryRow *row, gint64 message, gint64 parent, GError **error)
{
  return db_run(
      db,
      "INSERT INTO entry (organisation, reference, ticket, recipient, link, link_nonce,"
      "  link_key, queue_id, received_s, expires_s, message, message_key, address, number,"
      "  sender, sender_name, message_id, body, shared, from_reader, watch, parent)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
      "  ?17, ?18, ?19, ?20, ?21, ?22)",
      DB_VALUES(V_TEXT(meta->organisation), V_TEXT(row->reference),
                V_BLOB(meta->ticket_id, TICKET_ID_BYTES), V_MAC(row->recipient_macs->data),
                V_MAC(row->link_mac), V_BLOB(recipient->link_nonce, STORE_NONCE_BYTES),
                V_INT(recipient->link_key_id),
                meta->queue_id != NULL ? V_TEXT(meta->queue_id) : V_NULL,
                V_INT(meta->received_s), V_INT(meta->expires_s), V_INT(message),
                V_BYTES(row->key), V_BYTES(row->address), V_BYTES(row->number),
                V_BYTES(row->sender), V_BYTES(row->sender_name), V_BYTES(row->message_id),
                V_BYTES(row->body), V_INT(recipient->shared != FALSE),
                V_INT(recipient->from_reader != FALSE),
                V_INT(recipient->shared ? 0 : WATCH_TELL | WATCH_REMIND),
                parent != 0 ? V_INT(parent) : V_NULL),
      error);
}

void
entry_row_clear(EntryRow *row)
{
  GBytes *const boxes[] = {row->key,         row->address,    row->number, row->sender,
                           row->sender_name, row->message_id, row->body};
  for (gsize i = 0; i < G_N_ELEMENTS(boxes); i++)
    if (boxes[i] != NULL)
      g_bytes_unref(boxes[i]);
  g_clear_pointer(&row->recipient_macs, g_array_unref);
  memset(row, 0, sizeof *row);
}
