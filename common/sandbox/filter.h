/*
 * filter.h - the seccomp filter of a daemon. For this room only.
 */
#pragma once

#include <glib.h>

#include "common/sandbox/sandbox.h"

/*
 * Installs, for ever and for what this process will start, a filter that leaves the system
 * calls that a program with DUTIES needs. Those that only somebody who took the program
 * over makes kill it with SIGSYS; all others are answered as by a kernel that does not know
 * them. FALSE with ZEGEL_ERROR_CONFIG. Needs no_new_privs.
 */
gboolean
filter_install(SandboxDuty duties, GError **error);
