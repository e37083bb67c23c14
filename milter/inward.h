/*
 * inward.h - the flow of a message that comes in: verified, marked, or refused (N5).
 *
 * As outward.h, for MESSAGE_INWARD.
 */
#pragma once

#include "milter/message.h"
#include "milter/plan.h"
#include "milter/tools.h"

typedef struct Inward Inward;

/* Begins with MESSAGE (borrowed until inward_free), its header complete. QUEUE_ID may be
 * NULL. Never NULL. */
Inward *
inward_new(const Tools *tools, Message *message, const char *queue_id);

/* Frees INWARD; NULL is allowed. */
void
inward_free(Inward *inward);

/* Whether anybody needs the body. */
gboolean
inward_needs_body(const Inward *inward);

/* Takes LEN bytes of the body. */
void
inward_body(Inward *inward, const void *bytes, gsize len);

/* Ends the message: what is to be done with it, freed by the caller. Logs the events. */
Plan *
inward_finish(Inward *inward);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Inward, inward_free)
