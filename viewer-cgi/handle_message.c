/* The message itself. Every one of these needs a living session. */
#include <string.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "viewer-cgi/disposition.h"
#include "viewer-cgi/page_message.h"
#include "viewer-cgi/visit.h"

/* The reader's own limits are below these and say in the view what is missing. */
#define TEXT_MAX_BYTES (6 * 1024 * 1024)
#define HTML_MAX_BYTES (24 * 1024 * 1024)
#define FIRST_BYTES    65536 /* of a download, read before its headers go out */

/* Starts VIEW (NULL: the original) of the message; NULL with an error. */
static Reading *
open_view(const Visit *visit, const char *view, guint part, GError **error)
{
  MessageSource *source =
      store_open_message(visit->viewer->store, visit->entry, visit->link_secret, error);
  if (source == NULL)
    return NULL;
  if (view == NULL)
    return reading_new_original(source);
  return reading_new(visit->viewer->config->viewer_reader, source, view, part, error);
}

/* The whole of VIEW in at most MAX bytes; NULL with an error. */
static GBytes *
read_view(const Visit *visit, const char *view, gsize max, GError **error)
{
  g_autoptr(Reading) reading = open_view(visit, view, 0, error);
  return reading != NULL ? reading_all(reading, max, error) : NULL;
}

static Summary *
read_summary(const Visit *visit, GError **error)
{
  g_autoptr(GBytes) block = read_view(visit, "summary", SUMMARY_MAX_BYTES, error);
  if (block == NULL)
    return NULL;
  gsize len = 0;
  const char *bytes = g_bytes_get_data(block, &len);
  return summary_parse(bytes, len, error);
}

/* The message's words as one string; NULL with an error. */
static char *
read_words(const Visit *visit, GError **error)
{
  g_autoptr(GBytes) bytes = read_view(visit, "text", TEXT_MAX_BYTES, error);
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

static void
log_opened(const Visit *visit, const char *view)
{
  if (!visit->request->head_only)
    event_log(EVENT_OPENED, NULL, visit->organisation->name, "ref", visit->entry->reference,
              "client", visit->request->client, "view", view, NULL);
}

static void
log_downloaded(const Visit *visit, const char *part)
{
  if (!visit->request->head_only)
    event_log(EVENT_DOWNLOADED, NULL, visit->organisation->name, "ref",
              visit->entry->reference, "client", visit->request->client, "part", part,
              NULL);
}

/* Summary and, when WANTED or the best view, words into FACTS. FALSE: answered. */
static gboolean
gather(Visit *visit, gboolean wanted, MessageFacts *facts, Summary **summary, char **words)
{
  GError *error = NULL;
  facts->sender = visit->entry->sender;
  facts->expires_s = visit->entry->expires_s;
  facts->weak = *visit->entry->number == '\0';
  facts->session_ends_s = visit->session_ends_s;
  facts->summary = *summary = read_summary(visit, &error);
  if (error == NULL && (wanted || facts->summary->body == BODY_TEXT))
    facts->text = *words = read_words(visit, &error);
  if (error == NULL)
    return TRUE;
  if (!is_of_message(error)) {
    visit_fail(visit, error);
    return FALSE;
  }
  log_reader(visit, error);
  g_error_free(error);
  facts->text_failed = TRUE;
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

void
handle_message(Visit *visit)
{
  MessageFacts facts = {0};
  g_autoptr(Summary) summary = NULL;
  char *words = NULL;
  if (visit_find_session(visit) && gather(visit, FALSE, &facts, &summary, &words)) {
    log_opened(visit, "page");
    response_set_page(visit->response, 200, page_message(&visit->frame, &facts));
  }
  wipe_words(words);
}

void
handle_text(Visit *visit)
{
  MessageFacts facts = {0};
  g_autoptr(Summary) summary = NULL;
  char *words = NULL;
  if (visit_find_session(visit) && gather(visit, TRUE, &facts, &summary, &words)) {
    log_opened(visit, "text");
    response_set_page(visit->response, 200, page_message_text(&visit->frame, &facts));
  }
  wipe_words(words);
}

void
handle_html(Visit *visit)
{
  GError *error = NULL;
  if (!visit_find_session(visit))
    return;
  GBytes *html = read_view(visit, "html", HTML_MAX_BYTES, &error);
  if (html == NULL && g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID)) {
    g_error_free(error); /* a message without HTML */
    visit_not_found(visit);
    return;
  }
  if (html == NULL) {
    visit_fail(visit, error);
    return;
  }
  log_opened(visit, "html");
  visit->response->kind = CONTENT_MAIL;
  visit->response->body = html;
}

/* Hands the download in READING (takes) on, once its first bytes have come. */
static void
start_download(Visit *visit, Reading *reading, const char *type, const char *file_name)
{
  GError *error = NULL;
  g_autoptr(Reading) owned = reading;
  g_autoptr(Secret) first = secret_new(FIRST_BYTES);
  gssize n = reading_next(owned, secret_bytes(first), FIRST_BYTES, &error);
  if (n < 0 && g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID)) {
    g_error_free(error);
    visit_not_found(visit);
    return;
  }
  if (n < 0) {
    visit_fail(visit, error);
    return;
  }
  visit->response->kind = CONTENT_DOWNLOAD;
  visit->response->type = disposition_type(type);
  visit->response->disposition = disposition_format(file_name);
  visit->response->body = g_bytes_new(secret_peek(first), (gsize) n);
  if (n > 0)
    visit->response->reading = g_steal_pointer(&owned);
}

void
handle_part(Visit *visit)
{
  GError *error = NULL;
  if (!visit_find_session(visit))
    return;
  g_autoptr(Summary) summary = read_summary(visit, &error);
  if (summary == NULL) {
    visit_fail(visit, error);
    return;
  }
  const Attachment *attachment = summary_find_part(summary, visit->route.part);
  if (attachment == NULL) {
    visit_not_found(visit);
    return;
  }
  Reading *reading = open_view(visit, "part", attachment->part, &error);
  if (reading == NULL) {
    visit_fail(visit, error);
    return;
  }
  g_autofree char *name = page_attachment_name(attachment);
  g_autofree char *part = g_strdup_printf("%u", attachment->part);
  start_download(visit, reading, attachment->type, name);
  if (visit->response->disposition != NULL)
    log_downloaded(visit, part);
}

void
handle_original(Visit *visit)
{
  GError *error = NULL;
  if (!visit_find_session(visit))
    return;
  Reading *reading = open_view(visit, NULL, 0, &error);
  if (reading == NULL) {
    visit_fail(visit, error);
    return;
  }
  g_autofree char *name = g_strdup_printf("%s.eml", _("message"));
  start_download(visit, reading, NULL, name);
  if (visit->response->disposition != NULL)
    log_downloaded(visit, "original");
}
