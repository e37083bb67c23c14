#include "common/base/signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/statistics.h"

static void
fill_set(sigset_t *set)
{
  sigemptyset(set);
  sigaddset(set, SIGHUP);
  sigaddset(set, SIGTERM);
  sigaddset(set, SIGINT);
  sigaddset(set, SIGUSR1);
}

int
signals_catch(GError **error)
{
  const struct sigaction ignore = {.sa_handler = SIG_IGN};
  sigset_t set;
  fill_set(&set);
  sigaction(SIGPIPE, &ignore, NULL);
  sigaction(SIGUSR2, &ignore, NULL);
  int fd = -1;
  if (pthread_sigmask(SIG_BLOCK, &set, NULL) == 0)
    fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0)
    zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, "signalfd");
  return fd;
}

void
signals_leave(void)
{
  const struct sigaction ignore = {.sa_handler = SIG_IGN};
  sigset_t set;
  fill_set(&set);
  sigaction(SIGHUP, &ignore, NULL);
  sigaction(SIGUSR1, &ignore, NULL);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void
reload(const SignalUse *use, gpointer data)
{
  g_autoptr(GError) error = NULL;
  if (use->reload(data, &error)) {
    statistics_count(STATISTIC_RELOADS);
    statistics_config_read();
    log_line(LOG_LEVEL_INFO, "the configuration was read again");
  } else {
    statistics_count(STATISTIC_RELOADS_REFUSED);
    log_line(LOG_LEVEL_ALARM, "the configuration and the keys stay as they were: %s",
             error->message);
  }
}

static void
say_statistics(void)
{
  g_autofree char *line = statistics_line();
  if (line != NULL)
    log_line(LOG_LEVEL_INFO, "%s", line);
}

/* All that have come are known before anything is done: who sends them faster than they can
 * be followed keeps nobody from his work, and from ending. */
void
signals_take(int fd, const SignalUse *use, gpointer data)
{
  struct signalfd_siginfo info;
  gboolean wants_reload = FALSE, wants_statistics = FALSE, wants_stop = FALSE;
  while (read(fd, &info, sizeof info) == sizeof info) {
    wants_reload |= info.ssi_signo == SIGHUP;
    wants_statistics |= info.ssi_signo == SIGUSR1;
    wants_stop |= info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT;
  }
  if (wants_statistics)
    say_statistics();
  if (wants_stop)
    use->stop(data);
  else if (wants_reload)
    reload(use, data);
}
