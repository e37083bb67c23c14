/*
 * doctor_own.c - what zegelctl doctor looks at in zegel itself: programs, keys, files, the
 * audit trail, the clock by which all of it lives.
 */
#include "zegelctl/doctor_parts.h"

const DoctorCheck doctor_own_checks[] = {
    {"daemon-running", "the six programs run, and answer", doctor_check_running},
    {"daemon-current", "they run with zegel.conf as it is", doctor_check_current},
    {"key-there", "each program has its keys", doctor_check_key_there},
    {"key-rights", "nobody else can read a key", doctor_check_key_rights},
    {"key-web", "the web server can read no key and no database", doctor_check_key_web},
    {"key-copies", "copies of a key are alike", doctor_check_key_copies},
    {"key-store", "the keys belong to the store", doctor_check_key_store},
    {"state-rights", "each program can use its files", doctor_check_rights},
    {"state-private", "nobody else can", doctor_check_private},
    {"routes-db", "Postfix can read the routes", doctor_check_routes},
    {"disk-space", "there is room", doctor_check_disk},
    {"audit-chain", "the audit trail is what was written", doctor_check_chain},
    {"audit-waiting", "events come into the audit trail", doctor_check_waiting},
    {"clock", "the clock is right", doctor_check_clock},
    {"clock-kept", "something keeps it so", doctor_check_clock_kept},
    {"nta-ends", "the NTA 7516 records of our domains hold", doctor_check_nta_ends},
    {.id = NULL},
};
