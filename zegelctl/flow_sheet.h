/*
 * flow_sheet.h - what was counted, in the words of a reader.
 */
#pragma once

#include "zegelctl/flow.h"
#include "zegelctl/sheet.h"

#define FLOW_SHEET_MAX_ROWS                                                                \
  100 /* domains or senders in one table; the rest is one line                             \
       */

/* What stands around the numbers; all borrowed. */
typedef struct {
  const char *organisation; /* its display name */
  const char *language;     /* "nl" or "en", as language_use has it */
  const char *first, *last; /* days, as people write them: both included */
  gboolean senders;         /* senders are addresses, not domains */
} FlowWords;

/* FLOW as a sheet that the caller frees: every number in it is a sum of FLOW's rows and
 * periods. */
Sheet *
flow_sheet_new(Flow *flow, const FlowWords *words);

/* What a fall-back is, in the language of gettext; static. */
const char *
flow_sheet_definition(void);
