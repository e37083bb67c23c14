#include "tests/unit/policyd/fake_dns.h"

#include <string.h>

struct Dns {
  Loop *loop;
  GHashTable *answers; /* key to DnsAnswer */
  GHashTable *names;   /* that are there */
  GHashTable *held;
  void (*on_ask)(gpointer data, const char *name);
  gpointer data;
  guint asked;
};

struct DnsWaiter {
  Dns *dns;
  char *name;
  guint16 type;
  DnsDone done;
  gpointer data;
  LoopTimer *timer;
};

Dns *
fake_dns_new(Loop *loop)
{
  Dns *dns = g_new0(Dns, 1);
  dns->loop = loop;
  dns->answers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                       (GDestroyNotify) dns_answer_unref);
  dns->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  dns->held = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  return dns;
}

void
fake_dns_free(Dns *dns)
{
  g_hash_table_unref(dns->answers);
  g_hash_table_unref(dns->names);
  g_hash_table_unref(dns->held);
  g_free(dns);
}

static char *
key_of(const char *name, guint16 type)
{
  return g_strdup_printf("%u %s", type, name);
}

DnsAnswer *
fake_dns_put(Dns *dns, const char *name, guint16 type, DnsOutcome outcome)
{
  DnsAnswer *answer = dns_answer_new(name, type);
  answer->outcome = outcome;
  g_hash_table_replace(dns->answers, key_of(name, type), answer);
  if (outcome != DNS_NXDOMAIN)
    g_hash_table_add(dns->names, g_strdup(name));
  return answer;
}

void
fake_dns_put_txt(Dns *dns, const char *name, const char *text)
{
  gsize len = strlen(text);
  g_assert_cmpuint(len, <=, 255);
  g_autofree char *rdata = g_strdup_printf("%c%s", (char) len, text);
  dns_answer_add(fake_dns_put(dns, name, RR_TXT, DNS_DATA), rdata, len + 1);
}

void
fake_dns_hold(Dns *dns, const char *name)
{
  g_hash_table_add(dns->held, g_strdup(name));
}

void
fake_dns_on_ask(Dns *dns, void (*asked)(gpointer data, const char *name), gpointer data)
{
  dns->on_ask = asked;
  dns->data = data;
}

guint
fake_dns_asked(const Dns *dns)
{
  return dns->asked;
}

DnsAnswer *
dns_cached(Dns *dns, const char *name, guint16 type)
{
  (void) dns;
  (void) name;
  (void) type;
  return NULL;
}

static void
waiter_free(DnsWaiter *waiter)
{
  loop_timer_cancel(waiter->timer);
  g_free(waiter->name);
  g_free(waiter);
}

static void
on_due(gpointer data)
{
  DnsWaiter *waiter = data;
  Dns *dns = waiter->dns;
  g_autofree char *key = key_of(waiter->name, waiter->type);
  DnsAnswer *known = g_hash_table_lookup(dns->answers, key);
  g_autoptr(DnsAnswer) answer =
      known != NULL ? dns_answer_ref(known) : dns_answer_new(waiter->name, waiter->type);
  if (known == NULL)
    answer->outcome =
        g_hash_table_contains(dns->names, waiter->name) ? DNS_NODATA : DNS_NXDOMAIN;
  DnsDone done = waiter->done;
  gpointer done_data = waiter->data;
  waiter->timer = NULL;
  waiter_free(waiter);
  done(done_data, answer);
}

DnsWaiter *
dns_ask(Dns *dns, const char *name, guint16 type, gboolean fresh, DnsDone done,
        gpointer data)
{
  DnsWaiter *waiter = g_new0(DnsWaiter, 1);
  (void) fresh;
  waiter->dns = dns;
  waiter->name = g_strdup(name);
  waiter->type = type;
  waiter->done = done;
  waiter->data = data;
  if (!g_hash_table_contains(dns->held, name))
    waiter->timer = loop_timer(dns->loop, 0, on_due, waiter);
  dns->asked++;
  if (dns->on_ask != NULL)
    dns->on_ask(dns->data, name);
  return waiter;
}

void
dns_cancel(DnsWaiter *waiter)
{
  waiter_free(waiter);
}
