/*
 * spf_host.h - check_host() of RFC 7208 by libspf2. Only zegel-spf has it: libspf2 may end
 * the process.
 */
#pragma once

#include "policyd/spf_wire.h"

/* Limits of RFC 7208 4.6.4. */
#define SPF_MAX_TERMS 10 /* that ask the DNS */
#define SPF_MAX_VOID  2  /* of those that may find nothing */
#define SPF_MAX_HOSTS 10 /* of one "mx" or "ptr" */

typedef struct SpfHost SpfHost;

/* The answer to NAME (usable, spf_wire.h) and TYPE, which the caller unrefs; never NULL. */
typedef DnsAnswer *(*SpfAsk)(gpointer data, const char *name, guint16 type);

/*
 * A checker that asks ASK with DATA. Reads what it needs of the machine now, and nothing
 * later. Never NULL, and never freed.
 */
SpfHost *
spf_host_new(SpfAsk ask, gpointer data);

/* Whether CHECK's client may send for its sender (or its HELO, when that is empty). */
SpfVerdict
spf_host_check(SpfHost *host, const SpfCheck *check);
