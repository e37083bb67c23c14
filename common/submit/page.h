/*
 * page.h - looks whether a page of ours is there, over HTTPS, as a browser would.
 */
#pragma once

#include <glib.h>

/*
 * Asks for the page at URL (https, or http as conf.h allows it), once, without following
 * anything, the certificate verified. *STATUS gets the HTTP status. FALSE with
 * ZEGEL_ERROR_TEMPORARY when no answer came within TIMEOUT_MS, or ZEGEL_ERROR_CONFIG.
 */
gboolean
page_look(const char *url, guint timeout_ms, guint *status, GError **error);
