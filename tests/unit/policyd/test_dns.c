#include "policyd/dns.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "common/base/error.h"
#include "policyd/dns_cache.h"
#include "policyd/dns_server.h"
#include "tests/unit/policyd/dns_fake.h"
#include "tests/unit/tap.h"

/* Where the end of the time is not waited for, it is long: else a machine that stalls makes
 * questions that are counted twice. */
#define SHORT_MS 800
#define LONG_MS  DNS_TIMEOUT_MS

typedef struct {
  Loop *loop;
  DnsFake *fake;
  char *address;
  Dns *dns;
  DnsAnswer *answer; /* of the last ask */
  guint waiting;
} Fixture;

static Dns *
new_dns(Fixture *f, guint timeout_ms)
{
  g_autoptr(GError) error = NULL;
  const DnsOptions options = {.address = f->address, .timeout_ms = timeout_ms};
  Dns *dns = dns_new(f->loop, &options, &error);
  g_assert_no_error(error);
  return dns;
}

static void
set_up(Fixture *f, gconstpointer data)
{
  f->loop = loop_new(NULL);
  f->fake = dns_fake_new(f->loop);
  f->address = dns_fake_address(f->fake);
  f->dns = new_dns(f, GPOINTER_TO_UINT(data));
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  (void) data;
  dns_answer_unref(f->answer);
  dns_free(f->dns);
  dns_fake_free(f->fake);
  g_free(f->address);
  loop_free(f->loop);
}

static void
on_done(gpointer data, DnsAnswer *answer)
{
  Fixture *f = data;
  dns_answer_unref(f->answer);
  f->answer = dns_answer_ref(answer);
  if (--f->waiting == 0)
    loop_stop(f->loop);
}

static DnsWaiter *
ask_later(Fixture *f, const char *name, guint16 type, gboolean fresh)
{
  f->waiting++;
  return dns_ask(f->dns, name, type, fresh, on_done, f);
}

static const DnsAnswer *
ask(Fixture *f, const char *name, guint16 type)
{
  ask_later(f, name, type, FALSE);
  g_assert_true(loop_run(f->loop, NULL));
  g_assert_cmpuint(f->waiting, ==, 0);
  g_assert_cmpstr(f->answer->name, ==, name);
  g_assert_cmpuint(f->answer->type, ==, type);
  return f->answer;
}

static void
on_wait(gpointer data)
{
  loop_stop(data);
}

static void
wait_ms(Fixture *f, guint ms)
{
  loop_timer(f->loop, ms, on_wait, f->loop);
  g_assert_true(loop_run(f->loop, NULL));
}

static void
assert_texts(const DnsAnswer *answer, const char *expected)
{
  g_autoptr(GString) all = g_string_new(NULL);
  for (guint i = 0; i < answer->records->len; i++) {
    g_autofree char *text = rr_text(answer->type, answer->records->pdata[i]);
    g_string_append_printf(all, "%s%s", i > 0 ? "|" : "", text);
  }
  g_assert_cmpstr(all->str, ==, expected);
}

static const struct {
  const char *name;
  guint16 type;
  DnsOutcome outcome;
  gboolean secure;
  gboolean alias;
  const char *text; /* records, or why it failed */
  guint least_s;    /* how long it holds */
} answers[] = {
    {"ok.test", RR_TXT, DNS_DATA, TRUE, FALSE, "right", 60},
    {"upper.test", RR_TXT, DNS_DATA, TRUE, FALSE, "right", 60},
    {"plain.test", RR_TXT, DNS_DATA, FALSE, FALSE, "right", 60},
    {"", RR_TXT, DNS_DATA, TRUE, FALSE, "right", 60},
    {"mx.test", RR_MX, DNS_DATA, TRUE, FALSE, "10 mail.mx.test", 60},
    {"late.test", RR_TXT, DNS_DATA, TRUE, FALSE, "right", 60},
    {"spoof.test", RR_TXT, DNS_DATA, FALSE, FALSE, "right", 60},
    {"spoofonly.test", RR_TXT, DNS_FAILURE, FALSE, FALSE, "timeout", 5},
    {"silent.test", RR_TXT, DNS_FAILURE, FALSE, FALSE, "timeout", 5},
    {"servfail.test", RR_TXT, DNS_FAILURE, FALSE, FALSE, "SERVFAIL", 5},
    {"refused.test", RR_TXT, DNS_FAILURE, FALSE, FALSE, "REFUSED", 5},
    {"badvers.test", RR_TXT, DNS_FAILURE, FALSE, FALSE, "bad RCODE", 5},
    {"odd.test", RR_TXT, DNS_FAILURE, FALSE, FALSE, "NXDOMAIN with records", 5},
    {"nxdomain-30.test", RR_TXT, DNS_NXDOMAIN, TRUE, FALSE, "", 30},
    {"nodata-20.test", RR_TXT, DNS_NODATA, TRUE, FALSE, "", 20},
    {"nosoa.test", RR_TXT, DNS_NXDOMAIN, TRUE, FALSE, "", 1},
    {"loop.test", RR_TXT, DNS_FAILURE, FALSE, FALSE, "too many aliases", 5},
    {"chain-1.test", RR_TXT, DNS_DATA, TRUE, TRUE, "end", 90},
    {"chain-8.test", RR_TXT, DNS_DATA, TRUE, TRUE, "end", 60},
    {"chain-9.test", RR_TXT, DNS_FAILURE, FALSE, FALSE, "too many aliases", 5},
    {"chain-1.test", RR_CNAME, DNS_DATA, TRUE, FALSE, "", 90},
    {"dangling.test", RR_TXT, DNS_NODATA, TRUE, TRUE, "", 60},
    {"ttl-0.test", RR_TXT, DNS_DATA, TRUE, FALSE, "a|b", 1},
    {"ttl-7.test", RR_TXT, DNS_DATA, TRUE, FALSE, "a|b", 7},
    {"ttl-4294967295.test", RR_TXT, DNS_DATA, TRUE, FALSE, "a|b", 1},
    {"damage-0.test", RR_TXT, DNS_FAILURE, FALSE, FALSE, "damaged response", 5},
    {"damage-1.test", RR_TXT, DNS_FAILURE, FALSE, FALSE, "damaged response", 5},
    {"damage-2.test", RR_TXT, DNS_FAILURE, FALSE, FALSE, "damaged response", 5},
    {"damage-3.test", RR_TXT, DNS_FAILURE, FALSE, FALSE, "damaged response", 5},
    {"damage-4.test", RR_MX, DNS_FAILURE, FALSE, FALSE, "damaged record", 5},
    {"damage-5.test", RR_TXT, DNS_FAILURE, FALSE, FALSE, "damaged response", 5},
    {"damage-6.test", RR_TXT, DNS_FAILURE, FALSE, FALSE, "damaged response", 5},
    {"damage-7.test", RR_MX, DNS_FAILURE, FALSE, FALSE, "damaged record", 5},
    {"big.test", RR_TXT, DNS_DATA, TRUE, FALSE, "right", 60},
    {"bigclosed.test", RR_TXT, DNS_FAILURE, FALSE, FALSE,
     "truncated, and no answer over TCP", 5},
    {"bigcut.test", RR_TXT, DNS_FAILURE, FALSE, FALSE, "truncated, and no answer over TCP",
     5},
    {"bigwrong.test", RR_TXT, DNS_FAILURE, FALSE, FALSE,
     "truncated, and no answer over TCP", 5},
    {"biggarbage.test", RR_TXT, DNS_FAILURE, FALSE, FALSE,
     "truncated, and no answer over TCP", 5},
    {"bigagain.test", RR_TXT, DNS_FAILURE, FALSE, FALSE,
     "truncated, and no answer over TCP", 5},
    {"bigsilent.test", RR_TXT, DNS_FAILURE, FALSE, FALSE, "timeout", 5},
    {"a..b", RR_TXT, DNS_FAILURE, FALSE, FALSE, "not a name", 5},
};

static void
test_answers(Fixture *f, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < G_N_ELEMENTS(answers); i++) {
    g_test_message("%s", answers[i].name);
    const DnsAnswer *answer = ask(f, answers[i].name, answers[i].type);
    gint64 left_us = answer->expires_us - g_get_monotonic_time();
    g_assert_cmpint(answer->outcome, ==, answers[i].outcome);
    g_assert_cmpint(answer->secure, ==, answers[i].secure);
    g_assert_cmpint(answer->alias, ==, answers[i].alias);
    g_assert_cmpint(left_us, <=, (gint64) answers[i].least_s * G_TIME_SPAN_SECOND);
    g_assert_cmpint(left_us, >, (gint64) answers[i].least_s * G_TIME_SPAN_SECOND - 900000);
    if (answer->outcome == DNS_FAILURE)
      g_assert_cmpstr(answer->failure, ==, answers[i].text);
    else
      g_assert_null(answer->failure);
    if (answer->outcome != DNS_FAILURE && answer->type != RR_CNAME)
      assert_texts(answer, answers[i].text);
    g_assert_true((answer->records->len > 0) == (answer->outcome == DNS_DATA));
  }
}

static void
test_large(Fixture *f, gconstpointer data)
{
  (void) data;
  static const struct {
    const char *name;
    guint records;
    gsize len; /* of the text of the first */
  } rows[] = {{"bighuge-255.test", 1, 65025},
              {"bighuge-1.test", 1, 32745},
              {"bighuge-0.test", 1, 0},
              {"bigmany-3800.test", 3800, 1}};
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    gsize len = 1;
    g_test_message("%s", rows[i].name);
    const DnsAnswer *answer = ask(f, rows[i].name, RR_TXT);
    g_assert_cmpstr(answer->failure, ==, NULL);
    g_assert_cmpuint(answer->records->len, ==, rows[i].records);
    g_autofree char *text = rr_txt(answer->records->pdata[0], &len);
    g_assert_nonnull(text);
    g_assert_cmpuint(len, ==, rows[i].len);
  }
}

static void
test_kept(Fixture *f, gconstpointer data)
{
  (void) data;
  g_assert_null(dns_cached(f->dns, "ok.test", RR_TXT));
  ask(f, "ok.test", RR_TXT);
  g_assert_true(dns_cached(f->dns, "ok.test", RR_TXT) == f->answer);
  g_assert_null(dns_cached(f->dns, "ok.test", RR_MX));
  ask(f, "ok.test", RR_TXT);
  g_assert_cmpuint(dns_fake_asked(f->fake, "ok.test"), ==, 1);
  ask_later(f, "ok.test", RR_TXT, TRUE);
  loop_run(f->loop, NULL);
  g_assert_cmpuint(dns_fake_asked(f->fake, "ok.test"), ==, 2);
  gint64 begin_us = g_get_monotonic_time();
  for (guint i = 0; i < 3; i++) {
    ask(f, "nxdomain-1.test", RR_TXT);
    ask(f, "nodata-1.test", RR_TXT);
    ask(f, "servfail.test", RR_TXT);
    ask(f, "ttl-1.test", RR_TXT);
  }
  if (g_get_monotonic_time() - begin_us < G_TIME_SPAN_SECOND) /* its time to live */
    g_assert_cmpuint(dns_fake_asked(f->fake, "nxdomain-1.test"), ==, 1);
  g_assert_cmpuint(dns_fake_asked(f->fake, "servfail.test"), ==, 1);
  wait_ms(f, 1100);
  g_assert_null(dns_cached(f->dns, "ttl-1.test", RR_TXT));
  ask(f, "nxdomain-1.test", RR_TXT);
  ask(f, "nodata-1.test", RR_TXT);
  ask(f, "ttl-1.test", RR_TXT);
  ask(f, "servfail.test", RR_TXT);
  g_assert_cmpuint(dns_fake_asked(f->fake, "nxdomain-1.test"), ==, 2);
  g_assert_cmpuint(dns_fake_asked(f->fake, "nodata-1.test"), ==, 2);
  g_assert_cmpuint(dns_fake_asked(f->fake, "ttl-1.test"), ==, 2);
  g_assert_cmpuint(dns_fake_asked(f->fake, "servfail.test"), ==, 1);
}

static DnsAnswer *
put(DnsCache *cache, const char *name, gint64 expires_us, gsize len)
{
  g_autofree char *data = g_malloc0(len);
  g_autoptr(DnsAnswer) answer = dns_answer_new(name, RR_TXT);
  if (len > 0)
    dns_answer_add(answer, data, len);
  answer->expires_us = expires_us;
  dns_cache_put(cache, answer, 0);
  return dns_cache_get(cache, name, RR_TXT, 0);
}

static void
test_cache(void)
{
  g_autoptr(DnsCache) cache = dns_cache_new(3, 10000);
  put(cache, "a", 10, 1);
  put(cache, "b", 10, 1);
  put(cache, "c", 10, 1);
  g_assert_nonnull(dns_cache_get(cache, "a", RR_TXT, 9)); /* used last: b goes first */
  g_assert_null(dns_cache_get(cache, "a", RR_TXT, 10));
  put(cache, "d", 10, 1);
  g_assert_cmpuint(dns_cache_size(cache), ==, 3);
  g_assert_nonnull(dns_cache_get(cache, "a", RR_TXT, 0));
  g_assert_null(dns_cache_get(cache, "b", RR_TXT, 0));

  /* Octets have a bound of their own */
  g_assert_nonnull(put(cache, "e", 10, 9000));
  g_assert_cmpuint(dns_cache_size(cache), <, 3);
  g_assert_null(put(cache, "f", 10, 11000));
  g_assert_cmpuint(dns_cache_size(cache), ==, 0);
  for (guint i = 0; i < 100; i++)
    g_assert_nonnull(put(cache, "g", 10, 5000)); /* what is replaced does not count */

  /* A failure does not take the place of what still holds */
  g_assert_cmpint(put(cache, "g", 10, 0)->outcome, ==, DNS_DATA);
  put(cache, "g", -1, 1);
  g_assert_cmpint(put(cache, "g", 10, 0)->outcome, ==, DNS_FAILURE);
  g_assert_cmpint(put(cache, "g", 10, 1)->outcome, ==, DNS_DATA);
}

static void
test_many(Fixture *f, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < 2000; i++) {
    g_autofree char *name = g_strdup_printf("n%u.test", i);
    ask_later(f, name, RR_TXT, FALSE);
  }
  gint64 start_us = g_get_monotonic_time();
  g_assert_true(loop_run(f->loop, NULL));
  gint64 took_us = g_get_monotonic_time() - start_us;
  g_test_message("2000 answers in %" G_GINT64_FORMAT " us", took_us);
  gboolean fast = took_us < 900 * 1000; /* not even one waited for its second try */
  g_assert_cmpint(took_us, <, 20 * G_TIME_SPAN_SECOND);
  for (guint i = 0; i < 2000; i++) {
    g_autofree char *name = g_strdup_printf("n%u.test", i);
    const DnsAnswer *answer = dns_cached(f->dns, name, RR_TXT);
    g_assert_nonnull(answer);
    g_assert_cmpstr(answer->failure, ==, NULL);
    g_assert_true(answer->secure);
    g_assert_cmpuint(dns_fake_asked(f->fake, name), <=, fast ? 1 : 3);
  }
}

static void
test_joined(Fixture *f, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < 10; i++)
    ask_later(f, "ok.test", RR_TXT, FALSE);
  g_assert_true(loop_run(f->loop, NULL));
  g_assert_cmpuint(dns_fake_asked(f->fake, "ok.test"), ==, 1);
  ask_later(f, "again.test", RR_TXT, FALSE);
  ask_later(f, "again.test", RR_TXT, TRUE);
  ask_later(f, "again.test", RR_TXT, FALSE);
  g_assert_true(loop_run(f->loop, NULL));
  g_assert_cmpuint(dns_fake_asked(f->fake, "again.test"), ==, 2);
}

static void
test_too_many(Fixture *f, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < 4096; i++) {
    g_autofree char *name = g_strdup_printf("silent%u.test", i);
    ask_later(f, name, RR_TXT, FALSE);
  }
  f->waiting = 0;
  const DnsAnswer *answer = ask(f, "ok.test", RR_TXT);
  g_assert_cmpstr(answer->failure, ==, "too many questions at once");
  g_assert_null(dns_cached(f->dns, "ok.test", RR_TXT));
  f->waiting = 4096;
  g_assert_true(loop_run(f->loop, NULL));
  g_assert_cmpstr(f->answer->failure, ==, "timeout");
  answer = ask(f, "ok.test", RR_TXT);
  g_assert_cmpstr(answer->failure, ==, NULL);
}

static void
test_cancel(Fixture *f, gconstpointer data)
{
  (void) data;
  DnsWaiter *first = ask_later(f, "ok.test", RR_TXT, FALSE);
  ask_later(f, "ok.test", RR_TXT, FALSE);
  DnsWaiter *other = ask_later(f, "other.test", RR_TXT, FALSE);
  DnsWaiter *settled = ask_later(f, "a..b", RR_TXT, FALSE);
  dns_cancel(first);
  dns_cancel(other);
  dns_cancel(settled);
  f->waiting = 1;
  g_assert_true(loop_run(f->loop, NULL));
  for (guint i = 0; i < 400 && dns_cached(f->dns, "other.test", RR_TXT) == NULL; i++)
    wait_ms(f, 10);
  g_assert_cmpuint(f->waiting, ==, 0);
  g_assert_nonnull(dns_cached(f->dns, "other.test", RR_TXT));
  dns_cancel(ask_later(f, "silent.test", RR_TXT, FALSE)); /* the rest ends with dns_free */
}

/* Who hears the answer first ends the waiting of the other, and asks on. */
typedef struct {
  Fixture *f;
  DnsWaiter *other;
  guint heard;
} Pair;

static void
on_first(gpointer data, DnsAnswer *answer)
{
  Pair *pair = data;
  pair->heard++;
  dns_cancel(pair->other);
  ask_later(pair->f, answer->name, RR_TXT, TRUE);
  ask_later(pair->f, answer->name, RR_TXT, FALSE);
}

static void
test_callbacks(Fixture *f, gconstpointer data)
{
  (void) data;
  Pair pair = {.f = f};
  dns_ask(f->dns, "ok.test", RR_TXT, FALSE, on_first, &pair);
  pair.other = dns_ask(f->dns, "ok.test", RR_TXT, FALSE, on_first, &pair);
  g_assert_true(loop_run(f->loop, NULL));
  g_assert_cmpuint(pair.heard, ==, 1);
  g_assert_cmpuint(f->waiting, ==, 0);
  g_assert_cmpuint(dns_fake_asked(f->fake, "ok.test"), ==, 2);
}

static void
test_deadline(Fixture *f, gconstpointer data)
{
  (void) data;
  gint64 start_us = g_get_monotonic_time();
  ask(f, "silent.test", RR_TXT);
  gint64 took_ms = (g_get_monotonic_time() - start_us) / 1000;
  g_assert_cmpint(took_ms, >=, SHORT_MS - 1);
  g_assert_cmpint(took_ms, <, SHORT_MS + 10000);
  g_assert_cmpuint(dns_fake_asked(f->fake, "silent.test"), ==, 3);
}

static void
test_nobody_listens(Fixture *f, gconstpointer data)
{
  (void) data;
  dns_fake_deaf(f->fake);
  dns_free(f->dns);
  const DnsOptions options = {.address = f->address};
  f->dns = dns_new(f->loop, &options, NULL);
  gint64 start_us = g_get_monotonic_time();
  for (guint i = 0; i < 300; i++) {
    g_autofree char *name = g_strdup_printf("n%u.test", i);
    ask_later(f, name, RR_TXT, FALSE);
  }
  g_assert_true(loop_run(f->loop, NULL));
  g_assert_cmpstr(f->answer->failure, ==, "the resolver does not listen");
  g_assert_cmpint(g_get_monotonic_time() - start_us, <, 20 * G_TIME_SPAN_SECOND);
}

/* The resolver was away for a moment: the same socket goes on. */
static void
test_listens_again(Fixture *f, gconstpointer data)
{
  (void) data;
  dns_fake_deaf(f->fake);
  ask_later(f, "ok.test", RR_TXT, FALSE);
  loop_timer(f->loop, 100, on_wait, f->loop);
  g_assert_true(loop_run(f->loop, NULL));
  dns_fake_listen(f->fake);
  g_assert_true(loop_run(f->loop, NULL));
  g_assert_cmpstr(f->answer->failure, ==, NULL);
}

static void
test_addresses(void)
{
  static const struct {
    const char *text;
    int family; /* 0: refused */
    guint16 port;
  } rows[] = {{"127.0.0.1", AF_INET, 53},
              {"127.0.0.53", AF_INET, 53},
              {"::1", AF_INET6, 53},
              {"127.0.0.1:5353", AF_INET, 5353},
              {"[::1]:53", AF_INET6, 53},
              {"[::1]:5353", AF_INET6, 5353},
              {"[::1]", AF_INET6, 53},
              {"192.0.2.1", 0, 0},
              {"8.8.8.8", 0, 0},
              {"8.8.8.8:53", 0, 0},
              {"128.0.0.1", 0, 0},
              {"0.0.0.0", 0, 0},
              {"::", 0, 0},
              {"2001:db8::1", 0, 0},
              {"::ffff:127.0.0.1", 0, 0},
              {"localhost", 0, 0},
              {"resolver.example.nl", 0, 0},
              {"", 0, 0},
              {"127.0.0.1:", 0, 0},
              {"127.0.0.1:0", 0, 0},
              {"127.0.0.1:65536", 0, 0},
              {"127.0.0.1:53x", 0, 0},
              {"127.0.0.1.nl", 0, 0},
              {"127.1", 0, 0},
              {"[127.0.0.1]:53", 0, 0},
              {"[::1", 0, 0},
              {"[::1]53", 0, 0},
              {"[::1]x:53", 0, 0},
              {"::1]:53", 0, 0},
              {"[", 0, 0}};
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = NULL;
    DnsServer server = {.len = 1};
    g_test_message("\"%s\"", rows[i].text);
    gboolean good = dns_server_parse(rows[i].text, &server, &error);
    g_assert_cmpint(good, ==, rows[i].family != 0);
    if (!good) {
      g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
      g_assert_nonnull(strstr(error->message, "run a validating resolver"));
      continue;
    }
    const struct sockaddr_in *v4 = (struct sockaddr_in *) &server.address;
    g_assert_cmpint(server.address.ss_family, ==, rows[i].family);
    g_assert_cmpuint(ntohs(v4->sin_port), ==, rows[i].port); /* at the same place in v6 */
  }
}

static void
test_refused_address(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Loop) loop = loop_new(NULL);
  const DnsOptions options = {.address = "192.0.2.1"};
  g_assert_null(dns_new(loop, &options, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
}

#define ADD(name, timeout_ms, function)                                                    \
  g_test_add(name, Fixture, GUINT_TO_POINTER(timeout_ms), set_up, function, tear_down)
int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  ADD("/dns/answers", SHORT_MS, test_answers);
  ADD("/dns/large", LONG_MS, test_large);
  ADD("/dns/kept", LONG_MS, test_kept);
  ADD("/dns/many", LONG_MS, test_many);
  ADD("/dns/joined", LONG_MS, test_joined);
  ADD("/dns/too-many", SHORT_MS, test_too_many);
  ADD("/dns/cancel", LONG_MS, test_cancel);
  ADD("/dns/callbacks", LONG_MS, test_callbacks);
  ADD("/dns/deadline", SHORT_MS, test_deadline);
  ADD("/dns/nobody-listens", LONG_MS, test_nobody_listens);
  ADD("/dns/listens-again", LONG_MS, test_listens_again);
  g_test_add_func("/dns/cache", test_cache);
  g_test_add_func("/dns/addresses", test_addresses);
  g_test_add_func("/dns/refused-address", test_refused_address);
  return g_test_run();
}
