/*
 * spf_child.h - one zegel-spf process: started, talked to, ended and reaped, never waited
 * for.
 */
#pragma once

#include "common/base/loop.h"

typedef struct SpfChild SpfChild;

typedef struct {
  /* It sent the LEN octets at BYTES: one message. */
  void (*message)(gpointer data, const guint8 *bytes, gsize len);
  /* It closed its socket, or cannot be heard any more: it shall be ended. */
  void (*closed)(gpointer data);
  /* The process is gone, with STATUS of waitpid(2). The child is to be freed now. */
  void (*gone)(gpointer data, int status);
} SpfChildHooks;

/*
 * Starts the program at PATH in LOOP with one socket as standard input and output, nothing
 * else open, and an empty environment. HOOKS (static) are called with DATA from the loop.
 * NULL with ZEGEL_ERROR_CONFIG when the program cannot be run, else ZEGEL_ERROR_TEMPORARY.
 */
SpfChild *
spf_child_start(Loop *loop, const char *path, const SpfChildHooks *hooks, gpointer data,
                GError **error);

/* Sends MESSAGE, which is freed. FALSE when it cannot be sent now. */
gboolean
spf_child_send(SpfChild *child, GByteArray *message);

/* Ends it: nothing more is heard of it but that it is gone. */
void
spf_child_kill(SpfChild *child);

/* Frees CHILD; NULL is allowed. A process that is not gone is killed and reaped. */
void
spf_child_free(SpfChild *child);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpfChild, spf_child_free)
