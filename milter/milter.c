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
#include "common/base/daemon.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/conf/conf.h"
#include "common/crypt/key.h"
#include "common/mail/header.h"
#include "milter/confine.h"
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
open_socket(const Tools *tools, const char *path, GError **error)
{
  if (!daemon_clear_unix(path, error))
    return FALSE;
  g_autofree char *name = g_strconcat("unix:", path, NULL);
  mode_t old_mask = umask(0777 & ~SOCKET_MODE);
  gboolean opened = smfi_setconn(name) == MI_SUCCESS &&
                    smfi_register(session_callbacks(tools)) == MI_SUCCESS &&
                    smfi_setbacklog(BACKLOG) == MI_SUCCESS &&
                    smfi_opensocket(FALSE) == MI_SUCCESS;
  umask(old_mask);
  if (!opened) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "cannot listen at %s", path);
    return FALSE;
  }
  return daemon_give_unix(path, tools->config->socket_user, error);
}

/* The keys of tickets and marks, which only the instance of submission has. */
typedef struct {
  KeyRing *ring, *origin_ring;
} Rings;

static void
rings_clear(Rings *rings)
{
  keyring_free(rings->ring);
  keyring_free(rings->origin_ring);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Rings, rings_clear)

static gboolean
load_keys(Tools *tools, Rings *rings, GError **error)
{
  if (tools->mx)
    return TRUE;
  const Config *config = tools->config;
  rings->ring = keyring_load(config->milter_ticket_key, KEY_TICKET, error);
  if (rings->ring == NULL)
    return FALSE;
  rings->origin_ring = keyring_load(config->milter_origin_key, KEY_ORIGIN, error);
  tools->ring = rings->ring;
  tools->origin_ring = rings->origin_ring;
  return rings->origin_ring != NULL;
}

static int
serve(Tools *tools, const char *config_path, Rings *rings)
{
  GError *error = NULL;
  const Config *config = tools->config;
  const char *path = mx ? config->mx_socket : config->milter_socket;
  daemon_need_files(MAX_FILES);
  if (!open_socket(tools, path, &error) ||
      !daemon_become(mx ? config->mx_user : config->milter_user, &error) ||
      !load_keys(tools, rings, &error) || !confine(config, config_path, mx, &error))
    daemon_die(error);
  g_autoptr(DkimKeys) keys = mx ? NULL : dkim_keys_new(config->dkim_keys);
  tools->keys = keys;
  if (!mx)
    tools->inspectors = inspectors_new(config->milter_reader, config->milter_readers);
  daemon_ready();
  log_line(LOG_LEVEL_INFO, "ready at %s", path);
  AuditClient *audit = audit_client_start(config->audit_socket);
  int status = smfi_main();
  audit_client_stop(audit, AUDIT_STOP_MS);
  inspectors_free(tools->inspectors);
  return status == MI_SUCCESS ? EX_OK : EX_TEMPFAIL;
}

/* As the user of the daemon when root asks, so that keys and sockets are as for it. */
static int
try_message(Tools *tools, Rings *rings)
{
  GError *error = NULL;
  const Config *config = tools->config;
  g_autoptr(Trial) trial = trial_read(&try_options, &error);
  if (trial == NULL) {
    fprintf(stderr, "%s: %s\n", g_get_prgname(), error->message);
    int status =
        g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG) ? EX_USAGE : EX_NOINPUT;
    g_error_free(error);
    return status;
  }
  if (geteuid() == 0 && !daemon_become(mx ? config->mx_user : config->milter_user, &error))
    daemon_die(error);
  g_autoptr(DkimKeys) keys = NULL;
  if (!mx && access(config->milter_ticket_key, R_OK) == 0) {
    if (!load_keys(tools, rings, &error))
      daemon_die(error);
    keys = dkim_keys_new(config->dkim_keys);
  }
  tools->keys = keys;
  tools->dry_run = TRUE;
  if (!mx)
    tools->inspectors = inspectors_new(config->milter_reader, 1);
  int status = trial_run(trial, tools, json);
  inspectors_free(tools->inspectors);
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
  g_autoptr(Config) config = conf_load(config_path, &error);
  if (config == NULL || !client_check_rules(config, &error))
    daemon_die(error);
  if (options.check_only)
    return EX_OK;
  log_shape(config->log_format, config->log_addresses);
  mail_init();
  if (!dkim_prepare(&error))
    daemon_die(error);
  g_auto(Rings) rings = {NULL, NULL};
  Tools tools = {.config = config, .mx = mx};
  return try_options.file != NULL ? try_message(&tools, &rings)
                                  : serve(&tools, config_path, &rings);
}
