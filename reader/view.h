/*
 * view.h - what zegel-reader answers, one function for each view.
 */
#pragma once

#include "reader/message.h"

#define VIEW_TEXT_MAX_BYTES   (4 * 1024 * 1024) /* of all text parts that are shown */
#define VIEW_HEADER_MAX_BYTES 2000              /* of one header; more is cut */

/*
 * The summary of MESSAGE: one block of escaped attributes (attr.h). from, from-name, to,
 * cc, date (seconds since 1970, 0 when unknown), date-text, subject, body (text, html or
 * none: what is best shown), has-text, has-html, cut (1 when not all parts are listed),
 * then part, type, name, size (decoded, in bytes) and sha256 (of these bytes, in lower case
 * hexadecimal) of each attachment. A new string.
 */
char *
view_summary(const Message *message);

/* What there is to read in MESSAGE as plain text, UTF-8 with line feeds, one at
 * its end. A new string. */
char *
view_text(const Message *message);

/*
 * What there is to read in MESSAGE as a complete and harmless HTML document with the
 * message's own images in it. A new string.
 */
char *
view_html(const Message *message);

/*
 * Hands the decoded bytes of attachment NUMBER (from 1) to SINK. FALSE when there is none
 * or SINK said so.
 */
gboolean
view_part(const Message *message, guint number, MessageSink sink, gpointer data);
