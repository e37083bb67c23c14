/*
 * calendar.h - which days are working days (M3). Pure: it looks at no clock.
 */
#pragma once

#include <glib.h>

#include "common/conf/conf.h"

/*
 * The holiday that DAY is by [calendar] of CONFIG, static English words, or NULL: Dutch
 * holidays are those of article 3 of the Algemene termijnenwet and King's Day (on the 26th
 * when the 27th of April is a Sunday), Liberation Day as the configuration says, without
 * Good Friday; days of "extra" are "holiday". Days of "working" are none.
 */
const char *
calendar_holiday(const Config *config, const GDate *day);

/* Whether DAY is from Monday through Friday and no holiday, or stands in "working". */
gboolean
calendar_is_working(const Config *config, const GDate *day);

/* Whether DAYS, the words of a rule ("all", "working", "mon" ...), have DAY. Days that are
 * named by their weekday count on holidays too. */
gboolean
calendar_has(const Config *config, GStrv days, const GDate *day);

/* Easter Sunday of YEAR (1583 to 9999, Gregorian) into *DAY. */
void
calendar_easter(GDateYear year, GDate *day);
