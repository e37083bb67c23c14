#include "tests/unit/policyd/answer_fake.h"

#include <string.h>

#include "common/ask/check.h"

struct DnsWaiter {
  Dns *dns;
  char *name;
  guint16 type;
  LoopTimer *timer; /* NULL: silent */
  DnsDone done;
  gpointer data;
};

static const char *
word_of(const Dns *dns, const char *name)
{
  static const char *const words[] = {"yes", "no", "failure", "silent", "slow"};
  if (g_str_has_prefix(name, "second."))
    name += strlen("second.");
  if (g_str_has_prefix(name, "ours"))
    return dns->first;
  for (guint i = 0; i < G_N_ELEMENTS(words); i++)
    if (g_str_has_prefix(name, words[i]))
      return words[i];
  return "no";
}

static void
waiter_free(DnsWaiter *waiter)
{
  waiter->dns->waiting--;
  g_free(waiter->name);
  g_free(waiter);
}

static void
give(gpointer data)
{
  DnsWaiter *waiter = data;
  const char *word = word_of(waiter->dns, waiter->name);
  g_autoptr(DnsAnswer) answer = dns_answer_new(waiter->name, waiter->type);
  gint64 keep_us = waiter->dns->keep_us != 0 ? waiter->dns->keep_us : G_TIME_SPAN_MINUTE;
  answer->expires_us = g_get_monotonic_time() + keep_us;
  if (strcmp(word, "failure") != 0)
    dns_answer_add(answer, word, strlen(word));
  waiter->done(waiter->data, answer);
  waiter_free(waiter);
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
  const char *word = word_of(dns, name);
  DnsWaiter *waiter = g_new0(DnsWaiter, 1);
  (void) fresh;
  waiter->dns = dns;
  waiter->name = g_strdup(name);
  waiter->type = type;
  waiter->done = done;
  waiter->data = data;
  if (strcmp(word, "silent") != 0)
    waiter->timer = loop_timer(
        dns->loop, strcmp(word, "slow") == 0 ? FAKE_SLOW_MS : FAKE_ANSWER_MS, give, waiter);
  dns->asked++;
  dns->waiting++;
  return waiter;
}

void
dns_cancel(DnsWaiter *waiter)
{
  loop_timer_cancel(waiter->timer);
  waiter_free(waiter);
}

SpfWaiter *
spf_ask(Spf *spf, const char *address, const char *helo, const char *sender, SpfDone done,
        gpointer data)
{
  (void) spf;
  (void) address;
  (void) helo;
  (void) sender;
  (void) done;
  (void) data;
  g_assert_not_reached();
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
  (void) waiter;
}

const char *
spf_verdict_name(SpfVerdict verdict)
{
  return verdict == SPF_VERDICT_TEMPERROR ? "temperror" : "none";
}

/* Whether ANSWER says yes; into VERDICT when it does not. FALSE: not, or not there yet. */
static gboolean
says_yes(const DnsAnswer *answer, Verdict *verdict)
{
  if (answer == NULL)
    return FALSE;
  if (answer->outcome == DNS_FAILURE) {
    verdict->readiness = READINESS_UNKNOWN;
    return FALSE;
  }
  gsize len = 0;
  const char *word = g_bytes_get_data(answer->records->pdata[0], &len);
  gboolean no = len == 2 && memcmp(word, "no", 2) == 0;
  if (no)
    verdict->readiness = READINESS_NO;
  return !no;
}

/* Two answers, of which the second is asked for when the first is there. */
static void
read_two(Lookup *lookup, const char *domain, const char *code, GPtrArray *lines,
         Verdict *verdict)
{
  g_autofree char *second = g_strconcat("second.", domain, NULL);
  *verdict = (Verdict){.readiness = READINESS_UNKNOWN, .code = code};
  if (says_yes(lookup_dns(lookup, domain, RR_TXT), verdict) &&
      says_yes(lookup_dns(lookup, second, RR_TLSA), verdict))
    verdict->readiness = READINESS_YES;
  CheckResult result = verdict->readiness == READINESS_YES  ? CHECK_PASS
                       : verdict->readiness == READINESS_NO ? CHECK_FAIL
                                                            : CHECK_UNKNOWN;
  if (lines != NULL)
    g_ptr_array_add(lines, check_line_new(code, result, TRUE, "the rule", domain, ""));
}

void
ready_theirs(Lookup *lookup, const NtaRules *rules, const char *domain,
             const BookEntry *partner, GPtrArray *lines, Verdict *verdict)
{
  g_assert_cmpint(rules->month, >, 2020 * 12);
  read_two(lookup, domain, "Z-N1-FAKE", lines, verdict);
  if (verdict->readiness != READINESS_YES)
    return;
  verdict->nexthop = partner != NULL ? g_strdup("[mx.partner.nl]:25") : g_strdup(domain);
  verdict->policy = partner != NULL ? g_strdup(partner->policy) : NULL;
}

void
ready_ours(Lookup *lookup, const NtaRules *rules, const char *domain, const OwnFacts *own,
           GPtrArray *lines, Verdict *verdict)
{
  g_assert_cmpint(rules->month, >, 2020 * 12);
  g_assert_cmpstr(own->declaration, ==, "2026-01-02");
  read_two(lookup, domain, "Z-N2-FAKE", lines, verdict);
}

void
verdict_clear(Verdict *verdict)
{
  g_clear_pointer(&verdict->nexthop, g_free);
  g_clear_pointer(&verdict->policy, g_free);
}

void
fake_certificate(Clients *clients, guint16 port, const char *fingerprint)
{
  g_autoptr(ClientCertificate) certificate = g_new0(ClientCertificate, 1);
  certificate->fingerprint = g_strdup(fingerprint);
  clients_note(clients, "192.0.2.7", port,
               fingerprint != NULL ? g_steal_pointer(&certificate) : NULL,
               g_get_monotonic_time());
}
