#include "viewer-cgi/sms.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/secret.h"
#include "common/base/child.h"
#include "viewer-cgi/html.h"
#include "viewer-cgi/text.h"

#define NAME_MAX_CHARS 40 /* so that the text mostly fits in one message of 160 */

/* The host of URL (checked by the configuration), without port. */
static char *
host_of(const char *url)
{
  const char *host = strstr(url, "://") + 3;
  return g_strndup(host, strcspn(host, ":/"));
}

char *
sms_format(const char *code, const char *display_name, const char *viewer_url)
{
  g_autofree char *clean = html_clean_line(display_name);
  g_autofree char *name =
      g_utf8_substring(clean, 0, MIN(NAME_MAX_CHARS, g_utf8_strlen(clean, -1)));
  g_autofree char *host = host_of(viewer_url);
  g_autofree char *words = g_strdup_printf(
      _("%s is your access code for %s. Valid for 10 minutes. Do not give it "
        "to anyone."),
      code, name);
  char *text = g_strdup_printf("%s\n\n@%s #%s", words, host, code);
  secret_wipe(words, strlen(words));
  return text;
}

/* The whole input fits in the pipe, so that one write is enough. */
static gboolean
write_input(const Child *child, const char *number, const char *text)
{
  g_autofree char *input = g_strconcat(number, "\n", text, "\n", NULL);
  gsize len = strlen(input);
  gboolean written = write(child->in, input, len) == (gssize) len;
  secret_wipe(input, len);
  return written;
}

SmsResult
sms_send(const char *command, const char *number, const char *text, guint timeout_s)
{
  const char *const argv[] = {command, NULL};
  const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
                                     NULL};
  gint64 deadline_us = g_get_monotonic_time() + (gint64) timeout_s * G_USEC_PER_SEC;
  g_autoptr(GError) error = NULL;
  Child child;
  if (!child_start(&child, argv, environment, FALSE, &error)) {
    log_line(LOG_LEVEL_ALARM, "SMS adapter: %s", error->message);
    return SMS_FAILED;
  }
  gboolean written = write_input(&child, number, text);
  child_close_input(&child);
  int status = -1;
  ChildState state = child_wait(&child, deadline_us, &status);
  child_end(&child);
  if (state == CHILD_RUNNING) {
    log_line(LOG_LEVEL_ALARM, "SMS adapter %s: no answer in %u s", command, timeout_s);
    return SMS_UNKNOWN;
  }
  if (written && status == EX_OK)
    return SMS_SENT;
  log_line(LOG_LEVEL_ALARM, "SMS adapter %s: exit status %d", command, status);
  return status == EX_PROTOCOL ? SMS_UNKNOWN : SMS_FAILED;
}
