/*
 * The web form, second half: what is written goes to the organisation, and a copy stays
 * here for who wrote it (V11).
 *
 * Whoever has the link reads the address in it. To whom it goes stands in the
 * configuration; nothing that is typed here changes that, becomes a header line, or gets a
 * text message.
 */
#include <string.h>

#include "common/base/error.h"
#include "common/base/event.h"
#include "common/base/log.h"
#include "common/crypt/origin.h"
#include "common/store/history.h"
#include "common/submit/compose.h"
#include "common/submit/submit.h"
#include "viewer-cgi/form_copy.h"
#include "viewer-cgi/form_mail.h"
#include "viewer-cgi/page_write.h"
#include "viewer-cgi/token.h"
#include "viewer-cgi/visit.h"
#include "viewer-cgi/visitor_mail.h"

#define FORM_PREFIX "/form/"

#define USED_WORD   "form-used"
#define USED_S      (FORM_TICKET_LIFE_S + FORM_TICKET_GRACE_S)
#define UPLOAD_WORD "form-upload"
#define UPLOAD_MAX  20 /* with one link: whoever tries that often is no person */

/* One of two presses of the button sends, the other waits for it. */
#define SENDING_WORD  "form-sending"
#define FAILED_WORD   "form-failed"
#define SENDING_S     (2 * SUBMIT_TIMEOUT_S)
#define LOOK_AGAIN_US (G_USEC_PER_SEC / 4)

/* What is known of one visit to the form. */
typedef struct {
  FormTicket ticket;
  char *path;     /* of the form, owned */
  Upload *upload; /* owned; NULL when it came without files */
  FormWords words;
  guint8 digest[CRYPT_SHA256_BYTES];
  FormCopy copy;
} Writing;

static void
writing_clear(Writing *writing)
{
  if (writing->path != NULL)
    secret_wipe(writing->path, strlen(writing->path));
  g_free(writing->path);
  upload_free(writing->upload);
  secret_wipe(&writing->ticket, sizeof writing->ticket);
  secret_wipe(&writing->copy, sizeof writing->copy);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Writing, writing_clear)

/* ---- The link ---- */

/* Whether no message was sent with TICKET yet. FALSE: an answer has been made. */
static gboolean
is_unused(Visit *visit, const FormTicket *ticket)
{
  GError *error = NULL;
  gboolean used = FALSE;
  g_autofree char *nonce = crypt_hex(ticket->nonce, sizeof ticket->nonce);
  if (!store_was_counted(visit->viewer->store, visit->organisation->name, USED_WORD, nonce,
                         USED_S, &used, &error)) {
    visit_fail(visit, error);
    return FALSE;
  }
  if (used)
    response_set_page(visit->response, 410, page_write_over(&visit->frame, TRUE));
  return !used;
}

/* Opens the ticket in the path; one that ended GRACE_S ago still counts. FALSE: answered.
 */
static gboolean
find_ticket(Visit *visit, Writing *writing, gint64 grace_s)
{
  const char *text = visit->request->path + strlen(FORM_PREFIX);
  if (visit->viewer->store == NULL) {
    visit_fail(visit, g_error_new_literal(ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY,
                                          "there is no store"));
    return FALSE;
  }
  if (*visit->organisation->form_recipient == '\0' ||
      !form_ticket_open(visit->viewer->store_keys, visit->organisation->name, text,
                        &writing->ticket)) {
    visit_not_found(visit);
    return FALSE;
  }
  visit->frame.self = "/form";
  if (writing->ticket.expires_s + grace_s < g_get_real_time() / G_USEC_PER_SEC) {
    response_set_page(visit->response, 410, page_write_over(&visit->frame, FALSE));
    return FALSE;
  }
  writing->path = g_strconcat(FORM_PREFIX, text, NULL);
  return TRUE;
}

/* ---- The form ---- */

static void
show_form(Visit *visit, const Writing *writing, guint status, WriteNote note)
{
  const FormWords *words = &writing->words;
  g_autofree char *token = visit_make_token(visit, TOKEN_WRITE, writing->ticket.nonce,
                                            sizeof writing->ticket.nonce);
  if (token == NULL)
    return;
  const WriteFacts facts = {
      .path = writing->path,
      .token = token,
      .address = writing->ticket.address,
      .name = words->name != NULL ? words->name : "",
      .phone = words->phone != NULL ? words->phone : "",
      .text = words->text != NULL ? words->text : "",
      .max_mb = visit->organisation->attachments_max_mb,
      .note = note,
  };
  visit->frame.self = NULL; /* another language would cost what was typed */
  if (status == 200)
    visit->frame.self = writing->path;
  response_set_page(visit->response, status, page_write(&visit->frame, &facts));
}

void
handle_form_write(Visit *visit)
{
  g_auto(Writing) writing = {.path = NULL};
  if (find_ticket(visit, &writing, 0) && is_unused(visit, &writing.ticket))
    show_form(visit, &writing, 200, WRITE_NOTE_NONE);
}

/* ---- What came ---- */

static WriteNote
check_words(const FormWords *words)
{
  glong name = words->name != NULL ? g_utf8_strlen(words->name, -1) : 0;
  if (name < 1 || name > WRITE_NAME_MAX_CHARS || !compose_is_line(words->name))
    return WRITE_NOTE_NAME;
  if (g_utf8_strlen(words->phone, -1) > WRITE_PHONE_MAX_CHARS ||
      !compose_is_line(words->phone))
    return WRITE_NOTE_PHONE;
  glong text = words->text != NULL ? g_utf8_strlen(words->text, -1) : 0;
  if (text < 1 || text > WRITE_TEXT_MAX_CHARS)
    return WRITE_NOTE_TEXT;
  return WRITE_NOTE_NONE;
}

/* One more upload with this link; FALSE: answered. */
static gboolean
count_upload(Visit *visit, const FormTicket *ticket)
{
  GError *error = NULL;
  gboolean granted = FALSE;
  g_autofree char *nonce = crypt_hex(ticket->nonce, sizeof ticket->nonce);
  if (!store_count(visit->viewer->store, visit->organisation->name, UPLOAD_WORD, nonce,
                   UPLOAD_MAX, USED_S, &granted, &error)) {
    visit_fail(visit, error);
    return FALSE;
  }
  if (!granted)
    response_set_page(visit->response, 429, page_write_over(&visit->frame, TRUE));
  return granted;
}

/* FIELD as it was typed, borrowed; "" when it did not come. */
static const char *
field(const Writing *writing, const char *name)
{
  const char *value = form_get(writing->upload->fields, name);
  return value != NULL ? value : "";
}

/* Receives what was written. FALSE: an answer has been made. */
static gboolean
receive(Visit *visit, Writing *writing)
{
  if (!count_upload(visit, &writing->ticket))
    return FALSE;
  writing->upload = visit_receive(visit);
  if (writing->upload == NULL ||
      !visit_check_fields(visit, writing->upload->fields, TOKEN_WRITE,
                          writing->ticket.nonce, sizeof writing->ticket.nonce))
    return FALSE;
  writing->words = (FormWords){
      .organisation = visit->organisation,
      .address = writing->ticket.address,
      .name = field(writing, "name"),
      .phone = field(writing, "phone"),
      .text = field(writing, "text"),
      .files = writing->upload->files,
      .now_s = g_get_real_time() / G_USEC_PER_SEC,
  };
  form_mail_digest(&writing->words, writing->digest);
  WriteNote note = check_words(&writing->words);
  if (note == WRITE_NOTE_NONE && writing->upload->left_out)
    note = WRITE_NOTE_FILES;
  if (note != WRITE_NOTE_NONE)
    show_form(visit, writing, 400, note);
  return note == WRITE_NOTE_NONE;
}

/* ---- On its way ---- */

/* Files the visitor's copy. FALSE: an answer has been made. */
static gboolean
file_copy(Visit *visit, Writing *writing, const FormMail *mail)
{
  GError *error = NULL;
  g_autofree char *id =
      conversation_id(visit->viewer->origin_keys, visit->organisation->name,
                      writing->ticket.address, &error);
  GString *message = id != NULL ? form_mail_copy(mail, &writing->words, id, &error) : NULL;
  const FormCopyFacts facts = {
      .organisation = visit->organisation->name,
      .ticket = &writing->ticket,
      .name = writing->words.name,
      .digest = writing->digest,
      .message = message,
      .now_s = writing->words.now_s,
      .retention_days = visit->organisation->retention_days,
  };
  gboolean filed =
      message != NULL && form_copy_file(visit->viewer->store, visit->viewer->token_key,
                                        &facts, &writing->copy, &error);
  compose_free(message);
  if (!filed)
    visit_fail(visit, error);
  else if (writing->copy.other)
    response_set_page(visit->response, 410, page_write_over(&visit->frame, TRUE));
  return filed && !writing->copy.other;
}

/* What went is on its way, whatever fails here. */
static void
record(const Visit *visit, const Writing *writing, const char *queue_id)
{
  Store *store = visit->viewer->store;
  const char *organisation = visit->organisation->name;
  g_autofree char *nonce = crypt_hex(writing->ticket.nonce, sizeof writing->ticket.nonce);
  g_autoptr(GError) error = NULL;
  gboolean granted = FALSE;
  g_autoptr(Event) event =
      event_new(EVENT_FORM_SENT, NULL, organisation, "ref", writing->copy.reference, "from",
                writing->ticket.address, "to", visit->organisation->form_recipient,
                "client", visit->request->client, "as", queue_id, NULL);
  gboolean recorded = store_set_notified(store, organisation, writing->copy.reference,
                                         queue_id != NULL ? queue_id : "", event, &error);
  if (!recorded)
    event_send(event);
  if (!recorded ||
      !store_count(store, organisation, USED_WORD, nonce, 1, USED_S, &granted, &error))
    log_line(LOG_LEVEL_WARNING, "reference=%s: sent, but that is not recorded: %s",
             writing->copy.reference, error->message);
}

/* Whether the copy's mail is on its way by now. */
static gboolean
is_sent(const Visit *visit, const Writing *writing)
{
  g_autoptr(GArray) lines = store_history(visit->viewer->store, visit->organisation->name,
                                          writing->copy.reference, NULL);
  for (guint i = 0; lines != NULL && i < lines->len; i++)
    if (g_array_index(lines, HistoryLine, i).kind == HISTORY_NOTIFIED)
      return TRUE;
  return FALSE;
}

/* Another press of the button sends just now; FALSE: it did not get that far. */
static gboolean
wait_for_other(const Visit *visit, const Writing *writing)
{
  gint64 end_us = g_get_monotonic_time() + SUBMIT_TIMEOUT_S * (gint64) G_USEC_PER_SEC;
  gboolean sent = is_sent(visit, writing);
  while (!sent && g_get_monotonic_time() < end_us) {
    g_usleep(LOOK_AGAIN_US);
    sent = is_sent(visit, writing);
  }
  return sent;
}

/* Takes the turn to send. Each try that failed leaves one, so that nobody who presses the
 * button once more waits for nothing. *TURN names it, a new string; *GRANTED FALSE: another
 * request has it. */
static gboolean
take_turn(const Visit *visit, const Writing *writing, char **turn, gboolean *granted,
          GError **error)
{
  const char *name = visit->organisation->name;
  gboolean failed = TRUE;
  *granted = FALSE;
  for (guint i = 0; failed && i < UPLOAD_MAX; i++) {
    g_free(*turn);
    *turn = g_strdup_printf("%s:%u", writing->copy.reference, i);
    if (!store_was_counted(visit->viewer->store, name, FAILED_WORD, *turn, USED_S, &failed,
                           error))
      return FALSE;
  }
  return failed || store_count(visit->viewer->store, name, SENDING_WORD, *turn, 1,
                               SENDING_S, granted, error);
}

static void
leave_turn(const Visit *visit, const char *turn)
{
  gboolean granted = FALSE;
  g_autoptr(GError) error = NULL;
  if (!store_count(visit->viewer->store, visit->organisation->name, FAILED_WORD, turn, 1,
                   USED_S, &granted, &error))
    log_line(LOG_LEVEL_WARNING, "reference=%s: %s", turn, error->message);
}

/* Sends MAIL unless another request does. FALSE with *ERROR, or without when that other
 * one did not get it out. */
static gboolean
send_once(const Visit *visit, const Writing *writing, FormMail *mail, GError **error)
{
  gboolean granted = FALSE;
  g_autofree char *turn = NULL;
  g_autofree char *queue_id = NULL;
  if (!take_turn(visit, writing, &turn, &granted, error))
    return FALSE;
  if (!granted)
    return wait_for_other(visit, writing);
  if (!visitor_mail_send(visit->viewer, visit->organisation, ORIGIN_FORM,
                         writing->copy.reference, &mail->facts, &queue_id, error)) {
    leave_turn(visit, turn);
    return FALSE;
  }
  record(visit, writing, queue_id);
  return TRUE;
}

static void
show_done(Visit *visit, const Writing *writing)
{
  const WriteDone done = {
      .address = writing->ticket.address,
      .reference = writing->copy.reference,
      .password = writing->copy.password,
      .sent_s = writing->words.now_s,
      .expires_s = writing->copy.expires_s,
  };
  visit->frame.self = NULL; /* a GET of this page has no password any more */
  response_set_page(visit->response, 200, page_write_done(&visit->frame, &done));
}

static void
send_words(Visit *visit, Writing *writing)
{
  g_auto(FormMail) mail = {.text = NULL};
  g_autoptr(GError) error = NULL;
  form_mail_begin(&mail, &writing->words);
  if (!file_copy(visit, writing, &mail))
    return;
  if (writing->copy.sent || send_once(visit, writing, &mail, &error)) {
    show_done(visit, writing);
    return;
  }
  log_line(LOG_LEVEL_WARNING, "org=%s, reference=%s: the web form's mail did not go: %s",
           visit->organisation->name, writing->copy.reference,
           error != NULL ? error->message : "another request did not send it either");
  show_form(visit, writing, 503, WRITE_NOTE_LATER);
}

void
handle_form_send(Visit *visit)
{
  g_auto(Writing) writing = {.path = NULL};
  if (find_ticket(visit, &writing, FORM_TICKET_GRACE_S) && receive(visit, &writing))
    send_words(visit, &writing);
}
