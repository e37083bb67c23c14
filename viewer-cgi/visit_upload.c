/* Forms that mail something: how much, how many at a time, and what a visitor is told. */
#include "common/base/error.h"
#include "common/base/log.h"
#include "viewer-cgi/once.h"
#include "viewer-cgi/visit.h"

#define BYTES_PER_MB (1024 * 1024)
#define BUSY_RETRY_S 60

char *
visit_new_once(Visit *visit)
{
  GError *error = NULL;
  char *once = once_new(&error);
  if (once == NULL)
    visit_fail(visit, error);
  return once;
}

void
visit_return_use(const Visit *visit, EntryUse use)
{
  g_autoptr(GError) error = NULL;
  if (!store_return_use(visit->viewer->store, visit->entry, use, &error))
    log_line(LOG_LEVEL_WARNING, "reference=%s: a use was not given back: %s",
             visit->entry->reference, error->message);
}

guint64
visit_files_max(const Visit *visit)
{
  return (guint64) visit->organisation->attachments_max_mb * BYTES_PER_MB;
}

static void
show(Visit *visit, guint status, const char *title, const char *text)
{
  const char *const texts[] = {
      text,
      _("Go back in your browser: what you typed is often still there. Copy it before you "
        "try again."),
      NULL,
  };
  response_set_page(visit->response, status, page_simple(&visit->frame, title, texts));
}

static void
show_too_large(Visit *visit)
{
  g_autofree char *text = g_strdup_printf(
      _("The attachments may be %u MB together. Choose fewer or smaller files. A photo can "
        "often be made smaller on your phone."),
      visit->organisation->attachments_max_mb);
  show(visit, 413, _("The attachments are too large"), text);
}

static void
show_busy(Visit *visit)
{
  visit->response->retry_after_s = BUSY_RETRY_S;
  show(visit, 503, _("Please try again later"),
       _("Many people are sending something just now. Please try again in a minute."));
}

/* Takes ERROR. */
static void
show_failed(Visit *visit, GError *error)
{
  if (!g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID) &&
      !g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT)) {
    visit_fail(visit, error);
    return;
  }
  log_line(LOG_LEVEL_WARNING, "org=%s: a form was not received: %s",
           visit->organisation->name, error->message);
  if (error->code == ZEGEL_ERROR_LIMIT)
    show_too_large(visit);
  else
    show(
        visit, 400, _("This did not arrive whole"),
        _("Your connection may be slow, or it broke off. Nothing was sent. Please try once "
          "more, with smaller attachments or without them."));
  g_error_free(error);
}

static Upload *
receive(Visit *visit)
{
  GError *error = NULL;
  Upload *upload = upload_receive(visit->viewer->config->viewer_reader,
                                  &visit->request->upload, visit_files_max(visit), &error);
  if (upload == NULL)
    show_failed(visit, error);
  return upload;
}

Upload *
visit_receive(Visit *visit)
{
  Slots *slots = visit->viewer->upload_slots;
  if (visit->request->upload_type == NULL) {
    show(visit, 415, _("This did not work"),
         _("Your browser sent something that we do not understand."));
    return NULL;
  }
  if (visit->request->upload.length > visit_files_max(visit) + UPLOAD_SPARE_BYTES) {
    show_too_large(visit);
    return NULL;
  }
  int slot = slots != NULL ? slots_take(slots) : -1;
  if (slots != NULL && slot < 0) {
    show_busy(visit);
    return NULL;
  }
  Upload *upload = receive(visit);
  if (slots != NULL)
    slots_return(slots, slot);
  return upload;
}
