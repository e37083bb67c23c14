/*
 * decide.h - the route of one recipient, as a pure function over facts (R1, R2, R3, R6).
 *
 * Nothing here looks anything up. What a fact is, is said by whoever gathers it (answer.c).
 */
#pragma once

#include <glib.h>

#include "common/ask/ask.h"

typedef enum {
  READINESS_NO,
  READINESS_YES,
  READINESS_UNKNOWN /* it could not be found out now */
} Readiness;

typedef struct {
  gboolean inward; /* from them to us; "ours" is then the recipient's side */
  gboolean sensitive;
  gboolean prefer;        /* not sensitive mail prefers the direct route (R3) */
  gboolean own;           /* both sides are one organisation: a mailbox of its own */
  gboolean here;          /* their domain is another organisation's on this very server */
  gboolean in_book;       /* the domain book has their domain: community or partner */
  gboolean can_label;     /* the domain can carry a label */
  Readiness ours_ready;   /* for NTA 7516: our domain (N2) */
  Readiness theirs_ready; /* and theirs (N1) */
} RouteFacts;

typedef struct {
  gboolean known; /* FALSE: the message must wait (R6), route means nothing */
  Route route;
  const char *code; /* static */
} RouteDecision;

/*
 * The route for FACTS. Outward, sensitive, in this order: in the book: direct (also when it
 * is an own domain); own; NTA, both sides ready: direct, and for what is here own, because
 * a server that sends to itself takes that for a loop; viewer. A domain that cannot carry
 * a label gets "viewer" too: nothing else is safe, and the milter refuses what it cannot
 * label. Outward and not sensitive: "prefer" where a sensitive message would go direct,
 * else ordinary. Inward: direct where it counts as having come by a secure way, else
 * ordinary: they keep it in their portal (002 5.1.1.2). Pure; any thread.
 */
RouteDecision
route_decide(const RouteFacts *facts);
