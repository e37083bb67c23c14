/*
 * budget.h - alarms when many access codes were sent (T5).
 */
#pragma once

#include <glib.h>

#include "common/store/store.h"

/* The part of LIMIT that USED just came to, 80 or 100 (percent), or 0. Pure. */
guint
budget_step(guint used, guint limit);

/*
 * Writes an event and an alarm for each budget in LIMITS, of ORGANISATION and in total,
 * that code CODE_ID brought to four fifths or to its end.
 */
void
budget_tell(Store *store, const CodeLimits *limits, const char *organisation,
            gint64 code_id);
