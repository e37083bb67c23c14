#include "policyd/spf_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/error.h"
#include "policyd/spf_wire.h"

struct SpfChild {
  const SpfChildHooks *hooks;
  gpointer data;
  pid_t pid; /* 0: gone, and reaped */
  int pidfd;
  int socket;
  LoopWatch *pid_watch;
  LoopWatch *socket_watch;
};

static gboolean
fail(GError **error, ZegelError code, int errnum, const char *what)
{
  zegel_error_errno(error, code, errnum, what);
  return FALSE;
}

/* Runs PATH with SOCKET as standard input and output: its process id, or an error number.
 */
static int
spawn(const char *path, int socket, pid_t *pid)
{
  char *const argv[] = {(char *) path, NULL}, *const environment[] = {NULL};
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  int failed = posix_spawn_file_actions_adddup2(&files, socket, STDIN_FILENO);
  if (failed == 0)
    failed = posix_spawn_file_actions_adddup2(&files, socket, STDOUT_FILENO);
  if (failed == 0)
    failed =
        posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  if (failed == 0)
    failed = posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  if (failed == 0)
    failed = posix_spawn(pid, path, &files, &attributes, argv, environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return failed;
}

static void
on_socket(gpointer data, guint32 events)
{
  SpfChild *child = data;
  guint8 bytes[SPF_WIRE_MAX_WORKER_BYTES + 1];
  (void) events;
  gssize n = recv(child->socket, bytes, sizeof bytes, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n > 0)
    child->hooks->message(child->data, bytes, (gsize) n);
  else
    child->hooks->closed(child->data);
}

static void
on_exit_of_it(gpointer data, guint32 events)
{
  SpfChild *child = data;
  int status = 0;
  (void) events;
  if (waitpid(child->pid, &status, WNOHANG) == 0)
    return;
  child->pid = 0;
  child->hooks->gone(child->data, status);
}

/* Watches CHILD, whose process runs. */
static gboolean
watch(SpfChild *child, Loop *loop, GError **error)
{
  child->pidfd = pidfd_open(child->pid, 0);
  if (child->pidfd < 0)
    return fail(error, ZEGEL_ERROR_TEMPORARY, errno, "pidfd_open");
  child->pid_watch = loop_watch(loop, child->pidfd, EPOLLIN, on_exit_of_it, child, error);
  if (child->pid_watch == NULL)
    return FALSE;
  child->socket_watch = loop_watch(loop, child->socket, EPOLLIN, on_socket, child, error);
  return child->socket_watch != NULL;
}

SpfChild *
spf_child_start(Loop *loop, const char *path, const SpfChildHooks *hooks, gpointer data,
                GError **error)
{
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
    fail(error, ZEGEL_ERROR_TEMPORARY, errno, "socketpair");
    return NULL;
  }
  g_autoptr(SpfChild) child = g_new0(SpfChild, 1);
  child->hooks = hooks;
  child->data = data;
  child->pidfd = -1;
  child->socket = pair[0];
  int failed = spawn(path, pair[1], &child->pid);
  close(pair[1]);
  if (failed != 0) {
    gboolean lack = failed == EAGAIN || failed == ENOMEM;
    child->pid = 0;
    fail(error, lack ? ZEGEL_ERROR_TEMPORARY : ZEGEL_ERROR_CONFIG, failed, path);
    return NULL;
  }
  return watch(child, loop, error) ? g_steal_pointer(&child) : NULL;
}

gboolean
spf_child_send(SpfChild *child, GByteArray *message)
{
  gssize n;
  do
    n = send(child->socket, message->data, message->len, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  gboolean sent = n == (gssize) message->len;
  g_byte_array_unref(message);
  return sent;
}

void
spf_child_kill(SpfChild *child)
{
  loop_unwatch(g_steal_pointer(&child->socket_watch));
  if (child->pid > 0)
    kill(child->pid, SIGKILL);
}

void
spf_child_free(SpfChild *child)
{
  if (child == NULL)
    return;
  spf_child_kill(child);
  if (child->pid > 0)
    while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
      ;
  loop_unwatch(child->pid_watch);
  if (child->pidfd >= 0)
    close(child->pidfd);
  close(child->socket);
  g_free(child);
}
