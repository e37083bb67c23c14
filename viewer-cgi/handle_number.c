/* "This is not my number", and "I have no phone": nothing here changes a number (T31). */
#include "common/base/event.h"
#include "common/base/log.h"
#include "common/store/share.h"
#include "viewer-cgi/mail.h"
#include "viewer-cgi/visit.h"

#define DAY_S ((gint64) 24 * 3600)

/* Finds the link; who gets his codes by e-mail has no number that could be wrong. */
static gboolean
find_number(Visit *visit)
{
  if (!visit_find_link(visit))
    return FALSE;
  if (*visit->entry->number != '\0')
    return TRUE;
  visit_not_found(visit);
  return FALSE;
}

static void
show_wrong(Visit *visit, guint status, gboolean unticked)
{
  g_autofree char *form_token =
      visit_make_token(visit, TOKEN_WRONG, visit->link_secret, sizeof visit->link_secret);
  if (form_token == NULL)
    return;
  const WrongFacts facts = {.token = visit->route.token,
                            .form_token = form_token,
                            .number = visit->entry->number,
                            .unticked = unticked};
  response_set_page(visit->response, status, page_wrong(&visit->frame, &facts));
}

/* The switch of the language leads to the page itself, which is below the link's. */
static void
set_self(Visit *visit, const char *tail)
{
  g_free(visit->self);
  visit->self = g_strconcat("/l/", visit->route.token, tail, NULL);
  visit->frame.self = visit->self;
}

void
handle_wrong(Visit *visit)
{
  if (!find_number(visit))
    return;
  set_self(visit, "/wrong");
  show_wrong(visit, 200, FALSE);
}

void
handle_no_phone(Visit *visit)
{
  if (!find_number(visit))
    return;
  set_self(visit, "/no-phone");
  const LinkFacts facts = {.token = visit->route.token,
                           .number = visit->entry->number,
                           .expires_s = visit->entry->expires_s};
  response_set_page(visit->response, 200, page_no_phone(&visit->frame, &facts));
}

static void
show_not_told(Visit *visit, guint status)
{
  const char *const texts[] = {
      _("We could not send an e-mail to the person who wrote to you. Please tell him or "
        "her "
        "yourself that the number is not yours."),
      _("Your message stays where it is. Nothing was lost."),
      NULL,
  };
  response_set_page(visit->response, status,
                    page_simple(&visit->frame, _("We could not tell the sender"), texts));
}

/* Whether the entry's history says that the sender was told within a day. */
static gboolean
was_told(const Visit *visit)
{
  const Entry *entry = visit->entry;
  gint64 since_s = g_get_real_time() / G_USEC_PER_SEC - DAY_S;
  g_autoptr(GArray) lines =
      store_history(visit->viewer->store, entry->organisation, entry->reference, NULL);
  for (guint i = 0; lines != NULL && i < lines->len; i++) {
    const HistoryLine *line = &g_array_index(lines, HistoryLine, i);
    if (line->kind == HISTORY_WRONG_NUMBER && line->last_s >= since_s)
      return TRUE;
  }
  return FALSE;
}

static void
tell_sender(Visit *visit)
{
  const Entry *entry = visit->entry;
  g_autoptr(GError) error = NULL;
  if (!mail_tell_wrong(visit->viewer->config, visit->viewer->origin_keys,
                       visit->organisation, entry, &error)) {
    log_line(LOG_LEVEL_WARNING, "reference=%s: the sender was not told: %s",
             entry->reference, error->message);
    show_not_told(visit, 503);
    return;
  }
  visit_note(visit, HISTORY_WRONG_NUMBER,
             event_new(EVENT_NUMBER_WRONG, NULL, entry->organisation, "ref",
                       entry->reference, "client", visit->request->client, "from",
                       entry->address, "to", entry->sender, NULL));
  response_set_page(visit->response, 200,
                    page_wrong_told(&visit->frame, visit->route.token, FALSE));
}

/* One mail a day at most, whatever the visitor does (T26). */
static void
tell_once(Visit *visit)
{
  const Entry *entry = visit->entry;
  gboolean granted = FALSE;
  GError *error = NULL;
  if (!store_count(visit->viewer->store, entry->organisation, "wrong-number",
                   entry->reference, 1, DAY_S, &granted, &error))
    visit_fail(visit, error);
  else if (granted && *entry->sender != '\0')
    tell_sender(visit);
  else if (was_told(visit))
    response_set_page(visit->response, 200,
                      page_wrong_told(&visit->frame, visit->route.token, TRUE));
  else
    show_not_told(visit, 429);
}

void
handle_tell(Visit *visit)
{
  if (!find_number(visit) ||
      !visit_check_form(visit, TOKEN_WRONG, visit->link_secret, sizeof visit->link_secret))
    return;
  set_self(visit, "/wrong");
  /* A scanner presses buttons (T6), but it ticks no boxes. */
  if (form_get(visit->request->body, "sure") == NULL)
    show_wrong(visit, 400, TRUE);
  else
    tell_once(visit);
}
