#include "zegelctl/metric.h"

#include "zegelctl/text.h"

#define PREFIX    "zegel_"
#define MINUTE_S  60
#define HOUR_S    3600
#define DAY_S     86400
#define TWO_DAYS  (2 * DAY_S)
#define MEBIBYTE  (1024 * 1024)
#define BY_COLUMN 4

static const MetricFacts facts[METRIC_COUNT] = {
    [METRIC_PROGRAM_UP] = {"program_up", "program", METRIC_YES_NO,
                           "Whether the program takes connections"},
    [METRIC_PROGRAM_CURRENT] = {"program_current", "program", METRIC_YES_NO,
                                "Whether it runs from the file that is installed now"},
    [METRIC_PROBE_GOOD] = {"probe_good", NULL, METRIC_YES_NO,
                           "Whether the last zegelctl probe found everything good"},
    [METRIC_PROBE_AGE] = {"probe_age_seconds", NULL, METRIC_SECONDS, "Age of that probe"},
    [METRIC_QUEUE_MESSAGES] = {"queue_messages", "label", METRIC_NUMBER,
                               "Messages in Postfix's queue, by label of a recipient"},
    [METRIC_QUEUE_RECIPIENTS] = {"queue_recipients", "label", METRIC_NUMBER,
                                 "Recipients in Postfix's queue, by label"},
    [METRIC_QUEUE_OLDEST_AGE] = {"queue_oldest_age_seconds", "label", METRIC_SECONDS,
                                 "Age of the oldest message in Postfix's queue, by label"},
    [METRIC_ROUTES] = {"routes", "source", METRIC_NUMBER,
                       "Promises in routes.db, by whose word stands behind them"},
    [METRIC_ROUTES_OLDEST_AGE] =
        {"routes_oldest_age_seconds", "source", METRIC_SECONDS,
         "Time since the promise that was longest not given again"},
    [METRIC_STORE_ENTRIES] = {"store_entries", NULL, METRIC_NUMBER,
                              "Stored messages for readers whose time is not over"},
    [METRIC_STORE_UNNOTIFIED] = {"store_unnotified", NULL, METRIC_NUMBER,
                                 "Of those, whose reader was not mailed yet"},
    [METRIC_STORE_UNNOTIFIED_AGE] = {"store_unnotified_oldest_age_seconds", NULL,
                                     METRIC_SECONDS, "Age of the oldest of those"},
    [METRIC_STORE_EVENTS_WAITING] = {"store_events_waiting", NULL, METRIC_NUMBER,
                                     "Events in the store that are not in the trail yet"},
    [METRIC_AUDIT_RECORDS] = {"audit_records_total", NULL, METRIC_TOTAL,
                              "Number of the last record of the audit trail"},
    [METRIC_AUDIT_CHECKPOINT_AGE] = {"audit_checkpoint_age_seconds", NULL, METRIC_SECONDS,
                                     "Age of the last checkpoint of the audit trail"},
    [METRIC_EVENTS_DAY] = {"events_day", "event", METRIC_NUMBER,
                           "Events in the audit trail of the last 24 hours, by name"},
    [METRIC_ERRORS_DAY] = {"errors_day", "event", METRIC_NUMBER,
                           "Of those, what by its nature was refused or failed"},
    [METRIC_DISK_FREE] = {"disk_free_bytes", "of", METRIC_BYTES,
                          "Free space where that is kept"},
    [METRIC_DISK_SIZE] = {"disk_size_bytes", "of", METRIC_BYTES,
                          "Size of the file system where that is kept"},
};

typedef struct {
  char *by; /* or NULL */
  guint64 value;
} Sample;

typedef struct {
  char *name, *version;
} Version;

struct Metrics {
  GArray *samples[METRIC_COUNT]; /* of Sample */
  GArray *versions;              /* of Version */
  GPtrArray *problems;
};

const MetricFacts *
metric_facts(MetricKind kind)
{
  return &facts[kind];
}

static void
sample_clear(gpointer p)
{
  Sample *sample = p;
  g_free(sample->by);
}

static void
version_clear(gpointer p)
{
  Version *version = p;
  g_free(version->name);
  g_free(version->version);
}

Metrics *
metrics_new(void)
{
  Metrics *metrics = g_new0(Metrics, 1);
  for (guint i = 0; i < METRIC_COUNT; i++) {
    metrics->samples[i] = g_array_new(FALSE, TRUE, sizeof(Sample));
    g_array_set_clear_func(metrics->samples[i], sample_clear);
  }
  metrics->versions = g_array_new(FALSE, TRUE, sizeof(Version));
  g_array_set_clear_func(metrics->versions, version_clear);
  metrics->problems = g_ptr_array_new_with_free_func(g_free);
  return metrics;
}

void
metrics_free(Metrics *metrics)
{
  if (metrics == NULL)
    return;
  for (guint i = 0; i < METRIC_COUNT; i++)
    g_array_unref(metrics->samples[i]);
  g_array_unref(metrics->versions);
  g_ptr_array_unref(metrics->problems);
  g_free(metrics);
}

void
metrics_add(Metrics *metrics, MetricKind kind, const char *by, guint64 value)
{
  Sample sample = {.by = g_strdup(by), .value = value};
  g_array_append_val(metrics->samples[kind], sample);
}

void
metrics_add_age(Metrics *metrics, MetricKind kind, const char *by, gint64 at_s,
                gint64 now_s)
{
  if (at_s != 0)
    metrics_add(metrics, kind, by, (guint64) MAX(now_s - at_s, 0));
}

void
metrics_add_version(Metrics *metrics, const char *name, const char *version)
{
  Version one = {g_strdup(name), g_strdup(version)};
  g_array_append_val(metrics->versions, one);
}

void
metrics_add_problem(Metrics *metrics, const char *problem)
{
  g_ptr_array_add(metrics->problems, text_clean(problem));
}

guint
metrics_problems(const Metrics *metrics)
{
  return metrics->problems->len;
}

/* ---- For a terminal ---- */

static void
append_age(GString *out, guint64 seconds)
{
  if (seconds < 2 * MINUTE_S)
    g_string_append_printf(out, "%" G_GUINT64_FORMAT "s", seconds);
  else if (seconds < 2 * HOUR_S)
    g_string_append_printf(out, "%" G_GUINT64_FORMAT "min", seconds / MINUTE_S);
  else if (seconds < TWO_DAYS)
    g_string_append_printf(out, "%" G_GUINT64_FORMAT "h", seconds / HOUR_S);
  else
    g_string_append_printf(out, "%" G_GUINT64_FORMAT "d", seconds / DAY_S);
}

static void
append_value(GString *out, MetricUnit unit, guint64 value)
{
  switch (unit) {
  case METRIC_SECONDS:
    append_age(out, value);
    return;
  case METRIC_BYTES:
    g_string_append_printf(out, "%" G_GUINT64_FORMAT "MiB", value / MEBIBYTE);
    return;
  case METRIC_YES_NO:
    g_string_append(out, value != 0 ? "yes" : "no");
    return;
  case METRIC_NUMBER:
  case METRIC_TOTAL:
    g_string_append_printf(out, "%" G_GUINT64_FORMAT, value);
    return;
  }
}

/* Zeros of what there are many are left out. No line breaks between a name and its value.
 */
static void
append_text_of(GString *out, const Metrics *metrics, MetricKind kind)
{
  const GArray *samples = metrics->samples[kind];
  g_autoptr(GString) line = g_string_new(NULL);
  for (guint i = 0; i < samples->len; i++) {
    const Sample *sample = &g_array_index(samples, Sample, i);
    if (sample->by != NULL && sample->value == 0 && facts[kind].unit == METRIC_NUMBER)
      continue;
    g_string_append_printf(line, "%s%s%s", line->len > 0 ? ", " : "",
                           sample->by != NULL ? sample->by : "",
                           sample->by != NULL ? "=" : "");
    append_value(line, facts[kind].unit, sample->value);
  }
  if (samples->len == 0)
    return;
  g_string_append_printf(out, "%s:\n", facts[kind].help);
  g_string_append_printf(out, "%*s", BY_COLUMN, "");
  text_wrap(out, BY_COLUMN, BY_COLUMN, line->len > 0 ? line->str : "none");
}

void
metrics_append_text(GString *out, const Metrics *metrics)
{
  for (guint i = 0; i < metrics->versions->len; i++) {
    const Version *version = &g_array_index(metrics->versions, Version, i);
    g_string_append_printf(out, "%s%s ", i > 0 ? ", " : "", version->name);
    text_append_clean(out, version->version);
  }
  g_string_append_c(out, '\n');
  for (guint i = 0; i < METRIC_COUNT; i++)
    append_text_of(out, metrics, (MetricKind) i);
  if (metrics->problems->len > 0)
    g_string_append(out, "Could not be looked at:\n");
  for (guint i = 0; i < metrics->problems->len; i++) {
    g_string_append_printf(out, "%*s", BY_COLUMN, "");
    text_wrap(out, BY_COLUMN, BY_COLUMN, metrics->problems->pdata[i]);
  }
}

/* ---- JSON ---- */

static void
append_json_of(GString *out, const Metrics *metrics, MetricKind kind)
{
  const GArray *samples = metrics->samples[kind];
  g_string_append_printf(out, ",\n \"%s\": ", facts[kind].name);
  if (facts[kind].label == NULL) {
    if (samples->len == 0)
      g_string_append(out, "null");
    else
      g_string_append_printf(out, "%" G_GUINT64_FORMAT,
                             g_array_index(samples, Sample, 0).value);
    return;
  }
  g_string_append_c(out, '{');
  for (guint i = 0; i < samples->len; i++) {
    const Sample *sample = &g_array_index(samples, Sample, i);
    g_string_append(out, i > 0 ? ", " : "");
    json_append_string(out, sample->by);
    g_string_append_printf(out, ": %" G_GUINT64_FORMAT, sample->value);
  }
  g_string_append_c(out, '}');
}

void
metrics_append_json(GString *out, const Metrics *metrics, gint64 now_s)
{
  g_string_append_printf(out, "{\"time\": %" G_GINT64_FORMAT ",\n \"versions\": {", now_s);
  for (guint i = 0; i < metrics->versions->len; i++) {
    const Version *version = &g_array_index(metrics->versions, Version, i);
    json_append_pair(out, version->name, version->version, i + 1 < metrics->versions->len);
  }
  g_string_append_c(out, '}');
  for (guint i = 0; i < METRIC_COUNT; i++)
    append_json_of(out, metrics, (MetricKind) i);
  g_string_append(out, ",\n \"problems\": [");
  for (guint i = 0; i < metrics->problems->len; i++) {
    g_string_append(out, i > 0 ? ", " : "");
    json_append_string(out, metrics->problems->pdata[i]);
  }
  g_string_append(out, "]}\n");
}

/* ---- Prometheus ---- */

/* A label's value: '\', '"' and line ends are escaped. */
static void
append_label(GString *out, const char *name, const char *value)
{
  g_string_append_printf(out, "%s=\"", name);
  for (const char *p = value; *p != '\0'; p++)
    if (*p == '\n')
      g_string_append(out, "\\n");
    else
      g_string_append_printf(out, "%s%c", *p == '"' || *p == '\\' ? "\\" : "", *p);
  g_string_append_c(out, '"');
}

static void
append_head(GString *out, const char *name, const char *type, const char *help)
{
  g_string_append_printf(out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name,
                         help, name, type);
}

static void
append_prometheus_of(GString *out, const Metrics *metrics, MetricKind kind)
{
  const GArray *samples = metrics->samples[kind];
  const MetricFacts *of = &facts[kind];
  if (samples->len == 0)
    return;
  append_head(out, of->name, of->unit == METRIC_TOTAL ? "counter" : "gauge", of->help);
  for (guint i = 0; i < samples->len; i++) {
    const Sample *sample = &g_array_index(samples, Sample, i);
    g_string_append_printf(out, PREFIX "%s", of->name);
    if (of->label != NULL) {
      g_string_append_c(out, '{');
      append_label(out, of->label, sample->by);
      g_string_append_c(out, '}');
    }
    g_string_append_printf(out, " %" G_GUINT64_FORMAT "\n", sample->value);
  }
}

void
metrics_append_prometheus(GString *out, const Metrics *metrics)
{
  append_head(out, "info", "gauge", "Versions; always 1");
  g_string_append(out, PREFIX "info{");
  for (guint i = 0; i < metrics->versions->len; i++) {
    const Version *version = &g_array_index(metrics->versions, Version, i);
    g_string_append(out, i > 0 ? "," : "");
    append_label(out, version->name, version->version);
  }
  g_string_append(out, "} 1\n");
  for (guint i = 0; i < METRIC_COUNT; i++)
    append_prometheus_of(out, metrics, (MetricKind) i);
  append_head(out, "status_problems", "gauge", "What could not be looked at");
  g_string_append_printf(out, PREFIX "status_problems %u\n", metrics->problems->len);
}
