/*
 * zegel-deliver - the LMTP server to which Postfix brings what is for the viewer.
 *
 * Opens the ticket that zegel-milter sealed, files the message sealed, sends the
 * notification, and only then answers 250. Afterwards it tells the sender what became of
 * it: zegel-reader reads the bounces for it. It never looks into a message itself and never
 * runs as root. What it cannot do now Postfix keeps: its queue is our outbox.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/daemon.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/conf/conf.h"
#include "common/store/outbox.h"
#include "common/submit/submit.h"
#include "deliver/confine.h"
#include "deliver/confirm.h"
#include "deliver/expire.h"
#include "deliver/relay.h"
#include "deliver/server.h"
#include "deliver/service.h"

#define SOCKET_MODE 0660
#define STORE_UMASK 0007 /* the viewer's group shares the store */
#define MAX_ARENAS  2    /* of malloc: memory must not grow with the sessions */

/* What main owns; a Service borrows from it. */
typedef struct {
  const char *config_path;
  Config *config;
  KeyRing *link_keys;
  KeyRing *store_keys;
  KeyRing *ticket_keys;
  KeyRing *origin_keys;
  Store *store;
  int listen_fd;
  int signal_fd;
} Daemon;

/* As the user that owns them: root could read a key file that is somebody else's. */
static gboolean
load_keys(Daemon *self, GError **error)
{
  const Config *config = self->config;
  return (self->link_keys = keyring_load(config->deliver_link_key, KEY_LINK, error)) !=
             NULL &&
         (self->store_keys = keyring_load(config->deliver_store_key, KEY_STORE, error)) !=
             NULL &&
         (self->ticket_keys =
              keyring_load(config->deliver_ticket_key, KEY_TICKET, error)) != NULL &&
         (self->origin_keys =
              keyring_load(config->deliver_origin_key, KEY_ORIGIN, error)) != NULL;
}

/* Everything that root must do, and then no more root. */
static gboolean
drop_rights(Daemon *self, GError **error)
{
  const Config *config = self->config;
  self->listen_fd =
      daemon_listen_unix(config->deliver_socket, SOCKET_MODE, config->socket_group, error);
  return self->listen_fd >= 0 && daemon_become(config->deliver_user, error) &&
         confine(config, self->config_path, error);
}

/* The store is opened by the user who will write it. */
static gboolean
open_store(Daemon *self, GError **error)
{
  umask(STORE_UMASK);
  self->store = store_open(self->config->store_database, self->config->store_directory,
                           self->store_keys, error);
  return self->store != NULL;
}

static gboolean
serve(Daemon *self, GError **error)
{
  Service service = {
      .config = self->config,
      .link_keys = self->link_keys,
      .ticket_keys = self->ticket_keys,
      .origin_keys = self->origin_keys,
      .store = self->store,
      .claims = claims_new(),
      .stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
  };
  if (service.stop_fd < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, "eventfd");
    return FALSE;
  }
  event_set_sink(store_record_sink, self->store);
  log_line(LOG_LEVEL_INFO, "started, %s", self->config->deliver_socket);
  daemon_ready();
  Relay *relay = relay_start(&service);
  confirm_start(&service);
  GThread *expire = expire_start(&service);
  if (!server_run(&service, self->listen_fd, self->signal_fd))
    _exit(EX_OK); /* sessions still use all this; what they had not committed is lost */
  g_thread_join(expire);
  confirm_stop(&service);
  relay_stop(relay);
  event_set_sink(NULL, NULL);
  close(service.stop_fd);
  claims_free(service.claims);
  return TRUE;
}

static void
release(Daemon *self)
{
  store_close(self->store);
  keyring_free(self->origin_keys);
  keyring_free(self->ticket_keys);
  keyring_free(self->store_keys);
  keyring_free(self->link_keys);
  conf_free(self->config);
}

int
main(int argc, char **argv)
{
  DaemonOptions options;
  daemon_options(&options, &argc, &argv,
                 "Files messages for the viewer that Postfix brings over LMTP.", NULL);
  mallopt(M_ARENA_MAX, MAX_ARENAS);
  Daemon self = {.listen_fd = -1, .signal_fd = -1};
  GError *error = NULL;
  self.config = conf_load(options.config_path, &error);
  g_autofree char *config_path = options.config_path;
  self.config_path = config_path;
  if (self.config == NULL)
    daemon_die(error);
  if (options.check_only) {
    conf_free(self.config);
    return EX_OK;
  }
  log_open("zegel-deliver", options.foreground);
  log_shape(self.config->log_format, self.config->log_addresses);
  self.signal_fd = server_prepare_signals(&error);
  if (self.signal_fd < 0 || !submit_init(&error) || !drop_rights(&self, &error) ||
      !load_keys(&self, &error) || !open_store(&self, &error) || !serve(&self, &error))
    daemon_die(error);
  release(&self);
  return EX_OK;
}
