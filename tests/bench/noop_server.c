/*
 * noop_server - the least that a server of blocks can do: noop_server SOCKET BYTES.
 *
 * Answers every block (up to an empty line) that comes over the unix socket SOCKET with
 * BYTES octets, one block. What zegel-policyd does beside this is its own cost.
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

#define MAX_BYTES  65536
#define MAX_EVENTS 64
#define BACKLOG    128

typedef struct {
  int fd;
  gsize used;
  char bytes[MAX_BYTES];
} Peer;

static char answer[MAX_BYTES];
static gsize answer_len;

static void
must(gboolean good, const char *what)
{
  if (good)
    return;
  fprintf(stderr, "noop_server: %s: %s\n", what, g_strerror(errno));
  exit(EXIT_FAILURE);
}

static int
open_listener(const char *path)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  must(g_strlcpy(address.sun_path, path, sizeof address.sun_path) < sizeof address.sun_path,
       "path");
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  must(fd >= 0 && bind(fd, (struct sockaddr *) &address, sizeof address) == 0 &&
           listen(fd, BACKLOG) == 0,
       path);
  return fd;
}

static void
add(int epoll, int fd, Peer *peer)
{
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
  must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

/* Reads what PEER sends, and answers each block. FALSE: it is gone. */
static gboolean
serve(Peer *peer)
{
  gssize n = recv(peer->fd, peer->bytes + peer->used, sizeof peer->bytes - peer->used, 0);
  if (n <= 0)
    return FALSE;
  peer->used += (gsize) n;
  for (const char *end; (end = memmem(peer->bytes, peer->used, "\n\n", 2)) != NULL;) {
    gsize len = (gsize) (end + 2 - peer->bytes);
    memmove(peer->bytes, peer->bytes + len, peer->used - len);
    peer->used -= len;
    if (send(peer->fd, answer, answer_len, MSG_NOSIGNAL) != (gssize) answer_len)
      return FALSE;
  }
  return peer->used < sizeof peer->bytes;
}

int
main(int argc, char **argv)
{
  guint64 bytes = 0;
  if (argc != 3 || !g_ascii_string_to_unsigned(argv[2], 10, 2, MAX_BYTES, &bytes, NULL))
    return EXIT_FAILURE;
  answer_len = (gsize) bytes;
  memset(answer, 'x', answer_len);
  answer[answer_len - 2] = answer[answer_len - 1] = '\n';
  int listener = open_listener(argv[1]), epoll = epoll_create1(EPOLL_CLOEXEC);
  add(epoll, listener, NULL);
  for (;;) {
    struct epoll_event events[MAX_EVENTS];
    int count = epoll_wait(epoll, events, MAX_EVENTS, -1);
    for (int i = 0; i < count; i++) {
      Peer *peer = events[i].data.ptr;
      if (peer == NULL) {
        peer = g_new0(Peer, 1);
        peer->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        must(peer->fd >= 0, "accept");
        add(epoll, peer->fd, peer);
      } else if (!serve(peer)) {
        close(peer->fd);
        g_free(peer);
      }
    }
  }
}
