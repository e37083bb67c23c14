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

/*
 * Starts COUNT processes that run WORKER(DATA), starts another for each that ends, and
 * returns after SIGTERM or SIGINT, when all have ended (after WORKERS_DRAIN_S they are
 * killed). READY, when not NULL, is called after the first ones are started. A worker that
 * ends within a second is replaced a second later. Call before any thread. FALSE with
 * ZEGEL_ERROR_TEMPORARY when it could not begin.
 */
gboolean
workers_run(guint count, WorkerFunc worker, gpointer data, void (*ready)(void),
            GError **error);
