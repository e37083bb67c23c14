#include "deliver/session.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/statistics.h"
#include "common/crypt/ticket.h"
#include "deliver/deposit.h"
#include "deliver/lmtp.h"
#include "deliver/recipient.h"
#include "deliver/returned.h"
#include "deliver/service.h"

#define BUFFER_BYTES   65536
#define IDLE_MS        (300 * 1000) /* RFC 5321 4.5.3.2.7 */
#define WRITE_MS       (60 * 1000)
#define MESSAGE_MAX_S  3600 /* for all bytes of one message */
#define MAX_FAULTS     20   /* bad commands before we hang up */
#define MAX_RECIPIENTS TICKET_MAX_RECIPIENTS
#define NO_QUEUE_ID    "NOQUEUE"

typedef struct {
  Current *services;
  Service *service; /* of the message under way, or of the last one */
  int fd;
  char *buffer; /* BUFFER_BYTES; START through END is unread */
  gsize start, end;
  GString *out;
  Lmtp *lmtp;
  gboolean over;
  gboolean greeted;
  guint faults;

  /* The message under way: */
  char *queue_id;        /* from XFORWARD, or NULL */
  gboolean has_sender;   /* MAIL was taken */
  GPtrArray *recipients; /* of Recipient */
  gboolean in_message;   /* its bytes come, and go to one or both of these: */
  Deposit *deposit;      /* for what the milter sealed, or NULL */
  Returned *returned;    /* for a bounce, or NULL */
  gint64 message_until_us;
} Session;

static const char *
session_queue_id(const Session *session)
{
  return session->queue_id != NULL ? session->queue_id : NO_QUEUE_ID;
}

/* ---- Input and output ---- */

/* Waits for EVENTS on the client's socket; FALSE when the time is over. */
static gboolean
wait_client(const Session *session, short events, int timeout_ms)
{
  struct pollfd fds[] = {{.fd = session->fd, .events = events}};
  gint64 until_us = g_get_monotonic_time() + (gint64) timeout_ms * 1000;
  for (;;) {
    gint64 left_us = until_us - g_get_monotonic_time();
    int ready = poll(fds, 1, (int) MAX(left_us / 1000, 0));
    if (ready > 0)
      return TRUE;
    if (ready == 0 || errno != EINTR)
      return FALSE;
  }
}

/* Sends what was answered. FALSE when the client does not take it. */
static gboolean
flush_out(Session *session)
{
  gsize done = 0;
  while (done < session->out->len) {
    ssize_t n = send(session->fd, session->out->str + done, session->out->len - done,
                     MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0)
      done += (gsize) n;
    else if (n < 0 && errno == EAGAIN && wait_client(session, POLLOUT, WRITE_MS))
      continue;
    else if (n >= 0 || errno != EINTR)
      return FALSE;
  }
  g_string_truncate(session->out, 0);
  return TRUE;
}

static void
say(Session *session, const char *line)
{
  g_string_append_printf(session->out, "%s\r\n", line);
}

static void
hang_up(Session *session, Reply reply)
{
  say(session, reply_text(reply));
  session->over = TRUE;
}

/*
 * Waits for bytes from the client. Between messages also for the end of the service; in a
 * message only for the time that is left for it. FALSE: the farewell was said.
 */
static gboolean
wait_bytes(Session *session)
{
  struct pollfd fds[] = {{.fd = session->fd, .events = POLLIN},
                         {.fd = session->service->stop_fd, .events = POLLIN}};
  gboolean in_message = session->in_message;
  gint64 until_us = g_get_monotonic_time() + (gint64) IDLE_MS * 1000;
  if (in_message)
    until_us = MIN(until_us, session->message_until_us);
  for (;;) {
    gint64 left_ms = MAX((until_us - g_get_monotonic_time()) / 1000, 0);
    int ready = poll(fds, in_message ? 1 : 2, (int) left_ms);
    if (ready > 0 && !in_message && (fds[1].revents & POLLIN) != 0) {
      hang_up(session, REPLY_STOPPING);
      return FALSE;
    }
    if (ready > 0)
      return TRUE;
    if (ready == 0 || errno != EINTR) {
      hang_up(session, REPLY_IDLE);
      return FALSE;
    }
  }
}

/* Every byte was used: says what is to be said and gets more. FALSE at the end. */
static gboolean
fill_buffer(Session *session)
{
  for (;;) {
    if (!flush_out(session) || !wait_bytes(session))
      return FALSE;
    ssize_t n = recv(session->fd, session->buffer, BUFFER_BYTES, MSG_DONTWAIT);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
      continue;
    session->start = 0;
    session->end = n > 0 ? (gsize) n : 0;
    return n > 0;
  }
}

/* ---- Messages ---- */

/* Forgets the message under way; the queue id, too, is one message's. */
static void
reset(Session *session)
{
  g_clear_pointer(&session->deposit, deposit_free);
  g_clear_pointer(&session->returned, returned_free);
  session->in_message = FALSE;
  g_clear_pointer(&session->queue_id, g_free);
  g_ptr_array_set_size(session->recipients, 0);
  session->has_sender = FALSE;
}

static void
finish_message(Session *session)
{
  guint count = session->recipients->len;
  g_autofree DepositResult *results = g_new0(DepositResult, count);
  if (session->deposit != NULL)
    deposit_finish(session->deposit, session->recipients, results);
  if (session->returned != NULL)
    returned_finish(session->returned, session->recipients, results);
  for (guint i = 0; i < count; i++) {
    g_autofree char *line = reply_outcome(results[i].outcome, results[i].reference);
    say(session, line);
  }
  statistics_count(STATISTIC_MESSAGES);
  reset(session);
}

static void
take_content(Session *session, const char *bytes, gsize len)
{
  if (session->deposit != NULL)
    deposit_write(session->deposit, bytes, len);
  if (session->returned != NULL)
    returned_write(session->returned, bytes, len);
}

static void
begin_message(Session *session)
{
  const char *queue_id = session_queue_id(session);
  for (guint i = 0; i < session->recipients->len; i++) {
    gboolean bounce = recipient_is_return(session->recipients->pdata[i]);
    if (bounce && session->returned == NULL)
      session->returned = returned_new(session->service, queue_id);
    else if (!bounce && session->deposit == NULL)
      session->deposit = deposit_new(session->service, queue_id);
  }
  session->in_message = TRUE;
  session->message_until_us =
      g_get_monotonic_time() + (gint64) MESSAGE_MAX_S * G_USEC_PER_SEC;
  lmtp_begin_content(session->lmtp);
}

/* ---- Commands ---- */

/* What counts now counts for the next message; nothing is left of the last one. */
static void
renew_service(Session *session)
{
  Service *last = session->service;
  session->service = current_take(session->services);
  current_give(session->services, last);
}

static void
greet(Session *session)
{
  reset(session);
  session->greeted = TRUE;
  g_string_append_printf(session->out,
                         "250-%s\r\n"
                         "250-PIPELINING\r\n"
                         "250-SIZE %u\r\n"
                         "250-ENHANCEDSTATUSCODES\r\n"
                         "250-8BITMIME\r\n"
                         "250-SMTPUTF8\r\n"
                         "250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n",
                         g_get_host_name(), session->service->config->message_max_bytes);
}

static Reply
take_sender(Session *session, const LmtpCommand *command)
{
  if (!session->greeted)
    return REPLY_NO_LHLO;
  if (session->has_sender)
    return REPLY_NESTED;
  renew_service(session);
  if (command->size_bytes > session->service->config->message_max_bytes)
    return REPLY_TOO_LARGE;
  session->has_sender = TRUE;
  return REPLY_SENDER_OK;
}

static Reply
take_recipient(Session *session, const LmtpCommand *command)
{
  if (!session->has_sender)
    return REPLY_NO_SENDER;
  if (session->recipients->len >= MAX_RECIPIENTS)
    return REPLY_TOO_MANY_RECIPIENTS;
  Reply reply = REPLY_RECIPIENT_OK;
  Recipient *recipient = recipient_parse(session->service, command->path, &reply);
  if (recipient != NULL)
    g_ptr_array_add(session->recipients, recipient);
  else
    log_line(LOG_LEVEL_WARNING, "%s: to=%s is nobody here", session_queue_id(session),
             command->path);
  return reply;
}

static Reply
take_data(Session *session)
{
  if (!session->has_sender)
    return REPLY_NO_SENDER;
  if (session->recipients->len == 0)
    return REPLY_NO_RECIPIENT;
  begin_message(session);
  return REPLY_BEGIN_DATA;
}

static Reply
take_xforward(Session *session, const LmtpCommand *command)
{
  if (session->has_sender)
    return REPLY_NESTED;
  if (command->ident != NULL) {
    g_free(session->queue_id);
    session->queue_id = g_strdup(command->ident);
  }
  return REPLY_OK;
}

static Reply
obey(Session *session, const LmtpCommand *command)
{
  switch (command->verb) {
  case LMTP_MAIL:
    return take_sender(session, command);
  case LMTP_RCPT:
    return take_recipient(session, command);
  case LMTP_DATA:
    return take_data(session);
  case LMTP_XFORWARD:
    return take_xforward(session, command);
  case LMTP_RSET:
    reset(session);
    return REPLY_OK;
  case LMTP_VRFY:
    return REPLY_CANNOT_VERIFY;
  case LMTP_QUIT:
    session->over = TRUE;
    return REPLY_BYE;
  case LMTP_LHLO:
  case LMTP_NOOP:
    break;
  }
  return REPLY_OK;
}

static void
handle_command(Session *session, const LmtpCommand *command)
{
  if (command->fault != LMTP_FAULT_NONE) {
    if (++session->faults > MAX_FAULTS)
      hang_up(session, REPLY_TOO_MANY_FAULTS);
    else
      say(session, reply_fault(command->fault));
  } else if (command->verb == LMTP_LHLO) {
    greet(session);
  } else {
    say(session, reply_text(obey(session, command)));
  }
}

static void
handle_event(Session *session, const LmtpEvent *event)
{
  switch (event->kind) {
  case LMTP_EVENT_MORE:
    if (!fill_buffer(session))
      session->over = TRUE;
    break;
  case LMTP_EVENT_COMMAND:
    handle_command(session, event->command);
    break;
  case LMTP_EVENT_CONTENT:
    take_content(session, event->content, event->content_len);
    break;
  case LMTP_EVENT_END:
    finish_message(session);
    break;
  }
}

void
session_run(Current *services, int fd)
{
  Session session = {.services = services, .fd = fd};
  renew_service(&session);
  session.buffer = g_malloc(BUFFER_BYTES);
  session.out = g_string_new(NULL);
  session.lmtp = lmtp_new();
  session.recipients = g_ptr_array_new_with_free_func((GDestroyNotify) recipient_free);
  g_string_append_printf(session.out, "220 %s LMTP zegel-deliver\r\n", g_get_host_name());
  while (!session.over) {
    LmtpEvent event;
    session.start += lmtp_next(session.lmtp, session.buffer + session.start,
                               session.end - session.start, &event);
    handle_event(&session, &event);
  }
  flush_out(&session);
  close(fd);
  reset(&session);
  current_give(services, session.service);
  g_ptr_array_unref(session.recipients);
  lmtp_free(session.lmtp);
  g_string_free(session.out, TRUE);
  secret_wipe(session.buffer, BUFFER_BYTES); /* of plaintext */
  g_free(session.buffer);
}
