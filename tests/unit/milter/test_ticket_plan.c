/* The ticket of the first pass: whom it names, and which way each goes (S14, R7). */
#include "milter/outward_plan.h"

#include <string.h>

#include "common/crypt/ticket.h"
#include "tests/unit/crypt/ring.h"
#include "tests/unit/tap.h"

static const char conf_text[] = "[organisation zorg]\n"
                                "domains = own.nl\n"
                                "service_domain = s.own.nl\n"
                                "viewer_url = https://v.own.nl/\n"
                                "display_name = Zorg\n";

static Config *config;

typedef struct {
  Message *message;
  Decision decision;
} Fixture;

static void
fixture_init(Fixture *f)
{
  const char *const sender[] = {"<jan@own.nl>", NULL};
  f->message = message_new(MESSAGE_OUTWARD, config->organisations->pdata[0], NULL, sender);
  f->message->answers = g_ptr_array_new_with_free_func((GDestroyNotify) route_answer_free);
  f->decision = (Decision){.kind = DECISION_SEAL,
                           .outcomes = g_array_new(FALSE, TRUE, sizeof(Outcome))};
}

static void
fixture_clear(Fixture *f)
{
  message_free(f->message);
  g_array_unref(f->decision.outcomes);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

static void
add(Fixture *f, const char *address, Route route, Label label, const char *code)
{
  const char *const args[] = {address, NULL};
  message_add_recipient(f->message, args);
  g_ptr_array_add(f->message->answers, route_answer_new(route, "Z-TEST", "-"));
  Outcome outcome = {.label = label, .code = code};
  g_array_append_val(f->decision.outcomes, outcome);
}

/* What zegel-deliver reads. */
static Ticket *
make(Fixture *f)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_TICKET, FALSE);
  g_autoptr(Plan) plan = plan_new();
  message_end_header(f->message);
  f->message->body = crypt_hash_new();
  message_end_body(f->message);
  g_assert_true(outward_plan_ticket(f->message, &f->decision, ring, plan, NULL));
  const Change *change = plan->changes->pdata[0];
  g_assert_cmpstr(change->name, ==, TICKET_HEADER);
  return ticket_open(ring, change->value, NULL);
}

static void
assert_route(const Ticket *ticket, const char *address, const char *route)
{
  const TicketRecipient *found = ticket_find_recipient(ticket, address);
  g_assert_nonnull(found);
  g_assert_cmpstr(found->route, ==, route);
}

static void
test_routes(void)
{
  g_auto(Fixture) f;
  fixture_init(&f);
  add(&f, "<piet@own.nl>", ROUTE_OWN, LABEL_OWN, NULL);
  add(&f, "<an@ext.nl>", ROUTE_VIEWER, LABEL_VIEWER, NULL);
  add(&f, "<bob@partner.nl>", ROUTE_DIRECT, LABEL_DIRECT, NULL);
  add(&f, "<cor@partner.nl>", ROUTE_DIRECT, LABEL_VIEWER, "Z-N6-NO-KEY");
  add(&f, "<nummer-x@s.own.nl>", ROUTE_VIEWER, LABEL_NONE, NULL);
  g_autoptr(Ticket) ticket = make(&f);
  g_assert_cmpuint(ticket->recipients->len, ==, 4);
  assert_route(ticket, "piet@own.nl", "own");
  assert_route(ticket, "an@ext.nl", "viewer");
  assert_route(ticket, "bob@partner.nl", "direct");
  assert_route(ticket, "cor@partner.nl", "viewer");
}

/* X-Zegel-SMS may name an own mailbox: once in the ticket, with the number. */
static void
test_own_number(void)
{
  g_auto(Fixture) f;
  fixture_init(&f);
  add(&f, "<piet@own.nl>", ROUTE_OWN, LABEL_OWN, NULL);
  HeaderNumber *number = g_new0(HeaderNumber, 1);
  number->address = g_strdup("piet@own.nl");
  number->number = g_strdup("+31612345678");
  g_ptr_array_add(f.message->numbers, number);
  g_autoptr(Ticket) ticket = make(&f);
  g_assert_cmpuint(ticket->recipients->len, ==, 1);
  g_assert_cmpstr(ticket_find_recipient(ticket, "piet@own.nl")->number, ==, "+31612345678");
}

/* The header must stay below Postfix's limit: of many the own ones are left out first. */
static void
test_many(void)
{
  g_auto(Fixture) f;
  fixture_init(&f);
  for (guint i = 0; i < TICKET_MAX_ROUTES + 1; i++) {
    g_autofree char *address = g_strdup_printf("<p%u@ext.nl>", i);
    add(&f, address, ROUTE_VIEWER, LABEL_VIEWER, NULL);
  }
  add(&f, "<piet@own.nl>", ROUTE_OWN, LABEL_OWN, NULL);
  g_autoptr(Ticket) ticket = make(&f);
  g_assert_cmpuint(ticket->recipients->len, ==, TICKET_MAX_ROUTES + 1);
  g_assert_null(ticket_find_recipient(ticket, "piet@own.nl"));
  assert_route(ticket, "p0@ext.nl", "viewer");
  assert_route(ticket, "p200@ext.nl", NULL);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  config = conf_parse("test", conf_text, strlen(conf_text), NULL);
  g_assert_nonnull(config);
  g_test_add_func("/ticket_plan/S14-routes", test_routes);
  g_test_add_func("/ticket_plan/own-number", test_own_number);
  g_test_add_func("/ticket_plan/many", test_many);
  int result = g_test_run();
  conf_free(config);
  return result;
}
