/*
 * report_flow.h - zegelctl report flow, for the table of commands in report.c.
 */
#pragma once

#include "zegelctl/command.h"

/* Its options. */
extern const GOptionEntry report_flow_options[];

/* Runs it; an exit status. */
int
report_flow_run(int argc, char **argv);
