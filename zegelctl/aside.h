/*
 * aside.h - work that gives up root's rights for good, in a process of its own.
 */
#pragma once

#include <glib.h>

/* Runs WORK with DATA in a process of its own; what it returned, an exit status. */
int
aside_run(int (*work)(gpointer data), gpointer data);
