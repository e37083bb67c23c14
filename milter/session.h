/*
 * session.h - the callbacks of libmilter.
 *
 * A session is one SMTP connection; a message lives from MAIL to its end. Nothing is kept
 * between messages. No callback refuses or accepts before the end of the message: in
 * Postfix 3.7.11 what follows would then pass by the milter.
 */
#pragma once

#include <libmilter/mfapi.h>

#include "common/conf/conf.h"
#include "common/crypt/key.h"

/* The callbacks, for smfi_register. CONFIG is borrowed until the process ends. */
struct smfiDesc
session_callbacks(const Config *config);

/* Gives the callbacks RING (KEY_TICKET), borrowed; call before smfi_main. */
void
session_set_keys(const KeyRing *ring);
