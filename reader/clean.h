/*
 * clean.h - text of strangers, made fit to stand next to our own (T12, T30).
 */
#pragma once

#include <glib.h>

#define CLEAN_FILE_NAME_MAX_BYTES 200 /* leaves room for " (2)" below NAME_MAX */

/*
 * The header value VALUE (any bytes; NULL is an empty string) as one line of valid UTF-8,
 * at most MAX_BYTES long (then it ends with an ellipsis): white space is one space, control
 * characters and those that turn or hide text (bidi embeddings, overrides and isolates,
 * tags, byte order marks) are gone. A new string, never NULL.
 */
char *
clean_header(const char *value, gsize max_bytes);

/*
 * LEN bytes of valid UTF-8 at TEXT with line feeds as line ends and no control characters
 * but these and tabs. A new string, never NULL.
 */
char *
clean_text(const char *text, gsize len);

/*
 * A file name out of NAME (any bytes, or NULL) for attachment NUMBER of media type TYPE
 * (lower case): the last component of a path, without control or turning characters,
 * without characters that a file system forbids, not hidden, no device name, at most
 * CLEAN_FILE_NAME_MAX_BYTES with its extension kept. When nothing is left it is
 * "bijlage-NUMBER" with the extension of TYPE. A new string, never NULL or empty.
 */
char *
clean_file_name(const char *name, guint number, const char *type);

/* The media type TYPE (or NULL) in lower case, "application/octet-stream" when it is none.
 */
char *
clean_media_type(const char *type);
