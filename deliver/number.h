/*
 * number.h - another number for a message that was sent, from its sender (T31).
 */
#pragma once

#include "common/crypt/ticket.h"
#include "deliver/recipient.h"

/*
 * Gives the entry that ADDRESSED names the number that TICKET has for it as NAMED, when the
 * ticket is of the message's own sender: older codes and sessions are dead, the phone book
 * is taught, and the sender is mailed. OUTCOME_CHANGED, or what is wrong; QUEUE_ID is for
 * the log. Any thread.
 */
Outcome
number_change(const Service *service, const Ticket *ticket, const TicketRecipient *named,
              const Recipient *addressed, const char *queue_id);
