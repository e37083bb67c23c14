/*
 * apart.h - a look of doctor that is taken as somebody else, in a process of its own.
 *
 * Whether a user can open a file only he can say, and what comes from a network or a
 * database that others write is not read as root. The process ends with the look; what it
 * found comes back through a pipe.
 */
#pragma once

#include "zegelctl/doctor.h"

typedef struct Apart Apart;

/* What is done in the other process, with the caller's DATA; it says what it found with
 * apart_say. It may leave everything as it stands: the process ends. */
typedef void (*ApartLook)(const DoctorSubject *subject, gpointer data, Apart *apart);

/* As doctor_say. DOCTOR_GOOD is for the caller alone: see apart_run. */
void
apart_say(Apart *apart, DoctorState state, const char *cure, const char *what, ...)
    G_GNUC_PRINTF(4, 5);

/*
 * Has LOOK run as USER, who is not root, for at most SECONDS, and tells REPORT what it
 * said; DOCTOR_UNKNOWN when it did not come to its end. Returns whether it said
 * DOCTOR_GOOD, which REPORT is not told. One thread.
 */
gboolean
apart_run(const DoctorSubject *subject, DoctorReport *report, const char *user,
          guint seconds, ApartLook look, gpointer data);
