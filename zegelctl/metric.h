/*
 * metric.h - numbers about a running zegel, and the forms they are written in. Pure.
 *
 * zegel-monitoring(7) has them all. Whoever gathers them (status.c) says each number once;
 * text, JSON and the format of Prometheus come from the same list.
 */
#pragma once

#include <glib.h>

typedef enum {
  METRIC_PROGRAM_UP,
  METRIC_PROGRAM_CURRENT,
  METRIC_PROBE_GOOD,
  METRIC_PROBE_AGE,
  METRIC_QUEUE_MESSAGES,
  METRIC_QUEUE_RECIPIENTS,
  METRIC_QUEUE_OLDEST_AGE,
  METRIC_ROUTES,
  METRIC_ROUTES_OLDEST_AGE,
  METRIC_STORE_ENTRIES,
  METRIC_STORE_UNNOTIFIED,
  METRIC_STORE_UNNOTIFIED_AGE,
  METRIC_STORE_EVENTS_WAITING,
  METRIC_AUDIT_RECORDS,
  METRIC_AUDIT_CHECKPOINT_AGE,
  METRIC_EVENTS_DAY,
  METRIC_ERRORS_DAY,
  METRIC_DISK_FREE,
  METRIC_DISK_SIZE,
  METRIC_COUNT
} MetricKind;

typedef enum {
  METRIC_NUMBER,
  METRIC_TOTAL,   /* only grows */
  METRIC_SECONDS, /* an age */
  METRIC_BYTES,
  METRIC_YES_NO /* 1 or 0 */
} MetricUnit;

/* What is known of each; all static. */
typedef struct {
  const char *name;  /* in JSON; with "zegel_" before it Prometheus's: stable */
  const char *label; /* the name of what it is counted by, or NULL */
  MetricUnit unit;
  const char *help;
} MetricFacts;

/* The facts of KIND. */
const MetricFacts *
metric_facts(MetricKind kind);

typedef struct Metrics Metrics;

/* No numbers. Freed with metrics_free. */
Metrics *
metrics_new(void);

/* Frees METRICS; NULL is allowed. */
void
metrics_free(Metrics *metrics);

/* KIND is VALUE for BY, what the label of KIND says (copied; NULL when it has none). */
void
metrics_add(Metrics *metrics, MetricKind kind, const char *by, guint64 value);

/* The age of AT_S at NOW_S; nothing when AT_S is 0. */
void
metrics_add_age(Metrics *metrics, MetricKind kind, const char *by, gint64 at_s,
                gint64 now_s);

/* NAME ("zegel", "postfix") has version VERSION; both copied. */
void
metrics_add_version(Metrics *metrics, const char *name, const char *version);

/* What could not be looked at, and why: a line for people (copied). */
void
metrics_add_problem(Metrics *metrics, const char *problem);

/* How many could not. */
guint
metrics_problems(const Metrics *metrics);

/* For a terminal. */
void
metrics_append_text(GString *out, const Metrics *metrics);

/* One JSON object. */
void
metrics_append_json(GString *out, const Metrics *metrics, gint64 now_s);

/* The text format of Prometheus, version 0.0.4. */
void
metrics_append_prometheus(GString *out, const Metrics *metrics);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Metrics, metrics_free)
