/*
 * json.h - writing JSON, one piece after the other.
 *
 * What comes from elsewhere is written by these alone: no control character gets through.
 * Any thread.
 */
#pragma once

#include <glib.h>

/* Appends TEXT as a JSON string, quoted; what is no UTF-8 becomes U+FFFD. */
void
json_append_string(GString *out, const char *text);

/* Appends "KEY": "VALUE" and, when MORE, a comma. */
void
json_append_pair(GString *out, const char *key, const char *value, gboolean more);
