#include "zegelctl/audit_ask.h"

#include <string.h>

#include "common/base/error.h"
#include "zegelctl/command.h"

#define REFERENCE_CHARS  16 /* of what the store makes */
#define DAY_CHARS        10 /* 2026-11-22 */
#define MINUTE_CHARS     16 /* 2026-11-22 14:30 */
#define AGO_MAX          100000
#define MESSAGE_MAX_BYTE 998 /* RFC 5322 2.1.1 */

static gboolean
say_time(const char *text, GError **error)
{
  return command_error(error, ZEGEL_ERROR_INVALID,
                       "%s: a time is written 2026-11-22, \"2026-11-22 14:30\", 36h or 7d",
                       text);
}

/* "36h" or "7d" before NOW_US. */
static gboolean
parse_ago(const char *text, gint64 now_us, gint64 *at_us)
{
  gsize len = strlen(text);
  guint64 count = 0;
  if (len < 2 || strchr("hd", text[len - 1]) == NULL)
    return FALSE;
  g_autofree char *digits = g_strndup(text, len - 1);
  if (!g_ascii_string_to_unsigned(digits, 10, 0, AGO_MAX, &count, NULL))
    return FALSE;
  gint64 unit = text[len - 1] == 'h' ? G_TIME_SPAN_HOUR : G_TIME_SPAN_DAY;
  *at_us = MAX(now_us - (gint64) count * unit, 1);
  return TRUE;
}

/* TEXT as ISO 8601 with what people leave out. */
static char *
complete(const char *text)
{
  gsize len = strlen(text);
  if (len == DAY_CHARS)
    return g_strconcat(text, "T00:00:00", NULL);
  char *copy = len == MINUTE_CHARS ? g_strconcat(text, ":00", NULL) : g_strdup(text);
  if (len > DAY_CHARS && copy[DAY_CHARS] == ' ')
    copy[DAY_CHARS] = 'T';
  return copy;
}

gboolean
audit_ask_time(const char *text, gint64 now_us, gboolean end, gint64 *at_us, GError **error)
{
  if (parse_ago(text, now_us, at_us))
    return TRUE;
  g_autofree char *iso = complete(text);
  g_autoptr(GTimeZone) here = g_time_zone_new_local();
  g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(iso, here);
  if (time == NULL || g_date_time_to_unix(time) <= 0)
    return say_time(text, error);
  if (end && strlen(text) == DAY_CHARS) {
    g_autoptr(GDateTime) next = g_date_time_add_days(time, 1);
    *at_us = g_date_time_to_unix(next) * G_USEC_PER_SEC;
  } else {
    *at_us = g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
  }
  return TRUE;
}

/* Letters and digits of which the store makes references. */
static gboolean
is_reference(const char *text)
{
  return strlen(text) == REFERENCE_CHARS &&
         strspn(text, "0123456789abcdefghjkmnpqrstvwxyz") == REFERENCE_CHARS;
}

static gboolean
is_queue_id(const char *text)
{
  for (const char *p = text; *p != '\0'; p++)
    if (!g_ascii_isalnum(*p))
      return FALSE;
  return *text != '\0';
}

static gboolean
fill_message(const char *text, AuditQuery *query, GError **error)
{
  gboolean bare = *text != '<';
  if (strlen(text) > MESSAGE_MAX_BYTE)
    return command_error(error, ZEGEL_ERROR_INVALID, "this Message-ID is too long");
  if (strchr(text, '@') != NULL)
    query->query.message_id = query->message_id =
        g_strdup_printf("%s%s%s", bare ? "<" : "", text, bare ? ">" : "");
  else if (is_reference(text))
    query->query.reference = text;
  else if (is_queue_id(text))
    query->query.queue_id = text;
  else
    return command_error(error, ZEGEL_ERROR_INVALID,
                         "%s: a reference, a queue id or a Message-ID is expected", text);
  return TRUE;
}

gboolean
audit_ask_query(const AuditAsk *ask, gint64 now_us, AuditQuery *query, GError **error)
{
  EventKind kind;
  TrailQuery *trail = &query->query;
  if (ask->event != NULL && !event_kind_parse(ask->event, &kind))
    return command_error(error, ZEGEL_ERROR_INVALID,
                         "%s: there is no such event; zegel-events(5) has them all",
                         ask->event);
  trail->event = ask->event;
  trail->person = ask->person;
  trail->organisation = ask->organisation;
  return (ask->since == NULL ||
          audit_ask_time(ask->since, now_us, FALSE, &trail->from_us, error)) &&
         (ask->until == NULL ||
          audit_ask_time(ask->until, now_us, TRUE, &trail->until_us, error)) &&
         (ask->message == NULL || fill_message(ask->message, query, error));
}

/* AT_US in UTC, a new string; NULL for 0. */
static char *
format_time(gint64 at_us)
{
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(at_us / G_USEC_PER_SEC);
  return time != NULL && at_us != 0 ? g_date_time_format_iso8601(time) : NULL;
}

void
audit_ask_record(const AuditAsk *ask, const AuditQuery *query, Event *event)
{
  g_autofree char *since = format_time(query->query.from_us);
  g_autofree char *until = format_time(query->query.until_us);
  event_add(event, "about", ask->person);
  event_add(event, "ref", query->query.reference);
  event_add(event, "message-id", query->query.message_id);
  event_add(event, "events", ask->event);
  event_add(event, "since", since);
  event_add(event, "until", until);
}

void
audit_query_clear(AuditQuery *query)
{
  g_clear_pointer(&query->message_id, g_free);
}
