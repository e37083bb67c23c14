/* What is done with a message that comes in: secure, DMARC, and what is refused (N5, T28).
 */
#include "milter/inward_decide.h"

#include <string.h>

#include "tests/unit/tap.h"

/* One message: a way that it differs from one that is secure. "+" aligned, "-" not. */
typedef struct {
  const char *what;
  Author author;
  gboolean tls12;
  const char
      *dkim; /* a letter for each signature: P pass, F fail, T temperror; then + or - */
  const char *spf;    /* "pass+", ...; "relay"; NULL: policyd did not answer */
  const char *dmarc;  /* "reject", "quarantine", "none", "absent", "unknown" */
  const char *routes; /* a letter for each recipient: N nta, C community, V viewer, O own;
                         "?" policyd gave none */
  InwardAction action;
  DmarcResult result;
  Secure secure;
  const char *code;
} Row;

#define ONE  AUTHOR_ONE
#define KEEP INWARD_KEEP
#define NO   SECURE_NO

static const Row rows[] = {
    {"nta", ONE, 1, "P+", "pass+", "reject", "N", KEEP, DMARC_PASS, SECURE_NTA, "Z-R1-NTA"},
    {"two recipients", ONE, 1, "P+", "pass+", "quarantine", "NN", KEEP, DMARC_PASS,
     SECURE_NTA, "Z-R1-NTA"},
    {"community", ONE, 1, "P+", "pass+", "absent", "C", KEEP, DMARC_NONE, SECURE_COMMUNITY,
     "Z-R1-COMMUNITY"},
    {"the weaker word for two", ONE, 1, "P+", "pass+", "reject", "NC", KEEP, DMARC_PASS,
     SECURE_COMMUNITY, "Z-R1-COMMUNITY"},
    {"the same the other way", ONE, 1, "P+", "pass+", "reject", "CN", KEEP, DMARC_PASS,
     SECURE_COMMUNITY, "Z-R1-COMMUNITY"},
    {"no policy fails nothing", ONE, 1, "P+", "pass+", "absent", "N", KEEP, DMARC_NONE,
     SECURE_NTA, "Z-R1-NTA"},
    {"a trusted relay", ONE, 1, "P+", "relay", "reject", "N", KEEP, DMARC_PASS, SECURE_NTA,
     "Z-R1-NTA"},
    {"the second signature", ONE, 1, "F+P-P+", "pass+", "reject", "N", KEEP, DMARC_PASS,
     SECURE_NTA, "Z-R1-NTA"},

    /* each single condition */
    {"no author", AUTHOR_NONE, 1, "P+", "pass+", "absent", "N", KEEP, DMARC_PERMERROR, NO,
     "Z-N5-FROM"},
    {"no TLS", ONE, 0, "P+", "pass+", "reject", "N", KEEP, DMARC_PASS, NO, "Z-N5-TLS"},
    {"no signature", ONE, 1, "", "pass+", "reject", "N", KEEP, DMARC_PASS, NO, "Z-N5-DKIM"},
    {"broken", ONE, 1, "F+", "pass+", "reject", "N", KEEP, DMARC_PASS, NO, "Z-N5-DKIM"},
    {"not aligned", ONE, 1, "P-", "pass+", "reject", "N", KEEP, DMARC_PASS, NO,
     "Z-N5-DKIM"},
    {"its key is not there now", ONE, 1, "T+", "pass+", "reject", "N", KEEP, DMARC_PASS, NO,
     "Z-N5-DKIM"},
    {"SPF fails", ONE, 1, "P+", "fail+", "reject", "N", KEEP, DMARC_PASS, NO, "Z-N5-SPF"},
    {"SPF of another domain", ONE, 1, "P+", "pass-", "reject", "N", KEEP, DMARC_PASS, NO,
     "Z-N5-SPF"},
    {"SPF softfails", ONE, 1, "P+", "softfail+", "reject", "N", KEEP, DMARC_PASS, NO,
     "Z-N5-SPF"},
    {"no SPF", ONE, 1, "P+", "none-", "reject", "N", KEEP, DMARC_PASS, NO, "Z-N5-SPF"},
    {"SPF not asked", ONE, 1, "P+", "", "reject", "N", KEEP, DMARC_PASS, NO, "Z-N5-SPF"},
    {"SPF temperror", ONE, 1, "P+", "temperror-", "reject", "N", KEEP, DMARC_PASS, NO,
     "Z-N5-SPF"},
    {"no relay without DKIM", ONE, 1, "F+", "relay", "absent", "N", KEEP, DMARC_NONE, NO,
     "Z-N5-DKIM"},
    {"DMARC not known", ONE, 1, "P+", "pass+", "unknown", "N", KEEP, DMARC_TEMPERROR, NO,
     "Z-N5-DMARC"},
    {"their portal", ONE, 1, "P+", "pass+", "reject", "V", KEEP, DMARC_PASS, NO,
     "Z-R2-PORTAL"},
    {"one of two not", ONE, 1, "P+", "pass+", "reject", "NV", KEEP, DMARC_PASS, NO,
     "Z-R2-PORTAL"},
    {"says to be us", ONE, 1, "P+", "pass+", "reject", "O", KEEP, DMARC_PASS, NO,
     "Z-R1-OWN"},
    {"no route", ONE, 1, "P+", "pass+", "reject", "?", KEEP, DMARC_PASS, NO, "Z-N5-VERIFY"},
    {"policyd is dead", ONE, 1, "T-", NULL, NULL, "N", KEEP, DMARC_TEMPERROR, NO,
     "Z-N5-VERIFY"},

    /* DMARC: what is done is [milter] dmarc_reject = reject, dmarc_quarantine = quarantine
     */
    {"fail, reject", ONE, 1, "F+", "fail+", "reject", "N", INWARD_REFUSE, DMARC_FAIL, NO,
     "Z-N5-DMARC"},
    {"nothing is aligned", ONE, 1, "P-", "pass-", "reject", "N", INWARD_REFUSE, DMARC_FAIL,
     NO, "Z-N5-DMARC"},
    {"nothing at all", ONE, 0, "", "none-", "reject", "N", INWARD_REFUSE, DMARC_FAIL, NO,
     "Z-N5-DMARC"},
    {"fail, quarantine", ONE, 1, "F+", "fail+", "quarantine", "N", INWARD_QUARANTINE,
     DMARC_FAIL, NO, "Z-N5-DMARC"},
    {"fail, none", ONE, 1, "F+", "fail+", "none", "N", KEEP, DMARC_FAIL, NO, "Z-N5-DKIM"},
    {"SPF alone passes", ONE, 1, "F+", "pass+", "reject", "N", KEEP, DMARC_PASS, NO,
     "Z-N5-DKIM"},
    {"DKIM alone passes", ONE, 1, "P+", "fail+", "reject", "N", KEEP, DMARC_PASS, NO,
     "Z-N5-SPF"},
    {"a key might have passed", ONE, 1, "T+", "fail+", "reject", "N", KEEP, DMARC_TEMPERROR,
     NO, "Z-N5-DKIM"},
    {"another's key might not", ONE, 1, "T-", "fail+", "reject", "N", INWARD_REFUSE,
     DMARC_FAIL, NO, "Z-N5-DMARC"},
    {"SPF might have passed", ONE, 1, "", "temperror+", "reject", "N", KEEP,
     DMARC_TEMPERROR, NO, "Z-N5-DKIM"},
    {"another's SPF might not", ONE, 1, "", "temperror-", "reject", "N", INWARD_REFUSE,
     DMARC_FAIL, NO, "Z-N5-DMARC"},
    {"softfail is no pass", ONE, 1, "", "softfail+", "reject", "N", INWARD_REFUSE,
     DMARC_FAIL, NO, "Z-N5-DMARC"},
    {"behind a relay only marked", ONE, 1, "F+", "relay", "reject", "N", KEEP, DMARC_FAIL,
     NO, "Z-N5-DKIM"},
    {"no author, no policy", AUTHOR_NONE, 1, "F+", "fail+", "reject", "N", KEEP,
     DMARC_PERMERROR, NO, "Z-N5-FROM"},

    /* T28 */
    {"several authors", AUTHOR_SEVERAL, 1, "P+", "pass+", "absent", "N", INWARD_REFUSE,
     DMARC_PERMERROR, NO, "Z-T28-FROM"},
};

static void
add_signatures(GPtrArray *signatures, const char *letters)
{
  for (; *letters != '\0'; letters += 2) {
    DkimResult *one = g_new0(DkimResult, 1);
    one->status = *letters == 'P'   ? DKIM_PASS
                  : *letters == 'F' ? DKIM_FAIL
                                    : DKIM_TEMPERROR;
    one->aligned = letters[1] == '+';
    g_ptr_array_add(signatures, one);
  }
}

static VerifyAnswer *
make_answer(const Row *row)
{
  if (row->dmarc == NULL)
    return NULL;
  VerifyAnswer *answer = g_new0(VerifyAnswer, 1);
  gsize len = strlen(row->spf);
  if (len > 0 && !g_str_equal(row->spf, "relay")) {
    answer->spf = g_strndup(row->spf, len - 1);
    answer->spf_aligned = row->spf[len - 1] == '+';
  }
  answer->dmarc = g_str_equal(row->dmarc, "absent")    ? VERIFY_ABSENT
                  : g_str_equal(row->dmarc, "unknown") ? VERIFY_UNKNOWN
                                                       : VERIFY_FOUND;
  if (answer->dmarc == VERIFY_FOUND)
    answer->dmarc_policy = g_strdup(row->dmarc);
  return answer;
}

static void
free_answer(VerifyAnswer *answer)
{
  if (answer == NULL)
    return;
  g_free(answer->spf);
  g_free(answer->dmarc_policy);
  g_free(answer);
}

static void
add_routes(GPtrArray *routes, const char *letters)
{
  for (; *letters != '\0'; letters++)
    g_ptr_array_add(
        routes, *letters == 'N'   ? route_answer_new(ROUTE_DIRECT, "Z-R1-NTA", "-")
                : *letters == 'C' ? route_answer_new(ROUTE_DIRECT, "Z-R1-COMMUNITY", "-")
                : *letters == 'O' ? route_answer_new(ROUTE_OWN, "Z-R1-OWN", "-")
                                  : route_answer_new(ROUTE_ORDINARY, "Z-R2-PORTAL", "-"));
}

/* Everything of one row, owned. */
typedef struct {
  InwardFacts facts;
  GPtrArray *signatures, *routes;
  VerifyAnswer *answer;
} Fixture;

static void
fixture_init(Fixture *f, const Row *row)
{
  f->signatures = g_ptr_array_new_with_free_func(g_free);
  add_signatures(f->signatures, row->dkim);
  f->answer = make_answer(row);
  f->routes = g_ptr_array_new_with_free_func((GDestroyNotify) route_answer_free);
  add_routes(f->routes, g_str_equal(row->routes, "?") ? "" : row->routes);
  f->facts = (InwardFacts){.author = row->author,
                           .tls12 = row->tls12,
                           .relay = g_strcmp0(row->spf, "relay") == 0,
                           .signatures = f->signatures,
                           .answer = f->answer,
                           .on_reject = DMARC_ACTION_REJECT,
                           .on_quarantine = DMARC_ACTION_QUARANTINE};
}

static void
fixture_clear(Fixture *f)
{
  g_ptr_array_unref(f->signatures);
  g_ptr_array_unref(f->routes);
  free_answer(f->answer);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

/* Decides as the flow does: policyd is asked only when that is wanted. */
static InwardDecision
decide_row(Fixture *f, const Row *row)
{
  InwardDecision decision = inward_decide(&f->facts);
  if (decision.action != INWARD_ASK)
    return decision;
  f->facts.unanswered = g_str_equal(row->routes, "?");
  f->facts.routes = f->facts.unanswered ? NULL : f->routes;
  return inward_decide(&f->facts);
}

static void
test_rows(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    const Row *row = &rows[i];
    g_test_message("%s", row->what);
    g_auto(Fixture) f;
    fixture_init(&f, row);
    InwardDecision decision = decide_row(&f, row);
    g_assert_cmpint(decision.action, ==, row->action);
    g_assert_cmpstr(dmarc_result_name(decision.dmarc), ==, dmarc_result_name(row->result));
    g_assert_cmpstr(secure_name(decision.secure), ==, secure_name(row->secure));
    g_assert_cmpstr(decision.code, ==, row->code);
    if (decision.action == INWARD_REFUSE)
      g_assert_cmpstr(refusal_code(decision.refusal), ==, row->code);
  }
}

/* What the administrator wants done, for both policies. */
static void
test_actions(void)
{
  static const struct {
    const char *policy;
    DmarcAction on_reject, on_quarantine;
    InwardAction action;
  } cases[] = {
      {"reject", DMARC_ACTION_REJECT, DMARC_ACTION_MARK, INWARD_REFUSE},
      {"reject", DMARC_ACTION_QUARANTINE, DMARC_ACTION_MARK, INWARD_QUARANTINE},
      {"reject", DMARC_ACTION_MARK, DMARC_ACTION_QUARANTINE, INWARD_KEEP},
      {"quarantine", DMARC_ACTION_REJECT, DMARC_ACTION_MARK, INWARD_KEEP},
      {"quarantine", DMARC_ACTION_MARK, DMARC_ACTION_QUARANTINE, INWARD_QUARANTINE},
      {"none", DMARC_ACTION_REJECT, DMARC_ACTION_QUARANTINE, INWARD_KEEP},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const Row row = {"",  ONE,  1,          "", "fail+", cases[i].policy,
                     "N", KEEP, DMARC_FAIL, NO, ""};
    g_auto(Fixture) f;
    fixture_init(&f, &row);
    f.facts.on_reject = cases[i].on_reject;
    f.facts.on_quarantine = cases[i].on_quarantine;
    InwardDecision decision = inward_decide(&f.facts);
    g_assert_cmpint(decision.action, ==, cases[i].action);
    g_assert_cmpint(decision.dmarc, ==, DMARC_FAIL);
    g_assert_cmpint(decision.secure, ==, SECURE_NO);
  }
}

/* A header that is not whole proves nothing, and might hide anything: even when watched. */
static void
test_cut(void)
{
  g_auto(Fixture) f;
  fixture_init(&f, &rows[0]);
  f.facts.cut = f.facts.watch = TRUE;
  InwardDecision decision = inward_decide(&f.facts);
  g_assert_cmpint(decision.action, ==, INWARD_REFUSE);
  g_assert_cmpint(decision.refusal, ==, REFUSAL_HEADERS);
  g_assert_cmpint(decision.secure, ==, SECURE_NO);
}

/* Nothing is asked about a message that could not be secure anyhow. */
static void
test_asks(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    const Row *row = &rows[i];
    g_auto(Fixture) f;
    fixture_init(&f, row);
    gboolean asks = inward_decide(&f.facts).action == INWARD_ASK;
    gboolean hangs_on_routes =
        g_str_has_prefix(row->code, "Z-R") || g_strcmp0(row->routes, "?") == 0;
    g_test_message("%s", row->what);
    g_assert_true(asks == hangs_on_routes);
  }
}

static void
test_foreign(void)
{
  g_auto(Fixture) f;
  fixture_init(&f, &rows[0]);
  f.facts.foreign = TRUE;
  InwardDecision decision = inward_decide(&f.facts);
  g_assert_cmpint(decision.action, ==, INWARD_KEEP);
  g_assert_cmpint(decision.secure, ==, SECURE_NO);
  g_assert_cmpstr(decision.code, ==, "Z-N5-RECIPIENT");
}

static void
test_best(void)
{
  static const struct {
    const char *dkim;
    gint best; /* -1: none */
  } cases[] = {{"", -1},    {"F+", 0},       {"F-T+", 0}, {"F+P-", 1},
               {"P-P+", 1}, {"F+P-P+P+", 2}, {"P-P-", 0}, {"T-F+P-F-", 2}};
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GPtrArray) signatures = g_ptr_array_new_with_free_func(g_free);
    add_signatures(signatures, cases[i].dkim);
    const InwardFacts facts = {.signatures = signatures};
    g_assert_true(inward_best_signature(&facts) ==
                  (cases[i].best < 0 ? NULL : signatures->pdata[cases[i].best]));
  }
}

/* Nobody could take it: refused whatever else is true of it, and before DMARC. */
static void
test_unread(void)
{
  g_autoptr(GPtrArray) signatures = g_ptr_array_new();
  g_autoptr(GPtrArray) unread = g_ptr_array_new();
  InwardFacts facts = {.signatures = signatures, .unread = unread, .watch = TRUE};
  g_assert_cmpint(inward_decide(&facts).action, ==, INWARD_KEEP);
  g_ptr_array_add(unread, (gpointer) "noreply@s.own.nl");
  InwardDecision decision = inward_decide(&facts);
  g_assert_cmpint(decision.action, ==, INWARD_REFUSE);
  g_assert_cmpint(decision.refusal, ==, REFUSAL_SERVICE);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/inward/N5-rows", test_rows);
  g_test_add_func("/inward/dmarc-actions", test_actions);
  g_test_add_func("/inward/T27-cut", test_cut);
  g_test_add_func("/inward/asks", test_asks);
  g_test_add_func("/inward/foreign", test_foreign);
  g_test_add_func("/inward/best-signature", test_best);
  g_test_add_func("/inward/service", test_unread);
  return g_test_run();
}
