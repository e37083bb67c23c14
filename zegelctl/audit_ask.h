/*
 * audit_ask.h - what somebody wants to see of the audit trail, in his words. Pure.
 */
#pragma once

#include "common/audit/trail.h"

/* As it was typed; NULL: it does not count. All borrowed. */
typedef struct {
  const char *since, *until;
  const char *person, *message, *event, *organisation;
} AuditAsk;

/* ASK as a query, whose texts belong to ASK but for what this holds. */
typedef struct {
  TrailQuery query;
  char *message_id; /* with its <>, or NULL */
} AuditQuery;

/*
 * TEXT as Unix time in microseconds into *AT_US: a day (2026-11-22), a day and a time
 * (2026-11-22 14:30, with or without seconds and zone; local without), or how long before
 * NOW_US (36h, 7d). A day is its first moment, or with END its last. FALSE with
 * ZEGEL_ERROR_INVALID. Any thread.
 */
gboolean
audit_ask_time(const char *text, gint64 now_us, gboolean end, gint64 *at_us,
               GError **error);

/*
 * Fills QUERY, freed with audit_query_clear. A message is a Message-ID when there is an '@'
 * in it, a reference when it looks like one of ours, and else a queue id of Postfix. FALSE
 * with ZEGEL_ERROR_INVALID.
 */
gboolean
audit_ask_query(const AuditAsk *ask, gint64 now_us, AuditQuery *query, GError **error);

/* Adds what ASK asks for to EVENT, an EVENT_AUDIT_READ. */
void
audit_ask_record(const AuditAsk *ask, const AuditQuery *query, Event *event);

/* Frees what QUERY holds. */
void
audit_query_clear(AuditQuery *query);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AuditQuery, audit_query_clear)
