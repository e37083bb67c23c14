/*
 * workers.h - a master that keeps a number of worker processes alive.
 */
#pragma once

#include <glib.h>

#define WORKERS_DRAIN_S 10 /* at the end, for requests being served */

/*
 * What a worker does; its result is the exit status. LIFE_FD becomes readable (with nothing
 * to read) when the master is gone: the worker should end then.
 */
typedef int (*WorkerFunc)(gpointer data, int life_fd);

/* All borrowed. */
typedef struct {
  guint count; /* of workers, at the start */
  WorkerFunc worker;
  gpointer data;
  void (*ready)(void); /* called after the first workers are started; or NULL */
  /* As that of SignalUse, and *COUNT gets how many workers there are to be; or NULL. */
  gboolean (*reload)(gpointer data, guint *count, GError **error);
  int signals; /* of signals_catch */
} WorkersUse;

/*
 * Starts processes as USE says, starts another for each that ends, and returns after
 * SIGTERM or SIGINT, when all have ended (after WORKERS_DRAIN_S they are killed). After
 * SIGHUP, and a reload that went well, workers that began before it finish what they are
 * doing, and others take their places at once. A worker that ends within a second is
 * replaced a second later. Call before any thread. FALSE with ZEGEL_ERROR_TEMPORARY when it
 * could not begin.
 */
gboolean
workers_run(const WorkersUse *use, GError **error);
