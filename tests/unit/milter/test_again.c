/* A message that comes back out of an expansion (R7): its ticket, and what is decided. */
#include "milter/again.h"

#include <string.h>

#include "tests/unit/crypt/ring.h"
#include "tests/unit/tap.h"

typedef struct {
  GPtrArray *recipients, *odd, *answers;
} Fixture;

static Fixture *
fixture_new(void)
{
  Fixture *f = g_new0(Fixture, 1);
  f->recipients = g_ptr_array_new_with_free_func(g_free);
  f->odd = g_ptr_array_new_with_free_func(g_free);
  f->answers = g_ptr_array_new_with_free_func((GDestroyNotify) route_answer_free);
  return f;
}

static void
fixture_free(Fixture *f)
{
  g_ptr_array_unref(f->recipients);
  g_ptr_array_unref(f->odd);
  g_ptr_array_unref(f->answers);
  g_free(f);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fixture, fixture_free)

static void
add_recipient(Fixture *f, const char *address, Route route)
{
  g_ptr_array_add(f->recipients, g_strdup(address));
  g_ptr_array_add(f->answers, route_answer_new(route, "Z-TEST", "-"));
}

static void
assert_outcome(const Decision *decision, guint i, Label label, const char *number)
{
  const Outcome *outcome = &g_array_index(decision->outcomes, Outcome, i);
  g_assert_cmpint(outcome->label, ==, label);
  g_assert_cmpstr(outcome->number, ==, number);
}

static Ticket *
ticket_of(const char *address, const char *number)
{
  Ticket *ticket = ticket_new(NULL);
  ticket_add_recipient(ticket, "bob@partner.nl", NULL);
  if (address != NULL)
    ticket_add_recipient(ticket, address, number);
  return ticket;
}

/* Everything that can be said before policyd is asked. */
static void
test_again_early(void)
{
  static const struct {
    guint tickets;
    TicketState state;
    gboolean changed, unanswered;
    DecisionKind kind;
    Refusal refusal;
  } cases[] = {
      {0, TICKET_STATE_GOOD, FALSE, FALSE, DECISION_PASS, 0},
      {1, TICKET_STATE_GOOD, FALSE, FALSE, DECISION_ASK, 0},
      {1, TICKET_STATE_FORGED, FALSE, FALSE, DECISION_REFUSE, REFUSAL_TICKET_FORGED},
      {2, TICKET_STATE_DOUBLE, FALSE, FALSE, DECISION_REFUSE, REFUSAL_TICKET_DOUBLE},
      {1, TICKET_STATE_KEY, FALSE, FALSE, DECISION_REFUSE, REFUSAL_TICKET_KEY},
      {1, TICKET_STATE_ORGANISATION, FALSE, FALSE, DECISION_REFUSE, REFUSAL_ORGANISATION},
      {1, TICKET_STATE_GOOD, TRUE, FALSE, DECISION_REFUSE, REFUSAL_HASH},
      {1, TICKET_STATE_GOOD, TRUE, TRUE, DECISION_REFUSE, REFUSAL_HASH},
      {1, TICKET_STATE_GOOD, FALSE, TRUE, DECISION_REFUSE, REFUSAL_LATER},
  };
  static const Refusal temporary[] = {REFUSAL_TICKET_KEY, REFUSAL_ORGANISATION,
                                      REFUSAL_MARK_KEY, REFUSAL_INSTANCE, REFUSAL_LATER};
  g_autoptr(Fixture) f = fixture_new();
  add_recipient(f, "an@ext.nl", ROUTE_VIEWER);
  g_autoptr(Ticket) ticket = ticket_of("an@ext.nl", "+31612345678");
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    AgainFacts facts = {
        .tickets = cases[i].tickets,
        .state = cases[i].state,
        .ticket = ticket,
        .changed = cases[i].changed,
        .unanswered = cases[i].unanswered,
        .recipients = f->recipients,
        .odd = f->odd,
    };
    g_autoptr(Decision) decision = decide_again(&facts);
    g_test_message("case %u", i);
    g_assert_cmpint(decision->kind, ==, cases[i].kind);
    g_assert_cmpint(decision->refusal, ==, cases[i].refusal);
  }
  for (guint i = 0; i < REFUSAL_TROUBLE; i++) {
    gboolean waits = FALSE;
    for (guint t = 0; t < G_N_ELEMENTS(temporary); t++)
      waits = waits || i == temporary[t];
    g_assert_cmpint(refusal_is_temporary(i), ==, waits);
  }
}

/* One recipient, the ticket's entry for him, and what becomes of him. */
static void
test_again_routes(void)
{
  static const struct {
    const char *address;
    Route route;
    const char *named, *number;
    DecisionKind kind;
    Refusal refusal;
    Label label;
    const char *settled;
  } cases[] = {
      {"piet@own.nl", ROUTE_OWN, NULL, NULL, DECISION_SEAL, 0, LABEL_NONE, NULL},
      {"an%ext.nl@own.nl", ROUTE_OWN, NULL, NULL, DECISION_REFUSE, REFUSAL_ADDRESS, 0,
       NULL},
      {"an@ext.nl", ROUTE_VIEWER, "an@ext.nl", "+31612345678", DECISION_SEAL, 0,
       LABEL_VIEWER, "+31612345678"},
      {"An@ext.nl", ROUTE_VIEWER, "aN@ext.nl", "+31612345678", DECISION_SEAL, 0,
       LABEL_VIEWER, "+31612345678"},
      {"an@ext.nl", ROUTE_VIEWER, NULL, NULL, DECISION_REFUSE, REFUSAL_EXPANDED, 0, NULL},
      {"an@ext.nl", ROUTE_VIEWER, "bo@ext.nl", "+31612345678", DECISION_REFUSE,
       REFUSAL_EXPANDED, 0, NULL},
      {"bob@partner.nl", ROUTE_VIEWER, NULL, NULL, DECISION_REFUSE, REFUSAL_EXPANDED, 0,
       NULL},
      {"bob@partner.nl", ROUTE_DIRECT, NULL, NULL, DECISION_SEAL, 0, LABEL_DIRECT, NULL},
      {"an@ext.nl", ROUTE_DIRECT, "an@ext.nl", "+31612345678", DECISION_SEAL, 0,
       LABEL_DIRECT, "+31612345678"},
      {"an@ext.nl", ROUTE_ORDINARY, NULL, NULL, DECISION_REFUSE, REFUSAL_LATER, 0, NULL},
      {"an@ext.nl", ROUTE_PREFER, NULL, NULL, DECISION_REFUSE, REFUSAL_ADDRESS, 0, NULL},
      {"an@x.seal.zegel.internal", ROUTE_VIEWER, NULL, NULL, DECISION_REFUSE,
       REFUSAL_ADDRESS, 0, NULL},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Ticket) ticket = ticket_of(cases[i].named, cases[i].number);
    add_recipient(f, cases[i].address, cases[i].route);
    AgainFacts facts = {.tickets = 1,
                        .ticket = ticket,
                        .recipients = f->recipients,
                        .odd = f->odd,
                        .answers = f->answers};
    g_autoptr(Decision) decision = decide_again(&facts);
    g_test_message("case %u: %s", i, cases[i].address);
    g_assert_cmpint(decision->kind, ==, cases[i].kind);
    if (decision->kind == DECISION_SEAL) {
      assert_outcome(decision, 0, cases[i].label, cases[i].settled);
      continue;
    }
    g_assert_cmpint(decision->refusal, ==, cases[i].refusal);
    g_assert_cmpstr(decision->names->pdata[0], ==, cases[i].address);
  }
}

/* N6: what was broken in the first pass is no less so in the second. */
static void
test_again_broken(void)
{
  g_autoptr(Fixture) f = fixture_new();
  add_recipient(f, "an@partner.nl", ROUTE_DIRECT);
  add_recipient(f, "piet@own.nl", ROUTE_OWN);
  for (guint i = 0; i < 2; i++) {
    g_autoptr(Ticket) ticket = ticket_of(i == 0 ? NULL : "an@partner.nl", "+31612345678");
    ticket->signature_broken = TRUE;
    AgainFacts facts = {.tickets = 1,
                        .ticket = ticket,
                        .recipients = f->recipients,
                        .odd = f->odd,
                        .answers = f->answers};
    g_autoptr(Decision) decision = decide_again(&facts);
    if (i == 0) {
      g_assert_cmpint(decision->refusal, ==, REFUSAL_EXPANDED);
      g_assert_cmpstr(decision->names->pdata[0], ==, "an@partner.nl");
      continue;
    }
    assert_outcome(decision, 0, LABEL_VIEWER, "+31612345678");
    assert_outcome(decision, 1, LABEL_NONE, NULL);
    g_assert_cmpstr(g_array_index(decision->outcomes, Outcome, 0).code, ==, "Z-N6-NO-KEY");
  }
}

/*
 * S6, S8: an@ext.nl, whom the ticket names with IN_TICKET (NULL: not at all), and whose
 * number in the phone book is BOOK. Expected is a number, NULL when the code goes by
 * e-mail.
 */
static void
test_again_methods(void)
{
  static const char a[] = "+31611111111", b[] = "+31622222222";
  static const struct {
    CodeMethod method;
    const char *in_ticket, *book;
    gint refusal; /* -1: none */
    const char *number;
    gboolean learn;
  } cases[] = {
      {METHOD_NUMBER, NULL, NULL, REFUSAL_EXPANDED, NULL, FALSE},
      {METHOD_NUMBER, NULL, b, -1, b, FALSE},
      {METHOD_NUMBER, a, b, -1, a, TRUE},
      {METHOD_OPTIONAL, NULL, NULL, -1, NULL, FALSE},
      {METHOD_OPTIONAL, NULL, b, -1, b, FALSE},
      {METHOD_EMAIL, NULL, b, -1, NULL, FALSE},
      {METHOD_EMAIL, a, b, -1, a, TRUE},
      {METHOD_NONE, a, b, REFUSAL_EXPANDED_NONE, NULL, FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Ticket) ticket = ticket_new(NULL);
    if (cases[i].in_ticket != NULL)
      ticket_add_recipient(ticket, "an@ext.nl", cases[i].in_ticket)->learn = TRUE;
    add_recipient(f, "an@ext.nl", ROUTE_VIEWER);
    ((RouteAnswer *) f->answers->pdata[0])->number = g_strdup(cases[i].book);
    AgainFacts facts = {.tickets = 1,
                        .ticket = ticket,
                        .method = cases[i].method,
                        .phone_book = cases[i].method <= METHOD_OPTIONAL,
                        .recipients = f->recipients,
                        .odd = f->odd,
                        .answers = f->answers};
    g_autoptr(Decision) decision = decide_again(&facts);
    g_test_message("case %u", i);
    if (cases[i].refusal >= 0) {
      g_assert_cmpint(decision->kind, ==, DECISION_REFUSE);
      g_assert_cmpint(decision->refusal, ==, cases[i].refusal);
      g_assert_cmpstr(decision->names->pdata[0], ==, "an@ext.nl");
      continue;
    }
    g_assert_cmpint(decision->kind, ==, DECISION_SEAL);
    assert_outcome(decision, 0, LABEL_VIEWER, cases[i].number);
    const Outcome *outcome = &g_array_index(decision->outcomes, Outcome, 0);
    g_assert_cmpint(outcome->by_mail, ==, cases[i].number == NULL);
    g_assert_cmpint(outcome->learn, ==, cases[i].learn);
  }
}

/* ---- The ticket of a message ---- */

static const char text[] = "[organisation zorg]\n"
                           "domains = own.nl\n"
                           "service_domain = s.own.nl\n"
                           "viewer_url = https://v.own.nl/\n"
                           "display_name = Zorg\n"
                           "method = optional\n";

static Config *config;

/* A message to an@ext.nl with VALUE (NULL: none) as its ticket, COUNT times. */
static Message *
message_with(const char *value, guint count)
{
  const char *const sender[] = {"<jan@own.nl>", NULL};
  const char *const recipient[] = {"<an@ext.nl>", "ORCPT=rfc822;team@own.nl", NULL};
  Message *message = message_new(MESSAGE_AGAIN, NULL, NULL, sender);
  message_add_recipient(message, recipient);
  message_add_header(message, "Subject", "SMS");
  message_add_header(message, "X-Zegel-Other", "1");
  for (guint i = 0; i < count; i++)
    message_add_header(message, "x-zegel-TICKET", value);
  message_end_header(message);
  return message;
}

static char *
seal(const KeyRing *ring, const char *organisation, const char *body)
{
  g_autoptr(Ticket) ticket = ticket_of("an@ext.nl", "+31612345678");
  ticket->organisation = g_strdup(organisation);
  ticket->sender = g_strdup("jan@own.nl");
  ticket->message_id = g_strdup("");
  CryptHash *hash = crypt_hash_new();
  crypt_hash_update(hash, body, strlen(body));
  crypt_hash_finish(hash, ticket->body_sha256);
  crypt_hash_free(hash);
  return message_seal_ticket(ticket, ring, NULL);
}

static void
test_open(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_TICKET, FALSE);
  g_autoptr(KeyRing) foreign = ring_new(KEY_TICKET, TRUE);
  g_autofree char *good = seal(ring, "zorg", "body");
  g_autofree char *elsewhere = seal(ring, "elders", "body");
  g_autofree char *unknown = seal(foreign, "zorg", "body");
  g_autofree char *bent = g_strdup(good);
  bent[strlen(bent) - 8] ^= 1;
  const struct {
    const char *value;
    guint count;
    TicketState state;
  } cases[] = {
      {good, 0, TICKET_STATE_GOOD},   {good, 1, TICKET_STATE_GOOD},
      {good, 2, TICKET_STATE_DOUBLE}, {bent, 1, TICKET_STATE_FORGED},
      {"", 1, TICKET_STATE_FORGED},   {"geheim", 1, TICKET_STATE_FORGED},
      {unknown, 1, TICKET_STATE_KEY}, {elsewhere, 1, TICKET_STATE_ORGANISATION},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Message) message = message_with(cases[i].value, cases[i].count);
    again_open(message, config, ring);
    g_test_message("case %u", i);
    g_assert_cmpint(message->again.state, ==, cases[i].state);
    g_assert_cmpuint(message->again.tickets, ==, cases[i].count);
    gboolean opened = cases[i].count == 1 && cases[i].state == TICKET_STATE_GOOD;
    g_assert_true((message->ticket != NULL) == opened);
    g_assert_cmpstr(message->organisation->name, ==, opened ? "zorg" : "-");
    g_assert_cmpint(message->again.method, ==, opened ? METHOD_OPTIONAL : METHOD_NUMBER);
    g_assert_cmpint(message->again.phone_book, ==, opened);
  }
}

static void
test_body(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_TICKET, FALSE);
  g_autofree char *value = seal(ring, "zorg", "body");
  static const struct {
    const char *body;
    gboolean changed;
  } cases[] = {{"body", FALSE}, {"Body", TRUE}, {"", TRUE}, {NULL, FALSE}};
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Message) message = message_with(value, 1);
    again_open(message, config, ring);
    if (cases[i].body != NULL) {
      message->body = crypt_hash_new();
      crypt_hash_update(message->body, cases[i].body, strlen(cases[i].body));
    }
    g_assert_cmpint(again_check_body(message), ==, cases[i].changed);
    g_assert_cmpint(message->again.changed, ==, cases[i].changed);
  }
}

/* What OUTCOME makes of the ticket: how many it names after it was renewed, 0: it was not.
 */
static guint
renew(const char *address, Label label, const char *number, const char *expected_number)
{
  g_autoptr(GPtrArray) answers =
      g_ptr_array_new_with_free_func((GDestroyNotify) route_answer_free);
  g_ptr_array_add(
      answers,
      route_answer_new(label == LABEL_DIRECT ? ROUTE_DIRECT : ROUTE_VIEWER, "Z-TEST", "-"));
  g_autoptr(KeyRing) ring = ring_new(KEY_TICKET, FALSE);
  g_autofree char *value = seal(ring, "zorg", "body");
  g_autoptr(Message) message = message_with(value, 1);
  again_open(message, config, ring);
  message->unique->pdata[0] = (gpointer) address;
  message->answers = g_ptr_array_ref(answers);
  guint8 id[TICKET_ID_BYTES];
  memcpy(id, message->ticket->id, sizeof id);
  g_autoptr(GArray) outcomes = g_array_new(FALSE, TRUE, sizeof(Outcome));
  Outcome outcome = {.label = label, .number = number};
  g_array_append_val(outcomes, outcome);
  const Decision decision = {.kind = DECISION_SEAL, .outcomes = outcomes};
  static char wrong[] = "wrong";
  char *result = wrong;
  g_assert_true(again_renew(message, &decision, ring, &result, NULL));
  g_assert_true(result != wrong);
  g_autofree char *renewed = result;
  if (renewed == NULL)
    return 0;
  g_assert_null(strchr(renewed, '\r'));
  g_autoptr(Ticket) ticket = ticket_open(ring, renewed, NULL);
  g_assert_cmpmem(ticket->id, sizeof id, id, sizeof id);
  const TicketRecipient *named = ticket_find_recipient(ticket, address);
  g_assert_cmpstr(named->number, ==, expected_number);
  g_assert_cmpstr(named->route, ==, label == LABEL_DIRECT ? "direct" : "viewer");
  return ticket->recipients->len;
}

static void
test_renew(void)
{
  static const char number[] = "+31612345678";
  g_assert_cmpuint(renew("an@ext.nl", LABEL_VIEWER, number, number), ==, 0);
  g_assert_cmpuint(renew("piet@own.nl", LABEL_NONE, NULL, NULL), ==, 0);
  g_assert_cmpuint(renew("An@ext.nl", LABEL_VIEWER, number, number), ==, 3);
  g_assert_cmpuint(renew("cor@partner.nl", LABEL_DIRECT, NULL, NULL), ==, 3);
  /* whom it names without a number, and who has one now (S8) */
  g_assert_cmpuint(renew("bob@partner.nl", LABEL_VIEWER, number, number), ==, 2);
  g_assert_cmpuint(renew("bob@partner.nl", LABEL_DIRECT, NULL, NULL), ==, 0);
  g_assert_cmpuint(renew("an@ext.nl", LABEL_VIEWER, "+31687654321", number), ==, 0);
}

/* A full ticket names somebody new all the same: an own mailbox is only there to be told.
 */
static void
test_full(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_TICKET, FALSE);
  g_autofree char *value = seal(ring, "zorg", "body");
  g_autoptr(Message) message = message_with(value, 1);
  again_open(message, config, ring);
  while (message->ticket->recipients->len < TICKET_MAX_RECIPIENTS) {
    g_autofree char *address =
        g_strdup_printf("p%u@own.nl", message->ticket->recipients->len);
    TicketRecipient *own = ticket_add_recipient(message->ticket, address, NULL);
    own->route = message->ticket->recipients->len == 500 ? g_strdup("own") : NULL;
  }
  message->unique->pdata[0] = (gpointer) "cor@ext.nl";
  message->answers = g_ptr_array_new_with_free_func((GDestroyNotify) route_answer_free);
  g_ptr_array_add(message->answers, route_answer_new(ROUTE_VIEWER, "Z-TEST", "-"));
  g_autoptr(GArray) outcomes = g_array_new(FALSE, TRUE, sizeof(Outcome));
  Outcome outcome = {.label = LABEL_VIEWER, .number = "+31612345678"};
  g_array_append_val(outcomes, outcome);
  const Decision decision = {.kind = DECISION_SEAL, .outcomes = outcomes};
  g_autoptr(GError) error = NULL;
  g_autofree char *renewed = NULL;
  again_renew(message, &decision, ring, &renewed, &error);
  g_assert_no_error(error);
  g_autoptr(Ticket) ticket = ticket_open(ring, renewed, NULL);
  g_assert_cmpuint(ticket->recipients->len, ==, TICKET_MAX_RECIPIENTS);
  g_assert_nonnull(ticket_find_recipient(ticket, "cor@ext.nl"));
  g_assert_null(ticket_find_recipient(ticket, "p499@own.nl"));
  g_assert_nonnull(ticket_find_recipient(ticket, "p498@own.nl"));
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  config = conf_parse("test", text, strlen(text), NULL);
  g_assert_nonnull(config);
  g_test_add_func("/again/R7-early", test_again_early);
  g_test_add_func("/again/R7-routes", test_again_routes);
  g_test_add_func("/again/N6-broken-signature", test_again_broken);
  g_test_add_func("/again/S6-S8-methods", test_again_methods);
  g_test_add_func("/again/R7-open", test_open);
  g_test_add_func("/again/K3-body", test_body);
  g_test_add_func("/again/R7-renew", test_renew);
  g_test_add_func("/again/full", test_full);
  int result = g_test_run();
  conf_free(config);
  return result;
}
