/*
 * outbox.h - events that wait in the store until they are in the audit trail.
 *
 * Functions of this room that record what an event tells take that event. It stands in the
 * same transaction: after a crash both are there, or neither is. zegel-deliver brings what
 * waits to zegel-auditd and forgets it then. Events are sealed under the store key: with
 * the disk alone nobody reads in them.
 */
#pragma once

#include "common/base/event.h"
#include "common/store/store.h"

/*
 * Records EVENT, in a transaction of its own, and does not write it to the log. FALSE with
 * an error: it is recorded nowhere, or that is not known; the same call again is harmless.
 * Any thread.
 */
gboolean
store_record(Store *store, const Event *event, GError **error);

/*
 * store_record for event_set_sink, with the Store as STORE. What cannot be recorded is told
 * of in an alarm line, and with EVENT_AUDIT_LOST as soon as events can be recorded again.
 */
void
store_record_sink(const Event *event, gpointer store);

/* An event that waits. */
typedef struct {
  gint64 row;
  char *id;     /* event_id, as the row has it */
  Event *event; /* NULL: what stands there is not what was sealed */
} WaitingEvent;

/* Frees WAITING; NULL is allowed. */
void
waiting_event_free(WaitingEvent *waiting);

/*
 * The MAX events that wait longest, in the order in which they were recorded: an array of
 * WaitingEvent with its free function set, that the caller unrefs. NULL with an error; with
 * ZEGEL_ERROR_KEY_UNKNOWN when the first of them was sealed with a key that this process
 * has not got yet. Any thread.
 */
GPtrArray *
store_waiting_events(Store *store, guint max, GError **error);

/*
 * Forgets WAITING (of WaitingEvent): they are in the trail. In the place of those that were
 * damaged an EVENT_INTEGRITY is recorded and logged. FALSE with an error: the same call
 * again, and bringing them again, is harmless. Any thread.
 */
gboolean
store_forget_events(Store *store, const GPtrArray *waiting, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(WaitingEvent, waiting_event_free)
