/*
 * uptime.h - of which minutes the service was there (NTA 7516 6.1.2). Pure.
 *
 * A minute was good when it was looked at and nothing was wrong. One that nobody looked at
 * counts as bad, but for a single one between two that were looked at: then the clock of
 * the timer was a little off.
 */
#pragma once

#include <glib.h>

#define UPTIME_MINUTE_S 60

typedef struct Uptime Uptime;

/* Of the time from FROM_S until before UNTIL_S (Unix time), all of it unseen. Freed with
 * uptime_free. */
Uptime *
uptime_new(gint64 from_s, gint64 until_s);

/* Frees UPTIME; NULL is allowed. */
void
uptime_free(Uptime *uptime);

/* Somebody looked at AT_S, and it was GOOD or not. In any order; once bad in a minute is
 * bad. What is not of the time is passed over. */
void
uptime_add(Uptime *uptime, gint64 at_s, gboolean good);

/* From BEGINS_S until before ENDS_S there was a window for maintenance. */
void
uptime_plan(Uptime *uptime, gint64 begins_s, gint64 ends_s);

/* Minutes. */
typedef struct {
  guint64 all;
  guint64 good;
  guint64 bad;           /* somebody looked, and something was wrong */
  guint64 unseen;        /* nobody looked */
  guint64 planned;       /* within windows */
  guint64 planned_lost;  /* of those, bad or unseen */
  guint64 interruptions; /* times without a good minute, outside of windows */
  guint64 longest;       /* the longest of those */
} UptimeCount;

/* Counts the minutes of UPTIME from FROM_S until before UNTIL_S into *COUNT. */
void
uptime_count(const Uptime *uptime, gint64 from_s, gint64 until_s, UptimeCount *count);

/* GOOD of ALL in thousandths of a percent, rounded down: 99998 is 99.998 %. 100000 for
 * nothing at all. */
guint
uptime_share(guint64 good, guint64 all);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Uptime, uptime_free)
