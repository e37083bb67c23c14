/* The way to a message that was forwarded: reference and password (V6). */
#include <string.h>

#include "common/base/event.h"
#include "common/base/network.h"
#include "viewer-cgi/page_forward.h"
#include "viewer-cgi/visit.h"

#define CLIENT_TRIES   60 /* of one network address: each costs us some work (T26) */
#define CLIENT_TRIES_S 900

/* What is no reference by its length may be the password, typed into the wrong field: no
 * log has it (T20). */
static Event *
make_event(const Visit *visit, const char *reference)
{
  if (strlen(reference) != STORE_REFERENCE_CHARS || strchr(reference, '-') != NULL)
    reference = NULL;
  return event_new(EVENT_CODE_WRONG, NULL, visit->organisation->name, "ref", reference,
                   "client", visit->request->client, "method", "password", NULL);
}

/* The form with REFERENCE, and what is wrong (ERROR_TEXT, or NULL). */
static void
show_form(Visit *visit, guint status, const char *reference, const char *error_text)
{
  const char *name = visit->organisation->name;
  g_autofree char *token = visit_make_token(visit, TOKEN_SHARED, name, strlen(name));
  if (token == NULL)
    return;
  const SharedFacts facts = {
      .form_token = token, .reference = reference, .error = error_text};
  response_set_page(visit->response, status, page_shared(&visit->frame, &facts));
}

void
handle_shared(Visit *visit)
{
  visit->self = *visit->route.reference != '\0'
                    ? g_strconcat("/r/", visit->route.reference, NULL)
                    : g_strdup("/r");
  visit->frame.self = visit->self;
  if (visit_has_store(visit))
    show_form(visit, 200, visit->route.reference, NULL);
}

static void
show_wait(Visit *visit, const char *reference)
{
  visit->response->retry_after_s = STORE_PASSWORD_WAIT_S;
  show_form(visit, 429, reference,
            _("There were too many wrong passwords. Please try again in 15 minutes."));
}

static void
open_shared(Visit *visit, const char *reference, const char *password)
{
  SharedCheck result = SHARED_WRONG;
  guint8 session[STORE_SESSION_BYTES] = {0};
  EntryState state = ENTRY_NONE;
  GError *error = NULL;
  g_autoptr(Event) event = make_event(visit, reference);
  if (!store_open_shared(visit->viewer->store, visit->organisation->name, reference,
                         password, event, &result, visit->link_secret, session, &state,
                         &visit->entry, &error)) {
    visit_fail(visit, error);
    return;
  }
  switch (result) {
  case SHARED_RIGHT:
    visit_begin_session(visit, session);
    response_set_redirect(visit->response, "/m");
    break;
  case SHARED_WRONG:
    event_send(event);
    show_form(visit, 403, reference,
              _("This reference and password do not belong together. Look at both once "
                "more."));
    break;
  case SHARED_WAIT:
    event_add(event, "reason", "no-tries");
    event_send(event);
    show_wait(visit, reference);
    break;
  case SHARED_OVER:
    visit_show_over(visit, state);
    break;
  }
  secret_wipe(session, sizeof session);
}

/* Whether it can be a reference of ours at all; for the log too. */
static gboolean
is_reference(const char *text)
{
  gsize len = strlen(text);
  for (gsize i = 0; i < len; i++)
    if (!g_ascii_isalnum(text[i]) && text[i] != '-')
      return FALSE;
  return len > 0 && len <= STORE_REFERENCE_MAX;
}

static void
check_client(Visit *visit, const char *reference, const char *password)
{
  gboolean granted = FALSE;
  GError *error = NULL;
  g_autofree char *client = network_count_key(visit->request->client);
  if (!store_count(visit->viewer->store, visit->organisation->name, "shared-client", client,
                   CLIENT_TRIES, CLIENT_TRIES_S, &granted, &error))
    visit_fail(visit, error);
  else if (granted)
    open_shared(visit, reference, password);
  else
    show_wait(visit, reference);
}

void
handle_shared_open(Visit *visit)
{
  const char *name = visit->organisation->name;
  const Form *form = visit->request->body;
  const char *password = form_get(form, "password");
  visit->frame.self = "/r";
  if (!visit_has_store(visit) || !visit_check_form(visit, TOKEN_SHARED, name, strlen(name)))
    return;
  g_autofree char *reference = g_strdup(form_get(form, "reference"));
  if (reference == NULL || password == NULL || !is_reference(g_strstrip(reference)) ||
      strlen(password) > 2 * STORE_PASSWORD_MAX)
    show_form(visit, 400, "", _("Type the reference and the password."));
  else
    check_client(visit, reference, password);
}
