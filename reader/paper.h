/*
 * paper.h - a tagged PDF, written from top to bottom (PDF 1.5 14.8; EN 301 549 10).
 *
 * Each piece of text has the tag that says what it is; lines break, and so do pages. The
 * same calls give the same bytes.
 */
#pragma once

#include <glib.h>

#define PAPER_MAX_PAGES 150 /* before paper_end_cap */
#define PAPER_MAX_CPU_S 5   /* of the process; then it is full, whatever there is */
#define PAPER_MAX_LINKS 2000

typedef enum {
  PAPER_TITLE,   /* H1 */
  PAPER_HEADING, /* H2 */
  PAPER_TEXT,    /* P */
  PAPER_ITEM     /* LBody; within paper_begin_list */
} PaperKind;

typedef struct Paper Paper;

/*
 * Finds the fonts, and has Pango start what it needs: threads end here. Once, before the
 * sandbox. Returns the directories that must stay readable, a new, NULL-ended list.
 */
char **
paper_init(void);

/*
 * A new document: TITLE and AUTHOR (valid UTF-8) and DATE (or NULL) for its properties,
 * LANGUAGE (RFC 5646, letters and '-') of its words. Freed by paper_finish.
 */
Paper *
paper_new(const char *title, const char *author, GDateTime *date, const char *language);

/*
 * Writes TEXT (valid UTF-8, lines end in line feeds) as KIND, its first BOLD bytes in bold.
 * Each line has the direction of its own first letter; addresses of http, https and mailto
 * in it become links, up to PAPER_MAX_LINKS. When it is full nothing is written.
 */
void
paper_write(Paper *paper, PaperKind kind, const char *text, gsize bold);

/* Begins a list: from now on only PAPER_ITEM is written. */
void
paper_begin_list(Paper *paper);

/* Ends it. */
void
paper_end_list(Paper *paper);

/* Begins a table of COLUMNS (at least 1): from now on only rows are written. */
void
paper_begin_table(Paper *paper, guint columns);

/*
 * Writes the CELLS (valid UTF-8, as many as there are columns) of a row: the first stands
 * left, the others right, and all in bold when IS_HEAD. A row stays on one page;
 * where a page begins within a table, the last head is written again.
 */
void
paper_write_row(Paper *paper, const char *const *cells, gboolean is_head);

/* Ends it. */
void
paper_end_table(Paper *paper);

/* Whether PAPER_MAX_PAGES are full, or PAPER_MAX_CPU_S are over. */
gboolean
paper_is_full(const Paper *paper);

/* From now on pages are not counted. */
void
paper_end_cap(Paper *paper);

/* Ends and frees PAPER. Its bytes, for the caller to unref, or NULL when Cairo failed. */
GByteArray *
paper_finish(Paper *paper);
