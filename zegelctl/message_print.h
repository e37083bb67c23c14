/*
 * message_print.h - messages for people and for programs.
 */
#pragma once

#include "zegelctl/message_row.h"

/* ROWS as an aligned table; times are local. */
void
message_print_table(GString *out, const GPtrArray *rows);

/* ROWS as a JSON array of objects; times in RFC 3339, UTC. */
void
message_print_list(GString *out, const GPtrArray *rows);

/* All that is known of ROWS, of one message; TRACE (NULL: no mail log) has their queue ids.
 */
void
message_print_show(GString *out, const GPtrArray *rows, const MailTrace *trace);

/* The same as JSON. */
void
message_print_show_json(GString *out, const GPtrArray *rows, const MailTrace *trace);
