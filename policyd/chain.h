/*
 * chain.h - "resolver+chain": what the resolver calls secure must hold for ldns as well.
 *
 * Pure: chain_next says which answer must be known to believe another one, chain_verify
 * whether it is to be believed then. Asking is dns.c, so each key on the way is an answer
 * that was verified itself, up to the trust anchor.
 *
 * Only for records that the name itself has: ldns calls an alias in an unsigned zone that
 * points at signed records "all OK". "Not there" is left to the resolver, as is that a
 * wildcard was in its right to answer: the absence of a record never makes mail go direct.
 */
#pragma once

#include <time.h>

#include "policyd/rr.h"

typedef struct Chain Chain;

/*
 * Trusts the root's keys in the file at PATH, DS or DNSKEY records, one a line; keys that
 * Unbound's own state says are not valid (yet) are left out. NULL with ZEGEL_ERROR_CONFIG.
 * Freed with chain_free.
 */
Chain *
chain_new(const char *path, GError **error);

/* Frees CHAIN; NULL is allowed. */
void
chain_free(Chain *chain);

/*
 * What must be known to verify ANSWER (DNS_DATA) with SIGNATURES (of GBytes: rdata of its
 * RRSIGs): the DNSKEY or DS records (*TYPE) of *NAME, which is new; *NAME is NULL when the
 * trust anchor is enough. FALSE when no signature can be right.
 */
gboolean
chain_next(const DnsAnswer *answer, GPtrArray *signatures, char **name, guint16 *type);

/*
 * Whether ANSWER is right at NOW by one of SIGNATURES, with the records that chain_next
 * named in NEEDED (verified; NULL: the trust anchor). *HOLDS_S: how long the signature
 * holds.
 */
gboolean
chain_verify(const Chain *chain, const DnsAnswer *answer, GPtrArray *signatures,
             const DnsAnswer *needed, time_t now, guint32 *holds_s);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Chain, chain_free)
