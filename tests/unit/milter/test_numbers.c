/* Whose number counts (S6, S7, S8), and the limits of S9, S10 and S11. */
#include "milter/decide.h"

#include <string.h>

#include "tests/unit/milter/facts.h"
#include "tests/unit/tap.h"

#define S DEFAULT_SECURE
#define Q DEFAULT_ON_REQUEST
#define W DEFAULT_OBSERVE

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
    fixture_subject(f, cases[i].subject);
    fixture_recipient(f, "piet@own.nl", ROUTE_OWN);
    fixture_recipient(f, "bob@partner.nl", ROUTE_DIRECT);
    for (guint v = 0; v < cases[i].viewers; v++) {
      g_autofree char *address = g_strdup_printf("v%u@ext.nl", v);
      fixture_recipient(f, address, ROUTE_VIEWER);
      if (v < cases[i].with_header)
        fixture_number(f, address, "+31687654321");
    }
    g_autoptr(Decision) decision = fixture_decide(f);
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
  fixture_subject(f, row->subject);
  for (guint v = 0; v < row->viewers; v++) {
    g_autofree char *address = g_strdup_printf("v%u@ext.nl", v);
    fixture_recipient(f, address, ROUTE_VIEWER);
    fixture_book(f, row->book[v]);
    if (row->given[v] != NULL)
      fixture_number(f, address, row->given[v]);
  }
  fixture_recipient(f, "bob@partner.nl", ROUTE_DIRECT);
  fixture_recipient(f, "piet@own.nl", ROUTE_OWN);
  return f;
}

static void
test_methods(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(number_rows); i++) {
    const NumberRow *row = &number_rows[i];
    g_autoptr(Fixture) f = make_numbers(row);
    g_autoptr(Decision) decision = fixture_decide(f);
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
  fixture_subject(f, N);
  fixture_recipient(f, "an@ext.nl", ROUTE_VIEWER);
  f->facts.phone_book = FALSE;
  g_autoptr(Decision) decision = fixture_decide(f);
  assert_outcome(decision, 0, LABEL_VIEWER, C);
  g_assert_false(g_array_index(decision->outcomes, Outcome, 0).learn);
  fixture_recipient(f, "bo@ext.nl", ROUTE_VIEWER);
  fixture_book(f, A);
  g_autoptr(Decision) lacking = fixture_decide(f);
  assert_refused(lacking, REFUSAL_ONE_NUMBER);
}

/* S9: of sensitive messages, and the text has the limit. */
static void
test_recipients_max(void)
{
  g_autoptr(Fixture) f = fixture_new(Q);
  f->facts.recipients_max = 2;
  fixture_subject(f, "uitslag");
  fixture_recipient(f, "an@own.nl", ROUTE_OWN);
  fixture_recipient(f, "bo@own.nl", ROUTE_OWN);
  fixture_recipient(f, "co@own.nl", ROUTE_OWN);
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
      fixture_recipient(f, "piet@own.nl", ROUTE_OWN);
      g_autoptr(Decision) decision = fixture_decide(f);
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
  fixture_recipient(f, "an@ext.nl", ROUTE_VIEWER);
  g_autoptr(Decision) pass = fixture_decide(f);
  g_assert_false(decision_needs_content(pass));
  decide_content(pass, &organisation, &inspected);
  g_assert_cmpint(pass->kind, ==, DECISION_PASS);
  fixture_subject(f, T);
  g_autoptr(Decision) refused = fixture_decide(f);
  decide_content(refused, &organisation, &inspected);
  assert_refused(refused, REFUSAL_NUMBER);
}

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
    fixture_subject(f, cases[i].subject);
    for (guint d = 0; d < cases[i].direct; d++) {
      g_autofree char *address = g_strdup_printf("d%u@partner.nl", d);
      fixture_recipient(f, address, ROUTE_DIRECT);
      if (d < cases[i].with_header)
        fixture_number(f, address, "+31687654321");
    }
    g_autoptr(Decision) decision = fixture_decide(f);
    g_test_message("case %u", i);
    g_assert_cmpint(decision->kind, ==, DECISION_SEAL);
    assert_outcome(decision, 0, LABEL_DIRECT, cases[i].first);
    if (cases[i].direct > 1)
      assert_outcome(decision, 1, LABEL_DIRECT, cases[i].second);
  }
}

/* A number for somebody else is no number; case does not matter. */
static void
test_header_address(void)
{
  g_autoptr(Fixture) f = fixture_new(Q);
  fixture_recipient(f, "An@ext.nl", ROUTE_VIEWER);
  fixture_number(f, "bo@ext.nl", "+31687654321");
  g_autoptr(Decision) other = fixture_decide(f);
  assert_refused(other, REFUSAL_NUMBER);
  fixture_number(f, "aN@EXT.nl", "+31612345678");
  g_autoptr(Decision) same = fixture_decide(f);
  g_assert_cmpint(same->kind, ==, DECISION_SEAL);
  assert_outcome(same, 0, LABEL_VIEWER, "+31612345678");
}

static void
test_too_many(void)
{
  g_autoptr(Fixture) f = fixture_new(S);
  fixture_subject(f, "veilig mailen");
  for (guint i = 0; i < DECIDE_MAX_RECIPIENTS; i++)
    fixture_recipient(f, "piet@own.nl", ROUTE_OWN);
  g_autoptr(Decision) full = decide(&f->facts);
  g_assert_cmpint(full->kind, ==, DECISION_ASK);
  fixture_recipient(f, "piet@own.nl", ROUTE_OWN);
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
  fixture_subject(f, "veilig mailen");
  for (guint i = 0; i < DECIDE_MAX_RECIPIENTS; i++)
    fixture_recipient(f, "piet@own.nl", ROUTE_OWN);
  fixture_number(f, "Piet@own.nl", "+31612345678");
  g_autoptr(Decision) full = decide(&f->facts);
  g_assert_cmpint(full->kind, ==, DECISION_ASK);
  fixture_number(f, "an@ext.nl", "+31612345678");
  g_autoptr(Decision) over = decide(&f->facts);
  assert_refused(over, REFUSAL_TOO_MANY);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/numbers/S7-numbers", test_numbers);
  g_test_add_func("/numbers/S6-S8-methods", test_methods);
  g_test_add_func("/numbers/S8-no-book", test_no_book);
  g_test_add_func("/numbers/S9-recipients", test_recipients_max);
  g_test_add_func("/numbers/S10-S11-content", test_content);
  g_test_add_func("/numbers/S10-elsewhere", test_content_elsewhere);
  g_test_add_func("/numbers/S7-header-address", test_header_address);
  g_test_add_func("/numbers/R4-direct-number", test_direct_number);
  g_test_add_func("/numbers/too-many", test_too_many);
  g_test_add_func("/numbers/too-many-numbers", test_too_many_numbers);
  return g_test_run();
}
