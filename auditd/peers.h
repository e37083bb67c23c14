/*
 * peers.h - the programs that bring events: their connections, and who they are.
 *
 * Blocks of attributes come in, many at a time from one peer; their answers go out in the
 * same order, all before the turn of the loop ends. Who may not come hears so and is cut
 * off. It knows nothing of what is brought. One thread, in callbacks of a Loop.
 */
#pragma once

#include <sys/types.h>

#include "common/base/loop.h"

#define PEERS_PER_USER 64   /* so that nobody keeps another one out */
#define PEERS_PART_MS  5000 /* for a whole block, or to read its answer */

typedef struct Peers Peers;

/* What is asked of whoever uses the peers; DATA is that of peers_new. */
typedef struct {
  /* The name of USER, static; NULL: he may not come. */
  const char *(*name)(gpointer data, uid_t user);
  /* A block of LEN octets came from PEER, of the user NAME. It is answered before the turn
   * of the loop ends, or the peer dropped. */
  void (*block)(gpointer data, guint64 peer, const char *name, const char *block,
                gsize len);
} PeersUse;

/*
 * Serves who connects to LISTENER (non-blocking, stays the caller's) in LOOP. USE is
 * borrowed until peers_free. NULL with ZEGEL_ERROR_TEMPORARY.
 */
Peers *
peers_new(Loop *loop, int listener, const PeersUse *use, gpointer data, GError **error);

/* Drops every peer and frees PEERS; NULL is allowed. */
void
peers_free(Peers *peers);

/* TEXT is the next answer to PEER; sent by peers_flush. A peer that is gone is no mistake.
 */
void
peers_answer(Peers *peers, guint64 peer, const char *text);

/* Cuts PEER off; the answers that it has not got are lost. */
void
peers_drop(Peers *peers, guint64 peer);

/* Sends the answers. */
void
peers_flush(Peers *peers);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Peers, peers_free)
