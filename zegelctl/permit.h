/*
 * permit.h - may he who calls run this command?
 */
#pragma once

#include "zegelctl/command.h"

/*
 * EX_OK when he may, by the roles (role.h) that the usual zegel.conf names, whatever -c
 * said. Else it has been said on standard error, and in the log, and is the exit status.
 */
int
permit_command(const Command *command);
