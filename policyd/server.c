#include "policyd/server.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/statistics.h"

#define READ_BYTES     16384
#define KEEP_BYTES     65536 /* a larger buffer is not kept for the next question */
#define ACCEPT_AT_ONCE 64
#define SWEEP_MS       1000

typedef struct Peer {
  Server *server;
  guint64 id;
  int fd;
  LoopWatch *watch;
  guint32 events; /* what the watch waits for */
  GString *in;
  gsize answered;    /* bytes of IN whose questions are answered */
  gsize scanned;     /* bytes of IN behind those in which no block ends */
  GString *out;      /* what could not be sent at once */
  gsize sent;        /* bytes of OUT */
  gboolean asking;   /* a question is with who answers */
  gboolean in_call;  /* he is called just now */
  gboolean broken;   /* cut off, as soon as nobody is in the middle of it */
  gint64 active_us;  /* last time anything came or went */
  gint64 pending_us; /* since when a question or its answer is unfinished; 0: none is */
} Peer;

struct Server {
  Loop *loop;
  int listener;
  LoopWatch *watch;
  LoopTimer *sweep;
  ServerQuestion question;
  gpointer data;
  GHashTable *peers; /* id to Peer */
  Peer *current;     /* whose question is being asked, or NULL: most are answered then */
  guint64 last_id;
  gboolean listening;
  gboolean draining;
  LoopTimer *drain;
  LoopDue drained;
  gpointer drained_data;
};

/* ---- Peers ---- */

static void
peer_free(gpointer p)
{
  Peer *peer = p;
  loop_unwatch(peer->watch);
  close(peer->fd);
  g_string_free(peer->in, TRUE);
  g_string_free(peer->out, TRUE);
  g_free(peer);
}

/* Those who come wait in the backlog while we do not listen. */
static void
set_listening(Server *server, gboolean listening)
{
  if (server->listening != listening &&
      loop_watch_change(server->watch, listening ? EPOLLIN : 0))
    server->listening = listening;
}

static void
listen_again(Server *server)
{
  if (!server->draining && g_hash_table_size(server->peers) < SERVER_MAX_PEERS)
    set_listening(server, TRUE);
}

static void
drain_over(gpointer data)
{
  Server *server = data;
  server->drain = NULL;
  g_hash_table_remove_all(server->peers);
  server->drained(server->drained_data);
}

/* The last peer went: tell so in a turn of its own, since anybody may have called us. */
static void
look_whether_drained(Server *server)
{
  if (!server->draining || server->drain == NULL || g_hash_table_size(server->peers) > 0)
    return;
  loop_timer_cancel(server->drain);
  server->drain = loop_timer(server->loop, 0, drain_over, server);
}

static void
drop_peer(Peer *peer)
{
  Server *server = peer->server;
  g_hash_table_remove(server->peers, &peer->id);
  listen_again(server);
  look_whether_drained(server);
}

/* Waits for EVENTS alone. FALSE when epoll refuses. */
static gboolean
wait_for(Peer *peer, guint32 events)
{
  if (peer->events == events)
    return TRUE;
  peer->events = events;
  return loop_watch_change(peer->watch, events);
}

/* ---- Questions ---- */

/* The length of the first block that is not answered, or 0. Looks at no byte twice. */
static gsize
find_block(Peer *peer)
{
  const char *start = peer->in->str + peer->answered;
  const char *end = peer->in->str + peer->in->len;
  const char *at = start + peer->scanned;
  if (start < end && *start == '\n')
    return 1;
  /* Not memmem, which is slow when what it looks for is this short. */
  while (at < end && (at = memchr(at, '\n', (gsize) (end - at))) != NULL && at + 1 < end) {
    if (at[1] == '\n') {
      peer->scanned = 0;
      return (gsize) (at - start) + 2;
    }
    at++;
  }
  peer->scanned = (gsize) ((at != NULL ? at : end) - start);
  return 0;
}

/* Forgets what was answered, and a buffer that grew large. */
static void
tidy(Peer *peer)
{
  if (peer->answered == peer->in->len)
    g_string_truncate(peer->in, 0);
  else if (peer->answered > 0)
    g_string_erase(peer->in, 0, (gssize) peer->answered);
  peer->answered = 0;
  if (peer->in->len == 0 && peer->in->allocated_len > KEEP_BYTES) {
    g_string_free(peer->in, TRUE);
    peer->in = g_string_new(NULL);
  }
  if (peer->out->len == 0 && peer->out->allocated_len > KEEP_BYTES) {
    g_string_free(peer->out, TRUE);
    peer->out = g_string_new(NULL);
  }
}

/* Sends what it can of LEN bytes; how many went, or -1 when the peer is gone. */
static gssize
send_some(const Peer *peer, const char *bytes, gsize len)
{
  gsize sent = 0;
  while (sent < len) {
    gssize count = send(peer->fd, bytes + sent, len - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EAGAIN)
      break;
    if (count < 0 && errno != EINTR)
      return -1;
    sent += count > 0 ? (gsize) count : 0;
  }
  return (gssize) sent;
}

static gboolean
flush_peer(Peer *peer)
{
  gssize sent = send_some(peer, peer->out->str + peer->sent, peer->out->len - peer->sent);
  if (sent < 0)
    return FALSE;
  peer->sent += (gsize) sent;
  if (peer->sent == peer->out->len) {
    g_string_truncate(peer->out, 0);
    peer->sent = 0;
  }
  return TRUE;
}

/* Asks the questions that are whole, until one waits for its answer, or its answer for the
 * peer. FALSE: drop the peer. */
static gboolean
ask_questions(Peer *peer)
{
  Server *server = peer->server;
  gsize len = 0;
  while (!peer->asking && peer->out->len == 0 && (len = find_block(peer)) > 0) {
    const char *block = peer->in->str + peer->answered;
    peer->answered += len;
    peer->asking = TRUE;
    peer->in_call = TRUE;
    server->current = peer;
    server->question(server->data, peer->id, block, len);
    server->current = NULL;
    peer->in_call = FALSE;
    if (peer->broken)
      return FALSE;
  }
  tidy(peer);
  return peer->in->len <= ATTR_BLOCK_MAX_BYTES;
}

static gboolean
read_peer(Peer *peer)
{
  gsize had = peer->in->len;
  g_string_set_size(peer->in, had + READ_BYTES);
  gssize got = recv(peer->fd, peer->in->str + had, READ_BYTES, 0);
  g_string_truncate(peer->in, had + (gsize) MAX(got, 0));
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

static gboolean
is_done(const Peer *peer)
{
  return peer->in->len == 0 && peer->out->len == 0 && !peer->asking;
}

/* What PEER waits for now, and since when. FALSE: drop it. */
static gboolean
settle_peer(Peer *peer)
{
  Server *server = peer->server;
  guint32 events = peer->asking ? 0 : peer->out->len > 0 ? EPOLLOUT : EPOLLIN;
  peer->active_us = loop_now_us(server->loop);
  if (peer->asking || is_done(peer))
    peer->pending_us = 0; /* what takes long now is not the peer */
  else if (peer->pending_us == 0)
    peer->pending_us = peer->active_us;
  return wait_for(peer, events) && !(server->draining && is_done(peer));
}

/* Goes on after whatever happened to PEER: asks what can be asked. */
static void
go_on(Peer *peer)
{
  gsize had = peer->in->len;
  if (!ask_questions(peer)) {
    drop_peer(peer);
    return;
  }
  if (peer->in->len < had)
    peer->pending_us = 0; /* what is left began later */
  if (!settle_peer(peer))
    drop_peer(peer);
}

static void
on_peer(gpointer data, guint32 events)
{
  Peer *peer = data;
  gboolean good = peer->out->len > 0 || peer->asking
                      ? (events & (EPOLLERR | EPOLLHUP)) == 0 && flush_peer(peer)
                      : read_peer(peer);
  if (!good)
    drop_peer(peer);
  else if (!peer->asking)
    go_on(peer);
}

uid_t
server_peer_user(const Server *server, guint64 id)
{
  const Peer *peer = g_hash_table_lookup(server->peers, &id);
  struct ucred user;
  socklen_t len = sizeof user;
  if (peer == NULL || getsockopt(peer->fd, SOL_SOCKET, SO_PEERCRED, &user, &len) < 0)
    return (uid_t) -1;
  return user.uid;
}

void
server_answer(Server *server, guint64 id, const char *text)
{
  Peer *peer = server->current;
  if (peer == NULL || peer->id != id)
    peer = g_hash_table_lookup(server->peers, &id);
  if (peer == NULL || !peer->asking)
    return;
  peer->asking = FALSE;
  gsize len = text != NULL ? strlen(text) : 0;
  gssize sent = text != NULL ? send_some(peer, text, len) : -1;
  peer->broken = sent < 0;
  if (sent >= 0 && (gsize) sent < len)
    g_string_append_len(peer->out, text + sent, (gssize) len - sent);
  if (peer->in_call)
    return; /* ask_questions goes on */
  if (peer->broken)
    drop_peer(peer);
  else
    go_on(peer);
}

/* ---- Newcomers ---- */

static void
add_peer(Server *server, int fd)
{
  Peer *peer = g_new0(Peer, 1);
  peer->server = server;
  peer->id = ++server->last_id;
  peer->fd = fd;
  peer->events = EPOLLIN;
  peer->in = g_string_new(NULL);
  peer->out = g_string_new(NULL);
  peer->active_us = loop_now_us(server->loop);
  g_autoptr(GError) error = NULL;
  peer->watch = loop_watch(server->loop, fd, peer->events, on_peer, peer, &error);
  if (peer->watch != NULL) {
    g_hash_table_insert(server->peers, &peer->id, peer);
    return;
  }
  log_line(LOG_LEVEL_ALARM, "a peer is not served: %s", error->message);
  peer_free(peer);
}

static void
on_listener(gpointer data, guint32 events)
{
  Server *server = data;
  (void) events;
  for (guint i = 0; i < ACCEPT_AT_ONCE; i++) {
    if (g_hash_table_size(server->peers) == SERVER_MAX_PEERS) {
      set_listening(server, FALSE);
      return;
    }
    int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      statistics_count(STATISTIC_SESSIONS);
      add_peer(server, fd);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      log_line(LOG_LEVEL_ALARM, "accept: %s", g_strerror(errno));
      set_listening(server, FALSE); /* until a peer goes or the next sweep */
      return;
    } else if (errno != ECONNABORTED && errno != EINTR) {
      return;
    }
  }
}

/* ---- Time ---- */

static gboolean
is_overdue(gpointer key, gpointer value, gpointer data)
{
  const Peer *peer = value;
  const Server *server = data;
  (void) key;
  gint64 now_us = loop_now_us(server->loop);
  if (peer->pending_us != 0 &&
      now_us - peer->pending_us > SERVER_PART_MS * G_TIME_SPAN_MILLISECOND)
    return TRUE;
  return now_us - peer->active_us > SERVER_IDLE_S * G_TIME_SPAN_SECOND;
}

static void
sweep(gpointer data)
{
  Server *server = data;
  server->sweep = loop_timer(server->loop, SWEEP_MS, sweep, server);
  g_hash_table_foreach_remove(server->peers, is_overdue, server);
  listen_again(server);
  look_whether_drained(server);
}

void
server_drain(Server *server, LoopDue drained, gpointer data)
{
  if (server->draining)
    return;
  set_listening(server, FALSE);
  server->draining = TRUE;
  server->drained = drained;
  server->drained_data = data;
  server->drain = loop_timer(server->loop, SERVER_DRAIN_MS, drain_over, server);
  /* What has come by now is under way too. */
  g_autoptr(GList) peers = g_hash_table_get_values(server->peers);
  for (GList *link = peers; link != NULL; link = link->next) {
    Peer *peer = link->data;
    if (!peer->asking)
      on_peer(peer, 0);
  }
  look_whether_drained(server);
}

/* ---- The server ---- */

Server *
server_new(Loop *loop, int listener, ServerQuestion question, gpointer data, GError **error)
{
  Server *server = g_new0(Server, 1);
  server->loop = loop;
  server->listener = listener;
  server->question = question;
  server->data = data;
  server->peers = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, peer_free);
  server->watch = loop_watch(loop, listener, EPOLLIN, on_listener, server, error);
  if (server->watch == NULL) {
    server_free(server);
    return NULL;
  }
  server->listening = TRUE;
  server->sweep = loop_timer(loop, SWEEP_MS, sweep, server);
  return server;
}

void
server_free(Server *server)
{
  if (server == NULL)
    return;
  loop_unwatch(server->watch);
  loop_timer_cancel(server->sweep);
  loop_timer_cancel(server->drain);
  g_hash_table_unref(server->peers);
  g_free(server);
}
