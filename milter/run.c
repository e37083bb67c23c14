#include "milter/run.h"

#include <errno.h>
#include <libmilter/mfapi.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/daemon.h"
#include "common/base/log.h"
#include "common/base/signals.h"
#include "common/conf/fixed.h"
#include "milter/confine.h"
#include "milter/session.h"
#include "milter/tools.h"

#define LOOK_AGAIN_MS 100
#define ANSWER_MS     200 /* more than libmilter takes from a callback's end to its answer */

typedef struct {
  Current *tools;
  const char *config_path;
  int ended; /* an eventfd: libmilter gave up */
  gboolean stopping;
  gboolean watched; /* by a service manager */
  int listener;     /* libmilter's; -1: not known */
} Milter;

/*
 * libmilter has a thread that waits for HUP, TERM and INT with sigwait(3), and at each of
 * them breaks off all messages under way. Nothing turns that off: OpenDKIM reloads on USR1
 * because of it. The linker gives libmilter this one, which never returns. The signals are
 * blocked in all threads, and ours comes to know of them by a descriptor.
 */
int
sigwait(const sigset_t *set, int *signal_number)
{
  (void) set;
  (void) signal_number;
  for (;;)
    pause();
}

static gpointer
run_libmilter(gpointer data)
{
  const Milter *milter = data;
  smfi_main();
  log_line(LOG_LEVEL_ALARM, "libmilter gave up");
  eventfd_write(milter->ended, 1);
  return NULL;
}

static gboolean
reload(gpointer data, GError **error)
{
  static const ConfFixed fixed[] = {
      CONF_FIXED(milter_socket, "[milter] socket"),
      CONF_FIXED(milter_user, "[milter] user"),
      CONF_FIXED(mx_socket, "[milter] mx_socket"),
      CONF_FIXED(mx_user, "[milter] mx_user"),
      CONF_FIXED(socket_user, "[postfix] socket_user"),
      CONF_FIXED(audit_socket, "[audit] socket"),
  };
  Milter *milter = data;
  Config *config = conf_load(milter->config_path, error);
  if (config == NULL)
    return FALSE;
  Tools *old = current_take(milter->tools);
  if (!confine(config, milter->config_path, old->mx, error)) {
    current_give(milter->tools, old);
    conf_free(config);
    return FALSE;
  }
  Tools *new = tools_new(config, old->mx, !old->mx, error);
  if (new != NULL) {
    conf_fixed_warn(old->config, config, fixed, G_N_ELEMENTS(fixed));
    log_shape(config->log_format, config->log_addresses);
    conf_show(config);
    current_replace(milter->tools, new);
  }
  current_give(milter->tools, old);
  return new != NULL;
}

static void
stop(gpointer data)
{
  Milter *milter = data;
  milter->stopping = TRUE;
}

/* libmilter is not told: it would break off what it is in the middle of. */
static void
drain(void)
{
  guint left = session_drain(RUN_DRAIN_S * 1000);
  g_usleep(ANSWER_MS * 1000);
  log_line(LOG_LEVEL_INFO, "stopped, %u messages cut off", left);
}

/* Whether libmilter takes its connections: at the moment nobody waits for that. */
static gboolean
accepts(const Milter *milter)
{
  struct pollfd waiting = {.fd = milter->listener, .events = POLLIN};
  return milter->listener < 0 || poll(&waiting, 1, 0) == 0;
}

/* How long poll may wait. A manager that watches us hears nothing while somebody waits in
 * vain: the thread that matters is not ours. */
static int
say_alive(Milter *milter)
{
  if (!milter->watched)
    return -1;
  return accepts(milter) ? daemon_alive() : LOOK_AGAIN_MS;
}

static int
find_listener(Current *current)
{
  Tools *tools = current_take(current);
  const Config *config = tools->config;
  int fd = daemon_find_listener(tools->mx ? config->mx_socket : config->milter_socket);
  current_give(current, tools);
  return fd;
}

gboolean
run_until_stopped(Current *tools, const char *config_path, int signals)
{
  static const SignalUse use = {.reload = reload, .stop = stop};
  Milter milter = {.tools = tools, .config_path = config_path};
  milter.watched = daemon_alive() >= 0;
  milter.listener = find_listener(tools);
  milter.ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  GThread *thread = g_thread_try_new("libmilter", run_libmilter, &milter, NULL);
  if (milter.ended < 0 || thread == NULL) {
    log_line(LOG_LEVEL_ALARM, "libmilter cannot be started");
    return FALSE;
  }
  struct pollfd fds[] = {{.fd = signals, .events = POLLIN},
                         {.fd = milter.ended, .events = POLLIN}};
  while (!milter.stopping) {
    int ready = poll(fds, G_N_ELEMENTS(fds), say_alive(&milter));
    if (ready < 0 && errno != EINTR)
      return FALSE;
    if (ready > 0 && fds[1].revents != 0)
      return FALSE;
    if (ready > 0)
      signals_take(signals, &use, &milter);
  }
  drain();
  return TRUE;
}
