/*
 * prose.h - the same words twice: as plain text and as HTML.
 *
 * A letter is written once, and so no reader is told anything else than another. Text is
 * escaped here; nothing has a colour but the button, so that light and dark are the mail
 * program's own. No picture, no style sheet, nothing from outside. Pure.
 */
#pragma once

#include <glib.h>

typedef struct {
  GString *text; /* lines end with LF */
  GString *html; /* the document */
} Prose;

/* An empty letter with TITLE (static) whose first words are in LANGUAGE ("nl", "en"). Free
 * with prose_free. */
Prose *
prose_new(const char *language, const char *title);

/* Wipes PROSE and frees it; NULL is allowed. */
void
prose_free(Prose *prose);

/* From here on, below a line, the words are in LANGUAGE. */
void
prose_turn(Prose *prose, const char *language);

/* A paragraph. TEXT is broken into lines by LF, which HTML takes for spaces. */
void
prose_paragraph(Prose *prose, const char *text);

/* A paragraph that begins with who wrote: NAME ("" when there is none) and ADDRESS, each
 * isolated from the direction of what stands beside it (T30), and then TEXT. */
void
prose_writer(Prose *prose, const char *name, const char *address, const char *text);

/* A list with a line above it: HEAD, and ITEMS up to NULL. */
void
prose_list(Prose *prose, const char *head, const char *const *items);

/* The whole URL in a line by itself; in HTML below a button with LABEL that leads there. */
void
prose_link(Prose *prose, const char *label, const char *url);

/* The document is complete: its end is written. */
void
prose_end(Prose *prose);

/* ---- Words that several letters need; new strings ---- */

/* "3 februari 2026", in local time. */
char *
prose_day_dutch(gint64 time_s);

/* "3 February 2026", in local time. */
char *
prose_day_english(gint64 time_s);

/* The last two digits of NUMBER: all that is told of it. Part of NUMBER. */
const char *
prose_number_end(const char *number);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Prose, prose_free)
