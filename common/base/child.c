#include "common/base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/error.h"

#define NULL_DEVICE "/dev/null"

int
child_poll_timeout_ms(gint64 deadline_us)
{
  gint64 left_us = deadline_us - g_get_monotonic_time();
  return left_us <= 0 ? 0 : (int) MIN((left_us + 999) / 1000, G_MAXINT);
}

/* All signals as a new program expects them: none blocked, SIGPIPE deadly. */
static void
prepare_attributes(posix_spawnattr_t *attributes)
{
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_init(attributes);
  posix_spawnattr_setsigmask(attributes, &none);
  posix_spawnattr_setsigdefault(attributes, &all);
  posix_spawnattr_setpgroup(attributes, 0);
  posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                           POSIX_SPAWN_SETPGROUP);
}

/* posix_spawn with IN and OUT (-1: nowhere) as its standard input and output. */
static int
spawn(pid_t *pid, const char *const *argv, const char *const *environment, int in, int out)
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  prepare_attributes(&attributes);
  int failed = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  if (failed == 0 && out >= 0)
    failed = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  if (failed == 0 && out < 0)
    failed =
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, NULL_DEVICE, O_WRONLY, 0);
  if (failed == 0)
    failed =
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, NULL_DEVICE, O_WRONLY, 0);
  if (failed == 0)
    failed = posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  if (failed == 0) /* it changes neither array: POSIX keeps the old types for old callers */
    failed = posix_spawn(pid, argv[0], &actions, &attributes, (char *const *) argv,
                         (char *const *) environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return failed;
}

static void
close_one(int *fd)
{
  if (*fd >= 0)
    close(*fd);
  *fd = -1;
}

static gboolean
make_pipes(int to_child[2], int from_child[2], gboolean with_output)
{
  if (pipe2(to_child, O_CLOEXEC) < 0)
    return FALSE;
  if (with_output && pipe2(from_child, O_CLOEXEC) < 0)
    return FALSE;
  /* Our ends only: the child's stay as programs expect them. */
  return fcntl(to_child[1], F_SETFL, O_NONBLOCK) == 0 &&
         (!with_output || fcntl(from_child[0], F_SETFL, O_NONBLOCK) == 0);
}

gboolean
child_start(Child *child, const char *const *argv, const char *const *environment,
            gboolean with_output, GError **error)
{
  int to_child[2] = {-1, -1};
  int from_child[2] = {-1, -1};
  *child = (Child){.pid = 0, .pidfd = -1, .in = -1, .out = -1};
  int failed = make_pipes(to_child, from_child, with_output) ? 0 : errno;
  if (failed == 0)
    failed = spawn(&child->pid, argv, environment, to_child[0], from_child[1]);
  close_one(&to_child[0]);
  close_one(&from_child[1]);
  child->in = to_child[1];
  child->out = from_child[0];
  if (failed == 0) {
    child->pidfd = pidfd_open(child->pid, 0);
    failed = child->pidfd < 0 ? errno : 0;
  } else {
    child->pid = 0;
  }
  if (failed == 0)
    return TRUE;
  zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, failed, argv[0]);
  child_end(child);
  return FALSE;
}

void
child_close_input(Child *child)
{
  close_one(&child->in);
}

ChildState
child_wait(Child *child, gint64 deadline_us, int *exit_status)
{
  *exit_status = -1;
  struct pollfd ended = {.fd = child->pidfd, .events = POLLIN};
  int ready;
  do
    ready = poll(&ended, 1, child_poll_timeout_ms(deadline_us));
  while (ready < 0 && errno == EINTR);
  if (ready <= 0)
    return CHILD_RUNNING;
  int status = 0;
  if (waitpid(child->pid, &status, 0) == child->pid && WIFEXITED(status))
    *exit_status = WEXITSTATUS(status);
  child->pid = 0;
  return CHILD_EXITED;
}

void
child_end(Child *child)
{
  if (child->pid > 0) {
    kill(-child->pid, SIGKILL);
    while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
      continue;
    child->pid = 0;
  }
  close_one(&child->in);
  close_one(&child->out);
  close_one(&child->pidfd);
}
