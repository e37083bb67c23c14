/*
 * claim.h - which (ticket, recipient) is being delivered at this moment.
 *
 * When Postfix loses a session and tries again while the first one is still busy, the
 * store would file the message once, but both sessions would find its notification unsent.
 * A claim makes the second one wait for a next try.
 */
#pragma once

#include <glib.h>

typedef struct Claims Claims;

/* No claims. Never NULL. Free with claims_free when no thread uses them. */
Claims *
claims_new(void);

/* Frees CLAIMS; NULL is allowed. */
void
claims_free(Claims *claims);

/* Takes KEY (copied); FALSE when somebody has it. Any thread. */
gboolean
claims_take(Claims *claims, const char *key);

/* Gives KEY back. Any thread. */
void
claims_release(Claims *claims, const char *key);
