/*
 * ask.h - the milter's question to zegel-policyd, and the way it travels.
 *
 * Blocks of attributes (attr.h, ATTR_ESCAPED) over a unix stream socket; one answer for one
 * question, in order; a connection stays open. Protocol: zegel-policy(7).
 */
#pragma once

#include <glib.h>

#include "common/base/attr.h"

#define ASK_VERSION           3
#define ASK_TIMEOUT_MS        5000 /* I7 */
#define ASK_PREFER_TIMEOUT_MS 1500 /* for mail that goes on without an answer (R3, R9) */
#define ASK_MAX_RECIPIENTS    1000
#define ASK_ADDRESS_MAX_BYTES 2048 /* Postfix's line_length_limit */
#define ASK_WORD_MAX_BYTES    255  /* an organisation, a queue id, a code */

typedef enum {
  ROUTE_ORDINARY, /* as if zegel were not there */
  ROUTE_PREFER,   /* not sensitive: direct as long as that is promised, else ordinary */
  ROUTE_OWN,      /* a mailbox of the organisation itself */
  ROUTE_DIRECT,   /* the other side's server, promised in routes.db */
  ROUTE_VIEWER    /* zegel-deliver */
} Route;

/* "ordinary", "prefer", "own", "direct", "viewer": static. */
const char *
route_name(Route route);

/* The route called NAME into *ROUTE; FALSE when there is none. */
gboolean
route_parse(const char *name, Route *route);

/* All strings owned. */
typedef struct {
  char *organisation;
  char *sender;
  char *queue_id;
  gboolean sensitive;
  gboolean inward;       /* the sender is a stranger, the recipients are ours */
  gboolean dry_run;      /* somebody only wants to know: nothing is promised */
  gboolean numbers;      /* the answers have what the phone book knows (S8) */
  char *client_address;  /* inward: who brings it (O4), textual; NULL: nobody */
  guint16 client_port;   /* inward: by which policyd finds its certificate */
  char *client_login;    /* inward: its SASL login; NULL: none */
  GPtrArray *recipients; /* of char *, without <> */
} RouteQuestion;

typedef struct {
  Route route;
  char *code;   /* stable: the rule that gave the route, "Z-R1-VIEWER" */
  char *reason; /* stable: what that rule hung on, "Z-N1-DATES"; "-" when nothing else */
  char *number; /* E.164 from the phone book, or NULL; a secret */
} RouteAnswer;

/* An empty question, freed with route_question_free. */
RouteQuestion *
route_question_new(void);

/* Frees QUESTION; NULL is allowed. */
void
route_question_free(RouteQuestion *question);

/* QUESTION as attributes; the caller frees them. */
Attrs *
route_question_format(const RouteQuestion *question);

/* The question in ATTRS, owned by the caller, or NULL with ZEGEL_ERROR_INVALID. */
RouteQuestion *
route_question_parse(const Attrs *attrs, GError **error);

/* ANSWERS (of RouteAnswer), one for each recipient in order, as attributes. */
Attrs *
route_answers_format(const GPtrArray *answers);

/*
 * The answers in ATTRS, an array of RouteAnswer owned by the caller. NULL with
 * ZEGEL_ERROR_INVALID when there are not exactly COUNT, and with ZEGEL_ERROR_TEMPORARY when
 * policyd says that it cannot decide now (attribute error=TEXT).
 */
GPtrArray *
route_answers_parse(const Attrs *attrs, guint count, GError **error);

/* The answer that says that policyd cannot decide now; TEXT is a line for the log. */
Attrs *
route_failure_format(const char *text);

/* A new answer with copies of CODE and REASON. Freed with route_answer_free. */
RouteAnswer *
route_answer_new(Route route, const char *code, const char *reason);

/* Wipes and frees a RouteAnswer; NULL is allowed. */
void
route_answer_free(RouteAnswer *answer);

/*
 * Asks over the socket at PATH and returns the answers as route_answers_parse, or NULL with
 * ZEGEL_ERROR_TEMPORARY after at most ASK_TIMEOUT_MS, ASK_PREFER_TIMEOUT_MS when QUESTION
 * is not sensitive. Connections are kept for reuse, one for each thread that asks at a
 * time. Any thread.
 */
GPtrArray *
ask_route(const char *path, const RouteQuestion *question, GError **error);

/* Sends QUESTION over the socket at PATH and returns the answer, which the caller frees, or
 * NULL with ZEGEL_ERROR_TEMPORARY after at most TIMEOUT_MS. Any thread. */
Attrs *
ask_exchange(const char *path, const Attrs *question, guint timeout_ms, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RouteQuestion, route_question_free)
