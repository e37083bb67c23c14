/*
 * content.h - what is attached to a message that leaves (S10, S11, K3).
 *
 * Parses no MIME: the header says whether there can be anything, and then a confined reader
 * looks (inspect.h).
 */
#pragma once

#include "milter/fields.h"
#include "milter/inspect.h"

/* Whether a message with FIELDS can have attachments: anything but one text. Pure. */
gboolean
content_is_possible(const Fields *fields);

/* FIELDS and the empty line behind them, with CRLF line ends, as an inspection takes them:
 * a new string. Pure. */
GString *
content_header(const Fields *fields);
