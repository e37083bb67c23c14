/*
 * refusal.h - why a message is not taken, and what the sender reads.
 *
 * One table maps every reason to a stable code, an SMTP reply and a text in Dutch and
 * English that begins with the cure (S7). Pure; any thread.
 */
#pragma once

#include <glib.h>

#define REFUSAL_LINE_MAX_BYTES 400 /* S7 */
#define REFUSAL_MAX_NAMES      3   /* that a text names, S7 */

typedef enum {
  REFUSAL_NUMBER,         /* one recipient has no number */
  REFUSAL_NUMBERS,        /* several have none */
  REFUSAL_ONE_NUMBER,     /* a number in the subject, and several without one */
  REFUSAL_WHOSE_NUMBER,   /* a number in the subject, and several who have another one */
  REFUSAL_NO_NUMBER,      /* "SMS" and then nothing */
  REFUSAL_BAD_NUMBER,     /* no mobile number of an allowed country */
  REFUSAL_TWO_NUMBERS,    /* different ones for the same recipient */
  REFUSAL_NUMBER_HEADER,  /* X-Zegel-SMS cannot be read */
  REFUSAL_CONTRADICTION,  /* a number, and an explicit bypass */
  REFUSAL_SENDER,         /* not of the organisation */
  REFUSAL_LOGIN,          /* a login of no organisation asks for protection */
  REFUSAL_ADDRESS,        /* a recipient that cannot be protected */
  REFUSAL_NO_VIEWER,      /* only the viewer would reach them, and there is none (S6) */
  REFUSAL_TOO_MANY,       /* more recipients than a sensitive message may have */
  REFUSAL_EXTENSION,      /* an attachment with a dangerous name (S10) */
  REFUSAL_ARCHIVE,        /* an archive that cannot be listed */
  REFUSAL_DEEP,           /* attachments in attachments, too many or too deep */
  REFUSAL_ATTACHMENTS,    /* they are too large together (S11) */
  REFUSAL_HEADERS,        /* more header fields than we look at */
  REFUSAL_EXPANDED,       /* an alias leads to somebody without a number */
  REFUSAL_EXPANDED_NONE,  /* an alias leads to somebody whom only the viewer would reach */
  REFUSAL_TICKET_FORGED,  /* a ticket that is not one of ours */
  REFUSAL_TICKET_DOUBLE,  /* several tickets */
  REFUSAL_TICKET_KEY,     /* a ticket under a key that is not here: try again */
  REFUSAL_ORGANISATION,   /* a ticket of an organisation that is not here: try again */
  REFUSAL_HASH,           /* the body was changed since the ticket was made */
  REFUSAL_SERVICE,        /* an address of a service domain that nobody reads */
  REFUSAL_MARK_NONE,      /* of a visitor: no mark of ours */
  REFUSAL_MARK_FORGED,    /* one that is not ours, or several */
  REFUSAL_MARK_KEY,       /* one under a key that is not here: try again */
  REFUSAL_MARK_FROM,      /* not from the service domain */
  REFUSAL_MARK_RECIPIENT, /* a recipient whom the mark does not name */
  REFUSAL_MARK_BODY,      /* another body than the mark's */
  REFUSAL_VISITOR_ROUTE,  /* a recipient whom nothing of a visitor reaches */
  REFUSAL_FROM,           /* inward: not one author (T28) */
  REFUSAL_DMARC,          /* inward: DMARC fails, and its policy says so (N5) */
  REFUSAL_INSTANCE,       /* a client of ours at the milter of port 25: try again */
  REFUSAL_LATER,          /* no route can be had now: try again */
  REFUSAL_TROUBLE         /* anything that failed here: try again */
} Refusal;

typedef struct {
  const char *smtp_code;     /* "550", static */
  const char *enhanced_code; /* "5.7.1", static */
  char *lines[2];            /* Dutch, English: ASCII, owned */
} RefusalReply;

/* The stable code of REFUSAL, "Z-S7-NUMBER": static. */
const char *
refusal_code(Refusal refusal);

/* Whether the client may try again (4xx). */
gboolean
refusal_is_temporary(Refusal refusal);

/*
 * The reply for REFUSAL. NAMES (of char *, may be NULL or empty) are the recipients,
 * senders or attachments that the text names, up to REFUSAL_MAX_NAMES of them, made
 * harmless; or the limit that was passed. Free the result with refusal_reply_free.
 */
RefusalReply *
refusal_reply(Refusal refusal, const GPtrArray *names);

/* Frees REPLY; NULL is allowed. */
void
refusal_reply_free(RefusalReply *reply);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RefusalReply, refusal_reply_free)
