/* Harness for what zegel-reader answers: the summary, and the page that it becomes. */
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "viewer-cgi/disposition.h"
#include "viewer-cgi/page_message.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_name(const Attachment *attachment)
{
  g_autofree char *name = page_attachment_name(attachment);
  g_autofree char *header = disposition_format(name);
  if (name[0] == '\0' || strpbrk(name, "/\\\r\n") != NULL ||
      strlen(name) > DISPOSITION_NAME_MAX_BYTES + 1 || strpbrk(header, "\r\n\\") != NULL)
    abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static char word[] = "x";
  static char url[] = "https://m.nl/";
  static char none[] = "";
  static Organisation organisation = {
      .display_name = word, .contact = word, .viewer_url = url, .logo = none};
  const Frame frame = {.organisation = &organisation, .language = LANGUAGE_EN};
  g_autoptr(Summary) summary =
      summary_parse(size > 0 ? (const char *) data : "", size, NULL);
  if (summary == NULL)
    return 0;
  for (guint i = 0; i < summary->attachments->len; i++)
    check_name(summary->attachments->pdata[i]);
  const MessageFacts facts = {
      .summary = summary, .sender = "a@b", .text = summary->subject};
  g_autoptr(GBytes) page = html_finish(page_message(&frame, &facts));
  gsize len = 0;
  const char *bytes = g_bytes_get_data(page, &len);
  if (!g_utf8_validate(bytes, (gssize) len, NULL) || memmem(bytes, len, "<script", 7))
    abort();
  return 0;
}
