#include "deliver/due.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/event.h"
#include "common/base/log.h"
#include "common/base/secret.h"
#include "common/crypt/origin.h"
#include "deliver/announce.h"
#include "deliver/post.h"

#define BATCH        100
#define FAILURES_MAX 3 /* then it is zegel-submit or the store: an hour later */
#define DAY_S        (24 * 60 * 60)

/* How one kind of letter is sent: FALSE with an error, when not now. *QUEUE_ID is NULL when
 * it can never be sent. */
typedef gboolean (*DueSend)(const Service *service, const Organisation *organisation,
                            const Due *due, char **queue_id, GError **error);

typedef struct {
  DueKind kind;
  DueSend send;
  HistoryKind history;
  EventKind event;
} DueRow;

/* ---- The sender ---- */

/* The letter, or NULL with an error. */
static GString *
format_unopened(const Service *service, const Organisation *organisation, const Due *due,
                const Dispatch *dispatch, GError **error)
{
  TellFacts facts = {.organisation = organisation,
                     .sender = due->sender,
                     .message_id = due->message_id,
                     .recipient = due->address,
                     .number = due->number,
                     .received_s = due->received_s,
                     .expires_s = due->expires_s,
                     .now_s = g_get_real_time() / G_USEC_PER_SEC};
  g_autofree char *correct = NULL;
  if (*due->number != '\0' &&
      (correct = control_address(service->origin_keys, CONTROL_NUMBER, organisation->name,
                                 due->reference, organisation->service_domain, error)) ==
          NULL)
    return NULL;
  char *url = NULL;
  if (dispatch != NULL &&
      (url = post_status_url(service, organisation, dispatch, error)) == NULL)
    return NULL;
  facts.correct = correct;
  facts.status_url = url;
  g_autofree char *id = g_strconcat("unopened.", due->reference, NULL);
  GString *message = tell_unopened(&facts, id);
  if (url != NULL)
    secret_wipe(url, strlen(url));
  g_free(url);
  return message;
}

static gboolean
send_unopened(const Service *service, const Organisation *organisation, const Due *due,
              char **queue_id, GError **error)
{
  g_autoptr(Dispatch) dispatch = NULL;
  if (!store_find_dispatch_of(service->store, organisation->name, due->reference, &dispatch,
                              error))
    return FALSE;
  GString *message = format_unopened(service, organisation, due, dispatch, error);
  return message != NULL &&
         post_to_sender(service, organisation, due->sender, message, queue_id, error);
}

/* ---- The reader ---- */

static gboolean
send_reminder(const Service *service, const Organisation *organisation, const Due *due,
              char **queue_id, GError **error)
{
  g_autoptr(GError) problem = NULL;
  if (announce_remind(service, organisation, due, queue_id, &problem))
    return TRUE;
  if (!g_error_matches(problem, ZEGEL_ERROR, ZEGEL_ERROR_INVALID)) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
  }
  log_line(LOG_LEVEL_WARNING, "ref=%s, to=%s, the reader cannot be reminded: %s",
           due->reference, due->address, problem->message);
  return TRUE;
}

/* ---- All that is due ---- */

/* The event of a letter that went as QUEUE_ID; NULL when it can never be sent. */
static Event *
make_event(const Organisation *organisation, const DueRow *row, const Due *due,
           const char *queue_id)
{
  gboolean tells = row->kind == DUE_TELL;
  if (queue_id == NULL)
    return NULL;
  return event_new(row->event, NULL, organisation->name, "ref", due->reference,
                   "message-id", due->message_id, "to", tells ? due->sender : due->address,
                   "from", tells ? NULL : due->sender, "about", tells ? due->address : NULL,
                   "as", queue_id, NULL);
}

static gboolean
handle(const Service *service, const Organisation *organisation, const DueRow *row,
       const Due *due)
{
  g_autofree char *queue_id = NULL;
  g_autoptr(GError) error = NULL;
  gboolean sent = row->send(service, organisation, due, &queue_id, &error);
  g_autoptr(Event) event = make_event(organisation, row, due, queue_id);
  if (sent && store_note(service->store, organisation->name, due->reference, row->history,
                         event, NULL, &error))
    return TRUE;
  if (event != NULL)
    event_send(event);
  log_line(LOG_LEVEL_WARNING, "ref=%s, event=%s not now: %s", due->reference,
           event_facts(row->event)->name, error->message);
  return FALSE;
}

/* What is due before BEFORE_S, as long as it can be sent. */
static void
run_row(const Service *service, const Organisation *organisation, const DueRow *row,
        gint64 before_s)
{
  guint failures = 0;
  guint found = BATCH;
  while (found == BATCH && failures == 0) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) list = store_find_due(service->store, organisation->name,
                                               row->kind, before_s, BATCH, &error);
    if (list == NULL) {
      log_line(LOG_LEVEL_WARNING, "org=%s, what is due is not known now: %s",
               organisation->name, error->message);
      return;
    }
    found = list->len;
    for (guint i = 0; i < found && failures < FAILURES_MAX; i++)
      if (!handle(service, organisation, row, list->pdata[i]))
        failures++;
  }
}

/* After a leap of the clock everybody would be told and reminded at once (F20), and never
 * again in time. */
static gboolean
is_believed(const Service *service, gint64 now_s)
{
  gboolean believed;
  g_autoptr(GError) error = NULL;
  if (!store_check_clock(service->store, now_s, &believed, &error))
    log_line(LOG_LEVEL_WARNING, "nobody is told or reminded now: %s", error->message);
  else if (!believed)
    log_line(LOG_LEVEL_WARNING, "the clock leapt ahead: nobody is told or reminded");
  return believed;
}

void
due_run(const Service *service)
{
  static const DueRow tell = {DUE_TELL, send_unopened, HISTORY_TOLD, EVENT_TOLD};
  static const DueRow remind = {DUE_REMIND, send_reminder, HISTORY_REMINDED,
                                EVENT_REMINDED};
  gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
  if (!is_believed(service, now_s))
    return;
  for (guint i = 0; i < service->config->organisations->len; i++) {
    const Organisation *organisation = service->config->organisations->pdata[i];
    if (organisation->tell_days > 0)
      run_row(service, organisation, &tell,
              now_s - (gint64) organisation->tell_days * DAY_S);
    if (organisation->remind_days > 0)
      run_row(service, organisation, &remind,
              now_s + (gint64) organisation->remind_days * DAY_S);
  }
}
