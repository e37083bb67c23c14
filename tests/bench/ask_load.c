/*
 * ask_load - load on a server of blocks: ask_load SOCKET CONNECTIONS MILLISECONDS.
 *
 * Sends the block on standard input over each connection, again whenever its answer has
 * come, and prints how many answers came in a second. All answers must be of one length.
 * As with real mail no two questions have the same queue id, and so none is the same.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib.h>

#define MAX_BYTES       65536
#define MAX_CONNECTIONS 256
#define LOOK_EVERY      1000 /* answers, between two looks at the clock */
#define COUNTED         6    /* hexadecimal digits at the end of a queue id */

typedef struct {
  int fd;
  gsize got; /* of the answer under way */
} Connection;

static char question[MAX_BYTES];
static gsize question_len;
static gsize answer_len; /* of the first one */
static char *queue_id;   /* where it counts, in QUESTION */

static void
must(gboolean good, const char *what)
{
  if (good)
    return;
  fprintf(stderr, "ask_load: %s: %s\n", what, g_strerror(errno));
  exit(EXIT_FAILURE);
}

static guint
number(const char *text, guint most)
{
  guint64 value = 0;
  must(g_ascii_string_to_unsigned(text, 10, 1, most, &value, NULL), text);
  return (guint) value;
}

static int
connect_to(const char *path)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  must(g_strlcpy(address.sun_path, path, sizeof address.sun_path) < sizeof address.sun_path,
       "path");
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  must(fd >= 0 && connect(fd, (struct sockaddr *) &address, sizeof address) == 0, path);
  return fd;
}

/* The last characters of the queue id are a number, as Postfix writes them. */
static void
find_queue_id(void)
{
  static const char name[] = "\nqueue_id=";
  char *value = memmem(question, question_len, name, strlen(name));
  errno = EINVAL;
  must(value != NULL, "no queue id");
  value += strlen(name);
  char *end = memchr(value, '\n', (gsize) (question + question_len - value));
  must(end != NULL && end - value >= COUNTED, "queue id");
  queue_id = end - COUNTED;
}

static void
count_queue_id(void)
{
  static guint32 count;
  guint32 rest = count++;
  for (guint i = COUNTED; i-- > 0; rest >>= 4)
    queue_id[i] = "0123456789ABCDEF"[rest & 15];
}

static void
ask(Connection *connection)
{
  count_queue_id();
  must(send(connection->fd, question, question_len, MSG_NOSIGNAL) == (gssize) question_len,
       "send");
}

/* Whether CONNECTION's answer is whole now. */
static gboolean
take(Connection *connection)
{
  static char bytes[MAX_BYTES];
  gssize n = recv(connection->fd, bytes, sizeof bytes, 0);
  must(n > 0, "the server closed the connection");
  connection->got += (gsize) n;
  gboolean whole = n >= 2 && memcmp(bytes + n - 2, "\n\n", 2) == 0;
  if (!whole)
    return FALSE;
  if (answer_len == 0)
    answer_len = connection->got;
  must(connection->got == answer_len, "an answer has another length");
  connection->got = 0;
  return TRUE;
}

/* Answers until END_US. */
static guint64
run(int epoll, gint64 end_us)
{
  guint64 answers = 0, looked = 0;
  for (;;) {
    struct epoll_event events[MAX_CONNECTIONS];
    int count = epoll_wait(epoll, events, MAX_CONNECTIONS, -1);
    for (int i = 0; i < count; i++) {
      if (!take(events[i].data.ptr))
        continue;
      answers++;
      ask(events[i].data.ptr);
    }
    if (answers - looked < LOOK_EVERY)
      continue;
    looked = answers;
    if (g_get_monotonic_time() >= end_us)
      return answers;
  }
}

int
main(int argc, char **argv)
{
  if (argc != 4)
    return EXIT_FAILURE;
  guint connections = number(argv[2], MAX_CONNECTIONS);
  guint wait_ms = number(argv[3], G_MAXINT);
  question_len = fread(question, 1, sizeof question, stdin);
  must(question_len > 2, "standard input");
  find_queue_id();
  g_autofree Connection *all = g_new0(Connection, connections);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  for (guint i = 0; i < connections; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
    all[i].fd = connect_to(argv[1]);
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event) == 0, "epoll_ctl");
  }
  gint64 begin_us = g_get_monotonic_time();
  for (guint i = 0; i < connections; i++)
    ask(&all[i]);
  guint64 answers = run(epoll, begin_us + wait_ms * G_TIME_SPAN_MILLISECOND);
  gint64 took_us = g_get_monotonic_time() - begin_us;
  printf("%.0f\n", (double) answers * G_TIME_SPAN_SECOND / (double) took_us);
  return EXIT_SUCCESS;
}
