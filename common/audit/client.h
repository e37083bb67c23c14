/*
 * client.h - the way of events to zegel-auditd.
 *
 * Blocks of attributes (attr.h, ATTR_ESCAPED) over a unix stream socket: one for each event
 * (event_format), each answered by one with its id once it is in the trail for good. An
 * event that the trail has already is answered the same way, so that repeating is harmless.
 * Protocol: zegel-audit(5).
 */
#pragma once

#include "common/base/attr.h"
#include "common/base/event.h"

#define AUDIT_TIMEOUT_MS  5000
#define AUDIT_STOP_MS     2000  /* what a program that ends gives its last events */
#define AUDIT_WAITING_MAX 20000 /* events of one program that wait in memory */

/*
 * A thread that brings events to zegel-auditd. While it is not there they wait, the last
 * AUDIT_WAITING_MAX of them, and an alarm line says so, again every ten minutes; those that
 * found no room are told of with EVENT_AUDIT_LOST as soon as that is possible.
 */
typedef struct AuditClient AuditClient;

/*
 * Starts the thread for the socket at PATH (copied), and makes it the sink of all events
 * (event_set_sink). Never NULL. Call when no other thread runs, after fork and after rights
 * were dropped.
 */
AuditClient *
audit_client_start(const char *path);

/*
 * Gives what waits up to WAIT_MS to get through, says in an alarm line how many did not,
 * ends the thread and the sink; NULL is allowed. After all other threads.
 */
void
audit_client_stop(AuditClient *client, guint wait_ms);

/*
 * Brings EVENTS (of Event) to the zegel-auditd at PATH and waits until all are in the
 * trail. FALSE with ZEGEL_ERROR_TEMPORARY when that is not known of each: the same call
 * again is harmless. With ZEGEL_ERROR_CONFIG when it does not take events of this user.
 */
gboolean
audit_append(const char *path, const GPtrArray *events, guint timeout_ms, GError **error);

/*
 * Sends REQUEST, one that only root may make, to the zegel-auditd at PATH and waits for its
 * answer, which the caller frees. NULL with ZEGEL_ERROR_TEMPORARY, or ZEGEL_ERROR_CONFIG
 * when we may not make it.
 */
Attrs *
audit_request(const char *path, const Attrs *request, guint timeout_ms, GError **error);
