/* The message to one other person, without a word of who forwards it (V6, T15). */
#include <string.h>

#include "common/base/error.h"
#include "common/base/event.h"
#include "common/base/log.h"
#include "common/base/mailbox.h"
#include "common/store/dispatch.h"
#include "common/submit/letter.h"
#include "viewer-cgi/mail.h"
#include "viewer-cgi/message_view.h"
#include "viewer-cgi/once.h"
#include "viewer-cgi/page_forward.h"
#include "viewer-cgi/visit.h"
#include "viewer-cgi/visitor_mail.h"

#define WHAT               "forward"
#define SUBJECT_MAX_CHARS  200
#define MAILS_TO_ADDRESS   5 /* a day: nobody is flooded through us */
#define MAILS_TO_ADDRESS_S 86400
#define RETRY_S            300
#define ORIGINAL_SLACK     65536 /* fields that were added after the limit was checked */

static void
show_none_left(Visit *visit)
{
  const char *const texts[] = {
      _("You can forward a message two times. You did that already."),
      _("Does somebody else need it? Ask the person who wrote to you."),
      NULL,
  };
  response_set_page(
      visit->response, 403,
      page_with_way_back(&visit->frame, _("You cannot forward any more"), texts));
}

/* The form with ADDRESS, and what is wrong (ERROR_TEXT, or NULL). */
static void
show_form(Visit *visit, guint status, const char *address, const char *error_text)
{
  g_autofree char *once = visit_new_once(visit);
  g_autofree char *token =
      once != NULL
          ? visit_make_token(visit, TOKEN_FORWARD, visit->session, sizeof visit->session)
          : NULL;
  if (token == NULL)
    return;
  const ForwardFacts facts = {.form_token = token,
                              .once = once,
                              .forwards_left = visit->entry->forwards_left,
                              .address = address,
                              .error = error_text};
  response_set_page(visit->response, status, page_forward(&visit->frame, &facts));
}

void
handle_forward(Visit *visit)
{
  if (!visit_find_session(visit))
    return;
  if (visit->entry->forwards_left == 0)
    show_none_left(visit);
  else
    show_form(visit, 200, "", NULL);
}

/* ---- What happens when it is sent ---- */

static Event *
make_event(const Visit *visit, const char *queue_id, const char *address, const char *way)
{
  return event_new(EVENT_FORWARDED, queue_id, visit->organisation->name, "ref",
                   visit->entry->reference, "client", visit->request->client, "from",
                   visit->entry->address, "to", address, "for", visit_responsible(visit),
                   "way", way, NULL);
}

/* It is on its way: nothing that fails from here on takes it back. EVENT (takes) is NULL
 * when it is recorded already. */
static void
conclude(Visit *visit, const char *once, Event *event)
{
  g_autoptr(GError) error = NULL;
  if (!once_finish(visit->viewer->store, visit->entry, WHAT, once, &error))
    log_line(LOG_LEVEL_WARNING, "reference=%s: not noted that it was forwarded: %s",
             visit->entry->reference, error->message);
  visit_note(visit, HISTORY_FORWARDED, event);
}

/* Nothing went, and ADDRESS can be changed. */
static void
show_not_sent(Visit *visit, guint status, const char *address, const char *why)
{
  visit_return_use(visit, USE_FORWARD);
  visit->response->retry_after_s = status == 503 ? RETRY_S : 0;
  show_form(visit, status, address, why);
}

/* The same, for ERROR (takes). */
static void
show_failed(Visit *visit, const char *address, GError *error)
{
  gboolean refused = g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  log_line(LOG_LEVEL_WARNING, "org=%s, reference=%s: not forwarded: %s",
           visit->organisation->name, visit->entry->reference, error->message);
  g_error_free(error);
  if (refused)
    show_not_sent(visit, 400, address,
                  _("No e-mail can be sent to this address. Is it typed correctly?"));
  else
    show_not_sent(
        visit, 503, address,
        _("We could not forward the message just now. Nothing was sent. Please try "
          "again in a few minutes."));
}

/* ---- Into the viewer ---- */

static void
take_back(const Visit *visit, const char *address, const char *reference)
{
  g_autoptr(GError) error = NULL;
  gboolean changed = FALSE;
  g_autoptr(Event) event = event_new(
      EVENT_RECALLED, NULL, visit->organisation->name, "ref", reference, "from",
      visit->entry->address, "to", address, "for", visit_responsible(visit), "reason",
      "submit", "client", visit->request->client, "actor", "system", NULL);
  if (!store_withdraw(visit->viewer->store, visit->organisation->name, reference,
                      HISTORY_RECALLED, event, &changed, &error))
    log_line(LOG_LEVEL_WARNING, "reference=%s: not withdrawn: %s", reference,
             error->message);
}

/* Mails ADDRESS its way in, and shows PASSWORD. */
static void
announce(Visit *visit, const char *address, const char *once, const char *reference,
         const char *password)
{
  const Viewer *viewer = visit->viewer;
  GError *error = NULL;
  if (!mail_send_share(viewer->config, viewer->origin_keys, visit->organisation,
                       visit->entry, address, reference, &error)) {
    take_back(visit, address, reference);
    show_failed(visit, address, error);
    return;
  }
  conclude(visit, once, NULL);
  response_set_page(visit->response, 200,
                    page_forwarded_password(&visit->frame, address, reference, password));
}

static void
share(Visit *visit, const char *address, const char *once)
{
  Store *store = visit->viewer->store;
  GError *error = NULL;
  gboolean granted = FALSE;
  char reference[STORE_REFERENCE_MAX + 1] = "";
  char password[STORE_PASSWORD_MAX + 1] = "";
  g_autofree char *mailbox = mailbox_count_key(address);
  g_autoptr(Event) event = make_event(visit, NULL, address, "viewer");
  if (!store_count(store, visit->organisation->name, "share-address", mailbox,
                   MAILS_TO_ADDRESS, MAILS_TO_ADDRESS_S, &granted, &error))
    show_failed(visit, address, error);
  else if (!granted)
    show_not_sent(visit, 429, address,
                  _("Too many messages were forwarded to this address today. Please try "
                    "again tomorrow."));
  else if (!store_share(store, visit->entry, visit->link_secret, address, event, reference,
                        password, &error))
    show_failed(visit, address, error);
  else
    announce(visit, address, once, reference, password);
  secret_wipe(password, sizeof password);
}

/* ---- Direct ---- */

static char *
make_subject(const Visit *visit)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Summary) summary = message_view_summary(visit, &error);
  g_autofree char *line =
      letter_line(summary != NULL ? summary->subject : "", SUBJECT_MAX_CHARS);
  return g_strconcat("Fwd: ", line, NULL);
}

static char *
make_text(const Visit *visit)
{
  g_autofree char *name =
      letter_line(visit->organisation->display_name, LETTER_NAME_MAX_CHARS);
  g_autofree char *reader = letter_line(visit->entry->address, LETTER_ADDRESS_MAX_CHARS);
  return g_strdup_printf("%s\nheeft een beveiligd bericht van %s\naan u doorgestuurd. Het "
                         "zit bij deze e-mail.\n"
                         "\n"
                         "%s\nforwarded a secure message from %s\nto you. It is attached "
                         "to this e-mail.\n",
                         reader, name, reader, name);
}

/* Sends the message itself to ADDRESS. FALSE with ZEGEL_ERROR_INVALID when no safe way
 * leads there. */
static gboolean
send_direct(Visit *visit, const char *address, char **queue_id, GError **error)
{
  g_autoptr(Reading) reading = message_view_open(visit, NULL, NULL, error);
  if (reading == NULL)
    return FALSE;
  GBytes *original = reading_all(
      reading, visit->viewer->config->message_max_bytes + ORIGINAL_SLACK, error);
  if (original == NULL)
    return FALSE;
  gsize len = 0;
  gpointer bytes = g_bytes_unref_to_data(original, &len);
  g_autofree char *subject = make_subject(visit);
  g_autofree char *text = make_text(visit);
  ComposeFacts facts = {.author = visit->entry->address,
                        .reply_to = visit->entry->address,
                        .recipient = address,
                        .subject = subject,
                        .text = text,
                        .original = bytes,
                        .original_len = len};
  gboolean sent = visitor_mail_send(visit->viewer, visit->organisation, ORIGIN_FORWARD,
                                    visit->entry->reference, &facts, queue_id, error);
  secret_wipe(bytes, len);
  g_free(bytes);
  return sent;
}

/* The direct way when there is one, which the milter alone knows; else into the viewer. */
static void
send_somehow(Visit *visit, const char *address, const char *once)
{
  GError *error = NULL;
  g_autofree char *queue_id = NULL;
  if (send_direct(visit, address, &queue_id, &error)) {
    conclude(visit, once, make_event(visit, queue_id, address, "direct"));
    response_set_page(visit->response, 200, page_forwarded(&visit->frame, address));
  } else if (g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID)) {
    g_error_free(error);
    share(visit, address, once);
  } else {
    show_failed(visit, address, error);
  }
}

static void
forward(Visit *visit, const char *address, const char *once)
{
  gboolean granted = FALSE;
  GError *error = NULL;
  if (!store_take_use(visit->viewer->store, visit->entry, USE_FORWARD, &granted, &error))
    visit_fail(visit, error);
  else if (!granted)
    show_none_left(visit);
  else
    send_somehow(visit, address, once);
}

/* ---- The form that came ---- */

static void
show_done(Visit *visit)
{
  const char *const texts[] = {
      _("You forwarded the message already. We did not do it again."),
      _("Did you get a password? We showed it once and cannot show it again. If you lost "
        "it, "
        "forward the message once more."),
      NULL,
  };
  response_set_page(
      visit->response, 200,
      page_with_way_back(&visit->frame, _("The message has been forwarded"), texts));
}

/* Does it, unless this form has done so already. */
static void
forward_once(Visit *visit, const char *address, const char *once)
{
  Once state = ONCE_UNKNOWN;
  GError *error = NULL;
  if (!once_begin(visit->viewer->store, visit->entry, WHAT, once, &state, &error)) {
    visit_fail(visit, error);
    return;
  }
  switch (state) {
  case ONCE_FIRST:
    forward(visit, address, once);
    break;
  case ONCE_DONE:
    show_done(visit);
    break;
  case ONCE_UNKNOWN:
    show_form(
        visit, 409, address,
        _("Forwarding was broken off, and we do not know whether the message went. If "
          "you are not sure, forward it once more."));
    break;
  }
}

/* Whether ADDRESS is ours to receive bounces and the like, and nobody's mailbox. */
static gboolean
is_service_address(const Visit *visit, const char *address)
{
  const char *at = strrchr(address, '@');
  const GPtrArray *all = visit->viewer->config->organisations;
  for (guint i = 0; i < all->len; i++) {
    const Organisation *organisation = all->pdata[i];
    if (g_ascii_strcasecmp(at + 1, organisation->service_domain) == 0)
      return TRUE;
  }
  return FALSE;
}

void
handle_forward_send(Visit *visit)
{
  if (!visit_find_session(visit) ||
      !visit_check_form(visit, TOKEN_FORWARD, visit->session, sizeof visit->session))
    return;
  const char *typed = form_get(visit->request->body, "address");
  g_autofree char *address = mailbox_parse(typed);
  if (address == NULL || is_service_address(visit, address))
    show_form(visit, 400, typed != NULL ? typed : "",
              _("Type the e-mail address of one person, such as name@example.nl."));
  else if (g_ascii_strcasecmp(address, visit->entry->address) == 0)
    show_form(visit, 400, address,
              _("This is your own address. Type the address of somebody else."));
  else
    forward_once(visit, address, form_get(visit->request->body, ONCE_FIELD));
}
