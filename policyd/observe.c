#include "policyd/observe.h"

#include <string.h>

#define TLSA_PREFIX "_25._tcp."

/* The answer that LOOKUP has, when DNSSEC proves it, or NULL. */
static const DnsAnswer *
proved(const Lookup *lookup, const char *name, guint16 type)
{
  const DnsAnswer *answer = lookup_known(lookup, name, type);
  return answer != NULL && dns_answer_is_proved(answer) ? answer : NULL;
}

/* The TLSA records of HOST, when they were asked for. */
static void
see_tlsa(Sight *sight, const Lookup *lookup, const char *host)
{
  g_autofree char *name = g_strconcat(TLSA_PREFIX, host, NULL);
  const DnsAnswer *answer = proved(lookup, name, RR_TLSA);
  if (answer == NULL)
    return;
  SightLook *look = sight_look(sight, SEEN_TLSA, host);
  for (guint i = 0; i < answer->records->len; i++) {
    g_autofree char *text = rr_text(RR_TLSA, answer->records->pdata[i]);
    sight_add(look, text, 0, 0);
  }
}

/* The hosts of the domain's MX, which take the place of ntamx. */
static void
see_mx(Sight *sight, const Lookup *lookup)
{
  const DnsAnswer *answer = proved(lookup, sight->domain, RR_MX);
  if (answer == NULL)
    return;
  SightLook *look = sight_look(sight, SEEN_MX, sight->domain);
  for (guint i = 0; i < answer->records->len; i++) {
    guint preference = 0;
    g_autofree char *host = NULL;
    if (!rr_mx(answer->records->pdata[i], &preference, &host) || !nta_host_is_good(host))
      continue;
    g_autofree char *text = g_strdup_printf("%u %s", preference, host);
    sight_add(look, text, 0, 0);
    see_tlsa(sight, lookup, host);
  }
}

static void
see_hosts(Sight *sight, SightLook *ntamx, const Lookup *lookup, const NtaRecord *record)
{
  for (guint i = 0; i < record->hosts->len; i++) {
    const NtaHost *host = record->hosts->pdata[i];
    g_autofree char *text = g_strdup_printf("%u %s", host->preference, host->host);
    sight_add(ntamx, text, 0, 0);
    see_tlsa(sight, lookup, host->host);
  }
}

/* Goes through the TXT records of ANSWER; whether one was an NTA record. */
static gboolean
see_records(Sight *sight, const Lookup *lookup, const NtaRules *rules,
            const DnsAnswer *answer)
{
  SightLook *nta = sight_look(sight, SEEN_NTA, sight->domain);
  SightLook *ntamx = sight_look(sight, SEEN_NTAMX, sight->domain);
  for (guint i = 0; i < answer->records->len; i++) {
    GBytes *rdata = answer->records->pdata[i];
    g_autoptr(NtaRecord) record = NULL;
    const char *what = NULL;
    gsize len = 0;
    g_autofree char *text = rr_txt(rdata, &len);
    if (text == NULL || nta_parse(text, len, rules, &record, &what) == NTA_OTHER)
      continue;
    g_autofree char *shown = rr_text(RR_TXT, rdata);
    sight_add(nta, shown, record != NULL ? record->start : 0,
              record != NULL ? record->end : 0);
    if (record != NULL)
      see_hosts(sight, ntamx, lookup, record);
  }
  if (nta->values->len > 0 && ntamx->values->len == 0)
    see_mx(sight, lookup);
  return nta->values->len > 0;
}

Sight *
observe(Lookup *lookup, const NtaRules *rules, const char *domain, gboolean ours,
        const Verdict *verdict, gint64 at_s, gboolean *has_record)
{
  static const SightReadiness readiness[] = {
      [READINESS_NO] = SIGHT_NOT_READY,
      [READINESS_YES] = SIGHT_READY,
      [READINESS_UNKNOWN] = SIGHT_UNKNOWN,
  };
  Sight *sight = sight_new(domain, ours, at_s);
  const DnsAnswer *answer = proved(lookup, domain, RR_TXT);
  sight->readiness = readiness[verdict->readiness];
  g_free(sight->code);
  sight->code = g_strdup(verdict->code);
  *has_record = answer != NULL && see_records(sight, lookup, rules, answer);
  return sight;
}

void
observe_keep(Keeper *keeper, Lookup *lookup, const NtaRules *rules, const char *domain,
             gboolean ours, const Verdict *verdict, gboolean news)
{
  gboolean has_record = FALSE;
  if (keeper == NULL)
    return;
  g_autoptr(Sight) sight = observe(lookup, rules, domain, ours, verdict,
                                   g_get_real_time() / G_USEC_PER_SEC, &has_record);
  if (ours || has_record || keeper_knows(keeper, domain, ours))
    keeper_take(keeper, g_steal_pointer(&sight), news);
}
