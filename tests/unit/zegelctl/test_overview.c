#include "zegelctl/overview.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/tap.h"

#define AT_US   (G_GINT64_CONSTANT(1795358096) * G_USEC_PER_SEC) /* 2026-11-22 14:34:56 Z */
#define PATIENT "jan@example.com"
#define DOCTOR  "janssen@linden.example"
#define OTHER   "piet@example.net"

/* Adds a record NUMBER, which happened NUMBER seconds after AT_US; pairs up to NULL. */
static void
add(Overview *overview, guint64 number, const char *event, const char *actor, ...)
{
  g_autoptr(Attrs) attrs = attrs_new();
  attrs_add(attrs, "event", event);
  attrs_add(attrs, "actor", actor);
  attrs_add(attrs, "outcome", "ok");
  va_list args;
  va_start(args, actor);
  for (const char *key; (key = va_arg(args, const char *)) != NULL;)
    attrs_add(attrs, key, va_arg(args, const char *));
  va_end(args);
  const TrailRecord record = {
      .number = number, .at_us = AT_US + (gint64) number * G_USEC_PER_SEC, .attrs = attrs};
  overview_add(overview, &record);
}

static char *
format(const Overview *overview)
{
  const OverviewHead head = {.organisation = "De Linden", .by = "anna", .now_us = AT_US};
  GString *out = g_string_new(NULL);
  overview_append(out, overview, &head);
  return g_string_free(out, FALSE);
}

static void
test_every_event_has_words(void)
{
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < EVENT_COUNT; i++) {
    const char *text = overview_words((EventKind) i);
    g_test_message("%s", event_facts((EventKind) i)->name);
    g_assert_nonnull(text);
    g_assert_true(g_hash_table_add(seen, (gpointer) text));
  }
}

static void
test_patient(void)
{
  g_autoptr(Overview) overview = overview_new(OVERVIEW_PATIENT, PATIENT);
  add(overview, 3, "opened", "reader", "ref", "r1", "to", PATIENT, "for", DOCTOR, NULL);
  add(overview, 1, "routed", "sender", "from", DOCTOR, "to", "Jan@Example.com", NULL);
  add(overview, 2, "notified", "system", "ref", "r1", "to", PATIENT, NULL);
  add(overview, 2, "notified", "system", "ref", "r1", "to", PATIENT, NULL);
  add(overview, 4, "forwarded", "reader", "ref", "r1", "from", PATIENT, "to", OTHER, NULL);
  add(overview, 5, "audit-read", "admin", "by", "anna", "about", PATIENT, NULL);
  g_autofree char *text = format(overview);
  g_assert_cmpstr(
      text, ==,
      "Who did what with messages to and from jan@example.com\n"
      "Organisation: De Linden\n"
      "Made on: 2026-11-22 15:34:56 +0100\n"
      "Made by: anna\n"
      "\n"
      "2026-11-22 15:34:57 +0100  A message was sent\n"
      "  By: janssen@linden.example; for or about: Jan@Example.com\n"
      "2026-11-22 15:34:58 +0100  An e-mail with a link to the message was sent\n"
      "  By: the system; for or about: jan@example.com; message: r1\n"
      "2026-11-22 15:34:59 +0100  The message was opened\n"
      "  By: jan@example.com; message: r1\n"
      "2026-11-22 15:35:00 +0100  The message was forwarded\n"
      "  By: jan@example.com; message: r1\n"
      "2026-11-22 15:35:01 +0100  Somebody looked into this record of events\n"
      "  By: anna; for or about: jan@example.com\n");
}

/* Another recipient's address is nowhere in what a patient gets. */
static void
test_patient_sees_no_other_reader(void)
{
  static const char *const events[] = {"opened", "downloaded", "deleted",
                                       "login",  "answered",   "forwarded"};
  g_autoptr(Overview) overview = overview_new(OVERVIEW_PATIENT, PATIENT);
  for (guint i = 0; i < G_N_ELEMENTS(events); i++) {
    add(overview, 2 * i + 1, events[i], "reader", "to", OTHER, "for", PATIENT, NULL);
    add(overview, 2 * i + 2, events[i], "reader", "from", OTHER, "to", PATIENT, NULL);
  }
  add(overview, 50, "bounced", "system", "to", OTHER, "from", PATIENT, NULL);
  g_autofree char *text = format(overview);
  g_assert_null(strstr(text, OTHER));
  g_assert_nonnull(strstr(text, "another reader"));
}

static void
test_employee(void)
{
  g_autoptr(Overview) overview = overview_new(OVERVIEW_EMPLOYEE, DOCTOR);
  add(overview, 1, "routed", "sender", "from", DOCTOR, "to", PATIENT, NULL);
  add(overview, 2, "opened", "reader", "to", PATIENT, "for", DOCTOR, "ref", "r1", NULL);
  add(overview, 3, "bounced", "system", "to", PATIENT, "from", DOCTOR, NULL);
  g_autofree char *text = format(overview);
  const char *did = strstr(text, "What he or she did\n");
  const char *others = strstr(text, "What others did, or the system\n");
  g_assert_true(did != NULL && others > did);
  const char *sent = strstr(text, "A message was sent\n"
                                  "  By: janssen@linden.example; for or about: jan@");
  const char *opened = strstr(text, "The message was opened\n  By: jan@example.com; for or "
                                    "about: janssen@linden.example;");
  g_assert_true(sent > did && sent < others);
  g_assert_true(opened > others);
}

/* What a program kept while zegel-auditd was down comes late, and stands where it belongs.
 */
static void
test_order_is_that_of_time(void)
{
  g_autoptr(Overview) overview = overview_new(OVERVIEW_PATIENT, PATIENT);
  g_autoptr(Attrs) attrs = attrs_new();
  attrs_add(attrs, "event", "stored");
  attrs_add(attrs, "to", PATIENT);
  add(overview, 1, "opened", "reader", "to", PATIENT, NULL);
  const TrailRecord late = {.number = 2, .at_us = AT_US, .attrs = attrs};
  overview_add(overview, &late);
  g_autofree char *text = format(overview);
  const char *stored = strstr(text, "A message was stored");
  g_assert_true(stored != NULL && stored < strstr(text, "The message was opened"));
}

static void
test_nothing(void)
{
  g_autoptr(Overview) patient = overview_new(OVERVIEW_PATIENT, PATIENT);
  g_autofree char *text = format(patient);
  g_assert_nonnull(strstr(text, "Nothing was recorded."));
}

static void
test_references(void)
{
  g_autoptr(Overview) overview = overview_new(OVERVIEW_PATIENT, PATIENT);
  add(overview, 1, "stored", "system", "ref", "r1", "to", PATIENT, NULL);
  add(overview, 2, "opened", "reader", "ref", "r1", "to", PATIENT, NULL);
  add(overview, 3, "routed", "sender", "to", PATIENT, NULL);
  g_autoptr(GPtrArray) references = overview_references(overview);
  g_assert_cmpuint(references->len, ==, 1);
  g_assert_cmpstr(references->pdata[0], ==, "r1");
}

int
main(int argc, char **argv)
{
  setenv("TZ", "Europe/Amsterdam", 1);
  tzset();
  tap_init(argc, argv);
  g_test_add_func("/overview/every event has words", test_every_event_has_words);
  g_test_add_func("/overview/patient", test_patient);
  g_test_add_func("/overview/patient sees no other reader",
                  test_patient_sees_no_other_reader);
  g_test_add_func("/overview/employee", test_employee);
  g_test_add_func("/overview/order is that of time", test_order_is_that_of_time);
  g_test_add_func("/overview/nothing", test_nothing);
  g_test_add_func("/overview/references", test_references);
  return g_test_run();
}
