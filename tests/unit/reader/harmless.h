/*
 * harmless.h - says whether HTML could do anything, by parsing it and looking at all of it.
 *
 * Its lists are its own: a slip in the reader's lists must not be a slip here.
 */
#pragma once

#include <glib.h>

/*
 * Parses LEN bytes at HTML and looks at every node. A new string that names the first thing
 * that could run, load, send or navigate by itself, or NULL when there is none. With
 * IS_DOCUMENT the fixed head of the reader's documents is expected, else no head at all.
 */
char *
harmless_find_fault(const char *html, gsize len, gboolean is_document);
