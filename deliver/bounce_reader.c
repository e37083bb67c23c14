#include "deliver/bounce_reader.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/child.h"
#include "common/base/error.h"

#define VIEW             "bounce"
#define TIMEOUT_S        30
#define ANSWER_MAX_BYTES 4096 /* three short attributes */
#define LOG_TEXT_MAX     200  /* characters of what the other side said */

void
bounce_clear(Bounce *bounce)
{
  g_clear_pointer(&bounce->text, g_free);
}

char *
bounce_brief(const Bounce *bounce)
{
  const char *text = bounce->text != NULL ? bounce->text : "";
  return g_utf8_substring(text, 0, MIN(g_utf8_strlen(text, -1), LOG_TEXT_MAX));
}

static gboolean
parse_kind(const char *action, BounceKind *kind)
{
  static const struct {
    const char *name;
    BounceKind kind;
  } rows[] = {{"failed", BOUNCE_FAILED},
              {"delayed", BOUNCE_DELAYED},
              {"delivered", BOUNCE_OTHER},
              {"other", BOUNCE_OTHER}};
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
    if (g_strcmp0(action, rows[i].name) == 0) {
      *kind = rows[i].kind;
      return TRUE;
    }
  return FALSE;
}

static gboolean
is_status(const char *status)
{
  return *status == '\0' || g_regex_match_simple("^[245]\\.[0-9]{1,3}\\.[0-9]{1,3}$",
                                                 status, G_REGEX_DOLLAR_ENDONLY, 0);
}

gboolean
bounce_parse(const char *bytes, gsize len, Bounce *bounce, GError **error)
{
  g_autoptr(Attrs) attrs = attrs_parse(bytes, len, ATTR_ESCAPED, error);
  if (attrs == NULL)
    return FALSE;
  const char *status = attrs_get(attrs, "status");
  const char *text = attrs_get(attrs, "diagnostic");
  if (status == NULL)
    status = "";
  if (!parse_kind(attrs_get(attrs, "action"), &bounce->kind) || !is_status(status)) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID,
                        "zegel-reader says what cannot be of a bounce");
    return FALSE;
  }
  g_strlcpy(bounce->status, status, sizeof bounce->status);
  bounce->text = g_utf8_make_valid(text != NULL ? text : "", -1);
  return TRUE;
}

/* What passes through the pipes. */
typedef struct {
  Child child;
  const char *rest;
  gsize rest_len;
  GString *answer;
} Reading;

/* The reader takes what it wants; when it has seen enough it closes its end. */
static void
feed(Reading *reading)
{
  gssize n = 0;
  if (reading->rest_len > 0)
    n = write(reading->child.in, reading->rest, reading->rest_len);
  if (n > 0) {
    reading->rest += n;
    reading->rest_len -= (gsize) n;
  }
  if (reading->rest_len == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
    child_close_input(&reading->child);
}

/* FALSE at its end, or when it says too much. */
static gboolean
drink(Reading *reading)
{
  char buffer[ANSWER_MAX_BYTES];
  gssize n = read(reading->child.out, buffer, sizeof buffer);
  if (n < 0)
    return errno == EAGAIN || errno == EINTR;
  if (n > 0)
    g_string_append_len(reading->answer, buffer, n);
  return n > 0 && reading->answer->len <= ANSWER_MAX_BYTES;
}

/* Until it has said all, or DEADLINE_US. */
static void
converse(Reading *reading, gint64 deadline_us)
{
  gboolean go_on = TRUE;
  while (go_on && g_get_monotonic_time() < deadline_us) {
    struct pollfd fds[] = {{.fd = reading->child.out, .events = POLLIN},
                           {.fd = reading->child.in, .events = POLLOUT}};
    if (poll(fds, G_N_ELEMENTS(fds), child_poll_timeout_ms(deadline_us)) <= 0)
      continue;
    if (fds[1].revents != 0)
      feed(reading);
    if (fds[0].revents != 0)
      go_on = drink(reading);
  }
}

gboolean
bounce_read(const char *reader, const char *bytes, gsize len, Bounce *bounce,
            GError **error)
{
  *bounce = (Bounce){.kind = BOUNCE_OTHER};
  const char *const argv[] = {reader, VIEW, NULL};
  const char *const environment[] = {NULL};
  gint64 deadline_us = g_get_monotonic_time() + TIMEOUT_S * G_USEC_PER_SEC;
  Reading reading = {.rest = bytes, .rest_len = len};
  if (!child_start(&reading.child, argv, environment, TRUE, error))
    return FALSE;
  reading.answer = g_string_new(NULL);
  converse(&reading, deadline_us);
  int status = -1;
  ChildState state = child_wait(&reading.child, deadline_us, &status);
  gboolean read = state == CHILD_EXITED && status == EX_OK &&
                  bounce_parse(reading.answer->str, reading.answer->len, bounce, error);
  if (!read && state == CHILD_EXITED && status == EX_OK)
    g_prefix_error(error, "%s: ", reader);
  else if (!read && state == CHILD_EXITED && status == EX_DATAERR)
    read = TRUE; /* no message: no bounce */
  else if (!read)
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY, "%s ended with %d", reader,
                status);
  child_end(&reading.child);
  g_string_free(reading.answer, TRUE);
  return read;
}
