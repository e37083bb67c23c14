/*
 * returned.h - what came back for a notification, or for what a visitor wrote (lost.h): a
 * bounce, or what looks like one.
 *
 * Its address is keyed, so that whoever writes there had that mail. What it says is
 * read by zegel-reader, which is confined; here are only its few words. At worst a
 * recipient's own server can withdraw that recipient's own link.
 */
#pragma once

#include "deliver/deposit.h"
#include "deliver/recipient.h"

typedef struct Returned Returned;

/* Begins a message; QUEUE_ID is Postfix's, for the log (copied). SERVICE is borrowed until
 * returned_free. Never NULL. */
Returned *
returned_new(const Service *service, const char *queue_id);

/* Wipes and frees RETURNED; NULL is allowed. */
void
returned_free(Returned *returned);

/* Takes in the next LEN bytes; what is beyond a limit is of no use, and is dropped. */
void
returned_write(Returned *returned, const char *bytes, gsize len);

/*
 * The message is complete: does what it asks for, for each of RECIPIENTS (of Recipient)
 * that is for bounces, and fills those RESULTS. Call once.
 */
void
returned_finish(Returned *returned, const GPtrArray *recipients, DepositResult *results);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Returned, returned_free)
