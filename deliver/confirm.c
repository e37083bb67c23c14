#include "deliver/confirm.h"

#include <string.h>

#include "common/base/event.h"
#include "common/base/log.h"
#include "common/base/secret.h"
#include "common/crypt/origin.h"
#include "deliver/post.h"

#define BATCH        100
#define FAILURES_MAX 3              /* then it is zegel-submit or the store: later */
#define GIVE_UP_S    (24 * 60 * 60) /* then nobody needs it any more */
#define SETTLE_S     30             /* for recipients that Postfix brings by themselves */
#define AGAIN_S      60
#define IDLE_S       3600

typedef enum {
  LOOK_DONE,
  LOOK_UNSETTLED, /* somebody is not filed yet */
  LOOK_FAILED     /* something could not be sent */
} Look;

struct Confirmer {
  Current *services;
  GThread *thread;
  GMutex mutex;
  GCond changed;
  gboolean woken;
  gboolean stop;
};

gboolean
confirm_is_wanted(const Organisation *organisation, const char *sender)
{
  return organisation->confirm != CONFIRM_NEVER && post_may_tell(organisation, sender) &&
         !post_is_machine(organisation, sender);
}

/* ---- One message ---- */

static gboolean
is_reader(const DispatchRecipient *recipient)
{
  return g_str_equal(recipient->route, "viewer");
}

/* Whether everybody who is to be a reader is filed. */
static gboolean
is_complete(const Dispatch *dispatch)
{
  for (guint i = 0; i < dispatch->recipients->len; i++) {
    const DispatchRecipient *recipient = dispatch->recipients->pdata[i];
    if (is_reader(recipient) && recipient->reference == NULL)
      return FALSE;
  }
  return TRUE;
}

/* The addresses that correct a number, one or NULL for each recipient of DISPATCH. */
static GPtrArray *
make_corrections(const Service *service, const Organisation *organisation,
                 const Dispatch *dispatch, GError **error)
{
  g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < dispatch->recipients->len; i++) {
    const DispatchRecipient *recipient = dispatch->recipients->pdata[i];
    char *address = NULL;
    if (recipient->reference != NULL && *recipient->number != '\0' &&
        (address = control_address(service->origin_keys, CONTROL_NUMBER, organisation->name,
                                   recipient->reference, organisation->service_domain,
                                   error)) == NULL)
      return NULL;
    g_ptr_array_add(addresses, address);
  }
  return g_steal_pointer(&addresses);
}

/* The letter, or NULL with an error. */
static GString *
format_confirmation(const Service *service, const Organisation *organisation,
                    const Dispatch *dispatch, GError **error)
{
  g_autoptr(GPtrArray) corrections =
      make_corrections(service, organisation, dispatch, error);
  if (corrections == NULL)
    return NULL;
  char *url = post_status_url(service, organisation, dispatch, error);
  if (url == NULL)
    return NULL;
  guint count = dispatch->recipients->len;
  g_autofree TellRecipient *recipients = g_new0(TellRecipient, count);
  for (guint i = 0; i < count; i++) {
    const DispatchRecipient *recipient = dispatch->recipients->pdata[i];
    recipients[i] = (TellRecipient){.address = recipient->address,
                                    .route = recipient->route,
                                    .number = recipient->number,
                                    .correct = corrections->pdata[i]};
  }
  TellFacts facts = post_facts(organisation, dispatch, NULL);
  facts.status_url = url;
  g_autofree char *ticket = crypt_hex(dispatch->ticket_id, sizeof dispatch->ticket_id);
  g_autofree char *id = g_strconcat("confirm.", ticket, NULL);
  GString *message = tell_confirmation(&facts, recipients, count, id);
  secret_wipe(url, strlen(url));
  g_free(url);
  return message;
}

/* FALSE with an error: not now. */
static gboolean
send_confirmation(const Service *service, const Organisation *organisation,
                  const Dispatch *dispatch, char **queue_id, GError **error)
{
  GString *message = format_confirmation(service, organisation, dispatch, error);
  return message != NULL &&
         post_to_sender(service, organisation, dispatch->sender, message, queue_id, error);
}

/* Confirms DISPATCH, or finds that nobody wants that. FALSE with an error: not now. */
static gboolean
confirm_one(const Service *service, const Organisation *organisation,
            const Dispatch *dispatch, GError **error)
{
  g_autofree char *queue_id = NULL;
  if (confirm_is_wanted(organisation, dispatch->sender) &&
      !send_confirmation(service, organisation, dispatch, &queue_id, error))
    return FALSE;
  if (queue_id == NULL)
    return store_set_confirmed(service->store, organisation->name, dispatch->ticket_id, "",
                               NULL, error);
  g_autoptr(Event) event =
      event_new(EVENT_CONFIRMED, NULL, organisation->name, "message-id",
                dispatch->message_id, "to", dispatch->sender, "as", queue_id, NULL);
  if (store_set_confirmed(service->store, organisation->name, dispatch->ticket_id, queue_id,
                          event, error))
    return TRUE;
  event_send(event); /* it went */
  return FALSE;
}

/* ---- All that wait ---- */

static gboolean
is_stopping(Confirmer *confirmer)
{
  g_mutex_lock(&confirmer->mutex);
  gboolean stop = confirmer->stop;
  g_mutex_unlock(&confirmer->mutex);
  return stop;
}

static void
complain(const Organisation *organisation, const GError *error)
{
  log_line(LOG_LEVEL_WARNING, "org=%s, no confirmation now: %s", organisation->name,
           error->message);
}

/* What one look at an organisation came to. */
typedef struct {
  Look result;
  guint left;     /* how many still wait */
  guint failures; /* of them */
} Round;

static void
confirm_batch(const Service *service, const Organisation *organisation,
              const GPtrArray *waiting, Round *round)
{
  for (guint i = 0; i < waiting->len && !is_stopping(service->confirmer); i++) {
    const Dispatch *dispatch = waiting->pdata[i];
    gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
    g_autoptr(GError) error = NULL;
    if (!is_complete(dispatch) && dispatch->received_s > now_s - SETTLE_S) {
      round->result = MAX(round->result, LOOK_UNSETTLED);
      round->left++;
    } else if (!confirm_one(service, organisation, dispatch, &error)) {
      g_prefix_error(&error, "message-id=%s: ", dispatch->message_id);
      complain(organisation, error);
      round->result = LOOK_FAILED;
      round->left++;
      if (++round->failures == FAILURES_MAX)
        return;
    }
  }
}

static Look
confirm_all(const Service *service, const Organisation *organisation)
{
  gint64 since_s = g_get_real_time() / G_USEC_PER_SEC - GIVE_UP_S;
  Round round = {.result = LOOK_DONE};
  guint found = BATCH;
  while (found == BATCH && round.failures < FAILURES_MAX &&
         !is_stopping(service->confirmer)) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) waiting = store_find_unconfirmed(
        service->store, organisation->name, since_s, round.left, BATCH, &error);
    if (waiting == NULL) {
      complain(organisation, error);
      return LOOK_FAILED;
    }
    confirm_batch(service, organisation, waiting, &round);
    found = waiting->len;
  }
  return round.result;
}

static Look
look(Confirmer *confirmer)
{
  Look result = LOOK_DONE;
  Service *service = current_take(confirmer->services);
  const GPtrArray *organisations = service->config->organisations;
  for (guint i = 0; i < organisations->len; i++) {
    const Organisation *organisation = organisations->pdata[i];
    if (organisation->confirm != CONFIRM_NEVER)
      result = MAX(result, confirm_all(service, organisation));
  }
  current_give(confirmer->services, service);
  return result;
}

/* Sleeps as RESULT asks: what failed is not tried again at each new message. FALSE at the
 * end. */
static gboolean
wait_for_work(Confirmer *confirmer, Look result)
{
  gint64 wait_s = result == LOOK_DONE ? IDLE_S : AGAIN_S;
  gint64 until_us = g_get_monotonic_time() + wait_s * G_USEC_PER_SEC;
  g_mutex_lock(&confirmer->mutex);
  while ((!confirmer->woken || result == LOOK_FAILED) && !confirmer->stop &&
         g_cond_wait_until(&confirmer->changed, &confirmer->mutex, until_us))
    continue;
  confirmer->woken = FALSE;
  gboolean go_on = !confirmer->stop;
  g_mutex_unlock(&confirmer->mutex);
  return go_on;
}

/* First comes what an earlier run left. */
static gpointer
confirm_main(gpointer data)
{
  Confirmer *confirmer = data;
  Look result;
  do
    result = look(confirmer);
  while (wait_for_work(confirmer, result));
  return NULL;
}

Confirmer *
confirmer_new(void)
{
  Confirmer *confirmer = g_new0(Confirmer, 1);
  g_mutex_init(&confirmer->mutex);
  g_cond_init(&confirmer->changed);
  return confirmer;
}

void
confirm_start(Confirmer *confirmer, Current *services)
{
  confirmer->services = services;
  confirmer->thread = g_thread_new("confirm", confirm_main, confirmer);
}

static void
change(Confirmer *confirmer, gboolean *what)
{
  g_mutex_lock(&confirmer->mutex);
  *what = TRUE;
  g_cond_signal(&confirmer->changed);
  g_mutex_unlock(&confirmer->mutex);
}

void
confirm_wake(const Service *service)
{
  change(service->confirmer, &service->confirmer->woken);
}

void
confirm_stop(Confirmer *confirmer)
{
  change(confirmer, &confirmer->stop);
  g_thread_join(confirmer->thread);
  g_cond_clear(&confirmer->changed);
  g_mutex_clear(&confirmer->mutex);
  g_free(confirmer);
}
