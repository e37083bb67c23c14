#include "common/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "common/base/statistics.h"
#include "common/base/syslog.h"

#define MASK_HEAD 4 /* "+316" */
#define MASK_TAIL 2

static gboolean also_stderr;
static const char *program = "zegel";
static gint shown_addresses; /* atomic: of LogAddresses */

void
log_open(const char *ident, gboolean to_stderr)
{
  also_stderr = to_stderr;
  program = ident;
  syslog_start(SYSLOG_PATH, ident);
}

void
log_shape(LogFormat format, LogAddresses addresses)
{
  g_atomic_int_set(&shown_addresses, (gint) addresses);
  syslog_set_form(format == LOG_FORMAT_STRUCTURED ? SYSLOG_5424 : SYSLOG_BSD);
}

const char *
log_ident(void)
{
  return program;
}

LogAddresses
log_addresses(void)
{
  return (LogAddresses) g_atomic_int_get(&shown_addresses);
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
void
log_clean(char *text, const char *also)
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
write_line(LogLevel level, const char *kind, const char *structured, const char *line)
{
  syslog_send(level_priority(level), kind, structured, line);
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
  log_clean(line, "");
  if (level != LOG_LEVEL_INFO)
    statistics_count(level == LOG_LEVEL_ALARM ? STATISTIC_ALARMS : STATISTIC_WARNINGS);
  write_line(level, NULL, NULL, line);
}

void
log_event_text(const char *kind, const char *structured, const char *text)
{
  write_line(LOG_LEVEL_INFO, kind, structured, text);
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
