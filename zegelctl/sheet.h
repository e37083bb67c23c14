/*
 * sheet.h - a report as headings, paragraphs and tables, and the forms it is written in.
 *
 * Whoever makes a sheet says what there is, once; text, HTML and PDF come from the same
 * pieces. Everything in it may come from elsewhere: each writer escapes for its own place.
 */
#pragma once

#include <glib.h>

#define SHEET_MAX_BARS 4 /* columns of a table that are drawn */

typedef enum {
  SHEET_HEADING,
  SHEET_TEXT,
  SHEET_TABLE
} SheetKind;

/* Owned by its sheet. */
typedef struct {
  SheetKind kind;
  char *text;      /* the heading, the paragraph, or the caption of the table */
  GStrv columns;   /* of a table; the first names the row, the others hold numbers */
  GPtrArray *rows; /* of GStrv, each as long as columns */
  gboolean total;  /* the last row is the sum of the others */
  guint bars; /* so many columns behind the first are drawn as bars, one on the other */
} SheetPiece;

typedef struct {
  char *title;
  char *language;    /* "nl" or "en" */
  GPtrArray *pieces; /* of SheetPiece */
} Sheet;

/* An empty sheet. Never NULL; freed with sheet_free. */
Sheet *
sheet_new(const char *title, const char *language);

/* Frees SHEET; NULL is allowed. */
void
sheet_free(Sheet *sheet);

/* Appends a heading. */
void
sheet_add_heading(Sheet *sheet, const char *text);

/* Appends a paragraph; takes TEXT. */
void
sheet_take_text(Sheet *sheet, char *text);

/* Appends a table of COLUMNS (NULL-ended), without rows; owned by SHEET. */
SheetPiece *
sheet_add_table(Sheet *sheet, const char *caption, const char *const *columns);

/* Appends ROW, which it takes, to TABLE. */
void
sheet_take_row(SheetPiece *table, GStrv row);

/* SHEET in lines for a terminal, a new string. No control character gets through. */
char *
sheet_format_text(const Sheet *sheet);

/*
 * SHEET as one HTML document that needs no other file and runs nothing (WCAG 2.2 AA), a new
 * string. Drawn bars are SVG with a title and a description, and stand beside their table.
 * Its few words of its own are those of gettext.
 */
char *
sheet_format_html(const Sheet *sheet);

/*
 * SHEET as a tagged PDF, made by the confined READER (path of zegel-reader). A new array,
 * or NULL with ZEGEL_ERROR_TEMPORARY or ZEGEL_ERROR_LIMIT when it has too much for one.
 */
GByteArray *
sheet_format_pdf(const Sheet *sheet, const char *reader, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sheet, sheet_free)
