#include "tests/unit/policyd/zone.h"

#include <arpa/inet.h>
#include <string.h>

static const char *const zone_verdicts[] = {
    [SPF_VERDICT_NONE] = "none",           [SPF_VERDICT_NEUTRAL] = "neutral",
    [SPF_VERDICT_PASS] = "pass",           [SPF_VERDICT_FAIL] = "fail",
    [SPF_VERDICT_SOFTFAIL] = "softfail",   [SPF_VERDICT_TEMPERROR] = "temperror",
    [SPF_VERDICT_PERMERROR] = "permerror",
};

static void
zone_waiter_free(gpointer p)
{
  DnsWaiter *waiter = p;
  g_free(waiter->key);
  g_free(waiter);
}

static void
zone_add_txt(DnsAnswer *answer, const char *text)
{
  g_autoptr(GByteArray) rdata = g_byte_array_new();
  g_auto(GStrv) strings = g_strsplit(text, "|", -1);
  for (char **string = strings; *string != NULL; string++)
    for (gsize at = 0, len = strlen(*string); at == 0 || at < len; at += 255) {
      guint8 count = (guint8) MIN(len - at, 255);
      g_byte_array_append(rdata, &count, 1);
      g_byte_array_append(rdata, (const guint8 *) *string + at, count);
    }
  dns_answer_add(answer, rdata->data, rdata->len);
}

static void
zone_add_mx(DnsAnswer *answer, const char *text)
{
  char *host = NULL;
  guint64 preference = g_ascii_strtoull(text, &host, 10);
  guint8 head[] = {(guint8) (preference >> 8), (guint8) preference};
  g_autoptr(GByteArray) rdata = g_byte_array_new();
  g_byte_array_append(rdata, head, sizeof head);
  g_auto(GStrv) labels = g_strsplit(strcmp(host, " .") == 0 ? "" : host + 1, ".", -1);
  for (char **label = labels; *label != NULL; label++) {
    guint8 len = (guint8) strlen(*label);
    g_byte_array_append(rdata, &len, 1);
    g_byte_array_append(rdata, (const guint8 *) *label, len);
  }
  g_byte_array_append(rdata, (const guint8 *) "", 1);
  dns_answer_add(answer, rdata->data, rdata->len);
}

static void
zone_add_tlsa(DnsAnswer *answer, const char *text)
{
  g_auto(GStrv) words = g_strsplit(text, " ", 4);
  guint8 rdata[256] = {0};
  for (guint i = 0; i < 3; i++)
    rdata[i] = (guint8) g_ascii_strtoull(words[i], NULL, 10);
  dns_answer_add(answer, rdata, 3 + g_ascii_strtoull(words[3], NULL, 10));
}

static void
zone_add_data(DnsAnswer *answer, const char *text)
{
  guint8 address[16];
  if (answer->type == RR_TXT) {
    zone_add_txt(answer, text);
  } else if (answer->type == RR_MX) {
    zone_add_mx(answer, text);
  } else if (answer->type == RR_TLSA) {
    zone_add_tlsa(answer, text);
  } else {
    gboolean is_a = answer->type == RR_A;
    g_assert_cmpint(inet_pton(is_a ? AF_INET : AF_INET6, text, address), ==, 1);
    dns_answer_add(answer, address, is_a ? 4 : 16);
  }
}

static void
zone_fill(DnsAnswer *answer, char state, const char *data)
{
  answer->secure = strchr("saxnd", state) != NULL;
  answer->alias = strchr("ab", state) != NULL;
  answer->expires_us = G_MAXINT64;
  if (strchr("siab", state) != NULL)
    zone_add_data(answer, data);
  else if (state == 'd')
    dns_answer_add(answer,
                   "\x05"
                   "ab",
                   3);
  else if (state == 'f')
    answer->failure = g_strdup("SERVFAIL");
  else
    answer->outcome = strchr("xX", state) != NULL ? DNS_NXDOMAIN : DNS_NODATA;
}

static guint16
zone_type(const char *name)
{
  static const guint16 types[] = {RR_A, RR_MX, RR_TXT, RR_AAAA, RR_TLSA};
  for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
    if (strcmp(rr_type_name(types[i]), name) == 0)
      return types[i];
  g_assert_not_reached();
}

char *
zone_key(const char *name, guint16 type)
{
  return g_strdup_printf("%s %s", rr_type_name(type), name);
}

void
zone_add(Dns *dns, const char *text)
{
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    if (**line == '\0')
      continue;
    g_auto(GStrv) words = g_strsplit(*line, " ", 4);
    if (strcmp(words[1], "SPF") == 0) {
      g_hash_table_replace(dns->spf, g_strdup(words[0]), g_strdup(words[2]));
      continue;
    }
    guint16 type = zone_type(words[1]);
    g_autofree char *key = zone_key(words[0], type);
    if (g_hash_table_add(seen, g_strdup(key)))
      g_hash_table_replace(dns->answers, g_strdup(key), dns_answer_new(words[0], type));
    zone_fill(g_hash_table_lookup(dns->answers, key), *words[2],
              words[3] != NULL ? words[3] : "");
  }
}

Dns *
zone_new(const char *text)
{
  Dns *dns = g_new0(Dns, 1);
  dns->answers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                       (GDestroyNotify) dns_answer_unref);
  dns->spf = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  dns->waiters = g_ptr_array_new_with_free_func(zone_waiter_free);
  dns->checks = g_ptr_array_new_with_free_func(g_free);
  zone_add(dns, text);
  return dns;
}

void
zone_free(Dns *dns)
{
  g_assert_cmpuint(dns->waiters->len + dns->checks->len, ==, 0);
  g_hash_table_unref(dns->answers);
  g_hash_table_unref(dns->spf);
  g_ptr_array_unref(dns->waiters);
  g_ptr_array_unref(dns->checks);
  g_free(dns->spf_question);
  g_free(dns);
}

static DnsAnswer *
zone_answer(Dns *dns, const char *key)
{
  DnsAnswer *answer = g_hash_table_lookup(dns->answers, key);
  if (answer != NULL)
    return dns_answer_ref(answer);
  answer = dns_answer_new(strchr(key, ' ') + 1, RR_TXT);
  zone_fill(answer, 'x', "");
  return answer;
}

void
zone_deliver(Dns *dns)
{
  while (dns->waiters->len > 0) {
    DnsWaiter *waiter = g_ptr_array_steal_index(dns->waiters, 0);
    g_autoptr(DnsAnswer) answer = zone_answer(dns, waiter->key);
    waiter->done(waiter->data, answer);
    zone_waiter_free(waiter);
  }
  while (dns->checks->len > 0) {
    g_autofree SpfWaiter *waiter = g_ptr_array_steal_index(dns->checks, 0);
    waiter->done(waiter->data, waiter->verdict);
  }
}

DnsAnswer *
dns_cached(Dns *dns, const char *name, guint16 type)
{
  (void) dns;
  (void) name;
  (void) type;
  return NULL;
}

DnsWaiter *
dns_ask(Dns *dns, const char *name, guint16 type, gboolean fresh, DnsDone done,
        gpointer data)
{
  (void) fresh;
  DnsWaiter *waiter = g_new0(DnsWaiter, 1);
  *waiter = (DnsWaiter){.dns = dns, .key = zone_key(name, type), .done = done};
  waiter->data = data;
  g_assert_cmpuint(strlen(name), <=, 253);
  g_ptr_array_add(dns->waiters, waiter);
  dns->asked++;
  return waiter;
}

void
dns_cancel(DnsWaiter *waiter)
{
  g_assert_true(g_ptr_array_remove(waiter->dns->waiters, waiter));
}

SpfWaiter *
spf_ask(Spf *spf, const char *address, const char *helo, const char *sender, SpfDone done,
        gpointer data)
{
  Dns *dns = spf->dns;
  const char *word = g_hash_table_lookup(dns->spf, address);
  SpfWaiter *waiter = g_new0(SpfWaiter, 1);
  *waiter = (SpfWaiter){.dns = dns, .done = done, .data = data};
  for (guint i = 0; word != NULL && i < G_N_ELEMENTS(zone_verdicts); i++)
    if (strcmp(word, zone_verdicts[i]) == 0)
      waiter->verdict = (SpfVerdict) i;
  g_free(dns->spf_question);
  dns->spf_question = g_strdup_printf("%s %s", helo, sender);
  g_ptr_array_add(dns->checks, waiter);
  return waiter;
}

gboolean
spf_cached(Spf *spf, const char *address, const char *helo, const char *sender,
           SpfVerdict *verdict, gint64 *expires_us)
{
  (void) spf;
  (void) address;
  (void) helo;
  (void) sender;
  (void) verdict;
  (void) expires_us;
  return FALSE;
}

void
spf_cancel(SpfWaiter *waiter)
{
  g_assert_true(g_ptr_array_remove(waiter->dns->checks, waiter));
}

const char *
spf_verdict_name(SpfVerdict verdict)
{
  return zone_verdicts[verdict];
}
