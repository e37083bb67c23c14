/*
 * server.h - takes blocks of attributes on a listening unix socket and sends the answers.
 *
 * Many peers at once; none can hold up another: nothing blocks, a peer that sends too much,
 * too slowly or nonsense loses its connection, and one that does not read its answers is
 * not read from. An answer may come later; the peer's next block waits for it. It knows
 * nothing of what is asked. One thread, in callbacks of a Loop.
 */
#pragma once

#include <sys/types.h>

#include "common/ask/ask.h"
#include "common/base/loop.h"

#define SERVER_MAX_PEERS 1024
#define SERVER_IDLE_S    300            /* a peer that asks nothing */
#define SERVER_PART_MS   ASK_TIMEOUT_MS /* for a whole question, or to read its answer */
#define SERVER_DRAIN_MS  2000           /* for what is under way when we end */
#define SERVER_MAX_FILES                                                                   \
  (4 * SERVER_MAX_PEERS + 128) /* descriptors that the program needs */

typedef struct Server Server;

/*
 * A block of LEN octets came from PEER. server_answer must follow, in this call or later.
 */
typedef void (*ServerQuestion)(gpointer data, guint64 peer, const char *block, gsize len);

/*
 * Serves the peers of LISTENER (non-blocking, stays the caller's) in LOOP. NULL with
 * ZEGEL_ERROR_TEMPORARY. Freed with server_free.
 */
Server *
server_new(Loop *loop, int listener, ServerQuestion question, gpointer data,
           GError **error);

/* Drops every peer and frees SERVER; NULL is allowed. */
void
server_free(Server *server);

/* The user whose program connected as PEER (SO_PEERCRED), or (uid_t) -1. */
uid_t
server_peer_user(const Server *server, guint64 peer);

/*
 * Sends TEXT to PEER as the answer to its question; NULL: cuts it off. A peer that is gone
 * is no mistake.
 */
void
server_answer(Server *server, guint64 peer, const char *text);

/*
 * Listens no more, drops who asks nothing now, and whoever is done; after SERVER_DRAIN_MS
 * everybody. Calls DRAINED with DATA once nobody is left; not from within this call.
 */
void
server_drain(Server *server, LoopDue drained, gpointer data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Server, server_free)
