/*
 * flow_data.h - what was counted, for programs.
 */
#pragma once

#include "zegelctl/flow.h"

/*
 * The rows of FLOW as CSV (RFC 4180, with a header line), a new string: period, event, nta,
 * route, code, method, sender, recipient_domain, count. What a spreadsheet would take for a
 * formula begins with an apostrophe.
 */
char *
flow_data_csv(Flow *flow);

/*
 * FLOW as one JSON object with an end of line, a new string: organisation, since, until
 * (RFC 3339, UTC), total, periods, partners, definition (what a fall-back is) and rows.
 */
char *
flow_data_json(Flow *flow, const char *organisation, const FlowOptions *options);
