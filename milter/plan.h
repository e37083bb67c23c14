/*
 * plan.h - what is to be changed in a message, before anything is.
 *
 * Who decides writes a plan; apply.c carries it out through libmilter, and
 * zegel-milter -t prints it. So what is tried is what happens. Knows no libmilter.
 */
#pragma once

#include <glib.h>

#include "milter/fields.h"
#include "milter/refusal.h"

typedef enum {
  PLAN_KEEP,      /* the changes are made, and the message goes on */
  PLAN_REFUSE,    /* see reply; nothing is changed */
  PLAN_QUARANTINE /* the changes are made, and the message waits in the hold queue */
} PlanVerdict;

typedef enum {
  CHANGE_HEADER_REMOVE,    /* field INDEX (from 1) of those called NAME when it came */
  CHANGE_HEADER_SET,       /* the same: its value becomes VALUE */
  CHANGE_HEADER_INSERT,    /* NAME: VALUE before field INDEX (from 0) of all */
  CHANGE_RECIPIENT_ADD,    /* NAME with brackets; VALUE: ESMTP parameters */
  CHANGE_RECIPIENT_REMOVE, /* NAME as it was given */
  CHANGE_SENDER            /* NAME with brackets; VALUE: ESMTP parameters */
} ChangeKind;

/* All owned. A header's value has LF line ends and no blank at its front. */
typedef struct {
  ChangeKind kind;
  char *name;
  guint index;
  char *value; /* NULL where there is none */
} Change;

typedef struct {
  PlanVerdict verdict;
  RefusalReply *reply; /* PLAN_REFUSE; else NULL. Temporary ones too */
  char *reason;        /* PLAN_QUARANTINE: a line for the log */
  GPtrArray *changes;  /* of Change, in the order in which they are made */
} Plan;

/* A plan to keep the message as it is, freed with plan_free. */
Plan *
plan_new(void);

/* Frees PLAN; NULL is allowed. */
void
plan_free(Plan *plan);

/* Appends a change; NAME and VALUE (may be NULL) are copied. */
void
plan_add(Plan *plan, ChangeKind kind, const char *name, guint index, const char *value);

/* Refuses with REFUSAL, which names NAMES (refusal.h), and forgets the changes. */
void
plan_refuse(Plan *plan, Refusal refusal, const GPtrArray *names);

/* Appends the removal of every field of FIELDS called NAME (any case), last to first (T27).
 * NAME may end with '*': every field whose name begins so. */
void
plan_remove_fields(Plan *plan, const Fields *fields, const char *name);

/* Whether PLAN inserts a field called NAME. */
gboolean
plan_inserts(const Plan *plan, const char *name);

/* Appends the removal of field I (from 0) of FIELDS. Several: last to first. */
void
plan_remove_field(Plan *plan, const Fields *fields, guint i);

/*
 * FIELDS as they leave when the header changes of PLAN are made: new, freed with
 * fields_free. Who signs signs these.
 */
Fields *
plan_leaving_fields(const Plan *plan, const Fields *fields);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Plan, plan_free)
