/*
 * smtp_load - how many messages a second an SMTP server takes:
 * smtp_load ADDRESS PORT SOURCE SESSIONS MILLISECONDS FILE SENDER RECIPIENT.
 *
 * From the address SOURCE, SESSIONS at a time, each with one message (FILE, lines that end
 * in CRLF) and then a new connection. Prints how many were taken, and in how many
 * microseconds. Unlike smtp-source it sends a message as it is, signature and all. Any
 * reply but the expected one ends it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib.h>

#define REPLY_MAX_BYTES 4096
#define MAX_EVENTS      64
#define MAX_SESSIONS    1000

/* What is said after each reply; the message itself stands in its place. */
enum {
  STEP_HELO,
  STEP_MAIL,
  STEP_RCPT,
  STEP_DATA,
  STEP_MESSAGE,
  STEP_QUIT,
  STEP_END
};

typedef struct {
  int fd;
  guint step;      /* what is said next */
  const char *out; /* what is left of what is said now */
  gsize out_len;
  gsize used;
  char reply[REPLY_MAX_BYTES];
} Session;

static struct sockaddr_in server, source;
static char *lines[STEP_END];
static gsize lengths[STEP_END];
static int epoll;
static guint64 taken;

static void
must(gboolean good, const char *what)
{
  if (good)
    return;
  fprintf(stderr, "smtp_load: %s: %s\n", what, g_strerror(errno));
  exit(EXIT_FAILURE);
}

static void
watch(Session *session, int operation, guint32 events)
{
  struct epoll_event event = {.events = events, .data.ptr = session};
  must(epoll_ctl(epoll, operation, session->fd, &event) == 0, "epoll_ctl");
}

static void
open_session(Session *session)
{
  session->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  session->step = STEP_HELO;
  session->out_len = session->used = 0;
  must(session->fd >= 0, "socket");
  int yes = 1;
  must(setsockopt(session->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes) == 0,
       "setsockopt");
  must(bind(session->fd, (struct sockaddr *) &source, sizeof source) == 0, "bind");
  must(connect(session->fd, (struct sockaddr *) &server, sizeof server) == 0 ||
           errno == EINPROGRESS,
       "connect");
  watch(session, EPOLL_CTL_ADD, EPOLLIN);
}

static void
say(Session *session)
{
  while (session->out_len > 0) {
    gssize sent = send(session->fd, session->out, session->out_len, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) {
      watch(session, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
      return;
    }
    must(sent > 0, "send");
    session->out += sent;
    session->out_len -= (gsize) sent;
  }
}

/* A whole reply has come: says what is next, or begins anew. */
static void
go_on(Session *session)
{
  session->reply[session->used] = '\0';
  char expected = session->step == STEP_MESSAGE ? '3' : '2';
  if (session->reply[0] != expected) {
    fprintf(stderr, "smtp_load: %s", session->reply);
    exit(EXIT_FAILURE);
  }
  session->used = 0;
  if (session->step == STEP_END) {
    close(session->fd);
    open_session(session);
    return;
  }
  taken += session->step == STEP_QUIT;
  session->out = lines[session->step];
  session->out_len = lengths[session->step];
  session->step++;
  say(session);
}

static void
hear(Session *session)
{
  gssize got = recv(session->fd, session->reply + session->used,
                    sizeof session->reply - 1 - session->used, 0);
  if (got < 0 && errno == EAGAIN)
    return;
  must(got > 0, "recv");
  session->used += (gsize) got;
  if (session->reply[session->used - 1] == '\n')
    go_on(session);
}

/* The message in FILE as DATA has it. */
static char *
read_message(const char *file, gsize *len)
{
  g_autofree char *text = NULL;
  must(g_file_get_contents(file, &text, NULL, NULL), file);
  g_auto(GStrv) parts = g_strsplit(text, "\r\n.", -1);
  g_autofree char *stuffed = g_strjoinv("\r\n..", parts);
  char *message =
      g_strconcat(stuffed, g_str_has_suffix(text, "\r\n") ? "" : "\r\n", ".\r\n", NULL);
  *len = strlen(message);
  return message;
}

static void
prepare(char **argv)
{
  static char helo[] = "HELO load.test\r\n", data[] = "DATA\r\n", quit[] = "QUIT\r\n";
  guint64 port = 0;
  server.sin_family = source.sin_family = AF_INET;
  must(inet_pton(AF_INET, argv[1], &server.sin_addr) == 1 &&
           inet_pton(AF_INET, argv[3], &source.sin_addr) == 1 &&
           g_ascii_string_to_unsigned(argv[2], 10, 1, G_MAXUINT16, &port, NULL),
       "address");
  server.sin_port = htons((guint16) port);
  lines[STEP_HELO] = helo;
  lines[STEP_MAIL] = g_strdup_printf("MAIL FROM:<%s>\r\n", argv[7]);
  lines[STEP_RCPT] = g_strdup_printf("RCPT TO:<%s>\r\n", argv[8]);
  lines[STEP_DATA] = data;
  lines[STEP_MESSAGE] = read_message(argv[6], &lengths[STEP_MESSAGE]);
  lines[STEP_QUIT] = quit;
  for (guint i = 0; i < STEP_END; i++)
    lengths[i] = strlen(lines[i]);
}

static void
run(gint64 end_us)
{
  while (g_get_monotonic_time() < end_us) {
    struct epoll_event events[MAX_EVENTS];
    int count = epoll_wait(epoll, events, MAX_EVENTS, 100);
    for (int i = 0; i < count; i++) {
      Session *session = events[i].data.ptr;
      if ((events[i].events & EPOLLOUT) != 0) {
        watch(session, EPOLL_CTL_MOD, EPOLLIN);
        say(session);
      }
      if ((events[i].events & ~(guint32) EPOLLOUT) != 0)
        hear(session);
    }
  }
}

int
main(int argc, char **argv)
{
  guint64 count, turn_ms;
  if (argc != 9 ||
      !g_ascii_string_to_unsigned(argv[4], 10, 1, MAX_SESSIONS, &count, NULL) ||
      !g_ascii_string_to_unsigned(argv[5], 10, 1, G_MAXINT, &turn_ms, NULL))
    return EXIT_FAILURE;
  prepare(argv);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  g_autofree Session *sessions = g_new0(Session, count);
  gint64 begin_us = g_get_monotonic_time();
  for (guint64 i = 0; i < count; i++)
    open_session(&sessions[i]);
  run(begin_us + (gint64) turn_ms * 1000);
  printf("%" G_GUINT64_FORMAT " %" G_GINT64_FORMAT "\n", taken,
         g_get_monotonic_time() - begin_us);
  return EXIT_SUCCESS;
}
