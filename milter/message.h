/*
 * message.h - what is known of one message while it comes in.
 *
 * Holds what decisions and plans need: the envelope, what the header fields that matter
 * say, and the hash of the body. Knows nothing of libmilter. One thread.
 */
#pragma once

#include <glib.h>

#include "common/conf/conf.h"
#include "common/crypt/crypt.h"
#include "common/crypt/origin.h"
#include "milter/client.h"
#include "milter/decide.h"
#include "milter/fields.h"
#include "milter/inspect.h"

typedef struct {
  char *given;   /* as the client wrote it, with <> or without */
  char *address; /* envelope_address; NULL: odd */
  GStrv args;    /* ESMTP parameters */
} MessageRecipient;

/* A field whose text may hold a trigger: Subject, and Outlook's copy of it. */
typedef struct {
  char *name;       /* as the client wrote it */
  guint index;      /* among the fields of that name, from 1 */
  Trigger *trigger; /* what it says */
} MessageSubject;

typedef enum {
  MESSAGE_OUTWARD,  /* of a client that an organisation has */
  MESSAGE_STRANGER, /* of a login that none has */
  MESSAGE_INWARD,   /* of anybody else */
  MESSAGE_AGAIN,   /* comes back out of an expansion (R7): only its ticket is of interest */
  MESSAGE_SERVICE, /* zegel wrote it, without content: it is signed, and nothing else */
  MESSAGE_VISITOR  /* a visitor of the viewer wrote it: its mark says whose and for whom */
} MessageKind;

typedef struct {
  MessageKind kind;
  const Organisation *organisation; /* borrowed; of the ticket or mark that was opened */
  const char *const *countries;     /* borrowed */
  const Client *client;             /* borrowed; who brought it */
  const Fields *fields;             /* borrowed; its header as it came */
  char *sender_given;
  char *sender; /* envelope_address; NULL: odd */
  GStrv sender_args;
  GPtrArray *recipients; /* of MessageRecipient, as they came */

  GPtrArray *subjects;  /* of MessageSubject */
  char *sender_name;    /* display name of From, or "" */
  char *from_domain;    /* of the first address in From, lower case; NULL: none */
  guint authors;        /* addresses in From */
  char *message_id;     /* or "" */
  GPtrArray *answered;  /* of char *: local parts of Message-IDs of the service domain */
  GString *sealed_text; /* value of the first X-Zegel-Ticket (MESSAGE_AGAIN), or
                         * X-Zegel-Origin (MESSAGE_VISITOR) */
  Ticket *ticket;       /* what again_open found in it, or NULL */
  Origin *origin;       /* what visitor_open found in it, or NULL */

  CryptHash *body;      /* NULL: nobody needs it, or message_end_body was called */
  gboolean body_hashed; /* body_sha256 is known */
  guint8 body_sha256[CRYPT_SHA256_BYTES];
  Inspected *inspected; /* what is attached; NULL: nobody looked */
  GPtrArray *triggers;  /* of Trigger, borrowed from subjects */
  GPtrArray *numbers;   /* of HeaderNumber */
  GPtrArray *unique;    /* of char *, borrowed from recipients */
  GPtrArray *odd;       /* of char *, borrowed from recipients */
  GPtrArray *foreign;   /* of char * */
  GArray *service;      /* of ServiceAddress: what service_look found, for each of unique */
  GPtrArray *unmarked;  /* MESSAGE_VISITOR: of char *, borrowed from recipients */
  GPtrArray *answers;   /* of RouteAnswer, or NULL */
  Facts facts;          /* points to the lists above */
  AgainFacts again;     /* the same, for MESSAGE_AGAIN */
  VisitorFacts visitor; /* the same, for MESSAGE_VISITOR */
} Message;

/*
 * A message of ORGANISATION (for MESSAGE_OUTWARD, else NULL) from ARGS, the arguments of
 * MAIL (first the address). COUNTRIES (as phone_parse takes them) are borrowed. Freed with
 * message_free.
 */
Message *
message_new(MessageKind kind, const Organisation *organisation,
            const char *const *countries, const char *const *args);

/* Adds the recipient in ARGS, the arguments of RCPT. */
void
message_add_recipient(Message *message, const char *const *args);

/* Adds the header field NAME with its raw VALUE. */
void
message_add_header(Message *message, const char *name, const char *value);

/* Ends the header: after this, facts are complete but for the answers of policyd. */
void
message_end_header(Message *message);

/* Ends the hash of the body, when there is one; after that body_sha256 is known. */
void
message_end_body(Message *message);

/*
 * TICKET sealed with RING as the value of its header, with the milter's line ends: a new
 * string, or NULL as ticket_seal.
 */
char *
message_seal_ticket(const Ticket *ticket, const KeyRing *ring, GError **error);

/* Wipes and frees MESSAGE; NULL is allowed. */
void
message_free(Message *message);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Message, message_free)
