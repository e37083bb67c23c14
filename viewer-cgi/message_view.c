#include "viewer-cgi/message_view.h"

#include "common/base/event.h"

Reading *
message_view_open(const Visit *visit, const char *view, const char *argument,
                  GError **error)
{
  MessageSource *source =
      store_open_message(visit->viewer->store, visit->entry, visit->link_secret, error);
  if (source == NULL)
    return NULL;
  if (view == NULL)
    return reading_new_original(source);
  return reading_new(visit->viewer->config->viewer_reader, source, view, argument, error);
}

GBytes *
message_view_read(const Visit *visit, const char *view, gsize max, GError **error)
{
  g_autoptr(Reading) reading = message_view_open(visit, view, NULL, error);
  return reading != NULL ? reading_all(reading, max, error) : NULL;
}

static void
log_difference(const Visit *visit, const Summary *summary)
{
  const Entry *entry = visit->entry;
  for (guint i = 0; i < summary->attachments->len; i++) {
    const Attachment *attachment = summary->attachments->pdata[i];
    g_autofree char *part = g_strdup_printf("%u", attachment->part);
    if (attachment->check == CHECK_DIFFERS)
      event_log(EVENT_INTEGRITY, NULL, entry->organisation, "ref", entry->reference, "to",
                visit_reader(visit), "for", visit_responsible(visit), "client",
                visit->request->client, "code", "attachment", "part", part, NULL);
  }
  if (summary->missing)
    event_log(EVENT_INTEGRITY, NULL, entry->organisation, "ref", entry->reference, "to",
              visit_reader(visit), "for", visit_responsible(visit), "client",
              visit->request->client, "code", "attachment-missing", NULL);
}

/* What a reader himself wrote was filed without a milter that looked at it. */
static gboolean
compare(const Visit *visit, Summary *summary, GError **error)
{
  gboolean cut = FALSE;
  g_autoptr(GPtrArray) sent = store_entry_parts(visit->viewer->store, visit->entry,
                                                visit->link_secret, &cut, error);
  if (sent == NULL)
    return FALSE;
  if (visit->entry->from_reader && sent->len == 0)
    return TRUE;
  if (!summary_compare(summary, sent, cut))
    log_difference(visit, summary);
  return TRUE;
}

Summary *
message_view_summary(const Visit *visit, GError **error)
{
  g_autoptr(GBytes) block = message_view_read(visit, "summary", SUMMARY_MAX_BYTES, error);
  if (block == NULL)
    return NULL;
  gsize len = 0;
  const char *bytes = g_bytes_get_data(block, &len);
  g_autoptr(Summary) summary = summary_parse(bytes, len, error);
  if (summary == NULL || !compare(visit, summary, error))
    return NULL;
  return g_steal_pointer(&summary);
}
