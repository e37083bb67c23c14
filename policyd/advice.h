/*
 * advice.h - what a domain says of its mail by SPF and DMARC, and what stays to be tried.
 */
#pragma once

#include "policyd/checks.h"

/* DMARC quarantine or reject for the domain of CHECKS: required, or advice only. */
void
dmarc_check(Checks *checks, gboolean required);

/* Advice: the domain's SPF record ends in -all. */
void
spf_all_check(Checks *checks);

/* Advice: somebody reads NTA7516@domain. */
void
contact_check(Checks *checks);
