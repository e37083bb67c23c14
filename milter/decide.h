/*
 * decide.h - what is to be done with a message: pure functions over facts.
 *
 * decide and decide_again are asked at the end of the header, and again when policyd has
 * answered (DECISION_ASK); decide_content when the attachments are known. Precedence of
 * what makes a message sensitive: S1, one table in decide.c. What comes back out of an
 * expansion (R7) is sensitive when it carries a ticket.
 */
#pragma once

#include <glib.h>

#include "common/ask/ask.h"
#include "common/base/label.h"
#include "common/conf/conf.h"
#include "common/crypt/ticket.h"
#include "milter/inspect.h"
#include "milter/refusal.h"
#include "milter/trigger.h"

#define DECIDE_MAX_RECIPIENTS ASK_MAX_RECIPIENTS

/* What x-ezorg-secbypass says (S5). */
typedef enum {
  BYPASS_NONE,
  BYPASS_SECURE, /* "false": send securely */
  BYPASS_PLAIN   /* "true": do not */
} Bypass;

/* What the organisation's tables say of the sender (S5). */
typedef enum {
  SENDER_UNKNOWN,
  SENDER_SECURE,
  SENDER_PLAIN
} SenderTable;

/* What a recipient in a service domain is. */
typedef enum {
  SERVICE_NONE,   /* he is in none */
  SERVICE_BOUNCE, /* a control address for bounces */
  SERVICE_NUMBER, /* one to which a sender of this organisation mails another number */
  SERVICE_STRANGE /* nobody reads it */
} ServiceAddress;

/* One X-Zegel-SMS header (S7). */
typedef struct {
  char *address; /* NULL: the header cannot be read */
  char *number;  /* E.164; NULL: no mobile number of an allowed country */
} HeaderNumber;

/* All borrowed for the time of the call. */
typedef struct {
  gboolean stranger; /* logged in, and no organisation has the login */
  SensitiveDefault sensitive_default;
  CodeMethod method;        /* S6 */
  gboolean phone_book;      /* it is asked for numbers, and learns those given (S8) */
  guint recipients_max;     /* of a sensitive message (S9) */
  const GPtrArray *foreign; /* of char *: senders that are not of the organisation (O3) */
  gboolean too_many_headers;
  const GPtrArray *triggers; /* of Trigger: one for each Subject */
  gboolean conversation;     /* it answers a recipient's answer (V5) */
  Bypass bypass;
  gboolean sensitive_header; /* a field of sensitive_headers */
  gboolean plain_header;     /* a field of plain_headers */
  gboolean sensitivity;      /* Sensitivity: Personal, Private, Company-Confidential */
  gboolean machine;          /* sender <> or listed, Auto-Submitted other than no (S5) */
  SenderTable table;
  gboolean prefer;             /* not sensitive mail may go direct (R3), and leaves us */
  gboolean unsigned_change;    /* sealing breaks a signature, and there is no key (N6) */
  const GPtrArray *numbers;    /* of HeaderNumber */
  const GPtrArray *recipients; /* of char *: unique, as envelope_address gives them */
  const GPtrArray *odd;        /* of char *: recipients that envelope_address cannot read */
  const GArray *service;       /* of ServiceAddress, one for each recipient */
  const GPtrArray
      *answers;        /* of RouteAnswer, one for each recipient; NULL: not asked yet */
  gboolean unanswered; /* asked, and policyd gave no answer */
} Facts;

typedef enum {
  TICKET_STATE_GOOD,
  TICKET_STATE_FORGED,      /* not one of ours */
  TICKET_STATE_DOUBLE,      /* there are several */
  TICKET_STATE_KEY,         /* made with a key that is not here */
  TICKET_STATE_ORGANISATION /* it names one that is not configured here */
} TicketState;

/* A message that comes back out of an expansion (R7). All borrowed. */
typedef struct {
  guint tickets; /* how many it carries */
  TicketState state;
  const Ticket *ticket; /* NULL unless TICKET_STATE_GOOD */
  gboolean changed;     /* its body is not the ticket's; known at its end */
  CodeMethod method;    /* these six as in Facts */
  gboolean phone_book;
  const GPtrArray *recipients;
  const GPtrArray *odd;
  const GPtrArray *answers;
  gboolean unanswered;
} AgainFacts;

typedef enum {
  MARK_GOOD,
  MARK_FORGED,      /* not one of ours, or there are several */
  MARK_KEY,         /* made with a key that is not here */
  MARK_ORGANISATION /* it names one that is not configured here */
} MarkState;

/* A message that a visitor wrote in the viewer (V5, V6, V11). All borrowed. */
typedef struct {
  guint marks; /* how many it carries */
  MarkState state;
  gboolean too_many_headers;
  gboolean other_author;     /* not from one address in the service domain */
  gboolean changed;          /* its body is not the mark's; known at its end */
  const GPtrArray *unmarked; /* of char *: recipients that the mark does not name */
  gboolean viewer;           /* the organisation has it, and codes by SMS */
  const GPtrArray *recipients;
  const GPtrArray *answers;
  gboolean unanswered;
} VisitorFacts;

typedef enum {
  DECISION_PASS,    /* not sensitive */
  DECISION_ASK,     /* ask policyd, then decide again */
  DECISION_OBSERVE, /* change nothing; see would */
  DECISION_REFUSE,  /* see refusal and names */
  DECISION_PREFER,  /* not sensitive, and some go direct: see outcomes */
  DECISION_SEAL     /* see outcomes */
} DecisionKind;

typedef struct {
  Label label;        /* LABEL_NONE: stays as it is */
  const char *number; /* E.164, owned by the facts; NULL: none is known */
  gboolean by_mail;   /* LABEL_VIEWER without a number: the code comes by e-mail (S6) */
  gboolean learn;     /* the number was given with this message: the phone book learns it */
  const char *code;   /* why it is not as policyd answered: stable code, static; or NULL */
} Outcome;

typedef struct {
  DecisionKind kind;
  DecisionKind would; /* DECISION_OBSERVE: what it would be with default secure. While that
                         is DECISION_ASK, policyd may be asked with dry_run */
  gboolean sensitive;
  const char *reason; /* why it is sensitive or not: stable code, static */
  Refusal refusal;
  GPtrArray *names; /* of char *, owned: whom or what the refusal is about, or its limit */
  GArray *outcomes; /* of Outcome, one for each recipient */
} Decision;

/* Decides on FACTS. Never NULL; free with decision_free, before what FACTS holds. */
Decision *
decide(const Facts *facts);

/*
 * Decides on a message that comes back out of an expansion, as decide. What has no ticket
 * passes; DECISION_SEAL leaves our own recipients without a label.
 */
Decision *
decide_again(const AgainFacts *facts);

/*
 * Decides on a message of a visitor, as decide. It is refused, or sensitive; whoever cannot
 * be reached within zegel gets nothing, unless his number is in the phone book.
 */
Decision *
decide_visitor(const VisitorFacts *facts);

/* Whether decide_content has a say in DECISION: it seals, or would. */
gboolean
decision_needs_content(const Decision *decision);

/*
 * Decides anew on DECISION of a message of ORGANISATION, whose attachments are INSPECTED:
 * makes it a refusal because of a name (S10) or the size (S11), or leaves it as it is; with
 * DECISION_OBSERVE that is what would be. Does nothing unless decision_needs_content.
 */
void
decide_content(Decision *decision, const Organisation *organisation,
               const Inspected *inspected);

/* Frees DECISION; NULL is allowed. */
void
decision_free(Decision *decision);

/* Frees a HeaderNumber, wiping the number. */
void
header_number_free(HeaderNumber *number);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Decision, decision_free)
