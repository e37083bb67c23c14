/*
 * finding.h - what is there to say of a domain before it goes wrong.
 *
 * From what was seen of it (seen.h), and from the lines of its check when there is one:
 * a record that ends, a span that is too long, hosts and pins that changed, a domain that
 * was ready and is not. One thread.
 */
#pragma once

#include "common/ask/check.h"
#include "common/seen/seen.h"

#define FINDING_LAST_DAYS   14 /* before its end a record is told of once more */
#define FINDING_SILENT_DAYS 3  /* in which nothing could be found out of who was ready */
#define FINDING_SPAN_MONTHS 36 /* NTA 7516: enddate is at most startdate + 3 years */

typedef struct {
  const char *code; /* static: "Z-N1-ENDS" */
  gboolean ours;
  char *domain;
  char *host;      /* whose pins changed, or NULL */
  char *until;     /* "2026-12-31", or NULL */
  gint64 since_s;  /* when it was first seen; 0: it is no change */
  GString *what;   /* for people */
  GString *action; /* what to do */
  GPtrArray *keys; /* of char *: of each thing that is told once; stable */
} Finding;

/* What is asked of all domains. */
typedef struct {
  gint64 now_s;
  guint days; /* what ends within them, and what changed in them */
} FindingRules;

/* One domain; all borrowed. */
typedef struct {
  const char *domain;
  gboolean ours;
  gboolean partner;       /* the domain book has it */
  const GPtrArray *lines; /* of CheckLine, of now; NULL: it could not be checked */
} FindingSubject;

/*
 * Adds to FINDINGS (of Finding) what SEEN has of SUBJECT by RULES. HOSTS (char * to
 * Finding *, or to NULL when there is nothing to say) has the hosts that were looked at:
 * one that takes mail of many domains is told of once. Of a stranger, that is who is
 * neither ours nor a partner, it is told only while he is or was lately ready, or his span
 * is why he is not. FALSE with an error.
 */
gboolean
finding_search(Seen *seen, const FindingRules *rules, const FindingSubject *subject,
               GHashTable *hosts, GPtrArray *findings, GError **error);

/* A finding CODE (static) on DOMAIN that says nothing yet; freed with finding_free. */
Finding *
finding_new(const char *code, const char *domain, gboolean ours);

/* Adds the printf-formatted key of something to be told once. */
void
finding_key(Finding *finding, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Frees FINDING; NULL is allowed. */
void
finding_free(Finding *finding);

/* TEXT, an NTA 7516 record, from MONTH (year * 12 + month - 1) on for three years: a new
 * string. What it says besides stays. Pure. */
char *
finding_renewed(const char *text, int month);
