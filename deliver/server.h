/*
 * server.h - accepts LMTP clients until the service must stop.
 */
#pragma once

#include "common/base/current.h"

/* What server_run works with; all borrowed. */
typedef struct {
  Current *services;                                 /* of Service */
  int listen_fd;                                     /* closed at the end */
  int signal_fd;                                     /* of signals_catch */
  int stop_fd;                                       /* an eventfd, that of every Service */
  gboolean (*reload)(gpointer data, GError **error); /* as SignalUse has it */
  gpointer data;
} ServerParts;

/*
 * Serves clients, one thread for each, until SIGTERM or SIGINT. Then sets off stop_fd and
 * waits up to 10 s for messages under way. TRUE: every session has ended, what they shared
 * may be freed.
 */
gboolean
server_run(const ServerParts *parts);
