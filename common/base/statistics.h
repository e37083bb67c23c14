/*
 * statistics.h - what a daemon did since it started, as one line in the log (SIGUSR1).
 *
 * Events, their codes and their routes are counted where they are written (event.h), and so
 * are warnings and alarms (log.h). The counters are in memory that processes made by
 * fork(2) share. The line: zegel-events(5).
 */
#pragma once

#include <glib.h>

/* What every daemon counts; each stands in the line, even when it is 0. */
typedef enum {
  STATISTIC_SESSIONS,        /* connections */
  STATISTIC_MESSAGES,        /* what they bring: see the daemon's manual */
  STATISTIC_WARNINGS,        /* lines of that level */
  STATISTIC_ALARMS,          /* the same */
  STATISTIC_RELOADS,         /* SIGHUP, and the new configuration counts */
  STATISTIC_RELOADS_REFUSED, /* SIGHUP, and it was wrong */
  STATISTIC_COUNT
} Statistic;

#define STATISTICS_NAMES_MAX  256 /* beside those; what is more is counted as "other" */
#define STATISTICS_NAME_BYTES 48  /* of a name, its end included */

/*
 * Counts from now on: before threads and processes start. Without it nothing is counted.
 * That a configuration was read is told with statistics_config_read. Once in a program.
 */
void
statistics_open(void);

/* One more of WHICH. Any thread. */
void
statistics_count(Statistic which);

/* One more of "KIND.VALUE"; nothing when VALUE is NULL. Neither comes from outside, and the
 * number of values is small. Any thread. */
void
statistics_count_value(const char *kind, const char *value);

/* The configuration was read now. In the thread of statistics_line. */
void
statistics_config_read(void);

/*
 * "statistics: age=SECONDS, version=..., config=TIME, sessions=N, ...": a new string; NULL
 * without statistics_open. In one thread.
 */
char *
statistics_line(void);
