/*
 * How a trail stands: its length, its last checkpoint, and what happened lately.
 */
#include "tests/unit/audit/fixture.h"

static TrailStatus
status_of(const Fixture *fixture, gint64 since_us)
{
  TrailStatus status;
  g_autoptr(GError) error = NULL;
  g_autoptr(Trail) trail = trail_open(fixture->path, NULL, &error); /* needs no key */
  memset(&status, 0x77, sizeof status);
  g_assert_no_error(error);
  trail_status(trail, since_us, &status, &error);
  g_assert_no_error(error);
  return status;
}

static void
test_empty(Fixture *fixture, gconstpointer data)
{
  (void) data;
  TrailStatus status = status_of(fixture, 0);
  guint64 sum = 0;
  for (guint i = 0; i < EVENT_COUNT; i++)
    sum += status.counts[i];
  g_assert_cmpuint(sum, ==, status.last); /* the trail's own first records, if any */
}

static void
test_counts(Fixture *fixture, gconstpointer data)
{
  (void) data;
  TrailStatus before = status_of(fixture, 0);
  fixture_fill(fixture, 40);
  TrailStatus status = status_of(fixture, 0);
  g_assert_cmpuint(status.last, ==, before.last + 40);
  g_assert_cmpuint(status.counts[EVENT_STORED], ==, 10);
  g_assert_cmpuint(status.counts[EVENT_REFUSED], ==, 10);
  g_assert_cmpuint(status.counts[EVENT_LOGIN], ==, 0);
}

static void
test_since(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture_fill(fixture, 4);
  gint64 middle_us = g_get_real_time() + 1;
  g_usleep(1000);
  fixture_fill(fixture, 8);
  TrailStatus status = status_of(fixture, middle_us);
  g_assert_cmpuint(status.counts[EVENT_OPENED], ==, 2);
  g_assert_cmpuint(status_of(fixture, 0).counts[EVENT_OPENED], ==, 3);
  g_assert_cmpuint(status_of(fixture, G_MAXINT64).counts[EVENT_OPENED], ==, 0);
}

static void
test_checkpoint(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture_fill(fixture, 4);
  g_autofree char *text = trail_writer_checkpoint(fixture->writer, NULL);
  g_assert_nonnull(text);
  gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
  g_assert_cmpint(ABS(status_of(fixture, 0).checkpoint_s - now_s), <=, 60);
}

#define ADD(name, function)                                                                \
  g_test_add(name, Fixture, NULL, fixture_setup, function, fixture_teardown)

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  ADD("/status/empty", test_empty);
  ADD("/status/counts", test_counts);
  ADD("/status/since", test_since);
  ADD("/status/checkpoint", test_checkpoint);
  return g_test_run();
}
