#include "policyd/decide.h"

static RouteDecision
decided(Route route, const char *code)
{
  return (RouteDecision){.known = TRUE, .route = route, .code = code};
}

/* Whether both sides are ready. A side that is not decides alone. */
static Readiness
both_ready(const RouteFacts *facts)
{
  if (facts->ours_ready == READINESS_NO || facts->theirs_ready == READINESS_NO)
    return READINESS_NO;
  if (facts->ours_ready == READINESS_UNKNOWN || facts->theirs_ready == READINESS_UNKNOWN)
    return READINESS_UNKNOWN;
  return READINESS_YES;
}

/* What is neither the community's nor ours. */
static RouteDecision
decide_third_party(const RouteFacts *facts)
{
  switch (both_ready(facts)) {
  case READINESS_YES:
    return decided(facts->here ? ROUTE_OWN : ROUTE_DIRECT, "Z-R1-NTA");
  case READINESS_NO:
    return decided(ROUTE_VIEWER, "Z-R1-VIEWER");
  case READINESS_UNKNOWN:
    break;
  }
  return (RouteDecision){.known = FALSE, .route = ROUTE_VIEWER, .code = "Z-R6-UNKNOWN"};
}

/* R3: never waits for anything, and never goes to the viewer. */
static RouteDecision
decide_ordinary(const RouteFacts *facts)
{
  gboolean direct =
      facts->in_book || (!facts->own && !facts->here && both_ready(facts) == READINESS_YES);
  if (facts->prefer && direct && facts->can_label)
    return decided(ROUTE_PREFER, facts->in_book ? "Z-R1-COMMUNITY" : "Z-R1-NTA");
  return decided(ROUTE_ORDINARY, "Z-R9-ORDINARY");
}

/* What they do, seen from here: their portal is ordinary mail for us. */
static RouteDecision
decide_inward(const RouteFacts *facts)
{
  if (facts->in_book)
    return decided(ROUTE_DIRECT, "Z-R1-COMMUNITY");
  if (facts->own)
    return decided(ROUTE_OWN, "Z-R1-OWN");
  RouteDecision decision = decide_third_party(facts);
  return decision.route == ROUTE_VIEWER && decision.known
             ? decided(ROUTE_ORDINARY, "Z-R2-PORTAL")
             : decision;
}

RouteDecision
route_decide(const RouteFacts *facts)
{
  if (facts->inward)
    return decide_inward(facts);
  if (!facts->sensitive)
    return decide_ordinary(facts);
  if (facts->in_book && facts->can_label)
    return decided(ROUTE_DIRECT, "Z-R1-COMMUNITY");
  if (facts->own)
    return decided(ROUTE_OWN, "Z-R1-OWN");
  if (!facts->can_label)
    return decided(ROUTE_VIEWER, "Z-R1-NO-LABEL");
  return decide_third_party(facts);
}
