/*
 * try_report.h - how zegel-milter -t says what would happen to a message.
 *
 * Numbers are masked, and a ticket is not shown: the output may be passed on.
 */
#pragma once

#include "milter/flow.h"

/* Appends to OUT, for a reader, what FLOW found and PLAN would do; TOOLS say what could not
 * be known. */
void
try_report_text(GString *out, const Flow *flow, const Plan *plan, const Tools *tools);

/* The same as one JSON object. */
void
try_report_json(GString *out, const Flow *flow, const Plan *plan, const Tools *tools);
