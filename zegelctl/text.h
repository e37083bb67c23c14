/*
 * text.h - how zegelctl writes: lines that fit a terminal, and JSON (json.h).
 *
 * What comes from the DNS or from policyd is written by these only: none lets a
 * control character through.
 */
#pragma once

#include <glib.h>

#include "common/base/json.h"

#define TEXT_WIDTH 78 /* columns */

/* A copy of TEXT that a terminal can be shown: what steers one, and what turns text around,
 * is '?'. */
char *
text_clean(const char *text);

/*
 * Appends TEXT to OUT in lines of at most TEXT_WIDTH columns, each with an end of line; the
 * first begins at column AT, the others are indented to column INDENT. Lines break at
 * spaces, but not inside "double quotes", which somebody may copy; a word that is too long
 * stays whole. Control characters become '?'.
 */
void
text_wrap(GString *out, guint at, guint indent, const char *text);

/* Appends TEXT as it is, but for control characters, which become '?'. */
void
text_append_clean(GString *out, const char *text);
