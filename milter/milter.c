/*
 * milter.c - zegel-milter: finds out whether a message is sensitive, and seals it.
 *
 * For Postfix's smtpd and cleanup, over libmilter; asks zegel-policyd for routes. Holds the
 * ticket key. Must not open the store, look up DNS, parse MIME, or keep anything between
 * messages. Manual: zegel-milter(8).
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

/*
 * Opens the socket while we may still write in Postfix's directory. libmilter makes it
 * itself, so that daemon_listen_unix cannot be used.
 */
static gboolean
open_socket(const Config *config, GError **error)
{
  if (!daemon_clear_unix(config->milter_socket, error))
    return FALSE;
  g_autofree char *name = g_strconcat("unix:", config->milter_socket, NULL);
  mode_t old_mask = umask(0777 & ~SOCKET_MODE);
  gboolean opened = smfi_setconn(name) == MI_SUCCESS &&
                    smfi_register(session_callbacks(config)) == MI_SUCCESS &&
                    smfi_setbacklog(BACKLOG) == MI_SUCCESS &&
                    smfi_opensocket(FALSE) == MI_SUCCESS;
  umask(old_mask);
  if (!opened) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "cannot listen at %s",
                config->milter_socket);
    return FALSE;
  }
  return daemon_give_unix(config->milter_socket, config->socket_group, error);
}

static KeyRing *
prepare(const Config *config, GError **error)
{
  if (!open_socket(config, error) || !daemon_become(config->milter_user, error))
    return NULL;
  g_autoptr(KeyRing) ring = keyring_load(config->milter_ticket_key, KEY_TICKET, error);
  if (ring == NULL || !sandbox_harden(error))
    return NULL;
  return g_steal_pointer(&ring);
}

int
main(int argc, char **argv)
{
  g_set_prgname("zegel-milter");
  DaemonOptions options;
  daemon_options(&options, &argc, &argv, "Protects sensitive mail at submission", NULL);
  log_open("zegel-milter", options.foreground);
  GError *error = NULL;
  g_autofree char *config_path = options.config_path;
  g_autoptr(Config) config = conf_load(config_path, &error);
  if (config == NULL)
    daemon_die(error);
  if (options.check_only)
    return EX_OK;
  mail_init();
  g_autoptr(KeyRing) ring = prepare(config, &error);
  if (ring == NULL)
    daemon_die(error);
  session_set_keys(ring);
  daemon_ready();
  log_line(LOG_LEVEL_INFO, "ready at %s", config->milter_socket);
  return smfi_main() == MI_SUCCESS ? EX_OK : EX_TEMPFAIL;
}
