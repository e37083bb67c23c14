/*
 * kept.h - values that hold for a while, at most so many: what was kept longest goes first.
 *
 * One thread.
 */
#pragma once

#include <glib.h>

typedef struct Kept Kept;

/* Room for MAX values, each freed with FREE_VALUE (NULL: they are no pointers). Never NULL;
 * freed with kept_free. */
Kept *
kept_new(guint max, GDestroyNotify free_value);

/* Frees KEPT with its values; NULL is allowed. */
void
kept_free(Kept *kept);

/* Keeps VALUE (taken) for KEY (copied) until UNTIL_US, in the place of another one. What
 * does not hold any more at NOW_US (monotonic) may go. */
void
kept_put(Kept *kept, const char *key, gpointer value, gint64 until_us, gint64 now_us);

/* The value of KEY that holds at NOW_US into *VALUE, owned by KEPT, and until when into
 * *UNTIL_US (NULL: not asked). FALSE: there is none. */
gboolean
kept_get(Kept *kept, const char *key, gint64 now_us, gpointer *value, gint64 *until_us);

/* Forgets KEY, if it is there. */
void
kept_drop(Kept *kept, const char *key);

/* How many are kept, with those that do not hold any more. */
guint
kept_count(const Kept *kept);
