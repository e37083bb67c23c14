#include "deliver/relay.h"

#include "common/audit/client.h"
#include "common/base/log.h"
#include "common/store/outbox.h"
#include "deliver/service.h"

#define BATCH          200
#define LOOK_MS        500 /* an event is in the trail within a second */
#define AGAIN_MS       1000
#define ALARM_S        600
#define END_MS         1000 /* for what waits at the end */
#define END_TIMEOUT_MS 500

struct Relay {
  Current *services;
  GThread *thread;
  GMutex mutex;
  GCond changed;
  gboolean stop; /* under the mutex */
  /* The thread's own. */
  guint failures;    /* in a row */
  gint64 alarmed_us; /* monotonic; 0: all is well */
};

typedef enum {
  PASS_NOTHING, /* nothing waits any more */
  PASS_SOME,    /* more may wait */
  PASS_FAILED
} Pass;

/* The events of WAITING that are not damaged, borrowed from it. */
static GPtrArray *
events_of(const GPtrArray *waiting)
{
  GPtrArray *events = g_ptr_array_sized_new(waiting->len);
  for (guint i = 0; i < waiting->len; i++) {
    const WaitingEvent *one = waiting->pdata[i];
    if (one->event != NULL)
      g_ptr_array_add(events, one->event);
  }
  return events;
}

/* A busy moment of the database or of zegel-auditd is over at the next try. */
static void
complain(Relay *relay, const GError *error)
{
  gint64 now_us = g_get_monotonic_time();
  if (++relay->failures == 1)
    return;
  if (relay->alarmed_us != 0 && now_us < relay->alarmed_us + ALARM_S * G_USEC_PER_SEC)
    return;
  relay->alarmed_us = now_us;
  log_line(LOG_LEVEL_ALARM, "events wait in the store, and are not in the audit trail: %s",
           error->message);
}

static void
rejoice(Relay *relay)
{
  if (relay->alarmed_us != 0)
    log_line(LOG_LEVEL_INFO, "events come into the audit trail again");
  relay->failures = 0;
  relay->alarmed_us = 0;
}

/* Killed in between, they are brought again, and the trail knows them. */
static gboolean
bring(const Service *service, const GPtrArray *waiting, guint timeout_ms, GError **error)
{
  g_autoptr(GPtrArray) events = events_of(waiting);
  return audit_append(service->config->audit_socket, events, timeout_ms, error) &&
         store_forget_events(service->store, waiting, error);
}

static Pass
pass_with(Relay *relay, const Service *service, guint timeout_ms)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) waiting = store_waiting_events(service->store, BATCH, &error);
  if (waiting != NULL && waiting->len == 0) {
    rejoice(relay);
    return PASS_NOTHING;
  }
  if (waiting == NULL || !bring(service, waiting, timeout_ms, &error)) {
    complain(relay, error);
    return PASS_FAILED;
  }
  rejoice(relay);
  return waiting->len == BATCH ? PASS_SOME : PASS_NOTHING;
}

/* One batch. */
static Pass
pass(Relay *relay, guint timeout_ms)
{
  Service *service = current_take(relay->services);
  Pass result = pass_with(relay, service, timeout_ms);
  current_give(relay->services, service);
  return result;
}

/* FALSE at the end. */
static gboolean
pause_after(Relay *relay, Pass result)
{
  gint64 wait_ms = result == PASS_SOME ? 0 : result == PASS_FAILED ? AGAIN_MS : LOOK_MS;
  gint64 until_us = g_get_monotonic_time() + wait_ms * G_TIME_SPAN_MILLISECOND;
  g_mutex_lock(&relay->mutex);
  while (!relay->stop && g_cond_wait_until(&relay->changed, &relay->mutex, until_us))
    continue;
  gboolean go_on = !relay->stop;
  g_mutex_unlock(&relay->mutex);
  return go_on;
}

static gpointer
relay_main(gpointer data)
{
  Relay *relay = data;
  Pass result;
  do
    result = pass(relay, AUDIT_TIMEOUT_MS);
  while (pause_after(relay, result));
  gint64 end_us = g_get_monotonic_time() + END_MS * G_TIME_SPAN_MILLISECOND;
  /* What was recorded since the last look; when that failed there is no hope. */
  if (result != PASS_FAILED)
    do
      result = pass(relay, END_TIMEOUT_MS);
    while (result == PASS_SOME && g_get_monotonic_time() < end_us);
  return NULL;
}

Relay *
relay_start(Current *services)
{
  Relay *relay = g_new0(Relay, 1);
  g_mutex_init(&relay->mutex);
  g_cond_init(&relay->changed);
  relay->services = services;
  relay->thread = g_thread_new("relay", relay_main, relay);
  return relay;
}

void
relay_stop(Relay *relay)
{
  g_mutex_lock(&relay->mutex);
  relay->stop = TRUE;
  g_cond_signal(&relay->changed);
  g_mutex_unlock(&relay->mutex);
  g_thread_join(relay->thread);
  g_cond_clear(&relay->changed);
  g_mutex_clear(&relay->mutex);
  g_free(relay);
}
