#include "common/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#define MASK_HEAD 4 /* "+316" */
#define MASK_TAIL 2

static gboolean also_stderr;

static const char *const event_names[] = {
    [EVENT_REFUSED] = "refused",
    [EVENT_VERIFIED] = "verified",
    [EVENT_ROUTED] = "routed",
    [EVENT_ATTACHED] = "attached",
    [EVENT_OBSERVED] = "observed",
    [EVENT_STORED] = "stored",
    [EVENT_NOTIFIED] = "notified",
    [EVENT_CONFIRMED] = "confirmed",
    [EVENT_BOUNCED] = "bounced",
    [EVENT_DELAYED] = "delayed",
    [EVENT_BOUNCE_DROPPED] = "bounce-dropped",
    [EVENT_NUMBER_CHANGED] = "number-changed",
    [EVENT_TOLD] = "told",
    [EVENT_REMINDED] = "reminded",
    [EVENT_TICKET] = "ticket",
    [EVENT_INTEGRITY] = "integrity",
    [EVENT_CODE_SENT] = "code-sent",
    [EVENT_CODE_REFUSED] = "code-refused",
    [EVENT_SMS_BUDGET] = "sms-budget",
    [EVENT_CODE_WRONG] = "code-wrong",
    [EVENT_LOGIN] = "login",
    [EVENT_OPENED] = "opened",
    [EVENT_DOWNLOADED] = "downloaded",
    [EVENT_ANSWERED] = "answered",
    [EVENT_FORWARDED] = "forwarded",
    [EVENT_LOGOUT] = "logout",
    [EVENT_DELETED] = "deleted",
    [EVENT_NUMBER_WRONG] = "number-wrong",
    [EVENT_PROMISED] = "promised",
    [EVENT_BOOK] = "book",
    [EVENT_DKIM] = "dkim",
    [EVENT_READINESS] = "readiness",
    [EVENT_PHONE_LEARNED] = "phone-learned",
    [EVENT_PHONE_WAITS] = "phone-waits",
    [EVENT_PHONE_REPLACED] = "phone-replaced",
    [EVENT_PHONE_TOLD] = "phone-told",
    [EVENT_PHONE_SHOWN] = "phone-shown",
    [EVENT_PHONE_FORGOTTEN] = "phone-forgotten",
    [EVENT_PHONE_REFUSED] = "phone-refused",
    [EVENT_RECALLED] = "recalled",
    [EVENT_FORM_ASKED] = "form-asked",
    [EVENT_FORM_REFUSED] = "form-refused",
    [EVENT_FORM_SENT] = "form-sent",
    [EVENT_ANSWER_BOUNCED] = "answer-bounced",
    [EVENT_ANSWER_DELAYED] = "answer-delayed",
};

const char *
event_name(EventKind kind)
{
  return event_names[kind];
}

void
log_open(const char *ident, gboolean to_stderr)
{
  also_stderr = to_stderr;
  openlog(ident, LOG_PID | LOG_NDELAY, LOG_MAIL);
}

static int
level_priority(LogLevel level)
{
  switch (level) {
  case LOG_LEVEL_INFO:
    return LOG_INFO;
  case LOG_LEVEL_WARNING:
    return LOG_WARNING;
  case LOG_LEVEL_ALARM:
    return LOG_CRIT;
  }
  return LOG_INFO;
}

/*
 * How many octets at P (UTF-8 or not) a terminal takes for a command: controls, those of C1
 * (U+009B begins one, too), and what turns the direction of the text around.
 */
static gsize
command_length(const guchar *p)
{
  if (p[0] < 0x20 || p[0] == 0x7f)
    return 1;
  if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
    return 2;
  gboolean turns = p[0] == 0xe2 && ((p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae) ||
                                    (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9));
  return turns ? 3 : 0;
}

/* Remote bytes may have come this far: nothing in a line may look like another line. */
static void
neutralise(char *text, const char *also)
{
  for (char *p = text; *p != '\0'; p++) {
    gsize len = command_length((const guchar *) p);
    if (len == 0 && strchr(also, *p) != NULL)
      len = 1;
    if (len > 0)
      memset(p, '?', len);
  }
}

static void
write_line(LogLevel level, const char *line)
{
  syslog(level_priority(level), "%s", line);
  if (also_stderr)
    fprintf(stderr, "%s\n", line);
}

void
log_line(LogLevel level, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  g_autofree char *line = g_strdup_vprintf(format, args);
  va_end(args);
  neutralise(line, "");
  write_line(level, line);
}

static void
append_pair(GString *line, const char *key, const char *value)
{
  g_autofree char *clean = g_strdup(value);
  neutralise(clean, ", ");
  g_string_append_printf(line, ", %s=%s", key, clean);
}

void
event_log(EventKind kind, const char *queue_id, const char *organisation, ...)
{
  g_autoptr(GString) line = g_string_new(queue_id != NULL ? queue_id : "NOQUEUE");
  neutralise(line->str, ", ");
  g_string_append_printf(line, ": event=%s", event_name(kind));
  if (organisation != NULL)
    append_pair(line, "org", organisation);

  va_list args;
  va_start(args, organisation);
  for (const char *key; (key = va_arg(args, const char *)) != NULL;) {
    const char *value = va_arg(args, const char *);
    if (value != NULL)
      append_pair(line, key, value);
  }
  va_end(args);
  write_line(LOG_LEVEL_INFO, line->str);
}

char *
log_mask_number(const char *number)
{
  char *masked = g_strdup(number);
  gsize len = strlen(masked);
  for (gsize i = MASK_HEAD; i + MASK_TAIL < len; i++)
    masked[i] = '*';
  return masked;
}
