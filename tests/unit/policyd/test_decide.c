#include "policyd/decide.h"

#include "tests/unit/tap.h"

#define NO  READINESS_NO
#define YES READINESS_YES
#define UNK READINESS_UNKNOWN

/*
 * 002 5.1.1.2, the eight rows outward. A "ZorgMail" domain is own or in the book, a "Safe
 * Relay partner" is in the book, a third party is neither. The eight rows inward are no
 * decision of policyd: what comes in is delivered as Postfix does, and who sends to us
 * decides by these same rows on his side.
 */
static const struct {
  const char *name;
  RouteFacts facts; /* sensitive, own, in_book, can_label, ours, theirs */
  gboolean known;
  Route route;
  const char *code;
} rows[] = {
    {"ready 1, own", {TRUE, TRUE, FALSE, TRUE, YES, NO}, TRUE, ROUTE_OWN, "Z-R1-OWN"},
    {"ready 1, community",
     {TRUE, FALSE, TRUE, TRUE, YES, NO},
     TRUE,
     ROUTE_DIRECT,
     "Z-R1-COMMUNITY"},
    {"ready 2, partner",
     {TRUE, FALSE, TRUE, TRUE, YES, YES},
     TRUE,
     ROUTE_DIRECT,
     "Z-R1-COMMUNITY"},
    {"ready 3, ready",
     {TRUE, FALSE, FALSE, TRUE, YES, YES},
     TRUE,
     ROUTE_DIRECT,
     "Z-R1-NTA"},
    {"ready 4, not ready",
     {TRUE, FALSE, FALSE, TRUE, YES, NO},
     TRUE,
     ROUTE_VIEWER,
     "Z-R1-VIEWER"},
    {"not ready 1, own", {TRUE, TRUE, FALSE, TRUE, NO, NO}, TRUE, ROUTE_OWN, "Z-R1-OWN"},
    {"not ready 1, community",
     {TRUE, FALSE, TRUE, TRUE, NO, NO},
     TRUE,
     ROUTE_DIRECT,
     "Z-R1-COMMUNITY"},
    {"not ready 2, partner",
     {TRUE, FALSE, TRUE, TRUE, NO, YES},
     TRUE,
     ROUTE_DIRECT,
     "Z-R1-COMMUNITY"},
    {"not ready 3, ready",
     {TRUE, FALSE, FALSE, TRUE, NO, YES},
     TRUE,
     ROUTE_VIEWER,
     "Z-R1-VIEWER"},
    {"not ready 4, not ready",
     {TRUE, FALSE, FALSE, TRUE, NO, NO},
     TRUE,
     ROUTE_VIEWER,
     "Z-R1-VIEWER"},

    {"the book wins over own",
     {TRUE, TRUE, TRUE, TRUE, NO, NO},
     TRUE,
     ROUTE_DIRECT,
     "Z-R1-COMMUNITY"},
    {"own before NTA", {TRUE, TRUE, FALSE, TRUE, YES, YES}, TRUE, ROUTE_OWN, "Z-R1-OWN"},
    {"own does not ask DNS",
     {TRUE, TRUE, FALSE, TRUE, UNK, UNK},
     TRUE,
     ROUTE_OWN,
     "Z-R1-OWN"},
    {"the book does not ask DNS",
     {TRUE, FALSE, TRUE, TRUE, UNK, UNK},
     TRUE,
     ROUTE_DIRECT,
     "Z-R1-COMMUNITY"},

    {"theirs unknown",
     {TRUE, FALSE, FALSE, TRUE, YES, UNK},
     FALSE,
     ROUTE_VIEWER,
     "Z-R6-UNKNOWN"},
    {"ours unknown",
     {TRUE, FALSE, FALSE, TRUE, UNK, YES},
     FALSE,
     ROUTE_VIEWER,
     "Z-R6-UNKNOWN"},
    {"both unknown",
     {TRUE, FALSE, FALSE, TRUE, UNK, UNK},
     FALSE,
     ROUTE_VIEWER,
     "Z-R6-UNKNOWN"},
    {"ours no, theirs unknown",
     {TRUE, FALSE, FALSE, TRUE, NO, UNK},
     TRUE,
     ROUTE_VIEWER,
     "Z-R1-VIEWER"},
    {"ours unknown, theirs no",
     {TRUE, FALSE, FALSE, TRUE, UNK, NO},
     TRUE,
     ROUTE_VIEWER,
     "Z-R1-VIEWER"},

    {"no label", {TRUE, FALSE, FALSE, FALSE, NO, NO}, TRUE, ROUTE_VIEWER, "Z-R1-NO-LABEL"},
    {"no label, ready",
     {TRUE, FALSE, FALSE, FALSE, YES, YES},
     TRUE,
     ROUTE_VIEWER,
     "Z-R1-NO-LABEL"},
    {"no label, book",
     {TRUE, FALSE, TRUE, FALSE, NO, NO},
     TRUE,
     ROUTE_VIEWER,
     "Z-R1-NO-LABEL"},
    {"own needs no label", {TRUE, TRUE, FALSE, FALSE, NO, NO}, TRUE, ROUTE_OWN, "Z-R1-OWN"},
};

static void
test_rows(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    RouteDecision decision = route_decide(&rows[i].facts);
    g_test_message("%s", rows[i].name);
    g_assert_cmpint(decision.known, ==, rows[i].known);
    g_assert_cmpint(decision.route, ==, rows[i].route);
    g_assert_cmpstr(decision.code, ==, rows[i].code);
  }
}

/* Every combination that is not sensitive: as if zegel were not there. */
static void
test_ordinary(void)
{
  for (guint bits = 0; bits < 8; bits++)
    for (guint ours = NO; ours <= UNK; ours++)
      for (guint theirs = NO; theirs <= UNK; theirs++) {
        const RouteFacts facts = {.own = (bits & 1) != 0,
                                  .in_book = (bits & 2) != 0,
                                  .can_label = (bits & 4) != 0,
                                  .ours_ready = (Readiness) ours,
                                  .theirs_ready = (Readiness) theirs};
        RouteDecision decision = route_decide(&facts);
        g_assert_true(decision.known);
        g_assert_cmpint(decision.route, ==, ROUTE_ORDINARY);
        g_assert_cmpstr(decision.code, ==, "Z-R9-ORDINARY");
      }
}

/* Whatever the facts: sensitive mail is never ordinary, and direct only with a label. */
static void
test_never_plain(void)
{
  for (guint bits = 0; bits < 8; bits++)
    for (guint ours = NO; ours <= UNK; ours++)
      for (guint theirs = NO; theirs <= UNK; theirs++) {
        const RouteFacts facts = {.sensitive = TRUE,
                                  .own = (bits & 1) != 0,
                                  .in_book = (bits & 2) != 0,
                                  .can_label = (bits & 4) != 0,
                                  .ours_ready = (Readiness) ours,
                                  .theirs_ready = (Readiness) theirs};
        RouteDecision decision = route_decide(&facts);
        g_assert_cmpint(decision.route, !=, ROUTE_ORDINARY);
        g_assert_true(decision.route != ROUTE_DIRECT || facts.can_label);
        g_assert_true(decision.route != ROUTE_OWN || facts.own);
      }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/decide/rows", test_rows);
  g_test_add_func("/decide/ordinary", test_ordinary);
  g_test_add_func("/decide/never-plain", test_never_plain);
  return g_test_run();
}
