/* Any bytes as a mail log: what is found of a message is whole, and found again when the
 * lines are read again. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "zegelctl/mail_line.h"
#include "zegelctl/mail_trace.h"

#define NOW_S   1795342717
#define WANTED  "4jXbf720bBzBN"
#define SOMEONE "devries@praktijk-voorbeeld.nl"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_line(const char *line)
{
  MailHead head;
  g_auto(MailLine) parsed = {.kind = MAIL_LINE_OTHER};
  if (!mail_line_split(line, &head))
    return;
  g_assert_true(*head.id != '\0' && head.text > line && head.text <= line + strlen(line));
  if (!mail_line_parse(line, &head, NOW_S, &parsed))
    return;
  g_assert_true(parsed.kind != MAIL_LINE_OTHER && parsed.at_s != 0);
  g_assert_true((parsed.kind == MAIL_LINE_DELIVERY) == (parsed.status != NULL));
  g_assert_true((parsed.kind == MAIL_LINE_CLIENT) == (parsed.origin != NULL));
}

static guint
read_all(MailTrace *trace, char **lines)
{
  for (char **line = lines; *line != NULL; line++)
    mail_trace_line(trace, *line, NOW_S);
  g_autoptr(GPtrArray) found = mail_trace_find(trace, WANTED, SOMEONE);
  for (guint i = 0; i < found->len; i++) {
    const MailDelivery *delivery = found->pdata[i];
    g_assert_true(*delivery->status != '\0' && delivery->attempts > 0);
  }
  return found->len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autofree char *text = size > 0 ? g_strndup((const char *) data, size) : g_strdup("");
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    check_line(*line);
  g_autoptr(MailTrace) trace = mail_trace_new();
  mail_trace_want(trace, WANTED, 0);
  guint first = read_all(trace, lines);
  mail_trace_restart(trace);
  g_assert_cmpuint(read_all(trace, lines), ==, first);
  return 0;
}
