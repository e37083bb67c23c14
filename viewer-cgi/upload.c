#include "viewer-cgi/upload.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/child.h"
#include "common/base/error.h"
#include "viewer-cgi/reading.h"
#include "viewer-cgi/serve.h"

#define PIECE_BYTES 65536

typedef struct {
  const UploadBody *body;
  UploadFrames *frames;
  Child child;
  Secret *piece; /* on its way to the reader */
  gsize start, end;
  guint64 left;         /* of the body */
  gint64 body_until_us; /* when the whole of it must have come */
} Receiver;

/* Takes the next piece of the body; FALSE when it broke off or came too slowly. */
static gboolean
fill_piece(Receiver *receiver, GError **error)
{
  gsize want = (gsize) MIN((guint64) PIECE_BYTES, receiver->left);
  alarm(SERVE_DEADLINE_S); /* from piece to piece; all of them have body_until_us */
  gsize n =
      receiver->body->read(receiver->body->source, secret_bytes(receiver->piece), want);
  receiver->start = 0;
  receiver->end = n;
  receiver->left -= n;
  if (n > 0 && g_get_monotonic_time() < receiver->body_until_us)
    return TRUE;
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID,
              n > 0 ? "the form came too slowly" : "the form broke off");
  return FALSE;
}

static gboolean
feed(Receiver *receiver, GError **error)
{
  gssize n = write(receiver->child.in, secret_peek(receiver->piece) + receiver->start,
                   receiver->end - receiver->start);
  if (n >= 0)
    receiver->start += (gsize) n;
  else if (errno == EPIPE)
    child_close_input(&receiver->child); /* it has seen enough; its status tells */
  else if (errno != EAGAIN && errno != EINTR) {
    zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, "zegel-reader");
    return FALSE;
  }
  return TRUE;
}

/* Takes what the reader has written; *ENDED: that was all. */
static gboolean
drain(Receiver *receiver, gboolean *ended, GError **error)
{
  char *buffer = (char *) secret_bytes(receiver->piece) + PIECE_BYTES; /* its second half */
  gssize n = read(receiver->child.out, buffer, PIECE_BYTES);
  *ended = n == 0;
  if (n > 0)
    return upload_frames_take(receiver->frames, buffer, (gsize) n, error);
  if (n == 0 || errno == EAGAIN || errno == EINTR)
    return TRUE;
  zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, "zegel-reader");
  return FALSE;
}

/* One step of handing over: waits for the reader, gives it bytes, takes some. */
static gboolean
exchange(Receiver *receiver, gboolean *ended, GError **error)
{
  struct pollfd fds[2] = {
      {.fd = receiver->child.out, .events = POLLIN},
      {.fd = receiver->child.in, .events = POLLOUT},
  };
  int n = poll(fds, G_N_ELEMENTS(fds), READING_TIMEOUT_S * 1000);
  if (n == 0) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT,
                        "the reader did not answer in time");
    return FALSE;
  }
  if (n > 0 && fds[1].revents != 0 && !feed(receiver, error))
    return FALSE;
  return n <= 0 || fds[0].revents == 0 || drain(receiver, ended, error);
}

/* What the reader's end means. */
static gboolean
conclude(Receiver *receiver, GError **error)
{
  int status = -1;
  gint64 until_us = g_get_monotonic_time() + READING_TIMEOUT_S * G_USEC_PER_SEC;
  ChildState state = child_wait(&receiver->child, until_us, &status);
  if (state == CHILD_EXITED && status == EX_OK)
    return TRUE;
  if (state == CHILD_EXITED && status == EX_DATAERR)
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID,
                        "the form is not in order");
  else
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT,
                        "the form is more than the reader takes");
  return FALSE;
}

/* Whether the piece has gone, and the reader still wants more. */
static gboolean
wants_piece(const Receiver *receiver)
{
  return receiver->child.in >= 0 && receiver->start == receiver->end;
}

static gboolean
run(Receiver *receiver, GError **error)
{
  for (gboolean ended = FALSE; !ended;) {
    if (wants_piece(receiver) && receiver->left == 0)
      child_close_input(&receiver->child);
    else if (wants_piece(receiver) && !fill_piece(receiver, error))
      return FALSE;
    if (!exchange(receiver, &ended, error))
      return FALSE;
  }
  return conclude(receiver, error);
}

static gboolean
start(Receiver *receiver, const char *reader, GError **error)
{
  const char *const argv[] = {reader, "form", NULL};
  const char *const environment[] = {NULL};
  if (!child_start(&receiver->child, argv, environment, TRUE, error))
    return FALSE;
  gint n = g_snprintf((char *) secret_bytes(receiver->piece), PIECE_BYTES,
                      "Content-Type: %s\r\n\r\n", receiver->body->type);
  receiver->end = (gsize) n;
  return TRUE;
}

Upload *
upload_receive(const char *reader, const UploadBody *body, guint64 files_max,
               GError **error)
{
  gint64 allowed_s = UPLOAD_BASE_S + (gint64) (body->length / UPLOAD_MIN_RATE);
  Receiver receiver = {
      .body = body,
      .frames = upload_frames_new(files_max),
      .child = {.pid = 0, .pidfd = -1, .in = -1, .out = -1},
      .piece = secret_new(2 * PIECE_BYTES),
      .left = body->length,
      .body_until_us = g_get_monotonic_time() + allowed_s * G_USEC_PER_SEC,
  };
  Upload *upload = NULL;
  if (start(&receiver, reader, error) && run(&receiver, error))
    upload = upload_frames_finish(g_steal_pointer(&receiver.frames), error);
  child_end(&receiver.child);
  secret_free(receiver.piece);
  upload_frames_free(receiver.frames);
  return upload;
}
