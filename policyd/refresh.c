#include "policyd/refresh.h"

#include "common/base/event.h"
#include "common/base/log.h"
#include "policyd/lookup.h"
#include "policyd/observe.h"
#include "policyd/ready.h"
#include "policyd/verdicts.h"

#define DAY_S 86400

struct Refresh {
  Loop *loop;
  Dns *dns;
  Promises *promises;
  const RefreshBasis *basis;
  LoopTimer *timer;
  GHashTable *due;     /* promised domain to when it is looked at again (gint64 *, us) */
  GHashTable *running; /* domain to Recheck; the Recheck owns the domain */
  GQueue *waiting;     /* domains whose time has come, the one longest due first */
};

/* One domain that is looked at. */
typedef struct {
  Refresh *refresh;
  char *domain;
  Lookup *lookup;
} Recheck;

static void
recheck_free(gpointer p)
{
  Recheck *recheck = p;
  lookup_free(recheck->lookup);
  g_free(recheck->domain);
  g_free(recheck);
}

static void
set_due(Refresh *refresh, const char *domain, gint64 wait_ms)
{
  gint64 *due_us = g_new(gint64, 1);
  *due_us = loop_now_us(refresh->loop) + wait_ms * G_TIME_SPAN_MILLISECOND;
  g_hash_table_replace(refresh->due, g_strdup(domain), due_us);
}

/* ---- What a domain's readiness means ---- */

/* Commits what was noted for DOMAIN; when it cannot be, DOMAIN is looked at again soon. */
static gboolean
commit(Refresh *refresh, const char *domain)
{
  g_autoptr(GError) error = NULL;
  if (promises_commit(refresh->promises, &error))
    return TRUE;
  log_line(LOG_LEVEL_WARNING, "%s: what changed cannot be written now: %s", domain,
           error->message);
  set_due(refresh, domain, REFRESH_RETRY_S * 1000);
  return FALSE;
}

static void
withdraw(Refresh *refresh, const char *domain, const char *code)
{
  if (promises_withdraw(refresh->promises, domain) > 0 && commit(refresh, domain))
    event_log(EVENT_PROMISED, NULL, NULL, "change", "withdrawn", "domain", domain, "reason",
              code, NULL);
}

static void
renew(Refresh *refresh, const char *domain, const Verdict *verdict)
{
  PromiseHop hop = {verdict->nexthop, verdict->policy, PROMISE_NTA};
  if (promises_conflict(refresh->promises, &hop))
    withdraw(refresh, domain, "Z-R5-CONFLICT");
  else if (promises_renew(refresh->promises, domain, &hop) > 0 && commit(refresh, domain))
    event_log(EVENT_PROMISED, NULL, NULL, "change", "renewed", "domain", domain, "nexthop",
              hop.nexthop, "tls", hop.policy != NULL ? hop.policy : "dane-only", NULL);
}

static void
settle(Refresh *refresh, const char *domain, const Verdict *verdict)
{
  switch (verdict->readiness) {
  case READINESS_YES:
    renew(refresh, domain, verdict);
    break;
  case READINESS_NO:
    withdraw(refresh, domain, verdict->code);
    break;
  case READINESS_UNKNOWN: /* no reason to break a promise */
    break;
  }
}

/* ---- Looking at one domain ---- */

/* Reads what is known. TRUE when that was all: RECHECK is gone then. */
static gboolean
look_again(Recheck *recheck)
{
  Refresh *refresh = recheck->refresh;
  g_auto(Verdict) verdict = {.readiness = READINESS_UNKNOWN};
  NtaRules rules = verdicts_rules(refresh->basis->config);
  ready_theirs(recheck->lookup, &rules, recheck->domain,
               verdicts_partner(refresh->basis->book, recheck->domain), NULL, &verdict);
  if (lookup_missing(recheck->lookup) > 0)
    return FALSE;
  observe_keep(refresh->basis->keeper, recheck->lookup, &rules, recheck->domain, FALSE,
               &verdict, FALSE);
  set_due(refresh, recheck->domain, (gint64) refresh->basis->config->recheck_s * 1000);
  settle(refresh, recheck->domain, &verdict);
  g_hash_table_remove(refresh->running, recheck->domain);
  return TRUE;
}

static void
start_waiting(Refresh *refresh, guint max);

static void
on_came(gpointer data)
{
  Recheck *recheck = data;
  Refresh *refresh = recheck->refresh;
  if (look_again(recheck))
    start_waiting(refresh, REFRESH_MAX_LOOKUPS);
}

/* Takes DOMAIN. */
static void
start(Refresh *refresh, char *domain)
{
  Recheck *recheck = g_new0(Recheck, 1);
  recheck->refresh = refresh;
  recheck->domain = domain;
  recheck->lookup = lookup_new(refresh->dns, NULL, FALSE, on_came, recheck);
  lookup_limit(recheck->lookup, refresh->loop, REFRESH_LOOKUP_MS);
  g_hash_table_insert(refresh->running, recheck->domain, recheck);
  look_again(recheck);
}

/* At most MAX: those whose answers are kept by Dns are done at once. */
static void
start_waiting(Refresh *refresh, guint max)
{
  for (guint i = 0; i < max && !g_queue_is_empty(refresh->waiting) &&
                    g_hash_table_size(refresh->running) < REFRESH_MAX_LOOKUPS;
       i++)
    start(refresh, g_queue_pop_head(refresh->waiting));
}

/* ---- Every second ---- */

static gboolean
is_forgotten(const Refresh *refresh, const PromisedDomain *promised)
{
  gint64 age_s = g_get_real_time() / G_USEC_PER_SEC - promised->promised_s;
  return age_s > (gint64) refresh->basis->config->promise_days * DAY_S;
}

/* When DOMAIN is looked at: what was not seen before is spread, and in time all the same.
 */
static gint64
due_of(Refresh *refresh, GHashTable *old, const char *domain)
{
  const gint64 *known = g_hash_table_lookup(old, domain);
  if (known != NULL)
    return *known;
  guint spread_ms = refresh->basis->config->recheck_s * 800; /* of 1000 */
  return loop_now_us(refresh->loop) +
         g_random_int_range(0, (gint32) spread_ms) * G_TIME_SPAN_MILLISECOND;
}

static gint
compare_due(gconstpointer a, gconstpointer b, gpointer data)
{
  GHashTable *due = data;
  const gint64 *due_a = g_hash_table_lookup(due, *(char *const *) a);
  const gint64 *due_b = g_hash_table_lookup(due, *(char *const *) b);
  return *due_a < *due_b ? -1 : *due_a > *due_b;
}

/* Makes waiting anew from what is promised now, and forgets what is not. */
static void
list_waiting(Refresh *refresh, const GPtrArray *promised)
{
  g_autoptr(GHashTable) old = g_steal_pointer(&refresh->due);
  g_autoptr(GPtrArray) come = g_ptr_array_new();
  gint64 now_us = loop_now_us(refresh->loop);
  refresh->due = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  for (guint i = 0; i < promised->len; i++) {
    const PromisedDomain *one = promised->pdata[i];
    gint64 due_us = due_of(refresh, old, one->domain);
    g_hash_table_insert(refresh->due, g_strdup(one->domain),
                        g_memdup2(&due_us, sizeof due_us));
    if (due_us <= now_us && !g_hash_table_contains(refresh->running, one->domain))
      g_ptr_array_add(come, one->domain);
  }
  g_ptr_array_sort_with_data(come, compare_due, refresh->due);
  g_queue_clear_full(refresh->waiting, g_free);
  for (guint i = 0; i < come->len; i++)
    g_queue_push_tail(refresh->waiting, g_strdup(come->pdata[i]));
}

static void
on_second(gpointer data)
{
  Refresh *refresh = data;
  refresh->timer = loop_timer(refresh->loop, REFRESH_LOOK_MS, on_second, refresh);
  if (!promises_look(refresh->promises, NULL)) /* which logs it */
    return;
  g_autoptr(GPtrArray) promised = promises_nta(refresh->promises);
  for (guint i = 0; i < promised->len; i++) {
    const PromisedDomain *one = promised->pdata[i];
    if (is_forgotten(refresh, one))
      withdraw(refresh, one->domain, "Z-R4-FORGOTTEN");
  }
  list_waiting(refresh, promised);
  /* Enough that kept answers do not make a round longer than recheck_s. */
  start_waiting(refresh, REFRESH_MAX_LOOKUPS +
                             4 * promised->len / refresh->basis->config->recheck_s);
}

Refresh *
refresh_new(Loop *loop, Dns *dns, Promises *promises, const RefreshBasis *basis)
{
  Refresh *refresh = g_new0(Refresh, 1);
  refresh->loop = loop;
  refresh->dns = dns;
  refresh->promises = promises;
  refresh->basis = basis;
  refresh->due = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  refresh->running = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, recheck_free);
  refresh->waiting = g_queue_new();
  refresh->timer = loop_timer(loop, REFRESH_LOOK_MS, on_second, refresh);
  return refresh;
}

void
refresh_free(Refresh *refresh)
{
  if (refresh == NULL)
    return;
  loop_timer_cancel(refresh->timer);
  g_hash_table_unref(refresh->running);
  g_hash_table_unref(refresh->due);
  g_queue_free_full(refresh->waiting, g_free);
  g_free(refresh);
}
