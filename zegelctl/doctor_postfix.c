/*
 * doctor_postfix.c - what zegelctl doctor looks at in Postfix: main.cf, master.cf, tables,
 * sockets.
 */
#include "zegelctl/doctor.h"

static void
check_setup(const DoctorSubject *subject, DoctorReport *report)
{
  for (guint i = 0; i < subject->sites->len; i++) {
    const Site *site = subject->sites->pdata[i];
    if (!site_is_set(site, "zegel_milter"))
      doctor_say(report, DOCTOR_WRONG, "zegelctl setup",
                 "%s/main.cf has no zegel_milter: this Postfix does not know zegel",
                 site_directory(site));
  }
}

const DoctorCheck doctor_postfix_checks[] = {
    {"postfix-setup", "Postfix knows zegel", check_setup},
    {.id = NULL},
};
