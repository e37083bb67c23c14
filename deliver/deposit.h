/*
 * deposit.h - one message on its way from the socket into the store.
 *
 * Bytes go in as they come; what goes wrong on the way is remembered and answered at the
 * end, for each recipient. Memory does not grow with the message.
 */
#pragma once

#include "deliver/recipient.h"
#include "deliver/reply.h"
#include "deliver/service.h"

typedef struct {
  Outcome outcome;
  char reference[STORE_REFERENCE_MAX + 1]; /* for what is answered with 250 */
} DepositResult;

typedef struct Deposit Deposit;

/*
 * Begins a message; QUEUE_ID is Postfix's, for the log (copied). SERVICE is borrowed until
 * deposit_free. Never NULL: an error is remembered.
 */
Deposit *
deposit_new(const Service *service, const char *queue_id);

/* Drops what was not committed and frees DEPOSIT; NULL is allowed. */
void
deposit_free(Deposit *deposit);

/* Takes in the next LEN bytes of the message. */
void
deposit_write(Deposit *deposit, const char *bytes, gsize len);

/*
 * The message is complete: checks its ticket and body, files it for RECIPIENTS (of
 * Recipient, at least one) and sends the notifications, or changes the number of an entry
 * when that is what one of them is for. Fills RESULTS, one for each recipient, but not
 * those for bounces (returned.h). Call once.
 */
void
deposit_finish(Deposit *deposit, const GPtrArray *recipients, DepositResult *results);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Deposit, deposit_free)
