/*
 * origin.h - marks of our own: what zegel wrote for a visitor, and addresses that lead
 * back.
 *
 * What a visitor writes in the viewer goes out through an smtpd of our own. The mark in its
 * header says what it is and to whom it may go, bound to its body, so that nothing but the
 * viewer can have protected mail sent in a service domain's name. It is a box (box.h, label
 * "origin") under an origin key; the milter takes it out. Format: zegel-ticket(5).
 */
#pragma once

#include <glib.h>

#include "common/crypt/crypt.h"
#include "common/crypt/key.h"

#define ORIGIN_HEADER         "X-Zegel-Origin"
#define ORIGIN_MAX_RECIPIENTS 10

typedef enum {
  ORIGIN_ANSWER,  /* of a recipient to his sender */
  ORIGIN_FORWARD, /* of a message to somebody who is reached direct (V6) */
  ORIGIN_FORM     /* of the web form (V11) */
} OriginKind;

/* All owned. */
typedef struct {
  OriginKind kind;
  char *organisation;
  char *author;     /* address of the visitor; the mail itself is from the service domain */
  GStrv recipients; /* addresses to which it may go; nowhere else */
  guint8 body_sha256[CRYPT_SHA256_BYTES]; /* of the body as it is submitted */
} Origin;

/* Frees ORIGIN; NULL is allowed. */
void
origin_free(Origin *origin);

/*
 * Seals ORIGIN under the current key of RING (KEY_ORIGIN). Returns the header's value,
 * folded with CRLF and a space, that the caller frees; NULL with ZEGEL_ERROR_LIMIT or
 * ZEGEL_ERROR_TEMPORARY.
 */
char *
origin_seal(const KeyRing *ring, const Origin *origin, GError **error);

/*
 * Opens the header value VALUE, folded or not. Returns an Origin that the caller frees, or
 * NULL with ZEGEL_ERROR_INVALID, ZEGEL_ERROR_FORGED or ZEGEL_ERROR_KEY_UNKNOWN.
 */
Origin *
origin_open(const KeyRing *ring, const char *value, GError **error);

/*
 * The local part of a Message-ID for mail of the visitor ADDRESS to ORGANISATION: random,
 * with key id and MAC, 34 lower case letters, digits and '-', so that In-Reply-To seldom is
 * a line that somebody must fold. Who answers that mail names it in In-Reply-To or
 * References, and so says by himself that the answer is part of a secure conversation with
 * ADDRESS (V5). A new string, or NULL with an error.
 */
char *
conversation_id(const KeyRing *ring, const char *organisation, const char *address,
                GError **error);

/* Whether ID (the local part) was made by conversation_id with one of RING's keys for
 * ORGANISATION and ADDRESS, in constant time; ID and ADDRESS in any case of letters. */
gboolean
conversation_check(const KeyRing *ring, const char *id, const char *organisation,
                   const char *address);

typedef enum {
  CONTROL_BOUNCE, /* envelope sender of a notification: its bounce comes back here */
  CONTROL_NUMBER, /* where a sender mails another number to ("SMS 06...") */
  CONTROL_VISITOR /* envelope sender of what a visitor wrote or forwarded: its bounce */
} ControlKind;

/*
 * The address of our own that means KIND of the entry REFERENCE of ORGANISATION, in
 * SERVICE_DOMAIN: "bounce-REFERENCE-KEYID-MAC@veilig.example.nl", "nummer-...@...",
 * "answer-...". In any case of letters the same. REFERENCE is 1 to 16 lower case letters
 * and digits, so that the local part has at most 64 octets. A new string, or NULL with
 * ZEGEL_ERROR_LIMIT or ZEGEL_ERROR_TEMPORARY.
 */
char *
control_address(const KeyRing *ring, ControlKind kind, const char *organisation,
                const char *reference, const char *service_domain, GError **error);

/*
 * Whether ADDRESS is such an address of ORGANISATION in SERVICE_DOMAIN, genuine under one
 * of RING's keys: then *KIND, and *REFERENCE (a new string).
 */
gboolean
control_parse(const KeyRing *ring, const char *organisation, const char *service_domain,
              const char *address, ControlKind *kind, char **reference);

/* Whether ADDRESS looks like a control address, genuine or not. Pure. */
gboolean
control_is_shaped(const char *address);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Origin, origin_free)
