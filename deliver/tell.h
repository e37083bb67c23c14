/*
 * tell.h - what a sender is told of his message (S14), as letters.
 *
 * Pure functions from facts to the text of a message, in Dutch and English. Each stands
 * under the original in the sender's mail program, says nothing of its subject or content,
 * and has no link but those of the configuration (T22). Everything that people typed is
 * cleaned here.
 */
#pragma once

#include <glib.h>

#include "common/conf/conf.h"

/* What every letter to a sender has; all borrowed. */
typedef struct {
  const Organisation *organisation;
  const char *sender;     /* to whom it goes */
  const char *message_id; /* of his message, with <>; "" when it has none */
  const char *status_url; /* of the page that shows what became of it; NULL: none */
  const char *correct;    /* address that takes another number for RECIPIENT; NULL: none */
  const char *recipient;  /* whom it is about; not in the confirmation */
  const char *number;     /* his, E.164; "" when there is none */
  gint64 received_s;      /* when the message was stored, Unix time */
  gint64 expires_s;
  gint64 now_s;
} TellFacts;

/* One recipient in a confirmation; all borrowed. */
typedef struct {
  const char *address;
  const char *route;   /* the word of event=routed; "" when it is not known */
  const char *number;  /* E.164; "": his code goes by e-mail */
  const char *correct; /* address that takes another number for him; NULL: none */
} TellRecipient;

/* Why a notification came back, as far as it helps its sender. */
typedef enum {
  TELL_REFUSED,    /* by the other side, or it did not say */
  TELL_NO_SUCH,    /* the address does not exist */
  TELL_FULL,       /* the mailbox is full */
  TELL_UNREACHABLE /* no server takes mail for this domain */
} TellReason;

/* What the status "5.1.1" (RFC 3463) of a bounce means; "" is no status. */
TellReason
tell_reason(const char *status);

/*
 * The confirmation: which of COUNT RECIPIENTS is reached which way. ID is the local part of
 * its Message-ID. When just one recipient has a number, an answer corrects it. A new string
 * with the link to the status page: wipe it. As all of these: any thread.
 */
GString *
tell_confirmation(const TellFacts *facts, const TellRecipient *recipients, guint count,
                  const char *id);

/* The notification for FACTS->recipient came back because of REASON; the link is dead. */
GString *
tell_bounced(const TellFacts *facts, TellReason reason, const char *id);

/* The notification is still on its way. */
GString *
tell_delayed(const TellFacts *facts, const char *id);

/* FACTS->recipient's code goes to FACTS->number from now on. */
GString *
tell_number_changed(const TellFacts *facts, const char *id);

/* Something that FACTS->sender, a reader himself, wrote or forwarded in the viewer came
 * back; REFERENCE of the entry in which he did. */
GString *
tell_lost(const TellFacts *facts, const char *reference, const char *id);

/* FACTS->recipient never opened it. */
GString *
tell_unopened(const TellFacts *facts, const char *id);
