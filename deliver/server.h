/*
 * server.h - accepts LMTP clients until the service must stop.
 */
#pragma once

#include "deliver/service.h"

/*
 * Blocks the signals that server_run waits for, in this thread and in all that it starts:
 * call before the first one. SIGHUP, SIGUSR1, SIGUSR2 and SIGPIPE are ignored. Returns the
 * descriptor that server_run wants, or -1 with ZEGEL_ERROR_CONFIG.
 */
int
server_prepare_signals(GError **error);

/*
 * Serves clients of LISTEN_FD, one thread for each, until SIGTERM or SIGINT arrives on
 * SIGNAL_FD. Then sets off service->stop_fd (an eventfd) and waits up to 10 s for messages
 * under way. TRUE: every session has ended, what they shared may be freed.
 */
gboolean
server_run(const Service *service, int listen_fd, int signal_fd);
