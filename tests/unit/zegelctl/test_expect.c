/* Whether the flow is as a rule expects (M3): when it is judged, what counts, who was told.
 */
#include "zegelctl/expect.h"

#include <glib/gstdio.h>
#include <string.h>

#include "tests/unit/tap.h"
#include "zegelctl/given.h"

#define HEAD                                                                               \
  "[organisation linden]\ndomains = linden.nl\nservice_domain = v.linden.nl\n"             \
  "viewer_url = https://v.linden.nl/\ndisplay_name = Linden\n"                             \
  "[rule lab]\norganisation = linden\n"
#define MINUTE G_TIME_SPAN_MINUTE
#define HOUR   G_TIME_SPAN_HOUR

static Config *
config_of(const char *more)
{
  g_autofree char *text = g_strconcat(HEAD, more, NULL);
  g_autoptr(GError) error = NULL;
  Config *config = conf_parse("test", text, strlen(text), &error);
  g_assert_no_error(error);
  return config;
}

/* "2026-11-23T09:30:00", here. */
static gint64
at(const char *text)
{
  g_autoptr(GTimeZone) zone = g_time_zone_new_local();
  g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, zone);
  g_assert_nonnull(time);
  return g_date_time_to_unix(time) * G_USEC_PER_SEC;
}

static GDate
day_of(const char *text)
{
  g_autofree char *noon = g_strconcat(text, "T12:00:00Z", NULL);
  g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(noon, NULL);
  GDate day;
  g_date_clear(&day, 1);
  g_date_set_dmy(&day, (GDateDay) g_date_time_get_day_of_month(time),
                 (GDateMonth) g_date_time_get_month(time),
                 (GDateYear) g_date_time_get_year(time));
  return day;
}

static void
test_due(void)
{
  static const struct {
    const char *rule;
    const char *day;
    const char *now;
    gboolean due;
    const char *until; /* or NULL: now */
  } rows[] = {
      {"fewer_than=1\nby=10:00\n", "2026-11-23", "2026-11-23T09:59:59", FALSE, ""},
      {"fewer_than=1\nby=10:00\n", "2026-11-23", "2026-11-23T10:00:00", TRUE,
       "2026-11-23T10:00:00"},
      /* the machine was off at ten */
      {"fewer_than=1\nby=10:00\n", "2026-11-23", "2026-11-23T17:12:00", TRUE,
       "2026-11-23T10:00:00"},
      /* a run at midnight still sees the last quarter */
      {"fewer_than=1\nby=23:59\n", "2026-11-23", "2026-11-24T00:07:00", TRUE,
       "2026-11-23T23:59:00"},
      {"fewer_than=1\nby=10:00\n", "2026-11-23", "2026-11-24T00:59:00", TRUE,
       "2026-11-23T10:00:00"},
      {"fewer_than=1\nby=10:00\n", "2026-11-23", "2026-11-24T01:01:00", FALSE, ""},
      {"fewer_than=1\nby=10:00\n", "2026-11-24", "2026-11-23T12:00:00", FALSE, ""},
      /* a Sunday, a holiday, a holiday on which people work */
      {"fewer_than=1\nby=10:00\n", "2026-11-22", "2026-11-22T12:00:00", FALSE, ""},
      {"fewer_than=1\nby=10:00\ndays=all\n", "2026-11-22", "2026-11-22T12:00:00", TRUE,
       "2026-11-22T10:00:00"},
      {"fewer_than=1\nby=10:00\n", "2026-12-25", "2026-12-25T12:00:00", FALSE, ""},
      {"fewer_than=1\nby=10:00\n[calendar]\nworking=2026-12-25\n", "2026-12-25",
       "2026-12-25T12:00:00", TRUE, "2026-12-25T10:00:00"},
      /* the nights in which the clocks change */
      {"fewer_than=1\nby=02:30\ndays=all\n", "2026-03-29", "2026-03-29T03:31:00", TRUE,
       "2026-03-29T03:00:00"},
      {"fewer_than=1\nby=02:30\ndays=all\n", "2026-03-29", "2026-03-29T01:59:00", FALSE,
       ""},
      {"fewer_than=1\nby=09:00\ndays=all\n", "2026-10-25", "2026-10-25T08:59:00", FALSE,
       ""},
      {"fewer_than=1\nby=09:00\ndays=all\n", "2026-10-25", "2026-10-25T09:00:00", TRUE,
       "2026-10-25T09:00:00"},
      /* a share counts up to now, and the whole day when that is over */
      {"viewer_over=10\n", "2026-11-23", "2026-11-23T00:15:00", TRUE, NULL},
      {"viewer_over=10\n", "2026-11-23", "2026-11-24T00:15:00", TRUE,
       "2026-11-24T00:00:00"},
      {"viewer_over=10\nby=12:00\n", "2026-11-23", "2026-11-23T11:00:00", FALSE, ""},
      {"viewer_over=10\nby=12:00\n", "2026-11-23", "2026-11-23T13:00:00", TRUE, NULL},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(Config) config = config_of(rows[i].rule);
    GDate day = day_of(rows[i].day);
    gint64 from_us = -1, until_us = -1, now_us = at(rows[i].now);
    g_test_message("row %u: %s", i, rows[i].now);
    gboolean due =
        expect_due(config, config->rules->pdata[0], &day, now_us, &from_us, &until_us);
    g_assert_cmpint(due, ==, rows[i].due);
    if (!due)
      continue;
    g_autofree char *midnight = g_strconcat(rows[i].day, "T00:00:00", NULL);
    g_assert_cmpint(from_us, ==, at(midnight));
    g_assert_cmpint(until_us, ==, rows[i].until != NULL ? at(rows[i].until) : now_us);
  }
}

static void
add(Expect *expect, gint64 at_us, const char *name, ...) G_GNUC_NULL_TERMINATED;

static void
add(Expect *expect, gint64 at_us, const char *name, ...)
{
  g_autoptr(Attrs) attrs = attrs_new();
  va_list list;
  attrs_add(attrs, "event", name);
  va_start(list, name);
  for (const char *key; (key = va_arg(list, const char *)) != NULL;)
    attrs_add(attrs, key, va_arg(list, const char *));
  va_end(list);
  expect_add(expect, attrs, at_us);
}

/* Of these events each kind counts its own. */
static void
test_kinds(void)
{
  static const struct {
    const char *rule;
    guint count;
  } rows[] = {
      {"kind=sent\n", 4},
      {"kind=sent\ndomain=X.nl\n", 3},
      {"kind=viewer\n", 1},
      {"kind=viewer\ndomain=y.nl\n", 0},
      {"kind=direct\n", 2},
      {"kind=received\n", 3},
      {"kind=received\ndomain=x.nl\n", 2},
      {"kind=secure\n", 2},
      {"kind=opened\n", 1},
      {"kind=answered\n", 1},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *text = g_strconcat(rows[i].rule, "fewer_than=100\nby=10:00\n", NULL);
    g_autoptr(Config) config = config_of(text);
    gint64 from_us = at("2026-11-23T00:00:00"), until_us = at("2026-11-23T10:00:00");
    g_autoptr(Expect) expect = expect_new(config->rules->pdata[0], from_us, until_us);
    add(expect, from_us - 1, "routed", "to", "b@x.nl", "route", "viewer", NULL);
    add(expect, from_us, "routed", "to", "b@x.nl", "route", "viewer", NULL);
    add(expect, from_us + HOUR, "routed", "to", "b@X.NL", "route", "direct", NULL);
    add(expect, from_us + HOUR, "routed", "to", "b@y.nl", "route", "prefer", NULL);
    add(expect, until_us - 1, "routed", "to", "b@x.nl", "route", "own", NULL);
    add(expect, until_us, "routed", "to", "b@x.nl", "route", "viewer", NULL);
    add(expect, from_us, "verified", "from", "b@x.nl", "secure", "nta", NULL);
    add(expect, from_us, "verified", "from", "b@x.nl", "secure", "no", NULL);
    add(expect, from_us, "verified", "from", "b@y.nl", "secure", "community", NULL);
    add(expect, from_us, "opened", "to", "b@x.nl", NULL);
    add(expect, from_us, "answered", "from", "b@x.nl", NULL);
    g_autoptr(GPtrArray) alarms = expect_alarms(expect);
    g_test_message("%s", rows[i].rule);
    g_assert_cmpuint(alarms->len, ==, 1);
    const Alarm *alarm = alarms->pdata[0];
    g_assert_cmpuint(alarm->count, ==, rows[i].count);
    g_assert_cmpuint(alarm->limit, ==, 100);
    g_assert_cmpstr(alarm->domain, ==, "-");
  }
}

/* One fewer than asked is an alarm, as many are none. */
static void
test_fewer(void)
{
  for (guint count = 0; count < 4; count++) {
    g_autoptr(Config) config = config_of("fewer_than=2\nby=10:00\n");
    g_autoptr(Expect) expect = expect_new(config->rules->pdata[0], 0, HOUR);
    for (guint i = 0; i < count; i++)
      add(expect, (gint64) i, "routed", "to", "b@x.nl", "route", "viewer", NULL);
    g_autoptr(GPtrArray) alarms = expect_alarms(expect);
    g_assert_cmpuint(alarms->len, ==, count < 2 ? 1 : 0);
  }
}

static void
test_share(void)
{
  static const struct {
    const char *rule;
    guint direct, fell;
    guint percent; /* of the alarm; 0: none */
  } rows[] = {
      {"viewer_over=10\nminimum=10\n", 9, 1, 0}, /* not more than */
      {"viewer_over=10\nminimum=10\n", 8, 2, 20},
      {"viewer_over=10\nminimum=11\n", 8, 2, 0}, /* too few */
      {"viewer_over=0\nminimum=1\n", 99, 1, 1},
      {"viewer_over=0\nminimum=1\n", 5, 0, 0},
      {"viewer_over=99\nminimum=1\n", 0, 3, 100},
      {"viewer_over=10\nminimum=1\ndomain=p.nl\n", 1, 1, 50},
      {"viewer_over=10\nminimum=1\ndomain=q.nl\n", 1, 1, 0},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(Config) config = config_of(rows[i].rule);
    gint64 from_us = at("2026-11-23T00:00:00");
    g_autoptr(Expect) expect =
        expect_new(config->rules->pdata[0], from_us, from_us + 9 * HOUR);
    add(expect, from_us - HOUR, "routed", "to", "b@p.nl", "route", "direct", NULL);
    add(expect, from_us, "routed", "to", "b@never.nl", "route", "viewer", "detail",
        "Z-N1-RECORD", NULL);
    for (guint n = 0; n < rows[i].direct; n++)
      add(expect, from_us, "routed", "to", "b@p.nl", "route", "direct", NULL);
    for (guint n = 0; n < rows[i].fell; n++)
      add(expect, from_us, "routed", "to", "b@p.nl", "route", "viewer", "detail",
          "Z-N1-RECORD", NULL);
    g_autoptr(GPtrArray) alarms = expect_alarms(expect);
    g_test_message("row %u", i);
    g_assert_cmpuint(alarms->len, ==, rows[i].percent > 0 ? 1 : 0);
    if (alarms->len == 0)
      continue;
    const Alarm *alarm = alarms->pdata[0];
    g_assert_cmpstr(alarm->domain, ==, "p.nl");
    g_assert_cmpuint(alarm->count, ==, rows[i].fell);
    g_assert_cmpuint(alarm->percent, ==, rows[i].percent);
  }
}

static void
test_text(void)
{
  g_autoptr(Config) config = config_of("fewer_than=5\nby=09:05\nkind=received\n");
  const Alarm alarm = {(char *) "-", 3, 5, 0};
  g_autofree char *text = expect_text(config->rules->pdata[0], &alarm, "2026-11-23");
  g_assert_nonnull(strstr(text, "op 2026-11-23 waren er om 09:05 3 ontvangen berichten"));
  g_assert_nonnull(strstr(text, "at 09:05 there were 3 messages that came in. Expected: at "
                                "least 5."));
}

/* ---- What was given ---- */

static void
test_given(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *root = g_dir_make_tmp("zegel-given-XXXXXX", NULL);
  g_autofree char *directory = g_build_filename(root, "watch", NULL);
  g_autofree char *path = g_build_filename(directory, "alarms", NULL);
  GDate today = day_of("2026-11-23"), later = day_of("2026-12-01");
  g_autoptr(Given) given = given_load(path, &today, &error);
  g_assert_no_error(error);
  g_assert_false(given_has(given, "2026-11-23", "lab", "-", "log"));
  g_assert_true(given_add(given, "2026-11-23", "lab", "-", "log", &error));
  g_assert_true(given_add(given, "2026-11-24", "lab", "p.nl", "a@x.nl", &error));
  g_assert_true(given_has(given, "2026-11-23", "lab", "-", "log"));
  g_assert_false(given_has(given, "2026-11-23", "lab", "-", "a@x.nl"));
  g_assert_false(given_has(given, "2026-11-24", "lab", "-", "log"));
  g_assert_false(given_has(given, "2026-11-23", "lab2", "-", "log"));

  g_autoptr(Given) again = given_load(path, &today, &error);
  g_assert_no_error(error);
  g_assert_true(given_has(again, "2026-11-23", "lab", "-", "log"));
  g_assert_true(given_has(again, "2026-11-24", "lab", "p.nl", "a@x.nl"));

  g_autoptr(Given) old = given_load(path, &later, &error);
  g_assert_no_error(error);
  g_assert_false(given_has(old, "2026-11-23", "lab", "-", "log")); /* eight days */
  g_assert_true(given_has(old, "2026-11-24", "lab", "p.nl", "a@x.nl"));

  g_assert_true(g_file_set_contents(path, "x\n\n2026-11-23 lab - log\n%", -1, NULL));
  g_autoptr(Given) broken = given_load(path, &today, &error);
  g_assert_no_error(error);
  g_assert_true(given_has(broken, "2026-11-23", "lab", "-", "log"));
  g_unlink(path);
  g_rmdir(directory);
  g_rmdir(root);
}

int
main(int argc, char **argv)
{
  g_setenv("TZ", "Europe/Amsterdam", TRUE);
  tap_init(argc, argv);
  g_test_add_func("/expect/due", test_due);
  g_test_add_func("/expect/kinds", test_kinds);
  g_test_add_func("/expect/fewer", test_fewer);
  g_test_add_func("/expect/share", test_share);
  g_test_add_func("/expect/text", test_text);
  g_test_add_func("/expect/given", test_given);
  return g_test_run();
}
