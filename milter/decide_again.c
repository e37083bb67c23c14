/*
 * decide_again.c - decides on what comes back out of an expansion (R7).
 */
#include "milter/decide.h"
#include "milter/decision.h"

/* Whom TICKET has at ADDRESS, or NULL; as header_number, when not to the letter. */
static const TicketRecipient *
ticket_recipient(const Ticket *ticket, const char *address)
{
  const TicketRecipient *exact = ticket_find_recipient(ticket, address);
  if (exact != NULL)
    return exact;
  for (guint i = 0; i < ticket->recipients->len; i++) {
    const TicketRecipient *recipient = ticket->recipients->pdata[i];
    if (g_ascii_strcasecmp(recipient->address, address) == 0)
      return recipient;
  }
  return NULL;
}

static gboolean
refuse_ticket(const AgainFacts *facts, Decision *decision)
{
  static const Refusal refusals[] = {
      [TICKET_STATE_FORGED] = REFUSAL_TICKET_FORGED,
      [TICKET_STATE_DOUBLE] = REFUSAL_TICKET_DOUBLE,
      [TICKET_STATE_KEY] = REFUSAL_TICKET_KEY,
      [TICKET_STATE_ORGANISATION] = REFUSAL_ORGANISATION,
  };
  if (facts->state == TICKET_STATE_GOOD)
    return FALSE;
  decision_refuse(decision, refusals[facts->state]);
  return TRUE;
}

static Outcome
find_number_again(const AgainFacts *facts, const Asked *asked)
{
  Outcome found = {.label = LABEL_NONE};
  if (facts->method == METHOD_NONE)
    return found;
  const TicketRecipient *known = ticket_recipient(facts->ticket, asked->address);
  if (known != NULL && known->number != NULL) {
    found.number = known->number;
    found.learn = known->learn;
  } else if (facts->phone_book) {
    found.number = asked->answer->number;
  }
  return found;
}

static void
settle_again(const AgainFacts *facts, Decision *decision)
{
  g_auto(Some) lacking =
      decision_find_some(facts->recipients, decision, LABEL_VIEWER, outcome_has_no_number);
  if (facts->method == METHOD_NONE)
    decision_refuse_viewer(facts->recipients, decision, REFUSAL_EXPANDED_NONE);
  else if (facts->method != METHOD_NUMBER)
    some_get_codes_by_mail(&lacking);
  else if (lacking.names->len > 0)
    decision_refuse_naming(decision, REFUSAL_EXPANDED, lacking.names);
}

static void
decide_again_routes(const AgainFacts *facts, Decision *decision)
{
  decision->kind = DECISION_SEAL;
  for (guint i = 0; i < facts->recipients->len; i++) {
    Asked asked = {facts->recipients->pdata[i], facts->answers->pdata[i]};
    Outcome found = find_number_again(facts, &asked);
    if (!decision_add_outcome(decision, &asked, LABEL_NONE, &found))
      return;
  }
  if (facts->ticket->signature_broken)
    decision_turn_to_viewer(decision);
  settle_again(facts, decision);
}

Decision *
decide_again(const AgainFacts *facts)
{
  Decision *decision = decision_new();
  if (facts->tickets == 0)
    return decision;
  decision->sensitive = TRUE;
  decision->reason = "Z-R7-TICKET";
  if (refuse_ticket(facts, decision))
    return decision;
  if (facts->changed)
    decision_refuse(decision, REFUSAL_HASH);
  else if (facts->odd->len > 0)
    decision_refuse_naming(decision, REFUSAL_ADDRESS, facts->odd);
  else if (facts->recipients->len > DECIDE_MAX_RECIPIENTS)
    decision_refuse_over(decision, REFUSAL_TOO_MANY, DECIDE_MAX_RECIPIENTS);
  else if (facts->unanswered)
    decision_refuse(decision, REFUSAL_LATER);
  else if (facts->answers == NULL)
    decision->kind = DECISION_ASK;
  else
    decide_again_routes(facts, decision);
  return decision;
}
