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

#include "deliver/service.h"

/* Whether a message of SENDER to ORGANISATION's readers is confirmed to him. */
gboolean
confirm_is_wanted(const Organisation *organisation, const char *sender);

/* Starts the thread; SERVICE is borrowed until confirm_stop, and SERVICE->confirmer is set
 * before anybody else uses it. */
void
confirm_start(Service *service);

/* A message was filed: look. Any thread. */
void
confirm_wake(const Service *service);

/* Ends the thread, after the letter that it is busy with. */
void
confirm_stop(Service *service);
