/*
 * client.c - the asking side of the protocol.
 *
 * Connections stay open between questions. One that is used again may have been closed by a
 * policyd that was restarted; a question changes nothing that asking twice would double, so
 * it is then asked once more over a new connection. A connection on which anything went
 * wrong is closed: a late answer must never be taken for the next one.
 */
#include "common/ask/ask.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/ask/check.h"
#include "common/ask/client_id.h"
#include "common/ask/verify.h"
#include "common/base/child.h"
#include "common/base/error.h"
#include "common/base/unix.h"

#define KEPT_MAX   256 /* idle connections */
#define KEPT_MAX_S 60  /* shorter than policyd's own idle time */
#define READ_BYTES 16384

typedef struct {
  char *path;
  int fd;
  gint64 since_us;
} Kept;

static GMutex kept_lock;
static GQueue kept = G_QUEUE_INIT; /* of Kept, the last used first */

static void
kept_free(Kept *connection)
{
  g_free(connection->path);
  g_free(connection);
}

/* An idle connection to PATH, or -1. */
static int
take_kept(const char *path)
{
  int fd = -1;
  g_mutex_lock(&kept_lock);
  for (GList *link = kept.head; link != NULL && fd < 0; link = link->next) {
    Kept *connection = link->data;
    if (strcmp(connection->path, path) == 0) {
      fd = connection->fd;
      kept_free(connection);
      g_queue_delete_link(&kept, link);
      break;
    }
  }
  g_mutex_unlock(&kept_lock);
  return fd;
}

/* Keeps FD for the next question; closes what has been idle too long or is too many. */
static void
keep(const char *path, int fd)
{
  Kept *connection = g_new0(Kept, 1);
  connection->path = g_strdup(path);
  connection->fd = fd;
  connection->since_us = g_get_monotonic_time();
  gint64 oldest_us = connection->since_us - KEPT_MAX_S * G_TIME_SPAN_SECOND;

  g_mutex_lock(&kept_lock);
  g_queue_push_head(&kept, connection);
  for (Kept *last; (last = g_queue_peek_tail(&kept)) != NULL;) {
    if (g_queue_get_length(&kept) <= KEPT_MAX && last->since_us >= oldest_us)
      break;
    g_queue_pop_tail(&kept);
    close(last->fd);
    kept_free(last);
  }
  g_mutex_unlock(&kept_lock);
}

static gboolean
fail(GError **error, const char *path, const char *what)
{
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY, "%s: %s", path, what);
  return FALSE;
}

typedef enum {
  TALK_DONE,
  TALK_CLOSED, /* by the other side, before any byte of an answer */
  TALK_FAILED
} Talk;

static Talk
send_all(int fd, const char *text, gint64 deadline_us)
{
  gsize len = strlen(text);
  while (len > 0) {
    gssize sent = send(fd, text, len, MSG_NOSIGNAL);
    if (sent >= 0) {
      text += sent;
      len -= (gsize) sent;
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return TALK_CLOSED;
    } else if (errno != EINTR &&
               (errno != EAGAIN || !unix_wait(fd, POLLOUT, deadline_us))) {
      return TALK_FAILED;
    }
  }
  return TALK_DONE;
}

/* Appends one block, and nothing behind it, to ANSWER. */
static Talk
receive_block(int fd, GString *answer, gint64 deadline_us)
{
  char buffer[READ_BYTES];
  while (answer->len <= ATTR_BLOCK_MAX_BYTES) {
    gssize got = recv(fd, buffer, sizeof buffer, 0);
    if (got > 0) {
      g_string_append_len(answer, buffer, got);
      gsize len = attrs_block_length(answer->str, answer->len);
      if (len > 0)
        return len == answer->len ? TALK_DONE : TALK_FAILED;
    } else if (got == 0 || errno == ECONNRESET) {
      return answer->len == 0 ? TALK_CLOSED : TALK_FAILED;
    } else if (errno != EINTR && (errno != EAGAIN || !unix_wait(fd, POLLIN, deadline_us))) {
      return TALK_FAILED;
    }
  }
  return TALK_FAILED;
}

/* Nothing may lie unread on an idle connection: it would be taken for the next answer. */
static gboolean
is_quiet(int fd)
{
  struct pollfd entry = {.fd = fd, .events = POLLIN};
  return poll(&entry, 1, 0) == 0;
}

static Talk
talk(int fd, const char *text, GString *answer, gint64 deadline_us)
{
  if (!is_quiet(fd))
    return TALK_CLOSED;
  Talk result = send_all(fd, text, deadline_us);
  return result == TALK_DONE ? receive_block(fd, answer, deadline_us) : result;
}

/* Asks TEXT and appends the answer's block to ANSWER. */
static gboolean
exchange(const char *path, const char *text, guint timeout_ms, GString *answer,
         GError **error)
{
  gint64 deadline_us = g_get_monotonic_time() + timeout_ms * G_TIME_SPAN_MILLISECOND;
  Talk result = TALK_CLOSED;
  int fd = take_kept(path);
  if (fd >= 0) {
    result = talk(fd, text, answer, deadline_us);
    if (result == TALK_CLOSED)
      close(fd);
  }
  if (result == TALK_CLOSED) {
    fd = unix_connect(path, deadline_us, error);
    if (fd < 0)
      return FALSE;
    result = talk(fd, text, answer, deadline_us);
  }
  if (result == TALK_DONE) {
    keep(path, fd);
    return TRUE;
  }
  close(fd);
  return fail(error, path,
              child_poll_timeout_ms(deadline_us) == 0
                  ? "policyd did not answer in time"
                  : "policyd closed the connection or talks nonsense");
}

Attrs *
ask_exchange(const char *path, const Attrs *question, guint timeout_ms, GError **error)
{
  g_autofree char *text = attrs_format(question, ATTR_ESCAPED);
  g_autoptr(GString) block = g_string_new(NULL);
  if (!exchange(path, text, timeout_ms, block, error))
    return NULL;
  g_autoptr(GError) reason = NULL;
  Attrs *answer = attrs_parse(block->str, block->len, ATTR_ESCAPED, &reason);
  if (answer == NULL)
    fail(error, path, reason->message);
  return answer;
}

GPtrArray *
ask_route(const char *path, const RouteQuestion *question, GError **error)
{
  g_autoptr(Attrs) attrs = route_question_format(question);
  guint timeout_ms = question->sensitive ? ASK_TIMEOUT_MS : ASK_PREFER_TIMEOUT_MS;
  g_autoptr(Attrs) reply = ask_exchange(path, attrs, timeout_ms, error);
  if (reply == NULL)
    return NULL;
  g_autoptr(GError) reason = NULL;
  GPtrArray *answers = route_answers_parse(reply, question->recipients->len, &reason);
  if (answers == NULL)
    fail(error, path, reason->message);
  return answers;
}

GPtrArray *
ask_check(const char *path, const CheckQuestion *question, gboolean *own, GError **error)
{
  g_autoptr(Attrs) attrs = check_question_format(question);
  g_autoptr(Attrs) reply = ask_exchange(path, attrs, CHECK_TIMEOUT_MS, error);
  if (reply == NULL)
    return NULL;
  g_autoptr(GError) reason = NULL;
  GPtrArray *lines = check_answer_parse(reply, own, &reason);
  if (lines == NULL)
    fail(error, path, reason->message);
  return lines;
}

VerifyAnswer *
ask_verify(const char *path, const VerifyQuestion *question, GError **error)
{
  g_autoptr(Attrs) attrs = verify_question_format(question);
  g_autoptr(Attrs) reply = ask_exchange(path, attrs, VERIFY_TIMEOUT_MS, error);
  if (reply == NULL)
    return NULL;
  g_autoptr(GError) reason = NULL;
  VerifyAnswer *answer = verify_answer_parse(reply, question->keys->len, &reason);
  if (answer == NULL)
    fail(error, path, reason->message);
  return answer;
}

ClientCertificate *
ask_client(const char *path, const char *address, guint16 port, GError **error)
{
  g_autoptr(Attrs) attrs = client_question_format(address, port);
  g_autoptr(Attrs) reply = ask_exchange(path, attrs, ASK_TIMEOUT_MS, error);
  if (reply == NULL)
    return NULL;
  g_autoptr(GError) reason = NULL;
  ClientCertificate *certificate = client_certificate_parse(reply, &reason);
  if (certificate == NULL)
    fail(error, path, reason->message);
  return certificate;
}
