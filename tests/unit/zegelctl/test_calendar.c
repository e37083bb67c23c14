/* Which days are working days: against the calendars of years that are known (M3). */
#include "zegelctl/calendar.h"

#include <string.h>

#include "tests/unit/tap.h"

#define HEAD                                                                               \
  "[organisation linden]\ndomains = linden.nl\nservice_domain = v.linden.nl\n"             \
  "viewer_url = https://v.linden.nl/\ndisplay_name = Linden\n"

static GDate
day_of(const char *text)
{
  GDate day;
  g_date_clear(&day, 1);
  g_auto(GStrv) parts = g_strsplit(text, "-", 3);
  g_date_set_dmy(&day, (GDateDay) g_ascii_strtoull(parts[2], NULL, 10),
                 (GDateMonth) g_ascii_strtoull(parts[1], NULL, 10),
                 (GDateYear) g_ascii_strtoull(parts[0], NULL, 10));
  return day;
}

static Config *
config_of(const char *more)
{
  g_autofree char *text = g_strconcat(HEAD, more, NULL);
  g_autoptr(GError) error = NULL;
  Config *config = conf_parse("test", text, strlen(text), &error);
  g_assert_no_error(error);
  return config;
}

static void
test_easter(void)
{
  static const char *const days[] = {"1583-04-10", "1818-03-22", "1943-04-25", "1954-04-18",
                                     "1981-04-19", "2000-04-23", "2008-03-23", "2011-04-24",
                                     "2019-04-21", "2024-03-31", "2025-04-20", "2026-04-05",
                                     "2027-03-28", "2038-04-25", "2049-04-18"};
  for (guint i = 0; i < G_N_ELEMENTS(days); i++) {
    GDate expected = day_of(days[i]), easter;
    calendar_easter(g_date_get_year(&expected), &easter);
    g_test_message("%s", days[i]);
    g_assert_cmpint(g_date_compare(&easter, &expected), ==, 0);
  }
}

/* All that is free in 2025, 2026 and 2030 beside weekends: nothing more, nothing less. */
static void
test_years(void)
{
  static const struct {
    GDateYear year;
    const char *days;
  } rows[] = {
      {2025, "2025-01-01 2025-04-20 2025-04-21 2025-04-26 2025-05-05 2025-05-29 "
             "2025-06-08 2025-06-09 2025-12-25 2025-12-26 "},
      {2026, "2026-01-01 2026-04-05 2026-04-06 2026-04-27 2026-05-14 2026-05-24 "
             "2026-05-25 2026-12-25 2026-12-26 "},
      {2031, "2031-01-01 2031-04-13 2031-04-14 2031-04-26 2031-05-22 2031-06-01 "
             "2031-06-02 2031-12-25 2031-12-26 "},
  };
  g_autoptr(Config) config = config_of("");
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GString) found = g_string_new(NULL);
    GDate day;
    g_date_clear(&day, 1);
    g_date_set_dmy(&day, 1, G_DATE_JANUARY, rows[i].year);
    for (; g_date_get_year(&day) == rows[i].year; g_date_add_days(&day, 1))
      if (calendar_holiday(config, &day) != NULL) {
        char text[16];
        g_date_strftime(text, sizeof text, "%Y-%m-%d ", &day);
        g_string_append(found, text);
      }
    g_assert_cmpstr(found->str, ==, rows[i].days);
  }
}

static void
test_working(void)
{
  static const struct {
    const char *more;
    const char *day;
    gboolean working;
  } rows[] = {
      {"", "2026-11-23", TRUE},  /* a Monday */
      {"", "2026-11-22", FALSE}, /* a Sunday */
      {"", "2026-11-21", FALSE}, /* a Saturday */
      {"", "2026-05-14", FALSE}, /* Ascension Day */
      {"", "2026-05-15", TRUE},
      {"", "2026-04-03", TRUE}, /* Good Friday */
      {"[calendar]\nextra = 2026-04-03, 2026-05-15\n", "2026-04-03", FALSE},
      {"[calendar]\nextra = 2026-04-03, 2026-05-15\n", "2026-05-15", FALSE},
      {"[calendar]\nworking = 2026-05-14\n", "2026-05-14", TRUE},
      {"[calendar]\nworking = 2026-11-21\n", "2026-11-21", TRUE},
      {"[calendar]\nholidays = none\n", "2026-05-14", TRUE},
      {"[calendar]\nholidays = none\nextra = 2026-05-14\n", "2026-05-14", FALSE},
      {"", "2026-05-05", TRUE},
      {"", "2025-05-05", FALSE},
      {"[calendar]\nliberation_day = yes\n", "2026-05-05", FALSE},
      {"[calendar]\nliberation_day = no\n", "2025-05-05", TRUE},
      {"", "2025-04-26", FALSE}, /* King's Day, a Saturday */
      {"", "2025-04-28", TRUE},
      {"", "2026-04-27", FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(Config) config = config_of(rows[i].more);
    GDate day = day_of(rows[i].day);
    g_test_message("%s %s", rows[i].day, rows[i].more);
    g_assert_cmpint(calendar_is_working(config, &day), ==, rows[i].working);
  }
}

static void
test_words(void)
{
  static const struct {
    const char *days;
    const char *day;
    gboolean has;
  } rows[] = {
      {"working", "2026-11-23", TRUE},     {"working", "2026-11-22", FALSE},
      {"all", "2026-11-22", TRUE},         {"all", "2026-12-25", TRUE},
      {"mon", "2026-11-23", TRUE},         {"tue wed", "2026-11-23", FALSE},
      {"sun", "2026-11-22", TRUE},         {"fri", "2026-12-25", TRUE},
      {"working sat", "2026-11-21", TRUE}, {"working", "2026-12-25", FALSE},
  };
  g_autoptr(Config) config = config_of("");
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_auto(GStrv) days = g_strsplit(rows[i].days, " ", -1);
    GDate day = day_of(rows[i].day);
    g_test_message("%s %s", rows[i].days, rows[i].day);
    g_assert_cmpint(calendar_has(config, days, &day), ==, rows[i].has);
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/calendar/easter", test_easter);
  g_test_add_func("/calendar/years", test_years);
  g_test_add_func("/calendar/working", test_working);
  g_test_add_func("/calendar/words", test_words);
  return g_test_run();
}
