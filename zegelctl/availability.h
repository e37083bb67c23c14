/*
 * availability.h - zegelctl report availability, for the table of commands in report.c.
 */
#pragma once

#include "zegelctl/command.h"

/* Its options. */
extern const GOptionEntry availability_options[];

/* Runs it; an exit status. */
int
availability_run(int argc, char **argv);
