/*
 * main.c - zegel-auditd: keeps the audit trail.
 *
 * For all programs of zegel, over a unix socket. It alone holds the audit key, chains what
 * they bring and signs checkpoints. It must never change a record, see a message, or make
 * anybody wait: while it is down events wait where they were made. Manual: zegel-auditd(8).
 */
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "auditd/confine.h"
#include "auditd/service.h"
#include "common/base/daemon.h"
#include "common/base/log.h"
#include "common/base/signals.h"
#include "common/base/statistics.h"
#include "common/conf/fixed.h"

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

static const ConfFixed fixed[] = {
    CONF_FIXED(audit_socket, "[audit] socket"),
    CONF_FIXED(audit_user, "[audit] user"),
    CONF_FIXED(audit_database, "[audit] database"),
    CONF_FIXED(milter_user, "[milter] user"),
    CONF_FIXED(mx_user, "[milter] mx_user"),
    CONF_FIXED(policyd_user, "[policyd] user"),
    CONF_FIXED(deliver_user, "[deliver] user"),
    CONF_FIXED(viewer_user, "[viewer] user"),
};

/* The key file is the user's own: it can be read again. */
static gboolean
reload(gpointer data, GError **error)
{
  Auditd *auditd = data;
  g_autoptr(Config) config = conf_load(auditd->config_path, error);
  gboolean fits = config != NULL && confine(config, auditd->config_path, error);
  KeyRing *keys = fits ? keyring_load(config->audit_key, KEY_AUDIT, error) : NULL;
  if (keys == NULL || !service_change(auditd->service, config, keys, error))
    return FALSE;
  conf_fixed_warn(auditd->config, config, fixed, G_N_ELEMENTS(fixed));
  log_shape(config->log_format, config->log_addresses);
  conf_show(config);
  conf_free(auditd->config);
  auditd->config = g_steal_pointer(&config);
  return TRUE;
}

static void
stop(gpointer data)
{
  Auditd *auditd = data;
  loop_stop(auditd->loop);
}

static void
on_signal(gpointer data, guint32 events)
{
  static const SignalUse use = {.reload = reload, .stop = stop};
  Auditd *auditd = data;
  (void) events;
  signals_take(auditd->signals, &use, auditd);
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
  conf_show(auditd.config);
  if (!options.check_only) {
    statistics_open();
    auditd.signals = signals_catch(&error); /* before anybody can find us by the socket */
    daemon_must(auditd.signals >= 0, &error);
    daemon_must(drop_rights(&auditd, &error), &error);
    serve(&auditd);
    service_free(auditd.service);
    loop_free(auditd.loop);
  }
  conf_free(auditd.config);
  return EXIT_SUCCESS;
}
