/*
 * act.h - does what was decided, through libmilter, at end of message.
 *
 * Whatever cannot be done makes the client try again: Postfix then drops every change.
 */
#pragma once

#include <libmilter/mfapi.h>

#include "common/crypt/key.h"
#include "milter/decide.h"
#include "milter/message.h"

/*
 * Carries out DECISION (not DECISION_ASK) on MESSAGE and logs it. RING seals the ticket.
 * QUEUE_ID may be NULL. Returns what the end-of-message callback must return.
 */
sfsistat
act(SMFICTX *ctx, Message *message, const Decision *decision, const KeyRing *ring,
    const char *queue_id);
