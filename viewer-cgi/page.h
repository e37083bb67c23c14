/*
 * page.h - the frame of every page, and the pages before a message is opened.
 *
 * Pages are pure functions of what they show; the language is that of text_use.
 */
#pragma once

#include <glib.h>

#include "common/conf/conf.h"
#include "common/store/store.h"
#include "viewer-cgi/html.h"
#include "viewer-cgi/page_form.h"
#include "viewer-cgi/text.h"

/* What all pages need. All borrowed. */
typedef struct {
  const Organisation *organisation; /* NULL: nobody's page (unknown host) */
  Language language;
  const char *self;         /* path for the language switch; NULL: no switch */
  const char *logout_token; /* of the session; NULL: no "log out" */
  gint64 session_ends_s;    /* when it ends if nothing is done (V10); 0: there is none */
} Frame;

/* Starts a page with TITLE (a translated text), up to the opening of <main> with its <h1>.
 */
Html *
page_begin(const Frame *frame, const char *title);

/* Ends the page. */
void
page_end(Html *html, const Frame *frame);

/* Appends TEXT (translated, or a visitor's) as a paragraph. */
void
page_paragraph(Html *html, const char *text);

/* Appends TEXT as a message that a screen reader announces; ERROR: as a problem. */
void
page_notice(Html *html, const char *text, gboolean error);

/* Appends TEXT as something to know before going on: what is less safe. */
void
page_warning(Html *html, const char *text);

/* Appends a form's start for POST to PATH with its hidden TOKEN. Close with page_form_end.
 */
void
page_form(Html *html, const char *path, const char *token);

/* The style sheet in the colours of ORGANISATION; new bytes. */
GBytes *
page_style(const Organisation *organisation);

/* Whether dark text is read better than white on COLOUR ("#rrggbb") (WCAG 2.2, 1.4.3). */
gboolean
page_colour_is_light(const char *colour);

/* ---- Whole pages; each returns a new document ---- */

/* A page with TITLE and paragraphs TEXTS (NULL-terminated, translated). */
Html *
page_simple(const Frame *frame, const char *title, const char *const *texts);

/* As page_simple, with the way back to the message that is open. */
Html *
page_with_way_back(const Frame *frame, const char *title, const char *const *texts);

/* "/": what this is. */
Html *
page_home(const Frame *frame);

/* "/help". */
Html *
page_help(const Frame *frame);

/* The one page for whatever does not exist. */
Html *
page_not_found(const Frame *frame);

/* For the holder of a genuine link: how (not ENTRY_OPEN or ENTRY_NONE) and when it ended.
 */
Html *
page_over(const Frame *frame, EntryState state, gint64 date_s);

/* What a visitor with a genuine link may see. All borrowed. */
typedef struct {
  const char *token;      /* of the link */
  const char *form_token; /* for the button */
  const char *sender;
  const char *sender_name;
  const char *number; /* "": the code comes by e-mail */
  gint64 expires_s;
} LinkFacts;

/* "/l/TOKEN": who wrote, and the button that sends a code. */
Html *
page_link(const Frame *frame, const LinkFacts *facts);

typedef enum {
  CODE_NOTE_NONE,
  CODE_NOTE_MALFORMED, /* no six digits: nothing was used up */
  CODE_NOTE_WRONG,     /* number: tries left */
  CODE_NOTE_NO_TRIES,
  CODE_NOTE_EXPIRED,
  CODE_NOTE_WAIT, /* number: seconds until a new code */
  CODE_NOTE_SLOW  /* it is not known whether the code went out */
} CodeNote;

/* What the code page shows. All borrowed. */
typedef struct {
  const char *token;
  const char *send_token; /* for "send a new code" */
  const char *code_token; /* for the field */
  const char *number;     /* "": the code comes by e-mail */
  CodeNote note;
  guint count; /* of the note */
} CodeFacts;

/* "/l/TOKEN/code": the field for the code. */
Html *
page_code(const Frame *frame, const CodeFacts *facts);

/* What the page for a wrong number shows. All borrowed. */
typedef struct {
  const char *token;
  const char *form_token;
  const char *number; /* never "" */
  gboolean unticked;  /* the button was pressed, but not the box: a machine may do that */
} WrongFacts;

/* "/l/TOKEN/wrong": asks whether the sender is to be told. Nothing can be changed (T31). */
Html *
page_wrong(const Frame *frame, const WrongFacts *facts);

/* The sender was told now, or BEFORE. */
Html *
page_wrong_told(const Frame *frame, const char *token, gboolean before);

/* "/l/TOKEN/no-phone": words only. */
Html *
page_no_phone(const Frame *frame, const LinkFacts *facts);

/* The session is over; PATH leads to a new one, or is NULL when that is not known. */
Html *
page_session_over(const Frame *frame, const char *path);

/* After log out. */
Html *
page_logged_out(const Frame *frame);
