/*
 * lookup.h - what one decision must know of the DNS, read as if it were all there.
 *
 * Who decides reads answers from a Lookup. One that is not there yet is NULL, and is asked;
 * the reader goes on to what else it will need, so that everything is asked at once. When
 * answers have come it reads again from the start. Within one Lookup an answer never
 * changes. When nothing is missing the decision is made. One thread.
 */
#pragma once

#include "policyd/dns.h"
#include "policyd/spf.h"

typedef struct Lookup Lookup;

/* Something that was missing has come: read again. Never called from within lookup_dns. */
typedef void (*LookupCame)(gpointer data);

/*
 * A lookup that asks DNS and SPF (borrowed; NULL: answers only what lookup_put gave, and
 * nothing else can be found out) and calls CAME with DATA. FRESH: asks anew instead of
 * using what is kept. Never NULL; freed with lookup_free, which ends its questions.
 */
Lookup *
lookup_new(Dns *dns, Spf *spf, gboolean fresh, LookupCame came, gpointer data);

/* Frees LOOKUP; NULL is allowed. Allowed in CAME. */
void
lookup_free(Lookup *lookup);

/*
 * The answer to NAME (as domain_canonical gives it) and TYPE, owned by LOOKUP, or NULL: it
 * is missing, and asked.
 */
const DnsAnswer *
lookup_dns(Lookup *lookup, const char *name, guint16 type);

/* The answer to NAME and TYPE that LOOKUP has, owned by it, or NULL; asks nothing. */
const DnsAnswer *
lookup_known(const Lookup *lookup, const char *name, guint16 type);

/* Whether SPF says something of ADDRESS, HELO and SENDER (spf_ask): into *VERDICT. FALSE:
 * it is missing, and asked. */
gboolean
lookup_spf(Lookup *lookup, const char *address, const char *helo, const char *sender,
           SpfVerdict *verdict);

/* How many answers are missing. */
guint
lookup_missing(const Lookup *lookup);

/* Time is up: from now on what is missing is a failure, and nothing is asked any more. */
void
lookup_give_up(Lookup *lookup);

/* Gives up in WAIT_MS milliseconds of LOOP (borrowed until then), and calls CAME. Once. */
void
lookup_limit(Lookup *lookup, Loop *loop, guint wait_ms);

/* When the first of the answers read expires, monotonic; G_MAXINT64 without any. */
gint64
lookup_expires_us(const Lookup *lookup);

/* Takes a reference of ANSWER as what LOOKUP answers to its name and type. */
void
lookup_put(Lookup *lookup, DnsAnswer *answer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Lookup, lookup_free)
