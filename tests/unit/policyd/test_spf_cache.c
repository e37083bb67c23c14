#include "policyd/spf_cache.h"

#include "tests/unit/tap.h"

#define S (G_TIME_SPAN_SECOND)

/* The verdict for KEY at NOW_US, or -1. */
static int
verdict_of(SpfCache *cache, const char *key, gint64 now_us)
{
  SpfVerdict verdict = SPF_VERDICT_NONE;
  gint64 expires_us = 0;
  if (!spf_cache_get(cache, key, now_us, &verdict, &expires_us))
    return -1;
  g_assert_cmpint(expires_us, >, now_us);
  return (int) verdict;
}

static void
test_keys(void)
{
  static const char *const checks[][3] = {
      {"192.0.2.1", "a.nl", "jan@a.nl"},   {"192.0.2.2", "a.nl", "jan@a.nl"},
      {"192.0.2.1", "b.nl", "jan@a.nl"},   {"192.0.2.1", "a.nl", "els@a.nl"},
      {"192.0.2.1", "a.nl\njan", "@a.nl"}, {"192.0.2.1", "", "a.nl\njan@a.nl"},
  };
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS(checks); i++)
    g_assert_true(
        g_hash_table_add(seen, spf_cache_key(checks[i][0], checks[i][1], checks[i][2])));
}

/* What holds is kept as long as it holds; errors are not. */
static void
test_verdicts(void)
{
  static const struct {
    SpfVerdict verdict;
    gboolean kept;
  } rows[] = {
      {SPF_VERDICT_NONE, TRUE},       {SPF_VERDICT_NEUTRAL, TRUE},
      {SPF_VERDICT_PASS, TRUE},       {SPF_VERDICT_FAIL, TRUE},
      {SPF_VERDICT_SOFTFAIL, TRUE},   {SPF_VERDICT_TEMPERROR, FALSE},
      {SPF_VERDICT_PERMERROR, FALSE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(SpfCache) cache = spf_cache_new();
    g_test_message("%" G_GSIZE_FORMAT, i);
    spf_cache_put(cache, "k", rows[i].verdict, 10 * S, 0);
    int kept = rows[i].kept ? (int) rows[i].verdict : -1;
    g_assert_cmpint(verdict_of(cache, "k", 10 * S - 1), ==, kept);
    g_assert_cmpint(verdict_of(cache, "k", 10 * S), ==, -1);
  }
}

static void
test_replaced(void)
{
  g_autoptr(SpfCache) cache = spf_cache_new();
  spf_cache_put(cache, "k", SPF_VERDICT_PASS, 10 * S, 0);
  spf_cache_put(cache, "k", SPF_VERDICT_FAIL, 20 * S, 0);
  g_assert_cmpint(verdict_of(cache, "k", 15 * S), ==, SPF_VERDICT_FAIL);
  spf_cache_put(cache, "k", SPF_VERDICT_TEMPERROR, 20 * S, 0);
  g_assert_cmpint(verdict_of(cache, "k", 15 * S), ==, -1);
}

static void
test_limits(void)
{
  g_autoptr(SpfCache) cache = spf_cache_new();
  spf_cache_put(cache, "forever", SPF_VERDICT_NONE, G_MAXINT64, 0);
  g_assert_cmpint(verdict_of(cache, "forever", SPF_CACHE_KEEP_S * S - 1), ==, 0);
  g_assert_cmpint(verdict_of(cache, "forever", SPF_CACHE_KEEP_S * S), ==, -1);
  for (guint i = 0; i <= SPF_CACHE_MAX; i++) {
    g_autofree char *key = g_strdup_printf("%u", i);
    spf_cache_put(cache, key, SPF_VERDICT_PASS, 10 * S, 0);
  }
  g_assert_cmpint(verdict_of(cache, "0", 0), ==, -1);
  g_assert_cmpint(verdict_of(cache, "1", 0), ==, SPF_VERDICT_PASS);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/spf-cache/keys", test_keys);
  g_test_add_func("/spf-cache/verdicts", test_verdicts);
  g_test_add_func("/spf-cache/replaced", test_replaced);
  g_test_add_func("/spf-cache/limits", test_limits);
  return g_test_run();
}
