#include "viewer-cgi/reading.h"

#include <errno.h>
#include <poll.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/secret.h"
#include "common/base/child.h"

#define BUFFER_BYTES 65536

struct Reading {
  MessageSource *source;
  gboolean original; /* no reader: the source is the view */
  Child child;
  guint8 buffer[BUFFER_BYTES]; /* verified, not yet taken by the reader */
  gsize start, end;
  gint64 deadline_us;
};

static gint64
new_deadline(void)
{
  return g_get_monotonic_time() + READING_TIMEOUT_S * G_USEC_PER_SEC;
}

Reading *
reading_new_original(MessageSource *source)
{
  Reading *reading = g_new0(Reading, 1);
  reading->source = source;
  reading->original = TRUE;
  reading->child = (Child){.pid = 0, .pidfd = -1, .in = -1, .out = -1};
  return reading;
}

Reading *
reading_new(const char *reader, MessageSource *source, const char *view,
            const char *argument, GError **error)
{
  g_autoptr(Reading) reading = reading_new_original(source);
  const char *const argv[] = {reader, view, argument, NULL};
  const char *const environment[] = {NULL};
  reading->original = FALSE;
  reading->deadline_us = new_deadline();
  if (!child_start(&reading->child, argv, environment, TRUE, error))
    return NULL;
  return g_steal_pointer(&reading);
}

void
reading_free(Reading *reading)
{
  if (reading == NULL)
    return;
  child_end(&reading->child);
  message_source_free(reading->source);
  secret_wipe(reading->buffer, sizeof reading->buffer);
  g_free(reading);
}

/* Takes the next verified bytes from the store; at their end the reader's input is closed.
 */
static gboolean
fill_buffer(Reading *reading, GError **error)
{
  gssize n =
      message_source_read(reading->source, reading->buffer, sizeof reading->buffer, error);
  if (n < 0)
    return FALSE;
  reading->start = 0;
  reading->end = (gsize) n;
  if (n == 0)
    child_close_input(&reading->child);
  return TRUE;
}

static gboolean
feed(Reading *reading, GError **error)
{
  gssize n = write(reading->child.in, reading->buffer + reading->start,
                   reading->end - reading->start);
  if (n >= 0) {
    reading->start += (gsize) n;
    return TRUE;
  }
  if (errno == EPIPE) {
    child_close_input(&reading->child); /* it has seen enough; its status tells */
    return TRUE;
  }
  if (errno == EAGAIN || errno == EINTR)
    return TRUE;
  zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, "zegel-reader");
  return FALSE;
}

/* What the reader's end means: 0, or -1 with an error. */
static gssize
conclude(Reading *reading, GError **error)
{
  int status = -1;
  ChildState state = child_wait(&reading->child, reading->deadline_us, &status);
  if (state == CHILD_EXITED && status == EX_OK)
    return 0;
  if (state == CHILD_EXITED && status == EX_DATAERR)
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID,
                        "the message has no such view");
  else
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT, "the reader %s",
                state == CHILD_RUNNING ? "did not end in time"
                : status < 0           ? "was killed"
                                       : "gave up");
  return -1;
}

/* Waits until the reader can take or has given something; TRUE when it has given. */
static gboolean
wait_for_output(Reading *reading, gboolean *ready, GError **error)
{
  struct pollfd fds[2] = {
      {.fd = reading->child.out, .events = POLLIN},
      {.fd = reading->child.in, .events = POLLOUT},
  };
  int n = poll(fds, G_N_ELEMENTS(fds), child_poll_timeout_ms(reading->deadline_us));
  if (n == 0) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT,
                        "the reader did not answer in time");
    return FALSE;
  }
  *ready = n > 0 && fds[0].revents != 0;
  if (n > 0 && fds[1].revents != 0)
    return feed(reading, error);
  return TRUE;
}

static gssize
next_bytes(Reading *reading, gpointer buffer, gsize len, GError **error)
{
  if (reading->original)
    return message_source_read(reading->source, buffer, len, error);
  for (;;) {
    gboolean ready = FALSE;
    if (reading->child.in >= 0 && reading->start == reading->end &&
        !fill_buffer(reading, error))
      return -1;
    if (!wait_for_output(reading, &ready, error))
      return -1;
    if (!ready)
      continue;
    gssize n = read(reading->child.out, buffer, len);
    if (n > 0)
      return n;
    if (n == 0)
      return conclude(reading, error);
    if (errno != EAGAIN && errno != EINTR) {
      zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, "zegel-reader");
      return -1;
    }
  }
}

gssize
reading_next(Reading *reading, gpointer buffer, gsize len, GError **error)
{
  reading->deadline_us = new_deadline();
  return next_bytes(reading, buffer, len, error);
}

GBytes *
reading_all(Reading *reading, gsize max, GError **error)
{
  g_autoptr(GByteArray) all = g_byte_array_new();
  g_autoptr(Secret) piece = secret_new(BUFFER_BYTES);
  for (;;) {
    gssize n = next_bytes(reading, secret_bytes(piece), BUFFER_BYTES, error);
    if (n < 0)
      return NULL;
    if (n == 0)
      return g_byte_array_free_to_bytes(g_steal_pointer(&all));
    if ((gsize) n > max - all->len) {
      g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT, "the view is too large");
      return NULL;
    }
    g_byte_array_append(all, secret_peek(piece), (guint) n);
  }
}
