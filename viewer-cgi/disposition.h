/*
 * disposition.h - how a download is named and typed, so that it is saved and never shown.
 */
#pragma once

#include <glib.h>

#define DISPOSITION_NAME_MAX_BYTES 150 /* fits every file system with room for "(1)" */

/*
 * A file name made of the sender's NAME (any bytes; NULL or "" for none): no path, no
 * control, direction or reserved characters, no leading dot, not a device of Windows, not
 * longer than DISPOSITION_NAME_MAX_BYTES with its extension kept. When nothing is left it
 * is FALLBACK. A new string in UTF-8.
 */
char *
disposition_file_name(const char *name, const char *fallback);

/*
 * The value of Content-Disposition (RFC 6266) for a download with file name FILE_NAME, as
 * disposition_file_name made it: attachment, with an ASCII name and an RFC 8187 one. A new
 * string.
 */
char *
disposition_format(const char *file_name);

/* The type to send for the declared TYPE: itself from a short list, else octet-stream. */
const char *
disposition_type(const char *type);
