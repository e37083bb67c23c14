/*
 * doctor.h - what goes wrong at sites, found before it hurts: the checks of zegelctl
 * doctor.
 *
 * A check looks at one thing, changes nothing, and says what it found and how it is cured.
 * Each has a stable id, documented in zegel-doctor(7). One thread, as root.
 */
#pragma once

#include "common/conf/conf.h"
#include "zegelctl/site.h"

typedef enum {
  DOCTOR_GOOD,    /* looked at, and right */
  DOCTOR_ABSENT,  /* there is no such thing here: nothing to look at */
  DOCTOR_WARNING, /* mail is safe now; it may not stay so, or somebody will complain */
  DOCTOR_WRONG,   /* mail stops, leaks or is lost, or the trail is not proven */
  DOCTOR_UNKNOWN  /* could not be looked at; WHAT says why */
} DoctorState;

/* What the checks are about. All borrowed. */
typedef struct {
  const Config *config;
  const char *config_path; /* "/etc/zegel/zegel.conf" */
  const GPtrArray *sites;  /* of Site: instances whose mail zegel sees; never empty */
  gint64 now_s;
} DoctorSubject;

typedef struct DoctorReport DoctorReport;

typedef struct {
  const char *id;    /* "milter-socket": lower case and '-'; of an area, then the thing */
  const char *title; /* what is looked at, for people: "Postfix reaches the milter" */
  void (*check)(const DoctorSubject *subject, DoctorReport *report);
} DoctorCheck;

/*
 * What a check says, once for each thing that is wrong: WHAT is so, printf-formatted, and
 * CURE (NULL when there is nothing to cure), what to do, with the command to copy where
 * there is one; a space in "double quotes" never becomes an end of line. A check that says
 * nothing found everything good.
 */
void
doctor_say(DoctorReport *report, DoctorState state, const char *cure, const char *what, ...)
    G_GNUC_PRINTF(4, 5);

/* Whether a certificate that is valid FROM_S until UNTIL_S, Unix time, should be another by
 * NOW_S: two weeks before its end, or in the last quarter of its time. Pure. */
gboolean
doctor_ends_soon(gint64 from_s, gint64 until_s, gint64 now_s);

/* The checks of each file; each table ends with one without id. */
extern const DoctorCheck doctor_postfix_checks[]; /* main.cf, master.cf */
extern const DoctorCheck doctor_tls_checks[];     /* how it is encrypted */
extern const DoctorCheck doctor_milter_checks[];  /* sockets, who is asked */
extern const DoctorCheck doctor_table_checks[];   /* where mail goes */
extern const DoctorCheck doctor_world_checks[];   /* resolver, clock, DNS records, TLS */
extern const DoctorCheck doctor_own_checks[];     /* keys, daemons, store, disk, audit */
extern const DoctorCheck doctor_viewer_checks[];  /* web server, certificate, SMS */
