/*
 * decision.h - how a decision is built, for those who decide.
 *
 * What both passes of a message do alike: refusals, and outcomes for recipients. Pure.
 */
#pragma once

#include "milter/decide.h"

/* A recipient and the answer of policyd. */
typedef struct {
  const char *address;
  const RouteAnswer *answer;
} Asked;

/* Some of the recipients, and what becomes of them. */
typedef struct {
  GPtrArray *names;    /* of char *, borrowed */
  GPtrArray *outcomes; /* of Outcome *, borrowed */
} Some;

/* A decision to pass, without outcomes; freed with decision_free. */
Decision *
decision_new(void);

/* Makes DECISION refuse with REFUSAL. */
void
decision_refuse(Decision *decision, Refusal refusal);

/* The same, with a text that names NAMES (of char *, copied). */
void
decision_refuse_naming(Decision *decision, Refusal refusal, const GPtrArray *names);

/* The same, with a text that has NAME: what it is about. */
void
decision_refuse_for(Decision *decision, Refusal refusal, const char *name);

/* The same, with a text that has LIMIT. */
void
decision_refuse_over(Decision *decision, Refusal refusal, guint limit);

/* Whether ADDRESS can carry LABEL. */
gboolean
decision_can_label(const char *address, Label label);

/*
 * Adds the outcome for ASKED, of a sensitive message, with what FOUND has of its number;
 * OWN is the label of an own mailbox. Refuses what has no safe route, and is then FALSE: an
 * own address that Postfix could send on by itself is none.
 */
gboolean
decision_add_outcome(Decision *decision, const Asked *asked, Label own,
                     const Outcome *found);

/* The word for the way that OUTCOME of ANSWER is, in the log and in a ticket: static. */
const char *
decision_route_name(const Outcome *outcome, const RouteAnswer *answer);

/* A test for decision_find_some: everybody. */
gboolean
outcome_is_any(const Outcome *outcome);

/* The same: for whom no number is known. */
gboolean
outcome_has_no_number(const Outcome *outcome);

/* The same: whose number was not given with this message. The phone book's may give way. */
gboolean
outcome_has_none_given(const Outcome *outcome);

/* Those of RECIPIENTS with LABEL for whom TEST holds; freed with some_clear. */
Some
decision_find_some(const GPtrArray *recipients, const Decision *decision, Label label,
                   gboolean (*test)(const Outcome *));

/* Frees what SOME holds. */
void
some_clear(Some *some);

/* S6: SOME, who have no number, read their code in an e-mail. */
void
some_get_codes_by_mail(const Some *some);

/* S6, method none: refuses with REFUSAL what only the viewer would bring. */
void
decision_refuse_viewer(const GPtrArray *recipients, Decision *decision, Refusal refusal);

/* N6: whoever would go direct goes to the viewer. A partner must not get what looks
 * forged; the viewer needs no signature. */
void
decision_turn_to_viewer(Decision *decision);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Some, some_clear)
