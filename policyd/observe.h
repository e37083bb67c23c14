/*
 * observe.h - what a lookup showed of a domain, for whoever keeps it (foresight).
 *
 * Reads what a decision has asked, and asks nothing itself. Only what DNSSEC proved
 * counts. A domain without an NTA 7516 record is nobody's business, unless it is ours or
 * had one. One thread.
 */
#pragma once

#include "policyd/keeper.h"
#include "policyd/lookup.h"
#include "policyd/nta.h"
#include "policyd/ready.h"

/*
 * What LOOKUP, from which VERDICT on DOMAIN was read, showed at AT_S, by RULES: a new
 * sight. *HAS_RECORD: there was an NTA record, good or bad.
 */
Sight *
observe(Lookup *lookup, const NtaRules *rules, const char *domain, gboolean ours,
        const Verdict *verdict, gint64 at_s, gboolean *has_record);

/* Gives it to KEEPER (NULL: nobody keeps anything), as the first lines say; NEWS as
 * keeper_take. */
void
observe_keep(Keeper *keeper, Lookup *lookup, const NtaRules *rules, const char *domain,
             gboolean ours, const Verdict *verdict, gboolean news);
