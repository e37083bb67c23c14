/*
 * syslog.h - datagrams to the system's log that never make the sender wait.
 *
 * syslog(3) waits for ever when the daemon behind /dev/log does not read: mail would stand
 * still. Here a line that cannot be sent at once gets a moment, then it is lost and
 * counted, and the first line that gets through says how many were.
 */
#pragma once

#include <glib.h>

#define SYSLOG_PATH       "/dev/log"
#define SYSLOG_WAIT_MS    250 /* how long a line may wait, */
#define SYSLOG_WAIT_SHARE 20  /* and one part in so many of the time on the whole */

typedef enum {
  SYSLOG_BSD, /* RFC 3164, what syslog(3) writes */
  SYSLOG_5424 /* RFC 5424 */
} SyslogForm;

/* Opens the log at PATH (static) for the program IDENT (static). Before any thread starts.
 */
void
syslog_start(const char *path, const char *ident);

/* The form of every line from now on. Any thread. */
void
syslog_set_form(SyslogForm form);

/*
 * Sends TEXT, one line without control characters, at PRIORITY (LOG_INFO and so on) of
 * facility mail. MSGID (NULL: none) and STRUCTURED, one SD-ELEMENT (NULL: none), count for
 * SYSLOG_5424. Any thread.
 */
void
syslog_send(int priority, const char *msgid, const char *structured, const char *text);
