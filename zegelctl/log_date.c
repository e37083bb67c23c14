#include "zegelctl/log_date.h"

#include <string.h>

#define SYSLOG_DATE 15 /* "Nov 22 04:18:37" */
#define DAY_S       86400
#define YEARS_BACK  5

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* The number in the LEN characters at TEXT, blanks before it left aside; -1: none. */
static gint
number_at(const char *text, gsize len, guint max)
{
  g_autofree char *digits = g_strndup(text, len);
  guint64 number = 0;
  return g_ascii_string_to_unsigned(g_strchug(digits), 10, 0, max, &number, NULL)
             ? (gint) number
             : -1;
}

static gint64
parse_traditional(const char *line, gint64 now_s)
{
  gint month = 0;
  while (month < 12 && strncmp(line, months[month], 3) != 0)
    month++;
  gint day = number_at(line + 4, 2, 31), hour = number_at(line + 7, 2, 23);
  gint minute = number_at(line + 10, 2, 59), second = number_at(line + 13, 2, 60);
  if (month == 12 || day < 1 || hour < 0 || minute < 0 || second < 0)
    return 0;
  g_autoptr(GDateTime) now = g_date_time_new_from_unix_local(now_s);
  gint newest = g_date_time_get_year(now) + 1;
  for (gint year = newest; year > newest - 1 - YEARS_BACK; year--) {
    g_autoptr(GDateTime) date =
        g_date_time_new_local(year, month + 1, day, hour, minute, MIN(second, 59));
    if (date != NULL && g_date_time_to_unix(date) <= now_s + DAY_S)
      return g_date_time_to_unix(date);
  }
  return 0;
}

gint64
log_date_parse(const char *line, gint64 now_s, const char **rest)
{
  gsize len = strcspn(line, " ");
  if (g_ascii_isdigit(*line)) {
    g_autofree char *text = g_strndup(line, len);
    g_autoptr(GDateTime) date = g_date_time_new_from_iso8601(text, NULL);
    *rest = line + len;
    return date != NULL ? g_date_time_to_unix(date) : 0;
  }
  if (strlen(line) <= SYSLOG_DATE)
    return 0;
  *rest = line + SYSLOG_DATE;
  return parse_traditional(line, now_s);
}
