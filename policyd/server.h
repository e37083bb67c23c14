/*
 * server.h - answers blocks of attributes on a listening unix socket, in one thread.
 *
 * Many peers at once; none can hold up another: nothing blocks, a peer that sends too much,
 * too slowly or nonsense loses its connection, and one that does not read its answers is
 * not read from. It knows nothing of what is asked.
 */
#pragma once

#include <glib.h>

#include "common/ask/ask.h"

#define SERVER_MAX_PEERS 1024
#define SERVER_IDLE_S    300            /* a peer that asks nothing */
#define SERVER_PART_MS   ASK_TIMEOUT_MS /* for a whole question, or to read its answer */
#define SERVER_DRAIN_MS  2000           /* for what is under way when we end */
#define SERVER_MAX_FILES (SERVER_MAX_PEERS + 64) /* descriptors that the program needs */

typedef struct {
  /* The answer to one block, to be freed with g_free, or NULL to cut the peer off. */
  char *(*answer)(gpointer data, const char *block, gsize len);
  /* SIGHUP came. */
  void (*reload)(gpointer data);
  gpointer data;
} ServerHooks;

/*
 * Blocks SIGHUP, SIGTERM and SIGINT, which server_run takes. Call before any thread starts.
 * Returns a descriptor for server_run, or -1 with ZEGEL_ERROR_TEMPORARY.
 */
int
server_catch_signals(GError **error);

/*
 * Serves the peers of LISTENER (non-blocking) until SIGTERM or SIGINT, then answers what is
 * under way and closes it. SIGNALS is from server_catch_signals. Both descriptors and HOOKS
 * stay the caller's. FALSE with ZEGEL_ERROR_TEMPORARY when it could not go on.
 */
gboolean
server_run(int listener, int signals, const ServerHooks *hooks, GError **error);
