#include "viewer-cgi/form_ticket.h"

#include <string.h>

#include "common/crypt/box.h"
#include "common/crypt/crypt.h"

#define LABEL   "form ticket"
#define VERSION 1

/* Version (1 octet), end (8, big endian), nonce (16), address. */
#define END_AT     1
#define NONCE_AT   (END_AT + 8)
#define ADDRESS_AT (NONCE_AT + FORM_TICKET_NONCE_BYTES)
#define MAX_BYTES  (ADDRESS_AT + MAILBOX_MAX_BYTES)

char *
form_ticket_seal(const KeyRing *ring, const char *organisation, const char *address,
                 gint64 expires_s, GError **error)
{
  guint8 plain[MAX_BYTES] = {VERSION};
  gsize address_len = MIN(strlen(address), MAILBOX_MAX_BYTES);
  gint64 end = GINT64_TO_BE(expires_s);
  memcpy(plain + END_AT, &end, sizeof end);
  if (!crypt_random(plain + NONCE_AT, FORM_TICKET_NONCE_BYTES, error))
    return NULL;
  memcpy(plain + ADDRESS_AT, address, address_len);
  g_autoptr(GBytes) box = box_seal(ring, LABEL, organisation, strlen(organisation), plain,
                                   ADDRESS_AT + address_len, error);
  secret_wipe(plain, sizeof plain);
  if (box == NULL)
    return NULL;
  gsize len = 0;
  gconstpointer bytes = g_bytes_get_data(box, &len);
  return crypt_base64url(bytes, len);
}

gboolean
form_ticket_open(const KeyRing *ring, const char *organisation, const char *text,
                 FormTicket *ticket)
{
  gsize len = strlen(text) / 4 * 3 + strlen(text) % 4 * 3 / 4; /* of base64, unpadded */
  if (len > BOX_OVERHEAD_BYTES + MAX_BYTES)
    return FALSE;
  g_autoptr(Secret) box = crypt_base64url_decode(text, len);
  if (box == NULL)
    return FALSE;
  g_autoptr(Secret) plain = box_open(ring, LABEL, organisation, strlen(organisation),
                                     secret_peek(box), secret_size(box), NULL);
  if (plain == NULL || secret_size(plain) <= ADDRESS_AT || secret_size(plain) > MAX_BYTES)
    return FALSE;
  const guint8 *bytes = secret_peek(plain);
  if (bytes[0] != VERSION)
    return FALSE;
  memset(ticket, 0, sizeof *ticket);
  memcpy(&ticket->expires_s, bytes + END_AT, sizeof ticket->expires_s);
  ticket->expires_s = GINT64_FROM_BE(ticket->expires_s);
  memcpy(ticket->nonce, bytes + NONCE_AT, sizeof ticket->nonce);
  memcpy(ticket->address, bytes + ADDRESS_AT, secret_size(plain) - ADDRESS_AT);
  return TRUE;
}
