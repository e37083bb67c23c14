/*
 * slots.h - so many at a time, counted over all worker processes.
 *
 * A slot is a lock on one octet of a file in memory: the kernel gives it back when its
 * holder dies.
 */
#pragma once

#include <glib.h>

typedef struct Slots Slots;

/* COUNT free slots, shared with every process that is forked from this one. NULL with
 * ZEGEL_ERROR_TEMPORARY. */
Slots *
slots_new(guint count, GError **error);

/* Frees SLOTS in this process; NULL is allowed. */
void
slots_free(Slots *slots);

/* Takes a slot: its number, or -1 when all are taken. One at a time for each process. */
int
slots_take(Slots *slots);

/* Gives slot NUMBER back; -1 is allowed. */
void
slots_return(Slots *slots, int number);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Slots, slots_free)
