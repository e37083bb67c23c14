/*
 * html.h - the one writer of pages. Everything but markup from our own source is escaped.
 *
 * There is no way to write remote data without escaping: html_markup takes string literals
 * only (anything else does not compile), all other functions escape.
 */
#pragma once

#include <glib.h>

typedef struct Html Html;

/* An empty document. Never NULL. Free with html_free or html_finish. */
Html *
html_new(void);

/* Frees HTML; NULL is allowed. */
void
html_free(Html *html);

/* Takes HTML and returns its bytes. */
GBytes *
html_finish(Html *html);

/* Appends markup from our own source. Use html_markup, which admits literals only. */
void
html_markup_literal(Html *html, const char *markup);

#define html_markup(html, literal) html_markup_literal((html), "" literal)

/*
 * Appends TEXT for an element's content: & < > " ' as entities, bytes that are no UTF-8 and
 * control characters but tab and newline as U+FFFD. Right-to-left text is left as it is:
 * the element must isolate it.
 */
void
html_text(Html *html, const char *text);

/*
 * Appends TEXT that must stay in its line and its place (T30): as html_text, and newlines,
 * tabs, direction controls and other invisible characters are left out or made a space.
 */
void
html_line(Html *html, const char *text);

/* Appends html_line of TEXT inside <bdi>, so that its direction stays its own. */
void
html_isolated(Html *html, const char *text);

/* Appends ` NAME="VALUE"` with VALUE as by html_line. NAME is from our own source. */
void
html_attribute(Html *html, const char *name, const char *value);

/* TEXT with what html_line would write instead, but without escaping; a new string. */
char *
html_clean_line(const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Html, html_free)
