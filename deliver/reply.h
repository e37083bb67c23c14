/*
 * reply.h - every reply of zegel-deliver, and which error gives which (one place).
 *
 * 5xx makes Postfix send the message back, 4xx makes it try again: what is not known to be
 * for ever is 4xx.
 */
#pragma once

#include <glib.h>

#include "deliver/lmtp.h"

/* Replies of the dialogue itself. */
typedef enum {
  REPLY_OK,
  REPLY_SENDER_OK,
  REPLY_RECIPIENT_OK,
  REPLY_BEGIN_DATA,
  REPLY_BYE,
  REPLY_CANNOT_VERIFY,
  REPLY_NO_LHLO,
  REPLY_NO_SENDER,
  REPLY_NO_RECIPIENT,
  REPLY_NESTED,
  REPLY_NO_LABEL,
  REPLY_NO_MAILBOX,
  REPLY_TOO_MANY_RECIPIENTS,
  REPLY_TOO_LARGE,
  REPLY_TOO_MANY_SESSIONS,
  REPLY_TOO_MANY_FAULTS,
  REPLY_IDLE,
  REPLY_STOPPING,
  REPLY_COUNT
} Reply;

/* What became of one recipient of a message. */
typedef enum {
  OUTCOME_STORED,           /* on disk, and the notification is in Postfix's queue */
  OUTCOME_LATER,            /* something failed for now, or is not known */
  OUTCOME_FULL,             /* no space left */
  OUTCOME_ORGANISATION,     /* of the ticket, not in the configuration */
  OUTCOME_KEY,              /* of the ticket or link, not in our key ring */
  OUTCOME_TICKET_MISSING,   /* no ticket */
  OUTCOME_TICKET_DOUBLE,    /* more than one */
  OUTCOME_TICKET_FORGED,    /* none of ours */
  OUTCOME_HASH,             /* the body is not what the milter saw */
  OUTCOME_RECIPIENT,        /* not in the ticket */
  OUTCOME_NUMBER,           /* in the ticket, without a number */
  OUTCOME_CONFLICT,         /* filed before with another body */
  OUTCOME_NOTIFY_LATER,     /* stored; zegel-submit did not take the notification now */
  OUTCOME_NOTIFY_NEVER,     /* stored; zegel-submit refused this recipient for good */
  OUTCOME_HEADER_TOO_LARGE, /* HEAD_MAX_BYTES */
  OUTCOME_TOO_LARGE,        /* message_max_bytes */
  OUTCOME_NOTED,            /* a bounce was read, and what it asks for was done */
  OUTCOME_BOUNCE_LATER,     /* that cannot be done now */
  OUTCOME_CHANGED,          /* another number counts from now on */
  OUTCOME_CHANGE_SENDER,    /* asked by somebody else than the message's sender */
  OUTCOME_CHANGE_NUMBER,    /* asked without a number */
  OUTCOME_CHANGE_OVER,      /* asked for a message that cannot be read any more */
  OUTCOME_CHANGE_LATER,     /* that cannot be done now */
  OUTCOME_COUNT
} Outcome;

/* The line for REPLY without CRLF, static. */
const char *
reply_text(Reply reply);

/* The line for a command with FAULT (not LMTP_FAULT_NONE), static. */
const char *
reply_fault(LmtpFault fault);

/* The line for OUTCOME as a new string; REFERENCE stands in those of 250. */
char *
reply_outcome(Outcome outcome, const char *reference);

/* The stable code of OUTCOME, "Z-K3-HASH", static. */
const char *
outcome_code(Outcome outcome);

/* What ERROR of the store, the key rings or the system means for a recipient. */
Outcome
outcome_of_error(const GError *error);

/* What ERROR of ticket_open means for the message. */
Outcome
outcome_of_ticket_error(const GError *error);

/* What ERROR of submit_send means for the recipient. */
Outcome
outcome_of_submit_error(const GError *error);
