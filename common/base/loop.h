/*
 * loop.h - one thread that waits for many descriptors and for time: epoll.
 *
 * Everything in zegel-policyd and zegel-auditd runs in callbacks of one loop; none of them
 * may block. A callback may add, change and end any watch and timer, also its own.
 */
#pragma once

#include <glib.h>

typedef struct Loop Loop;
typedef struct LoopWatch LoopWatch;
typedef struct LoopTimer LoopTimer;

/* EVENTS of epoll(7) came for the descriptor. */
typedef void (*LoopReady)(gpointer data, guint32 events);

/* The time of a timer has come; the timer is gone then. */
typedef void (*LoopDue)(gpointer data);

/* A loop without watches, freed with loop_free; NULL with ZEGEL_ERROR_TEMPORARY. */
Loop *
loop_new(GError **error);

/* Ends every watch and timer and frees LOOP; NULL is allowed. */
void
loop_free(Loop *loop);

/*
 * Calls READY with DATA whenever FD (borrowed until loop_unwatch) has one of EVENTS.
 * NULL with ZEGEL_ERROR_TEMPORARY.
 */
LoopWatch *
loop_watch(Loop *loop, int fd, guint32 events, LoopReady ready, gpointer data,
           GError **error);

/* From now on WATCH waits for EVENTS. FALSE when epoll refuses. */
gboolean
loop_watch_change(LoopWatch *watch, guint32 events);

/* Ends WATCH: it is not called any more. Before its descriptor is closed. NULL is allowed.
 */
void
loop_unwatch(LoopWatch *watch);

/*
 * Calls DUE with DATA once, in WAIT_MS milliseconds; 0: at the end of this turn of the
 * loop, before it waits. Never NULL.
 */
LoopTimer *
loop_timer(Loop *loop, guint wait_ms, LoopDue due, gpointer data);

/* Ends TIMER, which was not due yet; NULL is allowed. */
void
loop_timer_cancel(LoopTimer *timer);

/* The monotonic time at which this turn of the loop began, in microseconds. */
gint64
loop_now_us(const Loop *loop);

/* Runs until loop_stop; FALSE with ZEGEL_ERROR_TEMPORARY when epoll fails. Each turn tells
 * a service manager that watches us that we work (daemon_alive). */
gboolean
loop_run(Loop *loop, GError **error);

/* Lets loop_run return after this turn. */
void
loop_stop(Loop *loop);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Loop, loop_free)
