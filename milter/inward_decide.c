#include "milter/inward_decide.h"

#include <string.h>

const char *
dmarc_result_name(DmarcResult result)
{
  static const char *const names[] = {
      [DMARC_NONE] = "none",           [DMARC_PASS] = "pass",
      [DMARC_FAIL] = "fail",           [DMARC_TEMPERROR] = "temperror",
      [DMARC_PERMERROR] = "permerror",
  };
  return names[result];
}

const char *
secure_name(Secure secure)
{
  static const char *const names[] = {
      [SECURE_NO] = "no", [SECURE_NTA] = "nta", [SECURE_COMMUNITY] = "community"};
  return names[secure];
}

const char *
inward_spf(const InwardFacts *facts)
{
  if (facts->relay)
    return NULL;
  if (facts->answer == NULL)
    return "temperror";
  return facts->answer->spf != NULL ? facts->answer->spf : "none";
}

static gboolean
spf_is(const InwardFacts *facts, const char *result)
{
  return g_strcmp0(inward_spf(facts), result) == 0;
}

const DkimResult *
inward_best_signature(const InwardFacts *facts)
{
  const DkimResult *best = NULL;
  for (guint i = 0; i < facts->signatures->len; i++) {
    const DkimResult *one = facts->signatures->pdata[i];
    if (one->status == DKIM_PASS && one->aligned)
      return one;
    if (best == NULL || (one->status == DKIM_PASS && best->status != DKIM_PASS))
      best = one;
  }
  return best;
}

static gboolean
has_aligned_signature(const InwardFacts *facts, DkimStatus status)
{
  for (guint i = 0; i < facts->signatures->len; i++) {
    const DkimResult *one = facts->signatures->pdata[i];
    if (one->status == status && one->aligned)
      return TRUE;
  }
  return FALSE;
}

/*
 * RFC 9989 4.3: one aligned pass is enough. What could have passed, had the DNS answered,
 * is no failure.
 */
static DmarcResult
dmarc_of(const InwardFacts *facts)
{
  const VerifyAnswer *answer = facts->answer;
  if (facts->author != AUTHOR_ONE)
    return DMARC_PERMERROR;
  if (answer == NULL || answer->dmarc == VERIFY_UNKNOWN)
    return DMARC_TEMPERROR;
  if (answer->dmarc == VERIFY_ABSENT)
    return DMARC_NONE;
  if (has_aligned_signature(facts, DKIM_PASS) ||
      (answer->spf_aligned && spf_is(facts, "pass")))
    return DMARC_PASS;
  if (has_aligned_signature(facts, DKIM_TEMPERROR) ||
      (answer->spf_aligned && spf_is(facts, "temperror")))
    return DMARC_TEMPERROR;
  return DMARC_FAIL;
}

/*
 * What the administrator wants done when DMARC fails. A trusted relay took the message
 * before us, and SPF, which might have passed there, cannot be known here: only marked.
 */
static DmarcAction
dmarc_action(const InwardFacts *facts, DmarcResult dmarc)
{
  if (dmarc != DMARC_FAIL || facts->relay)
    return DMARC_ACTION_MARK;
  const char *policy = facts->answer->dmarc_policy;
  if (g_strcmp0(policy, "reject") == 0)
    return facts->on_reject;
  if (g_strcmp0(policy, "quarantine") == 0)
    return facts->on_quarantine;
  return DMARC_ACTION_MARK;
}

/* Which condition of N5 does not hold, but for the routes; NULL: all do. */
static const char *
find_lack(const InwardFacts *facts, DmarcResult dmarc)
{
  if (facts->author != AUTHOR_ONE)
    return "Z-N5-FROM";
  if (facts->answer == NULL)
    return "Z-N5-VERIFY";
  if (!facts->tls12)
    return "Z-N5-TLS";
  if (!has_aligned_signature(facts, DKIM_PASS))
    return "Z-N5-DKIM";
  if (!facts->relay && !(spf_is(facts, "pass") && facts->answer->spf_aligned))
    return "Z-N5-SPF"; /* a stranger can bring, from his own domain, what was signed once */
  if (dmarc != DMARC_PASS && dmarc != DMARC_NONE)
    return "Z-N5-DMARC";
  if (facts->foreign)
    return "Z-N5-RECIPIENT";
  return NULL;
}

/* By what all recipients get the message securely; code and detail say why, or why not. */
static void
secure_by(const GPtrArray *routes, InwardDecision *decision)
{
  Secure secure = SECURE_NO;
  for (guint i = 0; i < routes->len; i++) {
    const RouteAnswer *answer = routes->pdata[i];
    gboolean norm = strcmp(answer->code, "Z-R1-NTA") == 0;
    if (answer->route == ROUTE_DIRECT && norm && secure == SECURE_COMMUNITY)
      continue;
    decision->code = answer->code;
    decision->detail = answer->reason;
    if (answer->route != ROUTE_DIRECT)
      return;
    secure = norm ? SECURE_NTA : SECURE_COMMUNITY;
  }
  decision->secure = secure;
}

static void
decide_secure(const InwardFacts *facts, InwardDecision *decision)
{
  decision->code = find_lack(facts, decision->dmarc);
  if (decision->code != NULL)
    return;
  decision->code = "Z-N5-VERIFY";
  if (facts->routes != NULL)
    secure_by(facts->routes, decision);
  else if (!facts->unanswered)
    decision->action = INWARD_ASK;
}

static void
refuse(InwardDecision *decision, Refusal refusal)
{
  decision->action = INWARD_REFUSE;
  decision->refusal = refusal;
  decision->code = refusal_code(refusal);
}

InwardDecision
inward_decide(const InwardFacts *facts)
{
  InwardDecision decision = {.action = INWARD_KEEP, .dmarc = dmarc_of(facts)};
  if (facts->cut) {
    refuse(&decision, REFUSAL_HEADERS);
    return decision;
  }
  if (facts->unread != NULL && facts->unread->len > 0) {
    refuse(&decision, REFUSAL_SERVICE);
    return decision;
  }
  if (facts->author == AUTHOR_SEVERAL) {
    refuse(&decision, REFUSAL_FROM);
    return decision;
  }
  switch (dmarc_action(facts, decision.dmarc)) {
  case DMARC_ACTION_REJECT:
    refuse(&decision, REFUSAL_DMARC);
    break;
  case DMARC_ACTION_QUARANTINE:
    decision.action = INWARD_QUARANTINE;
    decision.code = refusal_code(REFUSAL_DMARC);
    break;
  case DMARC_ACTION_MARK:
    decide_secure(facts, &decision);
    break;
  }
  return decision;
}
