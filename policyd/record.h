/*
 * record.h - whether a domain has one NTA record that counts, under DNSSEC (N1).
 */
#pragma once

#include "policyd/checks.h"
#include "policyd/nta.h"

/*
 * Goes through the rules of the record for the domain of CHECKS. Returns the record that
 * counts, or for the evidence the one that would count first when mended, or NULL: none
 * that can be read. The caller frees it. MAIL_HOST stands in what to publish; NULL: none is
 * known.
 */
NtaRecord *
record_check(Checks *checks, const NtaRules *rules, const char *mail_host);
