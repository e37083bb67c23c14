#include "policyd/keeper.h"

#include <glib/gstdio.h>
#include <sys/stat.h>

#include "common/base/log.h"
#include "tests/unit/tap.h"

#define PATIENCE_MS 5000

typedef struct {
  char *directory, *path;
  Keeper *keeper;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture->directory = g_dir_make_tmp("keeper-XXXXXX", NULL);
  fixture->path = g_build_filename(fixture->directory, "seen.db", NULL);
  fixture->keeper = keeper_start(fixture->path);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
  static const char *const suffixes[] = {"", "-wal", "-shm"};
  (void) data;
  keeper_stop(fixture->keeper);
  for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
    g_autofree char *name = g_strconcat(fixture->path, suffixes[i], NULL);
    g_unlink(name);
  }
  g_assert_cmpint(g_rmdir(fixture->directory), ==, 0);
  g_free(fixture->directory);
  g_free(fixture->path);
}

static Sight *
sight_of(const char *domain, gint64 at_s, SightReadiness readiness)
{
  Sight *sight = sight_new(domain, FALSE, at_s);
  sight->readiness = readiness;
  return sight;
}

/* When DOMAIN was last seen, or 0. */
static gint64
last_of(const Fixture *fixture, const char *domain)
{
  g_autoptr(SeenDomain) found = NULL;
  g_autoptr(Seen) seen = seen_open_existing(fixture->path, NULL);
  if (seen == NULL || !seen_domain(seen, domain, FALSE, &found, NULL) || found == NULL)
    return 0;
  return found->last_s;
}

static void
wait_last(const Fixture *fixture, const char *domain, gint64 last_s)
{
  for (guint i = 0; i < PATIENCE_MS / 10 && last_of(fixture, domain) != last_s; i++)
    g_usleep(10000);
  g_assert_cmpint(last_of(fixture, domain), ==, last_s);
}

static void
test_written(Fixture *fixture, gconstpointer data)
{
  (void) data;
  keeper_take(fixture->keeper, sight_of("a.nl", 100, SIGHT_READY), FALSE);
  wait_last(fixture, "a.nl", 100);
  keeper_take(fixture->keeper, sight_of("a.nl", 200, SIGHT_READY), FALSE); /* the same */
  keeper_take(fixture->keeper, sight_of("b.nl", 300, SIGHT_NOT_READY), FALSE); /* another */
  wait_last(fixture, "b.nl", 300);
  g_assert_cmpint(last_of(fixture, "a.nl"), ==, 100);
  keeper_take(fixture->keeper, sight_of("a.nl", 400, SIGHT_NOT_READY), FALSE); /* news */
  wait_last(fixture, "a.nl", 400);
  keeper_take(fixture->keeper, sight_of("a.nl", 500, SIGHT_NOT_READY),
              TRUE); /* asked for */
  wait_last(fixture, "a.nl", 500);
}

static void
test_the_end_writes(Fixture *fixture, gconstpointer data)
{
  (void) data;
  keeper_take(fixture->keeper, sight_of("a.nl", 100, SIGHT_READY), FALSE);
  wait_last(fixture, "a.nl", 100); /* so that the next one waits for the next batch */
  keeper_take(fixture->keeper, sight_of("b.nl", 200, SIGHT_READY), FALSE);
  g_clear_pointer(&fixture->keeper, keeper_stop);
  g_assert_cmpint(last_of(fixture, "b.nl"), ==, 200);
}

static void
test_known(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_assert_false(keeper_knows(fixture->keeper, "a.nl", FALSE));
  keeper_take(fixture->keeper, sight_of("a.nl", 100, SIGHT_READY), FALSE);
  g_assert_true(keeper_knows(fixture->keeper, "a.nl", FALSE));
  g_assert_false(keeper_knows(fixture->keeper, "a.nl", TRUE));
  keeper_stop(fixture->keeper);
  fixture->keeper = keeper_start(fixture->path);
  for (guint i = 0; i < PATIENCE_MS / 10 && !keeper_knows(fixture->keeper, "a.nl", FALSE);
       i++)
    g_usleep(10000);
  g_assert_true(keeper_knows(fixture->keeper, "a.nl", FALSE));
}

/* Where the file should be there is a directory: nothing can be kept, and nobody waits. */
static void
test_broken(Fixture *fixture, gconstpointer data)
{
  g_autofree char *elsewhere = g_build_filename(fixture->directory, "none", "x", NULL);
  (void) data;
  keeper_stop(fixture->keeper);
  fixture->keeper = keeper_start(elsewhere);
  gint64 start_us = g_get_monotonic_time();
  for (guint i = 0; i < 2 * KEEPER_MAX; i++) {
    g_autofree char *domain = g_strdup_printf("d%u.nl", i);
    keeper_take(fixture->keeper, sight_of(domain, 100, SIGHT_READY), FALSE);
  }
  g_clear_pointer(&fixture->keeper, keeper_stop);
  g_assert_cmpint(g_get_monotonic_time() - start_us, <, 5 * G_TIME_SPAN_SECOND);
  fixture->keeper = keeper_start(fixture->path); /* which the others began */
}

#define ADD(name, test) g_test_add("/keeper/" name, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  ADD("written", test_written);
  ADD("the end writes", test_the_end_writes);
  ADD("known after a start", test_known);
  ADD("broken", test_broken);
  return g_test_run();
}
