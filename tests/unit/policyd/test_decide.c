#include "policyd/decide.h"

#include <string.h>

#include "tests/unit/tap.h"

/*
 * Facts in words: "in", "sensitive", "prefer", "own", "here", "book", "label", and two of
 * ready/not/unknown, ours first. Everything else is FALSE.
 */
static Readiness
readiness_of(const char *word)
{
  if (strcmp(word, "ready") == 0)
    return READINESS_YES;
  g_assert_true(strcmp(word, "not") == 0 || strcmp(word, "unknown") == 0);
  return strcmp(word, "not") == 0 ? READINESS_NO : READINESS_UNKNOWN;
}

static RouteFacts
facts_of(const char *text)
{
  g_auto(GStrv) words = g_strsplit(text, " ", -1);
  guint count = g_strv_length(words);
  const char *const *all = (const char *const *) words;
  return (RouteFacts){
      .inward = g_strv_contains(all, "in"),
      .sensitive = g_strv_contains(all, "sensitive"),
      .prefer = g_strv_contains(all, "prefer"),
      .own = g_strv_contains(all, "own"),
      .here = g_strv_contains(all, "here"),
      .in_book = g_strv_contains(all, "book"),
      .can_label = g_strv_contains(all, "label"),
      .ours_ready = readiness_of(words[count - 2]),
      .theirs_ready = readiness_of(words[count - 1]),
  };
}

#define WAIT NULL /* no route: the message waits */

typedef struct {
  const char *name, *facts, *route, *code;
} Row;

static void
check_rows(const Row *rows, gsize count)
{
  for (gsize i = 0; i < count; i++) {
    RouteFacts facts = facts_of(rows[i].facts);
    RouteDecision decision = route_decide(&facts);
    g_test_message("%s: %s", rows[i].name, rows[i].facts);
    g_assert_cmpint(decision.known, ==, rows[i].route != WAIT);
    if (decision.known)
      g_assert_cmpstr(route_name(decision.route), ==, rows[i].route);
    g_assert_cmpstr(decision.code, ==, rows[i].code);
  }
}

/*
 * The sixteen rows of 002 5.1.1.2, in its order. A "ZorgMail" domain is our own or in the
 * book, a "Safe Relay partner" is in the book, a third party is neither.
 */
static void
test_sixteen_rows(void)
{
  static const Row rows[] = {
      {"out, ready 1", "sensitive own label ready not", "own", "Z-R1-OWN"},
      {"out, ready 2", "sensitive book label ready not", "direct", "Z-R1-COMMUNITY"},
      {"out, ready 3", "sensitive label ready ready", "direct", "Z-R1-NTA"},
      {"out, ready 4", "sensitive label ready not", "viewer", "Z-R1-VIEWER"},
      {"out, not ready 1", "sensitive own label not not", "own", "Z-R1-OWN"},
      {"out, not ready 2", "sensitive book label not not", "direct", "Z-R1-COMMUNITY"},
      {"out, not ready 3", "sensitive label not ready", "viewer", "Z-R1-VIEWER"},
      {"out, not ready 4", "sensitive label not not", "viewer", "Z-R1-VIEWER"},
      {"in, ready 1", "in ready ready", "direct", "Z-R1-NTA"},
      {"in, ready 2", "in ready not", "ordinary", "Z-R2-PORTAL"},
      {"in, ready 3", "in own ready not", "own", "Z-R1-OWN"},
      {"in, ready 4", "in book ready not", "direct", "Z-R1-COMMUNITY"},
      {"in, not ready 1", "in not ready", "ordinary", "Z-R2-PORTAL"},
      {"in, not ready 2", "in not not", "ordinary", "Z-R2-PORTAL"},
      {"in, not ready 3", "in own not not", "own", "Z-R1-OWN"},
      {"in, not ready 4", "in book not not", "direct", "Z-R1-COMMUNITY"},
  };
  G_STATIC_ASSERT(G_N_ELEMENTS(rows) == 16);
  check_rows(rows, G_N_ELEMENTS(rows));
}

static void
test_order(void)
{
  static const Row rows[] = {
      {"book over own", "sensitive own book label not not", "direct", "Z-R1-COMMUNITY"},
      {"book over NTA", "sensitive book label ready ready", "direct", "Z-R1-COMMUNITY"},
      {"own over NTA", "sensitive own label ready ready", "own", "Z-R1-OWN"},
      {"own asks nobody", "sensitive own label unknown unknown", "own", "Z-R1-OWN"},
      {"book asks nobody", "sensitive book label unknown unknown", "direct",
       "Z-R1-COMMUNITY"},
      {"theirs unknown", "sensitive label ready unknown", WAIT, "Z-R6-UNKNOWN"},
      {"ours unknown", "sensitive label unknown ready", WAIT, "Z-R6-UNKNOWN"},
      {"both unknown", "sensitive label unknown unknown", WAIT, "Z-R6-UNKNOWN"},
      {"ours decides", "sensitive label not unknown", "viewer", "Z-R1-VIEWER"},
      {"theirs decides", "sensitive label unknown not", "viewer", "Z-R1-VIEWER"},
      {"no label", "sensitive not not", "viewer", "Z-R1-NO-LABEL"},
      {"no label, ready", "sensitive ready ready", "viewer", "Z-R1-NO-LABEL"},
      {"no label, book", "sensitive book not not", "viewer", "Z-R1-NO-LABEL"},
      {"own without label", "sensitive own not not", "own", "Z-R1-OWN"},
      {"here, both ready", "sensitive here label ready ready", "own", "Z-R1-NTA"},
      {"here, not ready", "sensitive here label ready not", "viewer", "Z-R1-VIEWER"},
      {"here, unknown", "sensitive here label ready unknown", WAIT, "Z-R6-UNKNOWN"},
      {"in, unknown", "in ready unknown", WAIT, "Z-R6-UNKNOWN"},
      {"in, book over own", "in own book not not", "direct", "Z-R1-COMMUNITY"},
      {"in, sensitive is theirs to know", "in sensitive ready not", "ordinary",
       "Z-R2-PORTAL"},
  };
  check_rows(rows, G_N_ELEMENTS(rows));
}

/* R3: as sensitive mail would go direct, and otherwise as if zegel were not there. */
static void
test_ordinary(void)
{
  static const Row rows[] = {
      {"book", "prefer book label not not", "prefer", "Z-R1-COMMUNITY"},
      {"both ready", "prefer label ready ready", "prefer", "Z-R1-NTA"},
      {"unknown does not wait", "prefer label ready unknown", "ordinary", "Z-R9-ORDINARY"},
      {"not ready", "prefer label ready not", "ordinary", "Z-R9-ORDINARY"},
      {"own", "prefer own label ready ready", "ordinary", "Z-R9-ORDINARY"},
      {"here", "prefer here label ready ready", "ordinary", "Z-R9-ORDINARY"},
      {"own in the book", "prefer own book label ready ready", "prefer", "Z-R1-COMMUNITY"},
      {"no label", "prefer book ready ready", "ordinary", "Z-R9-ORDINARY"},
      {"switched off", "book label ready ready", "ordinary", "Z-R9-ORDINARY"},
  };
  check_rows(rows, G_N_ELEMENTS(rows));
}

/* Whatever the facts: sensitive mail is never ordinary, and direct only with a label and a
 * reason. */
static void
test_never_plain(void)
{
  for (guint bits = 0; bits < 32; bits++)
    for (guint ours = READINESS_NO; ours <= READINESS_UNKNOWN; ours++)
      for (guint theirs = READINESS_NO; theirs <= READINESS_UNKNOWN; theirs++) {
        const RouteFacts facts = {.sensitive = TRUE,
                                  .own = (bits & 1) != 0,
                                  .in_book = (bits & 2) != 0,
                                  .can_label = (bits & 4) != 0,
                                  .prefer = (bits & 8) != 0,
                                  .here = (bits & 16) != 0,
                                  .ours_ready = (Readiness) ours,
                                  .theirs_ready = (Readiness) theirs};
        RouteDecision decision = route_decide(&facts);
        gboolean both = ours == READINESS_YES && theirs == READINESS_YES;
        g_assert_cmpint(decision.route, !=, ROUTE_ORDINARY);
        g_assert_cmpint(decision.route, !=, ROUTE_PREFER);
        g_assert_true(decision.route != ROUTE_DIRECT || facts.can_label);
        g_assert_true(decision.route != ROUTE_DIRECT || facts.in_book || both);
        g_assert_true(decision.route != ROUTE_OWN || facts.own || (facts.here && both));
      }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/decide/sixteen-rows", test_sixteen_rows);
  g_test_add_func("/decide/order", test_order);
  g_test_add_func("/decide/ordinary", test_ordinary);
  g_test_add_func("/decide/never-plain", test_never_plain);
  return g_test_run();
}
