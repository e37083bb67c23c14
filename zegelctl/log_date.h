/*
 * log_date.h - when a line of the mail log was written.
 */
#pragma once

#include <glib.h>

/*
 * The date at the front of LINE, Unix seconds, and in *REST what stands behind it. Both
 * forms of syslog are known: "Nov 22 04:18:37", in the year in which it was not after
 * NOW_S, local time, and "2026-11-22T04:18:37.123456+01:00". 0: there is none.
 */
gint64
log_date_parse(const char *line, gint64 now_s, const char **rest);
