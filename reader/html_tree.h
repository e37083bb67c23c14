/*
 * html_tree.h - the parsed HTML, for the two that walk it: html.c and html_text.c.
 */
#pragma once

#include <glib.h>
#include <libxml/HTMLparser.h>

#define HTML_TREE_MAX_DEPTH 200 /* deeper elements are flattened: their text stays */

/* What becomes of an element. */
typedef enum {
  HTML_UNWRAP, /* unknown: its tags go, its content stays */
  HTML_KEEP,
  HTML_BLOCK, /* becomes a div without attributes */
  HTML_VOID,  /* kept, and never has content */
  HTML_DROP   /* goes with all its content */
} HtmlFate;

/*
 * Parses SOURCE, valid UTF-8 whatever it declares, up to HTML_MAX_BYTES, without network
 * and without entities from elsewhere. Never deeper than HTML_TREE_MAX_DEPTH. *IS_CUT
 * becomes TRUE when not all was read. NULL when there is nothing; free with xmlFreeDoc.
 */
htmlDocPtr
html_tree_parse(const char *source, gboolean *is_cut);

/* The fate of the element NODE. One with a prefix (Office's o:p) is unwrapped. */
HtmlFate
html_tree_fate(const xmlNode *node);

/* The attribute NAME of NODE, borrowed from the tree, or NULL. */
const char *
html_tree_attribute(const xmlNode *node, const char *name);

/* The root of DOCUMENT when it is a NAME, else the first NAME among its children, or NULL.
 */
const xmlNode *
html_tree_find(htmlDocPtr document, const char *name);
