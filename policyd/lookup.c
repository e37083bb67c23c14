#include "policyd/lookup.h"

/* An answer that was asked for: a DNS answer or the verdict of an SPF check. */
typedef struct {
  Lookup *lookup;
  char *name; /* of a question that was asked */
  guint16 type;
  DnsWaiter *dns_waiter; /* not NULL: on its way */
  SpfWaiter *spf_waiter;
  DnsAnswer *answer;
  SpfVerdict verdict;
} Item;

struct Lookup {
  Dns *dns;
  Spf *spf;
  gboolean fresh;
  gboolean given_up;
  LookupCame came;
  gpointer data;
  guint missing;
  gint64 expires_us;
  LoopTimer *limit;  /* NULL: none, or it is over */
  GHashTable *items; /* key to Item */
};

/* ITEM is not waited for any more. */
static void
cancel(Item *item)
{
  if (item->dns_waiter == NULL && item->spf_waiter == NULL)
    return;
  g_clear_pointer(&item->dns_waiter, dns_cancel);
  g_clear_pointer(&item->spf_waiter, spf_cancel);
  item->lookup->missing--;
}

static void
item_free(gpointer p)
{
  Item *item = p;
  cancel(item);
  dns_answer_unref(item->answer);
  g_free(item->name);
  g_free(item);
}

Lookup *
lookup_new(Dns *dns, Spf *spf, gboolean fresh, LookupCame came, gpointer data)
{
  Lookup *lookup = g_new0(Lookup, 1);
  lookup->dns = dns;
  lookup->spf = spf;
  lookup->fresh = fresh;
  lookup->came = came;
  lookup->data = data;
  lookup->expires_us = G_MAXINT64;
  lookup->items = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, item_free);
  return lookup;
}

void
lookup_free(Lookup *lookup)
{
  if (lookup == NULL)
    return;
  loop_timer_cancel(lookup->limit);
  g_hash_table_unref(lookup->items);
  g_free(lookup);
}

/* A new item under KEY, which is taken. */
static Item *
add_item(Lookup *lookup, char *key)
{
  Item *item = g_new0(Item, 1);
  item->lookup = lookup;
  item->verdict = SPF_VERDICT_TEMPERROR;
  g_hash_table_replace(lookup->items, key, item);
  return item;
}

static void
settle(Item *item, DnsAnswer *answer)
{
  item->answer = dns_answer_ref(answer);
  item->lookup->expires_us = MIN(item->lookup->expires_us, answer->expires_us);
}

/* Nothing more can be found out: what is missing is a failure. */
static void
settle_failure(Item *item, const char *name, guint16 type)
{
  g_autoptr(DnsAnswer) answer = dns_answer_new(name, type);
  answer->failure = g_strdup("no answer in time");
  answer->expires_us = g_get_monotonic_time();
  settle(item, answer);
}

static void
on_answer(gpointer data, DnsAnswer *answer)
{
  Item *item = data;
  item->dns_waiter = NULL;
  item->lookup->missing--;
  settle(item, answer);
  item->lookup->came(item->lookup->data);
}

static void
on_verdict(gpointer data, SpfVerdict verdict)
{
  Item *item = data;
  item->spf_waiter = NULL;
  item->verdict = verdict;
  item->lookup->missing--;
  item->lookup->came(item->lookup->data);
}

static char *
dns_key(const char *name, guint16 type)
{
  return g_strdup_printf("%u %s", type, name);
}

/* Fills ITEM from what is kept, or asks. */
static void
start_dns(Item *item, const char *name, guint16 type)
{
  Lookup *lookup = item->lookup;
  if (lookup->dns == NULL || lookup->given_up) {
    settle_failure(item, name, type);
    return;
  }
  DnsAnswer *kept = lookup->fresh ? NULL : dns_cached(lookup->dns, name, type);
  if (kept != NULL) {
    settle(item, kept);
    return;
  }
  item->name = g_strdup(name);
  item->type = type;
  lookup->missing++;
  item->dns_waiter = dns_ask(lookup->dns, name, type, lookup->fresh, on_answer, item);
}

const DnsAnswer *
lookup_dns(Lookup *lookup, const char *name, guint16 type)
{
  g_autofree char *key = dns_key(name, type);
  Item *item = g_hash_table_lookup(lookup->items, key);
  if (item == NULL) {
    item = add_item(lookup, g_steal_pointer(&key));
    start_dns(item, name, type);
  }
  return item->answer;
}

const DnsAnswer *
lookup_known(const Lookup *lookup, const char *name, guint16 type)
{
  g_autofree char *key = dns_key(name, type);
  const Item *item = g_hash_table_lookup(lookup->items, key);
  return item != NULL ? item->answer : NULL;
}

/* Fills ITEM from what is kept, or asks. */
static void
start_spf(Item *item, const char *address, const char *helo, const char *sender)
{
  Lookup *lookup = item->lookup;
  gint64 expires_us = 0;
  if (lookup->spf == NULL || lookup->given_up)
    return;
  if (!lookup->fresh &&
      spf_cached(lookup->spf, address, helo, sender, &item->verdict, &expires_us)) {
    lookup->expires_us = MIN(lookup->expires_us, expires_us);
    return;
  }
  lookup->missing++;
  item->spf_waiter = spf_ask(lookup->spf, address, helo, sender, on_verdict, item);
}

gboolean
lookup_spf(Lookup *lookup, const char *address, const char *helo, const char *sender,
           SpfVerdict *verdict)
{
  g_autofree char *key = g_strdup_printf("spf %s %s %s", address, helo, sender);
  Item *item = g_hash_table_lookup(lookup->items, key);
  if (item == NULL) {
    item = add_item(lookup, g_steal_pointer(&key));
    start_spf(item, address, helo, sender);
  }
  *verdict = item->verdict;
  return item->spf_waiter == NULL;
}

guint
lookup_missing(const Lookup *lookup)
{
  return lookup->missing;
}

static void
give_up_item(gpointer key, gpointer value, gpointer data)
{
  Item *item = value;
  (void) key;
  (void) data;
  if (item->dns_waiter != NULL)
    settle_failure(item, item->name, item->type);
  cancel(item);
}

void
lookup_give_up(Lookup *lookup)
{
  lookup->given_up = TRUE;
  g_hash_table_foreach(lookup->items, give_up_item, NULL);
}

static void
on_limit(gpointer data)
{
  Lookup *lookup = data;
  lookup->limit = NULL;
  lookup_give_up(lookup);
  lookup->came(lookup->data);
}

void
lookup_limit(Lookup *lookup, Loop *loop, guint wait_ms)
{
  lookup->limit = loop_timer(loop, wait_ms, on_limit, lookup);
}

gint64
lookup_expires_us(const Lookup *lookup)
{
  return lookup->expires_us;
}

void
lookup_put(Lookup *lookup, DnsAnswer *answer)
{
  Item *item = add_item(lookup, dns_key(answer->name, answer->type));
  settle(item, answer);
}
