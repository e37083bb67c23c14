/*
 * apply.h - a plan, carried out through libmilter.
 */
#pragma once

#include <libmilter/mfapi.h>

#include "milter/message.h"
#include "milter/plan.h"

/*
 * Makes the changes of PLAN to MESSAGE at the end of the message and returns its verdict
 * for Postfix. TRUE in *DONE, or FALSE: a change failed, and the client is told to try
 * again. QUEUE_ID may be NULL.
 */
sfsistat
apply(SMFICTX *ctx, const Plan *plan, const Message *message, const char *queue_id,
      gboolean *done);
