/*
 * expire.h - the clock of zegel-deliver: tells who waits for nothing (due.h), sends again
 * what is asked for (again.h), and removes what is past its time from the store (K4).
 */
#pragma once

#include "common/base/current.h"

/*
 * Starts a thread that calls again_run every few seconds, and due_run and store_expire
 * every hour, the first time some seconds after the start, until their stop_fd is
 * readable. SERVICES (of Service) is borrowed until the thread was joined with
 * g_thread_join. A failure is logged and tried again an hour later.
 */
GThread *
expire_start(Current *services);
