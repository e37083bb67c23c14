/*
 * main.c - zegel-auditd: keeps the audit trail.
 *
 * For all programs of zegel, over a unix socket. It alone holds the audit key, chains what
 * they bring and signs checkpoints. It must never change a record, see a message, or make
 * anybody wait: while it is down events wait where they were made. Manual: zegel-auditd(8).
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auditd/confine.h"
#include "auditd/service.h"
#include "common/base/daemon.h"
#include "common/base/error.h"
#include "common/base/log.h"

#define SOCKET_MODE 0666 /* who may come is known by SO_PEERCRED */
#define TRAIL_UMASK 0077

typedef struct {
  const char *config_path;
  Config *config;
  Loop *loop;
  Service *service;
  int listener;
  int signals;
} Auditd;

/* Everything that root must do, and then no more root. */
static gboolean
drop_rights(Auditd *auditd, GError **error)
{
  const Config *config = auditd->config;
  if (!daemon_make_directory(config->audit_database, config->audit_user, error))
    return FALSE;
  auditd->listener = daemon_listen_unix(config->audit_socket, SOCKET_MODE, NULL, error);
  umask(TRAIL_UMASK);
  return auditd->listener >= 0 && daemon_become(config->audit_user, error) &&
         confine(config, auditd->config_path, error);
}

/* ---- Signals ---- */

/* The key file is the user's own: it can be read again. */
static void
read_keys_again(Auditd *auditd)
{
  g_autoptr(GError) error = NULL;
  KeyRing *keys = keyring_load(auditd->config->audit_key, KEY_AUDIT, &error);
  if (keys != NULL)
    service_change_keys(auditd->service, keys);
  else
    log_line(LOG_LEVEL_ALARM, "the keys stay as they were: %s", error->message);
}

static void
on_signal(gpointer data, guint32 events)
{
  Auditd *auditd = data;
  struct signalfd_siginfo info;
  (void) events;
  if (read(auditd->signals, &info, sizeof info) != sizeof info)
    return;
  if (info.ssi_signo == SIGHUP)
    read_keys_again(auditd);
  else
    loop_stop(auditd->loop);
}

static gboolean
catch_signals(Auditd *auditd, GError **error)
{
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  auditd->signals = -1;
  if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
    auditd->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (auditd->signals < 0)
    zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, "signalfd");
  return auditd->signals >= 0;
}

/* ---- Start and end ---- */

static void
serve(Auditd *auditd)
{
  GError *error = NULL;
  KeyRing *keys = keyring_load(auditd->config->audit_key, KEY_AUDIT, &error);
  daemon_must(keys != NULL, &error);
  auditd->loop = loop_new(&error);
  daemon_must(auditd->loop != NULL, &error);
  auditd->service =
      service_new(auditd->loop, auditd->config, auditd->listener, keys, &error);
  daemon_must(auditd->service != NULL, &error);
  LoopWatch *watch =
      loop_watch(auditd->loop, auditd->signals, EPOLLIN, on_signal, auditd, &error);
  daemon_must(watch != NULL, &error);
  daemon_ready();
  log_line(LOG_LEVEL_INFO, "ready at %s", auditd->config->audit_socket);
  daemon_must(loop_run(auditd->loop, &error), &error);
}

int
main(int argc, char **argv)
{
  DaemonOptions options;
  Auditd auditd = {.listener = -1, .signals = -1};
  GError *error = NULL;
  daemon_options(&options, &argc, &argv, "Keeps the audit trail.", NULL);
  log_open("zegel-auditd", options.foreground);
  auditd.config = conf_load(options.config_path, &error);
  daemon_must(auditd.config != NULL, &error);
  g_autofree char *config_path = options.config_path;
  auditd.config_path = config_path;
  log_shape(auditd.config->log_format, auditd.config->log_addresses);
  if (!options.check_only) {
    daemon_must(drop_rights(&auditd, &error), &error);
    daemon_must(catch_signals(&auditd, &error), &error);
    serve(&auditd);
    service_free(auditd.service);
    loop_free(auditd.loop);
  }
  conf_free(auditd.config);
  return EXIT_SUCCESS;
}
