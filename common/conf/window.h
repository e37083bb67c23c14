/*
 * window.h - windows of time for maintenance, as zegel.conf has them:
 *
 *     sun 02:00-04:00, daily 03:30-03:40, 2026-12-24 22:00-06:00
 *
 * WHEN HH:MM-HH:MM in local time; WHEN is a day of the week, "daily" or one day. An end
 * that is not behind the begin is of the next day.
 */
#pragma once

#include <glib.h>

/* Whether TEXT is one such window. Any thread. */
gboolean
window_is_valid(const char *text);

/*
 * Whether AT_S (Unix time) lies in one of WINDOWS, valid ones; then *BEGINS_S and *ENDS_S
 * get when that one begins and ends, this time. Any thread.
 */
gboolean
window_find(const char *const *windows, gint64 at_s, gint64 *begins_s, gint64 *ends_s);
