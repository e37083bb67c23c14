#include <glib.h>

#include "common/base/current.h"
#include "tests/unit/tap.h"

#define TAKERS 4
#define TURNS  20000

typedef struct {
  gint number;
  gint *cleared;
} Value;

static void
value_clear(gpointer p)
{
  Value *value = p;
  value->number = -1;
  g_atomic_int_inc(value->cleared);
}

static Value *
value_new(gint number, gint *cleared)
{
  Value *value = g_atomic_rc_box_new0(Value);
  value->number = number;
  value->cleared = cleared;
  return value;
}

/* Who took a value has it until he gives it back; those who come later get the next. */
static void
test_replace(void)
{
  gint cleared = 0;
  g_autoptr(Current) current = current_new(value_new(1, &cleared), value_clear);
  Value *first = current_take(current);
  Value *also = current_take(current);
  current_replace(current, value_new(2, &cleared));
  Value *second = current_take(current);
  g_assert_cmpint(first->number, ==, 1);
  g_assert_true(first == also);
  g_assert_cmpint(second->number, ==, 2);
  current_give(current, first);
  g_assert_cmpint(cleared, ==, 0);
  current_give(current, also);
  g_assert_cmpint(cleared, ==, 1);
  current_give(current, NULL);
  current_give(current, second);
  g_assert_cmpint(cleared, ==, 1); /* it still counts */
  current_free(g_steal_pointer(&current));
  g_assert_cmpint(cleared, ==, 2);
  current_free(NULL);
}

static gpointer
take_many(gpointer data)
{
  Current *current = data;
  for (guint i = 0; i < TURNS; i++) {
    Value *value = current_take(current);
    g_assert_cmpint(value->number, >, 0);
    current_give(current, value);
  }
  return NULL;
}

static void
test_threads(void)
{
  gint cleared = 0;
  g_autoptr(Current) current = current_new(value_new(1, &cleared), value_clear);
  GThread *takers[TAKERS];
  for (guint i = 0; i < TAKERS; i++)
    takers[i] = g_thread_new("taker", take_many, current);
  for (gint i = 2; i <= TURNS; i++)
    current_replace(current, value_new(i, &cleared));
  for (guint i = 0; i < TAKERS; i++)
    g_thread_join(takers[i]);
  g_assert_cmpint(cleared, ==, TURNS - 1);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/base/current/replace", test_replace);
  g_test_add_func("/base/current/threads", test_threads);
  return g_test_run();
}
