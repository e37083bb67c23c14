/*
 * sight.h - what a domain showed at one look: its records, and whether it was ready.
 *
 * Only what DNSSEC proved. No personal data: names of domains and hosts, and what they
 * publish. Values; any thread.
 */
#pragma once

#include <glib.h>

#define SIGHT_VALUE_MAX_BYTES 1000 /* of one record as text; a longer one is cut */
#define SIGHT_VALUES_MAX      32   /* records of one name; more are left out */

typedef enum {
  SEEN_NTA,   /* the NTA 7516 records of a domain, as text */
  SEEN_NTAMX, /* the hosts that they name: "10 mx1.example.nl" */
  SEEN_MX,    /* the MX of a domain whose record names none, the same */
  SEEN_TLSA,  /* the TLSA records of a host for port 25: "3 1 1 HEX" */
  SEEN_KINDS
} SeenKind;

typedef struct {
  char *text;
  int begins, ends; /* of an NTA record that can be read: months since year 0, year * 12 +
                     * month - 1, both counted; else 0 */
} SightValue;

/* All that NAME had of KIND; none is also something that was seen. */
typedef struct {
  SeenKind kind;
  char *name;        /* of a domain or host, A-labels */
  GPtrArray *values; /* of SightValue */
} SightLook;

typedef enum {
  SIGHT_NOT_READY,
  SIGHT_READY,
  SIGHT_UNKNOWN /* could not be found out: what is kept stays */
} SightReadiness;

typedef struct {
  char *domain; /* A-labels */
  gboolean ours;
  SightReadiness readiness;
  char *code;       /* what decided it: "Z-N1-DATES" */
  gint64 at_s;      /* Unix time */
  GPtrArray *looks; /* of SightLook */
} Sight;

/* A look at DOMAIN at the time AT_S that showed nothing yet; freed with sight_free. */
Sight *
sight_new(const char *domain, gboolean ours, gint64 at_s);

/* Frees SIGHT; NULL is allowed. */
void
sight_free(Sight *sight);

/* A look at KIND of NAME, owned by SIGHT, that had nothing yet. */
SightLook *
sight_look(Sight *sight, SeenKind kind, const char *name);

/* LOOK had TEXT too (copied, cut when it is too long), unless it has that already or is
 * full. BEGINS and ENDS as in SightValue. */
void
sight_add(SightLook *look, const char *text, int begins, int ends);

/* SHA-256 of all of SIGHT but its time: equal ones showed the same. A new string. */
char *
sight_digest(const Sight *sight);

/* "nta", "ntamx", "mx", "tlsa": static. */
const char *
seen_kind_name(SeenKind kind);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sight, sight_free)
