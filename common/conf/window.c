#include "common/conf/window.h"

#include <string.h>

#define DAYS_OF_WEEK 7
#define DAY_MINUTES  1440
#define FIRST_YEAR   2000
#define LAST_YEAR    9999

static const char *const day_names[DAYS_OF_WEEK] = {"mon", "tue", "wed", "thu",
                                                    "fri", "sat", "sun"};

typedef struct {
  gboolean daily;
  guint weekday;    /* 1 (Monday) through 7; 0: not by that */
  GDate date;       /* otherwise */
  guint begin, end; /* minutes of the day; END may be beyond its end */
} Window;

/* LEN digits at TEXT, of a number from MIN through MAX, into *NUMBER. */
static gboolean
parse_digits(const char *text, gsize len, guint64 min, guint64 max, guint64 *number)
{
  g_autofree char *copy = g_strndup(text, len);
  return strlen(copy) == len && strspn(copy, "0123456789") == len &&
         g_ascii_string_to_unsigned(copy, 10, min, max, number, NULL);
}

/* "HH:MM" */
static gboolean
parse_time(const char *text, guint *minute)
{
  guint64 hours, minutes;
  if (!parse_digits(text, 2, 0, 23, &hours) || text[2] != ':' ||
      !parse_digits(text + 3, 2, 0, 59, &minutes))
    return FALSE;
  *minute = (guint) (hours * 60 + minutes);
  return TRUE;
}

/* "YYYY-MM-DD" */
static gboolean
parse_date(const char *text, GDate *date)
{
  guint64 year, month, day;
  if (strlen(text) != strlen("YYYY-MM-DD") ||
      !parse_digits(text, 4, FIRST_YEAR, LAST_YEAR, &year) || text[4] != '-' ||
      !parse_digits(text + 5, 2, 1, 12, &month) || text[7] != '-' ||
      !parse_digits(text + 8, 2, 1, 31, &day) ||
      !g_date_valid_dmy((GDateDay) day, (GDateMonth) month, (GDateYear) year))
    return FALSE;
  g_date_set_dmy(date, (GDateDay) day, (GDateMonth) month, (GDateYear) year);
  return TRUE;
}

static gboolean
parse_when(const char *text, Window *window)
{
  window->daily = strcmp(text, "daily") == 0;
  for (guint i = 0; i < DAYS_OF_WEEK; i++)
    if (strcmp(text, day_names[i]) == 0)
      window->weekday = i + 1;
  return window->daily || window->weekday != 0 || parse_date(text, &window->date);
}

static gboolean
parse_window(const char *text, Window *window)
{
  g_auto(GStrv) words = g_strsplit(text, " ", 2);
  memset(window, 0, sizeof *window);
  if (g_strv_length(words) != 2 || !parse_when(words[0], window) ||
      strlen(words[1]) != strlen("HH:MM-HH:MM") || words[1][5] != '-' ||
      !parse_time(words[1], &window->begin) || !parse_time(words[1] + 6, &window->end))
    return FALSE;
  if (window->end <= window->begin)
    window->end += DAY_MINUTES;
  return TRUE;
}

gboolean
window_is_valid(const char *text)
{
  Window window;
  return parse_window(text, &window);
}

/* ---- When ---- */

static gboolean
is_day_of(const Window *window, GDateTime *day)
{
  gint year, month, of_month;
  if (window->daily)
    return TRUE;
  if (window->weekday != 0)
    return g_date_time_get_day_of_week(day) == (gint) window->weekday;
  g_date_time_get_ymd(day, &year, &month, &of_month);
  return g_date_get_year(&window->date) == year &&
         (gint) g_date_get_month(&window->date) == month &&
         g_date_get_day(&window->date) == of_month;
}

/* MINUTE of the day DAY as Unix time: as the clock on the wall has it. */
static gint64
time_of(GDateTime *day, guint minute)
{
  g_autoptr(GDateTime) other = g_date_time_add_days(day, (gint) (minute / DAY_MINUTES));
  gint year, month, of_month;
  guint rest = minute % DAY_MINUTES;
  g_date_time_get_ymd(other, &year, &month, &of_month);
  g_autoptr(GDateTime) at =
      g_date_time_new_local(year, month, of_month, (gint) rest / 60, (gint) rest % 60, 0);
  return g_date_time_to_unix(at);
}

/* Whether AT_S lies in WINDOW when that begins on DAY. */
static gboolean
is_within(const Window *window, GDateTime *day, gint64 at_s, gint64 *begins_s,
          gint64 *ends_s)
{
  if (!is_day_of(window, day))
    return FALSE;
  *begins_s = time_of(day, window->begin);
  *ends_s = time_of(day, window->end);
  return at_s >= *begins_s && at_s < *ends_s;
}

gboolean
window_find(const char *const *windows, gint64 at_s, gint64 *begins_s, gint64 *ends_s)
{
  g_autoptr(GDateTime) today = g_date_time_new_from_unix_local(at_s);
  g_autoptr(GDateTime) yesterday = g_date_time_add_days(today, -1);
  for (; *windows != NULL; windows++) {
    Window window;
    if (parse_window(*windows, &window) &&
        (is_within(&window, today, at_s, begins_s, ends_s) ||
         is_within(&window, yesterday, at_s, begins_s, ends_s)))
      return TRUE;
  }
  return FALSE;
}
