#include "policyd/spf_cache.h"

#include <string.h>

#include "policyd/kept.h"

struct SpfCache {
  Kept *verdicts; /* SpfVerdict, by spf_cache_key */
};

SpfCache *
spf_cache_new(void)
{
  SpfCache *cache = g_new0(SpfCache, 1);
  cache->verdicts = kept_new(SPF_CACHE_MAX, NULL);
  return cache;
}

void
spf_cache_free(SpfCache *cache)
{
  if (cache == NULL)
    return;
  kept_free(cache->verdicts);
  g_free(cache);
}

/* With the length of HELO: no two checks have one key. */
char *
spf_cache_key(const char *address, const char *helo, const char *sender)
{
  return g_strdup_printf("%s\n%" G_GSIZE_FORMAT "\n%s\n%s", address, strlen(helo), helo,
                         sender);
}

gboolean
spf_cache_get(SpfCache *cache, const char *key, gint64 now_us, SpfVerdict *verdict,
              gint64 *expires_us)
{
  gpointer value;
  if (!kept_get(cache->verdicts, key, now_us, &value, expires_us))
    return FALSE;
  *verdict = (SpfVerdict) GPOINTER_TO_UINT(value);
  return TRUE;
}

void
spf_cache_put(SpfCache *cache, const char *key, SpfVerdict verdict, gint64 expires_us,
              gint64 now_us)
{
  gint64 until_us = MIN(expires_us, now_us + SPF_CACHE_KEEP_S * G_TIME_SPAN_SECOND);
  if (verdict == SPF_VERDICT_TEMPERROR || verdict == SPF_VERDICT_PERMERROR)
    kept_drop(cache->verdicts, key);
  else
    kept_put(cache->verdicts, key, GUINT_TO_POINTER(verdict), until_us, now_us);
}
