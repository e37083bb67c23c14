/*
 * events.h - the events of one organisation out of the audit trail, for what counts them.
 */
#pragma once

#include "common/base/event.h"
#include "common/conf/conf.h"

/* Called for each event: its attributes (event_format) and when it happened. */
typedef void (*EventsFunc)(const Attrs *attrs, gint64 at_us, gpointer data);

typedef struct Events Events;

/*
 * The trail of CONFIG with its key, for whoever may read both: root. NULL with
 * ZEGEL_ERROR_CONFIG or ZEGEL_ERROR_TEMPORARY. Freed with events_close.
 */
Events *
events_open(const Config *config, GError **error);

/* Closes EVENTS; NULL is allowed. */
void
events_close(Events *events);

/*
 * Calls FUNC with DATA for the events of ORGANISATION from SINCE_US until before UNTIL_US
 * (Unix time), of all kinds or, when NAME is not NULL, of that one, in the order of the
 * trail. FALSE with an error of trail_each.
 */
gboolean
events_each(Events *events, const char *organisation, const char *name, gint64 since_us,
            gint64 until_us, EventsFunc func, gpointer data, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Events, events_close)
