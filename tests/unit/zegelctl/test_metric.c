/*
 * Numbers, and the forms they are written in.
 */
#include "zegelctl/metric.h"

#include <string.h>

#define NOW_S G_GINT64_CONSTANT(1700000000)

static Metrics *
make(void)
{
  Metrics *metrics = metrics_new();
  metrics_add_version(metrics, "zegel", "1.0");
  metrics_add_version(metrics, "postfix", "3.7.11");
  metrics_add(metrics, METRIC_QUEUE_MESSAGES, "viewer", 3);
  metrics_add(metrics, METRIC_QUEUE_MESSAGES, "direct", 0);
  metrics_add_age(metrics, METRIC_QUEUE_OLDEST_AGE, "viewer", NOW_S - 7300, NOW_S);
  metrics_add_age(metrics, METRIC_QUEUE_OLDEST_AGE, "direct", 0, NOW_S);
  metrics_add(metrics, METRIC_AUDIT_RECORDS, NULL, 1000000);
  metrics_add(metrics, METRIC_PROGRAM_UP, "policyd", 1);
  metrics_add(metrics, METRIC_DISK_FREE, "a\"b\\c\n", 10485760);
  metrics_add_problem(metrics, "the store: it is \x1b[1m not \"there\"");
  return metrics;
}

static void
assert_has(const GString *out, const char *text)
{
  if (strstr(out->str, text) == NULL)
    g_error("\"%s\" is not in:\n%s", text, out->str);
}

static void
test_prometheus(void)
{
  g_autoptr(Metrics) metrics = make();
  g_autoptr(GString) out = g_string_new(NULL);
  metrics_append_prometheus(out, metrics);
  assert_has(out, "zegel_info{zegel=\"1.0\",postfix=\"3.7.11\"} 1\n");
  assert_has(out,
             "# TYPE zegel_queue_messages gauge\nzegel_queue_messages{label=\"viewer\"} "
             "3\nzegel_queue_messages{label=\"direct\"} 0\n");
  assert_has(out, "zegel_queue_oldest_age_seconds{label=\"viewer\"} 7300\n# HELP");
  assert_has(out, "# TYPE zegel_audit_records_total counter\nzegel_audit_records_total "
                  "1000000\n");
  assert_has(out, "zegel_disk_free_bytes{of=\"a\\\"b\\\\c\\n\"} 10485760\n");
  assert_has(out, "zegel_status_problems 1\n");
  g_assert_null(strstr(out->str, "zegel_store_entries"));
}

static void
test_json(void)
{
  g_autoptr(Metrics) metrics = make();
  g_autoptr(GString) out = g_string_new(NULL);
  metrics_append_json(out, metrics, NOW_S);
  assert_has(out, "{\"time\": 1700000000,\n \"versions\": {\"zegel\": \"1.0\", ");
  assert_has(out, "\"queue_messages\": {\"viewer\": 3, \"direct\": 0}");
  assert_has(out, "\"queue_oldest_age_seconds\": {\"viewer\": 7300}");
  assert_has(out, "\"store_entries\": null");
  assert_has(out, "\"problems\": [\"the store: it is ?[1m not \\\"there\\\"\"]}\n");
}

static void
test_text(void)
{
  g_autoptr(Metrics) metrics = make();
  g_autoptr(GString) out = g_string_new(NULL);
  metrics_append_text(out, metrics);
  assert_has(out, "zegel 1.0, postfix 3.7.11\n");
  assert_has(out, ":\n    viewer=3\n"); /* zeros are left out */
  assert_has(out, ":\n    viewer=2h\n");
  assert_has(out, "policyd=yes\n");
  assert_has(out, "Could not be looked at:\n    the store: it is ?[1m not \"there\"\n");
}

/* Each has a name and words of its own, and no number is named twice. */
static void
test_facts(void)
{
  g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < METRIC_COUNT; i++) {
    const MetricFacts *facts = metric_facts((MetricKind) i);
    g_assert_true(g_hash_table_add(names, (gpointer) facts->name));
    g_assert_nonnull(facts->help);
    g_assert_cmpint(g_str_has_suffix(facts->name, "_seconds"), ==,
                    facts->unit == METRIC_SECONDS);
    g_assert_cmpint(g_str_has_suffix(facts->name, "_total"), ==,
                    facts->unit == METRIC_TOTAL);
    g_assert_cmpint(g_str_has_suffix(facts->name, "_bytes"), ==,
                    facts->unit == METRIC_BYTES);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/metric/prometheus", test_prometheus);
  g_test_add_func("/metric/json", test_json);
  g_test_add_func("/metric/text", test_text);
  g_test_add_func("/metric/facts", test_facts);
  return g_test_run();
}
