/* An answer to who sent the message, and to nobody else (V5, T15). */
#include <string.h>

#include "common/base/attachment.h"
#include "common/base/error.h"
#include "common/base/event.h"
#include "common/base/log.h"
#include "common/submit/letter.h"
#include "viewer-cgi/disposition.h"
#include "viewer-cgi/message_view.h"
#include "viewer-cgi/once.h"
#include "viewer-cgi/page_answer.h"
#include "viewer-cgi/visit.h"
#include "viewer-cgi/visitor_mail.h"

#define WHAT              "answer"
#define TEXT_MAX_BYTES    60000 /* a draft holds it */
#define SUBJECT_MAX_CHARS 200

static void
show_none_left(Visit *visit)
{
  const char *const texts[] = {
      _("You can answer a message two times. You did that already."),
      _("Do you want to say more? Wait until the other person writes to you again, or "
        "call."),
      NULL,
  };
  response_set_page(
      visit->response, 403,
      page_with_way_back(&visit->frame, _("You cannot answer any more"), texts));
}

static void
show_no_answer(Visit *visit)
{
  const char *const texts[] = {_("Nobody can be answered from this page."), NULL};
  response_set_page(
      visit->response, 403,
      page_with_way_back(&visit->frame, _("You cannot answer this message"), texts));
}

/* Whether there is somebody to answer. FALSE: answered. */
static gboolean
may_answer(Visit *visit)
{
  const Entry *entry = visit->entry;
  if (!visit_has_sender(visit))
    show_no_answer(visit);
  else if (entry->answers_left == 0)
    show_none_left(visit);
  else
    return TRUE;
  return FALSE;
}

/* The form with TEXT, and what is wrong (ERROR_TEXT, or NULL). */
static void
show_form(Visit *visit, guint status, const char *text, gboolean restored,
          const char *error_text)
{
  g_autofree char *once = visit_new_once(visit);
  g_autofree char *token =
      once != NULL
          ? visit_make_token(visit, TOKEN_ANSWER, visit->session, sizeof visit->session)
          : NULL;
  if (token == NULL)
    return;
  const AnswerFacts facts = {.form_token = token,
                             .once = once,
                             .sender = visit->entry->sender,
                             .sender_name = visit->entry->sender_name,
                             .answers_left = visit->entry->answers_left,
                             .attachments_max_mb = visit->organisation->attachments_max_mb,
                             .text = text,
                             .restored = restored,
                             .error = error_text};
  response_set_page(visit->response, status, page_answer(&visit->frame, &facts));
}

/* The confirmation, when the form ONCE has done its work; else FALSE. */
static gboolean
show_sent(Visit *visit, const char *once)
{
  const Entry *entry = visit->entry;
  g_autoptr(GError) error = NULL;
  gboolean done = FALSE;
  if (!once_is_done(visit->viewer->store, entry, WHAT, once, &done, &error))
    log_line(LOG_LEVEL_WARNING, "reference=%s: not known whether an answer was sent: %s",
             entry->reference, error->message);
  if (!done)
    return FALSE;
  response_set_page(visit->response, 200,
                    page_answer_sent(&visit->frame, entry->sender, entry->sender_name,
                                     entry->answers_left));
  return TRUE;
}

void
handle_answer(Visit *visit)
{
  GError *error = NULL;
  if (!visit_find_session(visit) ||
      show_sent(visit, form_get(visit->request->query, "sent")) || !may_answer(visit))
    return;
  char *draft =
      store_get_draft(visit->viewer->store, visit->entry, visit->link_secret, &error);
  if (draft == NULL) {
    visit_fail(visit, error);
    return;
  }
  show_form(visit, 200, draft, *draft != '\0', NULL);
  secret_wipe(draft, strlen(draft));
  g_free(draft);
}

/* ---- Keeping what was typed ---- */

/* TEXT as it is kept: not more than a draft holds, cut at a character. */
static char *
fit_draft(const char *text)
{
  gsize len = strlen(text);
  if (len > STORE_DRAFT_MAX_BYTES)
    len = (gsize) (g_utf8_find_prev_char(text, text + STORE_DRAFT_MAX_BYTES + 1) - text);
  return g_strndup(text, len);
}

static void
put_draft(const Visit *visit, const char *text)
{
  g_autoptr(GError) error = NULL;
  char *kept = fit_draft(text);
  if (!store_put_draft(visit->viewer->store, visit->entry, visit->link_secret, kept,
                       &error))
    log_line(LOG_LEVEL_WARNING, "reference=%s: a draft was not kept: %s",
             visit->entry->reference, error->message);
  secret_wipe(kept, strlen(kept));
  g_free(kept);
}

/* The session was over: the text waits for the next one (V10). */
static void
keep_text(Visit *visit, const char *text)
{
  char *path = visit_login_path(visit);
  put_draft(visit, text);
  response_set_page(visit->response, 403, page_text_kept(&visit->frame, path));
  secret_wipe(path, strlen(path));
  g_free(path);
}

/* ---- What was sent ---- */

static gboolean
is_blank(const char *text)
{
  const char *p = text;
  while (g_unichar_isspace(g_utf8_get_char(p)))
    p = g_utf8_next_char(p);
  return *p == '\0';
}

/* What is wrong with what was sent, for its writer: a new string; NULL when nothing is. */
static char *
find_fault(const Visit *visit, const Upload *upload, const char *text)
{
  const Organisation *organisation = visit->organisation;
  if (upload->left_out)
    return g_strdup_printf(
        _("The attachments are too large or too many. Together they may be "
          "%u MB, and at most %d files. Choose them again."),
        organisation->attachments_max_mb, UPLOAD_MAX_FILES);
  if (strlen(text) > TEXT_MAX_BYTES)
    return g_strdup(
        _("Your text is too long. Make it shorter, or send it as an attachment."));
  if (is_blank(text) && upload->files->len == 0)
    return g_strdup(_("Type an answer or choose an attachment first."));
  for (guint i = 0; i < upload->files->len; i++) {
    const UploadFile *file = upload->files->pdata[i];
    g_autofree char *name = disposition_file_name(file->file_name, "");
    if (attachment_is_refused(file->file_name,
                              (const char *const *) organisation->refused_extensions))
      return g_strdup_printf(_("A file of this kind cannot be sent: %s. Choose the other "
                               "attachments again."),
                             name);
  }
  return NULL;
}

/* "Re: " and the subject of the message, as its reader saw it. */
static char *
make_subject(const Visit *visit)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Summary) summary = message_view_summary(visit, &error);
  g_autofree char *line =
      letter_line(summary != NULL ? summary->subject : "", SUBJECT_MAX_CHARS);
  if (g_ascii_strncasecmp(line, "Re:", 3) == 0)
    return g_steal_pointer(&line);
  return g_strconcat("Re: ", line, NULL);
}

/* Under the words of the visitor, for the sender. */
static char *
with_footer(const Visit *visit, const char *text)
{
  g_autofree char *name =
      letter_line(visit->organisation->display_name, LETTER_NAME_MAX_CHARS);
  return g_strdup_printf("%s\n\n"
                         "-- \n"
                         "Dit antwoord is geschreven in de beveiligde omgeving van\n%s.\n"
                         "Als u dit bericht beantwoordt, gaat ook uw antwoord beveiligd.\n"
                         "\n"
                         "This answer was written in the secure environment of\n%s.\n"
                         "When you reply to it, your reply is secure as well.\n",
                         text, name, name);
}

/* The files of UPLOAD as parts; NAMES keeps their names. */
static GArray *
make_parts(const Upload *upload, GPtrArray *names)
{
  GArray *parts = g_array_new(FALSE, TRUE, sizeof(ComposePart));
  for (guint i = 0; i < upload->files->len; i++) {
    const UploadFile *file = upload->files->pdata[i];
    g_autofree char *fallback = g_strdup_printf(_("attachment-%u"), i + 1);
    char *name = disposition_file_name(file->file_name, fallback);
    const ComposePart part = {name, compose_is_line(file->type) ? file->type : "",
                              secret_peek(file->bytes), secret_size(file->bytes)};
    g_ptr_array_add(names, name);
    g_array_append_val(parts, part);
  }
  return parts;
}

static gboolean
is_message_id(const char *id)
{
  return id[0] == '<' && g_str_is_ascii(id) && compose_is_line(id) &&
         strpbrk(id, " \t") == NULL && g_str_has_suffix(id, ">");
}

/* Mails TEXT and the files of UPLOAD. FALSE with an error. */
static gboolean
mail_answer(const Visit *visit, const Upload *upload, const char *text, char **queue_id,
            GError **error)
{
  const Entry *entry = visit->entry;
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GArray) parts = make_parts(upload, names);
  g_autofree char *subject = make_subject(visit);
  char *whole = with_footer(visit, text);
  ComposeFacts facts = {.author = entry->address,
                        .reply_to = entry->address,
                        .recipient = entry->sender,
                        .subject = subject,
                        .in_reply_to =
                            is_message_id(entry->message_id) ? entry->message_id : NULL,
                        .text = whole,
                        .parts = (const ComposePart *) (gpointer) parts->data,
                        .part_count = parts->len};
  gboolean sent = visitor_mail_send(visit->viewer, visit->organisation, ORIGIN_ANSWER,
                                    entry->reference, &facts, queue_id, error);
  secret_wipe(whole, strlen(whole));
  g_free(whole);
  return sent;
}

/* The answer is on its way: nothing that fails from here on takes it back. */
static void
conclude(Visit *visit, const Upload *upload, const char *once, const char *queue_id)
{
  const Entry *entry = visit->entry;
  g_autoptr(GError) error = NULL;
  g_autofree char *count = g_strdup_printf("%u", upload->files->len);
  g_autofree char *bytes = g_strdup_printf("%" G_GUINT64_FORMAT, upload->files_bytes);
  if (!once_finish(visit->viewer->store, entry, WHAT, once, &error))
    log_line(LOG_LEVEL_WARNING, "reference=%s: not noted that an answer was sent: %s",
             entry->reference, error->message);
  visit_note(visit, HISTORY_ANSWERED,
             event_new(EVENT_ANSWERED, queue_id, entry->organisation, "ref",
                       entry->reference, "client", visit->request->client, "from",
                       entry->address, "to", entry->sender, "attachments", count, "bytes",
                       bytes, NULL));
  put_draft(visit, "");
  g_autofree char *path = g_strconcat("/m/answer?sent=", once, NULL);
  response_set_redirect(visit->response, path);
}

/* Nothing went: the use is given back, and the text is there again. Takes ERROR. */
static void
show_not_sent(Visit *visit, const char *text, GError *error)
{
  log_line(LOG_LEVEL_WARNING, "org=%s, reference=%s: an answer was not sent: %s",
           visit->organisation->name, visit->entry->reference, error->message);
  g_error_free(error);
  visit_return_use(visit, USE_ANSWER);
  visit->response->retry_after_s = 300;
  show_form(
      visit, 503, text, FALSE,
      _("We could not send your answer just now. Nothing was lost: your text is below. "
        "Choose your attachments again and try once more in a few minutes."));
}

static void
send_answer(Visit *visit, const Upload *upload, const char *text, const char *once)
{
  gboolean granted = FALSE;
  GError *error = NULL;
  g_autofree char *queue_id = NULL;
  if (!store_take_use(visit->viewer->store, visit->entry, USE_ANSWER, &granted, &error))
    visit_fail(visit, error);
  else if (!granted)
    show_none_left(visit);
  else if (mail_answer(visit, upload, text, &queue_id, &error))
    conclude(visit, upload, once, queue_id);
  else
    show_not_sent(visit, text, error);
}

/* Sends it, unless this form has done so already. */
static void
send_once(Visit *visit, const Upload *upload, const char *text, const char *once)
{
  Once state = ONCE_UNKNOWN;
  GError *error = NULL;
  if (!once_begin(visit->viewer->store, visit->entry, WHAT, once, &state, &error)) {
    visit_fail(visit, error);
    return;
  }
  g_autofree char *path = g_strconcat("/m/answer?sent=", once, NULL);
  switch (state) {
  case ONCE_FIRST:
    send_answer(visit, upload, text, once);
    break;
  case ONCE_DONE:
    response_set_redirect(visit->response, path);
    break;
  case ONCE_UNKNOWN:
    show_form(
        visit, 409, text, FALSE,
        _("Sending was broken off, and we do not know whether your answer was sent. If "
          "you are not sure, choose your attachments again and send it once more."));
    break;
  }
}

static void
take_answer(Visit *visit, const Upload *upload, gboolean alive)
{
  const char *text = form_get(upload->fields, "text");
  if (!visit_check_fields(visit, upload->fields, TOKEN_ANSWER, visit->session,
                          sizeof visit->session))
    return;
  if (text == NULL)
    text = "";
  if (!alive) {
    keep_text(visit, text);
    return;
  }
  g_autofree char *fault = find_fault(visit, upload, text);
  if (fault != NULL)
    show_form(visit, upload->left_out ? 413 : 400, text, FALSE, fault);
  else
    send_once(visit, upload, text, form_get(upload->fields, ONCE_FIELD));
}

void
handle_answer_send(Visit *visit)
{
  gboolean alive = FALSE;
  if (!visit_find_cookie(visit, &alive))
    return;
  g_autoptr(Upload) upload = visit_receive(visit);
  if (upload != NULL)
    take_answer(visit, upload, alive);
}
