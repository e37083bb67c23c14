/* What was written is found again, by everything it can be asked by. */
#include "tests/unit/audit/fixture.h"
#include "tests/unit/tap.h"

/* Adds the numbers of what it is shown to a GString. */
static gboolean
note_number(const TrailRecord *record, gpointer data, GError **error)
{
  (void) error;
  g_string_append_printf(data, "%" G_GUINT64_FORMAT " ", record->number);
  return TRUE;
}

/* Which records the trail of FIXTURE gives for QUERY. */
static char *
numbers(Fixture *fixture, gboolean with_key, const TrailQuery *query)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GString) text = g_string_new("");
  g_autoptr(Trail) trail =
      trail_open(fixture->path, with_key ? fixture->ring : NULL, &error);
  g_assert_no_error(error);
  g_assert_true(trail_each(trail, query, note_number, text, &error));
  g_assert_no_error(error);
  return g_strdup(g_strchomp(text->str));
}

static void
assert_numbers(Fixture *fixture, const TrailQuery *query, const char *expected)
{
  g_autofree char *with_key = numbers(fixture, TRUE, query);
  g_assert_cmpstr(with_key, ==, expected);
  if (query->person == NULL && query->message_id == NULL) {
    g_autofree char *without = numbers(fixture, FALSE, query);
    g_assert_cmpstr(without, ==, expected);
  }
}

static Event *
at(Event *event, const char *time)
{
  g_autoptr(Attrs) attrs = event_format(event);
  g_autoptr(Attrs) other = attrs_new();
  g_autoptr(GError) error = NULL;
  for (guint i = 0; i < attrs_count(attrs); i++) {
    const char *key = NULL, *value = NULL;
    attrs_nth(attrs, i, &key, &value);
    attrs_add(other, key, strcmp(key, "at") == 0 ? time : value);
  }
  event_free(event);
  Event *moved = event_parse(other, &error);
  g_assert_no_error(error);
  return moved;
}

/* Record 1 is the key's own. */
static void
add_some(Fixture *fixture)
{
  fixture_add(fixture, at(event_new(EVENT_STORED, "4Xa", ORG, "ref", "r1", "from", DOCTOR,
                                    "to", PATIENT, "message-id", "<m1@x>", NULL),
                          "2026-11-22T10:00:00.000001Z"));
  fixture_add(fixture, at(event_new(EVENT_STORED, "4Xa", ORG, "ref", "r2", "from", DOCTOR,
                                    "to", "piet@example.com", "message-id", "<m1@x>", NULL),
                          "2026-11-22T10:00:00.000002Z"));
  fixture_add(fixture, at(event_new(EVENT_OPENED, NULL, ORG, "ref", "r1", "to", PATIENT,
                                    "for", DOCTOR, NULL),
                          "2026-11-22T12:00:00.000000Z"));
  fixture_add(fixture, at(event_new(EVENT_REFUSED, "4Xb", OTHER, "from",
                                    "Jan.Canary@Example.com", "code", "Z-302", NULL),
                          "2026-11-22T11:00:00.000000Z"));
}

static void
test_queries(Fixture *fixture, gconstpointer data)
{
  (void) data;
  add_some(fixture);
  gint64 ten = G_GINT64_CONSTANT(1795341600) * G_USEC_PER_SEC; /* 2026-11-22 10:00 UTC */
  const gint64 hour = 3600 * (gint64) G_USEC_PER_SEC;
  const struct {
    TrailQuery query;
    const char *expected;
  } rows[] = {
      {{.limit = 0}, "1 2 3 4 5"},
      {{.newest_first = TRUE}, "5 4 3 2 1"},
      {{.newest_first = TRUE, .limit = 2}, "5 4"},
      {{.after = 3}, "4 5"},
      {{.after = 3, .newest_first = TRUE}, "5 4"},
      {{.after = 1, .limit = 2}, "2 3"},
      {{.after = 9}, ""},
      {{.organisation = ORG}, "2 3 4"},
      {{.organisation = OTHER}, "5"},
      {{.organisation = "Linden"}, ""},
      {{.organisation = ORG, .newest_first = TRUE, .limit = 1}, "4"},
      {{.event = "stored"}, "2 3"},
      {{.event = "stored", .organisation = OTHER}, ""},
      {{.event = "audit-key"}, "1"},
      {{.nta = NTA_READING}, "4"},
      {{.nta = NTA_RECEIPT, .organisation = ORG}, "2 3"},
      {{.reference = "r1"}, "2 4"},
      {{.reference = "r1", .event = "opened"}, "4"},
      {{.queue_id = "4Xa"}, "2 3"},
      {{.queue_id = "4Xa", .after = 2}, "3"},
      {{.message_id = "<m1@x>"}, "2 3"},
      {{.message_id = "m1@x"}, "2 3"},
      {{.message_id = "M1@x"}, ""},
      {{.message_id = "<m1@x>", .person = PATIENT}, "2"},
      {{.person = PATIENT}, "2 4 5"},
      {{.person = "JAN.CANARY@EXAMPLE.COM"}, "2 4 5"},
      {{.person = PATIENT, .organisation = OTHER}, "5"},
      {{.person = DOCTOR, .event = "opened"}, "4"},
      {{.person = "nobody@example.com"}, ""},
      {{.from_us = ten, .until_us = ten + 1}, ""},
      {{.from_us = ten, .until_us = ten + 2}, "2"},
      {{.from_us = ten + 2, .until_us = ten + hour}, "3"},
      {{.from_us = ten, .until_us = ten + 3 * hour, .organisation = ORG}, "2 3 4"},
      {{.from_us = ten + hour, .until_us = ten + 2 * hour}, "5"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
    assert_numbers(fixture, &rows[i].query, rows[i].expected);
}

static void
test_lookup_needs_key(Fixture *fixture, gconstpointer data)
{
  (void) data;
  add_some(fixture);
  const TrailQuery query = {.person = PATIENT};
  g_autoptr(GError) error = NULL;
  g_autoptr(GString) text = g_string_new("");
  g_autoptr(Trail) trail = trail_open(fixture->path, NULL, NULL);
  g_assert_false(trail_each(trail, &query, note_number, text, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_KEY_UNKNOWN);
}

/* Takes the record as text, to be compared. */
static gboolean
note_text(const TrailRecord *record, gpointer data, GError **error)
{
  (void) error;
  g_autofree char *text = attrs_format(record->attrs, ATTR_ESCAPED);
  g_string_append(data, text);
  g_assert_false(record->erased);
  return TRUE;
}

/* What comes out is what went in, and who brought it. */
static void
test_same(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(Event) event = event_new(
      EVENT_STORED, "4Xa", ORG, "ref", "r1", "to", PATIENT, "to", DOCTOR, "number",
      "+316*****78", "detail", "sha256:looks-like-one", "about", "100%\x01=\xc3\xa9", NULL);
  g_autoptr(Attrs) attrs = event_format(event);
  attrs_add(attrs, "source", SOURCE);
  g_autofree char *expected = attrs_format(attrs, ATTR_ESCAPED);
  const TrailEntry entry = {event, SOURCE};
  g_autoptr(GError) error = NULL;
  g_assert_true(trail_writer_append(fixture->writer, &entry, 1, &error));
  g_autoptr(Trail) trail = trail_open(fixture->path, fixture->ring, &error);
  g_assert_no_error(error);
  const TrailQuery query = {.after = 1};
  g_autoptr(GString) text = g_string_new("");
  g_assert_true(trail_each(trail, &query, note_text, text, &error));
  g_assert_cmpstr(text->str, ==, expected);
}

/* Without the key a person is not there, not even in the file. */
static void
test_sealed(Fixture *fixture, gconstpointer data)
{
  (void) data;
  add_some(fixture);
  g_autoptr(Trail) trail = trail_open(fixture->path, NULL, NULL);
  const TrailQuery query = {.reference = "r1"};
  g_autoptr(GString) text = g_string_new("");
  g_assert_true(trail_each(trail, &query, note_text, text, NULL));
  g_assert_nonnull(strstr(text->str, "\nto=\n"));
  g_assert_nonnull(strstr(text->str, "\norg=" ORG "\n"));
  fixture_close(fixture);
  for (guint i = 0; i < 2; i++) {
    g_autofree char *path = g_strconcat(fixture->path, i == 0 ? "" : "-wal", NULL);
    g_autofree char *bytes = NULL;
    gsize len = 0;
    g_assert_true(g_file_get_contents(path, &bytes, &len, NULL));
    g_assert_null(memmem(bytes, len, "canary", strlen("canary")));
    g_assert_null(memmem(bytes, len, "m1@x", strlen("m1@x")));
  }
}

static void
test_repeated(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(Event) event = fixture_event(0);
  g_autoptr(Event) other = fixture_event(1);
  const TrailEntry entries[] = {{event, SOURCE}, {other, SOURCE}, {event, SOURCE}};
  g_autoptr(GError) error = NULL;
  for (guint i = 0; i < 2; i++) {
    g_assert_true(trail_writer_append(fixture->writer, entries, 3, &error));
    g_assert_no_error(error);
  }
  assert_numbers(fixture, &(TrailQuery){.after = 1}, "2 3");
}

static void
test_own_source_is_refused(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(Event) event = event_new(EVENT_AUDIT_ERASED, NULL, ORG, NULL);
  const TrailEntry entry = {event, TRAIL_OWN_SOURCE};
  g_autoptr(GError) error = NULL;
  g_assert_false(trail_writer_append(fixture->writer, &entry, 1, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  assert_numbers(fixture, &(TrailQuery){.after = 1}, "");
}

/* An event that no program of ours makes is cut, and says so. */
static void
test_large(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Event *event = event_new(EVENT_BOOK, NULL, NULL, NULL);
  g_autofree char *value = g_strnfill(1000, 'x');
  for (guint i = 0; i < 5000; i++)
    event_add(event, "about", value);
  fixture_add(fixture, event);
  g_autoptr(Trail) trail = trail_open(fixture->path, fixture->ring, NULL);
  g_autoptr(GString) text = g_string_new("");
  g_autoptr(GError) error = NULL;
  g_assert_true(trail_each(trail, &(TrailQuery){.after = 1}, note_text, text, &error));
  g_assert_no_error(error);
  g_assert_nonnull(strstr(text->str, "\ncut=yes\n"));
}

static void
test_no_trail(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autofree char *path = g_build_filename(fixture->directory, "other.db", NULL);
  g_autoptr(GError) missing = NULL;
  g_assert_null(trail_open(path, fixture->ring, &missing));
  g_assert_error(missing, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
  g_assert_true(g_file_set_contents(path, "", 0, NULL));
  g_autoptr(GError) empty = NULL;
  g_assert_null(trail_open(path, fixture->ring, &empty));
  g_assert_error(empty, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
}

#define ADD(name, func)                                                                    \
  g_test_add("/audit/trail/" name, Fixture, NULL, fixture_setup, func, fixture_teardown)

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  ADD("queries", test_queries);
  ADD("lookup-needs-key", test_lookup_needs_key);
  ADD("same", test_same);
  ADD("sealed", test_sealed);
  ADD("repeated", test_repeated);
  ADD("own-source-is-refused", test_own_source_is_refused);
  ADD("large", test_large);
  ADD("no-trail", test_no_trail);
  return g_test_run();
}
