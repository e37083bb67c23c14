/*
 * event.h - what happened, for the auditor: the one place where events are made.
 *
 * An event is one line in the mail log (log.h) and one record of the audit trail
 * (common/audit). Both hold the same names and the same values: zegel-events(5). Whoever
 * makes an event chooses values that are no secret: no subject, no content, no code, no
 * link; numbers masked with log_mask_number. Nobody changes an event that others see.
 */
#pragma once

#include <glib.h>

#include "common/base/attr.h"

#define EVENT_ID_BYTES 16

typedef enum {
  EVENT_REFUSED,         /* a message was refused at SMTP time */
  EVENT_VERIFIED,        /* what was found out about a message that came in */
  EVENT_ROUTED,          /* a recipient got a route */
  EVENT_ATTACHED,        /* the hash of what a sealed message has attached */
  EVENT_OBSERVED,        /* observe: what would have happened */
  EVENT_STORED,          /* a message was sealed and committed for a recipient */
  EVENT_NOTIFIED,        /* the notification was given to Postfix: a link was issued */
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
  EVENT_ANSWER_DELAYED,  /* it is still on its way */
  EVENT_EXPIRED,         /* the time of a stored message was over: it was removed */
  EVENT_EXTENDED,        /* an administrator gave a stored message another end */
  EVENT_REMOVED,         /* an administrator removed a stored message */
  EVENT_ROLE_GRANTED,    /* a user of zegelctl got a role */
  EVENT_ROLE_CHANGED,    /* he has another role now */
  EVENT_ROLE_WITHDRAWN,  /* he has none any more */
  EVENT_MESSAGES_SHOWN,  /* somebody looked at who wrote to whom, or counted it */
  EVENT_AUDIT_READ,      /* somebody looked into the audit trail */
  EVENT_AUDIT_ERASED,    /* what the trail held of a person was erased */
  EVENT_AUDIT_EXPIRED,   /* the oldest part of the trail was removed, its time being over */
  EVENT_AUDIT_KEY,       /* the trail goes on under another key */
  EVENT_AUDIT_LOST,      /* events never reached the trail: they are in the log only */
  EVENT_FLOW,            /* the flow of mail is not as a rule expects */
  EVENT_WATCHED,         /* what a domain publishes ends soon, or is not as it was */
  EVENT_PROBE,           /* zegelctl looked whether the service is there */
  EVENT_BACKUP,          /* a backup was made */
  EVENT_RESTORED,        /* what is here came from a backup */
  EVENT_COUNT
} EventKind;

/* The thirteen kinds of event that NTA 7516 6.4.2 wants logged. The numbers stand in the
 * log and in the trail. */
typedef enum {
  NTA_NONE = 0, /* of the works: none of the thirteen */
  NTA_SENDING = 1,
  NTA_RECALL = 2,
  NTA_CHANGE = 3,
  NTA_REMOVAL_BY_SENDER = 4,
  NTA_RECEIPT = 5,
  NTA_READING = 6,
  NTA_REMOVAL_BY_READER = 7,
  NTA_FORWARDING = 8,
  NTA_ACCOUNT = 9, /* links issued and ended */
  NTA_RIGHTS = 10,
  NTA_AUTHENTICATION = 11,
  NTA_LOG_ACCESS = 12,
  NTA_LOG_CHANGE = 13,
  NTA_COUNT
} NtaKind;

/* What is known of each kind of event; all static. */
typedef struct {
  const char *name; /* in the log and in the trail: stable */
  NtaKind nta;
  const char *action;  /* of NEN 7513: "C", "R", "U", "D" or "E" */
  const char *actor;   /* who acts: "sender", "reader", "partner", "admin" or "system" */
  const char *outcome; /* "ok", "refused" or "failed", when the event does not say it */
} EventFacts;

/* The facts of KIND. */
const EventFacts *
event_facts(EventKind kind);

/* The kind called NAME into *KIND; FALSE when there is none. */
gboolean
event_kind_parse(const char *name, EventKind *kind);

typedef struct Event Event;

/*
 * A new event KIND of now, with a random id and the name of this program (log_open).
 * QUEUE_ID and ORGANISATION may be NULL. Then come pairs of key and value, both strings, up
 * to a NULL key; a pair with a NULL value is left out. Commas, spaces and control
 * characters in values become '?', so that a value cannot forge a key. Never NULL; freed
 * with event_free. Any thread.
 */
Event *
event_new(EventKind kind, const char *queue_id, const char *organisation,
          ...) G_GNUC_NULL_TERMINATED;

/* Frees EVENT; NULL is allowed. */
void
event_free(Event *event);

/* Adds the pair KEY and VALUE to EVENT; nothing when VALUE is NULL. The
 * keys "actor" and "outcome" replace those of its kind. */
void
event_add(Event *event, const char *key, const char *value);

/* Makes EVENT one of KIND: for whoever learns only later what happened. */
void
event_become(Event *event, EventKind kind);

/* Of which kind EVENT is. */
EventKind
event_kind(const Event *event);

/* The random id of EVENT, in hexadecimal; owned by it. */
const char *
event_id(const Event *event);

/* When EVENT was made, Unix time in microseconds. */
gint64
event_at_us(const Event *event);

/* The first value of KEY, one of those of event_format, owned by EVENT; or NULL. */
const char *
event_get(const Event *event, const char *key);

/*
 * EVENT as attributes, for the way to zegel-auditd and for its record: event, id, at
 * (RFC 3339, UTC, microseconds), program, then, where they apply, org, queue-id, nta,
 * action, actor, outcome, and its pairs. The caller frees them.
 */
Attrs *
event_format(const Event *event);

/* What event_format made, from another process: owned by the caller, or NULL with
 * ZEGEL_ERROR_INVALID. */
Event *
event_parse(const Attrs *attrs, GError **error);

/* Whether values of KEY say nothing of a person: only those are in the clear in a trail. */
gboolean
event_key_is_open(const char *key);

/* What else is done with each event that event_log writes. It must not block. */
typedef void (*EventSink)(const Event *event, gpointer data);

/* Has SINK called with DATA from now on; NULL ends that. Before any other thread starts,
 * and after they ended. */
void
event_set_sink(EventSink sink, gpointer data);

/* Writes EVENT to the log as one line (A3): "QUEUEID: event=NAME, org=ORGANISATION,
 * KEY=VALUE, ..., nta=N, ...", and not to the sink. Any thread. */
void
event_write(const Event *event);

/* Writes EVENT to the log and gives it to the sink. Any thread. */
void
event_send(const Event *event);

/* event_new, event_send and event_free in one: for what no transaction records. */
void
event_log(EventKind kind, const char *queue_id, const char *organisation,
          ...) G_GNUC_NULL_TERMINATED;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Event, event_free)
