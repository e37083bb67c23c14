#include "policyd/decide.h"

static RouteDecision
decided(Route route, const char *code)
{
  return (RouteDecision){.known = TRUE, .route = route, .code = code};
}

/* What is neither the community's nor ours. A side that is not ready decides alone. */
static RouteDecision
decide_third_party(const RouteFacts *facts)
{
  if (facts->ours_ready == READINESS_NO || facts->theirs_ready == READINESS_NO)
    return decided(ROUTE_VIEWER, "Z-R1-VIEWER");
  if (facts->ours_ready == READINESS_UNKNOWN || facts->theirs_ready == READINESS_UNKNOWN)
    return (RouteDecision){.known = FALSE, .route = ROUTE_VIEWER, .code = "Z-R6-UNKNOWN"};
  return decided(ROUTE_DIRECT, "Z-R1-NTA");
}

RouteDecision
route_decide(const RouteFacts *facts)
{
  if (!facts->sensitive)
    return decided(ROUTE_ORDINARY, "Z-R9-ORDINARY");
  if (facts->in_book && facts->can_label)
    return decided(ROUTE_DIRECT, "Z-R1-COMMUNITY");
  if (facts->own)
    return decided(ROUTE_OWN, "Z-R1-OWN");
  if (!facts->can_label)
    return decided(ROUTE_VIEWER, "Z-R1-NO-LABEL");
  return decide_third_party(facts);
}
