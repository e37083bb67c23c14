/* The reader deletes his message (V12). */
#include "common/base/event.h"
#include "viewer-cgi/page_message.h"
#include "viewer-cgi/visit.h"

void
handle_delete(Visit *visit)
{
  if (!visit_find_session(visit))
    return;
  g_autofree char *form_token =
      visit_make_token(visit, TOKEN_DELETE, visit->session, sizeof visit->session);
  if (form_token != NULL)
    response_set_page(visit->response, 200,
                      page_delete(&visit->frame, form_token, visit->entry->expires_s));
}

static void
destroy(Visit *visit)
{
  const Entry *entry = visit->entry;
  GError *error = NULL;
  g_autoptr(Event) event =
      event_new(EVENT_DELETED, NULL, entry->organisation, "ref", entry->reference, "to",
                visit_reader(visit), "for", visit_responsible(visit), "client",
                visit->request->client, NULL);
  if (!store_delete(visit->viewer->store, entry, event, &error)) {
    visit_fail(visit, error);
    return;
  }
  visit_forget(visit);
  response_set_page(visit->response, 200, page_deleted(&visit->frame));
}

void
handle_destroy(Visit *visit)
{
  if (visit_find_session(visit) &&
      visit_check_form(visit, TOKEN_DELETE, visit->session, sizeof visit->session))
    destroy(visit);
}
