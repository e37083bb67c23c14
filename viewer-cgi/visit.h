/*
 * visit.h - one request on its way to an answer; what the handlers share.
 */
#pragma once

#include <glib.h>

#include "common/base/event.h"
#include "common/store/history.h"
#include "common/store/share.h"
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

/* Whether there is a store. FALSE: an answer has been made. Who looks for a link or a
 * session need not ask. */
gboolean
visit_has_store(Visit *visit);

/* Answers with the one page for what does not exist. */
void
visit_not_found(Visit *visit);

/* The form token for PURPOSE bound to LEN bytes at BOUND, a new string; NULL: an answer
 * has been made. */
char *
visit_make_token(Visit *visit, TokenPurpose purpose, gconstpointer bound, gsize len);

/* Notes that KIND happened to the entry (history.h), and records EVENT (takes). That it
 * cannot be noted is logged, and is not the visitor's trouble. */
void
visit_note(const Visit *visit, HistoryKind kind, Event *event);

/* Who reads the entry: key "to" of events. Borrowed; NULL when there is no entry, or he is
 * not known. */
const char *
visit_reader(const Visit *visit);

/* Its sender, who is responsible for it: key "for" of events. As visit_reader. */
const char *
visit_responsible(const Visit *visit);

/* Whether somebody wrote the message who can be answered: not the visitor himself (the web
 * form's copy), nor another visitor (his mail comes from a control address). */
gboolean
visit_has_sender(const Visit *visit);

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

/*
 * Like visit_find_session, but who has a genuine link and a session that is over gets TRUE
 * as well, with *ALIVE FALSE: what he typed can be kept, and nothing be shown.
 */
gboolean
visit_find_cookie(Visit *visit, gboolean *alive);

/* visit_check_form for FIELDS of another form than the request's body (NULL: none). */
gboolean
visit_check_fields(Visit *visit, const Form *fields, TokenPurpose purpose,
                   gconstpointer bound, gsize len);

/*
 * Begins the session SESSION (STORE_SESSION_BYTES) of visit->link_secret: its cookie goes
 * out, and the one that the browser had before ends (T7).
 */
void
visit_begin_session(Visit *visit, const guint8 *session);

/*
 * Receives what the visitor sends with files, which is not kept when they are more than
 * attachments_max_mb of the organisation (upload.h; visit_upload.c). The caller frees it.
 * NULL: an answer has been made. Who may send must be known before.
 */
Upload *
visit_receive(Visit *visit);

/* A new id for a form that mails something (once.h); NULL: an answer has been made. */
char *
visit_new_once(Visit *visit);

/* Gives a use back that came to nothing; that this fails is logged. */
void
visit_return_use(const Visit *visit, EntryUse use);

/* The page for who has a genuine link to an entry that is over, as STATE says. */
void
visit_show_over(Visit *visit, EntryState state);

/* Where the reader of the entry logs in again, a path with a secret: a new string. */
char *
visit_login_path(const Visit *visit);

/* The octets that the files of one form may have together. */
guint64
visit_files_max(const Visit *visit);

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

/* "/m/answer": the form (handle_answer.c). */
void
handle_answer(Visit *visit);

/* POST "/m/answer": mails it to the sender, and to nobody else. */
void
handle_answer_send(Visit *visit);

/* "/m/forward": the form (handle_forward.c). */
void
handle_forward(Visit *visit);

/* POST "/m/forward": to one address. */
void
handle_forward_send(Visit *visit);

/* "/r" and "/r/REFERENCE": the fields for reference and password (handle_shared.c). */
void
handle_shared(Visit *visit);

/* POST "/r": a session. */
void
handle_shared_open(Visit *visit);

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

/* "/form": what it is, and the field for an address (handle_form.c). */
void
handle_form(Visit *visit);

/* POST "/form": a mail with the way to the form. */
void
handle_form_ask(Visit *visit);

/* "/form/TICKET": the form itself (handle_form_send.c). */
void
handle_form_write(Visit *visit);

/* POST "/form/TICKET": what was written goes to the organisation. */
void
handle_form_send(Visit *visit);
