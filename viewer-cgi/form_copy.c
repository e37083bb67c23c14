#include "viewer-cgi/form_copy.h"

#include <string.h>

#define COPY_LABEL   "form copy password"
#define TICKET_LABEL "form copy ticket"

#define NO_LINK_KEY 0 /* the secret is made of a password */
#define ATTEMPTS    4 /* with other words each, after Postfix did not take the mail */

/* HMAC of LABEL (with its NUL), the nonce of TICKET, and LEN bytes at WHAT. */
static gboolean
derive(const Secret *key, const char *label, const FormTicket *ticket, const guint8 *what,
       gsize len, guint8 mac[CRYPT_SHA256_BYTES], GError **error)
{
  gsize label_len = strlen(label) + 1;
  g_autoptr(Secret) data = secret_new(label_len + sizeof ticket->nonce + len);
  guint8 *bytes = secret_bytes(data);
  memcpy(bytes, label, label_len);
  memcpy(bytes + label_len, ticket->nonce, sizeof ticket->nonce);
  memcpy(bytes + label_len + sizeof ticket->nonce, what, len);
  return crypt_hmac(key, secret_peek(data), secret_size(data), mac, error);
}

static gboolean
make_password(const Secret *key, const FormCopyFacts *facts, char *password, GError **error)
{
  guint8 mac[CRYPT_SHA256_BYTES];
  if (!derive(key, COPY_LABEL, facts->ticket, facts->digest, CRYPT_SHA256_BYTES, mac,
              error))
    return FALSE;
  store_password_from(mac, password);
  secret_wipe(mac, sizeof mac);
  return TRUE;
}

static gboolean
make_ticket_id(const Secret *key, const FormTicket *ticket, guint8 attempt,
               guint8 id[TICKET_ID_BYTES], GError **error)
{
  guint8 mac[CRYPT_SHA256_BYTES];
  if (!derive(key, TICKET_LABEL, ticket, &attempt, sizeof attempt, mac, error))
    return FALSE;
  memcpy(id, mac, TICKET_ID_BYTES);
  return TRUE;
}

static gboolean
commit(Store *store, const FormCopyFacts *facts, const guint8 *ticket_id,
       FilingRecipient *recipient, GError **error)
{
  const FilingMeta meta = {
      .organisation = facts->organisation,
      .ticket_id = ticket_id,
      .body_sha256 = facts->digest,
      .sender = facts->ticket->address,
      .sender_name = facts->name,
      .message_id = "", /* nobody answers it */
      .queue_id = "",
      .received_s = facts->now_s,
      .expires_s = facts->now_s + facts->retention_days * (gint64) 86400,
  };
  g_autoptr(Filing) filing = filing_begin(store, error);
  return filing != NULL &&
         filing_write(filing, facts->message->str, facts->message->len, error) &&
         filing_commit(filing, &meta, recipient, 1, error);
}

/* Files the copy for the time ATTEMPT; what RECIPIENT says then is of this time. */
static gboolean
try_file(Store *store, const Secret *key, const FormCopyFacts *facts, guint8 attempt,
         const char *password, FilingRecipient *recipient, GError **error)
{
  guint8 ticket_id[TICKET_ID_BYTES];
  return make_ticket_id(key, facts->ticket, attempt, ticket_id, error) &&
         crypt_random(recipient->link_nonce, sizeof recipient->link_nonce, error) &&
         store_password_secret(password, recipient->link_nonce, recipient->link_secret,
                               error) &&
         commit(store, facts, ticket_id, recipient, error);
}

gboolean
form_copy_file(Store *store, const Secret *key, const FormCopyFacts *facts, FormCopy *copy,
               GError **error)
{
  FilingRecipient recipient = {
      .address = facts->ticket->address,
      .shared = TRUE,
      .from_reader = TRUE,
      .link_key_id = NO_LINK_KEY,
      .conflict = TRUE,
  };
  gboolean filed = make_password(key, facts, copy->password, error);
  /* Other words under this link that went nowhere leave room for these. */
  for (guint8 i = 0; filed && i < ATTEMPTS && recipient.conflict && !recipient.notified;
       i++)
    filed = try_file(store, key, facts, i, copy->password, &recipient, error);
  secret_wipe(recipient.link_secret, sizeof recipient.link_secret);
  g_strlcpy(copy->reference, recipient.reference, sizeof copy->reference);
  copy->expires_s = recipient.expires_s;
  copy->other = recipient.conflict;
  copy->sent = recipient.notified;
  return filed;
}
