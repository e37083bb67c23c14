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

#include "common/base/daemon.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/conf/conf.h"
#include "common/crypt/key.h"
#include "common/mail/header.h"
#include "common/sandbox/sandbox.h"
#include "milter/session.h"

#define BACKLOG     512
#define SOCKET_MODE 0660

static gboolean mx;

static const GOptionEntry entries[] = {
    {"mx", 0, 0, G_OPTION_ARG_NONE, &mx, "Serve port 25: hold no key", NULL},
    {NULL, 0, 0, 0, NULL, NULL, NULL},
};

/*
 * Opens the socket at PATH while we may still write in Postfix's directory. libmilter makes
 * it itself, so that daemon_listen_unix cannot be used.
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
  return daemon_give_unix(path, tools->config->socket_group, error);
}

/* The ticket keys, which only the instance of submission has: into *RING. */
static gboolean
load_keys(const Tools *tools, KeyRing **ring, GError **error)
{
  if (tools->mx)
    return TRUE;
  *ring = keyring_load(tools->config->milter_ticket_key, KEY_TICKET, error);
  return *ring != NULL;
}

int
main(int argc, char **argv)
{
  g_set_prgname("zegel-milter");
  DaemonOptions options;
  daemon_options(&options, &argc, &argv, "Protects sensitive mail at submission", entries);
  log_open("zegel-milter", options.foreground);
  GError *error = NULL;
  g_autofree char *config_path = options.config_path;
  g_autoptr(Config) config = conf_load(config_path, &error);
  if (config == NULL)
    daemon_die(error);
  if (options.check_only)
    return EX_OK;
  mail_init();
  g_autoptr(KeyRing) ring = NULL;
  g_autoptr(DkimKeys) keys = NULL;
  Inspectors *inspectors = NULL;
  Tools tools = {.config = config, .mx = mx};
  const char *path = mx ? config->mx_socket : config->milter_socket;
  if (!dkim_prepare(&error) || !open_socket(&tools, path, &error) ||
      !daemon_become(mx ? config->mx_user : config->milter_user, &error) ||
      !load_keys(&tools, &ring, &error) || !dkim_prepare(&error) || !sandbox_harden(&error))
    daemon_die(error);
  if (!mx) {
    keys = dkim_keys_new(config->dkim_keys);
    inspectors = inspectors_new(config->milter_reader, config->milter_readers);
  }
  tools.ring = ring;
  tools.keys = keys;
  tools.inspectors = inspectors;
  daemon_ready();
  log_line(LOG_LEVEL_INFO, "ready at %s", path);
  int status = smfi_main();
  inspectors_free(inspectors);
  return status == MI_SUCCESS ? EX_OK : EX_TEMPFAIL;
}
