/*
 * run.h - the life of the milter: libmilter in a thread of its own, signals in this one.
 */
#pragma once

#include "common/base/current.h"

#define RUN_DRAIN_S 10 /* F29: for the messages that have begun */

/*
 * Serves what libmilter has opened. On SIGHUP the configuration at CONFIG_PATH counts for
 * new messages: TOOLS (of Tools) is replaced. On SIGTERM or SIGINT new messages are turned
 * away, and TRUE is returned when the others have ended or RUN_DRAIN_S is over; the threads
 * of libmilter still run. FALSE: libmilter gave up. SIGNALS is of signals_catch.
 */
gboolean
run_until_stopped(Current *tools, const char *config_path, int signals);
