#include "viewer-cgi/visit.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/event.h"
#include "common/base/log.h"
#include "common/crypt/crypt.h"
#include "common/crypt/origin.h"
#include "viewer-cgi/failure.h"
#include "viewer-cgi/origin.h"

void
visit_clear(Visit *visit)
{
  secret_wipe(visit->link_secret, sizeof visit->link_secret);
  secret_wipe(visit->session, sizeof visit->session);
  secret_wipe(&visit->route, sizeof visit->route);
  if (visit->self != NULL)
    secret_wipe(visit->self, strlen(visit->self));
  g_free(visit->self);
  g_free(visit->logout_token);
  g_clear_pointer(&visit->entry, entry_free);
}

static void
show_later(Visit *visit, guint status)
{
  const char *const texts[] = {
      _("Something does not work on our side just now. Nothing was lost. Please try again "
        "in "
        "a few minutes."),
      NULL,
  };
  response_set_page(visit->response, status,
                    page_simple(&visit->frame, _("Please try again later"), texts));
}

static void
show_damaged(Visit *visit, guint status)
{
  const char *const texts[] = {
      _("This message or this part of it cannot be shown. Ask the person who wrote to you "
        "to "
        "send it again."),
      NULL,
  };
  response_set_page(visit->response, status,
                    page_simple(&visit->frame, _("This cannot be shown"), texts));
}

void
visit_fail(Visit *visit, GError *error)
{
  Failure failure = failure_of(error);
  const char *reference = visit->entry != NULL ? visit->entry->reference : "-";
  const char *name = visit->organisation->name;
  if (g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED))
    event_log(EVENT_INTEGRITY, NULL, name, "ref", visit->entry != NULL ? reference : NULL,
              "to", visit_reader(visit), "for", visit_responsible(visit), "client",
              visit->request->client, NULL);
  log_line(LOG_LEVEL_WARNING, "org=%s, reference=%s: %s", name, reference, error->message);
  g_error_free(error);
  visit->response->retry_after_s = failure.retry_after_s;
  if (failure.kind == FAILURE_LATER)
    show_later(visit, failure.status);
  else
    show_damaged(visit, failure.status);
}

void
visit_not_found(Visit *visit)
{
  /* No switch of the language and no path in it: it is the same page for all of them. */
  Frame frame = visit->frame;
  frame.self = "/";
  frame.logout_token = NULL;
  frame.session_ends_s = 0;
  response_set_page(visit->response, 404, page_not_found(&frame));
}

gboolean
visit_has_store(Visit *visit)
{
  if (visit->viewer->store != NULL)
    return TRUE;
  visit_fail(visit,
             g_error_new_literal(ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY, "there is no store"));
  return FALSE;
}

/* Looks up visit->link_secret; *ALIVE: the entry may be read. FALSE: answered. */
static gboolean
find_entry(Visit *visit, EntryState *state)
{
  GError *error = NULL;
  *state = ENTRY_NONE;
  if (!visit_has_store(visit))
    return FALSE;
  if (store_find_entry(visit->viewer->store, visit->organisation->name, visit->link_secret,
                       state, &visit->entry, &error))
    return TRUE;
  visit_fail(visit, error);
  return FALSE;
}

void
visit_show_over(Visit *visit, EntryState state)
{
  const Entry *entry = visit->entry;
  response_set_page(visit->response, 410,
                    page_over(&visit->frame, state,
                              state == ENTRY_EXPIRED ? entry->expires_s : entry->ended_s));
}

gboolean
visit_find_link(Visit *visit)
{
  g_autoptr(Secret) secret =
      crypt_base64url_decode(visit->route.token, sizeof visit->link_secret);
  EntryState state = ENTRY_NONE;
  if (secret == NULL) {
    visit_not_found(visit);
    return FALSE;
  }
  memcpy(visit->link_secret, secret_peek(secret), sizeof visit->link_secret);
  visit->self = g_strconcat("/l/", visit->route.token, NULL);
  visit->frame.self = visit->self;
  if (!find_entry(visit, &state))
    return FALSE;
  if (state == ENTRY_NONE)
    visit_not_found(visit);
  else if (state != ENTRY_OPEN)
    visit_show_over(visit, state);
  return state == ENTRY_OPEN;
}

char *
visit_login_path(const Visit *visit)
{
  if (visit->entry->shared)
    return g_strconcat("/r/", visit->entry->reference, NULL);
  char *token = crypt_base64url(visit->link_secret, sizeof visit->link_secret);
  char *path = g_strconcat("/l/", token, NULL);
  secret_wipe(token, strlen(token));
  g_free(token);
  return path;
}

/* The page that asks to log in again; with the way there when the visitor brought it. */
static void
show_session_over(Visit *visit, gboolean has_link)
{
  char *path = has_link ? visit_login_path(visit) : NULL;
  response_set_page(visit->response, 403, page_session_over(&visit->frame, path));
  if (path != NULL)
    secret_wipe(path, strlen(path));
  g_free(path);
}

static gboolean
touch_session(Visit *visit, gboolean *alive)
{
  GError *error = NULL;
  *alive = FALSE;
  if (store_touch_session(visit->viewer->store, visit->entry, visit->session, alive,
                          &visit->session_ends_s, &error))
    return TRUE;
  visit_fail(visit, error);
  return FALSE;
}

gboolean
visit_find_session(Visit *visit)
{
  gboolean alive = FALSE;
  if (!visit_find_cookie(visit, &alive))
    return FALSE;
  if (!alive)
    show_session_over(visit, TRUE);
  return alive;
}

gboolean
visit_find_cookie(Visit *visit, gboolean *alive)
{
  SessionCookie cookie;
  EntryState state = ENTRY_NONE;
  if (!cookie_session_parse(visit->request->cookies, visit->secure, &cookie)) {
    show_session_over(visit, FALSE);
    return FALSE;
  }
  memcpy(visit->link_secret, cookie.link_secret, sizeof visit->link_secret);
  memcpy(visit->session, cookie.session, sizeof visit->session);
  secret_wipe(&cookie, sizeof cookie);
  if (!find_entry(visit, &state))
    return FALSE;
  if (state == ENTRY_NONE)
    show_session_over(visit, FALSE);
  else if (state != ENTRY_OPEN)
    visit_show_over(visit, state);
  if (state != ENTRY_OPEN || !touch_session(visit, alive))
    return FALSE;
  if (!*alive)
    return TRUE;
  visit->logout_token =
      visit_make_token(visit, TOKEN_LOGOUT, visit->session, sizeof visit->session);
  visit->frame.logout_token = visit->logout_token;
  visit->frame.session_ends_s = visit->session_ends_s;
  return visit->logout_token != NULL;
}

static void
end_old_session(Visit *visit)
{
  SessionCookie cookie;
  g_autoptr(GError) error = NULL;
  if (cookie_session_parse(visit->request->cookies, visit->secure, &cookie) &&
      !store_end_session(visit->viewer->store, cookie.session, NULL, &error))
    log_line(LOG_LEVEL_WARNING, "org=%s: old session not ended: %s",
             visit->organisation->name, error->message);
  secret_wipe(&cookie, sizeof cookie);
}

void
visit_begin_session(Visit *visit, const guint8 *session)
{
  SessionCookie cookie;
  memcpy(cookie.session, session, sizeof cookie.session);
  memcpy(cookie.link_secret, visit->link_secret, sizeof cookie.link_secret);
  end_old_session(visit);
  response_add_cookie(visit->response, cookie_session_format(&cookie, visit->secure));
  secret_wipe(&cookie, sizeof cookie);
}

char *
visit_make_token(Visit *visit, TokenPurpose purpose, gconstpointer bound, gsize len)
{
  GError *error = NULL;
  char *token = token_make(visit->viewer->token_key, purpose, bound, len, &error);
  if (token == NULL)
    visit_fail(visit, error);
  return token;
}

void
visit_note(const Visit *visit, HistoryKind kind, Event *event)
{
  const Entry *entry = visit->entry;
  g_autoptr(GError) error = NULL;
  if (!store_note(visit->viewer->store, entry->organisation, entry->reference, kind, event,
                  NULL, &error)) {
    if (event != NULL)
      event_send(event);
    log_line(LOG_LEVEL_WARNING, "reference=%s: not noted in its history: %s",
             entry->reference, error->message);
  }
  event_free(event);
}

const char *
visit_reader(const Visit *visit)
{
  const Entry *entry = visit->entry;
  return entry != NULL && *entry->address != '\0' ? entry->address : NULL;
}

const char *
visit_responsible(const Visit *visit)
{
  const Entry *entry = visit->entry;
  return entry != NULL && *entry->sender != '\0' ? entry->sender : NULL;
}

gboolean
visit_has_sender(const Visit *visit)
{
  const Entry *entry = visit->entry;
  return !entry->from_reader && *entry->sender != '\0' && !control_is_shaped(entry->sender);
}

void
visit_forget(Visit *visit)
{
  visit->frame.logout_token = NULL;
  visit->frame.session_ends_s = 0;
  visit->frame.self = "/";
  visit->response->clear_cache = TRUE;
  /* Chromium keeps pages for Back in spite of no-store. It lets them go when an HttpOnly
   * cookie was changed meanwhile; that one was removed is no change to it. So: both (T21).
   */
  const SessionCookie nobody = {.session = {0}};
  response_add_cookie(visit->response, cookie_session_format(&nobody, visit->secure));
  response_add_cookie(visit->response, cookie_session_clear(visit->secure));
}

gboolean
visit_check_form(Visit *visit, TokenPurpose purpose, gconstpointer bound, gsize len)
{
  return visit_check_fields(visit, visit->request->body, purpose, bound, len);
}

gboolean
visit_check_fields(Visit *visit, const Form *fields, TokenPurpose purpose,
                   gconstpointer bound, gsize len)
{
  const Request *request = visit->request;
  if (origin_is_ours(request->origin, request->fetch_site,
                     visit->organisation->viewer_url) &&
      token_check(visit->viewer->token_key, purpose, bound, len, form_get(fields, "token")))
    return TRUE;
  const char *const texts[] = {
      _("For your safety we did nothing. Go back, load the page again, and press the "
        "button "
        "once more."),
      NULL,
  };
  response_set_page(visit->response, 403,
                    page_simple(&visit->frame, _("Please try once more"), texts));
  return FALSE;
}
