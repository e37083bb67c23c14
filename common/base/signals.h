/*
 * signals.h - what signals mean to a daemon, the same for all of them.
 *
 * HUP: read the configuration and the keys again; what is wrong is refused, and the old
 * ones stay. TERM and INT: finish what has begun, and end. USR1: log the statistics line.
 * No handler runs anywhere: the signals are blocked and come over a descriptor.
 */
#pragma once

#include <glib.h>

/* What a daemon does. */
typedef struct {
  /*
   * Reads the configuration and what it names again. All of it counts from now on, or FALSE
   * with an error that names what is wrong, and nothing has changed. Whether it counts is
   * logged and counted by signals_take.
   */
  gboolean (*reload)(gpointer data, GError **error);
  void (*stop)(gpointer data); /* may come more than once */
} SignalUse;

/*
 * Blocks the signals in this thread and in all that it starts: call before the first one.
 * SIGPIPE and SIGUSR2 are ignored. Returns a descriptor (non-blocking, close-on-exec) that
 * is readable when one has come, or -1 with ZEGEL_ERROR_TEMPORARY.
 */
int
signals_catch(GError **error);

/* Does once, as USE says with DATA, what the signals that have come to FD ask for. Nothing
 * is read again by who is to end. */
void
signals_take(int fd, const SignalUse *use, gpointer data);

/* In a child after fork, which its parent tells what to do: HUP and USR1 mean nothing to it
 * any more, TERM and INT end it. */
void
signals_leave(void);
