/* What can be kept: attachments, all of them, the PDF, the original. With a session only.
 */
#include "common/base/error.h"
#include "common/base/event.h"
#include "viewer-cgi/disposition.h"
#include "viewer-cgi/message_view.h"
#include "viewer-cgi/page_message.h"

#define FIRST_BYTES 65536 /* of a download, read before its headers go out */

static void
note_downloaded(const Visit *visit, const char *part)
{
  if (visit->request->head_only)
    return;
  visit_note(visit, HISTORY_DOWNLOADED,
             event_new(EVENT_DOWNLOADED, NULL, visit->organisation->name, "ref",
                       visit->entry->reference, "to", visit_reader(visit), "for",
                       visit_responsible(visit), "client", visit->request->client, "part",
                       part, NULL));
}

/* The first bytes of READING into the answer; what follows is left for READING. FALSE: an
 * answer has been made. */
static gboolean
start(Visit *visit, Reading *reading, gboolean *is_all)
{
  GError *error = NULL;
  g_autoptr(Secret) first = secret_new(FIRST_BYTES);
  gssize n = reading_next(reading, secret_bytes(first), FIRST_BYTES, &error);
  if (n < 0 && g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID)) {
    g_error_free(error); /* the message has no such view */
    visit_not_found(visit);
    return FALSE;
  }
  if (n < 0) {
    visit_fail(visit, error);
    return FALSE;
  }
  visit->response->body = g_bytes_new(secret_peek(first), (gsize) n);
  *is_all = n == 0;
  return TRUE;
}

/* Answers with VIEW as a file of TYPE (declared, or NULL) called FILE_NAME; WHAT is what
 * the event says. */
static void
send_view(Visit *visit, const char *view, const char *argument, const char *type,
          const char *file_name, const char *what)
{
  GError *error = NULL;
  gboolean is_all = FALSE;
  g_autoptr(Reading) reading = message_view_open(visit, view, argument, &error);
  if (reading == NULL) {
    visit_fail(visit, error);
    return;
  }
  if (!start(visit, reading, &is_all))
    return;
  visit->response->kind = CONTENT_DOWNLOAD;
  visit->response->type = disposition_type(type);
  visit->response->disposition = disposition_format(file_name);
  if (!is_all)
    visit->response->reading = g_steal_pointer(&reading);
  note_downloaded(visit, what);
}

void
handle_part(Visit *visit)
{
  GError *error = NULL;
  if (!visit_find_session(visit))
    return;
  g_autoptr(Summary) summary = message_view_summary(visit, &error);
  if (summary == NULL) {
    visit_fail(visit, error);
    return;
  }
  const Attachment *attachment = summary_find_part(summary, visit->route.part);
  if (attachment == NULL) {
    visit_not_found(visit);
    return;
  }
  g_autofree char *name = page_attachment_name(attachment);
  g_autofree char *part = g_strdup_printf("%u", attachment->part);
  send_view(visit, "part", part, attachment->type, name, part);
}

void
handle_pdf(Visit *visit)
{
  if (!visit_find_session(visit))
    return;
  g_autofree char *name = g_strdup_printf("%s.pdf", _("message"));
  send_view(visit, "pdf", language_code(visit->frame.language), "application/pdf", name,
            "pdf");
}

void
handle_zip(Visit *visit)
{
  if (!visit_find_session(visit))
    return;
  g_autofree char *name = g_strdup_printf("%s.zip", _("attachments"));
  send_view(visit, "zip", NULL, "application/zip", name, "zip");
}

void
handle_original(Visit *visit)
{
  if (!visit_find_session(visit))
    return;
  g_autofree char *name = g_strdup_printf("%s.eml", _("message"));
  send_view(visit, NULL, NULL, NULL, name, "original");
}
