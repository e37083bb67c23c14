#include "policyd/lookup.h"

#include <string.h>

#include "tests/unit/policyd/dns_fake.h"
#include "tests/unit/tap.h"

/* SPF here is what the test says: the waiter that was given out last, or NULL. */
struct SpfWaiter {
  SpfDone done;
  gpointer data;
};

static SpfWaiter *spf_waiter;

SpfWaiter *
spf_ask(Spf *spf, const char *address, const char *helo, const char *sender, SpfDone done,
        gpointer data)
{
  (void) spf;
  (void) address;
  (void) helo;
  (void) sender;
  g_assert_null(spf_waiter);
  spf_waiter = g_new0(SpfWaiter, 1);
  spf_waiter->done = done;
  spf_waiter->data = data;
  return spf_waiter;
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
  g_assert_true(waiter == spf_waiter);
  g_clear_pointer(&spf_waiter, g_free);
}

static void
tell_spf(SpfVerdict verdict)
{
  SpfWaiter *waiter = g_steal_pointer(&spf_waiter);
  waiter->done(waiter->data, verdict);
  g_free(waiter);
}

typedef struct {
  Loop *loop;
  DnsFake *fake;
  Dns *dns;
  Lookup *lookup;
  guint came;
  gboolean free_then; /* the lookup, in CAME */
} Fixture;

static void
on_came(gpointer data)
{
  Fixture *f = data;
  f->came++;
  loop_stop(f->loop);
  if (f->free_then)
    g_clear_pointer(&f->lookup, lookup_free);
}

static void
set_up(Fixture *f, gconstpointer data)
{
  f->loop = loop_new(NULL);
  f->fake = dns_fake_new(f->loop);
  g_autofree char *address = dns_fake_address(f->fake);
  const DnsOptions options = {.address = address};
  f->dns = dns_new(f->loop, &options, NULL);
  g_assert_nonnull(f->dns);
  f->lookup = lookup_new(f->dns, (Spf *) f, data != NULL, on_came, f);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  (void) data;
  lookup_free(f->lookup);
  dns_free(f->dns);
  dns_fake_free(f->fake);
  loop_free(f->loop);
  g_assert_null(spf_waiter);
}

static void
run(Fixture *f)
{
  g_assert_true(loop_run(f->loop, NULL));
}

static void
test_read_again(Fixture *f, gconstpointer data)
{
  (void) data;
  g_assert_cmpint(lookup_expires_us(f->lookup), ==, G_MAXINT64);
  g_assert_null(lookup_dns(f->lookup, "a.test", RR_TXT));
  g_assert_null(lookup_dns(f->lookup, "nodata-20.test", RR_TXT));
  g_assert_null(lookup_dns(f->lookup, "a.test", RR_TXT));
  g_assert_cmpuint(lookup_missing(f->lookup), ==, 2);
  g_assert_cmpuint(f->came, ==, 0);
  while (lookup_missing(f->lookup) > 0)
    run(f);
  g_assert_cmpuint(f->came, ==, 2);
  const DnsAnswer *answer = lookup_dns(f->lookup, "a.test", RR_TXT);
  g_assert_nonnull(answer);
  g_assert_cmpint(answer->outcome, ==, DNS_DATA);
  g_assert_true(lookup_dns(f->lookup, "a.test", RR_TXT) == answer);
  answer = lookup_dns(f->lookup, "nodata-20.test", RR_TXT);
  g_assert_cmpint(answer->outcome, ==, DNS_NODATA);
  g_assert_cmpint(lookup_expires_us(f->lookup), ==, answer->expires_us);
  g_assert_cmpuint(dns_fake_asked(f->fake, "a.test"), ==, 1);

  g_autoptr(Lookup) other = lookup_new(f->dns, NULL, FALSE, on_came, f);
  g_assert_nonnull(lookup_dns(other, "a.test", RR_TXT)); /* it is kept */
  g_assert_cmpuint(lookup_missing(other), ==, 0);
}

static void
test_fresh(Fixture *f, gconstpointer data)
{
  (void) data;
  g_assert_null(lookup_dns(f->lookup, "a.test", RR_TXT));
  run(f);
  const DnsAnswer *answer = lookup_dns(f->lookup, "a.test", RR_TXT);
  g_assert_nonnull(answer); /* asked anew once, and the same from then on */
  g_autoptr(Lookup) other = lookup_new(f->dns, NULL, TRUE, on_came, f);
  g_assert_null(lookup_dns(other, "a.test", RR_TXT));
  run(f);
  g_assert_nonnull(lookup_dns(other, "a.test", RR_TXT));
  g_assert_true(lookup_dns(f->lookup, "a.test", RR_TXT) == answer);
  g_assert_cmpuint(dns_fake_asked(f->fake, "a.test"), ==, 2);
}

static void
test_give_up(Fixture *f, gconstpointer data)
{
  (void) data;
  SpfVerdict verdict = SPF_VERDICT_PASS;
  g_assert_null(lookup_dns(f->lookup, "a.test", RR_TXT));
  run(f);
  g_assert_null(lookup_dns(f->lookup, "silent.test", RR_MX));
  g_assert_false(lookup_spf(f->lookup, "192.0.2.1", "h", "a@b", &verdict));
  g_assert_cmpuint(lookup_missing(f->lookup), ==, 2);
  lookup_give_up(f->lookup);
  g_assert_cmpuint(lookup_missing(f->lookup), ==, 0);
  g_assert_cmpuint(f->came, ==, 1);
  const DnsAnswer *answer = lookup_dns(f->lookup, "silent.test", RR_MX);
  g_assert_cmpint(answer->outcome, ==, DNS_FAILURE);
  g_assert_cmpstr(answer->failure, ==, "no answer in time");
  g_assert_cmpstr(answer->name, ==, "silent.test");
  g_assert_cmpuint(answer->type, ==, RR_MX);
  answer = lookup_dns(f->lookup, "b.test", RR_TXT); /* not asked any more */
  g_assert_cmpint(answer->outcome, ==, DNS_FAILURE);
  g_assert_cmpuint(dns_fake_asked(f->fake, "b.test"), ==, 0);
  g_assert_cmpint(lookup_dns(f->lookup, "a.test", RR_TXT)->outcome, ==, DNS_DATA);
  g_assert_cmpint(lookup_expires_us(f->lookup), <=, g_get_monotonic_time());
  g_assert_true(lookup_spf(f->lookup, "192.0.2.1", "h", "a@b", &verdict));
  g_assert_cmpint(verdict, ==, SPF_VERDICT_TEMPERROR);
}

static void
test_spf(Fixture *f, gconstpointer data)
{
  (void) data;
  SpfVerdict verdict = SPF_VERDICT_NONE;
  g_assert_false(lookup_spf(f->lookup, "192.0.2.1", "h", "a@b", &verdict));
  g_assert_false(lookup_spf(f->lookup, "192.0.2.1", "h", "a@b", &verdict));
  g_assert_cmpuint(lookup_missing(f->lookup), ==, 1);
  tell_spf(SPF_VERDICT_PASS);
  g_assert_cmpuint(f->came, ==, 1);
  g_assert_cmpuint(lookup_missing(f->lookup), ==, 0);
  g_assert_true(lookup_spf(f->lookup, "192.0.2.1", "h", "a@b", &verdict));
  g_assert_cmpint(verdict, ==, SPF_VERDICT_PASS);
  g_assert_false(lookup_spf(f->lookup, "192.0.2.2", "h", "a@b", &verdict));
  /* the rest ends with lookup_free */
}

/* Without DNS and SPF there is only what was put there. */
static void
test_put(Fixture *f, gconstpointer data)
{
  (void) data;
  SpfVerdict verdict = SPF_VERDICT_PASS;
  g_autoptr(Lookup) lookup = lookup_new(NULL, NULL, FALSE, on_came, f);
  g_autoptr(DnsAnswer) put = dns_answer_new("a.test", RR_TXT);
  dns_answer_add(put, "\1a", 2);
  put->expires_us = 17;
  lookup_put(lookup, put);
  g_assert_true(lookup_dns(lookup, "a.test", RR_TXT) == put);
  g_assert_cmpint(lookup_expires_us(lookup), ==, 17);
  g_assert_cmpint(lookup_dns(lookup, "a.test", RR_MX)->outcome, ==, DNS_FAILURE);
  g_assert_true(lookup_spf(lookup, "192.0.2.1", "h", "a@b", &verdict));
  g_assert_cmpint(verdict, ==, SPF_VERDICT_TEMPERROR);
  g_assert_cmpuint(lookup_missing(lookup), ==, 0);

  /* Instead of what is on its way */
  g_assert_null(lookup_dns(f->lookup, "a.test", RR_TXT));
  lookup_put(f->lookup, put);
  g_assert_cmpuint(lookup_missing(f->lookup), ==, 0);
  g_assert_true(lookup_dns(f->lookup, "a.test", RR_TXT) == put);
}

static void
test_free_in_came(Fixture *f, gconstpointer data)
{
  (void) data;
  SpfVerdict verdict;
  f->free_then = TRUE;
  g_assert_null(lookup_dns(f->lookup, "a.test", RR_TXT));
  g_assert_null(lookup_dns(f->lookup, "silent.test", RR_TXT));
  g_assert_false(lookup_spf(f->lookup, "192.0.2.1", "h", "a@b", &verdict));
  run(f);
  g_assert_null(f->lookup);
  g_assert_null(spf_waiter);
  g_assert_cmpuint(f->came, ==, 1);
}

#define ADD(name, fresh, function)                                                         \
  g_test_add(name, Fixture, fresh, set_up, function, tear_down)

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  ADD("/lookup/read-again", NULL, test_read_again);
  ADD("/lookup/fresh", "fresh", test_fresh);
  ADD("/lookup/give-up", NULL, test_give_up);
  ADD("/lookup/spf", NULL, test_spf);
  ADD("/lookup/put", NULL, test_put);
  ADD("/lookup/free-in-came", NULL, test_free_in_came);
  return g_test_run();
}
