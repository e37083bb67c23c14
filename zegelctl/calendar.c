#include "zegelctl/calendar.h"

#include <string.h>

#define DATE_BYTES    sizeof "9999-12-31"
#define LUSTRUM_YEARS 5

/* In days from Easter Sunday. */
static const struct {
  gint offset;
  const char *name;
} moving[] = {
    {0, "Easter Sunday"}, {1, "Easter Monday"}, {39, "Ascension Day"},
    {49, "Whit Sunday"},  {50, "Whit Monday"},
};

static const struct {
  GDateDay day;
  GDateMonth month;
  const char *name;
} fixed[] = {
    {1, G_DATE_JANUARY, "New Year's Day"},
    {25, G_DATE_DECEMBER, "Christmas Day"},
    {26, G_DATE_DECEMBER, "Boxing Day"},
};

/* The anonymous Gregorian computus, in the words of Meeus, Astronomical Algorithms, 8. */
void
calendar_easter(GDateYear year, GDate *day)
{
  gint a = year % 19, b = year / 100, c = year % 100;
  gint h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
  gint l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
  gint m = (a + 11 * h + 22 * l) / 451;
  gint n = h + l - 7 * m + 114;
  g_date_clear(day, 1);
  g_date_set_dmy(day, (GDateDay) (n % 31 + 1), (GDateMonth) (n / 31), year);
}

static gboolean
is_kings_day(const GDate *day)
{
  GDate kings;
  g_date_clear(&kings, 1);
  g_date_set_dmy(&kings, 27, G_DATE_APRIL, g_date_get_year(day));
  if (g_date_get_weekday(&kings) == G_DATE_SUNDAY)
    g_date_subtract_days(&kings, 1);
  return g_date_compare(&kings, day) == 0;
}

static gboolean
is_liberation_day(const GDate *day, LiberationDay when)
{
  if (g_date_get_day(day) != 5 || g_date_get_month(day) != G_DATE_MAY)
    return FALSE;
  return when == LIBERATION_DAY_YES ||
         (when == LIBERATION_DAY_LUSTRUM && g_date_get_year(day) % LUSTRUM_YEARS == 0);
}

static const char *
dutch_holiday(const Config *config, const GDate *day)
{
  GDate easter;
  calendar_easter(g_date_get_year(day), &easter);
  gint offset = g_date_days_between(&easter, day);
  for (guint i = 0; i < G_N_ELEMENTS(moving); i++)
    if (moving[i].offset == offset)
      return moving[i].name;
  for (guint i = 0; i < G_N_ELEMENTS(fixed); i++)
    if (fixed[i].day == g_date_get_day(day) && fixed[i].month == g_date_get_month(day))
      return fixed[i].name;
  if (is_kings_day(day))
    return "King's Day";
  return is_liberation_day(day, config->liberation_day) ? "Liberation Day" : NULL;
}

static gboolean
stands_in(GStrv dates, const GDate *day)
{
  char text[DATE_BYTES];
  g_date_strftime(text, sizeof text, "%Y-%m-%d", day);
  return g_strv_contains((const char *const *) dates, text);
}

const char *
calendar_holiday(const Config *config, const GDate *day)
{
  if (stands_in(config->working_days, day))
    return NULL;
  if (stands_in(config->free_days, day))
    return "holiday";
  return config->holidays == HOLIDAYS_NL ? dutch_holiday(config, day) : NULL;
}

gboolean
calendar_is_working(const Config *config, const GDate *day)
{
  if (stands_in(config->working_days, day))
    return TRUE;
  GDateWeekday weekday = g_date_get_weekday(day);
  return weekday != G_DATE_SATURDAY && weekday != G_DATE_SUNDAY &&
         calendar_holiday(config, day) == NULL;
}

gboolean
calendar_has(const Config *config, GStrv days, const GDate *day)
{
  static const char *const names[] = {"", "mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  for (char **word = days; *word != NULL; word++)
    if (strcmp(*word, "all") == 0 || strcmp(*word, names[g_date_get_weekday(day)]) == 0 ||
        (strcmp(*word, "working") == 0 && calendar_is_working(config, day)))
      return TRUE;
  return FALSE;
}
