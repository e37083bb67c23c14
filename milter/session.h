/*
 * session.h - the callbacks of libmilter.
 *
 * A session is one SMTP connection; a message lives from MAIL to its end. Nothing is kept
 * between messages. No callback refuses or accepts before the end of the message: in
 * Postfix 3.7.11 what follows would then pass by the milter.
 */
#pragma once

#include <libmilter/mfapi.h>

#include "common/base/current.h"

/* The callbacks, for smfi_register. */
struct smfiDesc
session_callbacks(void);

/* Each message works with what TOOLS (of Tools; borrowed until the process ends) holds when
 * its header is complete. Before smfi_main. */
void
session_use(Current *tools);

/*
 * From now on new messages are turned away with 4xx. Waits until those that have begun are
 * done, WAIT_MS at most; returns how many are not. The answer to the last one may still be
 * on its way.
 */
guint
session_drain(guint wait_ms);
