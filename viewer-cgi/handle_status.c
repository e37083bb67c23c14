/*
 * The sender's status page, and recall (S13, S14).
 *
 * Who has the link of the page is the sender: it was mailed to him inside his own
 * organisation, and nowhere else. It shows what became of the message and takes it back; it
 * neither reads it nor changes where codes go.
 */
#include <string.h>

#include "common/base/error.h"
#include "common/base/event.h"
#include "common/crypt/crypt.h"
#include "viewer-cgi/page_status.h"
#include "viewer-cgi/token.h"
#include "viewer-cgi/visit.h"

/* Finds the dispatch of the path; its secret stays in visit->link_secret. NULL: answered.
 */
static Dispatch *
find_dispatch(Visit *visit)
{
  Dispatch *dispatch = NULL;
  GError *error = NULL;
  g_autoptr(Secret) secret =
      crypt_base64url_decode(visit->route.token, sizeof visit->link_secret);
  if (secret == NULL) {
    visit_not_found(visit);
    return NULL;
  }
  memcpy(visit->link_secret, secret_peek(secret), sizeof visit->link_secret);
  visit->self = g_strconcat("/s/", visit->route.token, NULL);
  visit->frame.self = visit->self;
  if (visit->viewer->store == NULL)
    g_set_error_literal(&error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY, "there is no store");
  else if (store_find_dispatch(visit->viewer->store, visit->organisation->name,
                               visit->link_secret, &dispatch, &error)) {
    if (dispatch == NULL)
      visit_not_found(visit);
    return dispatch;
  }
  visit_fail(visit, error);
  return NULL;
}

void
handle_status(Visit *visit)
{
  g_autoptr(Dispatch) dispatch = find_dispatch(visit);
  if (dispatch == NULL)
    return;
  const StatusFacts facts = {
      .dispatch = dispatch,
      .token = visit->route.token,
      .recalled = form_get(visit->request->query, "recalled") != NULL,
  };
  response_set_page(visit->response, 200, page_status(&visit->frame, &facts));
}

/* Whether RECIPIENT can be recalled, and REFERENCE (NULL: all) means him. */
static gboolean
is_meant(const DispatchRecipient *recipient, const char *reference)
{
  return page_status_is_open(recipient) &&
         (reference == NULL || strcmp(reference, recipient->reference) == 0);
}

static gboolean
is_any_meant(const Dispatch *dispatch, const char *reference)
{
  for (guint i = 0; i < dispatch->recipients->len; i++)
    if (is_meant(dispatch->recipients->pdata[i], reference))
      return TRUE;
  return FALSE;
}

static void
ask_first(Visit *visit, const Dispatch *dispatch, const char *reference, gboolean unticked)
{
  g_autofree char *form_token =
      visit_make_token(visit, TOKEN_RECALL, visit->link_secret, sizeof visit->link_secret);
  if (form_token == NULL)
    return;
  const RecallFacts facts = {
      .dispatch = dispatch,
      .token = visit->route.token,
      .form_token = form_token,
      .reference = reference,
      .unticked = unticked,
  };
  response_set_page(visit->response, unticked ? 400 : 200,
                    page_recall(&visit->frame, &facts));
}

void
handle_recall_ask(Visit *visit)
{
  g_autoptr(Dispatch) dispatch = find_dispatch(visit);
  if (dispatch == NULL)
    return;
  const char *reference = form_get(visit->request->query, "ref");
  if (is_any_meant(dispatch, reference))
    ask_first(visit, dispatch, reference, FALSE);
  else /* it is over already, as the page says */
    response_set_redirect(visit->response, visit->self);
}

/* FALSE: answered. */
static gboolean
recall(Visit *visit, const Dispatch *dispatch, const DispatchRecipient *recipient)
{
  gboolean changed = FALSE;
  GError *error = NULL;
  g_autoptr(Event) event = event_new(
      EVENT_RECALLED, NULL, dispatch->organisation, "ref", recipient->reference, "from",
      dispatch->sender, "to", recipient->address, "client", visit->request->client, NULL);
  if (store_withdraw(visit->viewer->store, dispatch->organisation, recipient->reference,
                     HISTORY_RECALLED, event, &changed, &error))
    return TRUE;
  visit_fail(visit, error);
  return FALSE;
}

void
handle_recall(Visit *visit)
{
  g_autoptr(Dispatch) dispatch = find_dispatch(visit);
  if (dispatch == NULL ||
      !visit_check_form(visit, TOKEN_RECALL, visit->link_secret, sizeof visit->link_secret))
    return;
  const char *reference = form_get(visit->request->body, "ref");
  g_autofree char *done = g_strconcat(visit->self, "?recalled=1", NULL);
  if (!is_any_meant(dispatch, reference)) {
    response_set_redirect(visit->response, visit->self);
    return;
  }
  if (form_get(visit->request->body, "sure") == NULL) {
    ask_first(visit, dispatch, reference, TRUE);
    return;
  }
  for (guint i = 0; i < dispatch->recipients->len; i++) {
    const DispatchRecipient *recipient = dispatch->recipients->pdata[i];
    if (is_meant(recipient, reference) && !recall(visit, dispatch, recipient))
      return;
  }
  response_set_redirect(visit->response, done);
}
