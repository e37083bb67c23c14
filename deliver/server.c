#include "deliver/server.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/daemon.h"
#include "common/base/log.h"
#include "common/base/signals.h"
#include "common/base/statistics.h"
#include "deliver/reply.h"
#include "deliver/session.h"

#define MAX_SESSIONS 200
#define DRAIN_S      10  /* F29 */
#define PAUSE_MS     100 /* when the system has no descriptor or thread for us */

typedef struct {
  ServerParts parts;
  gboolean stopping;
  GMutex mutex;
  GCond ended;
  guint sessions; /* under the mutex */
} Server;

/* What one session's thread is told. */
typedef struct {
  Server *server;
  int fd;
} Client;

static void
end_session(Server *server)
{
  g_mutex_lock(&server->mutex);
  server->sessions--;
  g_cond_signal(&server->ended);
  g_mutex_unlock(&server->mutex);
}

static gpointer
run_client(gpointer data)
{
  g_autofree Client *client = data;
  statistics_count(STATISTIC_SESSIONS);
  session_run(client->server->parts.services, client->fd);
  end_session(client->server);
  return NULL;
}

static gboolean
begin_session(Server *server)
{
  g_mutex_lock(&server->mutex);
  gboolean room = server->sessions < MAX_SESSIONS;
  if (room)
    server->sessions++;
  g_mutex_unlock(&server->mutex);
  return room;
}

/* Tells the client of FD to come back, without waiting for it. */
static void
turn_away(int fd)
{
  g_autofree char *line = g_strdup_printf("%s\r\n", reply_text(REPLY_TOO_MANY_SESSIONS));
  if (send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    log_line(LOG_LEVEL_WARNING, "too many sessions, and the client is gone");
  else
    log_line(LOG_LEVEL_WARNING, "too many sessions: a client was told to come back");
  close(fd);
}

static void
start_client(Server *server, int fd)
{
  if (!begin_session(server)) {
    turn_away(fd);
    return;
  }
  Client *client = g_new0(Client, 1);
  client->server = server;
  client->fd = fd;
  g_autoptr(GThread) thread = g_thread_try_new("session", run_client, client, NULL);
  if (thread != NULL)
    return;
  turn_away(fd);
  g_free(client);
  end_session(server);
}

static void
accept_client(Server *server, int listen_fd)
{
  int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
  if (fd >= 0) {
    start_client(server, fd);
    return;
  }
  if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
    return;
  log_line(LOG_LEVEL_WARNING, "accept: %s", g_strerror(errno));
  g_usleep(PAUSE_MS * 1000); /* or we would spin */
}

/* Tells every session to end and waits for them. */
static gboolean
drain(Server *server)
{
  if (eventfd_write(server->parts.stop_fd, 1) < 0)
    log_line(LOG_LEVEL_WARNING, "eventfd: %s", g_strerror(errno));
  gint64 until_us = g_get_monotonic_time() + DRAIN_S * G_USEC_PER_SEC;
  g_mutex_lock(&server->mutex);
  while (server->sessions > 0 &&
         g_cond_wait_until(&server->ended, &server->mutex, until_us))
    continue;
  guint left = server->sessions;
  g_mutex_unlock(&server->mutex);
  log_line(LOG_LEVEL_INFO, "stopped, %u sessions cut off", left);
  return left == 0;
}

static gboolean
reload(gpointer data, GError **error)
{
  const Server *server = data;
  return server->parts.reload(server->parts.data, error);
}

static void
stop(gpointer data)
{
  Server *server = data;
  server->stopping = TRUE;
}

gboolean
server_run(const ServerParts *parts)
{
  static const SignalUse use = {.reload = reload, .stop = stop};
  /* Sessions that outlive this function may still look at it. */
  static Server server;
  server.parts = *parts;
  struct pollfd fds[] = {{.fd = parts->signal_fd, .events = POLLIN},
                         {.fd = parts->listen_fd, .events = POLLIN}};
  while (!server.stopping) {
    int ready = poll(fds, G_N_ELEMENTS(fds), daemon_alive());
    if (ready < 0 && errno != EINTR) {
      log_line(LOG_LEVEL_ALARM, "poll: %s", g_strerror(errno));
      g_usleep(PAUSE_MS * 1000);
    }
    if (ready <= 0)
      continue;
    if ((fds[0].revents & POLLIN) != 0)
      signals_take(parts->signal_fd, &use, &server);
    else
      accept_client(&server, parts->listen_fd);
  }
  close(parts->listen_fd); /* no one waits in a queue that nobody reads */
  return drain(&server);
}
