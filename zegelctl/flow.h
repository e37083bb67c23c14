/*
 * flow.h - the mail flow of an organisation, counted (M2).
 *
 * A pure function: events go in one after the other, a table comes out. Each event of the
 * period is counted exactly once, in one row; all other numbers are sums of rows, or of
 * messages that were followed by their reference. What it keeps is bounded: where there are
 * more senders and domains than FLOW_MAX_ROWS rows hold, the rest is counted as
 * FLOW_OTHERS.
 */
#pragma once

#include "common/base/event.h"

#define FLOW_MAX_ROWS       100000
#define FLOW_MAX_REFERENCES 1000000 /* messages in the viewer that are followed */
#define FLOW_OTHERS         "(others)"

typedef enum {
  FLOW_BY_DAY,
  FLOW_BY_WEEK, /* ISO 8601, from Monday */
  FLOW_BY_MONTH
} FlowStep;

typedef struct {
  gint64 since_us, until_us; /* Unix time: from included, until not; midnights, here */
  FlowStep step;
  gboolean senders; /* by address; else by their domain */
} FlowOptions;

/* A part of the time. */
typedef struct {
  char *name; /* "2026-11-22", "2026-W47" or "2026-11" */
  gint64 start_us;
  guint64 stored;                 /* messages for the viewer: the sum of these four */
  guint64 opened, ended, waiting; /* opened; over without that; neither, now */
  guint64 unfollowed;             /* beyond FLOW_MAX_REFERENCES */
} FlowPeriod;

/* How many events of one kind, one period and so on. Texts are not NULL; "" when the event
 * does not say it. */
typedef struct {
  guint period;
  EventKind kind;
  const char *route;  /* of a message that came in: "nta", "community" or "no" */
  const char *code;   /* why; of an access code the reason why it was not sent */
  const char *method; /* "email" of an access code that went by mail */
  const char *sender; /* address or domain */
  const char *domain; /* of the recipient */
  guint64 count;
} FlowRow;

typedef struct {
  const char *domain;
  guint64 direct, fell; /* recipients; partner.h says who fell back */
} FlowPartner;

typedef struct Flow Flow;

/* Counts by OPTIONS (copied). Never NULL; freed with flow_free. */
Flow *
flow_new(const FlowOptions *options);

/* Frees FLOW; NULL is allowed. */
void
flow_free(Flow *flow);

/*
 * Takes the event ATTRS (event_format; borrowed), which happened at AT_US. Events come in
 * their order. Those of PARTNER_DAYS before the period should come, for what a partner is,
 * and those after it up to now, for what became of its messages; they are counted nowhere.
 */
void
flow_add(Flow *flow, const Attrs *attrs, gint64 at_us);

/* How many events of the period were added. */
guint64
flow_total(const Flow *flow);

/* The periods (of FlowPeriod), all, in order; owned by FLOW. */
const GPtrArray *
flow_periods(const Flow *flow);

/* The rows (of FlowRow) in a fixed order, by period, kind and so on; owned by FLOW. */
const GPtrArray *
flow_rows(Flow *flow);

/* The partners (of FlowPartner), those who fell back most first; owned by FLOW. */
const GPtrArray *
flow_partners(Flow *flow);

/* Whether there were more senders and domains than rows. */
gboolean
flow_is_cut(const Flow *flow);

/* The part of ADDRESS behind the last '@' in lower case, a new string; "" without one. */
char *
flow_domain_of(const char *address);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Flow, flow_free)
