/* What is asked of the audit trail, how records are printed, and keys and checkpoints. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/error.h"
#include "tests/unit/tap.h"
#include "zegelctl/audit_ask.h"
#include "zegelctl/audit_format.h"
#include "zegelctl/audit_key.h"

#define NOW_US                                                                             \
  (G_GINT64_CONSTANT(1795358096) * G_USEC_PER_SEC) /* 2026-11-22 14:34:56 Z                \
                                                    */
#define DAY_US     G_TIME_SPAN_DAY
#define CHECKPOINT "zegel-checkpoint 1 0a0b0c0d 12 abcd 2026-11-22T00:00:00Z c2ln"

/* ---- What is asked ---- */

static void
test_times(void)
{
  static const struct {
    const char *text;
    gboolean end;
    gint64 at_s; /* 0: refused */
  } rows[] = {
      {"2026-11-22", FALSE, 1795302000}, /* midnight in Amsterdam */
      {"2026-11-22", TRUE, 1795388400},
      {"2026-10-25", TRUE, 1792969200}, /* this day has 25 hours */
      {"2026-11-22 14:30", FALSE, 1795354200},
      {"2026-11-22T14:30:05", FALSE, 1795354205},
      {"2026-11-22T14:30:05Z", TRUE, 1795357805},
      {"1h", FALSE, NOW_US / G_USEC_PER_SEC - 3600},
      {"7d", TRUE, NOW_US / G_USEC_PER_SEC - 7 * 86400},
      {"", FALSE, 0},
      {"d", FALSE, 0},
      {"7", FALSE, 0},
      {"-7d", FALSE, 0},
      {"2026-02-30", FALSE, 0},
      {"22-11-2026", FALSE, 0},
      {"yesterday", FALSE, 0},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = NULL;
    gint64 at_us = -1;
    gboolean good = audit_ask_time(rows[i].text, NOW_US, rows[i].end, &at_us, &error);
    g_test_message("%s", rows[i].text);
    g_assert_cmpint(good, ==, rows[i].at_s != 0);
    if (good)
      g_assert_cmpint(at_us, ==, rows[i].at_s * G_USEC_PER_SEC);
    else
      g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  }
}

static void
test_messages(void)
{
  static const struct {
    const char *text, *reference, *queue_id, *message_id; /* all NULL: refused */
  } rows[] = {
      {"4f7kq0z2mnp8rstv", "4f7kq0z2mnp8rstv", NULL, NULL},
      {"4XbK2m3vZ1z9", NULL, "4XbK2m3vZ1z9", NULL},
      {"4gDtlT3Bt8z1Jkjx", NULL, "4gDtlT3Bt8z1Jkjx", NULL},
      {"A1B2C3D4E5", NULL, "A1B2C3D4E5", NULL},
      {"a@b.nl", NULL, NULL, "<a@b.nl>"},
      {"<a@b.nl>", NULL, NULL, "<a@b.nl>"},
      {"", NULL, NULL, NULL},
      {"a b", NULL, NULL, NULL},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = NULL;
    g_auto(AuditQuery) query = {.message_id = NULL};
    const AuditAsk ask = {.message = rows[i].text};
    gboolean good = audit_ask_query(&ask, NOW_US, &query, &error);
    g_test_message("%s", rows[i].text);
    g_assert_cmpstr(query.query.reference, ==, rows[i].reference);
    g_assert_cmpstr(query.query.queue_id, ==, rows[i].queue_id);
    g_assert_cmpstr(query.query.message_id, ==, rows[i].message_id);
    g_assert_cmpint(good, ==,
                    rows[i].reference != NULL || rows[i].queue_id != NULL ||
                        rows[i].message_id != NULL);
  }
}

static void
test_asks(void)
{
  g_autoptr(GError) error = NULL;
  g_auto(AuditQuery) query = {.message_id = NULL};
  const AuditAsk ask = {.since = "7d",
                        .until = "1d",
                        .person = "jan@example.com",
                        .message = "a@b.nl",
                        .event = "opened",
                        .organisation = "linden"};
  g_assert_true(audit_ask_query(&ask, NOW_US, &query, &error));
  g_assert_cmpint(query.query.from_us, ==, NOW_US - 7 * DAY_US);
  g_assert_cmpint(query.query.until_us, ==, NOW_US - DAY_US);
  g_assert_cmpstr(query.query.person, ==, "jan@example.com");
  g_assert_cmpstr(query.query.event, ==, "opened");
  g_assert_cmpstr(query.query.organisation, ==, "linden");
  g_autoptr(Event) event = event_new(EVENT_AUDIT_READ, NULL, "linden", NULL);
  audit_ask_record(&ask, &query, event);
  g_assert_cmpstr(event_get(event, "about"), ==, "jan@example.com");
  g_assert_cmpstr(event_get(event, "message-id"), ==, "<a@b.nl>");
  g_assert_cmpstr(event_get(event, "events"), ==, "opened");
  g_assert_cmpstr(event_get(event, "since"), ==, "2026-11-15T14:34:56Z");
  g_assert_cmpstr(event_get(event, "until"), ==, "2026-11-21T14:34:56Z");
}

static void
test_no_such_event(void)
{
  g_autoptr(GError) error = NULL;
  g_auto(AuditQuery) query = {.message_id = NULL};
  const AuditAsk ask = {.event = "open"};
  g_assert_false(audit_ask_query(&ask, NOW_US, &query, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
}

/* ---- How records look ---- */

static Attrs *
make_attrs(void)
{
  Attrs *attrs = attrs_new();
  attrs_add(attrs, "event", "stored");
  attrs_add(attrs, "at", "2026-11-22T14:34:56.000000Z");
  attrs_add(attrs, "org", "linden");
  attrs_add(attrs, "outcome", "ok");
  attrs_add(attrs, "from", "=HYPERLINK(\"x\",\"y\")@b.nl");
  attrs_add(attrs, "number", "+316*****78");
  attrs_add(attrs, "text", "'tis");
  attrs_add(attrs, "nexthop", "@SUM(A1)");
  attrs_add(attrs, "detail", "-");
  attrs_add(attrs, "to", "");
  attrs_add(attrs, "domain", "a.nl");
  attrs_add(attrs, "domain", "b.nl");
  attrs_add(attrs, "fresh", "1");
  return attrs;
}

/* The fields of the last line of CSV, without their quotes. */
static GPtrArray *
split_csv(const char *line)
{
  GPtrArray *fields = g_ptr_array_new_with_free_func(g_free);
  GString *field = g_string_new(NULL);
  gboolean quoted = FALSE;
  for (const char *p = line; *p != '\0'; p++) {
    if (*p == '"' && quoted && p[1] == '"')
      g_string_append_c(field, *++p);
    else if (*p == '"')
      quoted = !quoted;
    else if (!quoted && (*p == ',' || g_str_has_prefix(p, "\r\n"))) {
      g_ptr_array_add(fields, g_strdup(field->str));
      g_string_truncate(field, 0);
      p += *p == '\r' ? 1 : 0;
    } else
      g_string_append_c(field, *p);
  }
  g_assert_cmpuint(field->len, ==, 0);
  g_string_free(field, TRUE);
  return fields;
}

static const char *
find_field(const GPtrArray *head, const GPtrArray *fields, const char *name)
{
  g_assert_cmpuint(head->len, ==, fields->len);
  for (guint i = 0; i < head->len; i++)
    if (strcmp(head->pdata[i], name) == 0)
      return fields->pdata[i];
  return NULL;
}

static void
test_csv(void)
{
  static const struct {
    const char *column, *value;
  } rows[] = {
      {"record", "7"},
      {"erased", "yes"},
      {"event", "stored"},
      {"from", "'=HYPERLINK(\"x\",\"y\")@b.nl"},
      {"number", "'+316*****78"},
      {"text", "''tis"},
      {"nexthop", "'@SUM(A1)"},
      {"detail", "'-"},
      {"to", ""},
      {"by", ""},
      {"domain", "a.nl b.nl"},
      {"more", "fresh=1"},
  };
  g_autoptr(Attrs) attrs = make_attrs();
  const TrailRecord record = {.number = 7, .at_us = NOW_US, .attrs = attrs, .erased = TRUE};
  g_autoptr(GString) head = g_string_new(NULL);
  g_autoptr(GString) line = g_string_new(NULL);
  audit_append_csv_head(head);
  audit_append_csv(line, &record);
  g_autoptr(GPtrArray) names = split_csv(head->str);
  g_autoptr(GPtrArray) fields = split_csv(line->str);
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
    g_assert_cmpstr(find_field(names, fields, rows[i].column), ==, rows[i].value);
}

/* Each key of zegel-events(5) has a column of its own. */
static void
test_csv_has_every_key(void)
{
  g_autofree char *path = g_test_build_filename(G_TEST_DIST, "man", "zegel-events.5", NULL);
  g_autofree char *page = NULL;
  g_autoptr(GString) head = g_string_new(",");
  guint count = 0;
  g_assert_true(g_file_get_contents(path, &page, NULL, NULL));
  audit_append_csv_head(head);
  g_auto(GStrv) lines = g_strsplit(page, "\n", 0);
  for (char **line = lines; *line != NULL; line++) {
    if (!g_str_has_prefix(*line, ".It Va "))
      continue;
    g_auto(GStrv) keys = g_strsplit(*line + strlen(".It Va "), " , ", 0);
    for (char **key = keys; *key != NULL; key++, count++) {
      g_autofree char *column = g_strdup_printf(",%s,", *key);
      g_test_message("%s", *key);
      g_assert_nonnull(strstr(head->str, column));
    }
  }
  g_assert_cmpuint(count, >, 100);
}

static void
test_json(void)
{
  g_autoptr(Attrs) attrs = make_attrs();
  const TrailRecord record = {.number = 7, .at_us = NOW_US, .attrs = attrs};
  g_autoptr(GString) line = g_string_new(NULL);
  audit_append_json(line, &record);
  g_assert_cmpstr(line->str, ==,
                  "{\"record\": 7, \"erased\": false, \"event\": \"stored\", "
                  "\"at\": \"2026-11-22T14:34:56.000000Z\", \"org\": \"linden\", "
                  "\"outcome\": \"ok\", "
                  "\"from\": \"=HYPERLINK(\\\"x\\\",\\\"y\\\")@b.nl\", "
                  "\"number\": \"+316*****78\", \"text\": \"'tis\", "
                  "\"nexthop\": \"@SUM(A1)\", \"detail\": \"-\", \"to\": \"\", "
                  "\"domain\": \"a.nl b.nl\", \"fresh\": \"1\"}\n");
}

static void
test_text(void)
{
  g_autoptr(Attrs) attrs = attrs_new();
  attrs_add(attrs, "event", "opened");
  attrs_add(attrs, "outcome", "ok");
  attrs_add(attrs, "ref", "4f7kq0z2mnp8rstv");
  attrs_add(attrs, "to", "");
  attrs_add(attrs, "for", "a\x1b[1mb");
  TrailRecord record = {.number = 7, .at_us = NOW_US, .attrs = attrs, .erased = TRUE};
  g_autoptr(GString) line = g_string_new(NULL);
  audit_append_text(line, &record, FALSE);
  g_assert_cmpstr(line->str, ==,
                  "       7  2026-11-22 15:34:56 +0100  opened           ok       -  "
                  "ref=4f7kq0z2mnp8rstv to=(erased) for=a?[1mb\n");
  record.erased = FALSE;
  g_string_truncate(line, 0);
  audit_append_text(line, &record, TRUE);
  g_assert_cmpstr(line->str, ==,
                  "       7  2026-11-22 15:34:56 +0100  opened           ok       -\n"
                  "    ref=4f7kq0z2mnp8rstv to=(sealed) for=a?[1mb\n");
}

/* ---- Keys and checkpoints ---- */

static void
test_key(void)
{
  guint8 key[CHECKPOINT_PUBLIC_BYTES], again[CHECKPOINT_PUBLIC_BYTES] = {0};
  g_autoptr(GError) error = NULL;
  for (guint i = 0; i < sizeof key; i++)
    key[i] = (guint8) (i * 7 + 1);
  g_autofree char *text = audit_key_format(0x0a0b0c0d, key);
  g_assert_nonnull(strstr(text, "0a0b0c0d"));
  g_assert_true(audit_key_parse("key.pem", text, again, &error));
  g_assert_cmpmem(key, sizeof key, again, sizeof again);
  static const char *const bad[] = {
      "", "-----BEGIN PUBLIC KEY-----\n",
      "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyE=\n-----END PUBLIC KEY-----\n",
      /* X25519 */
      "-----BEGIN PUBLIC "
      "KEY-----\nMCowBQYDK2VuAyEAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=\n"
      "-----END PUBLIC KEY-----\n"};
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) reason = NULL;
    g_assert_false(audit_key_parse("key.pem", bad[i], again, &reason));
    g_assert_error(reason, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  }
}

static void
test_checkpoints(void)
{
  g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
  guint count = audit_checkpoints_find(
      "Subject: zegel-checkpoint 1\n\n" CHECKPOINT "\r\n"
      "Nov 22 00:00:01 mx zegel-auditd[7]: checkpoint " CHECKPOINT "2\n"
      "zegel-checkpoint 1 0a0b0c0d\n",
      found);
  g_assert_cmpuint(count, ==, 2);
  g_assert_cmpstr(found->pdata[0], ==, CHECKPOINT);
  g_assert_cmpstr(found->pdata[1], ==, CHECKPOINT "2");
  count = audit_checkpoints_find("Content-Transfer-Encoding: quoted-printable\r\n\r\n"
                                 "zegel-checkpoint 1 0a0b0c0d 12 ab=\r\ncd "
                                 "2026-11-22T00:00:00Z c2ln=3D=3D\r\n",
                                 found);
  g_assert_cmpuint(count, ==, 1);
  g_assert_cmpstr(found->pdata[2], ==, CHECKPOINT "==");
}

int
main(int argc, char **argv)
{
  setenv("TZ", "Europe/Amsterdam", 1);
  tzset();
  tap_init(argc, argv);
  g_test_add_func("/audit/times", test_times);
  g_test_add_func("/audit/messages", test_messages);
  g_test_add_func("/audit/asks", test_asks);
  g_test_add_func("/audit/no such event", test_no_such_event);
  g_test_add_func("/audit/csv", test_csv);
  g_test_add_func("/audit/csv has every key", test_csv_has_every_key);
  g_test_add_func("/audit/json", test_json);
  g_test_add_func("/audit/text", test_text);
  g_test_add_func("/audit/key", test_key);
  g_test_add_func("/audit/checkpoints", test_checkpoints);
  return g_test_run();
}
