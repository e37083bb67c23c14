/*
 * overview.h - what happened, in plain words, for whom it concerns (NEN 7513 chapter 9).
 *
 * A patient may ask who did what when with messages to and from him; of an employee his
 * employer and an auditor may see what he did, and what was done with messages that he
 * answers for. The words are those of gettext's language. Nothing here reads a file.
 */
#pragma once

#include "common/audit/trail.h"

typedef enum {
  OVERVIEW_PATIENT, /* names nobody but him and who acted for the organisation */
  OVERVIEW_EMPLOYEE
} OverviewKind;

typedef struct Overview Overview;

/* An empty overview of KIND of PERSON (copied), freed with overview_free. */
Overview *
overview_new(OverviewKind kind, const char *person);

/* Frees OVERVIEW; NULL is allowed. */
void
overview_free(Overview *overview);

/* Takes RECORD in, in any order; one that is there already is passed over. */
void
overview_add(Overview *overview, const TrailRecord *record);

/* The references of all messages for or of him in OVERVIEW, owned by it: what else happened
 * to them belongs into it too. */
GPtrArray *
overview_references(const Overview *overview);

/* What stands above it; borrowed. */
typedef struct {
  const char *organisation; /* as people know it */
  const char *by;           /* who made it */
  gint64 now_us;
  gint64 from_us, until_us; /* 0: no limit */
} OverviewHead;

/* Appends HEAD and what is in OVERVIEW, oldest first. */
void
overview_append(GString *out, const Overview *overview, const OverviewHead *head);

/* What happened, in a few plain words, in gettext's language: static. */
const char *
overview_words(EventKind kind);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Overview, overview_free)
