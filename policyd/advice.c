#include "policyd/advice.h"

#include <string.h>

#include "policyd/address.h"
#include "policyd/dmarc.h"

#define REDIRECT_MAX 5 /* of an SPF record to the next */

void
dmarc_check(Checks *checks, gboolean required)
{
  g_auto(DmarcResult) found = {.policy = DMARC_NONE};
  DmarcStatus status = dmarc_find(checks->lookup, checks->domain, &found);
  CheckResult result = CHECK_UNKNOWN;
  if (status == DMARC_FOUND || status == DMARC_ABSENT)
    result = found.policy == DMARC_NONE ? CHECK_FAIL : CHECK_PASS;
  if (status == DMARC_FOUND)
    checks_found(checks, "policy %s%s, by _dmarc.%s", dmarc_policy_name(found.policy),
                 found.record.testing ? " (lowered by t=y)" : "", found.found_at);
  else
    checks_found(checks, "%s",
                 status == DMARC_ABSENT ? "no DMARC record of the domain or above it"
                                        : "the DNS gave no answer");
  if (result == CHECK_FAIL)
    checks_mend(checks,
                "publish: _dmarc.%s. IN TXT \"v=DMARC1; p=quarantine; "
                "rua=mailto:dmarc-reports@%s\"",
                checks->domain, checks->domain);
  (required ? checks_require : checks_advise)(checks, "Z-N2-DMARC", result,
                                              "DMARC says quarantine or reject");
}

/* Whether TEXT begins with the version of SPF (RFC 7208 4.5). */
static gboolean
is_spf(const char *text)
{
  return g_ascii_strncasecmp(text, "v=spf1", 6) == 0 && (text[6] == ' ' || text[6] == '\0');
}

/* The SPF record of ANSWER, a new string, or NULL: none or several; *COUNT says. */
static char *
find_spf(const DnsAnswer *answer, guint *count)
{
  g_autofree char *found = NULL;
  *count = 0;
  for (guint i = 0; i < answer->records->len; i++) {
    gsize len = 0;
    g_autofree char *text = rr_txt(answer->records->pdata[i], &len);
    if (text == NULL || strlen(text) != len || !is_spf(text))
      continue;
    g_free(found);
    found = g_steal_pointer(&text);
    (*count)++;
  }
  return *count == 1 ? g_steal_pointer(&found) : NULL;
}

/* What SPF record TEXT ends in: -all passes; with redirect= and no "all", *NEXT gets the
 * domain it goes on at. */
static CheckResult
spf_end(const char *text, char **next)
{
  g_auto(GStrv) terms = g_strsplit(text, " ", -1);
  for (char **term = terms; *term != NULL; term++) {
    const char *name = *term + (strchr("+-~?", **term) != NULL && **term != '\0' ? 1 : 0);
    if (g_ascii_strcasecmp(name, "all") == 0) {
      g_clear_pointer(next, g_free);
      return **term == '-' ? CHECK_PASS : CHECK_FAIL;
    }
    if (g_ascii_strncasecmp(*term, "redirect=", 9) == 0) {
      g_free(*next);
      *next = domain_canonical(*term + 9);
    }
  }
  return CHECK_FAIL;
}

static CheckResult
follow_spf(Checks *checks)
{
  g_autofree char *domain = g_strdup(checks->domain);
  for (guint i = 0; i <= REDIRECT_MAX; i++) {
    guint count = 0;
    g_autofree char *next = NULL;
    const DnsAnswer *answer = lookup_dns(checks->lookup, domain, RR_TXT);
    if (answer == NULL || answer->outcome == DNS_FAILURE) {
      checks_found(checks, "TXT of %s: %s", domain, check_answer_text(answer));
      return CHECK_UNKNOWN;
    }
    g_autofree char *text = find_spf(answer, &count);
    if (text == NULL) {
      checks_found(checks, "%s SPF record at %s", count == 0 ? "no" : "more than one",
                   domain);
      return CHECK_FAIL;
    }
    g_autofree char *shown = g_str_to_ascii(text, "C");
    g_autofree char *plain = g_strescape(shown, "\"");
    checks_found(checks, "%s: %s", domain, plain);
    CheckResult result = spf_end(text, &next);
    if (next == NULL)
      return result;
    g_free(domain);
    domain = g_steal_pointer(&next);
  }
  checks_found(checks, "more than %d redirects", REDIRECT_MAX);
  return CHECK_FAIL;
}

void
spf_all_check(Checks *checks)
{
  CheckResult result = follow_spf(checks);
  if (result == CHECK_UNKNOWN)
    checks_mend(checks, "try again later");
  else
    checks_mend(
        checks,
        "publish one SPF record that names every server that sends for %s and ends in "
        "-all: %s. IN TXT \"v=spf1 mx -all\"",
        checks->domain, checks->domain);
  checks_advise(checks, "Z-N2-SPF-ALL", result, "the domain's SPF record ends in -all");
}

void
contact_check(Checks *checks)
{
  checks_found(checks, "not tried: no mail is sent by a check");
  checks_mend(checks, "see to it that somebody reads NTA7516@%s", checks->domain);
  checks_advise(checks, "Z-N1-CONTACT", CHECK_UNKNOWN,
                "the contact for NTA 7516 can be reached");
}
