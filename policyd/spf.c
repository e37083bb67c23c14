/*
 * spf.c - the pool of zegel-spf workers.
 *
 * A check waits until a worker is free. A worker has one check at a time and asks one
 * question at a time; what it says is as hostile as what it reads. Whatever is wrong with
 * it, it is killed, its check is "temperror", and another one is started when there is
 * work.
 */
#include "policyd/spf.h"

#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "common/base/log.h"
#include "policyd/spf_cache.h"
#include "policyd/spf_child.h"
#include "policyd/spf_wire.h"

/* For one check: 11 records, and 10 terms with 10 hosts each and the macro "p" besides. */
#define MAX_QUESTIONS 150
/* Then a worker is replaced, so that it never meets the limits on its CPU time and memory.
 */
#define MAX_CHECKS 1000
/* After the program could not be run or could not confine itself. */
#define RETRY_MS 10000

typedef struct {
  Spf *spf;
  SpfChild *child; /* NULL: none runs in this place */
  gboolean ending; /* killed, not gone yet */
  gboolean quiet;  /* and why is in the log */
  gboolean busy;   /* with a check; waiter is NULL when nobody waits for it any more */
  SpfWaiter *waiter;
  LoopTimer *timer; /* until when the check may last */
  DnsWaiter *question;
  guint questions;
  gint64 expires_us; /* of the first of the answers that it was told */
  char *key;         /* of the check, for the cache */
  guint checks;
} Worker;

struct SpfWaiter {
  Spf *spf;
  SpfDone done;
  gpointer data;
  GByteArray *check; /* while it waits for a worker */
  char *key;         /* the same */
  Worker *worker;    /* that has the check, or NULL */
  LoopTimer *timer;  /* while it has none */
  SpfVerdict verdict;
};

struct Spf {
  Loop *loop;
  Dns *dns;
  char *path;
  Worker workers[SPF_WORKERS];
  GQueue waiting; /* of SpfWaiter, without a worker */
  GHashTable *waiters;
  SpfCache *cache;
  gint64 retry_us; /* no worker is started before */
};

static void
dispatch(Spf *spf);

const char *
spf_verdict_name(SpfVerdict verdict)
{
  switch (verdict) {
  case SPF_VERDICT_NONE:
    return "none";
  case SPF_VERDICT_NEUTRAL:
    return "neutral";
  case SPF_VERDICT_PASS:
    return "pass";
  case SPF_VERDICT_FAIL:
    return "fail";
  case SPF_VERDICT_SOFTFAIL:
    return "softfail";
  case SPF_VERDICT_TEMPERROR:
    return "temperror";
  case SPF_VERDICT_PERMERROR:
    return "permerror";
  }
  return "permerror";
}

Spf *
spf_new(Loop *loop, Dns *dns, const char *path)
{
  Spf *spf = g_new0(Spf, 1);
  spf->loop = loop;
  spf->dns = dns;
  spf->path = g_strdup(path);
  g_queue_init(&spf->waiting);
  spf->waiters = g_hash_table_new(NULL, NULL);
  spf->cache = spf_cache_new();
  for (guint i = 0; i < SPF_WORKERS; i++)
    spf->workers[i].spf = spf;
  return spf;
}

/* Takes WAITER from its worker and out of the queue. */
static void
detach(SpfWaiter *waiter)
{
  if (waiter->worker != NULL)
    waiter->worker->waiter = NULL;
  else
    g_queue_remove(&waiter->spf->waiting, waiter);
  waiter->worker = NULL;
  loop_timer_cancel(g_steal_pointer(&waiter->timer));
}

static void
waiter_free(SpfWaiter *waiter)
{
  detach(waiter);
  g_hash_table_remove(waiter->spf->waiters, waiter);
  if (waiter->check != NULL)
    g_byte_array_unref(waiter->check);
  g_free(waiter->key);
  g_free(waiter);
}

void
spf_cancel(SpfWaiter *waiter)
{
  waiter_free(waiter);
}

static void
on_settled(gpointer data)
{
  SpfWaiter *waiter = data;
  SpfDone done = waiter->done;
  gpointer done_data = waiter->data;
  SpfVerdict verdict = waiter->verdict;
  waiter->timer = NULL;
  waiter_free(waiter);
  done(done_data, verdict);
}

/* WAITER hears VERDICT at the next turn of the loop: whoever is called may do anything. */
static void
settle(SpfWaiter *waiter, SpfVerdict verdict)
{
  detach(waiter);
  waiter->verdict = verdict;
  waiter->timer = loop_timer(waiter->spf->loop, 0, on_settled, waiter);
}

/* The check that WORKER had is over, with VERDICT for whoever still waits. */
static void
end_check(Worker *worker, SpfVerdict verdict)
{
  worker->busy = FALSE;
  if (worker->key != NULL)
    spf_cache_put(worker->spf->cache, worker->key, verdict, worker->expires_us,
                  loop_now_us(worker->spf->loop));
  g_clear_pointer(&worker->key, g_free);
  loop_timer_cancel(g_steal_pointer(&worker->timer));
  if (worker->question != NULL)
    dns_cancel(g_steal_pointer(&worker->question));
  if (worker->waiter != NULL)
    settle(worker->waiter, verdict);
}

/* Kills WORKER. WHY goes to the log; NULL: what it ended with will. */
static void
end_worker(Worker *worker, const char *why)
{
  if (worker->ending)
    return;
  worker->ending = TRUE;
  worker->quiet = why != NULL;
  if (why != NULL && *why != '\0')
    log_line(LOG_LEVEL_WARNING, "zegel-spf: ended, %s", why);
  end_check(worker, SPF_VERDICT_TEMPERROR);
  spf_child_kill(worker->child);
}

static void
on_overdue(gpointer data)
{
  Worker *worker = data;
  worker->timer = NULL;
  end_worker(worker, "because a check took too long");
}

/* Tells WORKER what the DNS said. */
static void
tell(Worker *worker, const DnsAnswer *answer)
{
  GByteArray *message = spf_wire_answer(answer);
  worker->expires_us = MIN(worker->expires_us, answer->expires_us);
  if (message->len > SPF_WIRE_MAX_BYTES) {
    g_byte_array_unref(message);
    end_worker(worker, "because an answer is too large for it");
  } else if (!spf_child_send(worker->child, message)) {
    end_worker(worker, NULL);
  }
}

static void
on_answer(gpointer data, DnsAnswer *answer)
{
  Worker *worker = data;
  worker->question = NULL;
  tell(worker, answer);
}

static void
ask(Worker *worker, const char *name, guint16 type)
{
  Dns *dns = worker->spf->dns;
  const DnsAnswer *kept = dns_cached(dns, name, type);
  if (kept != NULL)
    tell(worker, kept);
  else
    worker->question = dns_ask(dns, name, type, FALSE, on_answer, worker);
}

static void
on_message(gpointer data, const guint8 *bytes, gsize len)
{
  Worker *worker = data;
  g_autofree char *name = NULL;
  guint16 type;
  SpfVerdict verdict;
  if (!worker->busy || worker->question != NULL) {
    end_worker(worker, "because it spoke out of turn");
  } else if (spf_wire_read_verdict(bytes, len, &verdict)) {
    end_check(worker, verdict);
    if (++worker->checks >= MAX_CHECKS)
      end_worker(worker, "");
    dispatch(worker->spf);
  } else if (!spf_wire_read_question(bytes, len, &name, &type)) {
    end_worker(worker, "because it spoke another language");
  } else if (++worker->questions > MAX_QUESTIONS) {
    end_worker(worker, "because it asked too much");
  } else {
    ask(worker, name, type);
  }
}

static void
on_closed(gpointer data)
{
  end_worker(data, NULL);
}

static void
log_end(Spf *spf, int status)
{
  if (WIFSIGNALED(status)) {
    log_line(LOG_LEVEL_WARNING, "zegel-spf: ended by signal %d (%s)", WTERMSIG(status),
             strsignal(WTERMSIG(status)));
  } else if (WEXITSTATUS(status) == EX_CONFIG) {
    log_line(LOG_LEVEL_ALARM,
             "%s: cannot confine itself, so that SPF is not checked; run it by hand to see "
             "why",
             spf->path);
    spf->retry_us = g_get_monotonic_time() + RETRY_MS * G_TIME_SPAN_MILLISECOND;
  } else {
    log_line(LOG_LEVEL_WARNING, "zegel-spf: ended with status %d", WEXITSTATUS(status));
  }
}

static void
on_gone(gpointer data, int status)
{
  Worker *worker = data;
  end_worker(worker, NULL);
  if (!worker->quiet)
    log_end(worker->spf, status);
  spf_child_free(g_steal_pointer(&worker->child));
  dispatch(worker->spf);
}

/* Starts a process in the place of WORKER. FALSE: not now, and nobody needs to wait. */
static gboolean
start(Worker *worker)
{
  static const SpfChildHooks hooks = {
      .message = on_message, .closed = on_closed, .gone = on_gone};
  Spf *spf = worker->spf;
  g_autoptr(GError) error = NULL;
  if (g_get_monotonic_time() < spf->retry_us)
    return FALSE;
  *worker = (Worker){.spf = spf};
  worker->child = spf_child_start(spf->loop, spf->path, &hooks, worker, &error);
  if (worker->child != NULL)
    return TRUE;
  log_line(LOG_LEVEL_ALARM, "%s; SPF is not checked", error->message);
  spf->retry_us = g_get_monotonic_time() + RETRY_MS * G_TIME_SPAN_MILLISECOND;
  return FALSE;
}

/* A worker that is free, started when there is room; or NULL. */
static Worker *
free_worker(Spf *spf)
{
  Worker *place = NULL;
  for (guint i = 0; i < SPF_WORKERS; i++) {
    Worker *worker = &spf->workers[i];
    if (worker->child == NULL)
      place = worker;
    else if (!worker->busy && !worker->ending)
      return worker;
  }
  return place != NULL && start(place) ? place : NULL;
}

static gboolean
has_worker(const Spf *spf)
{
  for (guint i = 0; i < SPF_WORKERS; i++)
    if (spf->workers[i].child != NULL)
      return TRUE;
  return FALSE;
}

/* Gives WAITER's check, the first of the queue, to WORKER. */
static void
assign(Worker *worker, SpfWaiter *waiter)
{
  detach(waiter);
  waiter->worker = worker;
  worker->waiter = waiter;
  worker->busy = TRUE;
  worker->questions = 0;
  worker->expires_us = G_MAXINT64;
  worker->key = g_steal_pointer(&waiter->key);
  worker->timer = loop_timer(worker->spf->loop, SPF_TIMEOUT_MS, on_overdue, worker);
  if (!spf_child_send(worker->child, g_steal_pointer(&waiter->check)))
    end_worker(worker, NULL);
}

/* Gives what waits to free workers; when there are none at all nobody waits. */
static void
dispatch(Spf *spf)
{
  SpfWaiter *waiter;
  Worker *worker;
  while ((waiter = g_queue_peek_head(&spf->waiting)) != NULL &&
         (worker = free_worker(spf)) != NULL)
    assign(worker, waiter);
  if (has_worker(spf))
    return;
  while ((waiter = g_queue_peek_head(&spf->waiting)) != NULL)
    settle(waiter, SPF_VERDICT_TEMPERROR);
}

static void
on_waited_too_long(gpointer data)
{
  SpfWaiter *waiter = data;
  waiter->timer = NULL;
  settle(waiter, SPF_VERDICT_TEMPERROR);
}

SpfWaiter *
spf_ask(Spf *spf, const char *address, const char *helo, const char *sender, SpfDone done,
        gpointer data)
{
  SpfWaiter *waiter = g_new0(SpfWaiter, 1);
  waiter->spf = spf;
  waiter->done = done;
  waiter->data = data;
  g_hash_table_add(spf->waiters, waiter);
  gboolean full = g_queue_get_length(&spf->waiting) >= SPF_MAX_WAITING;
  g_queue_push_tail(&spf->waiting, waiter);
  if (full ||
      MAX(MAX(strlen(address), strlen(helo)), strlen(sender)) > SPF_TEXT_MAX_BYTES) {
    settle(waiter, SPF_VERDICT_TEMPERROR);
    return waiter;
  }
  waiter->check = spf_wire_check(address, helo, sender);
  waiter->key = spf_cache_key(address, helo, sender);
  waiter->timer = loop_timer(spf->loop, SPF_TIMEOUT_MS, on_waited_too_long, waiter);
  dispatch(spf);
  return waiter;
}

gboolean
spf_cached(Spf *spf, const char *address, const char *helo, const char *sender,
           SpfVerdict *verdict, gint64 *expires_us)
{
  g_autofree char *key = spf_cache_key(address, helo, sender);
  return spf_cache_get(spf->cache, key, loop_now_us(spf->loop), verdict, expires_us);
}

void
spf_free(Spf *spf)
{
  if (spf == NULL)
    return;
  for (guint i = 0; i < SPF_WORKERS; i++) {
    end_check(&spf->workers[i], SPF_VERDICT_TEMPERROR);
    spf_child_free(spf->workers[i].child);
  }
  GHashTableIter iter;
  gpointer waiter;
  g_hash_table_iter_init(&iter, spf->waiters);
  while (g_hash_table_iter_next(&iter, &waiter, NULL)) {
    loop_timer_cancel(((SpfWaiter *) waiter)->timer);
    g_clear_pointer(&((SpfWaiter *) waiter)->check, g_byte_array_unref);
    g_free(((SpfWaiter *) waiter)->key);
    g_free(waiter);
  }
  g_hash_table_unref(spf->waiters);
  spf_cache_free(spf->cache);
  g_queue_clear(&spf->waiting);
  g_free(spf->path);
  g_free(spf);
}
