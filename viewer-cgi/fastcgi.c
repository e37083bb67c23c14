#include "viewer-cgi/fastcgi.h"

#include <errno.h>
#include <fcntl.h>
#include <fcgiapp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/base/error.h"
#include "viewer-cgi/serve.h"

#define ACCEPT_DEADLINE_S 10 /* for a web server to hand over a request's head */
#define WRITE_DEADLINE_S  30 /* without any progress */

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
  return !FCGX_IsCGI();
}

static gsize
read_body(gpointer data, gpointer buffer, gsize len)
{
  FCGX_Request *request = data;
  int n = FCGX_GetStr(buffer, (int) MIN(len, G_MAXINT), request->in);
  return n > 0 ? (gsize) n : 0;
}

static gboolean
write_bytes(gpointer data, gconstpointer bytes, gsize len)
{
  FCGX_Request *request = data;
  return FCGX_PutStr(bytes, (int) len, request->out) == (int) len;
}

/* No wait on the web server without an end, and no copy of the connection in children. */
static void
guard_connection(int fd)
{
  struct timeval deadline = {.tv_sec = WRITE_DEADLINE_S};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void
serve_one(const Viewer *viewer, FCGX_Request *request)
{
  const Transport transport = {request, read_body, write_bytes};
  guard_connection(request->ipcFd);
  alarm(SERVE_DEADLINE_S);
  if (serve_exchange(viewer, request->envp, &transport))
    FCGX_Finish_r(request);
  else
    FCGX_Free(request, 1); /* no end of request: the web server breaks off as well */
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

/* Waits for a connection; FALSE when SIGTERM came (nowhere else), or the master is gone. */
static gboolean
wait_for_connection(int watch_fd, int life_fd, const sigset_t *outside)
{
  struct epoll_event event;
  while (!stop_asked) {
    int n = epoll_pwait(watch_fd, &event, 1, -1, outside);
    if (n > 0)
      return !stop_asked && event.data.fd != life_fd;
    if (n < 0 && errno != EINTR)
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

gboolean
fastcgi_serve(const Viewer *viewer, int listen_fd, int life_fd, GError **error)
{
  FCGX_Request request;
  sigset_t outside;
  hold_term(&outside);
  int watch_fd = watch(listen_fd, life_fd);
  if (watch_fd < 0 || FCGX_Init() != 0 ||
      FCGX_InitRequest(&request, listen_fd, FCGI_FAIL_ACCEPT_ON_INTR) != 0) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "libfcgi does not start");
    return FALSE;
  }
  /* The socket does not block: when another worker was faster, accept says so at once. */
  while (wait_for_connection(watch_fd, life_fd, &outside)) {
    alarm(ACCEPT_DEADLINE_S);
    if (FCGX_Accept_r(&request) == 0)
      serve_one(viewer, &request);
    alarm(0);
  }
  close(watch_fd);
  return TRUE;
}
