/*
 * ticket.h - what zegel-deliver must know of a message, sealed by the milter.
 *
 * The ticket is the value of the header X-Zegel-Ticket: base64 of a box (box.h, label
 * "ticket") around an attribute block (attr.h). Nobody outside can make one, and nobody on
 * the way learns anything from it. Format: zegel-ticket(5).
 */
#pragma once

#include <glib.h>

#include "common/crypt/crypt.h"
#include "common/crypt/key.h"

#define TICKET_HEADER         "X-Zegel-Ticket"
#define TICKET_ID_BYTES       16
#define TICKET_MAX_RECIPIENTS 1000
#define TICKET_MAX_PARTS      100 /* a header must stay below Postfix's header_size_limit */
#define TICKET_MAX_ROUTES     200 /* recipients with a route; for the same reason */
#define TICKET_MAX_PART_BYTES 16384 /* of all of them as they stand in the ticket */

typedef struct {
  char *address;    /* without label */
  char *number;     /* E.164; NULL: not a viewer recipient, unless by_mail */
  gboolean by_mail; /* a viewer recipient without number: his code comes by e-mail (S6) */
  gboolean learn;   /* NUMBER was given with this message: the phone book learns it (S8) */
  char *route;      /* the word of event=routed; owned; NULL when it is not known. An own
                     * mailbox ("own") is here for that alone */
} TicketRecipient;

/* An attachment as the milter's reader saw it (K3). */
typedef struct {
  char *name;   /* UTF-8, a line */
  guint64 size; /* decoded octets */
  guint8 sha256[CRYPT_SHA256_BYTES];
} TicketPart;

typedef struct {
  guint8 id[TICKET_ID_BYTES];
  char *organisation; /* all strings are owned; NULL in a new ticket, never after parsing */
  char *sender;       /* envelope sender */
  char *sender_name;  /* display name of From, UTF-8; "" when there is none */
  char *message_id;   /* Message-ID with <>, or "" */
  gint64 made_s;      /* Unix time */
  guint8 body_sha256[CRYPT_SHA256_BYTES]; /* of the body as the milter saw it */
  GPtrArray *recipients;                  /* of TicketRecipient */
  GPtrArray *parts;                       /* of TicketPart */
  gboolean parts_cut;                     /* there were more attachments than these */
  gboolean signature_broken; /* its author's own, by our change, and we had no key (N6) */
} Ticket;

/* An empty ticket with a random id, freed with ticket_free; NULL with an error. */
Ticket *
ticket_new(GError **error);

/* Wipes and frees TICKET; NULL is allowed. */
void
ticket_free(Ticket *ticket);

/* Adds a recipient; both strings are copied, NUMBER may be NULL. Returns it, owned by
 * TICKET until the next one is added, so that the caller can set its flags. */
TicketRecipient *
ticket_add_recipient(Ticket *ticket, const char *address, const char *number);

/* Adds an attachment of SIZE decoded octets; NAME (copied) is repaired when it is no line
 * of UTF-8, and cut when it is long. When the ticket holds no more it is left out, and
 * TICKET says so (parts_cut). */
void
ticket_add_part(Ticket *ticket, const char *name, guint64 size, const guint8 *sha256);

/* The recipient with ADDRESS (without label; the domain in any case), or NULL. */
const TicketRecipient *
ticket_find_recipient(const Ticket *ticket, const char *address);

/*
 * The attribute block inside the box: a new string of *LEN octets that the caller wipes, or
 * NULL with ZEGEL_ERROR_LIMIT (more than TICKET_MAX_RECIPIENTS). Names that are no UTF-8
 * are repaired.
 */
char *
ticket_format(const Ticket *ticket, gsize *len, GError **error);

/*
 * Reads LEN octets at BYTES, an attribute block. Returns a ticket that the caller frees, or
 * NULL with ZEGEL_ERROR_INVALID or ZEGEL_ERROR_LIMIT. Unknown attributes are left aside.
 */
Ticket *
ticket_parse(const char *bytes, gsize len, GError **error);

/*
 * Seals TICKET under the current key of RING (KEY_TICKET). Returns the header's value,
 * folded with CRLF and a space so that no line, the header's name included, exceeds 76
 * octets; the caller frees it. NULL with ZEGEL_ERROR_LIMIT or ZEGEL_ERROR_TEMPORARY.
 */
char *
ticket_seal(const KeyRing *ring, const Ticket *ticket, GError **error);

/*
 * Opens the header value VALUE, folded or not. Returns a ticket that the caller frees, or
 * NULL with ZEGEL_ERROR_INVALID, ZEGEL_ERROR_FORGED or ZEGEL_ERROR_KEY_UNKNOWN.
 */
Ticket *
ticket_open(const KeyRing *ring, const char *value, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ticket, ticket_free)
