/*
 * fastcgi.h - a worker that serves FastCGI requests, one at a time. The door to libfcgi.
 */
#pragma once

#include <glib.h>

#include "viewer-cgi/viewer.h"

/*
 * Serves requests that come to the listening socket LISTEN_FD (non-blocking) until SIGTERM
 * has come, LIFE_FD is readable, or LIFE_S seconds are over (0: no limit); the request that
 * is being served is finished first. FALSE with ZEGEL_ERROR_CONFIG when libfcgi cannot
 * start.
 */
gboolean
fastcgi_serve(const Viewer *viewer, int listen_fd, int life_fd, guint life_s,
              GError **error);

/* Whether our standard input is a listening socket: a web server's or service manager's.
 * Sets SIGTERM back to its default, which libfcgi changes when it is asked. */
gboolean
fastcgi_is_inherited(void);
