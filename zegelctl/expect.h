/*
 * expect.h - whether the flow of mail is as a rule expects (M3). Pure: times and events in,
 * alarms out.
 */
#pragma once

#include "common/base/attr.h"
#include "common/conf/conf.h"

#define EXPECT_LATE_US (60 * G_TIME_SPAN_MINUTE) /* after midnight, for the day before */
#define EXPECT_ANY     "-"

/*
 * Whether RULE can be judged for DAY at NOW_US (Unix time): it is one of its days, its hour
 * has come, here, and the day is not over for longer than EXPECT_LATE_US (a machine that
 * was off then says nothing of the day before: who reads it cannot act any more). What
 * counts happened from *FROM_US until before *UNTIL_US.
 */
gboolean
expect_due(const Config *config, const Rule *rule, const GDate *day, gint64 now_us,
           gint64 *from_us, gint64 *until_us);

/* Of which event RULE counts; static. */
const char *
expect_event(const Rule *rule);

/* How long before *FROM_US the events must begin, for RULE: microseconds. */
gint64
expect_memory_us(const Rule *rule);

typedef struct Expect Expect;

/* Judges RULE (borrowed) by what happens from FROM_US until before UNTIL_US. */
Expect *
expect_new(const Rule *rule, gint64 from_us, gint64 until_us);

/* Frees EXPECT; NULL is allowed. */
void
expect_free(Expect *expect);

/* Takes the event ATTRS (event_format) of AT_US; in their order. */
void
expect_add(Expect *expect, const Attrs *attrs, gint64 at_us);

/* That something is not as it should be. */
typedef struct {
  char *domain;  /* that fell back, or EXPECT_ANY */
  guint count;   /* messages, or recipients that fell back */
  guint limit;   /* fewer_than, or viewer_over in percent */
  guint percent; /* of recipients; 0 for fewer_than */
} Alarm;

/* The alarms (of Alarm), a new array that is freed by the caller; empty: all is well. */
GPtrArray *
expect_alarms(const Expect *expect);

/* ALARM of RULE for DAY ("2026-11-22") in sentences, Dutch first; a new string. */
char *
expect_text(const Rule *rule, const Alarm *alarm, const char *day);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Expect, expect_free)
