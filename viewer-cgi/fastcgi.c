#include "viewer-cgi/fastcgi.h"

#include <errno.h>
#include <fcntl.h>
#include <fcgiapp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/base/child.h"
#include "common/base/error.h"
#include "common/base/statistics.h"
#include "viewer-cgi/serve.h"

#define ACCEPT_DEADLINE_S 10 /* for a web server to hand over a request's head */
#define IO_DEADLINE_S     30 /* to read or write without any progress */
#define TRANSFERS_MAX     32 /* downloads on slow lines, in one worker */

typedef struct {
  const Viewer *viewer;
  int listen_fd;
  GMutex lock;
  GCond changed;
  guint transfers; /* threads that send long responses; under lock */
} Worker;

/* A request, from accept to its last byte. */
typedef struct {
  Worker *worker;
  FCGX_Request fcgi;
  Response *response; /* what a thread sends */
} Connection;

static volatile sig_atomic_t stop_asked;

static void
on_term(int signal_number)
{
  (void) signal_number;
  stop_asked = 1;
}

gboolean
fastcgi_is_inherited(void)
{
  /* libfcgi sets a handler that takes SIGTERM, for ever, as the end of accepting: one that
   * comes before workers_run waits for it would leave a viewer that neither serves nor
   * ends. So none may come until the handler is gone again. */
  const struct sigaction standard = {.sa_handler = SIG_DFL};
  sigset_t term, before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  sigprocmask(SIG_BLOCK, &term, &before);
  gboolean inherited = !FCGX_IsCGI();
  sigaction(SIGTERM, &standard, NULL);
  sigprocmask(SIG_SETMASK, &before, NULL);
  return inherited;
}

static gsize
read_body(gpointer data, gpointer buffer, gsize len)
{
  Connection *connection = data;
  int n = FCGX_GetStr(buffer, (int) MIN(len, G_MAXINT), connection->fcgi.in);
  return n > 0 ? (gsize) n : 0;
}

static gboolean
write_bytes(gpointer data, gconstpointer bytes, gsize len)
{
  Connection *connection = data;
  return FCGX_PutStr(bytes, (int) len, connection->fcgi.out) == (int) len;
}

/* Ends CONNECTION (takes). */
static void
connection_end(Connection *connection, gboolean complete)
{
  if (complete)
    FCGX_Finish_r(&connection->fcgi);
  else
    FCGX_Free(&connection->fcgi, 1); /* no end of request: the web server breaks off too */
  response_free(connection->response);
  g_free(connection);
}

static gpointer
run_transfer(gpointer data)
{
  Connection *connection = data;
  Worker *worker = connection->worker;
  const Transport transport = {.data = connection, .write = write_bytes};
  connection_end(connection, serve_rest(connection->response, &transport));
  g_mutex_lock(&worker->lock);
  worker->transfers--;
  g_cond_signal(&worker->changed);
  g_mutex_unlock(&worker->lock);
  return NULL;
}

/* So that a visitor on a slow line keeps nobody else waiting (F21). */
static gboolean
hand_over(gpointer data, Response *response)
{
  Connection *connection = data;
  Worker *worker = connection->worker;
  g_mutex_lock(&worker->lock);
  gboolean room = worker->transfers < TRANSFERS_MAX;
  worker->transfers += room;
  g_mutex_unlock(&worker->lock);
  if (!room)
    return FALSE;
  connection->response = response;
  GThread *thread = g_thread_try_new("transfer", run_transfer, connection, NULL);
  if (thread != NULL) {
    g_thread_unref(thread);
    return TRUE;
  }
  connection->response = NULL;
  g_mutex_lock(&worker->lock);
  worker->transfers--;
  g_mutex_unlock(&worker->lock);
  return FALSE;
}

/* No wait on the web server without an end, and no copy of the connection in children. */
static void
guard_connection(int fd)
{
  const struct timeval deadline = {.tv_sec = IO_DEADLINE_S};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* Takes the next connection and serves it. The alarm is for what has no other deadline. */
static void
serve_next(Worker *worker)
{
  Connection *connection = g_new0(Connection, 1);
  const Transport transport = {connection, read_body, write_bytes, hand_over};
  connection->worker = worker;
  FCGX_InitRequest(&connection->fcgi, worker->listen_fd, FCGI_FAIL_ACCEPT_ON_INTR);
  alarm(ACCEPT_DEADLINE_S);
  if (FCGX_Accept_r(&connection->fcgi) != 0) {
    alarm(0); /* another worker was faster, or it was no request */
    g_free(connection);
    return;
  }
  guard_connection(connection->fcgi.ipcFd);
  statistics_count(STATISTIC_SESSIONS);
  alarm(SERVE_DEADLINE_S);
  ServeResult result = serve_exchange(worker->viewer, connection->fcgi.envp, &transport);
  statistics_count(STATISTIC_MESSAGES);
  if (result != SERVE_HANDED_OVER)
    connection_end(connection, result == SERVE_COMPLETE);
  alarm(0);
}

/*
 * What tells of a connection and of the master's end: an epoll descriptor, or -1. Of the
 * workers that wait, one is woken for each connection and not all of them.
 */
static int
watch(int listen_fd, int life_fd)
{
  struct epoll_event connection = {.events = EPOLLIN | EPOLLEXCLUSIVE,
                                   .data.fd = listen_fd};
  struct epoll_event life = {.events = EPOLLIN, .data.fd = life_fd};
  int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd >= 0 && (epoll_ctl(fd, EPOLL_CTL_ADD, listen_fd, &connection) < 0 ||
                  epoll_ctl(fd, EPOLL_CTL_ADD, life_fd, &life) < 0)) {
    close(fd);
    return -1;
  }
  return fd;
}

/*
 * Waits for a connection; FALSE when SIGTERM came (nowhere else), the master is gone, or
 * DEADLINE_US (0: none) is over.
 */
static gboolean
wait_for_connection(int watch_fd, int life_fd, gint64 deadline_us, const sigset_t *outside)
{
  struct epoll_event event;
  while (!stop_asked) {
    int timeout_ms = deadline_us == 0 ? -1 : child_poll_timeout_ms(deadline_us);
    int n = epoll_pwait(watch_fd, &event, 1, timeout_ms, outside);
    if (n > 0)
      return !stop_asked && event.data.fd != life_fd && timeout_ms != 0;
    if (n == 0 || errno != EINTR)
      return FALSE;
  }
  return FALSE;
}

/* Lets SIGTERM come only where OUTSIDE is the signal mask. */
static void
hold_term(sigset_t *outside)
{
  const struct sigaction action = {.sa_handler = on_term};
  sigset_t term;
  sigaction(SIGTERM, &action, NULL);
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  sigprocmask(SIG_BLOCK, &term, outside);
  sigdelset(outside, SIGTERM);
}

/* Until the last download has ended; the master's patience is the limit. */
static void
wait_for_transfers(Worker *worker)
{
  g_mutex_lock(&worker->lock);
  while (worker->transfers > 0)
    g_cond_wait(&worker->changed, &worker->lock);
  g_mutex_unlock(&worker->lock);
}

gboolean
fastcgi_serve(const Viewer *viewer, int listen_fd, int life_fd, guint life_s,
              GError **error)
{
  gint64 deadline_us =
      life_s == 0 ? 0 : g_get_monotonic_time() + (gint64) life_s * G_USEC_PER_SEC;
  Worker worker = {.viewer = viewer, .listen_fd = listen_fd};
  sigset_t outside;
  hold_term(&outside);
  int watch_fd = watch(listen_fd, life_fd);
  if (watch_fd < 0 || FCGX_Init() != 0) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "libfcgi does not start");
    return FALSE;
  }
  g_mutex_init(&worker.lock);
  g_cond_init(&worker.changed);
  while (wait_for_connection(watch_fd, life_fd, deadline_us, &outside))
    serve_next(&worker);
  wait_for_transfers(&worker);
  g_mutex_clear(&worker.lock);
  g_cond_clear(&worker.changed);
  close(watch_fd);
  return TRUE;
}
