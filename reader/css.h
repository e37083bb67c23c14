/*
 * css.h - the little of CSS that a mail may say about its own looks.
 */
#pragma once

#include <glib.h>

#define CSS_VALUE_MAX_BYTES 200

/*
 * The declarations of STYLE (a style attribute, valid UTF-8) that are harmless: a property
 * of our list with colours, lengths without a sign and plain words, nothing that fetches,
 * positions, layers or runs. A new string "color:red;margin:0", or NULL when none is left.
 */
char *
css_clean(const char *style);

/* Whether VALUE is a colour: #abc, #aabbcc, rgb(), rgba() or a word. */
gboolean
css_is_color(const char *value);

/* Whether VALUE is a list of font names: letters, digits, spaces, commas, '-' and quotes.
 */
gboolean
css_is_font_list(const char *value);
