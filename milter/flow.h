/*
 * flow.h - the way of one message through this program, whatever kind it is.
 *
 * Says who sent it (O3, O4), and hands it to the flow of its kind: outward.h or inward.h.
 * Knows no libmilter: the callbacks and zegel-milter -t take the same way.
 */
#pragma once

#include "milter/arrival.h"
#include "milter/message.h"
#include "milter/outward.h"
#include "milter/plan.h"
#include "milter/tools.h"

typedef struct Flow Flow;

/*
 * Begins with ARRIVAL (borrowed until flow_free; the certificate of its client is found out
 * here), its header complete. QUEUE_ID may be NULL. Never NULL; freed with flow_free.
 */
Flow *
flow_new(const Tools *tools, Arrival *arrival, const char *queue_id);

/* Frees FLOW; NULL is allowed. */
void
flow_free(Flow *flow);

/* Whether anybody needs the body. */
gboolean
flow_needs_body(const Flow *flow);

/* Takes LEN bytes of the body. */
void
flow_body(Flow *flow, const void *bytes, gsize len);

/* Ends the message: what is to be done with it, freed by the caller. */
Plan *
flow_finish(Flow *flow);

/* The plan was carried out: logs what became of the message. */
void
flow_log(const Flow *flow);

/* The message, as it was understood: borrowed. */
const Message *
flow_message(const Flow *flow);

/* What was decided, or NULL for a message that comes in: borrowed. */
const Decision *
flow_decision(const Flow *flow);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Flow, flow_free)
