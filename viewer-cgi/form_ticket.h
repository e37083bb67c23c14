/*
 * form_ticket.h - the link to the web form: proof that somebody reads an e-mail address.
 *
 * It is a box (box.h) of version, end, nonce and address, bound to the organisation, so it
 * needs no storage, and whoever sees the link does not see the address. The nonce is a
 * secret of the link: the copy of what was written is opened with a password made of it,
 * and it is never stored.
 */
#pragma once

#include <glib.h>

#include "common/base/mailbox.h"
#include "common/crypt/key.h"

#define FORM_TICKET_LIFE_S      86400
#define FORM_TICKET_GRACE_S     14400 /* for who is still writing when it ends */
#define FORM_TICKET_NONCE_BYTES 16

typedef struct {
  char address[MAILBOX_MAX_BYTES + 1];
  guint8 nonce[FORM_TICKET_NONCE_BYTES];
  gint64 expires_s;
} FormTicket;

/*
 * A ticket of ORGANISATION for ADDRESS (as mailbox_parse gives it) that ends at EXPIRES_S,
 * under RING (KEY_STORE): base64url, a new string to wipe, or NULL with an error.
 */
char *
form_ticket_seal(const KeyRing *ring, const char *organisation, const char *address,
                 gint64 expires_s, GError **error);

/* Opens TEXT into *TICKET (wipe it); its end is not looked at. FALSE: we never made it. */
gboolean
form_ticket_open(const KeyRing *ring, const char *organisation, const char *text,
                 FormTicket *ticket);
