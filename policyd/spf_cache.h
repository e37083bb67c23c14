/*
 * spf_cache.h - verdicts of SPF that still hold, at most so many.
 */
#pragma once

#include "policyd/spf.h"

#define SPF_CACHE_MAX    10000
#define SPF_CACHE_KEEP_S 3600 /* also without any answer behind it */

typedef struct SpfCache SpfCache;

/* An empty cache; never NULL, freed with spf_cache_free. */
SpfCache *
spf_cache_new(void);

/* Frees CACHE; NULL is allowed. */
void
spf_cache_free(SpfCache *cache);

/* What a check is known by, a new string. Pure; any thread. */
char *
spf_cache_key(const char *address, const char *helo, const char *sender);

/* The verdict for KEY that holds at NOW_US (monotonic) into *VERDICT, and until when into
 * *EXPIRES_US. FALSE: there is none. */
gboolean
spf_cache_get(SpfCache *cache, const char *key, gint64 now_us, SpfVerdict *verdict,
              gint64 *expires_us);

/*
 * Keeps VERDICT for KEY until EXPIRES_US, but not longer than SPF_CACHE_KEEP_S from NOW_US;
 * an error is not kept. What was kept longest goes when there is no room.
 */
void
spf_cache_put(SpfCache *cache, const char *key, SpfVerdict verdict, gint64 expires_us,
              gint64 now_us);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpfCache, spf_cache_free)
