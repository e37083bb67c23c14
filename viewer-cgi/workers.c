#include "viewer-cgi/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/daemon.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/signals.h"

#define SHORT_LIFE_US G_USEC_PER_SEC
#define TURN_MS       1000

typedef struct {
  pid_t pid; /* 0: none */
  gint64 started_us;
  gint64 not_before_us; /* when it may be started again */
} Slot;

typedef struct {
  const WorkersUse *use;
  GArray *slots;   /* of Slot */
  GArray *leaving; /* of pid_t: those of before a reload */
  gboolean stopping;
  sigset_t before; /* the mask that workers get */
  int children;    /* a signalfd for their ends */
  int life[2];     /* a pipe whose writing end only the master has */
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
  signals_leave();
  _exit(master->use->worker(master->use->data, master->life[0]));
}

static Slot *
slot_at(const Master *master, guint i)
{
  return &g_array_index(master->slots, Slot, i);
}

static void
start_missing(Master *master)
{
  gint64 now_us = g_get_monotonic_time();
  for (guint i = 0; i < master->slots->len; i++)
    if (slot_at(master, i)->pid == 0 && slot_at(master, i)->not_before_us <= now_us)
      start_worker(master, slot_at(master, i));
}

static void
say_end(int status, gboolean expected)
{
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
    log_line(LOG_LEVEL_WARNING, "a worker did not answer in time and was replaced");
  else if (!expected)
    log_line(LOG_LEVEL_ALARM, "a worker ended (%s %d) and is replaced",
             WIFSIGNALED(status) ? "signal" : "exit status",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

/* The place of PID is free again. FALSE: it had none, and was expected to end. */
static gboolean
free_slot(Master *master, pid_t pid)
{
  gint64 now_us = g_get_monotonic_time();
  for (guint i = 0; i < master->slots->len; i++) {
    Slot *slot = slot_at(master, i);
    if (slot->pid != pid)
      continue;
    slot->pid = 0;
    slot->not_before_us =
        now_us - slot->started_us < SHORT_LIFE_US ? now_us + SHORT_LIFE_US : 0;
    return TRUE;
  }
  for (guint i = 0; i < master->leaving->len; i++)
    if (g_array_index(master->leaving, pid_t, i) == pid) {
      g_array_remove_index_fast(master->leaving, i);
      break;
    }
  return FALSE;
}

/* Collects workers that have ended. */
static void
reap(Master *master)
{
  int status = 0;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    gboolean had_place = free_slot(master, pid);
    say_end(status, master->stopping || !had_place);
  }
}

/* Sends SIGNAL_NUMBER to every worker; the number of those that live. */
static guint
signal_all(const Master *master, int signal_number)
{
  guint alive = master->leaving->len;
  for (guint i = 0; i < master->leaving->len; i++)
    kill(g_array_index(master->leaving, pid_t, i), signal_number);
  for (guint i = 0; i < master->slots->len; i++)
    if (slot_at(master, i)->pid > 0) {
      kill(slot_at(master, i)->pid, signal_number);
      alive++;
    }
  return alive;
}

/* Until a worker has ended, a signal has come if SIGNALS is set, or WAIT_MS is over. */
static void
wait_for_news(const Master *master, gboolean signals, int wait_ms)
{
  struct signalfd_siginfo info;
  struct pollfd fds[] = {{.fd = master->children, .events = POLLIN},
                         {.fd = master->use->signals, .events = POLLIN}};
  if (poll(fds, signals ? 2 : 1, wait_ms) <= 0)
    return;
  while (read(master->children, &info, sizeof info) == sizeof info)
    continue;
}

static void
drain(Master *master)
{
  gint64 deadline_us = g_get_monotonic_time() + WORKERS_DRAIN_S * G_USEC_PER_SEC;
  signal_all(master, SIGTERM);
  for (reap(master); signal_all(master, 0) > 0; reap(master)) {
    if (g_get_monotonic_time() > deadline_us)
      signal_all(master, SIGKILL);
    wait_for_news(master, FALSE, 100);
  }
}

/* ---- Signals ---- */

/* Workers begin with what counts now: those of before go when they have finished. */
static gboolean
reload(gpointer data, GError **error)
{
  Master *master = data;
  guint count = master->slots->len;
  if (master->use->reload != NULL && !master->use->reload(master->use->data, &count, error))
    return FALSE;
  for (guint i = 0; i < master->slots->len; i++) {
    pid_t pid = slot_at(master, i)->pid;
    if (pid == 0)
      continue;
    kill(pid, SIGTERM);
    g_array_append_val(master->leaving, pid);
  }
  g_array_set_size(master->slots, 0);
  g_array_set_size(master->slots, count);
  start_missing(master);
  return TRUE;
}

static void
stop(gpointer data)
{
  Master *master = data;
  master->stopping = TRUE;
}

/* ---- The master ---- */

static gboolean
prepare(Master *master, GError **error)
{
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, &master->before);
  master->children = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (master->children >= 0 && pipe2(master->life, O_CLOEXEC) == 0)
    return TRUE;
  zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, "workers");
  return FALSE;
}

gboolean
workers_run(const WorkersUse *use, GError **error)
{
  static const SignalUse signal_use = {.reload = reload, .stop = stop};
  Master master = {.use = use};
  if (!prepare(&master, error))
    return FALSE;
  master.slots = g_array_new(FALSE, TRUE, sizeof(Slot));
  master.leaving = g_array_new(FALSE, FALSE, sizeof(pid_t));
  g_array_set_size(master.slots, use->count);
  start_missing(&master);
  if (use->ready != NULL)
    use->ready();
  int alive_ms = daemon_alive();
  while (!master.stopping) {
    wait_for_news(&master, TRUE, alive_ms >= 0 ? MIN(alive_ms, TURN_MS) : TURN_MS);
    reap(&master);
    start_missing(&master);
    signals_take(use->signals, &signal_use, &master);
    if (signal_all(&master, 0) > 0)
      alive_ms = daemon_alive();
  }
  drain(&master);
  sigprocmask(SIG_SETMASK, &master.before, NULL);
  g_array_unref(master.leaving);
  g_array_unref(master.slots);
  close(master.children);
  close(master.life[0]);
  close(master.life[1]);
  return TRUE;
}
