/*
 * Windows for maintenance: what is one, and when it is.
 */
#include "common/conf/window.h"

static void
test_valid(void)
{
  static const char *const good[] = {
      "sun 02:00-04:00",
      "daily 03:30-03:40",
      "2026-12-24 22:00-06:00",
      "mon 00:00-00:00",
  };
  static const char *const bad[] = {
      "",
      "sun",
      "sun 2:00-4:00",
      "sun 02:00",
      "sun 24:00-01:00",
      "sunday 02:00-04:00",
      "2026-02-30 02:00-04:00",
      "sun 02:00-04:0x",
      "sun  02:00-04:00",
      "02:00-04:00",
      "sun 02:00-04:00 ",
  };
  for (guint i = 0; i < G_N_ELEMENTS(good); i++)
    g_assert_true(window_is_valid(good[i]));
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
    g_assert_false(window_is_valid(bad[i]));
}

/* 2026-11-22 is a Sunday; the clock goes back on 2026-10-25 at 03:00. */
static const struct {
  const char *window, *at, *begins, *ends; /* NULL: not within */
} rows[] = {
    {"sun 02:00-04:00", "2026-11-22T02:00:00+01", "2026-11-22T02:00:00+01",
     "2026-11-22T04:00:00+01"},
    {"sun 02:00-04:00", "2026-11-22T03:59:59+01", "2026-11-22T02:00:00+01",
     "2026-11-22T04:00:00+01"},
    {"sun 02:00-04:00", "2026-11-22T04:00:00+01", NULL, NULL},
    {"sun 02:00-04:00", "2026-11-22T01:59:59+01", NULL, NULL},
    {"sun 02:00-04:00", "2026-11-23T02:30:00+01", NULL, NULL},
    {"daily 23:50-00:10", "2026-11-23T00:05:00+01", "2026-11-22T23:50:00+01",
     "2026-11-23T00:10:00+01"},
    {"2026-12-24 22:00-06:00", "2026-12-25T05:59:00+01", "2026-12-24T22:00:00+01",
     "2026-12-25T06:00:00+01"},
    {"2026-12-24 22:00-06:00", "2026-12-25T22:30:00+01", NULL, NULL},
    {"2026-12-24 22:00-06:00", "2027-12-24T22:30:00+01", NULL, NULL},
    /* Three hours on the wall, four hours long. */
    {"sun 01:00-04:00", "2026-10-25T03:30:00+01", "2026-10-25T01:00:00+02",
     "2026-10-25T04:00:00+01"},
    {"mon 00:00-00:00", "2026-11-23T12:00:00+01", "2026-11-23T00:00:00+01",
     "2026-11-24T00:00:00+01"},
};

static gint64
parse(const char *text)
{
  g_autoptr(GDateTime) at = g_date_time_new_from_iso8601(text, NULL);
  g_assert_nonnull(at);
  return g_date_time_to_unix(at);
}

static void
test_find(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    const char *const windows[] = {"2001-01-01 00:00-01:00", rows[i].window, NULL};
    gint64 begins_s = -1, ends_s = -1;
    gboolean found = window_find(windows, parse(rows[i].at), &begins_s, &ends_s);
    g_assert_cmpint(found, ==, rows[i].begins != NULL);
    if (!found)
      continue;
    g_assert_cmpint(begins_s, ==, parse(rows[i].begins));
    g_assert_cmpint(ends_s, ==, parse(rows[i].ends));
  }
}

static void
test_none(void)
{
  const char *const windows[] = {NULL};
  gint64 begins_s, ends_s;
  g_assert_false(window_find(windows, 0, &begins_s, &ends_s));
}

int
main(int argc, char **argv)
{
  g_setenv("TZ", "Europe/Amsterdam", TRUE);
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/window/valid", test_valid);
  g_test_add_func("/window/find", test_find);
  g_test_add_func("/window/none", test_none);
  return g_test_run();
}
