#include "policyd/ready.h"

#include <string.h>

#include "policyd/advice.h"
#include "policyd/dkim.h"
#include "policyd/hosts.h"
#include "policyd/record.h"

#define DAY_BYTES 10 /* "YYYY-MM-DD" */

/* An SPF record for our relay, to publish. */
static void
mend_spf(Checks *checks, const OwnFacts *own)
{
  g_autoptr(GString) text = g_string_new("v=spf1 mx");
  for (const char *const *address = own->relay_addresses; *address != NULL; address++)
    g_string_append_printf(text, " %s:%s", strchr(*address, ':') != NULL ? "ip6" : "ip4",
                           *address);
  checks_mend(checks, "publish one SPF record: %s. IN TXT \"%s -all\"", checks->domain,
              text->str);
}

static CheckResult
spf_result(SpfVerdict verdict)
{
  if (verdict == SPF_VERDICT_PASS)
    return CHECK_PASS;
  return verdict == SPF_VERDICT_TEMPERROR ? CHECK_UNKNOWN : CHECK_FAIL;
}

static void
spf_check(Checks *checks, const OwnFacts *own)
{
  const char *helo = *own->hostname != '\0' ? own->hostname : checks->domain;
  g_autofree char *sender = g_strconcat("postmaster@", checks->domain, NULL);
  CheckResult result = CHECK_PASS;
  for (const char *const *address = own->relay_addresses; *address != NULL; address++) {
    SpfVerdict verdict = SPF_VERDICT_TEMPERROR;
    gboolean there = lookup_spf(checks->lookup, *address, helo, sender, &verdict);
    result = check_worse(result, there ? spf_result(verdict) : CHECK_UNKNOWN);
    checks_found(checks, "%s with HELO %s: %s", *address, helo,
                 there ? spf_verdict_name(verdict) : "no answer yet");
  }
  if (*own->relay_addresses == NULL) {
    result = CHECK_FAIL;
    checks_found(checks, "it is not known from which address our mail leaves");
    checks_mend(checks, "set relay_addresses in section [postfix] of zegel.conf");
  } else if (result == CHECK_FAIL) {
    mend_spf(checks, own);
  }
  checks_require(checks, "Z-N2-SPF", result, "SPF passes for our relay");
}

/* Whether DAY is one that was, or is today. */
static gboolean
day_has_come(const char *day)
{
  g_autofree char *today = nta_day_text(g_get_real_time() / G_USEC_PER_SEC);
  return strlen(day) == DAY_BYTES && strcmp(day, today) <= 0;
}

static void
declaration_check(Checks *checks, const OwnFacts *own)
{
  const char *day = own->declaration;
  gboolean good = day_has_come(day);
  checks_found(checks, "%s%s", *day != '\0' ? day : "none is recorded",
               *day == '\0' || good ? "" : ", which is still to come");
  checks_mend(checks, "sign the declaration, and record its day: nta_declaration = "
                      "YYYY-MM-DD in the [organisation] section of zegel.conf");
  checks_require(checks, "Z-N2-DECLARATION", good ? CHECK_PASS : CHECK_FAIL,
                 "the organisation has declared that it follows NTA 7516");
}

void
ready_ours(Lookup *lookup, const NtaRules *rules, const char *domain, const OwnFacts *own,
           GPtrArray *lines, Verdict *verdict)
{
  g_auto(Checks) checks;
  const char *mail_host = *own->hostname != '\0' ? own->hostname : NULL;
  checks_init(&checks, lookup, domain, lines);
  if (lookup_dns(lookup, domain, RR_TXT) == NULL)
    lookup_dns(lookup, domain, RR_MX); /* at once: a record without ntamx needs it */
  g_autoptr(NtaRecord) record = record_check(&checks, rules, mail_host);
  if (record != NULL)
    hosts_check(&checks, record, NULL);
  spf_check(&checks, own);
  dkim_check(&checks, own->dkim_directory);
  dmarc_check(&checks, TRUE);
  declaration_check(&checks, own);
  if (lines != NULL) {
    spf_all_check(&checks);
    contact_check(&checks);
  }
  *verdict = (Verdict){.readiness = checks_readiness(&checks)};
  verdict->code = checks.code != NULL ? checks.code : "Z-N2-READY";
}
