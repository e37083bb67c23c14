/*
 * dns.h - asks the validating resolver on loopback, many questions at once.
 *
 * ldns builds and parses; the sockets are ours, because ldns 1.8.3 believes any UDP packet
 * (CVE-2026-10846): a connected UDP socket, an answer counts only when id, question and QR
 * are right, and a truncated one is asked again over TCP. What the resolver validated (AD)
 * is secure; with "resolver+chain" it must hold for ldns as well (chain.h). Answers, also
 * "not there", are kept as long as their TTL says. One thread, in callbacks of a Loop.
 */
#pragma once

#include "common/base/loop.h"
#include "policyd/rr.h"

#define DNS_TIMEOUT_MS     8000
#define DNS_CACHE_MAX      20000
#define DNS_KEEP_MAX_S     3600 /* a longer TTL counts as this */
#define DNS_KEEP_MIN_MS    1000 /* a shorter one as this: for the question at hand */
#define DNS_KEEP_FAILURE_S 5    /* RFC 2308 7: a failure is kept this long */

typedef struct Dns Dns;
typedef struct DnsWaiter DnsWaiter;

/* All borrowed for the call. */
typedef struct {
  const char *address; /* "127.0.0.1", "::1", with ":port" or "[::1]:port" or without */
  gboolean chain;      /* validate with ldns as well */
  const char *trust_anchor; /* file of DS or DNSKEY records of the root, for chain */
  guint timeout_ms;         /* for one question, all tries together; 0: DNS_TIMEOUT_MS */
} DnsOptions;

/* ANSWER (borrowed) has come; the waiter is gone then. Never called from within dns_ask. */
typedef void (*DnsDone)(gpointer data, DnsAnswer *answer);

/*
 * A resolver as OPTIONS say, in LOOP. NULL with ZEGEL_ERROR_CONFIG when its address is not
 * one on loopback or the trust anchor cannot be read, else ZEGEL_ERROR_TEMPORARY. Freed
 * with dns_free, after all that waits for it.
 */
Dns *
dns_new(Loop *loop, const DnsOptions *options, GError **error);

/* Frees DNS; NULL is allowed. */
void
dns_free(Dns *dns);

/* The answer kept for NAME (as domain_canonical gives it) and TYPE, borrowed until the
 * caller returns to the loop, or NULL. */
DnsAnswer *
dns_cached(Dns *dns, const char *name, guint16 type);

/*
 * Asks for NAME and TYPE, together with whoever asked the same already (not FRESH: that one
 * asks anew). DONE is called once with DATA, at the latest after DNS_TIMEOUT_MS.
 */
DnsWaiter *
dns_ask(Dns *dns, const char *name, guint16 type, gboolean fresh, DnsDone done,
        gpointer data);

/* Ends waiting: DONE is not called. The answer is kept all the same when it comes. */
void
dns_cancel(DnsWaiter *waiter);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Dns, dns_free)
