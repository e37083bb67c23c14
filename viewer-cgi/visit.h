/*
 * visit.h - one request on its way to an answer; what the handlers share.
 */
#pragma once

#include <glib.h>

#include "common/store/history.h"
#include "viewer-cgi/cookie.h"
#include "viewer-cgi/page.h"
#include "viewer-cgi/token.h"
#include "viewer-cgi/viewer.h"

/* All borrowed but what visit_clear frees. */
typedef struct {
  const Viewer *viewer;
  const Request *request;
  const Organisation *organisation; /* whose host was asked: nothing of others is served */
  Route route;
  gboolean secure; /* https */
  Frame frame;
  Response *response;

  /* Set by visit_find_link or visit_find_session. */
  guint8 link_secret[STORE_LINK_SECRET_BYTES];
  guint8 session[STORE_SESSION_BYTES];
  Entry *entry;
  gint64 session_ends_s;
  char *self;         /* of frame.self */
  char *logout_token; /* of frame.logout_token */
} Visit;

/* Wipes and frees what VISIT owns. */
void
visit_clear(Visit *visit);

/* Answers with the page for ERROR, which it takes, and logs it. */
void
visit_fail(Visit *visit, GError *error);

/* Answers with the one page for what does not exist. */
void
visit_not_found(Visit *visit);

/* The form token for PURPOSE bound to LEN bytes at BOUND, a new string; NULL: an answer
 * has been made. */
char *
visit_make_token(Visit *visit, TokenPurpose purpose, gconstpointer bound, gsize len);

/* Notes that KIND happened to the entry (history.h). That it cannot be noted is logged, and
 * is not the visitor's trouble. */
void
visit_note(const Visit *visit, HistoryKind kind);

/* The visitor's session is over for his browser too: cookie, pages that it keeps, and what
 * the frame says of a session. */
void
visit_forget(Visit *visit);

/*
 * Finds the entry of the link in the path. TRUE: visit->entry is open. FALSE: an answer has
 * been made (over, never existed, or an error).
 */
gboolean
visit_find_link(Visit *visit);

/*
 * Finds the entry of the session cookie and keeps the session alive. TRUE: visit->entry is
 * open for this visitor. FALSE: an answer has been made.
 */
gboolean
visit_find_session(Visit *visit);

/*
 * Whether the form came from our own page (T8): Origin, Sec-Fetch-Site, and the token for
 * PURPOSE bound to LEN bytes at BOUND. FALSE: an answer has been made.
 */
gboolean
visit_check_form(Visit *visit, TokenPurpose purpose, gconstpointer bound, gsize len);

/* "/l/TOKEN": the page and the button (handle_access.c). */
void
handle_link(Visit *visit);

/* POST "/l/TOKEN/send": a code by SMS. */
void
handle_send(Visit *visit);

/* "/l/TOKEN/code": the field. */
void
handle_code(Visit *visit);

/* POST "/l/TOKEN/code": the session, or another try. */
void
handle_check(Visit *visit);

/* "/l/TOKEN/wrong" (handle_number.c). */
void
handle_wrong(Visit *visit);

/* POST "/l/TOKEN/wrong": the sender is told, once a day at most. */
void
handle_tell(Visit *visit);

/* "/l/TOKEN/no-phone". */
void
handle_no_phone(Visit *visit);

/* POST "/logout". */
void
handle_logout(Visit *visit);

/* "/m" (handle_message.c). */
void
handle_message(Visit *visit);

/* "/m/html". */
void
handle_html(Visit *visit);

/* "/m/text". */
void
handle_text(Visit *visit);

/* "/m/part/N" (handle_download.c). */
void
handle_part(Visit *visit);

/* "/m/pdf". */
void
handle_pdf(Visit *visit);

/* "/m/zip". */
void
handle_zip(Visit *visit);

/* "/m/original". */
void
handle_original(Visit *visit);

/* "/s/TOKEN": what became of a message (handle_status.c). */
void
handle_status(Visit *visit);

/* "/s/TOKEN/recall": is that what you want? */
void
handle_recall_ask(Visit *visit);

/* POST "/s/TOKEN/recall". */
void
handle_recall(Visit *visit);

/* "/m/delete": asks whether it is meant (handle_delete.c). */
void
handle_delete(Visit *visit);

/* POST "/m/delete". */
void
handle_destroy(Visit *visit);
