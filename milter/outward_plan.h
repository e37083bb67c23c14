/*
 * outward_plan.h - what is changed in a message that leaves, as a plan.
 *
 * In this order: header, then (outward.c) signatures, ticket, envelope. Pure but for the
 * random id of a ticket.
 */
#pragma once

#include "common/crypt/key.h"
#include "milter/message.h"
#include "milter/plan.h"

#define NTA_HEADER         "X-NTA7516"
#define OUTWARD_HEAD_INDEX 1 /* where new header fields go: behind the first */

/*
 * The changes of the header that DECISION asks for: our marks, results in our name (T27)
 * and NTA_HEADER taken out, the subject cleaned (S4), NTA_HEADER with CONFIG's value put in
 * when somebody is reached directly under the norm (N4).
 */
void
outward_plan_header(const Message *message, const Decision *decision, const Config *config,
                    Plan *plan);

/*
 * The ticket that DECISION (DECISION_SEAL) asks for, sealed with RING: put in, or brought
 * up to date. MESSAGE's body was hashed. FALSE with an error.
 */
gboolean
outward_plan_ticket(Message *message, const Decision *decision, const KeyRing *ring,
                    Plan *plan, GError **error);

/* The labelled recipients that DECISION asks for, and for DECISION_SEAL the sender's
 * parameters (S12). FALSE: a label does not fit, which was seen before. */
gboolean
outward_plan_envelope(const Message *message, const Decision *decision, Plan *plan);
