#include "common/base/loop.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/error.h"
#include "tests/unit/tap.h"

typedef struct {
  Loop *loop;
  int pairs[2][2]; /* connected sockets: [0] is watched, [1] is the other end */
  LoopWatch *watches[2];
  LoopTimer *timer;
  GString *log; /* what was called, in order */
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  f->loop = loop_new(&error);
  g_assert_no_error(error);
  for (guint i = 0; i < 2; i++)
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, f->pairs[i]), ==,
                    0);
  f->log = g_string_new(NULL);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  (void) data;
  loop_free(f->loop);
  for (guint i = 0; i < 2; i++) {
    close(f->pairs[i][0]);
    close(f->pairs[i][1]);
  }
  g_string_free(f->log, TRUE);
}

static void
on_stop(gpointer data)
{
  Fixture *f = data;
  loop_stop(f->loop);
}

/* Runs for MS milliseconds. */
static void
run(Fixture *f, guint ms)
{
  loop_timer(f->loop, ms, on_stop, f);
  g_assert_true(loop_run(f->loop, NULL));
}

static void
on_readable(gpointer data, guint32 events)
{
  Fixture *f = data;
  char byte = '?';
  g_assert_cmpuint(events & EPOLLIN, !=, 0);
  g_assert_cmpint(read(f->pairs[0][0], &byte, 1), ==, 1);
  g_string_append_c(f->log, byte);
}

static void
on_writable(gpointer data, guint32 events)
{
  Fixture *f = data;
  g_assert_cmpuint(events & EPOLLOUT, !=, 0);
  g_string_append_c(f->log, 'w');
  g_assert_true(loop_watch_change(f->watches[0], EPOLLIN));
}

static void
test_watch(Fixture *f, gconstpointer data)
{
  (void) data;
  f->watches[0] = loop_watch(f->loop, f->pairs[0][0], EPOLLIN, on_readable, f, NULL);
  run(f, 5);
  g_assert_cmpstr(f->log->str, ==, "");
  g_assert_cmpint(write(f->pairs[0][1], "ab", 2), ==, 2);
  run(f, 5);
  g_assert_cmpstr(f->log->str, ==, "ab");
  loop_unwatch(f->watches[0]);
  g_assert_cmpint(write(f->pairs[0][1], "c", 1), ==, 1);
  run(f, 5);
  g_assert_cmpstr(f->log->str, ==, "ab");
}

static void
test_change(Fixture *f, gconstpointer data)
{
  (void) data;
  f->watches[0] = loop_watch(f->loop, f->pairs[0][0], EPOLLOUT, on_writable, f, NULL);
  run(f, 5);
  g_assert_cmpstr(f->log->str, ==, "w");
}

static void
test_bad_descriptor(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  g_assert_null(loop_watch(f->loop, -1, EPOLLIN, on_readable, f, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
  loop_unwatch(NULL);
  loop_timer_cancel(NULL);
  loop_free(NULL);
}

/* Both have an event in the same turn; the first ends both, and makes a new one. */
static void
on_end_both(gpointer data, guint32 events)
{
  Fixture *f = data;
  (void) events;
  g_string_append_c(f->log, 'e');
  for (guint i = 0; i < 2; i++) {
    loop_unwatch(f->watches[i]);
    f->watches[i] = NULL;
  }
  f->watches[0] = loop_watch(f->loop, f->pairs[0][0], EPOLLIN, on_readable, f, NULL);
}

static void
test_end_both(Fixture *f, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < 2; i++) {
    f->watches[i] = loop_watch(f->loop, f->pairs[i][0], EPOLLIN, on_end_both, f, NULL);
    g_assert_cmpint(write(f->pairs[i][1], "r", 1), ==, 1);
  }
  run(f, 5);
  g_assert_cmpstr(f->log->str, ==, "er");
}

typedef struct {
  Fixture *f;
  char mark;
} Mark;

static void
on_mark(gpointer data)
{
  const Mark *mark = data;
  g_string_append_c(mark->f->log, mark->mark);
}

static void
test_timers(Fixture *f, gconstpointer data)
{
  (void) data;
  Mark marks[] = {{f, 'a'}, {f, 'b'}, {f, 'c'}, {f, 'd'}};
  gint64 start_us = g_get_monotonic_time();
  loop_timer(f->loop, 20, on_mark, &marks[2]);
  loop_timer(f->loop, 0, on_mark, &marks[0]);
  LoopTimer *cancelled = loop_timer(f->loop, 5, on_mark, &marks[3]);
  loop_timer(f->loop, 10, on_mark, &marks[1]);
  loop_timer_cancel(cancelled);
  run(f, 21);
  g_assert_cmpstr(f->log->str, ==, "abc");
  g_assert_cmpint(g_get_monotonic_time() - start_us, >=, 21000);
  g_assert_cmpint(loop_now_us(f->loop), >=, start_us + 21000);
  g_assert_cmpint(loop_now_us(f->loop), <=, g_get_monotonic_time());
}

static void
on_again(gpointer data)
{
  Fixture *f = data;
  g_string_append_c(f->log, 'x');
  loop_timer_cancel(f->timer); /* another one, due at the same time */
  f->timer = NULL;
  if (f->log->len < 3)
    loop_timer(f->loop, 0, on_again, f);
}

static void
test_timer_in_timer(Fixture *f, gconstpointer data)
{
  (void) data;
  Mark mark = {f, 'd'};
  loop_timer(f->loop, 1, on_again, f);
  f->timer = loop_timer(f->loop, 1, on_mark, &mark);
  run(f, 10);
  g_assert_cmpstr(f->log->str, ==, "xxx");
}

/* A timer does not wait for a descriptor that always has something. */
static void
on_busy(gpointer data, guint32 events)
{
  (void) data;
  (void) events;
}

static void
test_busy(Fixture *f, gconstpointer data)
{
  (void) data;
  gint64 start_us = g_get_monotonic_time();
  f->watches[0] = loop_watch(f->loop, f->pairs[0][0], EPOLLOUT, on_busy, f, NULL);
  run(f, 20);
  g_assert_cmpint(g_get_monotonic_time() - start_us, <, 5 * G_TIME_SPAN_SECOND);
}

static void
on_never(gpointer data)
{
  (void) data;
  g_assert_not_reached();
}

/* What is left ends with the loop. */
static void
test_free(Fixture *f, gconstpointer data)
{
  (void) data;
  loop_timer(f->loop, 60000, on_never, f);
  f->watches[0] = loop_watch(f->loop, f->pairs[0][0], EPOLLIN, on_readable, f, NULL);
  f->watches[1] = loop_watch(f->loop, f->pairs[1][0], EPOLLIN, on_readable, f, NULL);
  loop_unwatch(f->watches[1]);
}

#define ADD(name, function) g_test_add(name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  ADD("/loop/watch", test_watch);
  ADD("/loop/change", test_change);
  ADD("/loop/bad-descriptor", test_bad_descriptor);
  ADD("/loop/end-both", test_end_both);
  ADD("/loop/timers", test_timers);
  ADD("/loop/timer-in-timer", test_timer_in_timer);
  ADD("/loop/busy", test_busy);
  ADD("/loop/free", test_free);
  return g_test_run();
}
