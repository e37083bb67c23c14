/*
 * ready.h - whether a domain is ready for NTA 7516: theirs (N1) and ours (N2).
 *
 * Every rule is one check line; the verdict is what the lines say together. Reads all it
 * needs from a Lookup: while that misses something the verdict means nothing, and must be
 * asked for again (lookup.h). Knows no Postfix and no promise.
 */
#pragma once

#include "common/book/book.h"
#include "policyd/decide.h"
#include "policyd/lookup.h"
#include "policyd/nta.h"

typedef struct {
  Readiness readiness;
  const char *code;  /* static: the line that decided, "Z-N1-DATES"; "Z-N1-READY" */
  char *nexthop;     /* theirs, when ready: "[mx1.example.nl], [mx2.example.nl]" or, without
                      * ntamx, "example.nl"; as Postfix takes it behind "transport:" */
  char *policy;      /* the TLS policy for each of these next hops; NULL: DANE, which is
                      * zegel-direct's own level */
  gint64 expires_us; /* when one that is kept is found out anew, monotonic (verdicts.h) */
} Verdict;

/* What is ours to know of an own domain; all borrowed. */
typedef struct {
  const char *const *relay_addresses; /* from which our mail leaves; textual */
  const char *hostname;               /* with which our relay greets; may be "" */
  const char *dkim_directory; /* DIRECTORY/DOMAIN/SELECTOR.pub: our public keys, PEM */
  const char *declaration;    /* day of the declaration, "YYYY-MM-DD", or "" */
} OwnFacts;

/*
 * Whether DOMAIN (as domain_canonical gives it) is ready by RULES. PARTNER is its line in
 * the domain book with next hop "nta" (book.h), or NULL: that one's TLS rule takes the
 * place of DANE. LINES (of CheckLine) gets every check with its evidence; NULL: not needed.
 * Fills *VERDICT, which the caller clears.
 */
void
ready_theirs(Lookup *lookup, const NtaRules *rules, const char *domain,
             const BookEntry *partner, GPtrArray *lines, Verdict *verdict);

/* The same for DOMAIN, an own one: N1 and N2. Reads the public keys from disk. */
void
ready_ours(Lookup *lookup, const NtaRules *rules, const char *domain, const OwnFacts *own,
           GPtrArray *lines, Verdict *verdict);

/* Frees what VERDICT holds. */
void
verdict_clear(Verdict *verdict);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Verdict, verdict_clear)
