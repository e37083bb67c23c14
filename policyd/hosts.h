/*
 * hosts.h - whether every host that takes a domain's NTA mail can be reached securely (R5).
 *
 * The hosts are the ntamx of its record or, without any, those of its MX. One thread.
 */
#pragma once

#include "policyd/checks.h"
#include "policyd/nta.h"

/*
 * Goes through the rules of hosts for the domain of CHECKS and its RECORD. POLICY is what a
 * partner's TLS rule asks, as Postfix's TLS policy table has it; NULL: DANE. Unless that is
 * DANE too, it proves the hosts, and the DNS need not.
 */
void
hosts_check(Checks *checks, const NtaRecord *record, const char *policy);

/*
 * The next hops of DOMAIN by RECORD, a new string, as Postfix takes it behind "transport:".
 * With a POLICY they have a port: they are keys of the TLS policy table then, and must not
 * be those of a domain that DANE proves.
 */
char *
hosts_nexthop(const char *domain, const NtaRecord *record, const char *policy);
