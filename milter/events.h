/*
 * events.h - what the log says of a message that leaves (zegel-events(5)).
 */
#pragma once

#include "milter/message.h"

/* MESSAGE is refused: REFUSAL, about the first of NAMES (of char *, may be NULL). */
void
events_refused(const Message *message, Refusal refusal, const GPtrArray *names,
               const char *queue_id);

/* Every recipient of MESSAGE that DECISION gives a route that is not the ordinary one, and
 * the hash of each attachment of a sealed one (K3). */
void
events_routed(const Message *message, const Decision *decision, const char *queue_id);

/* What DECISION, an observed one, would have done with MESSAGE. */
void
events_observed(const Message *message, const Decision *decision, const char *queue_id);
