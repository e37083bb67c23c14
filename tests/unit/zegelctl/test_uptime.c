/*
 * Which minutes were good, and what is counted of them.
 */
#include "zegelctl/uptime.h"

#define START G_GINT64_CONSTANT(1800000000) /* a whole minute */

/* One letter a minute: + looked at and good, - and bad, 0 nobody looked, * both; p below
 * it: it was planned. */
static const struct {
  const char *looked, *planned;
  UptimeCount count;
} rows[] = {
    {"++++++", "......", {6, 6, 0, 0, 0, 0, 0, 0}},
    {"++--++", "......", {6, 4, 2, 0, 0, 0, 1, 2}},
    {"+*++++", "......", {6, 5, 1, 0, 0, 0, 1, 1}},
    {"++0+++", "......", {6, 6, 0, 0, 0, 0, 0, 0}},
    {"+-0+++", "......", {6, 4, 2, 0, 0, 0, 1, 2}},
    {"++00++", "......", {6, 4, 0, 2, 0, 0, 1, 2}},
    {"0+++00", "......", {6, 3, 0, 3, 0, 0, 2, 2}},
    {"++00-+", "..ppp.", {6, 3, 1, 2, 3, 3, 0, 0}},
    {"+-00-+", "..pp..", {6, 2, 2, 2, 2, 2, 2, 1}},
    {"++++++", "..ppp.", {6, 6, 0, 0, 3, 0, 0, 0}},
    {"000000", "......", {6, 0, 0, 6, 0, 0, 1, 6}},
};

static Uptime *
make(const char *looked, const char *planned)
{
  gint64 at_s = START;
  Uptime *uptime = uptime_new(START, START + 6 * UPTIME_MINUTE_S);
  for (guint i = 0; i < 6; i++, at_s += UPTIME_MINUTE_S) {
    if (looked[i] == '+' || looked[i] == '*')
      uptime_add(uptime, at_s + i, TRUE);
    if (looked[i] == '-' || looked[i] == '*')
      uptime_add(uptime, at_s + 59, FALSE);
    if (planned[i] == 'p')
      uptime_plan(uptime, at_s, at_s + UPTIME_MINUTE_S);
  }
  return uptime;
}

static void
check(const UptimeCount *count, const UptimeCount *wanted)
{
  g_assert_cmpuint(count->all, ==, wanted->all);
  g_assert_cmpuint(count->good, ==, wanted->good);
  g_assert_cmpuint(count->bad, ==, wanted->bad);
  g_assert_cmpuint(count->unseen, ==, wanted->unseen);
  g_assert_cmpuint(count->planned, ==, wanted->planned);
  g_assert_cmpuint(count->planned_lost, ==, wanted->planned_lost);
  g_assert_cmpuint(count->interruptions, ==, wanted->interruptions);
  g_assert_cmpuint(count->longest, ==, wanted->longest);
}

static void
test_count(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    UptimeCount count = {.all = 77};
    g_autoptr(Uptime) uptime = make(rows[i].looked, rows[i].planned);
    g_test_message("%s", rows[i].looked);
    uptime_count(uptime, START, START + 6 * UPTIME_MINUTE_S, &count);
    check(&count, &rows[i].count);
  }
}

/* A part of it, and what lies outside. */
static void
test_part(void)
{
  UptimeCount count;
  const UptimeCount wanted = {2, 1, 1, 0, 1, 0, 1, 1};
  g_autoptr(Uptime) uptime = make("+++-++", "......");
  uptime_add(uptime, START - 1, FALSE);
  uptime_add(uptime, START + 6 * UPTIME_MINUTE_S, FALSE);
  uptime_plan(uptime, START - 7200, START + 3 * UPTIME_MINUTE_S);
  uptime_count(uptime, START + 2 * UPTIME_MINUTE_S, START + 4 * UPTIME_MINUTE_S, &count);
  check(&count, &wanted);
  uptime_count(uptime, START - 7200, START + 7200, &count);
  g_assert_cmpuint(count.all, ==, 6);
}

static void
test_share(void)
{
  g_assert_cmpuint(uptime_share(0, 0), ==, 100000);
  g_assert_cmpuint(uptime_share(1, 1), ==, 100000);
  g_assert_cmpuint(uptime_share(43199, 43200), ==, 99997); /* never rounded up */
  g_assert_cmpuint(uptime_share(0, 43200), ==, 0);
  g_assert_cmpuint(uptime_share(5256000, 5256000), ==, 100000);
}

static void
test_nothing(void)
{
  UptimeCount count = {.all = 77};
  g_autoptr(Uptime) uptime = uptime_new(START, START - 100);
  uptime_add(uptime, START, TRUE);
  uptime_count(uptime, 0, G_MAXINT64, &count);
  g_assert_cmpuint(count.all, ==, 0);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/uptime/count", test_count);
  g_test_add_func("/uptime/part", test_part);
  g_test_add_func("/uptime/share", test_share);
  g_test_add_func("/uptime/nothing", test_nothing);
  return g_test_run();
}
