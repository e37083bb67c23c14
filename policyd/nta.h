/*
 * nta.h - NTA 7516 records: the parser and its rules (N1).
 *
 * Current syntax, at the apex beside SPF:
 *   v=NTA7516-1;startdate=YYYY-MM;enddate=YYYY-MM;provider=NAME[;ntamx=PREF HOST]...
 * Old syntax (2019): v=NTA7516;version:YYYY-MM;expire:YYYY-MM;provider:NAME[;ntamx:HOST]...
 * What the norm may change stands in one table in nta.c. Everything is pure; any thread.
 */
#pragma once

#include <glib.h>

#define NTA_MAX_BYTES    4096 /* of one record's text */
#define NTA_MAX_HOSTS    16   /* ntamx fields of one record */
#define NTA_SPAN_MONTHS  36   /* enddate is at most startdate + 3 years */
#define NTA_PROVIDER_MAX 255

typedef struct {
  guint preference; /* 0 in the old syntax */
  char *host;       /* A-labels, lower case, no dot at the end */
} NtaHost;

typedef struct {
  gboolean old; /* the syntax of 2019 */
  int start;    /* months since year 0: year * 12 + month - 1; the first day counts */
  int end;      /* the same; through its last day */
  char *provider;
  GPtrArray
      *hosts; /* of NtaHost, lowest preference first, else as they stood; may be empty */
} NtaRecord;

typedef struct {
  gboolean old_syntax; /* the old syntax counts too */
  gboolean long_span;  /* more than NTA_SPAN_MONTHS is no reason to refuse */
  int month;           /* now, as NtaRecord.start */
} NtaRules;

/* Why a record does not count; the first that applies. */
typedef enum {
  NTA_VALID,
  NTA_OTHER,   /* not an NTA record at all */
  NTA_SYNTAX,  /* one that cannot be read */
  NTA_OLD,     /* the old syntax, which is not configured */
  NTA_NOT_YET, /* before startdate */
  NTA_ENDED,   /* after enddate */
  NTA_SPAN     /* longer than three years */
} NtaState;

/*
 * Reads LEN octets at TEXT, the joined strings of one TXT record. *RECORD gets a new record
 * (freed with nta_record_free) for every state but NTA_OTHER and NTA_SYNTAX, else NULL.
 * *WHAT gets a static text that says what is wrong, for people, or NULL.
 */
NtaState
nta_parse(const char *text, gsize len, const NtaRules *rules, NtaRecord **record,
          const char **what);

/* Frees RECORD; NULL is allowed. */
void
nta_record_free(NtaRecord *record);

/* The month of the Unix time TIME_S in the Netherlands' clock, as NtaRecord.start. */
int
nta_month(gint64 time_s);

/* "2026-11" for MONTH: a new string. */
char *
nta_month_text(int month);

/* The day of the Unix time TIME_S in the same clock, "2026-11-22": a new string. */
char *
nta_day_text(gint64 time_s);

/* Whether MONTH lies in the months of RECORD. */
gboolean
nta_in_dates(const NtaRecord *record, int month);

/* Whether RECORD holds for no longer than the norm allows. */
gboolean
nta_in_span(const NtaRecord *record);

/* Whether HOST is the name of a mail host as the DNS and Postfix take it, with two labels
 * or more, lower case, no dot at the end, and short enough for its TLSA name. */
gboolean
nta_host_is_good(const char *host);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(NtaRecord, nta_record_free)
