#include "policyd/server.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/error.h"
#include "common/base/log.h"

#define READ_BYTES     16384
#define EVENTS         64
#define ACCEPT_AT_ONCE 64
#define SWEEP_MS       1000
#define DRAIN_LOOK_MS  20

typedef struct {
  int fd;
  GString *in;
  gsize scanned; /* bytes of IN in which no block ends */
  GString *out;
  gsize sent;        /* bytes of OUT */
  gint64 active_us;  /* last time anything came or went */
  gint64 pending_us; /* since when a question or its answer is unfinished; 0: none is */
} Peer;

typedef struct {
  int epoll;
  int listener;
  int signals;
  const ServerHooks *hooks;
  GHashTable *peers; /* set of Peer */
  gboolean listening;
  gboolean draining;
  gint64 drain_end_us;
  gint64 swept_us;
  gint64 now_us; /* of this turn of the loop */
} Server;

static void
peer_free(gpointer p)
{
  Peer *peer = p;
  close(peer->fd); /* leaves the epoll set with it */
  g_string_free(peer->in, TRUE);
  g_string_free(peer->out, TRUE);
  g_free(peer);
}

static gboolean
fail(GError **error, const char *what)
{
  zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, what);
  return FALSE;
}

static gboolean
watch(const Server *server, int operation, int fd, guint32 events, gpointer data)
{
  struct epoll_event event = {.events = events, .data.ptr = data};
  return epoll_ctl(server->epoll, operation, fd, &event) == 0;
}

/* ---- Peers ---- */

static void
add_peer(Server *server, int fd)
{
  Peer *peer = g_new0(Peer, 1);
  peer->fd = fd;
  peer->in = g_string_new(NULL);
  peer->out = g_string_new(NULL);
  peer->active_us = server->now_us;
  if (watch(server, EPOLL_CTL_ADD, fd, EPOLLIN, peer))
    g_hash_table_add(server->peers, peer);
  else
    peer_free(peer);
}

static void
listen_again(Server *server)
{
  if (!server->listening && !server->draining &&
      g_hash_table_size(server->peers) < SERVER_MAX_PEERS)
    server->listening =
        watch(server, EPOLL_CTL_ADD, server->listener, EPOLLIN, &server->listener);
}

/* Those who come wait in the backlog, until a peer goes or the next sweep. */
static void
stop_listening(Server *server)
{
  if (server->listening)
    watch(server, EPOLL_CTL_DEL, server->listener, 0, NULL);
  server->listening = FALSE;
}

static void
accept_peers(Server *server)
{
  for (guint i = 0; i < ACCEPT_AT_ONCE; i++) {
    if (g_hash_table_size(server->peers) == SERVER_MAX_PEERS) {
      stop_listening(server);
      return;
    }
    int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      add_peer(server, fd);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      log_line(LOG_LEVEL_ALARM, "accept: %s", g_strerror(errno));
      stop_listening(server);
      return;
    } else if (errno != ECONNABORTED && errno != EINTR) {
      return;
    }
  }
}

static void
drop_peer(Server *server, Peer *peer)
{
  g_hash_table_remove(server->peers, peer);
  listen_again(server);
}

/* The length of the block that IN begins with, or 0. Never looks at a byte twice. */
static gsize
find_block(Peer *peer)
{
  gsize from = peer->scanned > 0 ? peer->scanned - 1 : 0;
  const char *end = NULL;
  if (peer->in->len > 0 && peer->in->str[0] == '\n')
    return 1;
  if (peer->in->len > from)
    end = memmem(peer->in->str + from, peer->in->len - from, "\n\n", 2);
  peer->scanned = end == NULL ? peer->in->len : 0;
  return end == NULL ? 0 : (gsize) (end - peer->in->str) + 2;
}

/* Sends what it can of OUT. FALSE when the peer is gone. */
static gboolean
flush_peer(Peer *peer)
{
  while (peer->sent < peer->out->len) {
    gssize count = send(peer->fd, peer->out->str + peer->sent, peer->out->len - peer->sent,
                        MSG_NOSIGNAL);
    if (count < 0 && errno != EINTR)
      return errno == EAGAIN;
    peer->sent += count > 0 ? (gsize) count : 0;
  }
  g_string_truncate(peer->out, 0);
  peer->sent = 0;
  return TRUE;
}

/* Answers the blocks that are whole, until one answer cannot be sent at once. */
static gboolean
answer_blocks(Server *server, Peer *peer)
{
  gsize len = 0;
  while (peer->out->len == 0 && (len = find_block(peer)) > 0) {
    g_autofree char *answer =
        server->hooks->answer(server->hooks->data, peer->in->str, len);
    if (answer == NULL)
      return FALSE;
    g_string_erase(peer->in, 0, (gssize) len);
    peer->pending_us = 0;
    g_string_append(peer->out, answer);
    if (!flush_peer(peer))
      return FALSE;
  }
  return peer->in->len <= ATTR_BLOCK_MAX_BYTES;
}

static gboolean
read_peer(Peer *peer)
{
  char buffer[READ_BYTES];
  gssize got = recv(peer->fd, buffer, sizeof buffer, 0);
  if (got > 0)
    g_string_append_len(peer->in, buffer, got);
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

static gboolean
is_done(const Peer *peer)
{
  return peer->in->len == 0 && peer->out->len == 0;
}

/* One turn for PEER: write, answer, read as far as it goes. FALSE: drop it. */
static gboolean
serve_peer(Server *server, Peer *peer, guint32 events)
{
  gboolean was_writing = peer->out->len > 0;
  if (!flush_peer(peer))
    return FALSE;
  if (peer->out->len == 0 && !was_writing && !read_peer(peer))
    return FALSE;
  if (!answer_blocks(server, peer))
    return FALSE;
  gboolean writing = peer->out->len > 0;
  if (writing && (events & (EPOLLERR | EPOLLHUP)) != 0)
    return FALSE;
  if (writing != was_writing &&
      !watch(server, EPOLL_CTL_MOD, peer->fd, writing ? EPOLLOUT : EPOLLIN, peer))
    return FALSE;
  peer->active_us = server->now_us;
  if (is_done(peer))
    peer->pending_us = 0;
  else if (peer->pending_us == 0)
    peer->pending_us = server->now_us;
  return !server->draining || !is_done(peer);
}

static void
turn_peer(Server *server, Peer *peer, guint32 events)
{
  if (!serve_peer(server, peer, events))
    drop_peer(server, peer);
}

/* ---- Time ---- */

static gboolean
is_overdue(gpointer key, gpointer value, gpointer data)
{
  const Peer *peer = key;
  const Server *server = data;
  (void) value;
  gint64 part_us = server->now_us - peer->pending_us;
  if (peer->pending_us != 0 && part_us > SERVER_PART_MS * G_TIME_SPAN_MILLISECOND)
    return TRUE;
  return server->now_us - peer->active_us > SERVER_IDLE_S * G_TIME_SPAN_SECOND;
}

static void
sweep(Server *server)
{
  if (server->now_us - server->swept_us < SWEEP_MS * G_TIME_SPAN_MILLISECOND)
    return;
  server->swept_us = server->now_us;
  g_hash_table_foreach_remove(server->peers, is_overdue, server);
  listen_again(server);
}

static void
begin_drain(Server *server)
{
  stop_listening(server);
  server->draining = TRUE;
  server->drain_end_us = server->now_us + SERVER_DRAIN_MS * G_TIME_SPAN_MILLISECOND;
  g_autoptr(GList) peers = g_hash_table_get_keys(server->peers);
  for (GList *link = peers; link != NULL; link = link->next)
    turn_peer(server, link->data, 0);
}

static gboolean
is_over(const Server *server)
{
  return server->draining &&
         (g_hash_table_size(server->peers) == 0 || server->now_us >= server->drain_end_us);
}

/* ---- The loop ---- */

static void
take_signal(Server *server)
{
  struct signalfd_siginfo info;
  if (read(server->signals, &info, sizeof info) != sizeof info)
    return;
  if (info.ssi_signo == SIGHUP)
    server->hooks->reload(server->hooks->data);
  else if (!server->draining)
    begin_drain(server);
}

/* A signal comes last: draining drops peers that other events of the turn still name. */
static void
take_events(Server *server, const struct epoll_event *events, int count)
{
  gboolean signalled = FALSE;
  for (int i = 0; i < count; i++) {
    gpointer data = events[i].data.ptr;
    if (data == &server->signals)
      signalled = TRUE;
    else if (data == &server->listener)
      accept_peers(server);
    else
      turn_peer(server, data, events[i].events);
  }
  if (signalled)
    take_signal(server);
}

static gboolean
loop(Server *server, GError **error)
{
  struct epoll_event events[EVENTS];
  while (!is_over(server)) {
    int wait_ms = server->draining ? DRAIN_LOOK_MS : SWEEP_MS;
    int count = epoll_wait(server->epoll, events, EVENTS, wait_ms);
    if (count < 0 && errno != EINTR)
      return fail(error, "epoll_wait");
    server->now_us = g_get_monotonic_time();
    take_events(server, events, count);
    sweep(server);
  }
  return TRUE;
}

int
server_catch_signals(GError **error)
{
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  int fd = -1;
  if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
    fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0)
    fail(error, "signalfd");
  return fd;
}

gboolean
server_run(int listener, int signals, const ServerHooks *hooks, GError **error)
{
  Server server = {.listener = listener, .signals = signals, .hooks = hooks};
  server.epoll = epoll_create1(EPOLL_CLOEXEC);
  if (server.epoll < 0)
    return fail(error, "epoll_create1");
  server.peers = g_hash_table_new_full(NULL, NULL, peer_free, NULL);
  server.now_us = g_get_monotonic_time();
  gboolean good = watch(&server, EPOLL_CTL_ADD, signals, EPOLLIN, &server.signals);
  listen_again(&server);
  good = good && server.listening ? loop(&server, error) : fail(error, "epoll_ctl");
  g_hash_table_unref(server.peers);
  close(server.epoll);
  return good;
}
