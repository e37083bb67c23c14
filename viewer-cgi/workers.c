#include "viewer-cgi/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/log.h"

#define SHORT_LIFE_US G_USEC_PER_SEC

typedef struct {
  pid_t pid; /* 0: none */
  gint64 started_us;
  gint64 not_before_us; /* when it may be started again */
} Slot;

typedef struct {
  Slot *slots;
  guint count;
  WorkerFunc worker;
  gpointer data;
  sigset_t signals; /* that the master waits for */
  sigset_t before;  /* the mask that workers get */
  int life[2];      /* a pipe whose writing end only the master has */
} Master;

static void
start_worker(Master *master, Slot *slot)
{
  slot->started_us = g_get_monotonic_time();
  slot->pid = fork();
  if (slot->pid < 0) {
    log_line(LOG_LEVEL_ALARM, "cannot start a worker: %s", g_strerror(errno));
    slot->pid = 0;
    slot->not_before_us = slot->started_us + SHORT_LIFE_US;
    return;
  }
  if (slot->pid > 0)
    return;
  close(master->life[1]);
  sigprocmask(SIG_SETMASK, &master->before, NULL);
  _exit(master->worker(master->data, master->life[0]));
}

static void
start_missing(Master *master)
{
  gint64 now_us = g_get_monotonic_time();
  for (guint i = 0; i < master->count; i++)
    if (master->slots[i].pid == 0 && master->slots[i].not_before_us <= now_us)
      start_worker(master, &master->slots[i]);
}

static void
note_end(Slot *slot, int status, gboolean expected)
{
  gint64 now_us = g_get_monotonic_time();
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
    log_line(LOG_LEVEL_WARNING, "a worker did not answer in time and was replaced");
  else if (!expected)
    log_line(LOG_LEVEL_ALARM, "a worker ended (%s %d) and is replaced",
             WIFSIGNALED(status) ? "signal" : "exit status",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
  slot->pid = 0;
  slot->not_before_us =
      now_us - slot->started_us < SHORT_LIFE_US ? now_us + SHORT_LIFE_US : 0;
}

/* Collects workers that have ended; the number of those that live. */
static guint
reap(Master *master, gboolean expected)
{
  int status = 0;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
    for (guint i = 0; i < master->count; i++)
      if (master->slots[i].pid == pid)
        note_end(&master->slots[i], status, expected);
  guint alive = 0;
  for (guint i = 0; i < master->count; i++)
    alive += master->slots[i].pid > 0;
  return alive;
}

static void
signal_all(const Master *master, int signal_number)
{
  for (guint i = 0; i < master->count; i++)
    if (master->slots[i].pid > 0)
      kill(master->slots[i].pid, signal_number);
}

static void
drain(Master *master)
{
  const struct timespec moment = {.tv_nsec = 100 * 1000 * 1000};
  gint64 deadline_us = g_get_monotonic_time() + WORKERS_DRAIN_S * G_USEC_PER_SEC;
  signal_all(master, SIGTERM);
  while (reap(master, TRUE) > 0) {
    if (g_get_monotonic_time() > deadline_us)
      signal_all(master, SIGKILL);
    sigtimedwait(&master->signals, NULL, &moment);
  }
}

gboolean
workers_run(guint count, WorkerFunc worker, gpointer data, void (*ready)(void),
            GError **error)
{
  g_autofree Slot *slots = g_new0(Slot, count);
  Master master = {.slots = slots, .count = count, .worker = worker, .data = data};
  const struct timespec second = {.tv_sec = 1};
  if (pipe2(master.life, O_CLOEXEC) < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, "pipe");
    return FALSE;
  }
  sigemptyset(&master.signals);
  sigaddset(&master.signals, SIGTERM);
  sigaddset(&master.signals, SIGINT);
  sigaddset(&master.signals, SIGCHLD);
  sigprocmask(SIG_BLOCK, &master.signals, &master.before);
  start_missing(&master);
  if (ready != NULL)
    ready();
  for (;;) {
    int signal_number = sigtimedwait(&master.signals, NULL, &second);
    if (signal_number == SIGTERM || signal_number == SIGINT)
      break;
    reap(&master, FALSE);
    start_missing(&master);
  }
  drain(&master);
  sigprocmask(SIG_SETMASK, &master.before, NULL);
  close(master.life[0]);
  close(master.life[1]);
  return TRUE;
}
