/* From the link to a session, and out again. Only POST changes anything (T6). */
#include <string.h>

#include "common/ask/phone_book.h"
#include "common/base/event.h"
#include "common/base/log.h"
#include "common/base/phone.h"
#include "viewer-cgi/budget.h"
#include "viewer-cgi/code.h"
#include "viewer-cgi/mail.h"
#include "viewer-cgi/sms.h"
#include "viewer-cgi/visit.h"

#define WAIT_MAX_S   (24 * 3600) /* of a note in the URL */
#define LIMIT_WAIT_S 3600

/* Whether there is no number: the code comes by e-mail, which is weaker (S6). */
static gboolean
is_by_mail(const Visit *visit)
{
  return *visit->entry->number == '\0';
}

/* An event KIND of the entry; WHY may be NULL. */
static Event *
make_event(const Visit *visit, EventKind kind, const char *why)
{
  return event_new(kind, NULL, visit->organisation->name, "ref", visit->entry->reference,
                   "to", visit_reader(visit), "for", visit_responsible(visit), "client",
                   visit->request->client, "method", is_by_mail(visit) ? "email" : NULL,
                   "reason", why, NULL);
}

/* One of which the store has nothing to record. */
static void
send_event(const Visit *visit, EventKind kind, const char *why)
{
  g_autoptr(Event) event = make_event(visit, kind, why);
  event_send(event);
}

static char *
make_token(Visit *visit, TokenPurpose purpose)
{
  return visit_make_token(visit, purpose, visit->link_secret, sizeof visit->link_secret);
}

void
handle_link(Visit *visit)
{
  if (!visit_find_link(visit))
    return;
  g_autofree char *form_token = make_token(visit, TOKEN_SEND);
  if (form_token == NULL)
    return;
  LinkFacts facts = {
      .token = visit->route.token,
      .form_token = form_token,
      .sender = visit->entry->sender,
      .sender_name = visit->entry->sender_name,
      .number = visit->entry->number,
      .expires_s = visit->entry->expires_s,
  };
  response_set_page(visit->response, 200, page_link(&visit->frame, &facts));
}

static void
show_code(Visit *visit, guint status, CodeNote note, guint count)
{
  g_autofree char *send_token = make_token(visit, TOKEN_SEND);
  g_autofree char *code_token = send_token != NULL ? make_token(visit, TOKEN_CODE) : NULL;
  if (code_token == NULL)
    return;
  g_autofree char *self = g_strconcat("/l/", visit->route.token, "/code", NULL);
  visit->frame.self = self;
  CodeFacts facts = {
      .token = visit->route.token,
      .send_token = send_token,
      .code_token = code_token,
      .number = visit->entry->number,
      .note = note,
      .count = count,
  };
  response_set_page(visit->response, status, page_code(&visit->frame, &facts));
  visit->frame.self = visit->self;
}

void
handle_code(Visit *visit)
{
  if (!visit_find_link(visit))
    return;
  const Form *query = visit->request->query;
  const char *wait = form_get(query, "wait");
  guint64 wait_s = 0;
  if (wait != NULL && g_ascii_string_to_unsigned(wait, 10, 1, WAIT_MAX_S, &wait_s, NULL))
    show_code(visit, 200, CODE_NOTE_WAIT, (guint) wait_s);
  else if (form_get(query, "slow") != NULL)
    show_code(visit, 200, CODE_NOTE_SLOW, 0);
  else
    show_code(visit, 200, CODE_NOTE_NONE, 0);
}

/* No code went out; the page says why and what to do. */
static void
show_refused(Visit *visit, guint status, guint retry_after_s, const char *why)
{
  const char *const texts[] = {
      why,
      _("Your message stays where it is. Nothing was lost."),
      NULL,
  };
  visit->response->retry_after_s = retry_after_s;
  response_set_page(visit->response, status,
                    page_simple(&visit->frame, _("No code could be sent now"), texts));
}

/* The code could not be sent, because of WHY. */
static void
take_back(const Visit *visit, gint64 code_id, const char *why)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Event) event = make_event(visit, EVENT_CODE_REFUSED, why);
  if (store_revoke_code(visit->viewer->store, visit->entry, code_id, event, &error))
    return;
  event_send(event);
  log_line(LOG_LEVEL_WARNING, "reference=%s: code not taken back: %s",
           visit->entry->reference, error->message);
}

/* Mails CODE, which the store has counted already. */
static void
mail_code(Visit *visit, const char *code, gint64 code_id)
{
  g_autofree char *sent = g_strconcat("/l/", visit->route.token, "/code", NULL);
  g_autoptr(GError) error = NULL;
  if (mail_send_code(visit->viewer->config, visit->organisation, visit->entry, code,
                     code_id, &error)) {
    send_event(visit, EVENT_CODE_SENT, NULL);
    response_set_redirect(visit->response, sent);
    return;
  }
  log_line(LOG_LEVEL_WARNING, "reference=%s: no code by e-mail: %s",
           visit->entry->reference, error->message);
  take_back(visit, code_id, "submit");
  show_refused(visit, 503, 300,
               _("We could not send an e-mail just now. Please try again in a few "
                 "minutes."));
}

/* Sends CODE, which the store has counted already. */
static void
send_code(Visit *visit, const char *code, gint64 code_id)
{
  const Config *config = visit->viewer->config;
  const Organisation *organisation = visit->organisation;
  char *text = sms_format(code, organisation->display_name, organisation->viewer_url);
  SmsResult result =
      sms_send(config->sms_command, visit->entry->number, text, config->sms_timeout_s);
  secret_wipe(text, strlen(text));
  g_free(text);
  g_autofree char *sent = g_strconcat("/l/", visit->route.token, "/code", NULL);
  g_autofree char *slow = g_strconcat(sent, "?slow=1", NULL);
  switch (result) {
  case SMS_SENT:
    send_event(visit, EVENT_CODE_SENT, NULL);
    response_set_redirect(visit->response, sent);
    return;
  case SMS_UNKNOWN: /* it may still arrive: it counts, so that nobody is sent two */
    send_event(visit, EVENT_CODE_SENT, "unconfirmed");
    response_set_redirect(visit->response, slow);
    return;
  case SMS_FAILED:
    take_back(visit, code_id, "gateway");
    show_refused(visit, 503, 300,
                 _("We could not send a text message just now. Please try again in a few "
                   "minutes."));
    return;
  }
}

/* The milter has checked the number; what came to the store otherwise costs no money (T5).
 */
static gboolean
number_is_allowed(Visit *visit)
{
  g_autofree char *number = NULL;
  gsize length = 0;
  if (phone_parse(visit->entry->number,
                  (const char *const *) visit->viewer->config->sms_countries, &number,
                  &length) == PHONE_VALID &&
      strcmp(number, visit->entry->number) == 0)
    return TRUE;
  send_event(visit, EVENT_CODE_REFUSED, "number");
  show_refused(
      visit, 403, 0,
      _("We cannot send a text message to this number. Tell the person who wrote to "
        "you. He or she can send the message again with another number."));
  return FALSE;
}

static void
issue_code(Visit *visit)
{
  const Config *config = visit->viewer->config;
  CodeLimits limits = {
      .number = config->sms_per_number_per_day,
      .sender = visit->organisation->sms_per_sender_per_day,
      .organisation = visit->organisation->sms_per_day,
      .total = config->sms_per_day,
  };
  char code[STORE_CODE_DIGITS + 1] = "";
  CodeIssue result = CODE_LIMIT_OTHER;
  gint64 code_id = 0;
  guint wait_s = 0;
  GError *error = NULL;
  g_autoptr(Event) event = make_event(visit, EVENT_CODE_REFUSED, NULL);
  if (!store_issue_code(visit->viewer->store, visit->entry, &limits, event, &result, code,
                        &code_id, &wait_s, &error)) {
    visit_fail(visit, error);
    return;
  }
  g_autofree char *waiting =
      g_strdup_printf("/l/%s/code?wait=%u", visit->route.token, MAX(wait_s, 1));
  switch (result) {
  case CODE_ISSUED:
    budget_tell(visit->viewer->store, &limits, visit->organisation->name, code_id);
    if (is_by_mail(visit))
      mail_code(visit, code, code_id);
    else
      send_code(visit, code, code_id);
    break;
  case CODE_WAIT: /* the SMS that was sent counts for this press of the button too (T6) */
    response_set_redirect(visit->response, waiting);
    break;
  case CODE_LIMIT_LINK:
    show_refused(visit, 429, LIMIT_WAIT_S,
                 _("You have asked for 5 codes today. Please try again tomorrow."));
    break;
  case CODE_LIMIT_OTHER:
    show_refused(visit, 429, LIMIT_WAIT_S,
                 _("Too many codes were sent today. Please try again tomorrow."));
    break;
  }
  secret_wipe(code, sizeof code);
}

void
handle_send(Visit *visit)
{
  if (visit_find_link(visit) &&
      visit_check_form(visit, TOKEN_SEND, visit->link_secret, sizeof visit->link_secret) &&
      (is_by_mail(visit) || number_is_allowed(visit)))
    issue_code(visit);
}

static void
tell_sender(const Visit *visit)
{
  const Entry *entry = visit->entry;
  g_autoptr(GError) error = NULL;
  if (mail_tell_replaced(visit->viewer->config, visit->organisation, entry, &error))
    event_log(EVENT_PHONE_TOLD, NULL, entry->organisation, "ref", entry->reference, "from",
              entry->sender, "to", entry->address, NULL);
  else
    log_line(LOG_LEVEL_WARNING, "reference=%s: the sender was not told of the number: %s",
             entry->reference, error->message);
}

/* The code that came back shows that the number is the reader's (S8). What goes wrong here
 * is not the reader's trouble. */
static void
confirm_number(const Visit *visit)
{
  const Entry *entry = visit->entry;
  PhoneEntry known = {.organisation = entry->organisation,
                      .recipient = entry->address,
                      .number = entry->number,
                      .sender = entry->sender,
                      .reference = entry->reference};
  PhoneChange change = PHONE_KNOWN;
  g_autoptr(GError) error = NULL;
  if (is_by_mail(visit) || !conf_remembers_numbers(visit->organisation))
    return;
  if (!ask_phone_confirm(visit->viewer->config->phone_socket, &known, &change, &error))
    log_line(LOG_LEVEL_WARNING, "reference=%s: the phone book was not told: %s",
             entry->reference, error->message);
  if (change == PHONE_REPLACED)
    tell_sender(visit);
}

static void
begin_session(Visit *visit, const guint8 session[STORE_SESSION_BYTES])
{
  visit_begin_session(visit, session);
  confirm_number(visit);
  response_set_redirect(visit->response, "/m");
}

static void
check_code(Visit *visit, const char *code)
{
  guint8 session[STORE_SESSION_BYTES] = {0};
  CodeCheck result = CODE_EXPIRED;
  guint tries_left = 0;
  GError *error = NULL;
  g_autoptr(Event) event = make_event(visit, EVENT_CODE_WRONG, NULL);
  if (!store_check_code(visit->viewer->store, visit->entry, code, event, &result, session,
                        &tries_left, &error)) {
    visit_fail(visit, error);
    return;
  }
  switch (result) {
  case CODE_RIGHT:
    begin_session(visit, session);
    break;
  case CODE_WRONG:
    if (tries_left > 0)
      show_code(visit, 403, CODE_NOTE_WRONG, tries_left);
    else
      show_code(visit, 403, CODE_NOTE_NO_TRIES, 0);
    break;
  case CODE_NO_TRIES:
    show_code(visit, 403, CODE_NOTE_NO_TRIES, 0);
    break;
  case CODE_EXPIRED:
    show_code(visit, 403, CODE_NOTE_EXPIRED, 0);
    break;
  }
  secret_wipe(session, sizeof session);
}

void
handle_check(Visit *visit)
{
  if (!visit_find_link(visit) ||
      !visit_check_form(visit, TOKEN_CODE, visit->link_secret, sizeof visit->link_secret))
    return;
  char code[STORE_CODE_DIGITS + 1];
  if (code_normalise(form_get(visit->request->body, "code"), code))
    check_code(visit, code);
  else
    show_code(visit, 400, CODE_NOTE_MALFORMED, 0);
  secret_wipe(code, sizeof code);
}

static void
end_session(Visit *visit)
{
  GError *error = NULL;
  g_autoptr(Event) event = make_event(visit, EVENT_LOGOUT, NULL);
  if (!store_end_session(visit->viewer->store, visit->session, event, &error)) {
    visit_fail(visit, error);
    return;
  }
  visit_forget(visit);
  response_set_page(visit->response, 200, page_logged_out(&visit->frame));
}

void
handle_logout(Visit *visit)
{
  if (visit_find_session(visit) &&
      visit_check_form(visit, TOKEN_LOGOUT, visit->session, sizeof visit->session))
    end_session(visit);
}
