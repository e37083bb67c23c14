/*
 * mime.h - how text, names and bytes stand in mail that zegel writes: the one serialiser.
 *
 * Output is ASCII, whatever comes in, and its lines are those that stand here: nothing that
 * somebody typed can end one. For this room.
 */
#pragma once

#include <glib.h>

/* Appends "Date: ..." in local time with its line end. */
void
mime_append_date(GString *out, gint64 time_s);

/* Appends TEXT (UTF-8, one line) as encoded words of RFC 2047, folded. */
void
mime_append_words(GString *out, const char *text);

/* Whether TEXT can stand in a quoted string: ASCII, and nothing in it that programs take
 * for an encoded word, which may hold line ends (they do so in quotes too, T14). */
gboolean
mime_is_plain(const char *text);

/* Appends TEXT (UTF-8, one line) as the display name of an address: quoted, or encoded. */
void
mime_append_phrase(GString *out, const char *text);

/* Appends TEXT (ASCII, one line) as a quoted string of RFC 5322 3.2.4. */
void
mime_append_quoted(GString *out, const char *text);

/* Appends TEXT, whose lines end with LF, as quoted-printable (RFC 2045 6.7). */
void
mime_append_quoted_printable(GString *out, const char *text);

/* Appends LEN bytes at BYTES as base64 in lines of 76, each with its CRLF. */
void
mime_append_base64(GString *out, gconstpointer bytes, gsize len);

/* How many octets mime_append_base64 appends for LEN bytes. */
gsize
mime_base64_length(gsize len);
