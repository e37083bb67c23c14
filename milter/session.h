/*
 * session.h - the callbacks of libmilter.
 *
 * A session is one SMTP connection; a message lives from MAIL to its end. Nothing is kept
 * between messages. No callback refuses or accepts before the end of the message: in
 * Postfix 3.7.11 what follows would then pass by the milter.
 */
#pragma once

#include <libmilter/mfapi.h>

#include "milter/tools.h"

/* The callbacks, for smfi_register. TOOLS are borrowed until the process ends, and may be
 * filled until smfi_main. */
struct smfiDesc
session_callbacks(const Tools *tools);
