/* The message itself. Every one of these needs a living session. */
#include <string.h>

#include "common/base/error.h"
#include "common/base/event.h"
#include "common/base/log.h"
#include "viewer-cgi/message_view.h"
#include "viewer-cgi/page_message.h"

/* The reader's own limits are below these and say in the view what is missing. */
#define TEXT_MAX_BYTES (6 * 1024 * 1024)
#define HTML_MAX_BYTES (24 * 1024 * 1024)

/* The message's words as one string; NULL with an error. */
static char *
read_words(const Visit *visit, GError **error)
{
  g_autoptr(GBytes) bytes = message_view_read(visit, "text", TEXT_MAX_BYTES, error);
  if (bytes == NULL)
    return NULL;
  gsize len = 0;
  const char *start = g_bytes_get_data(bytes, &len);
  char *words = g_strndup(start != NULL ? start : "", len);
  for (gsize i = 0; i < len; i++)
    if (words[i] == '\0')
      words[i] = ' '; /* NUL would end the text */
  return words;
}

/* Whether ERROR is of the message and not of today: the rest of the page still helps. */
static gboolean
is_of_message(const GError *error)
{
  return g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT) ||
         g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
}

static void
log_reader(const Visit *visit, const GError *error)
{
  log_line(LOG_LEVEL_WARNING, "org=%s, reference=%s: not shown: %s",
           visit->organisation->name, visit->entry->reference, error->message);
}

static Event *
make_opened(const Visit *visit, const char *view)
{
  return event_new(EVENT_OPENED, NULL, visit->organisation->name, "ref",
                   visit->entry->reference, "to", visit_reader(visit), "for",
                   visit_responsible(visit), "client", visit->request->client, "view", view,
                   NULL);
}

static void
note_opened(const Visit *visit, const char *view)
{
  if (!visit->request->head_only)
    visit_note(visit, HISTORY_OPENED, make_opened(visit, view));
}

/* The frame of a page that was noted already. */
static void
tell_opened(const Visit *visit, const char *view)
{
  if (visit->request->head_only)
    return;
  g_autoptr(Event) event = make_opened(visit, view);
  event_send(event);
}

/* When something that was sent from here came back; 0: never, or not known now. */
static gint64
find_lost(const Visit *visit)
{
  const Entry *entry = visit->entry;
  g_autoptr(GError) error = NULL;
  g_autoptr(GArray) lines =
      store_history(visit->viewer->store, entry->organisation, entry->reference, &error);
  if (lines == NULL)
    log_line(LOG_LEVEL_WARNING, "reference=%s: no history: %s", entry->reference,
             error->message);
  for (guint i = 0; lines != NULL && i < lines->len; i++)
    if (g_array_index(lines, HistoryLine, i).kind == HISTORY_ANSWER_BOUNCED)
      return g_array_index(lines, HistoryLine, i).last_s;
  return 0;
}

/* What the page shows besides the message. */
static MessageFacts
facts_of(const Visit *visit)
{
  const Entry *entry = visit->entry;
  return (MessageFacts){.sender = entry->sender,
                        .expires_s = entry->expires_s,
                        .weak = *entry->number == '\0' && !entry->shared,
                        .lost_s = find_lost(visit),
                        .may_answer = visit_has_sender(visit) && entry->answers_left > 0,
                        .may_forward = entry->forwards_left > 0};
}

/* Summary and words into FACTS. The words of HTML are for paper and text browsers, and may
 * be missing. FALSE: answered. */
static gboolean
gather(Visit *visit, MessageFacts *facts, Summary **summary, char **words)
{
  GError *error = NULL;
  *facts = facts_of(visit);
  facts->summary = *summary = message_view_summary(visit, &error);
  if (error == NULL && facts->summary->body != BODY_NONE)
    facts->text = *words = read_words(visit, &error);
  if (error == NULL)
    return TRUE;
  if (!is_of_message(error)) {
    visit_fail(visit, error);
    return FALSE;
  }
  log_reader(visit, error);
  g_error_free(error);
  return TRUE;
}

/* The words were the sender's secret: they do not stay in memory. */
static void
wipe_words(char *words)
{
  if (words != NULL)
    secret_wipe(words, strlen(words));
  g_free(words);
}

/* Answers with what PAGE makes of the message. */
static void
show_message(Visit *visit, const char *view,
             Html *(*page)(const Frame *frame, const MessageFacts *facts))
{
  MessageFacts facts;
  g_autoptr(Summary) summary = NULL;
  char *words = NULL;
  if (visit_find_session(visit) && gather(visit, &facts, &summary, &words)) {
    note_opened(visit, view);
    response_set_page(visit->response, 200, page(&visit->frame, &facts));
  }
  wipe_words(words);
}

void
handle_message(Visit *visit)
{
  show_message(visit, "page", page_message);
}

void
handle_text(Visit *visit)
{
  show_message(visit, "text", page_message_text);
}

void
handle_html(Visit *visit)
{
  GError *error = NULL;
  if (!visit_find_session(visit))
    return;
  GBytes *html = message_view_read(visit, "html", HTML_MAX_BYTES, &error);
  if (html == NULL && g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID)) {
    g_error_free(error); /* a message without HTML */
    visit_not_found(visit);
    return;
  }
  if (html == NULL) {
    visit_fail(visit, error);
    return;
  }
  tell_opened(visit, "html");
  visit->response->kind = CONTENT_MAIL;
  visit->response->body = html;
}
