#include "deliver/again.h"

#include "common/base/error.h"
#include "common/base/event.h"
#include "common/base/log.h"
#include "common/store/manage.h"
#include "deliver/announce.h"

#define BATCH 100 /* the rest a moment later */

/* What cannot be sent for good is not asked for any more. */
static gboolean
send(const Service *service, const Organisation *organisation, const Due *due,
     char **queue_id, GError **error)
{
  g_autoptr(GError) problem = NULL;
  if (announce_remind(service, organisation, due, queue_id, &problem))
    return TRUE;
  if (!g_error_matches(problem, ZEGEL_ERROR, ZEGEL_ERROR_INVALID)) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
  }
  log_line(LOG_LEVEL_WARNING, "ref=%s, to=%s, by=%s, the notification cannot be sent: %s",
           due->reference, due->address, due->asker, problem->message);
  return TRUE;
}

static gboolean
handle(const Service *service, const Organisation *organisation, const Due *due)
{
  g_autofree char *queue_id = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(Event) event = NULL;
  gboolean done = send(service, organisation, due, &queue_id, &error);
  if (queue_id != NULL)
    event =
        event_new(EVENT_NOTIFIED, NULL, organisation->name, "ref", due->reference,
                  "message-id", due->message_id, "to", due->address, "from", due->sender,
                  "as", queue_id, "by", due->asker, "actor", "admin", NULL);
  if (done && store_end_again(service->store, organisation->name, due->reference,
                              queue_id != NULL, event, &error))
    return TRUE;
  if (event != NULL)
    event_send(event);
  log_line(LOG_LEVEL_WARNING, "ref=%s, by=%s, no notification now: %s", due->reference,
           due->asker, error->message);
  return FALSE;
}

static gboolean
run_organisation(const Service *service, const Organisation *organisation)
{
  gboolean done = TRUE;
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) list =
      store_find_due(service->store, organisation->name, DUE_AGAIN,
                     g_get_real_time() / G_USEC_PER_SEC, BATCH, &error);
  if (list == NULL) {
    log_line(LOG_LEVEL_WARNING, "org=%s, what is to be sent again is not known now: %s",
             organisation->name, error->message);
    return FALSE;
  }
  for (guint i = 0; i < list->len && done; i++)
    done = handle(service, organisation, list->pdata[i]);
  return done;
}

gboolean
again_run(const Service *service)
{
  gboolean done = TRUE;
  for (guint i = 0; i < service->config->organisations->len; i++)
    done = run_organisation(service, service->config->organisations->pdata[i]) && done;
  return done;
}
