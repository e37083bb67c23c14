/*
 * teach.h - tells policyd's phone book the numbers that were given with a message (S8).
 */
#pragma once

#include "common/crypt/ticket.h"
#include "deliver/service.h"

/*
 * Teaches the number of NAMED, whose message was filed as REFERENCE, when the ticket says
 * so and ORGANISATION remembers numbers. FALSE: it could not be told now, which was logged
 * under QUEUE_ID; that changes nothing for the message and is not tried again: the sender
 * gives the number again when it is needed. Any thread.
 */
gboolean
teach_number(const Service *service, const Organisation *organisation, const Ticket *ticket,
             const TicketRecipient *named, const char *reference, const char *queue_id);
