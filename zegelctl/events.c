#include "zegelctl/events.h"

#include "common/audit/trail.h"

struct Events {
  KeyRing *keys;
  Trail *trail;
};

typedef struct {
  EventsFunc func;
  gpointer data;
} Receiver;

Events *
events_open(const Config *config, GError **error)
{
  g_autoptr(Events) events = g_new0(Events, 1);
  events->keys = keyring_load(config->audit_key, KEY_AUDIT, error);
  if (events->keys == NULL)
    return NULL;
  events->trail = trail_open(config->audit_database, events->keys, error);
  return events->trail != NULL ? g_steal_pointer(&events) : NULL;
}

void
events_close(Events *events)
{
  if (events == NULL)
    return;
  trail_close(events->trail);
  keyring_free(events->keys);
  g_free(events);
}

static gboolean
pass_on(const TrailRecord *record, gpointer data, GError **error)
{
  const Receiver *receiver = data;
  (void) error;
  receiver->func(record->attrs, record->at_us, receiver->data);
  return TRUE;
}

gboolean
events_each(Events *events, const char *organisation, const char *name, gint64 since_us,
            gint64 until_us, EventsFunc func, gpointer data, GError **error)
{
  const TrailQuery query = {.from_us = since_us,
                            .until_us = until_us,
                            .organisation = organisation,
                            .event = name};
  Receiver receiver = {func, data};
  return trail_each(events->trail, &query, pass_on, &receiver, error);
}
