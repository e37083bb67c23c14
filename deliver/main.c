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

#include "common/base/current.h"
#include "common/base/daemon.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/signals.h"
#include "common/base/statistics.h"
#include "common/conf/fixed.h"
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

/* What main owns. */
typedef struct {
  char *config_path;
  Current *services; /* of Service */
  Service base;      /* what every Service has */
  int listen_fd;
  int signal_fd;
} Daemon;

/* Everything that root must do, and then no more root. */
static gboolean
drop_rights(Daemon *self, const Config *config, GError **error)
{
  self->listen_fd =
      daemon_listen_unix(config->deliver_socket, SOCKET_MODE, config->socket_group, error);
  return self->listen_fd >= 0 && daemon_become(config->deliver_user, error) &&
         confine(config, self->config_path, error);
}

/* What the services share, and the first of them. As the user that owns the key files: root
 * could read one that is somebody else's. Takes CONFIG. */
static gboolean
open_service(Daemon *self, Config *config, GError **error)
{
  umask(STORE_UMASK);
  self->base.claims = claims_new();
  self->base.confirmer = confirmer_new();
  self->base.stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->base.stop_fd < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, "eventfd");
    return FALSE;
  }
  Service *service = service_new(config, &self->base, error);
  if (service == NULL)
    return FALSE;
  self->services = current_new(service, service_clear);
  return TRUE;
}

static void
record(const Event *event, gpointer data)
{
  Current *services = data;
  Service *service = current_take(services);
  store_record_sink(event, service->store);
  current_give(services, service);
}

/* For messages that begin from now on. */
static gboolean
reload(gpointer data, GError **error)
{
  static const ConfFixed fixed[] = {
      CONF_FIXED(deliver_socket, "[deliver] socket"),
      CONF_FIXED(deliver_user, "[deliver] user"),
      CONF_FIXED(socket_group, "[postfix] socket_group"),
  };
  Daemon *self = data;
  Config *config = conf_load(self->config_path, error);
  if (config == NULL)
    return FALSE;
  if (!confine(config, self->config_path, error)) {
    conf_free(config);
    return FALSE;
  }
  Service *service = service_new(config, &self->base, error);
  if (service == NULL)
    return FALSE;
  Service *old = current_take(self->services);
  conf_fixed_warn(old->config, config, fixed, G_N_ELEMENTS(fixed));
  current_give(self->services, old);
  log_shape(config->log_format, config->log_addresses);
  conf_show(config);
  current_replace(self->services, service);
  return TRUE;
}

static void
serve(Daemon *self)
{
  const ServerParts parts = {
      .services = self->services,
      .listen_fd = self->listen_fd,
      .signal_fd = self->signal_fd,
      .stop_fd = self->base.stop_fd,
      .reload = reload,
      .data = self,
  };
  event_set_sink(record, self->services);
  daemon_ready();
  Relay *relay = relay_start(self->services);
  confirm_start(self->base.confirmer, self->services);
  GThread *expire = expire_start(self->services);
  if (!server_run(&parts))
    _exit(EX_OK); /* sessions still use all this; what they had not committed is lost */
  g_thread_join(expire);
  confirm_stop(self->base.confirmer);
  relay_stop(relay);
  event_set_sink(NULL, NULL);
  close(self->base.stop_fd);
  current_free(self->services);
  claims_free(self->base.claims);
}

int
main(int argc, char **argv)
{
  DaemonOptions options;
  daemon_options(&options, &argc, &argv,
                 "Files messages for the viewer that Postfix brings over LMTP.", NULL);
  mallopt(M_ARENA_MAX, MAX_ARENAS);
  GError *error = NULL;
  g_autofree char *config_path = options.config_path;
  Daemon self = {.config_path = config_path, .listen_fd = -1, .signal_fd = -1};
  Config *config = conf_load(config_path, &error);
  if (config == NULL)
    daemon_die(error);
  if (options.check_only) {
    conf_free(config);
    return EX_OK;
  }
  log_open("zegel-deliver", options.foreground);
  log_shape(config->log_format, config->log_addresses);
  conf_show(config);
  statistics_open();
  self.signal_fd = signals_catch(&error);
  if (self.signal_fd < 0 || !submit_init(&error) || !drop_rights(&self, config, &error))
    daemon_die(error);
  daemon_must(open_service(&self, config, &error), &error);
  log_line(LOG_LEVEL_INFO, "started, %s", config->deliver_socket);
  serve(&self);
  return EX_OK;
}
