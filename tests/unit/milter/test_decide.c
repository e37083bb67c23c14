/* Decisions over facts: precedence (S1), defaults (S5), senders (O3), R3, R4, R6. */
#include "milter/decide.h"

#include <string.h>

#include "tests/unit/milter/facts.h"
#include "tests/unit/tap.h"

#define S DEFAULT_SECURE
#define Q DEFAULT_ON_REQUEST
#define W DEFAULT_OBSERVE

/* What a message says; several may be there at once. */
enum {
  SMS = 1 << 0,     /* X-Zegel-SMS */
  YES = 1 << 1,     /* a field of sensitive_headers */
  NO = 1 << 2,      /* a field of plain_headers */
  PRIVATE = 1 << 3, /* Sensitivity */
  MACHINE = 1 << 4, /* machine sender */
  TALK = 1 << 5     /* answers a recipient's answer */
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
    /* an answer in a conversation is as strong: also above the bypass, for it quotes */
    {"Re: x", NONE, TALK, ANY, Q, ASK, "Z-V5-CONVERSATION"},
    {"Re: x", B_PLAIN, TALK, ANY, Q, ASK, "Z-V5-CONVERSATION"},
    {"Re: x", B_PLAIN, TALK | NO | MACHINE, PLAIN, Q, ASK, "Z-V5-CONVERSATION"},
    {"Re: x", NONE, TALK, ANY, W, DECISION_OBSERVE, "Z-V5-CONVERSATION"},
    {"Re: veilig mailen", NONE, TALK, ANY, Q, ASK, "Z-S2-TRIGGER"},
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

static void
test_sensitive(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    const Row *row = &rows[i];
    g_autoptr(Fixture) f = fixture_new(row->sensitive_default);
    fixture_subject(f, row->subject);
    fixture_recipient(f, "an@ext.nl", ROUTE_VIEWER);
    if ((row->says & SMS) != 0)
      fixture_number(f, "an@ext.nl", "+31612345678");
    f->facts.bypass = row->bypass;
    f->facts.sensitive_header = (row->says & YES) != 0;
    f->facts.plain_header = (row->says & NO) != 0;
    f->facts.sensitivity = (row->says & PRIVATE) != 0;
    f->facts.machine = (row->says & MACHINE) != 0;
    f->facts.conversation = (row->says & TALK) != 0;
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
    fixture_subject(f, "uitslag");
    fixture_recipient(f, "an@ext.nl", ROUTE_VIEWER);
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
      fixture_subject(f, cases[i].subject);
      fixture_recipient(f, "an@ext.nl", ROUTE_VIEWER);
      if (cases[i].header != NULL)
        fixture_number(f, "an@ext.nl", cases[i].header);
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
  fixture_recipient(f, "an@ext.nl", ROUTE_VIEWER);
  fixture_subject(f, "SMS 0612345678");
  fixture_subject(f, "SMS 06-12345678");
  g_autoptr(Decision) same = decide(&f->facts);
  g_assert_cmpint(same->kind, ==, DECISION_ASK);
  fixture_subject(f, "SMS 0687654321");
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
    fixture_recipient(f, "an@ext.nl", ROUTE_VIEWER);
    fixture_number(f, "an@ext.nl", "+31612345678");
    fixture_number(f, "an@ext.nl", "+31612345678"); /* twice the same is no mistake */
    g_autoptr(Decision) good = decide(&f->facts);
    g_assert_cmpint(good->kind, ==, DECISION_ASK);
    fixture_number(f, cases[i].address, cases[i].number);
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
    fixture_subject(f, "SMS 06123"); /* who must not write at all needs no lesson */
    fixture_recipient(f, "an@ext.nl", ROUTE_VIEWER);
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
    fixture_subject(f, logins[i].subject);
    fixture_recipient(f, "an@ext.nl", ROUTE_ORDINARY);
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
  fixture_subject(f, "uitslag");
  fixture_recipient(f, "an@ext.nl", ROUTE_VIEWER);
  g_autoptr(Decision) ask = decide(&f->facts);
  g_assert_cmpint(ask->kind, ==, DECISION_OBSERVE);
  g_assert_cmpint(ask->would, ==, DECISION_ASK);
  g_assert_true(ask->sensitive);
  f->facts.unanswered = TRUE;
  g_autoptr(Decision) unknown = decide(&f->facts);
  g_assert_cmpint(unknown->kind, ==, DECISION_OBSERVE);
  g_assert_cmpint(unknown->would, ==, DECISION_ASK);
  f->facts.unanswered = FALSE;
  g_autoptr(Decision) lacking = fixture_decide(f);
  g_assert_cmpint(lacking->kind, ==, DECISION_OBSERVE);
  g_assert_cmpint(lacking->would, ==, DECISION_REFUSE);
  g_assert_cmpint(lacking->refusal, ==, REFUSAL_NUMBER);
  fixture_book(f, "+31612345678");
  g_autoptr(Decision) seal = fixture_decide(f);
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
  fixture_recipient(f, "an@ext.nl", ROUTE_VIEWER);
  fixture_subject(f, "uitslag");
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
  fixture_subject(f, "SMS 0612345678 x");
  fixture_recipient(f, "piet@own.nl", ROUTE_OWN);
  fixture_recipient(f, "an@ext.nl", ROUTE_VIEWER);
  fixture_recipient(f, "bob@partner.nl", ROUTE_DIRECT);
  g_autoptr(Decision) decision = fixture_decide(f);
  g_assert_cmpint(decision->kind, ==, DECISION_SEAL);
  g_assert_cmpuint(decision->outcomes->len, ==, 3);
  assert_outcome(decision, 0, LABEL_OWN, NULL);
  assert_outcome(decision, 1, LABEL_VIEWER, "+31612345678");
  assert_outcome(decision, 2, LABEL_DIRECT, NULL);
}

/* R3: what is not sensitive goes direct when policyd says so; nothing else changes. */
static void
test_prefer(void)
{
  g_autoptr(Fixture) f = fixture_new(Q);
  fixture_subject(f, "uitslag");
  fixture_recipient(f, "bob@partner.nl", ROUTE_PREFER);
  fixture_recipient(f, "an@ext.nl", ROUTE_ORDINARY);
  g_autoptr(Decision) off = fixture_decide(f);
  g_assert_cmpint(off->kind, ==, DECISION_PASS);
  f->facts.prefer = TRUE;
  f->facts.answers = NULL;
  g_autoptr(Decision) ask = decide(&f->facts);
  g_assert_cmpint(ask->kind, ==, DECISION_ASK);
  g_assert_false(ask->sensitive);
  g_autoptr(Decision) prefer = fixture_decide(f);
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
    fixture_subject(f, "uitslag");
    fixture_recipient(f, cases[i].address, cases[i].route);
    f->facts.prefer = TRUE;
    g_autoptr(Decision) decision = fixture_decide(f);
    g_test_message("case %u", i);
    g_assert_cmpint(decision->kind, ==, DECISION_PASS);
  }
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
    fixture_subject(f, "SMS 0612345678");
    fixture_recipient(f, "piet@own.nl", ROUTE_OWN);
    fixture_recipient(f, cases[i].address, cases[i].route);
    g_autoptr(Decision) decision = fixture_decide(f);
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
  fixture_subject(f, "uitslag");
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
  fixture_subject(f, "SMS 0612345678");
  fixture_recipient(f, "an@ext.nl", ROUTE_ORDINARY);
  g_autoptr(Decision) decision = fixture_decide(f);
  assert_refused(decision, REFUSAL_LATER);
}

/* What stands in a service domain: DECISION and, for the control address, LABEL. */
static void
test_service(void)
{
  static const struct {
    const char *subject;
    SensitiveDefault sensitive_default;
    CodeMethod method;
    ServiceAddress service;
    gboolean other; /* somebody else is a recipient, and goes direct */
    DecisionKind kind;
    Label label;
    const char *number;
  } cases[] = {
      /* without a number it stays here as it is, whatever is sensitive */
      {"Re: x", S, METHOD_NUMBER, SERVICE_NUMBER, FALSE, PASS, LABEL_NONE, NULL},
      {"Re: x", Q, METHOD_NUMBER, SERVICE_NUMBER, FALSE, PASS, LABEL_NONE, NULL},
      {"veilig mailen", Q, METHOD_NUMBER, SERVICE_NUMBER, FALSE, PASS, LABEL_NONE, NULL},
      {"x", S, METHOD_NUMBER, SERVICE_BOUNCE, FALSE, PASS, LABEL_NONE, NULL},
      {"x", S, METHOD_NUMBER, SERVICE_STRANGE, FALSE, DECISION_REFUSE, LABEL_NONE, NULL},
      {"x", Q, METHOD_NUMBER, SERVICE_STRANGE, TRUE, DECISION_REFUSE, LABEL_NONE, NULL},
      {"x", W, METHOD_NUMBER, SERVICE_STRANGE, FALSE, DECISION_OBSERVE, LABEL_NONE, NULL},
      /* with one it is in the ticket */
      {"SMS 0612345678 x", S, METHOD_NUMBER, SERVICE_NUMBER, FALSE, DECISION_SEAL,
       LABEL_VIEWER, "+31612345678"},
      {"SMS 0612345678 x", Q, METHOD_OPTIONAL, SERVICE_NUMBER, TRUE, DECISION_SEAL,
       LABEL_VIEWER, "+31612345678"},
      {"SMS 0612345678 x", Q, METHOD_NONE, SERVICE_NUMBER, TRUE, DECISION_SEAL, LABEL_NONE,
       NULL},
      {"SMS 0612345678 x", Q, METHOD_NUMBER, SERVICE_BOUNCE, TRUE, DECISION_SEAL,
       LABEL_NONE, NULL},
      /* and beside somebody else it does not stand in his way */
      {"veilig mailen", Q, METHOD_NUMBER, SERVICE_NUMBER, TRUE, DECISION_SEAL, LABEL_NONE,
       NULL},
      {"veilig mailen", Q, METHOD_OPTIONAL, SERVICE_NUMBER, TRUE, DECISION_SEAL, LABEL_NONE,
       NULL},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Fixture) f = fixture_new(cases[i].sensitive_default);
    g_autoptr(GArray) service = g_array_new(FALSE, TRUE, sizeof(ServiceAddress));
    g_array_append_val(service, cases[i].service);
    f->facts.service = service;
    f->facts.method = cases[i].method;
    fixture_subject(f, cases[i].subject);
    fixture_recipient(f, "nummer-x@s.own.nl", ROUTE_VIEWER);
    if (cases[i].other)
      fixture_recipient(f, "bob@partner.nl", ROUTE_DIRECT);
    g_autoptr(Decision) decision = fixture_decide(f);
    g_test_message("case %u", i);
    g_assert_cmpint(decision->kind, ==, cases[i].kind);
    if (decision->kind == DECISION_REFUSE)
      assert_refused(decision, REFUSAL_SERVICE);
    if (decision->kind == PASS)
      g_assert_cmpstr(decision->reason, ==, "Z-S14-CONTROL");
    if (decision->kind != DECISION_SEAL)
      continue;
    assert_outcome(decision, 0, cases[i].label, cases[i].number);
    g_assert_false(g_array_index(decision->outcomes, Outcome, 0).learn);
    if (cases[i].other)
      g_assert_cmpint(g_array_index(decision->outcomes, Outcome, 1).label, ==,
                      LABEL_DIRECT);
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/decide/S1-S5-sensitive", test_sensitive);
  g_test_add_func("/decide/S5-003-table-2", test_table_2);
  g_test_add_func("/decide/S14-service", test_service);
  g_test_add_func("/decide/S2-mistakes", test_mistakes);
  g_test_add_func("/decide/S2-two-subjects", test_two_subjects);
  g_test_add_func("/decide/S7-headers", test_number_headers);
  g_test_add_func("/decide/O3-foreign", test_foreign);
  g_test_add_func("/decide/O3-stranger", test_stranger);
  g_test_add_func("/decide/S5-observe", test_observe);
  g_test_add_func("/decide/R6-unanswered", test_unanswered);
  g_test_add_func("/decide/R1-labels", test_labels);
  g_test_add_func("/decide/R4-addresses", test_addresses);
  g_test_add_func("/decide/R4-odd", test_odd);
  g_test_add_func("/decide/R6-ordinary-answer", test_ordinary_answer);
  g_test_add_func("/decide/R3-prefer", test_prefer);
  g_test_add_func("/decide/R3-prefer-answers", test_prefer_answers);
  return g_test_run();
}
