/*
 * decide.h - the route of one recipient, as a pure function over facts (R1, R2, R6).
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
  gboolean sensitive;
  gboolean own;           /* a mailbox in a domain of the sender's organisation */
  gboolean in_book;       /* the domain book has the domain: community or partner */
  gboolean can_label;     /* the domain can carry a label */
  Readiness ours_ready;   /* for NTA 7516: the sender's domain (N2) */
  Readiness theirs_ready; /* and the recipient's (N1) */
} RouteFacts;

typedef struct {
  gboolean known; /* FALSE: the message must wait (R6), route means nothing */
  Route route;
  const char *code; /* static */
} RouteDecision;

/*
 * The route for FACTS. In this order: not sensitive: ordinary; in the book: direct (also
 * when it is an own domain); own; NTA, both sides ready: direct; viewer. A domain that
 * cannot carry a label gets "viewer" too: nothing else is safe, and the milter refuses what
 * it cannot label. Pure; any thread.
 */
RouteDecision
route_decide(const RouteFacts *facts);
