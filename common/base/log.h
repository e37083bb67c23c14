/*
 * log.h - lines in the mail log, in the manner of Postfix.
 *
 * A remark is what log_line writes, for the administrator, in words that may change. What
 * an auditor must find is an event (event.h). Whoever writes a line chooses values that are
 * no secret: no subject, no code, no link, numbers masked with log_mask_number. A log that
 * is blocked or absent holds nobody up: lines are lost then, and counted (syslog.h).
 */
#pragma once

#include <glib.h>

typedef enum {
  LOG_LEVEL_INFO,    /* what happened; nobody acts */
  LOG_LEVEL_WARNING, /* the administrator should look */
  LOG_LEVEL_ALARM    /* somebody must act now */
} LogLevel;

typedef enum {
  LOG_FORMAT_POSTFIX,   /* "QUEUEID: key=value, key=value", as Postfix does */
  LOG_FORMAT_STRUCTURED /* RFC 5424, an event with its pairs as structured data too */
} LogFormat;

typedef enum {
  LOG_ADDRESSES_FULL,  /* as Postfix's own lines have them */
  LOG_ADDRESSES_DOMAIN /* "*@example.com": who it was is in the audit trail only */
} LogAddresses;

/*
 * Opens the log. IDENT (static) names the program. With TO_STDERR lines also go to standard
 * error, for a program run by hand. Call once, before any thread starts.
 */
void
log_open(const char *ident, gboolean to_stderr);

/* How lines look from now on; without it as Postfix's, with addresses. Any thread. */
void
log_shape(LogFormat format, LogAddresses addresses);

/* What log_open said, or "zegel". */
const char *
log_ident(void);

/* What log_shape said. */
LogAddresses
log_addresses(void);

/* Logs a printf-formatted line at LEVEL. Control characters become '?'. Any thread. */
void
log_line(LogLevel level, const char *format, ...) G_GNUC_PRINTF(2, 3);

/*
 * For event.h: logs TEXT, cleaned already, with KIND and STRUCTURED, an SD-ELEMENT of RFC
 * 5424, for the form that has them. Any thread.
 */
void
log_event_text(const char *kind, const char *structured, const char *text);

/* Makes '?' of control characters in TEXT, of what turns text around, and of ALSO. */
void
log_clean(char *text, const char *also);

/* "+31612345678" as "+316*****78": a new string with only the ends readable. */
char *
log_mask_number(const char *number);
