/*
 * announce.h - derives a recipient's link and hands the notification to zegel-submit.
 */
#pragma once

#include "common/crypt/ticket.h"
#include "deliver/reply.h"
#include "deliver/service.h"

/*
 * Gives RECIPIENT a link of its own for a filing: a random nonce, the current link key and
 * the secret that follows from both. FALSE with an error.
 */
gboolean
announce_prepare(const Service *service, FilingRecipient *recipient, GError **error);

/* The same for the status page of the message as a whole. */
gboolean
announce_prepare_status(const Service *service, FilingDispatch *dispatch, GError **error);

/*
 * Sends the notification of RECIPIENT, which was just committed or was there before, and
 * records that it was sent. OUTCOME_STORED, or what went wrong (then it was logged under
 * QUEUE_ID). The link is the same each time. Any thread.
 */
Outcome
announce_send(const Service *service, const Organisation *organisation,
              const Ticket *ticket, FilingRecipient *recipient, const char *queue_id);

/* Sends DUE's reader his link once more: a reminder before its end (V7), or the
 * notification as it was when somebody asked for it (DUE_AGAIN). *QUEUE_ID, FALSE and ERROR
 * as submit_send. */
gboolean
announce_remind(const Service *service, const Organisation *organisation, const Due *due,
                char **queue_id, GError **error);
