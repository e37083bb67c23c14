/*
 * milter.c - zegel-milter: finds out whether a message is sensitive, and seals it; signs
 * what leaves, and looks at what comes in.
 *
 * For Postfix's smtpd and cleanup, over libmilter; asks zegel-policyd. Two instances: that
 * of submission holds the ticket key and the DKIM keys; that of port 25 (--mx) holds none.
 * Must not open the store, look up DNS, parse MIME, or keep anything between messages.
 * Manual: zegel-milter(8).
 */
#include <glib.h>
#include <libmilter/mfapi.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/audit/client.h"
#include "common/base/current.h"
#include "common/base/daemon.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/signals.h"
#include "common/base/statistics.h"
#include "common/conf/conf.h"
#include "common/mail/header.h"
#include "milter/confine.h"
#include "milter/run.h"
#include "milter/session.h"
#include "milter/try.h"

#define BACKLOG     512
#define SOCKET_MODE 0600

/* Without a free descriptor nobody is served: more than all clients that can do harm by
 * holding one, within what a process usually may have. */
#define MAX_FILES 16384

static gboolean mx, json;
static TryOptions try_options;

static const GOptionEntry entries[] = {
    {"mx", 0, 0, G_OPTION_ARG_NONE, &mx, "Serve port 25: hold no key", NULL},
    {"try", 't', 0, G_OPTION_ARG_FILENAME, &try_options.file,
     "Only print what would happen to the message in FILE", "FILE"},
    {"sender", 0, 0, G_OPTION_ARG_STRING, &try_options.sender, "Of that message",
     "ADDRESS"},
    {"recipient", 0, 0, G_OPTION_ARG_STRING_ARRAY, &try_options.recipients,
     "Of that message; may be repeated", "ADDRESS"},
    {"login", 0, 0, G_OPTION_ARG_STRING, &try_options.login, "With which it was sent",
     "LOGIN"},
    {"client", 0, 0, G_OPTION_ARG_STRING, &try_options.client, "From which it was sent",
     "ADDRESS"},
    {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL},
    {NULL, 0, 0, 0, NULL, NULL, NULL},
};

/*
 * Opens the socket at PATH while we may still write in Postfix's directory. libmilter makes
 * it itself, so that daemon_listen_unix cannot be used. Only Postfix itself may connect:
 * the other instance, which asks policyd as one of Postfix's group, must not have its
 * messages signed and sealed here.
 */
static gboolean
open_socket(const Config *config, const char *path, GError **error)
{
  if (!daemon_clear_unix(path, error))
    return FALSE;
  g_autofree char *name = g_strconcat("unix:", path, NULL);
  mode_t old_mask = umask(0777 & ~SOCKET_MODE);
  gboolean opened = smfi_setconn(name) == MI_SUCCESS &&
                    smfi_register(session_callbacks()) == MI_SUCCESS &&
                    smfi_setbacklog(BACKLOG) == MI_SUCCESS &&
                    smfi_opensocket(FALSE) == MI_SUCCESS;
  umask(old_mask);
  if (!opened) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "cannot listen at %s", path);
    return FALSE;
  }
  return daemon_give_unix(path, config->socket_user, error);
}

/* Serves until a signal ends it, with CONFIG (taken). */
static int
serve(Config *config, const char *config_path)
{
  GError *error = NULL;
  const char *path = mx ? config->mx_socket : config->milter_socket;
  daemon_need_files(MAX_FILES);
  statistics_open();
  int signals = signals_catch(&error);
  if (signals < 0 || !open_socket(config, path, &error) ||
      !daemon_become(mx ? config->mx_user : config->milter_user, &error) ||
      !confine(config, config_path, mx, &error))
    daemon_die(error);
  Tools *tools = tools_new(config, mx, !mx, &error);
  if (tools == NULL)
    daemon_die(error);
  AuditClient *audit = audit_client_start(config->audit_socket);
  Current *current = current_new(tools, tools_clear);
  session_use(current);
  daemon_ready();
  log_line(LOG_LEVEL_INFO, "ready at %s", path);
  gboolean stopped = run_until_stopped(current, config_path, signals);
  audit_client_stop(audit, AUDIT_STOP_MS);
  /* Threads of libmilter, which nothing ends, still use the rest. */
  _exit(stopped ? EX_OK : EX_TEMPFAIL);
}

/* As the user of the daemon when root asks, so that keys and sockets are as for it. */
static int
try_message(Config *config)
{
  GError *error = NULL;
  g_autoptr(Trial) trial = trial_read(&try_options, &error);
  if (trial == NULL) {
    fprintf(stderr, "%s: %s\n", g_get_prgname(), error->message);
    int status =
        g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG) ? EX_USAGE : EX_NOINPUT;
    g_error_free(error);
    conf_free(config);
    return status;
  }
  if (geteuid() == 0 && !daemon_become(mx ? config->mx_user : config->milter_user, &error))
    daemon_die(error);
  gboolean with_keys = !mx && access(config->milter_ticket_key, R_OK) == 0;
  Tools *tools = tools_new(config, mx, with_keys, &error);
  if (tools == NULL)
    daemon_die(error);
  tools->dry_run = TRUE;
  int status = trial_run(trial, tools, json);
  g_atomic_rc_box_release_full(tools, tools_clear);
  return status;
}

int
main(int argc, char **argv)
{
  g_set_prgname("zegel-milter");
  DaemonOptions options;
  daemon_options(&options, &argc, &argv, "Protects sensitive mail at submission", entries);
  log_open("zegel-milter", options.foreground || try_options.file != NULL);
  GError *error = NULL;
  g_autofree char *config_path = options.config_path;
  Config *config = conf_load(config_path, &error);
  if (config == NULL || !client_check_rules(config, &error))
    daemon_die(error);
  if (options.check_only) {
    conf_free(config);
    return EX_OK;
  }
  log_shape(config->log_format, config->log_addresses);
  mail_init();
  if (!dkim_prepare(&error))
    daemon_die(error);
  return try_options.file != NULL ? try_message(config) : serve(config, config_path);
}
