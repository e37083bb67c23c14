/*
 * message_row.h - one recipient of one message, as an administrator sees it: from the audit
 * trail, the store and Postfix's log.
 */
#pragma once

#include "common/audit/trail.h"
#include "common/store/manage.h"
#include "zegelctl/mail_trace.h"

/* Something that the trail has of it. All owned. */
typedef struct {
  guint64 number;
  gint64 at_us;
  char *event;   /* its name */
  char *outcome; /* "ok", "refused" or "failed" */
  char *by;      /* the administrator who did it; "" */
} MessageEvent;

/* All owned, no text NULL: "" what is not known. */
typedef struct {
  guint64 number; /* of the record that routed or refused it */
  gint64 at_us;
  char *organisation, *queue_id, *message_id;
  char *from, *to;
  char *reason;       /* why it is protected */
  char *route;        /* "viewer", "direct", "own"; "-" when refused */
  char *code;         /* why that route, or why it was refused */
  char *detail;       /* more of why */
  char *phone;        /* where the code goes, masked */
  char *reference;    /* of what is stored */
  char *notified;     /* queue id of the last notification */
  gboolean refused;   /* nobody got anything */
  gboolean passed;    /* another pass, out of an expansion (R7) */
  Standing *standing; /* how it stands in the store; NULL: it is not there */
  GPtrArray *events;  /* of MessageEvent, in their order */
  const char *status; /* static: what became of it last, a word of message_status_known */
  gint64 status_s;    /* since when; 0: not known */
  char *postfix;      /* Postfix's own word, which status then is; NULL */
} MessageRow;

/* The row that RECORD, an event "routed" or "refused", tells of; never NULL. */
MessageRow *
message_row_new(const TrailRecord *record);

/* Frees ROW; NULL is allowed. */
void
message_row_free(MessageRow *row);

/* Takes from RECORD what it says of ROW: its reference, its notification, what happened.
 * Nothing when it is about somebody else. */
void
message_row_take(MessageRow *row, const TrailRecord *record);

/*
 * Whether WORD is one of ROW: an address, Message-ID (with <> or without), queue id,
 * reference, or the domain of an address.
 */
gboolean
message_row_has(const MessageRow *row, const char *word);

/* Sets the status of ROW: what the store says, else what the last of DELIVERIES (of
 * MailDelivery) says, else what the trail says. */
void
message_row_conclude(MessageRow *row, const GPtrArray *deliveries);

/* The word for KIND; static. */
const char *
message_status_of(HistoryKind kind);

/* Which administrator did KIND to ROW last, as the trail has it; NULL: none did. */
const char *
message_row_by(const MessageRow *row, HistoryKind kind);

/* Whether a row can have the status WORD. */
gboolean
message_status_known(const char *word);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(MessageRow, message_row_free)
