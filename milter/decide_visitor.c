/*
 * decide_visitor.c - decides on what a visitor wrote in the viewer (V5, V6, V11, R8).
 */
#include "milter/decide.h"
#include "milter/decision.h"

static gboolean
refuse_mark(const VisitorFacts *facts, Decision *decision)
{
  static const Refusal refusals[] = {
      [MARK_FORGED] = REFUSAL_MARK_FORGED,
      [MARK_KEY] = REFUSAL_MARK_KEY,
      [MARK_ORGANISATION] = REFUSAL_ORGANISATION,
  };
  if (facts->marks == 0)
    decision_refuse(decision, REFUSAL_MARK_NONE);
  else if (facts->state != MARK_GOOD)
    decision_refuse(decision, refusals[facts->state]);
  else if (facts->too_many_headers)
    decision_refuse(decision, REFUSAL_HEADERS);
  else if (facts->other_author)
    decision_refuse(decision, REFUSAL_MARK_FROM);
  else if (facts->unmarked->len > 0)
    decision_refuse_naming(decision, REFUSAL_MARK_RECIPIENT, facts->unmarked);
  else if (facts->changed)
    decision_refuse(decision, REFUSAL_MARK_BODY);
  else
    return FALSE;
  return TRUE;
}

/*
 * A visitor gives no number, and nobody else is asked for one. Whoever needs the viewer and
 * is in the phone book has read there before.
 */
static void
settle(const VisitorFacts *facts, Decision *decision)
{
  g_auto(Some) unreached =
      decision_find_some(facts->recipients, decision, LABEL_VIEWER,
                         facts->viewer ? outcome_has_no_number : outcome_is_any);
  if (unreached.names->len > 0)
    decision_refuse_naming(decision, REFUSAL_VISITOR_ROUTE, unreached.names);
}

static void
decide_visitor_routes(const VisitorFacts *facts, Decision *decision)
{
  decision->kind = DECISION_SEAL;
  for (guint i = 0; i < facts->recipients->len; i++) {
    Asked asked = {facts->recipients->pdata[i], facts->answers->pdata[i]};
    Outcome found = {.label = LABEL_NONE, .number = asked.answer->number};
    if (!decision_add_outcome(decision, &asked, LABEL_OWN, &found))
      return;
  }
  settle(facts, decision);
}

Decision *
decide_visitor(const VisitorFacts *facts)
{
  Decision *decision = decision_new();
  decision->sensitive = TRUE;
  decision->reason = "Z-V5-VISITOR";
  if (refuse_mark(facts, decision))
    return decision;
  if (facts->unanswered)
    decision_refuse(decision, REFUSAL_LATER);
  else if (facts->answers == NULL)
    decision->kind = DECISION_ASK;
  else
    decide_visitor_routes(facts, decision);
  return decision;
}
