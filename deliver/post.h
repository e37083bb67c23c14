/*
 * post.h - hands letters to zegel-submit: who may be told what, and with which sender.
 */
#pragma once

#include "deliver/service.h"
#include "deliver/tell.h"

/* Whether ADDRESS, a sender of ORGANISATION's, can be told anything: its domain is one of
 * the organisation's, and it is no address of our own (what a visitor wrote). */
gboolean
post_may_tell(const Organisation *organisation, const char *address);

/* Whether ORGANISATION knows ADDRESS as a machine (S5): it wants no confirmations. */
gboolean
post_is_machine(const Organisation *organisation, const char *address);

/*
 * Submits MESSAGE (taken, wiped) to the reader RECIPIENT of the entry REFERENCE: when it
 * cannot be delivered it comes back to us. *QUEUE_ID, FALSE and ERROR as submit_send.
 */
gboolean
post_to_reader(const Service *service, const Organisation *organisation,
               const char *reference, const char *recipient, GString *message,
               char **queue_id, GError **error);

/*
 * Submits MESSAGE (taken, wiped) to SENDER with the empty envelope sender: it never comes
 * back, and nothing answers it. *QUEUE_ID, when not NULL, gets a new string, or NULL when
 * SENDER can never be told: he is none of the organisation's, or zegel-submit refuses him
 * for good, which is logged. FALSE with ZEGEL_ERROR_TEMPORARY: not now.
 */
gboolean
post_to_sender(const Service *service, const Organisation *organisation, const char *sender,
               GString *message, char **queue_id, GError **error);

/*
 * Submits MESSAGE (taken, wiped) to the reader VISITOR as a letter to a sender: the empty
 * envelope sender. Refused for good is logged. FALSE with ZEGEL_ERROR_TEMPORARY: not now.
 */
gboolean
post_to_visitor(const Service *service, const char *visitor, GString *message,
                GError **error);

/* The URL of the status page of DISPATCH, a new string that the caller wipes; NULL with an
 * error. */
char *
post_status_url(const Service *service, const Organisation *organisation,
                const Dispatch *dispatch, GError **error);

/* Facts for a letter about RECIPIENT (NULL: about all) of DISPATCH, borrowed from all
 * three; the caller adds URL and address. */
TellFacts
post_facts(const Organisation *organisation, const Dispatch *dispatch,
           const DispatchRecipient *recipient);

/* The recipient of DISPATCH (NULL is allowed) whose entry is REFERENCE, or NULL. */
const DispatchRecipient *
post_find_recipient(const Dispatch *dispatch, const char *reference);
