/*
 * due.h - what is told when nobody opens a message: its sender (S14), and before its end
 * its reader (V7).
 */
#pragma once

#include "deliver/service.h"

/*
 * Sends what is due now, each once. What cannot be sent now stays due; that was logged.
 * Killed between sending and recording it, it goes once more with the same Message-ID.
 */
void
due_run(const Service *service);
