/*
 * page_form.h - the pieces of which pages are made: buttons, fields, facts, lists, tables.
 *
 * Each looks and works the same on every page (style.css has its class), and each has what
 * a screen reader needs. Texts are translated ones, or a visitor's: all are escaped.
 */
#pragma once

#include "viewer-cgi/html.h"

typedef enum {
  BUTTON_MAIN,  /* what most people came for: one of them on a page */
  BUTTON_PLAIN, /* any other */
  BUTTON_DANGER /* what cannot be undone */
} ButtonKind;

/* A button with LABEL that submits the form it stands in. */
void
page_button(Html *html, const char *label, ButtonKind kind);

/* The same, for a form with more buttons than one: NAME (our own) comes with the form. */
void
page_button_named(Html *html, const char *name, const char *label, ButtonKind kind);

/* A link to PATH that looks like a button. */
void
page_action(Html *html, const char *path, const char *label, ButtonKind kind);

/* A form as page_form begins it (page.h), but for files: multipart/form-data. */
void
page_upload_form(Html *html, const char *path, const char *token);

/* Ends a form. */
void
page_form_end(Html *html);

/* One thing to fill in. All borrowed; what is NULL, 0 or FALSE is left out. */
typedef struct {
  const char *name; /* our own; it is the id as well */
  const char *label;
  const char *hint;         /* below the label */
  const char *error;        /* what is wrong with it: also tell it with page_notice */
  const char *value;        /* what stands in it */
  const char *type;         /* "email", "password", ...; NULL: "text" */
  const char *autocomplete; /* HTML, 4.10.18.7 */
  guint max_chars;
  guint rows;        /* of a text area */
  gboolean optional; /* may stay empty */
  gboolean spells;   /* the browser may look at its spelling */
} Field;

/* A line to fill in. */
void
page_field(Html *html, const Field *field);

/* Several lines to fill in. */
void
page_textarea(Html *html, const Field *field);

/* Files to choose, any number. */
void
page_files(Html *html, const Field *field);

/* A box to tick, with value "1". */
void
page_tick(Html *html, const Field *field);

/* A heading below the page's title. */
void
page_heading(Html *html, const char *text);

/* Starts a list of names and values. */
void
page_facts_begin(Html *html);

/* Ends it. */
void
page_facts_end(Html *html);

/* A name and its value; nothing when VALUE is "". */
void
page_fact(Html *html, const char *name, const char *value);

/* A person: display NAME ("" for none) and ADDRESS side by side: a name alone may pretend
 * anything (T30). */
void
page_fact_person(Html *html, const char *term, const char *name, const char *address);

/* Starts a list of links. */
void
page_ways_begin(Html *html);

/* Ends it. */
void
page_ways_end(Html *html);

/* A link of such a list. */
void
page_way(Html *html, const char *path, const char *label);

/* Starts something that opens when SUMMARY is pressed. */
void
page_details_begin(Html *html, const char *summary);

/* Ends it. */
void
page_details_end(Html *html);

/*
 * Starts a table with CAPTION and column HEADINGS (NULL-terminated). On a narrow screen
 * each row is a card, and its cells say their heading themselves.
 */
void
page_table_begin(Html *html, const char *caption, const char *const *headings);

/* Ends it. */
void
page_table_end(Html *html);

/* Starts a row. */
void
page_row_begin(Html *html);

/* Ends it. */
void
page_row_end(Html *html);

/* A cell under HEADING. */
void
page_cell(Html *html, const char *heading, const char *text);
