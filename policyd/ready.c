#include "policyd/ready.h"

#include "policyd/advice.h"
#include "policyd/hosts.h"
#include "policyd/record.h"

static void
fill(Verdict *verdict, const Checks *checks, const char *ready_code)
{
  *verdict = (Verdict){.readiness = checks_readiness(checks)};
  verdict->code = checks->code != NULL ? checks->code : ready_code;
}

void
ready_theirs(Lookup *lookup, const NtaRules *rules, const char *domain,
             const BookEntry *partner, GPtrArray *lines, Verdict *verdict)
{
  const char *policy = partner != NULL ? partner->policy : NULL;
  g_auto(Checks) checks;
  checks_init(&checks, lookup, domain, lines);
  if (lookup_dns(lookup, domain, RR_TXT) == NULL)
    lookup_dns(lookup, domain, RR_MX); /* at once: a record without ntamx needs it */
  g_autoptr(NtaRecord) record = record_check(&checks, rules, NULL);
  if (record != NULL && (lines != NULL || checks.result != CHECK_FAIL))
    hosts_check(&checks, record, policy);
  if (lines != NULL) {
    spf_all_check(&checks);
    dmarc_check(&checks, FALSE);
    contact_check(&checks);
  }
  fill(verdict, &checks, "Z-N1-READY");
  if (verdict->readiness != READINESS_YES)
    return;
  verdict->nexthop = hosts_nexthop(domain, record, policy);
  verdict->policy = g_strdup(policy);
}

void
verdict_clear(Verdict *verdict)
{
  g_clear_pointer(&verdict->nexthop, g_free);
  g_clear_pointer(&verdict->policy, g_free);
}
