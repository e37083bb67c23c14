#include "common/base/current.h"

struct Current {
  GMutex lock; /* for value: nobody takes one that is just given back */
  gpointer value;
  GDestroyNotify clear;
};

Current *
current_new(gpointer value, GDestroyNotify clear)
{
  Current *current = g_new0(Current, 1);
  g_mutex_init(&current->lock);
  current->value = value;
  current->clear = clear;
  return current;
}

void
current_free(Current *current)
{
  if (current == NULL)
    return;
  current_give(current, current->value);
  g_mutex_clear(&current->lock);
  g_free(current);
}

gpointer
current_take(Current *current)
{
  g_mutex_lock(&current->lock);
  gpointer value = g_atomic_rc_box_acquire(current->value);
  g_mutex_unlock(&current->lock);
  return value;
}

void
current_give(Current *current, gpointer value)
{
  if (value != NULL)
    g_atomic_rc_box_release_full(value, current->clear);
}

void
current_replace(Current *current, gpointer value)
{
  g_mutex_lock(&current->lock);
  gpointer old = current->value;
  current->value = value;
  g_mutex_unlock(&current->lock);
  current_give(current, old); /* outside: to clear it may take a while */
}
