/*
 * The web form, first half: an address is typed, and mailed the way to the form (V11).
 *
 * Whoever asks learns nothing about the address, and nobody can have us mail it often: at
 * most so many mails to one address, from one network address, and of one organisation.
 * That mail holds no word of the visitor.
 */
#include <string.h>

#include "common/base/error.h"
#include "common/base/event.h"
#include "common/base/network.h"
#include "common/base/mailbox.h"
#include "common/store/share.h"
#include "viewer-cgi/form_ticket.h"
#include "viewer-cgi/mail.h"
#include "viewer-cgi/page_write.h"
#include "viewer-cgi/token.h"
#include "viewer-cgi/visit.h"

#define DAY_S            86400
#define HOUR_S           3600
#define ADDRESS_MAX      3   /* mails a day to one address */
#define CLIENT_MAX       10  /* an hour from one network address */
#define ORGANISATION_MAX 100 /* an hour of one organisation */

/* Whatever becomes of it, the answer takes so long: who is known here is not to be heard in
 * the time (T16). A mail is handed over in a
 * fraction of it. */
#define ANSWER_US (3 * G_USEC_PER_SEC / 10)

static gboolean
has_form(const Visit *visit)
{
  return *visit->organisation->form_recipient != '\0';
}

static void
show_ask(Visit *visit, guint status, const char *typed)
{
  const char *name = visit->organisation->name;
  g_autofree char *token = visit_make_token(visit, TOKEN_FORM, name, strlen(name));
  if (token != NULL)
    response_set_page(visit->response, status, page_write_ask(&visit->frame, token, typed));
}

void
handle_form(Visit *visit)
{
  if (!has_form(visit))
    visit_not_found(visit);
  else if (visit->viewer->store == NULL)
    visit_fail(visit, g_error_new_literal(ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY,
                                          "there is no store"));
  else
    show_ask(visit, 200, NULL);
}

/* ---- Limits ---- */

static void
log_refused(const Visit *visit, const char *address, const char *why)
{
  event_log(EVENT_FORM_REFUSED, NULL, visit->organisation->name, "to", address, "client",
            visit->request->client, "reason", why, NULL);
}

typedef enum {
  LIMIT_NONE,
  LIMIT_ADDRESS, /* nobody is told */
  LIMIT_VISITOR, /* the visitor is told to wait */
  LIMIT_ANSWERED /* with an error */
} Limit;

/* Counts one for SUBJECT; FALSE: refused, or *ERROR. */
static gboolean
count(const Visit *visit, const char *what, const char *subject, guint max, gint64 window_s,
      GError **error)
{
  gboolean granted = FALSE;
  return store_count(visit->viewer->store, visit->organisation->name, what, subject, max,
                     window_s, &granted, error) &&
         granted;
}

static Limit
count_ask(Visit *visit, const char *address)
{
  GError *error = NULL;
  g_autofree char *client = network_count_key(visit->request->client);
  g_autofree char *mailbox = mailbox_count_key(address);
  Limit limit = LIMIT_NONE;
  const char *why = NULL;
  if (!count(visit, "form-client", client, CLIENT_MAX, HOUR_S, &error)) {
    limit = LIMIT_VISITOR;
    why = "client-limit";
  } else if (!count(visit, "form-address", mailbox, ADDRESS_MAX, DAY_S, &error)) {
    limit = LIMIT_ADDRESS;
    why = "address-limit";
  } else if (!count(visit, "form-all", "", ORGANISATION_MAX, HOUR_S, &error)) {
    limit = LIMIT_VISITOR;
    why = "limit";
  }
  if (error != NULL) {
    visit_fail(visit, error);
    return LIMIT_ANSWERED;
  }
  if (why != NULL)
    log_refused(visit, address, why);
  return limit;
}

/* ---- The mail ---- */

/* FALSE with an error when nobody can be mailed just now. That this one address is refused
 * is no error: it would tell which mailboxes there are. */
static gboolean
mail_ticket(const Visit *visit, const char *address, GError **error)
{
  const Organisation *organisation = visit->organisation;
  g_autoptr(GError) reason = NULL;
  char *ticket =
      form_ticket_seal(visit->viewer->store_keys, organisation->name, address,
                       g_get_real_time() / G_USEC_PER_SEC + FORM_TICKET_LIFE_S, error);
  if (ticket == NULL)
    return FALSE;
  gboolean sent =
      mail_send_form(visit->viewer->config, organisation, address, ticket, &reason);
  secret_wipe(ticket, strlen(ticket));
  g_free(ticket);
  if (sent)
    event_log(EVENT_FORM_ASKED, NULL, organisation->name, "to", address, "client",
              visit->request->client, NULL);
  else
    log_refused(visit, address, "submit");
  if (!sent && !g_error_matches(reason, ZEGEL_ERROR, ZEGEL_ERROR_INVALID)) {
    g_propagate_error(error, g_steal_pointer(&reason));
    return FALSE;
  }
  return TRUE;
}

static void
wait_until(gint64 time_us)
{
  gint64 left_us = time_us - g_get_monotonic_time();
  if (left_us > 0)
    g_usleep((gulong) left_us);
}

static void
ask(Visit *visit, const char *address)
{
  gint64 answer_us = g_get_monotonic_time() + ANSWER_US;
  GError *error = NULL;
  switch (count_ask(visit, address)) {
  case LIMIT_ANSWERED:
    return;
  case LIMIT_VISITOR:
    visit->response->retry_after_s = HOUR_S;
    response_set_page(visit->response, 429, page_write_too_many(&visit->frame));
    return;
  case LIMIT_NONE:
    if (!mail_ticket(visit, address, &error)) {
      visit_fail(visit, error);
      return;
    }
    break;
  case LIMIT_ADDRESS:
    break;
  }
  wait_until(answer_us);
  response_set_page(visit->response, 200,
                    page_write_mailed(&visit->frame, address, ADDRESS_MAX));
}

void
handle_form_ask(Visit *visit)
{
  const char *name = visit->organisation->name;
  if (!has_form(visit)) {
    visit_not_found(visit);
    return;
  }
  if (visit->viewer->store == NULL) {
    visit_fail(visit, g_error_new_literal(ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY,
                                          "there is no store"));
    return;
  }
  if (!visit_check_form(visit, TOKEN_FORM, name, strlen(name)))
    return;
  const char *typed = form_get(visit->request->body, "address");
  g_autofree char *address = mailbox_parse(typed);
  if (address != NULL)
    ask(visit, address);
  else
    show_ask(visit, 400, typed != NULL ? typed : "");
}
