/*
 * current.h - what counts now: a value that many threads use while one replaces it.
 *
 * Values are reference counted (g_atomic_rc_box): whoever took one keeps it, so that a
 * message that has begun ends with the configuration and the keys it began with.
 */
#pragma once

#include <glib.h>

typedef struct Current Current;

/* VALUE (of g_atomic_rc_box_new, taken) counts; CLEAR empties one that nobody uses any
 * more, in the thread that gave it back last. Never NULL. */
Current *
current_new(gpointer value, GDestroyNotify clear);

/* Frees CURRENT and gives its value back; NULL is allowed. When nobody uses it any more. */
void
current_free(Current *current);

/* The value that counts now, to be given back with current_give. Never NULL. Any thread. */
gpointer
current_take(Current *current);

/* Gives VALUE of current_take back; NULL is allowed. Any thread. */
void
current_give(Current *current, gpointer value);

/* From now on VALUE (taken) counts. Any thread. */
void
current_replace(Current *current, gpointer value);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Current, current_free)
