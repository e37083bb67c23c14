/*
 * log.h - one line in the mail log, in the manner of Postfix.
 *
 * A line is "QUEUEID: key=value, key=value". Whoever writes a line chooses values that are
 * no secret: no subject, no code, no link, numbers masked with log_mask_number.
 */
#pragma once

#include <glib.h>

typedef enum {
  LOG_LEVEL_INFO,    /* what happened; nobody acts */
  LOG_LEVEL_WARNING, /* the administrator should look */
  LOG_LEVEL_ALARM    /* somebody must act now */
} LogLevel;

/*
 * What was decided or done to a message, for the auditor. The names in the log are stable
 * and documented in zegel-events(5).
 */
typedef enum {
  EVENT_REFUSED,         /* a message was refused at SMTP time */
  EVENT_VERIFIED,        /* what was found out about a message that came in */
  EVENT_ROUTED,          /* a recipient got a route */
  EVENT_ATTACHED,        /* the hash of what a sealed message has attached */
  EVENT_OBSERVED,        /* observe: what would have happened */
  EVENT_STORED,          /* a message was sealed and committed for a recipient */
  EVENT_NOTIFIED,        /* the notification was given to Postfix */
  EVENT_CONFIRMED,       /* the confirmation to the sender was given to Postfix */
  EVENT_BOUNCED,         /* a notification came back: its link was withdrawn */
  EVENT_DELAYED,         /* a notification is still on its way */
  EVENT_BOUNCE_DROPPED,  /* what came back is no bounce, or too late */
  EVENT_NUMBER_CHANGED,  /* the sender gave another number for a message */
  EVENT_TOLD,            /* the sender was told that a message was never opened */
  EVENT_REMINDED,        /* the reader was reminded before its end */
  EVENT_TICKET,          /* a ticket was missing or forged */
  EVENT_INTEGRITY,       /* a body or stored message is not what was sealed */
  EVENT_CODE_SENT,       /* an access code went out by SMS */
  EVENT_CODE_REFUSED,    /* no code was sent: a limit or the gateway */
  EVENT_SMS_BUDGET,      /* a budget of codes is nearly or wholly used */
  EVENT_CODE_WRONG,      /* a wrong access code was typed */
  EVENT_LOGIN,           /* the right code began a session */
  EVENT_OPENED,          /* the message was shown */
  EVENT_DOWNLOADED,      /* an attachment, all, the PDF or the original was fetched */
  EVENT_ANSWERED,        /* a reader's answer went to the sender */
  EVENT_FORWARDED,       /* a reader let somebody else read the message */
  EVENT_LOGOUT,          /* the session was ended by its user */
  EVENT_DELETED,         /* the reader deleted his message */
  EVENT_NUMBER_WRONG,    /* the reader says that the number is not his */
  EVENT_PROMISED,        /* a route was written into routes.db */
  EVENT_BOOK,            /* the domain book was read */
  EVENT_DKIM,            /* a DKIM key of ours was made, or is not used as it was */
  EVENT_READINESS,       /* whether a domain is ready for NTA 7516 is not as it was */
  EVENT_PHONE_LEARNED,   /* the phone book has a first number of somebody */
  EVENT_PHONE_WAITS,     /* another number was given, and waits for its first code */
  EVENT_PHONE_REPLACED,  /* that code came back: the other number counts from now on */
  EVENT_PHONE_TOLD,      /* the sender was mailed that it was replaced */
  EVENT_PHONE_SHOWN,     /* an administrator looked somebody up in the phone book */
  EVENT_PHONE_FORGOTTEN, /* an administrator took somebody out of it */
  EVENT_PHONE_REFUSED,   /* somebody asked the phone book who has no right to */
  EVENT_RECALLED,        /* the sender took a message back */
  EVENT_FORM_ASKED,      /* somebody was mailed the way to the web form */
  EVENT_FORM_REFUSED,    /* he was not: a limit, or Postfix */
  EVENT_FORM_SENT,       /* what was written in the web form went to the organisation */
  EVENT_ANSWER_BOUNCED,  /* what a reader wrote or forwarded could not be delivered */
  EVENT_ANSWER_DELAYED   /* it is still on its way */
} EventKind;

/*
 * Opens the log. IDENT (static) names the program. With TO_STDERR lines also go to standard
 * error, for a program run by hand. Call once, before any thread starts.
 */
void
log_open(const char *ident, gboolean to_stderr);

/* Logs a printf-formatted line at LEVEL. Control characters become '?'. Any thread. */
void
log_line(LogLevel level, const char *format, ...) G_GNUC_PRINTF(2, 3);

/*
 * Logs one event as one line (A3): "QUEUEID: event=KIND, org=ORGANISATION, key=value, ...".
 * QUEUE_ID and ORGANISATION may be NULL. Then come pairs of key and value, both strings,
 * up to a NULL key; a pair with a NULL value is left out. Commas, spaces and control
 * characters in values are replaced, so that a value cannot forge a key. Any thread.
 */
void
event_log(EventKind kind, const char *queue_id, const char *organisation,
          ...) G_GNUC_NULL_TERMINATED;

/* The stable name of KIND, static. */
const char *
event_name(EventKind kind);

/* "+31612345678" as "+316*****78": a new string with only the ends readable. */
char *
log_mask_number(const char *number);
