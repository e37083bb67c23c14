/* Events: one line, no value that looks like another key (A3), and the way to another
 * process and back. */
#include "common/base/event.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "tests/unit/base/catch.h"
#include "tests/unit/tap.h"

#define ID "00112233445566778899aabbccddeeff"

/* TEXT with the random ids, which all have one length, as "ID". */
static char *
without_ids(const char *text)
{
  g_autoptr(GRegex) regex = g_regex_new("id=[0-9a-f]{32}\\b", 0, 0, NULL);
  return g_regex_replace_literal(regex, text, -1, 0, "id=ID", 0, NULL);
}

static void
test_line(void)
{
  catch_begin();
  event_log(EVENT_ROUTED, "4Xqueue", "care", "to", "an@ext.nl", "none", NULL, "code", "Z-X",
            NULL);
  event_log(EVENT_REFUSED, NULL, NULL, "from", "a, code=Z-EVIL\n4Y: event=login", NULL);
  event_log(EVENT_PROMISED, "4X: event=login, x", "a b", "outcome", "failed", NULL);
  g_autofree char *text = catch_end();
  g_autofree char *lines = without_ids(text);
  g_assert_cmpstr(lines, ==,
                  "4Xqueue: event=routed, org=care, to=an@ext.nl, code=Z-X, nta=1, "
                  "action=C, actor=sender, outcome=ok, id=ID\n"
                  "NOQUEUE: event=refused, from=a??code=Z-EVIL?4Y:?event=login, nta=1, "
                  "action=C, actor=sender, outcome=refused, id=ID\n"
                  "4X:?event=login??x: event=promised, org=a?b, action=U, actor=system, "
                  "outcome=failed, id=ID\n");
}

static void
test_private(void)
{
  log_shape(LOG_FORMAT_POSTFIX, LOG_ADDRESSES_DOMAIN);
  catch_begin();
  event_log(EVENT_OPENED, NULL, "care", "to", "an@ext.nl", "ref", "a@b", NULL);
  g_autofree char *text = catch_end();
  log_shape(LOG_FORMAT_POSTFIX, LOG_ADDRESSES_FULL);
  g_assert_nonnull(strstr(text, "to=*@ext.nl, ref=a@b, nta=6, action=R"));
}

static guint sunk;

static void
count_event(const Event *event, gpointer data)
{
  g_assert_true(data == &sunk);
  g_assert_cmpint(event_kind(event), ==, EVENT_LOGOUT);
  sunk++;
}

static void
test_sink(void)
{
  g_autoptr(Event) event = event_new(EVENT_LOGIN, NULL, NULL, NULL);
  event_become(event, EVENT_LOGOUT);
  event_set_sink(count_event, &sunk);
  catch_begin();
  event_write(event);
  g_assert_cmpuint(sunk, ==, 0);
  event_send(event);
  g_free(catch_end());
  event_set_sink(NULL, NULL);
  g_assert_cmpuint(sunk, ==, 1);
}

static void
test_round_trip(void)
{
  g_autoptr(Event) event =
      event_new(EVENT_FORWARDED, "4X", "care", "to", "an@ext.nl", "actor", "admin", NULL);
  event_add(event, "new", "R\x01");
  event_add(event, "none", NULL);
  g_autoptr(Attrs) attrs = event_format(event);
  g_autoptr(GError) error = NULL;
  g_autoptr(Event) again = event_parse(attrs, &error);
  g_assert_no_error(error);
  g_autoptr(Attrs) twice = event_format(again);
  g_autofree char *first = attrs_format(attrs, ATTR_ESCAPED);
  g_autofree char *second = attrs_format(twice, ATTR_ESCAPED);
  g_assert_cmpstr(first, ==, second);
  g_assert_cmpint(event_at_us(again), ==, event_at_us(event));
  g_assert_cmpstr(event_get(again, "new"), ==, "R?");
  g_assert_cmpstr(event_get(again, "actor"), ==, "admin");
  g_assert_cmpstr(event_get(again, "outcome"), ==, "ok");
  g_assert_cmpstr(event_get(again, "org"), ==, "care");
  g_assert_null(event_get(again, "none"));
}

static void
test_no_event(void)
{
  static const struct {
    const char *event, *id, *at, *program;
  } rows[] = {
      {"nothing", ID, "2026-11-22T10:00:00.000001Z", "x"},
      {"login", "00112233445566778899AABBCCDDEEFF", "2026-11-22T10:00:00.000001Z", "x"},
      {"login", ID "0", "2026-11-22T10:00:00.000001Z", "x"},
      {"login", ID, "yesterday", "x"},
      {"login", ID, "9999-12-31T23:59:59.000001-12:00", "x"}, /* of the year 10000 */
      {"login", ID, "1969-12-31T23:59:59.000001Z", "x"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(Attrs) attrs = attrs_new();
    attrs_add(attrs, "event", rows[i].event);
    attrs_add(attrs, "id", rows[i].id);
    attrs_add(attrs, "at", rows[i].at);
    attrs_add(attrs, "program", rows[i].program);
    g_autoptr(GError) error = NULL;
    g_assert_null(event_parse(attrs, &error));
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  }
}

/* Every kind has its facts; all thirteen of the norm are there. */
static void
test_facts(void)
{
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  guint of_norm = 0;
  for (guint i = 0; i < EVENT_COUNT; i++) {
    const EventFacts *facts = event_facts((EventKind) i);
    EventKind kind = EVENT_COUNT;
    g_assert_nonnull(facts->name);
    g_assert_true(g_hash_table_add(seen, (gpointer) facts->name));
    g_assert_true(event_kind_parse(facts->name, &kind));
    g_assert_cmpuint(kind, ==, i);
    g_assert_nonnull(strstr("CRUDE", facts->action));
    g_assert_nonnull(facts->actor);
    g_assert_nonnull(facts->outcome);
    of_norm |= 1U << facts->nta;
  }
  g_assert_cmpuint(of_norm, ==, (1U << NTA_COUNT) - 1);
}

static void
test_open_keys(void)
{
  static const char *const personal[] = {"from",  "to",        "by",         "for",
                                         "about", "client",    "message-id", "number",
                                         "text",  "unheard-of"};
  for (guint i = 0; i < G_N_ELEMENTS(personal); i++)
    g_assert_false(event_key_is_open(personal[i]));
  g_assert_true(event_key_is_open("ref"));
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_set_nonfatal_assertions();
  log_open("test", TRUE);
  g_test_add_func("/event/A3-line", test_line);
  g_test_add_func("/event/A3-private", test_private);
  g_test_add_func("/event/sink", test_sink);
  g_test_add_func("/event/round-trip", test_round_trip);
  g_test_add_func("/event/no-event", test_no_event);
  g_test_add_func("/event/A1-facts", test_facts);
  g_test_add_func("/event/A2-open-keys", test_open_keys);
  return g_test_run();
}
