#include "sms/letter.h"

#include <string.h>

/* RFC 5322 3.3, in UTC and without the words of a locale. */
static void
append_date(GString *out, gint64 now_s)
{
  static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(now_s);
  g_string_append_printf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n",
                         days[g_date_time_get_day_of_week(date) - 1],
                         g_date_time_get_day_of_month(date),
                         months[g_date_time_get_month(date) - 1],
                         g_date_time_get_year(date), g_date_time_get_hour(date),
                         g_date_time_get_minute(date), g_date_time_get_second(date));
}

static void
append_body(GString *out, const char *text)
{
  for (const char *p = text; *p != '\0'; p++) {
    if (*p == '\n')
      g_string_append(out, "\r\n");
    else if (*p != '\r')
      g_string_append_c(out, *p);
  }
  g_string_append(out, "\r\n");
}

char *
sms_letter_format(const SmsLetter *letter, const char *text)
{
  const char *domain = strrchr(letter->from, '@') + 1;
  GString *out = g_string_sized_new(4 * MESSAGE_MAX_BYTES); /* never moves: no copies */
  g_string_append_printf(out, "From: <%s>\r\nTo: <%s>\r\n", letter->from, letter->to);
  if (letter->subject != NULL && *letter->subject != '\0')
    g_string_append_printf(out, "Subject: %s\r\n", letter->subject);
  append_date(out, letter->now_s);
  g_string_append_printf(out, "Message-ID: <%s@%s>\r\n", letter->id, domain);
  g_string_append_printf(out,
                         "Auto-Submitted: auto-generated\r\n"
                         "MIME-Version: 1.0\r\n"
                         "Content-Type: text/plain; charset=utf-8\r\n"
                         "Content-Transfer-Encoding: %s\r\n\r\n",
                         g_str_is_ascii(text) ? "7bit" : "8bit");
  append_body(out, text);
  return g_string_free(out, FALSE);
}
