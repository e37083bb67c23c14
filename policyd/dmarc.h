/*
 * dmarc.h - the DMARC policy of a domain: records, and the tree walk of RFC 9989.
 */
#pragma once

#include "policyd/lookup.h"

typedef enum {
  DMARC_NONE, /* p=none, or t=y lowers it to that */
  DMARC_QUARANTINE,
  DMARC_REJECT
} DmarcPolicy;

typedef struct {
  DmarcPolicy p, sp, np; /* sp and np as p when they are not given */
  gboolean testing;      /* t=y */
  int psd;               /* -1: u (or none), 0: n, 1: y */
  gboolean strict_dkim;  /* adkim=s */
  gboolean strict_spf;   /* aspf=s */
} DmarcRecord;

/*
 * Reads LEN octets at TEXT, one joined TXT record. FALSE when it is no DMARC record that
 * counts. One without a policy, or with one that cannot be read, counts as p=none: it asks
 * for nothing (RFC 9989 4.7, 4.10.1). Pure; any thread.
 */
gboolean
dmarc_parse(const char *text, gsize len, DmarcRecord *record);

typedef enum {
  DMARC_FOUND,
  DMARC_ABSENT,  /* no record of the domain or above it */
  DMARC_UNKNOWN, /* the DNS failed */
  DMARC_MISSING  /* answers are missing: read again when they came */
} DmarcStatus;

typedef struct {
  DmarcRecord record;
  char *found_at;       /* the domain whose record holds for DOMAIN; NULL unless found */
  char *organisational; /* the Organizational Domain of DOMAIN */
  DmarcPolicy policy;   /* that holds for DOMAIN: p, sp or np, lowered by t=y */
} DmarcResult;

/* The policy of DOMAIN (as domain_canonical gives it) by LOOKUP. Fills *RESULT, which means
 * something for DMARC_FOUND and DMARC_ABSENT; the caller clears it in any case. */
DmarcStatus
dmarc_find(Lookup *lookup, const char *domain, DmarcResult *result);

/*
 * The Organizational Domain of DOMAIN by LOOKUP into *ORGANISATIONAL, a new string for
 * DMARC_FOUND and else NULL. DMARC_FOUND, DMARC_UNKNOWN or DMARC_MISSING.
 */
DmarcStatus
dmarc_organisational(Lookup *lookup, const char *domain, char **organisational);

/* Frees what RESULT holds. */
void
dmarc_result_clear(DmarcResult *result);

/* "none", "quarantine", "reject": static. */
const char *
dmarc_policy_name(DmarcPolicy policy);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DmarcResult, dmarc_result_clear)
