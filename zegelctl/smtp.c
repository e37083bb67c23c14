#include "zegelctl/smtp.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/error.h"
#include "zegelctl/command.h"

#define READ_BYTES  4096
#define CODE_DIGITS 3

struct Smtp {
  int fd;
  TlsProbe *tls;
  GString *in; /* what came and is not read yet */
};

static gint64
deadline(void)
{
  return g_get_monotonic_time() + SMTP_WAIT_MS * G_TIME_SPAN_MILLISECOND;
}

static gboolean
wait_for(int fd, short events, gint64 deadline_us, GError **error)
{
  gint64 left_us = deadline_us - g_get_monotonic_time();
  struct pollfd entry = {.fd = fd, .events = events};
  int count = left_us > 0 ? poll(&entry, 1, (int) (left_us / 1000) + 1) : 0;
  if (count > 0 || (count < 0 && errno == EINTR))
    return TRUE;
  return command_error(error, ZEGEL_ERROR_TEMPORARY, "no answer within %d s",
                       SMTP_WAIT_MS / 1000);
}

static gboolean
fail(GError **error, int errnum)
{
  return command_error(error, ZEGEL_ERROR_TEMPORARY, "%s", g_strerror(errnum));
}

static gboolean
finish_connect(int fd, GError **error)
{
  int reason = 0;
  socklen_t len = sizeof reason;
  if (!wait_for(fd, POLLOUT, deadline(), error))
    return FALSE;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &len) != 0)
    reason = errno;
  return reason == 0 || fail(error, reason);
}

Smtp *
smtp_open(const struct addrinfo *address, GError **error)
{
  g_autoptr(Smtp) smtp = g_new0(Smtp, 1);
  smtp->in = g_string_new(NULL);
  smtp->fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (smtp->fd < 0) {
    fail(error, errno);
    return NULL;
  }
  int result = connect(smtp->fd, address->ai_addr, address->ai_addrlen);
  if (result != 0 && errno != EINPROGRESS) {
    fail(error, errno);
    return NULL;
  }
  return result == 0 || finish_connect(smtp->fd, error) ? g_steal_pointer(&smtp) : NULL;
}

static gboolean
send_plain(Smtp *smtp, const char *bytes, gsize len, gint64 deadline_us, GError **error)
{
  while (len > 0) {
    gssize sent = send(smtp->fd, bytes, len, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
      return fail(error, errno);
    if (sent < 0 && !wait_for(smtp->fd, POLLOUT, deadline_us, error))
      return FALSE;
    bytes += sent > 0 ? sent : 0;
    len -= sent > 0 ? (gsize) sent : 0;
  }
  return TRUE;
}

static gssize
receive_plain(Smtp *smtp, char *buffer, gsize size, gint64 deadline_us, GError **error)
{
  for (;;) {
    gssize got = recv(smtp->fd, buffer, size, 0);
    if (got >= 0)
      return got;
    if (errno != EAGAIN && errno != EINTR) {
      fail(error, errno);
      return -1;
    }
    if (!wait_for(smtp->fd, POLLIN, deadline_us, error))
      return -1;
  }
}

/* Reads until IN has a whole line. */
static gboolean
fill_line(Smtp *smtp, gint64 deadline_us, GError **error)
{
  char buffer[READ_BYTES];
  while (memchr(smtp->in->str, '\n', smtp->in->len) == NULL) {
    gssize got = smtp->tls != NULL
                     ? tls_probe_read(smtp->tls, buffer, sizeof buffer, deadline_us, error)
                     : receive_plain(smtp, buffer, sizeof buffer, deadline_us, error);
    if (got < 0)
      return FALSE;
    if (got == 0)
      return command_error(error, ZEGEL_ERROR_TEMPORARY, "the server hung up");
    g_string_append_len(smtp->in, buffer, got);
    if (smtp->in->len > SMTP_REPLY_MAX_BYTES)
      return command_error(error, ZEGEL_ERROR_INVALID, "the reply is too long");
  }
  return TRUE;
}

/* Takes one line of a reply out of IN: its code, or 0; *MORE says whether others follow. */
static int
take_line(Smtp *smtp, GString *text, gboolean *more)
{
  guint64 code = 0;
  gsize len = (gsize) ((char *) memchr(smtp->in->str, '\n', smtp->in->len) - smtp->in->str);
  g_autofree char *line = g_strndup(smtp->in->str, len);
  g_string_erase(smtp->in, 0, (gssize) len + 1);
  g_strchomp(line);
  char mark = strlen(line) > CODE_DIGITS ? line[CODE_DIGITS] : ' ';
  g_autofree char *digits = g_strndup(line, CODE_DIGITS);
  if ((mark != ' ' && mark != '-') ||
      !g_ascii_string_to_unsigned(digits, 10, 200, 599, &code, NULL))
    return 0;
  *more = mark == '-';
  if (strlen(line) > CODE_DIGITS + 1)
    g_string_append(text, line + CODE_DIGITS + 1);
  g_string_append_c(text, '\n');
  return (int) code;
}

static int
read_reply(Smtp *smtp, GString *text, gint64 deadline_us, GError **error)
{
  gboolean more = TRUE;
  int code = 0;
  g_string_truncate(text, 0);
  while (more) {
    if (!fill_line(smtp, deadline_us, error))
      return -1;
    code = take_line(smtp, text, &more);
    if (code == 0 || text->len > SMTP_REPLY_MAX_BYTES) {
      command_error(error, ZEGEL_ERROR_INVALID, "this is no reply of a mail server");
      return -1;
    }
  }
  return code;
}

int
smtp_talk(Smtp *smtp, const char *command, GString *text, GError **error)
{
  gint64 deadline_us = deadline();
  if (command != NULL) {
    g_autofree char *line = g_strconcat(command, "\r\n", NULL);
    gsize len = strlen(line);
    if (!(smtp->tls != NULL ? tls_probe_write(smtp->tls, line, len, deadline_us, error)
                            : send_plain(smtp, line, len, deadline_us, error)))
      return -1;
  }
  return read_reply(smtp, text, deadline_us, error);
}

gboolean
smtp_start_tls(Smtp *smtp, const TlsPeer *peer, GError **error)
{
  if (smtp->in->len > 0)
    return command_error(error, ZEGEL_ERROR_INVALID, "bytes came before TLS began");
  smtp->tls = tls_probe_start(smtp->fd, peer, deadline(), error);
  return smtp->tls != NULL;
}

const TlsProbe *
smtp_tls(const Smtp *smtp)
{
  return smtp->tls;
}

void
smtp_close(Smtp *smtp)
{
  if (smtp == NULL)
    return;
  tls_probe_free(smtp->tls);
  if (smtp->fd >= 0)
    close(smtp->fd);
  g_string_free(smtp->in, TRUE);
  g_free(smtp);
}
