/*
 * audit_verify.h - zegelctl audit verify: is the audit trail what was written (A4)?
 */
#pragma once

#include <glib.h>

extern const GOptionEntry audit_verify_options[];

/* Verifies as the options say, and prints what was found. 0: it is good; 1: it is not; else
 * that could not be found out, as command_fail has it. */
int
audit_verify_run(int argc, char **argv);
