#include "common/base/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/base/daemon.h"
#include "common/base/error.h"

#define EVENTS_AT_ONCE 64

struct LoopWatch {
  Loop *loop;
  int fd;
  LoopReady ready; /* NULL: ended, freed after this turn */
  gpointer data;
};

struct LoopTimer {
  Loop *loop;
  GSequenceIter *place; /* in the loop's timers */
  gint64 due_us;
  LoopDue due;
  gpointer data;
};

struct Loop {
  int epoll;
  gboolean running;
  gint64 now_us;
  GHashTable *watches; /* set of LoopWatch */
  GPtrArray *ended;    /* of LoopWatch: events of this turn may still name them */
  GSequence *timers;   /* of LoopTimer, the first due first */
};

static gboolean
fail(GError **error, const char *what)
{
  zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, what);
  return FALSE;
}

Loop *
loop_new(GError **error)
{
  int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) {
    fail(error, "epoll_create1");
    return NULL;
  }
  Loop *loop = g_new0(Loop, 1);
  loop->epoll = fd;
  loop->now_us = g_get_monotonic_time();
  loop->watches = g_hash_table_new_full(NULL, NULL, g_free, NULL);
  loop->ended = g_ptr_array_new_with_free_func(g_free);
  loop->timers = g_sequence_new(g_free);
  return loop;
}

void
loop_free(Loop *loop)
{
  if (loop == NULL)
    return;
  g_hash_table_unref(loop->watches);
  g_ptr_array_unref(loop->ended);
  g_sequence_free(loop->timers);
  close(loop->epoll);
  g_free(loop);
}

LoopWatch *
loop_watch(Loop *loop, int fd, guint32 events, LoopReady ready, gpointer data,
           GError **error)
{
  LoopWatch *watch = g_new0(LoopWatch, 1);
  watch->loop = loop;
  watch->fd = fd;
  watch->ready = ready;
  watch->data = data;
  struct epoll_event event = {.events = events, .data.ptr = watch};
  if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
    fail(error, "epoll_ctl");
    g_free(watch);
    return NULL;
  }
  g_hash_table_add(loop->watches, watch);
  return watch;
}

gboolean
loop_watch_change(LoopWatch *watch, guint32 events)
{
  struct epoll_event event = {.events = events, .data.ptr = watch};
  return epoll_ctl(watch->loop->epoll, EPOLL_CTL_MOD, watch->fd, &event) == 0;
}

void
loop_unwatch(LoopWatch *watch)
{
  if (watch == NULL)
    return;
  epoll_ctl(watch->loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
  watch->ready = NULL;
  g_hash_table_steal(watch->loop->watches, watch);
  g_ptr_array_add(watch->loop->ended, watch);
}

/* Those that are due at the same time keep the order in which they were made. */
static int
compare_due(gconstpointer a, gconstpointer b, gpointer data)
{
  const LoopTimer *one = a, *other = b;
  (void) data;
  return one->due_us < other->due_us ? -1 : one->due_us > other->due_us;
}

LoopTimer *
loop_timer(Loop *loop, guint wait_ms, LoopDue due, gpointer data)
{
  LoopTimer *timer = g_new0(LoopTimer, 1);
  timer->loop = loop;
  timer->due_us = wait_ms == 0 ? loop->now_us
                               : g_get_monotonic_time() + wait_ms * G_TIME_SPAN_MILLISECOND;
  timer->due = due;
  timer->data = data;
  timer->place = g_sequence_insert_sorted(loop->timers, timer, compare_due, NULL);
  return timer;
}

void
loop_timer_cancel(LoopTimer *timer)
{
  if (timer != NULL)
    g_sequence_remove(timer->place);
}

gint64
loop_now_us(const Loop *loop)
{
  return loop->now_us;
}

/* The timer that is due first, or NULL. */
static LoopTimer *
first_timer(const Loop *loop)
{
  GSequenceIter *first = g_sequence_get_begin_iter(loop->timers);
  return g_sequence_iter_is_end(first) ? NULL : g_sequence_get(first);
}

/* How long epoll may wait: until the first timer, rounded up, or WATCHDOG_MS; -1 without
 * either. */
static int
time_to_wait(const Loop *loop, int watchdog_ms)
{
  const LoopTimer *timer = first_timer(loop);
  if (timer == NULL)
    return watchdog_ms;
  gint64 left_us = timer->due_us - g_get_monotonic_time();
  gint64 left_ms = (left_us + G_TIME_SPAN_MILLISECOND - 1) / G_TIME_SPAN_MILLISECOND;
  return (int) CLAMP(left_ms, 0, watchdog_ms >= 0 ? watchdog_ms : G_MAXINT);
}

static void
call_due(Loop *loop)
{
  LoopTimer *timer;
  while ((timer = first_timer(loop)) != NULL && timer->due_us <= loop->now_us) {
    LoopDue due = timer->due;
    gpointer data = timer->data;
    g_sequence_remove(timer->place);
    due(data);
  }
}

gboolean
loop_run(Loop *loop, GError **error)
{
  struct epoll_event events[EVENTS_AT_ONCE];
  loop->running = TRUE;
  while (loop->running) {
    int count =
        epoll_wait(loop->epoll, events, EVENTS_AT_ONCE, time_to_wait(loop, daemon_alive()));
    if (count < 0 && errno != EINTR)
      return fail(error, "epoll_wait");
    loop->now_us = g_get_monotonic_time();
    for (int i = 0; i < count; i++) {
      LoopWatch *watch = events[i].data.ptr;
      if (watch->ready != NULL)
        watch->ready(watch->data, events[i].events);
    }
    call_due(loop);
    g_ptr_array_set_size(loop->ended, 0);
  }
  return TRUE;
}

void
loop_stop(Loop *loop)
{
  loop->running = FALSE;
}
