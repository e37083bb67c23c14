#include "auditd/peers.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/statistics.h"

#define READ_BYTES     65536
#define ACCEPT_AT_ONCE 64
#define SWEEP_MS       1000
#define REFUSED_S      10 /* a line about who may not come, so often at most */

static const char refusal[] = "code=refused\nerror=this user brings no events\n\n";

typedef struct {
  Peers *peers;
  guint64 id;
  int fd;
  uid_t user;
  const char *name;
  LoopWatch *watch;
  guint32 events; /* what the watch waits for */
  GString *in;
  GString *out;
  gint64 active_us; /* last time anything came or went */
  gboolean broken;  /* dropped as soon as nobody is in the middle of it */
} Peer;

struct Peers {
  Loop *loop;
  int listener;
  LoopWatch *watch;
  LoopTimer *sweep;
  const PeersUse *use;
  gpointer data;
  GHashTable *all; /* id to Peer */
  Peer *current;   /* whose blocks are being handed on, or NULL */
  guint64 last_id;
  gint64 refused_us; /* when the last line about that was written; 0: never */
};

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

static void
drop_peer(Peer *peer)
{
  if (peer == peer->peers->current)
    peer->broken = TRUE;
  else
    g_hash_table_remove(peer->peers->all, &peer->id);
}

/* ---- What comes in ---- */

/* Hands the whole blocks on. FALSE: drop the peer. */
static gboolean
hand_on(Peer *peer)
{
  Peers *peers = peer->peers;
  gsize done = 0, len = 0;
  peers->current = peer;
  while (!peer->broken &&
         (len = attrs_block_length(peer->in->str + done, peer->in->len - done)) > 0) {
    peers->use->block(peers->data, peer->id, peer->name, peer->in->str + done, len);
    done += len;
  }
  peers->current = NULL;
  g_string_erase(peer->in, 0, (gssize) done);
  return !peer->broken && peer->in->len <= ATTR_BLOCK_MAX_BYTES;
}

static gboolean
read_peer(Peer *peer)
{
  gsize had = peer->in->len;
  g_string_set_size(peer->in, had + READ_BYTES);
  gssize got = recv(peer->fd, peer->in->str + had, READ_BYTES, 0);
  int reason = errno;
  g_string_truncate(peer->in, had + (gsize) MAX(got, 0));
  if (got < 0)
    return reason == EAGAIN || reason == EINTR;
  return got > 0 && hand_on(peer);
}

/* ---- What goes out ---- */

/* A peer that does not read its answers is not read from. FALSE: drop it. */
static gboolean
flush_peer(Peer *peer)
{
  while (peer->out->len > 0) {
    gssize sent = send(peer->fd, peer->out->str, peer->out->len, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN)
      break;
    if (sent < 0 && errno != EINTR)
      return FALSE;
    g_string_erase(peer->out, 0, MAX(sent, 0));
  }
  guint32 events = peer->out->len > 0 ? EPOLLOUT : EPOLLIN;
  if (events == peer->events)
    return TRUE;
  peer->events = events;
  return loop_watch_change(peer->watch, events);
}

static gboolean
cannot_flush(gpointer key, gpointer value, gpointer data)
{
  (void) key;
  (void) data;
  return !flush_peer(value);
}

void
peers_flush(Peers *peers)
{
  g_hash_table_foreach_remove(peers->all, cannot_flush, NULL);
}

void
peers_answer(Peers *peers, guint64 id, const char *text)
{
  Peer *peer = g_hash_table_lookup(peers->all, &id);
  if (peer != NULL)
    g_string_append(peer->out, text);
}

void
peers_drop(Peers *peers, guint64 id)
{
  Peer *peer = g_hash_table_lookup(peers->all, &id);
  if (peer != NULL)
    drop_peer(peer);
}

static void
on_peer(gpointer data, guint32 events)
{
  Peer *peer = data;
  (void) events;
  peer->active_us = loop_now_us(peer->peers->loop);
  if (!(peer->out->len > 0 ? flush_peer(peer) : read_peer(peer)))
    drop_peer(peer);
}

/* ---- Newcomers ---- */

static guint
count_of(const Peers *peers, uid_t user)
{
  guint count = 0;
  GHashTableIter iter;
  gpointer value = NULL;
  g_hash_table_iter_init(&iter, peers->all);
  while (g_hash_table_iter_next(&iter, NULL, &value))
    count += ((const Peer *) value)->user == user;
  return count;
}

/* Only our own programs: everybody can reach the socket. */
static const char *
name_of(const Peers *peers, int fd, uid_t *user)
{
  struct ucred cred;
  socklen_t len = sizeof cred;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
    return NULL;
  *user = cred.uid;
  return peers->use->name(peers->data, cred.uid);
}

/* Whether he hears it or not, he is cut off. */
static void
say_refused(int fd)
{
  gssize sent = send(fd, refusal, sizeof refusal - 1, MSG_NOSIGNAL);
  (void) sent;
}

static void
refuse(Peers *peers, int fd, uid_t user, gboolean known)
{
  gint64 now_us = loop_now_us(peers->loop);
  if (peers->refused_us == 0 || now_us - peers->refused_us > REFUSED_S * G_USEC_PER_SEC) {
    peers->refused_us = now_us;
    log_line(LOG_LEVEL_WARNING, "user %u %s", (guint) user,
             known ? "has too many connections" : "may bring no events");
  }
  if (!known)
    say_refused(fd);
  close(fd);
}

static void
add_peer(Peers *peers, int fd)
{
  uid_t user = (uid_t) -1;
  const char *name = name_of(peers, fd, &user);
  if (name == NULL || count_of(peers, user) >= PEERS_PER_USER) {
    refuse(peers, fd, user, name != NULL);
    return;
  }
  Peer *peer = g_new0(Peer, 1);
  *peer = (Peer){.peers = peers,
                 .id = ++peers->last_id,
                 .fd = fd,
                 .user = user,
                 .name = name,
                 .events = EPOLLIN,
                 .in = g_string_new(NULL),
                 .out = g_string_new(NULL),
                 .active_us = loop_now_us(peers->loop)};
  g_autoptr(GError) error = NULL;
  peer->watch = loop_watch(peers->loop, fd, peer->events, on_peer, peer, &error);
  if (peer->watch != NULL) {
    g_hash_table_insert(peers->all, &peer->id, peer);
    return;
  }
  log_line(LOG_LEVEL_ALARM, "a program is not served: %s", error->message);
  peer_free(peer);
}

static void
on_listener(gpointer data, guint32 events)
{
  Peers *peers = data;
  (void) events;
  for (guint i = 0; i < ACCEPT_AT_ONCE; i++) {
    int fd = accept4(peers->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      statistics_count(STATISTIC_SESSIONS);
      add_peer(peers, fd);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      log_line(LOG_LEVEL_ALARM, "accept: %s", g_strerror(errno));
      loop_watch_change(peers->watch, 0); /* until the next sweep */
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
  const Peers *peers = data;
  (void) key;
  gint64 quiet_us = loop_now_us(peers->loop) - peer->active_us;
  return peer->in->len + peer->out->len > 0 &&
         quiet_us > PEERS_PART_MS * G_TIME_SPAN_MILLISECOND;
}

static void
sweep(gpointer data)
{
  Peers *peers = data;
  peers->sweep = loop_timer(peers->loop, SWEEP_MS, sweep, peers);
  g_hash_table_foreach_remove(peers->all, is_overdue, peers);
  loop_watch_change(peers->watch, EPOLLIN);
}

Peers *
peers_new(Loop *loop, int listener, const PeersUse *use, gpointer data, GError **error)
{
  g_autoptr(Peers) peers = g_new0(Peers, 1);
  peers->loop = loop;
  peers->listener = listener;
  peers->use = use;
  peers->data = data;
  peers->all = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, peer_free);
  peers->watch = loop_watch(loop, listener, EPOLLIN, on_listener, peers, error);
  if (peers->watch == NULL)
    return NULL;
  peers->sweep = loop_timer(loop, SWEEP_MS, sweep, peers);
  return g_steal_pointer(&peers);
}

void
peers_free(Peers *peers)
{
  if (peers == NULL)
    return;
  loop_unwatch(peers->watch);
  loop_timer_cancel(peers->sweep);
  g_hash_table_unref(peers->all);
  g_free(peers);
}
