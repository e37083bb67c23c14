/* Decisions over facts: precedence (S1), defaults (S5), numbers (S7), senders (O3), R4, R6.
 */
#include "milter/decide.h"

#include <string.h>

#include "tests/unit/tap.h"

static const char *const countries[] = {"+31", NULL};

#define S DEFAULT_SECURE
#define Q DEFAULT_ON_REQUEST
#define W DEFAULT_OBSERVE

/* What a message says; several may be there at once. */
enum {
  SMS = 1 << 0,     /* X-Zegel-SMS */
  YES = 1 << 1,     /* a field of sensitive_headers */
  NO = 1 << 2,      /* a field of plain_headers */
  PRIVATE = 1 << 3, /* Sensitivity */
  MACHINE = 1 << 4  /* machine sender */
};

/* Whether a message is sensitive, before any route is known (S1). */
typedef struct {
  const char *subject;
  Bypass bypass;
  guint says;
  SenderTable table;
  SensitiveDefault sensitive_default;
  DecisionKind expected;
  const char *reason;
} Row;

#define NONE    BYPASS_NONE
#define B_SEC   BYPASS_SECURE /* x-ezorg-secbypass: false */
#define B_PLAIN BYPASS_PLAIN
#define ANY     SENDER_UNKNOWN
#define SEC     SENDER_SECURE
#define PLAIN   SENDER_PLAIN
#define ASK     DECISION_ASK
#define PASS    DECISION_PASS

static const Row rows[] = {
    /* 1. the subject: above all others, each of which says no */
    {"SMS 0612345678 x", NONE, 0, ANY, Q, ASK, "Z-S2-TRIGGER"},
    {"veilig mailen x", NONE, 0, ANY, Q, ASK, "Z-S2-TRIGGER"},
    {"veilig mailen x", B_PLAIN, NO | MACHINE, PLAIN, Q, ASK, "Z-S2-TRIGGER"},
    {"veilig mailen x", B_SEC, YES | PRIVATE | SMS, SEC, S, ASK, "Z-S2-TRIGGER"},
    {"SMS dienst storing", NONE, 0, ANY, Q, PASS, "Z-S5-DEFAULT"},
    /* 2. x-ezorg-secbypass */
    {"x", B_SEC, 0, ANY, Q, ASK, "Z-S5-BYPASS"},
    {"x", B_SEC, NO | MACHINE, PLAIN, Q, ASK, "Z-S5-BYPASS"},
    {"x", B_PLAIN, 0, ANY, S, PASS, "Z-S5-BYPASS"},
    {"x", B_PLAIN, YES | PRIVATE, SEC, S, PASS, "Z-S5-BYPASS"},
    /* 3. X-Zegel-SMS */
    {"x", NONE, SMS, ANY, Q, ASK, "Z-S7-HEADER"},
    {"x", NONE, SMS | NO | MACHINE, PLAIN, Q, ASK, "Z-S7-HEADER"},
    /* 4. configured headers and Sensitivity: of two that differ, the sensitive one */
    {"x", NONE, YES, ANY, Q, ASK, "Z-S1-CONFIGURED"},
    {"x", NONE, YES | NO | MACHINE, PLAIN, Q, ASK, "Z-S1-CONFIGURED"},
    {"x", NONE, PRIVATE, ANY, Q, ASK, "Z-S1-SENSITIVITY"},
    {"x", NONE, PRIVATE | NO | MACHINE, PLAIN, Q, ASK, "Z-S1-SENSITIVITY"},
    {"x", NONE, NO, ANY, S, PASS, "Z-S1-CONFIGURED"},
    {"x", NONE, NO, SEC, S, PASS, "Z-S1-CONFIGURED"},
    /* 5. machines: what stands above is explicit, what stands below is not */
    {"x", NONE, MACHINE, ANY, S, PASS, "Z-S5-MACHINE"},
    {"x", NONE, MACHINE, SEC, S, PASS, "Z-S5-MACHINE"},
    {"x", NONE, MACHINE, PLAIN, S, PASS, "Z-S5-MACHINE"},
    /* 6. sender tables */
    {"x", NONE, 0, SEC, Q, ASK, "Z-S5-SENDER"},
    {"x", NONE, 0, PLAIN, S, PASS, "Z-S5-SENDER"},
    /* 7. the default */
    {"x", NONE, 0, ANY, S, ASK, "Z-S5-DEFAULT"},
    {"x", NONE, 0, ANY, Q, PASS, "Z-S5-DEFAULT"},
    {"x", NONE, 0, ANY, W, DECISION_OBSERVE, "Z-S5-DEFAULT"},
};

/*
 * 003 table 2, read as it is printed: was the button "not secure" pressed, is the sender in
 * the group that is not, and in the one that is; and is the message sent securely. With
 * either default for everybody else but the first row, which is about that default.
 */
static const struct {
  gboolean button, plain_group, secure_group, secure;
} table_2[] = {
    {FALSE, FALSE, FALSE, TRUE}, {FALSE, FALSE, TRUE, TRUE}, {FALSE, TRUE, FALSE, FALSE},
    {TRUE, FALSE, FALSE, FALSE}, {TRUE, TRUE, FALSE, FALSE}, {TRUE, FALSE, TRUE, FALSE},
};

/* Facts with everything owned, for one test. */
typedef struct {
  Facts facts;
  GPtrArray *foreign, *triggers, *numbers, *recipients, *odd, *answers;
} Fixture;

static void
add_subject(Fixture *f, const char *subject)
{
  g_ptr_array_add(f->triggers, trigger_parse(subject, countries));
}

static void
add_number(Fixture *f, const char *address, const char *number)
{
  HeaderNumber *entry = g_new0(HeaderNumber, 1);
  entry->address = g_strdup(address);
  entry->number = g_strdup(number);
  g_ptr_array_add(f->numbers, entry);
}

static void
add_recipient(Fixture *f, const char *address, Route route)
{
  g_ptr_array_add(f->recipients, g_strdup(address));
  RouteAnswer *answer = g_new0(RouteAnswer, 1);
  answer->route = route;
  answer->code = g_strdup("Z-TEST");
  g_ptr_array_add(f->answers, answer);
}

/* The phone book has NUMBER for the recipient that was added last. */
static void
set_book(Fixture *f, const char *number)
{
  RouteAnswer *answer = f->answers->pdata[f->answers->len - 1];
  answer->number = g_strdup(number);
}

static Fixture *
fixture_new(SensitiveDefault sensitive_default)
{
  Fixture *f = g_new0(Fixture, 1);
  f->foreign = g_ptr_array_new_with_free_func(g_free);
  f->triggers = g_ptr_array_new_with_free_func((GDestroyNotify) trigger_free);
  f->numbers = g_ptr_array_new_with_free_func((GDestroyNotify) header_number_free);
  f->recipients = g_ptr_array_new_with_free_func(g_free);
  f->odd = g_ptr_array_new_with_free_func(g_free);
  f->answers = g_ptr_array_new_with_free_func((GDestroyNotify) route_answer_free);
  f->facts = (Facts){.sensitive_default = sensitive_default,
                     .recipients_max = DECIDE_MAX_RECIPIENTS,
                     .phone_book = TRUE,
                     .foreign = f->foreign,
                     .triggers = f->triggers,
                     .numbers = f->numbers,
                     .recipients = f->recipients,
                     .odd = f->odd};
  return f;
}

static void
fixture_free(Fixture *f)
{
  g_ptr_array_unref(f->foreign);
  g_ptr_array_unref(f->triggers);
  g_ptr_array_unref(f->numbers);
  g_ptr_array_unref(f->recipients);
  g_ptr_array_unref(f->odd);
  g_ptr_array_unref(f->answers);
  g_free(f);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fixture, fixture_free)

static Decision *
decide_routed(Fixture *f)
{
  f->facts.answers = f->answers;
  return decide(&f->facts);
}

static void
assert_refused(const Decision *decision, Refusal refusal)
{
  g_assert_cmpint(decision->kind, ==, DECISION_REFUSE);
  g_assert_cmpstr(refusal_code(decision->refusal), ==, refusal_code(refusal));
  g_assert_cmpint(decision->refusal, ==, refusal);
}

static void
assert_outcome(const Decision *decision, guint i, Label label, const char *number)
{
  const Outcome *outcome = &g_array_index(decision->outcomes, Outcome, i);
  g_assert_cmpint(outcome->label, ==, label);
  g_assert_cmpstr(outcome->number, ==, number);
}

static void
test_sensitive(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    const Row *row = &rows[i];
    g_autoptr(Fixture) f = fixture_new(row->sensitive_default);
    add_subject(f, row->subject);
    add_recipient(f, "an@ext.nl", ROUTE_VIEWER);
    if ((row->says & SMS) != 0)
      add_number(f, "an@ext.nl", "+31612345678");
    f->facts.bypass = row->bypass;
    f->facts.sensitive_header = (row->says & YES) != 0;
    f->facts.plain_header = (row->says & NO) != 0;
    f->facts.sensitivity = (row->says & PRIVATE) != 0;
    f->facts.machine = (row->says & MACHINE) != 0;
    f->facts.table = row->table;
    g_autoptr(Decision) decision = decide(&f->facts);
    g_test_message("row %u: %s", i, row->subject);
    g_assert_cmpint(decision->kind, ==, row->expected);
    g_assert_cmpstr(decision->reason, ==, row->reason);
  }
}

static void
test_table_2(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(table_2); i++) {
    g_autoptr(Fixture) f = fixture_new(S);
    add_subject(f, "uitslag");
    add_recipient(f, "an@ext.nl", ROUTE_VIEWER);
    f->facts.bypass = table_2[i].button ? BYPASS_PLAIN : BYPASS_NONE;
    f->facts.table = table_2[i].plain_group    ? SENDER_PLAIN
                     : table_2[i].secure_group ? SENDER_SECURE
                                               : SENDER_UNKNOWN;
    for (guint d = S; d >= Q; d--) {
      f->facts.sensitive_default = i == 0 ? S : d;
      g_autoptr(Decision) decision = decide(&f->facts);
      g_test_message("row %u, default %u", i + 1, d);
      g_assert_cmpint(decision->sensitive, ==, table_2[i].secure);
      g_assert_cmpint(decision->kind, ==, table_2[i].secure ? DECISION_ASK : DECISION_PASS);
    }
  }
}

static void
test_mistakes(void)
{
  static const struct {
    const char *subject;
    Bypass bypass;
    const char *header;
    Refusal refusal;
  } cases[] = {
      {"SMS", BYPASS_NONE, NULL, REFUSAL_NO_NUMBER},
      {"@SMS", BYPASS_PLAIN, NULL, REFUSAL_NO_NUMBER},
      {"SMS 06123", BYPASS_NONE, NULL, REFUSAL_BAD_NUMBER},
      {"SMS 0612345678 SMS 0687654321", BYPASS_NONE, NULL, REFUSAL_TWO_NUMBERS},
      {"SMS 0612345678 x", BYPASS_PLAIN, NULL, REFUSAL_CONTRADICTION},
      {"x", BYPASS_PLAIN, "+31612345678", REFUSAL_CONTRADICTION},
  };
  static const SensitiveDefault defaults[] = {S, Q};
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
    for (guint d = 0; d < G_N_ELEMENTS(defaults); d++) {
      g_autoptr(Fixture) f = fixture_new(defaults[d]);
      add_subject(f, cases[i].subject);
      add_recipient(f, "an@ext.nl", ROUTE_VIEWER);
      if (cases[i].header != NULL)
        add_number(f, "an@ext.nl", cases[i].header);
      f->facts.bypass = cases[i].bypass;
      g_autoptr(Decision) decision = decide(&f->facts);
      assert_refused(decision, cases[i].refusal);
    }
}

/* Two Subject fields that each have a number. */
static void
test_two_subjects(void)
{
  g_autoptr(Fixture) f = fixture_new(Q);
  add_recipient(f, "an@ext.nl", ROUTE_VIEWER);
  add_subject(f, "SMS 0612345678");
  add_subject(f, "SMS 06-12345678");
  g_autoptr(Decision) same = decide(&f->facts);
  g_assert_cmpint(same->kind, ==, DECISION_ASK);
  add_subject(f, "SMS 0687654321");
  g_autoptr(Decision) other = decide(&f->facts);
  assert_refused(other, REFUSAL_TWO_NUMBERS);
}

static void
test_number_headers(void)
{
  static const struct {
    const char *address, *number;
    Refusal refusal;
  } cases[] = {
      {NULL, "+31612345678", REFUSAL_NUMBER_HEADER},
      {"an@ext.nl", NULL, REFUSAL_BAD_NUMBER},
      {"AN@ext.nl", "+31687654321", REFUSAL_TWO_NUMBERS},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Fixture) f = fixture_new(Q);
    add_recipient(f, "an@ext.nl", ROUTE_VIEWER);
    add_number(f, "an@ext.nl", "+31612345678");
    add_number(f, "an@ext.nl", "+31612345678"); /* twice the same is no mistake */
    g_autoptr(Decision) good = decide(&f->facts);
    g_assert_cmpint(good->kind, ==, DECISION_ASK);
    add_number(f, cases[i].address, cases[i].number);
    g_autoptr(Decision) bad = decide(&f->facts);
    assert_refused(bad, cases[i].refusal);
  }
}

/* O3: ordinary mail too. */
static void
test_foreign(void)
{
  static const SensitiveDefault defaults[] = {S, Q};
  for (guint d = 0; d < G_N_ELEMENTS(defaults); d++) {
    g_autoptr(Fixture) f = fixture_new(defaults[d]);
    add_subject(f, "SMS 06123"); /* who must not write at all needs no lesson */
    add_recipient(f, "an@ext.nl", ROUTE_VIEWER);
    g_ptr_array_add(f->foreign, g_strdup("x@evil.nl"));
    g_autoptr(Decision) decision = decide(&f->facts);
    assert_refused(decision, REFUSAL_SENDER);
    g_assert_cmpuint(decision->names->len, ==, 1);
    g_assert_cmpstr(decision->names->pdata[0], ==, "x@evil.nl");
  }
}

/* O3: a login that no organisation has sends nothing in the clear that it wants protected.
 */
static void
test_stranger(void)
{
  static const struct {
    const char *subject;
    gboolean refused;
  } logins[] = {
      {"uitslag", FALSE},      {"SMS dienst storing", FALSE},
      {"veilig mailen", TRUE}, {"SMS 0612345678 uitslag", TRUE},
      {"@SMS", TRUE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(logins); i++) {
    g_autoptr(Fixture) f = fixture_new(Q);
    f->facts.stranger = TRUE;
    g_ptr_array_add(f->foreign, g_strdup("x@elders.nl"));
    add_subject(f, logins[i].subject);
    add_recipient(f, "an@ext.nl", ROUTE_ORDINARY);
    g_autoptr(Decision) decision = decide(&f->facts);
    if (logins[i].refused)
      assert_refused(decision, REFUSAL_LOGIN);
    else
      g_assert_cmpint(decision->kind, ==, DECISION_PASS);
  }
}

/* S5: what would be is known as far as policyd says; nothing is refused. */
static void
test_observe(void)
{
  g_autoptr(Fixture) f = fixture_new(W);
  add_subject(f, "uitslag");
  add_recipient(f, "an@ext.nl", ROUTE_VIEWER);
  g_autoptr(Decision) ask = decide(&f->facts);
  g_assert_cmpint(ask->kind, ==, DECISION_OBSERVE);
  g_assert_cmpint(ask->would, ==, DECISION_ASK);
  g_assert_true(ask->sensitive);
  f->facts.unanswered = TRUE;
  g_autoptr(Decision) unknown = decide(&f->facts);
  g_assert_cmpint(unknown->kind, ==, DECISION_OBSERVE);
  g_assert_cmpint(unknown->would, ==, DECISION_ASK);
  f->facts.unanswered = FALSE;
  g_autoptr(Decision) lacking = decide_routed(f);
  g_assert_cmpint(lacking->kind, ==, DECISION_OBSERVE);
  g_assert_cmpint(lacking->would, ==, DECISION_REFUSE);
  g_assert_cmpint(lacking->refusal, ==, REFUSAL_NUMBER);
  set_book(f, "+31612345678");
  g_autoptr(Decision) seal = decide_routed(f);
  g_assert_cmpint(seal->kind, ==, DECISION_OBSERVE);
  g_assert_cmpint(seal->would, ==, DECISION_SEAL);
  assert_outcome(seal, 0, LABEL_VIEWER, "+31612345678");
  f->facts.table = SENDER_PLAIN;
  g_autoptr(Decision) pass = decide(&f->facts);
  g_assert_cmpint(pass->would, ==, DECISION_PASS);
  g_ptr_array_add(f->foreign, g_strdup("x@evil.nl"));
  g_autoptr(Decision) foreign = decide(&f->facts);
  g_assert_cmpint(foreign->kind, ==, DECISION_OBSERVE);
  g_assert_cmpint(foreign->refusal, ==, REFUSAL_SENDER);
}

/* R6: without an answer a sensitive message waits, and an ordinary one does not care. */
static void
test_unanswered(void)
{
  g_autoptr(Fixture) f = fixture_new(Q);
  add_recipient(f, "an@ext.nl", ROUTE_VIEWER);
  add_subject(f, "uitslag");
  f->facts.unanswered = TRUE;
  g_autoptr(Decision) ordinary = decide(&f->facts);
  g_assert_cmpint(ordinary->kind, ==, DECISION_PASS);
  f->facts.sensitivity = TRUE;
  g_autoptr(Decision) sensitive = decide(&f->facts);
  assert_refused(sensitive, REFUSAL_LATER);
  g_assert_true(refusal_is_temporary(sensitive->refusal));
}

static void
test_labels(void)
{
  g_autoptr(Fixture) f = fixture_new(Q);
  add_subject(f, "SMS 0612345678 x");
  add_recipient(f, "piet@own.nl", ROUTE_OWN);
  add_recipient(f, "an@ext.nl", ROUTE_VIEWER);
  add_recipient(f, "bob@partner.nl", ROUTE_DIRECT);
  g_autoptr(Decision) decision = decide_routed(f);
  g_assert_cmpint(decision->kind, ==, DECISION_SEAL);
  g_assert_cmpuint(decision->outcomes->len, ==, 3);
  assert_outcome(decision, 0, LABEL_OWN, NULL);
  assert_outcome(decision, 1, LABEL_VIEWER, "+31612345678");
  assert_outcome(decision, 2, LABEL_DIRECT, NULL);
}

/* S7: N viewer recipients, of whom the first H have a number in the header. */
static void
test_numbers(void)
{
  static const struct {
    guint viewers, with_header;
    const char *subject;
    DecisionKind kind;
    Refusal refusal;
    guint named;
  } cases[] = {
      {1, 0, "SMS 0612345678", DECISION_SEAL, 0, 0},
      {1, 0, "veilig mailen", DECISION_REFUSE, REFUSAL_NUMBER, 1},
      {1, 1, "veilig mailen", DECISION_SEAL, 0, 0},
      {1, 1, "SMS 0612345678", DECISION_SEAL, 0, 0},
      {2, 0, "veilig mailen", DECISION_REFUSE, REFUSAL_NUMBERS, 2},
      {2, 0, "SMS 0612345678", DECISION_REFUSE, REFUSAL_ONE_NUMBER, 2},
      {2, 1, "SMS 0612345678", DECISION_SEAL, 0, 0},
      {2, 1, "veilig mailen", DECISION_REFUSE, REFUSAL_NUMBER, 1},
      {3, 1, "SMS 0612345678", DECISION_REFUSE, REFUSAL_ONE_NUMBER, 2},
      {3, 3, "veilig mailen", DECISION_SEAL, 0, 0},
      {0, 0, "veilig mailen", DECISION_SEAL, 0, 0},
      {0, 0, "SMS 0612345678", DECISION_SEAL, 0, 0},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Fixture) f = fixture_new(Q);
    add_subject(f, cases[i].subject);
    add_recipient(f, "piet@own.nl", ROUTE_OWN);
    add_recipient(f, "bob@partner.nl", ROUTE_DIRECT);
    for (guint v = 0; v < cases[i].viewers; v++) {
      g_autofree char *address = g_strdup_printf("v%u@ext.nl", v);
      add_recipient(f, address, ROUTE_VIEWER);
      if (v < cases[i].with_header)
        add_number(f, address, "+31687654321");
    }
    g_autoptr(Decision) decision = decide_routed(f);
    g_test_message("case %u", i);
    g_assert_cmpint(decision->kind, ==, cases[i].kind);
    g_assert_cmpuint(decision->names->len, ==, cases[i].named);
    if (decision->kind == DECISION_REFUSE)
      g_assert_cmpint(decision->refusal, ==, cases[i].refusal);
    for (guint v = 0; decision->kind == DECISION_SEAL && v < cases[i].viewers; v++)
      assert_outcome(decision, 2 + v, LABEL_VIEWER,
                     v < cases[i].with_header ? "+31687654321" : "+31612345678");
  }
}

#define A "+31611111111"
#define B "+31622222222"
#define C "+31633333333"

/*
 * S6, S7, S8: up to two viewer recipients, with the number in X-Zegel-SMS and in the phone
 * book; C is in the subject, or nothing. Expected are the numbers, NULL when the code goes
 * by e-mail, and a '+' in learn for those that the book learns.
 */
typedef struct {
  CodeMethod method;
  const char *subject;
  guint viewers;
  const char *given[2], *book[2];
  gint refusal; /* -1: none */
  guint named;
  const char *numbers[2], *learn;
} NumberRow;

#define T "veilig mailen"
#define N "SMS 0633333333"

static const NumberRow number_rows[] = {
    /* number: required; only what holds a number satisfies it (S2) */
    {METHOD_NUMBER, T, 1, {NULL}, {NULL}, REFUSAL_NUMBER, 1, {NULL}, ""},
    {METHOD_NUMBER, T, 2, {NULL}, {NULL}, REFUSAL_NUMBERS, 2, {NULL}, ""},
    {METHOD_NUMBER, N, 1, {NULL}, {NULL}, -1, 0, {C}, "+"},
    {METHOD_NUMBER, N, 2, {NULL}, {NULL}, REFUSAL_ONE_NUMBER, 2, {NULL}, ""},
    /* the phone book */
    {METHOD_NUMBER, T, 1, {NULL}, {A}, -1, 0, {A}, "-"},
    {METHOD_NUMBER, T, 2, {NULL}, {A, B}, -1, 0, {A, B}, "--"},
    {METHOD_NUMBER, T, 2, {NULL}, {A, NULL}, REFUSAL_NUMBER, 1, {NULL}, ""},
    {METHOD_NUMBER, N, 2, {NULL}, {A, NULL}, -1, 0, {A, C}, "-+"},
    {METHOD_NUMBER, N, 2, {NULL}, {NULL, A}, -1, 0, {C, A}, "+-"},
    /* what is typed counts more than the book, for the only one it can be meant for */
    {METHOD_NUMBER, T, 1, {B}, {A}, -1, 0, {B}, "+"},
    {METHOD_NUMBER, N, 1, {NULL}, {A}, -1, 0, {C}, "+"},
    {METHOD_NUMBER, N, 1, {NULL}, {C}, -1, 0, {C}, "+"},
    {METHOD_NUMBER, N, 2, {A, NULL}, {NULL, B}, -1, 0, {A, C}, "++"},
    {METHOD_NUMBER, N, 2, {NULL}, {A, B}, REFUSAL_WHOSE_NUMBER, 2, {NULL}, ""},
    {METHOD_NUMBER, N, 2, {NULL}, {A, C}, -1, 0, {A, C}, "--"},
    {METHOD_NUMBER, N, 2, {A, B}, {NULL}, -1, 0, {A, B}, "++"},
    /* optional */
    {METHOD_OPTIONAL, T, 1, {NULL}, {NULL}, -1, 0, {NULL}, "-"},
    {METHOD_OPTIONAL, T, 2, {NULL}, {A, NULL}, -1, 0, {A, NULL}, "--"},
    {METHOD_OPTIONAL, N, 1, {NULL}, {NULL}, -1, 0, {C}, "+"},
    {METHOD_OPTIONAL, N, 2, {NULL}, {NULL}, REFUSAL_ONE_NUMBER, 2, {NULL}, ""},
    {METHOD_OPTIONAL, T, 2, {NULL, B}, {NULL}, -1, 0, {NULL, B}, "-+"},
    {METHOD_OPTIONAL, "SMS", 1, {NULL}, {NULL}, REFUSAL_NO_NUMBER, 0, {NULL}, ""},
    /* email: what the book has does not count, and it learns nothing */
    {METHOD_EMAIL, T, 1, {NULL}, {A}, -1, 0, {NULL}, "-"},
    {METHOD_EMAIL, N, 1, {NULL}, {A}, -1, 0, {C}, "-"},
    {METHOD_EMAIL, T, 2, {B, NULL}, {A, A}, -1, 0, {B, NULL}, "--"},
    {METHOD_EMAIL, "SMS", 1, {NULL}, {NULL}, REFUSAL_NO_NUMBER, 0, {NULL}, ""},
    /* none */
    {METHOD_NONE, T, 1, {NULL}, {NULL}, REFUSAL_NO_VIEWER, 1, {NULL}, ""},
    {METHOD_NONE, N, 1, {NULL}, {NULL}, REFUSAL_NO_VIEWER, 1, {NULL}, ""},
    {METHOD_NONE, N, 2, {A, B}, {NULL}, REFUSAL_NO_VIEWER, 2, {NULL}, ""},
    {METHOD_NONE, "SMS", 1, {NULL}, {NULL}, REFUSAL_NO_NUMBER, 0, {NULL}, ""},
    {METHOD_NONE, N, 0, {NULL}, {NULL}, -1, 0, {NULL}, ""},
};

static Fixture *
make_numbers(const NumberRow *row)
{
  Fixture *f = fixture_new(Q);
  f->facts.method = row->method;
  f->facts.phone_book = row->method == METHOD_NUMBER || row->method == METHOD_OPTIONAL;
  add_subject(f, row->subject);
  for (guint v = 0; v < row->viewers; v++) {
    g_autofree char *address = g_strdup_printf("v%u@ext.nl", v);
    add_recipient(f, address, ROUTE_VIEWER);
    set_book(f, row->book[v]);
    if (row->given[v] != NULL)
      add_number(f, address, row->given[v]);
  }
  add_recipient(f, "bob@partner.nl", ROUTE_DIRECT);
  add_recipient(f, "piet@own.nl", ROUTE_OWN);
  return f;
}

static void
test_methods(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(number_rows); i++) {
    const NumberRow *row = &number_rows[i];
    g_autoptr(Fixture) f = make_numbers(row);
    g_autoptr(Decision) decision = decide_routed(f);
    g_test_message("row %u", i);
    if (row->refusal >= 0) {
      assert_refused(decision, (Refusal) row->refusal);
      g_assert_cmpuint(decision->names->len, ==, row->named);
      continue;
    }
    g_assert_cmpint(decision->kind, ==, DECISION_SEAL);
    for (guint v = 0; v < row->viewers; v++) {
      assert_outcome(decision, v, LABEL_VIEWER, row->numbers[v]);
      const Outcome *outcome = &g_array_index(decision->outcomes, Outcome, v);
      g_assert_cmpint(outcome->by_mail, ==, row->numbers[v] == NULL);
      g_assert_cmpint(outcome->learn, ==, row->learn[v] == '+');
    }
    const Outcome *direct = &g_array_index(decision->outcomes, Outcome, row->viewers);
    g_assert_false(direct->by_mail);
    if (row->method == METHOD_NONE) /* a number would lead to the viewer (R4) */
      g_assert_null(direct->number);
  }
}

/* S8: an organisation without a phone book asks none and teaches none. */
static void
test_no_book(void)
{
  g_autoptr(Fixture) f = fixture_new(Q);
  add_subject(f, N);
  add_recipient(f, "an@ext.nl", ROUTE_VIEWER);
  f->facts.phone_book = FALSE;
  g_autoptr(Decision) decision = decide_routed(f);
  assert_outcome(decision, 0, LABEL_VIEWER, C);
  g_assert_false(g_array_index(decision->outcomes, Outcome, 0).learn);
  add_recipient(f, "bo@ext.nl", ROUTE_VIEWER);
  set_book(f, A);
  g_autoptr(Decision) lacking = decide_routed(f);
  assert_refused(lacking, REFUSAL_ONE_NUMBER);
}

/* S9: of sensitive messages, and the text has the limit. */
static void
test_recipients_max(void)
{
  g_autoptr(Fixture) f = fixture_new(Q);
  f->facts.recipients_max = 2;
  add_subject(f, "uitslag");
  add_recipient(f, "an@own.nl", ROUTE_OWN);
  add_recipient(f, "bo@own.nl", ROUTE_OWN);
  add_recipient(f, "co@own.nl", ROUTE_OWN);
  g_autoptr(Decision) ordinary = decide(&f->facts);
  g_assert_cmpint(ordinary->kind, ==, DECISION_PASS);
  f->facts.sensitivity = TRUE;
  g_autoptr(Decision) over = decide(&f->facts);
  assert_refused(over, REFUSAL_TOO_MANY);
  g_assert_cmpstr(over->names->pdata[0], ==, "2");
  f->facts.recipients_max = 3;
  g_autoptr(Decision) full = decide(&f->facts);
  g_assert_cmpint(full->kind, ==, DECISION_ASK);
}

static void
part_free(gpointer p)
{
  InspectedPart *part = p;
  g_free(part->name);
  g_free(part);
}

static void
add_part(Inspected *inspected, const char *name, gboolean listed)
{
  InspectedPart *part = g_new0(InspectedPart, 1);
  part->name = g_strdup(name);
  part->listed = listed;
  g_ptr_array_add(inspected->parts, part);
}

static const struct {
  const char *names[3]; /* of parts; the last two are listed */
  gboolean cut;
  const char *unreadable;
  guint64 bytes;
  gint refusal;
  const char *named;
} contents[] = {
    {{NULL}, FALSE, NULL, 0, -1, NULL},
    {{"a.pdf", "b.zip/c.txt"}, FALSE, NULL, 2 * 1024 * 1024, -1, NULL},
    {{"a.pdf"}, FALSE, NULL, 2 * 1024 * 1024 + 1, REFUSAL_ATTACHMENTS, "2"},
    {{"a.pdf", "b.zip/c.exe", "b.zip/d.js"},
     FALSE,
     NULL,
     0,
     REFUSAL_EXTENSION,
     "b.zip/c.exe"},
    {{"a.exe"}, TRUE, "b.zip", 1 << 30, REFUSAL_EXTENSION, "a.exe"},
    {{"b.zip"}, TRUE, "b.zip", 1 << 30, REFUSAL_ARCHIVE, "b.zip"},
    {{"b.zip"}, TRUE, NULL, 1 << 30, REFUSAL_DEEP, NULL},
};

/* S10, S11. */
static void
test_content(void)
{
  static const char *const extensions[] = {"exe", "js", NULL};
  const Organisation organisation = {.attachments_max_mb = 2,
                                     .refused_extensions = (GStrv) extensions};
  for (guint i = 0; i < G_N_ELEMENTS(contents); i++) {
    g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(part_free);
    g_autofree char *unreadable = g_strdup(contents[i].unreadable);
    Inspected inspected = {parts, contents[i].bytes, contents[i].cut, unreadable};
    for (guint n = 0; n < 3 && contents[i].names[n] != NULL; n++)
      add_part(&inspected, contents[i].names[n], n > 0);
    static const SensitiveDefault defaults[] = {S, W};
    for (guint d = 0; d < G_N_ELEMENTS(defaults); d++) {
      g_autoptr(Fixture) f = fixture_new(defaults[d]);
      add_recipient(f, "piet@own.nl", ROUTE_OWN);
      g_autoptr(Decision) decision = decide_routed(f);
      g_assert_true(decision_needs_content(decision));
      decide_content(decision, &organisation, &inspected);
      g_test_message("case %u, default %u", i, defaults[d]);
      DecisionKind wanted = contents[i].refusal < 0 ? DECISION_SEAL : DECISION_REFUSE;
      g_assert_cmpint(decision->kind, ==, defaults[d] == S ? wanted : DECISION_OBSERVE);
      g_assert_cmpint(decision->would, ==, defaults[d] == S ? 0 : wanted);
      if (contents[i].refusal < 0)
        continue;
      g_assert_cmpint(decision->refusal, ==, contents[i].refusal);
      g_assert_cmpuint(decision->names->len, ==,
                       contents[i].named == NULL ? 0
                       : i == 3                  ? 2
                                                 : 1);
      if (contents[i].named != NULL)
        g_assert_cmpstr(decision->names->pdata[0], ==, contents[i].named);
    }
  }
}

/* What is not sensitive, or is refused already, may hold anything. */
static void
test_content_elsewhere(void)
{
  g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(part_free);
  Inspected inspected = {parts, 1 << 30, TRUE, NULL};
  const Organisation organisation = {.attachments_max_mb = 1};
  g_autoptr(Fixture) f = fixture_new(Q);
  add_recipient(f, "an@ext.nl", ROUTE_VIEWER);
  g_autoptr(Decision) pass = decide_routed(f);
  g_assert_false(decision_needs_content(pass));
  decide_content(pass, &organisation, &inspected);
  g_assert_cmpint(pass->kind, ==, DECISION_PASS);
  add_subject(f, T);
  g_autoptr(Decision) refused = decide_routed(f);
  decide_content(refused, &organisation, &inspected);
  assert_refused(refused, REFUSAL_NUMBER);
}

#undef A
#undef B
#undef C
#undef T
#undef N

/*
 * R4: the number in the subject is kept for the only one who goes direct, when nobody else
 * needs it: D recipients go direct, the first H have a number of their own.
 */
static void
test_direct_number(void)
{
  static const struct {
    guint direct, with_header;
    const char *subject, *first, *second;
  } cases[] = {
      {1, 0, "SMS 0612345678", "+31612345678", NULL},
      {1, 0, "veilig mailen", NULL, NULL},
      {1, 1, "SMS 0612345678", "+31687654321", NULL},
      {2, 0, "SMS 0612345678", NULL, NULL},
      {2, 1, "SMS 0612345678", "+31687654321", "+31612345678"},
      {2, 2, "SMS 0612345678", "+31687654321", "+31687654321"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Fixture) f = fixture_new(Q);
    add_subject(f, cases[i].subject);
    for (guint d = 0; d < cases[i].direct; d++) {
      g_autofree char *address = g_strdup_printf("d%u@partner.nl", d);
      add_recipient(f, address, ROUTE_DIRECT);
      if (d < cases[i].with_header)
        add_number(f, address, "+31687654321");
    }
    g_autoptr(Decision) decision = decide_routed(f);
    g_test_message("case %u", i);
    g_assert_cmpint(decision->kind, ==, DECISION_SEAL);
    assert_outcome(decision, 0, LABEL_DIRECT, cases[i].first);
    if (cases[i].direct > 1)
      assert_outcome(decision, 1, LABEL_DIRECT, cases[i].second);
  }
}

/* R3: what is not sensitive goes direct when policyd says so; nothing else changes. */
static void
test_prefer(void)
{
  g_autoptr(Fixture) f = fixture_new(Q);
  add_subject(f, "uitslag");
  add_recipient(f, "bob@partner.nl", ROUTE_PREFER);
  add_recipient(f, "an@ext.nl", ROUTE_ORDINARY);
  g_autoptr(Decision) off = decide_routed(f);
  g_assert_cmpint(off->kind, ==, DECISION_PASS);
  f->facts.prefer = TRUE;
  f->facts.answers = NULL;
  g_autoptr(Decision) ask = decide(&f->facts);
  g_assert_cmpint(ask->kind, ==, DECISION_ASK);
  g_assert_false(ask->sensitive);
  g_autoptr(Decision) prefer = decide_routed(f);
  g_assert_cmpint(prefer->kind, ==, DECISION_PREFER);
  assert_outcome(prefer, 0, LABEL_PREFER, NULL);
  assert_outcome(prefer, 1, LABEL_NONE, NULL);
  f->facts.answers = NULL;
  f->facts.unanswered = TRUE;
  g_autoptr(Decision) silent = decide(&f->facts);
  g_assert_cmpint(silent->kind, ==, DECISION_PASS);
}

/* R3: only "prefer" labels, whatever else policyd says of ordinary mail. */
static void
test_prefer_answers(void)
{
  static const struct {
    const char *address;
    Route route;
  } cases[] = {
      {"an@ext.nl", ROUTE_ORDINARY},       {"an@ext.nl", ROUTE_DIRECT},
      {"an@ext.nl", ROUTE_VIEWER},         {"an@own.nl", ROUTE_OWN},
      {"an%evil.nl@ext.nl", ROUTE_PREFER}, {"an@x.prefer.zegel.internal", ROUTE_PREFER},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Fixture) f = fixture_new(Q);
    add_subject(f, "uitslag");
    add_recipient(f, cases[i].address, cases[i].route);
    f->facts.prefer = TRUE;
    g_autoptr(Decision) decision = decide_routed(f);
    g_test_message("case %u", i);
    g_assert_cmpint(decision->kind, ==, DECISION_PASS);
  }
}

/* T27: of strangers' mail only the number of marks matters. */
static void
test_inward(void)
{
  g_autoptr(Fixture) f = fixture_new(S);
  add_subject(f, "SMS");
  add_recipient(f, "piet@own.nl", ROUTE_OWN);
  f->facts.inward = TRUE;
  g_autoptr(Decision) pass = decide(&f->facts);
  g_assert_cmpint(pass->kind, ==, DECISION_PASS);
  f->facts.too_many_headers = TRUE;
  g_autoptr(Decision) over = decide(&f->facts);
  assert_refused(over, REFUSAL_HEADERS);
}

/* A number for somebody else is no number; case does not matter. */
static void
test_header_address(void)
{
  g_autoptr(Fixture) f = fixture_new(Q);
  add_recipient(f, "An@ext.nl", ROUTE_VIEWER);
  add_number(f, "bo@ext.nl", "+31687654321");
  g_autoptr(Decision) other = decide_routed(f);
  assert_refused(other, REFUSAL_NUMBER);
  add_number(f, "aN@EXT.nl", "+31612345678");
  g_autoptr(Decision) same = decide_routed(f);
  g_assert_cmpint(same->kind, ==, DECISION_SEAL);
  assert_outcome(same, 0, LABEL_VIEWER, "+31612345678");
}

/* R4: what cannot be labelled, or could be sent on by Postfix, is not taken. */
static void
test_addresses(void)
{
  g_autofree char *longest = g_strnfill(240, 'a');
  g_autofree char *long_address = g_strdup_printf("an@%s.nl", longest);
  const struct {
    const char *address;
    Route route;
    DecisionKind kind;
  } cases[] = {
      {long_address, ROUTE_VIEWER, DECISION_REFUSE},
      {long_address, ROUTE_DIRECT, DECISION_REFUSE},
      {long_address, ROUTE_OWN, DECISION_REFUSE},
      {"an%evil.nl@own.nl", ROUTE_OWN, DECISION_REFUSE},
      {"evil.nl!an@own.nl", ROUTE_OWN, DECISION_REFUSE},
      {"\"an@evil.nl\"@own.nl", ROUTE_OWN, DECISION_REFUSE},
      {"an%evil.nl@partner.nl", ROUTE_DIRECT, DECISION_SEAL},
      {"an@x.viewer.zegel.internal", ROUTE_VIEWER, DECISION_REFUSE},
      {"an@x.other.zegel.internal", ROUTE_DIRECT, DECISION_REFUSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Fixture) f = fixture_new(Q);
    add_subject(f, "SMS 0612345678");
    add_recipient(f, "piet@own.nl", ROUTE_OWN);
    add_recipient(f, cases[i].address, cases[i].route);
    g_autoptr(Decision) decision = decide_routed(f);
    g_test_message("case %u: %s", i, cases[i].address);
    g_assert_cmpint(decision->kind, ==, cases[i].kind);
    if (decision->kind == DECISION_REFUSE) {
      assert_refused(decision, REFUSAL_ADDRESS);
      g_assert_cmpstr(decision->names->pdata[0], ==, cases[i].address);
    }
  }
}

static void
test_odd(void)
{
  g_autoptr(Fixture) f = fixture_new(Q);
  add_subject(f, "uitslag");
  g_ptr_array_add(f->odd, g_strdup("<@a:b@c.nl>"));
  g_autoptr(Decision) ordinary = decide(&f->facts);
  g_assert_cmpint(ordinary->kind, ==, DECISION_PASS);
  f->facts.sensitivity = TRUE;
  g_autoptr(Decision) sensitive = decide(&f->facts);
  assert_refused(sensitive, REFUSAL_ADDRESS);
}

/* policyd has no business to call a sensitive message ordinary. */
static void
test_ordinary_answer(void)
{
  g_autoptr(Fixture) f = fixture_new(S);
  add_subject(f, "SMS 0612345678");
  add_recipient(f, "an@ext.nl", ROUTE_ORDINARY);
  g_autoptr(Decision) decision = decide_routed(f);
  assert_refused(decision, REFUSAL_LATER);
}

static void
test_too_many(void)
{
  g_autoptr(Fixture) f = fixture_new(S);
  add_subject(f, "veilig mailen");
  for (guint i = 0; i < DECIDE_MAX_RECIPIENTS; i++)
    add_recipient(f, "piet@own.nl", ROUTE_OWN);
  g_autoptr(Decision) full = decide(&f->facts);
  g_assert_cmpint(full->kind, ==, DECISION_ASK);
  add_recipient(f, "piet@own.nl", ROUTE_OWN);
  g_autoptr(Decision) over = decide(&f->facts);
  assert_refused(over, REFUSAL_TOO_MANY);
  f->facts.too_many_headers = TRUE;
  g_autoptr(Decision) headers = decide(&f->facts);
  assert_refused(headers, REFUSAL_HEADERS);
}

/* The ticket holds numbers of those whom only an alias reaches, too. */
static void
test_too_many_numbers(void)
{
  g_autoptr(Fixture) f = fixture_new(S);
  add_subject(f, "veilig mailen");
  for (guint i = 0; i < DECIDE_MAX_RECIPIENTS; i++)
    add_recipient(f, "piet@own.nl", ROUTE_OWN);
  add_number(f, "Piet@own.nl", "+31612345678");
  g_autoptr(Decision) full = decide(&f->facts);
  g_assert_cmpint(full->kind, ==, DECISION_ASK);
  add_number(f, "an@ext.nl", "+31612345678");
  g_autoptr(Decision) over = decide(&f->facts);
  assert_refused(over, REFUSAL_TOO_MANY);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/decide/S1-S5-sensitive", test_sensitive);
  g_test_add_func("/decide/S5-003-table-2", test_table_2);
  g_test_add_func("/decide/S2-mistakes", test_mistakes);
  g_test_add_func("/decide/S2-two-subjects", test_two_subjects);
  g_test_add_func("/decide/S7-headers", test_number_headers);
  g_test_add_func("/decide/O3-foreign", test_foreign);
  g_test_add_func("/decide/O3-stranger", test_stranger);
  g_test_add_func("/decide/S5-observe", test_observe);
  g_test_add_func("/decide/R6-unanswered", test_unanswered);
  g_test_add_func("/decide/R1-labels", test_labels);
  g_test_add_func("/decide/S7-numbers", test_numbers);
  g_test_add_func("/decide/S6-S8-methods", test_methods);
  g_test_add_func("/decide/S8-no-book", test_no_book);
  g_test_add_func("/decide/S9-recipients", test_recipients_max);
  g_test_add_func("/decide/S10-S11-content", test_content);
  g_test_add_func("/decide/S10-elsewhere", test_content_elsewhere);
  g_test_add_func("/decide/S7-header-address", test_header_address);
  g_test_add_func("/decide/R4-addresses", test_addresses);
  g_test_add_func("/decide/R4-odd", test_odd);
  g_test_add_func("/decide/R6-ordinary-answer", test_ordinary_answer);
  g_test_add_func("/decide/R4-direct-number", test_direct_number);
  g_test_add_func("/decide/R3-prefer", test_prefer);
  g_test_add_func("/decide/R3-prefer-answers", test_prefer_answers);
  g_test_add_func("/decide/T27-inward", test_inward);
  g_test_add_func("/decide/too-many", test_too_many);
  g_test_add_func("/decide/too-many-numbers", test_too_many_numbers);
  return g_test_run();
}
