/*
 * dns_cache.h - the answers that are kept, at most so many and so many octets.
 */
#pragma once

#include "policyd/rr.h"

#define DNS_CACHE_MAX_BYTES (64 * 1024 * 1024)

typedef struct DnsCache DnsCache;

/* An empty cache for MAX answers and MAX_BYTES; never NULL, freed with dns_cache_free. */
DnsCache *
dns_cache_new(guint max, gsize max_bytes);

/* Frees CACHE; NULL is allowed. */
void
dns_cache_free(DnsCache *cache);

/* The answer to NAME and TYPE that holds at NOW_US (monotonic), borrowed until the next
 * dns_cache_put, or NULL. */
DnsAnswer *
dns_cache_get(DnsCache *cache, const char *name, guint16 type, gint64 now_us);

/*
 * Keeps a reference of ANSWER instead of what was kept for its name and type; a failure
 * does not replace an answer that still holds at NOW_US. What was used longest ago goes
 * when there is no room.
 */
void
dns_cache_put(DnsCache *cache, DnsAnswer *answer, gint64 now_us);

/* How many answers are kept. */
guint
dns_cache_size(const DnsCache *cache);

/* For tables by name and type, whose keys are DnsAnswer (only these fields are read). */
guint
dns_key_hash(gconstpointer key);

/* Whether the answers ONE and OTHER have the same name and type. */
gboolean
dns_key_equal(gconstpointer one, gconstpointer other);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DnsCache, dns_cache_free)
