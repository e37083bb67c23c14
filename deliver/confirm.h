/*
 * confirm.h - tells senders that their messages are ready (S14): a thread of its own.
 *
 * What is to be confirmed stands in the store, so that a filing never waits for it, and
 * nothing is forgotten when we die: whoever filed wakes the thread, and it looks again when
 * it starts, and as long as something could not be sent. One thread for all, so that
 * several transactions of one message give one confirmation; killed between sending and
 * recording it sends it once more, with the same Message-ID.
 */
#pragma once

#include "common/base/current.h"
#include "deliver/service.h"

/* Whether a message of SENDER to ORGANISATION's readers is confirmed to him. */
gboolean
confirm_is_wanted(const Organisation *organisation, const char *sender);

/* One that does nothing yet, for every Service. Never NULL. */
Confirmer *
confirmer_new(void);

/* Starts the thread, which works with what SERVICES (of Service; borrowed until
 * confirm_stop) holds when it looks. */
void
confirm_start(Confirmer *confirmer, Current *services);

/* A message was filed: look. Any thread. */
void
confirm_wake(const Service *service);

/* Ends the thread, after the letter that it is busy with, and frees CONFIRMER. */
void
confirm_stop(Confirmer *confirmer);
