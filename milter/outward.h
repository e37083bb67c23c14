/*
 * outward.h - the flow of a message that leaves: what an organisation sends, what comes
 * back out of an expansion (R7), and what zegel writes itself (service domain).
 *
 * At the end of the header it is decided, policyd is asked, and who hashes the body is made
 * ready; at the end of the message the plan is finished. Nothing of libmilter here.
 */
#pragma once

#include "milter/message.h"
#include "milter/plan.h"
#include "milter/tools.h"

typedef struct Outward Outward;

/* Begins with MESSAGE (borrowed until outward_free), its header complete. QUEUE_ID may be
 * NULL. Never NULL. */
Outward *
outward_new(const Tools *tools, Message *message, const char *queue_id);

/* Frees OUTWARD; NULL is allowed. */
void
outward_free(Outward *outward);

/* Whether anybody needs the body. */
gboolean
outward_needs_body(const Outward *outward);

/* Takes LEN bytes of the body. */
void
outward_body(Outward *outward, const void *bytes, gsize len);

/* Ends the message: what is to be done with it, freed by the caller. */
Plan *
outward_finish(Outward *outward);

/* That was done: logs the events. */
void
outward_log(const Outward *outward);

/* What was decided, for zegel-milter -t: borrowed. */
const Decision *
outward_decision(const Outward *outward);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Outward, outward_free)
