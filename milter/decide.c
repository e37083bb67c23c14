#include "milter/decide.h"

#include <string.h>

#include "milter/envelope.h"

static Decision *
decision_new(void)
{
  Decision *decision = g_new0(Decision, 1);
  decision->reason = "";
  decision->names = g_ptr_array_new();
  decision->outcomes = g_array_new(FALSE, TRUE, sizeof(Outcome));
  return decision;
}

void
decision_free(Decision *decision)
{
  if (decision == NULL)
    return;
  g_ptr_array_unref(decision->names);
  g_array_unref(decision->outcomes);
  g_free(decision);
}

void
header_number_free(HeaderNumber *number)
{
  if (number->number != NULL)
    explicit_bzero(number->number, strlen(number->number));
  g_free(number->number);
  g_free(number->address);
  g_free(number);
}

static void
refuse(Decision *decision, Refusal refusal)
{
  decision->kind = DECISION_REFUSE;
  decision->refusal = refusal;
}

static void
refuse_naming(Decision *decision, Refusal refusal, const GPtrArray *names)
{
  refuse(decision, refusal);
  for (guint i = 0; i < names->len; i++)
    g_ptr_array_add(decision->names, names->pdata[i]);
}

/* The number in the subject, or NULL; *TWO when there are different ones. */
static const char *
subject_number(const Facts *facts, gboolean *two)
{
  const char *number = NULL;
  for (guint i = 0; i < facts->triggers->len; i++) {
    const Trigger *trigger = facts->triggers->pdata[i];
    if (trigger->number == NULL)
      continue;
    if (number != NULL && strcmp(number, trigger->number) != 0)
      *two = TRUE;
    number = trigger->number;
  }
  return number;
}

static gboolean
has_trigger(const Facts *facts)
{
  for (guint i = 0; i < facts->triggers->len; i++)
    if (((const Trigger *) facts->triggers->pdata[i])->sensitive)
      return TRUE;
  return FALSE;
}

static gboolean
find_mistake(const Facts *facts, Refusal *refusal)
{
  for (guint i = 0; i < facts->triggers->len; i++) {
    switch (((const Trigger *) facts->triggers->pdata[i])->mistake) {
    case MISTAKE_NO_NUMBER:
      *refusal = REFUSAL_NO_NUMBER;
      return TRUE;
    case MISTAKE_BAD_NUMBER:
      *refusal = REFUSAL_BAD_NUMBER;
      return TRUE;
    case MISTAKE_TWO_NUMBERS:
      *refusal = REFUSAL_TWO_NUMBERS;
      return TRUE;
    case MISTAKE_NONE:
      break;
    }
  }
  gboolean two = FALSE;
  subject_number(facts, &two);
  *refusal = REFUSAL_TWO_NUMBERS;
  return two;
}

/*
 * The number that X-Zegel-SMS gives for ADDRESS, or NULL. Local parts may differ in case,
 * but nobody has two mailboxes that differ in that alone.
 */
static const char *
header_number(const Facts *facts, const char *address)
{
  for (guint i = 0; i < facts->numbers->len; i++) {
    const HeaderNumber *number = facts->numbers->pdata[i];
    if (number->address != NULL && g_ascii_strcasecmp(number->address, address) == 0)
      return number->number;
  }
  return NULL;
}

static gboolean
is_recipient(const Facts *facts, const char *address)
{
  for (guint i = 0; i < facts->recipients->len; i++)
    if (g_ascii_strcasecmp(facts->recipients->pdata[i], address) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
find_header_mistake(const Facts *facts, Refusal *refusal)
{
  for (guint i = 0; i < facts->numbers->len; i++) {
    const HeaderNumber *number = facts->numbers->pdata[i];
    *refusal = number->address == NULL ? REFUSAL_NUMBER_HEADER : REFUSAL_BAD_NUMBER;
    if (number->address == NULL || number->number == NULL)
      return TRUE;
    *refusal = REFUSAL_TWO_NUMBERS;
    if (strcmp(header_number(facts, number->address), number->number) != 0)
      return TRUE;
  }
  return FALSE;
}

/* What is wrong with the message whatever its routes are. */
static gboolean
refuse_early(const Facts *facts, Decision *decision)
{
  gboolean two = FALSE;
  Refusal refusal;
  if (facts->foreign->len > 0)
    refuse_naming(decision, REFUSAL_SENDER, facts->foreign);
  else if (facts->too_many_headers)
    refuse(decision, REFUSAL_HEADERS);
  else if (find_mistake(facts, &refusal) || find_header_mistake(facts, &refusal))
    refuse(decision, refusal);
  else if (facts->bypass == BYPASS_PLAIN &&
           (subject_number(facts, &two) != NULL || facts->numbers->len > 0))
    refuse(decision, REFUSAL_CONTRADICTION);
  else
    return FALSE;
  return TRUE;
}

/* S1: the first that speaks wins. */
static gboolean
is_sensitive(const Facts *facts, SensitiveDefault sensitive_default, const char **reason)
{
  const struct {
    gboolean speaks, sensitive;
    const char *reason;
  } voices[] = {
      {has_trigger(facts), TRUE, "Z-S2-TRIGGER"},
      {facts->bypass == BYPASS_SECURE, TRUE, "Z-S5-BYPASS"},
      {facts->bypass == BYPASS_PLAIN, FALSE, "Z-S5-BYPASS"},
      {facts->numbers->len > 0, TRUE, "Z-S7-HEADER"},
      {facts->sensitivity, TRUE, "Z-S1-SENSITIVITY"},
      {facts->machine, FALSE, "Z-S5-MACHINE"},
      {TRUE, sensitive_default == DEFAULT_SECURE, "Z-S5-DEFAULT"},
  };
  guint i = 0;
  while (!voices[i].speaks)
    i++;
  *reason = voices[i].reason;
  return voices[i].sensitive;
}

/* A recipient and the answer of policyd. */
typedef struct {
  const char *address;
  const RouteAnswer *answer;
} Asked;

static gboolean
can_label(const char *address, Label label)
{
  g_autofree char *labelled = label_add(address, label, NULL);
  return labelled != NULL;
}

/* Refuses because of ASKED, whose route is none for what is sensitive. */
static void
refuse_route(Decision *decision, const Asked *asked)
{
  refuse(decision,
         asked->answer->route == ROUTE_ORDINARY ? REFUSAL_LATER : REFUSAL_ADDRESS);
  g_ptr_array_add(decision->names, (gpointer) asked->address);
}

/*
 * Adds the outcome for ASKED, of a sensitive message; NUMBER may be NULL. Refuses what has
 * no safe route: an own address that Postfix could send on by itself is none.
 */
static gboolean
add_outcome(Decision *decision, const Asked *asked, Label own, const char *number)
{
  Outcome outcome = {.label = LABEL_NONE, .number = number};
  gboolean good = TRUE;
  switch (asked->answer->route) {
  case ROUTE_VIEWER:
    outcome.label = LABEL_VIEWER;
    break;
  case ROUTE_DIRECT:
    outcome.label = LABEL_DIRECT;
    break;
  case ROUTE_OWN:
    outcome.label = own;
    good = !envelope_is_routing(asked->address);
    break;
  case ROUTE_ORDINARY:
  case ROUTE_PREFER:
    good = FALSE;
    break;
  }
  if (good && (outcome.label == LABEL_NONE || can_label(asked->address, outcome.label))) {
    g_array_append_val(decision->outcomes, outcome);
    return TRUE;
  }
  refuse_route(decision, asked);
  return FALSE;
}

/* Those with LABEL who have no number; *LAST is one of them. */
static GPtrArray *
find_lacking(const GPtrArray *recipients, const Decision *decision, Label label,
             Outcome **last)
{
  GPtrArray *names = g_ptr_array_new();
  for (guint i = 0; i < decision->outcomes->len; i++) {
    Outcome *outcome = &g_array_index(decision->outcomes, Outcome, i);
    if (outcome->label != label || outcome->number != NULL)
      continue;
    *last = outcome;
    g_ptr_array_add(names, recipients->pdata[i]);
  }
  return names;
}

/*
 * Gives the number in the subject to the one who lacks one, or refuses (S7). When nobody
 * needs it, the only one who goes direct may have it: his domain can stop being ready (R4).
 */
static void
settle_numbers(const Facts *facts, Decision *decision)
{
  gboolean two = FALSE;
  const char *number = subject_number(facts, &two);
  Outcome *last = NULL;
  g_autoptr(GPtrArray) lacking =
      find_lacking(facts->recipients, decision, LABEL_VIEWER, &last);
  if (lacking->len == 0) {
    g_autoptr(GPtrArray) direct =
        find_lacking(facts->recipients, decision, LABEL_DIRECT, &last);
    if (direct->len == 1)
      last->number = number;
  } else if (lacking->len > 1) {
    refuse_naming(decision, number != NULL ? REFUSAL_ONE_NUMBER : REFUSAL_NUMBERS, lacking);
  } else if (number == NULL) {
    refuse_naming(decision, REFUSAL_NUMBER, lacking);
  } else {
    last->number = number;
  }
}

static void
decide_routes(const Facts *facts, Decision *decision)
{
  decision->kind = DECISION_SEAL;
  for (guint i = 0; i < facts->recipients->len; i++) {
    Asked asked = {facts->recipients->pdata[i], facts->answers->pdata[i]};
    const char *number = header_number(facts, asked.address);
    if (!add_outcome(decision, &asked, LABEL_OWN, number))
      return;
  }
  settle_numbers(facts, decision);
}

/* R3: whom policyd promised the direct way gets it; nothing else changes. */
static void
decide_preferred(const Facts *facts, Decision *decision)
{
  for (guint i = 0; i < facts->recipients->len; i++) {
    const char *address = facts->recipients->pdata[i];
    const RouteAnswer *answer = facts->answers->pdata[i];
    Outcome outcome = {.label = LABEL_NONE};
    if (answer->route == ROUTE_PREFER && !envelope_is_routing(address) &&
        can_label(address, LABEL_PREFER)) {
      outcome.label = LABEL_PREFER;
      decision->kind = DECISION_PREFER;
    }
    g_array_append_val(decision->outcomes, outcome);
  }
}

static void
decide_ordinary(const Facts *facts, Decision *decision)
{
  decision->kind = DECISION_PASS;
  if (!facts->prefer || facts->unanswered || facts->recipients->len == 0 ||
      facts->recipients->len > DECIDE_MAX_RECIPIENTS)
    return;
  if (facts->answers == NULL)
    decision->kind = DECISION_ASK;
  else
    decide_preferred(facts, decision);
}

/* X-Zegel-SMS may name whom only an alias reaches: the ticket must hold them all. */
static guint
count_named(const Facts *facts)
{
  guint count = facts->recipients->len;
  for (guint i = 0; i < facts->numbers->len; i++) {
    const HeaderNumber *number = facts->numbers->pdata[i];
    if (!is_recipient(facts, number->address))
      count++;
  }
  return count;
}

static void
decide_as(const Facts *facts, SensitiveDefault sensitive_default, Decision *decision)
{
  if (refuse_early(facts, decision))
    return;
  decision->sensitive = is_sensitive(facts, sensitive_default, &decision->reason);
  if (!decision->sensitive)
    decide_ordinary(facts, decision);
  else if (facts->odd->len > 0)
    refuse_naming(decision, REFUSAL_ADDRESS, facts->odd);
  else if (count_named(facts) > DECIDE_MAX_RECIPIENTS)
    refuse(decision, REFUSAL_TOO_MANY);
  else if (facts->unanswered)
    refuse(decision, REFUSAL_LATER);
  else if (facts->answers == NULL)
    decision->kind = DECISION_ASK;
  else
    decide_routes(facts, decision);
}

/*
 * A login of no organisation may have its ordinary mail, as if zegel were not there; but
 * what it asks to protect must not go out in the clear because a login was forgotten (O3).
 */
static void
decide_stranger(const Facts *facts, Decision *decision)
{
  Refusal mistake;
  if (find_mistake(facts, &mistake) ||
      is_sensitive(facts, DEFAULT_ON_REQUEST, &decision->reason))
    refuse_naming(decision, REFUSAL_LOGIN, facts->foreign);
}

Decision *
decide(const Facts *facts)
{
  Decision *decision = decision_new();
  if (facts->inward) {
    if (facts->too_many_headers)
      refuse(decision, REFUSAL_HEADERS);
    return decision;
  }
  if (facts->stranger) {
    decide_stranger(facts, decision);
    return decision;
  }
  if (facts->sensitive_default != DEFAULT_OBSERVE) {
    decide_as(facts, facts->sensitive_default, decision);
    return decision;
  }
  decide_as(facts, DEFAULT_SECURE, decision); /* what setup preselects */
  decision->would = decision->kind;
  decision->kind = DECISION_OBSERVE;
  return decision;
}

/* ---- What comes back out of an expansion ---- */

/* The number that TICKET has for ADDRESS, or NULL; as header_number, when not to the
 * letter. */
static const char *
ticket_number(const Ticket *ticket, const char *address)
{
  const TicketRecipient *exact = ticket_find_recipient(ticket, address);
  if (exact != NULL)
    return exact->number;
  for (guint i = 0; i < ticket->recipients->len; i++) {
    const TicketRecipient *recipient = ticket->recipients->pdata[i];
    if (g_ascii_strcasecmp(recipient->address, address) == 0)
      return recipient->number;
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
  refuse(decision, refusals[facts->state]);
  return TRUE;
}

static void
decide_again_routes(const AgainFacts *facts, Decision *decision)
{
  decision->kind = DECISION_SEAL;
  for (guint i = 0; i < facts->recipients->len; i++) {
    Asked asked = {facts->recipients->pdata[i], facts->answers->pdata[i]};
    const char *number = ticket_number(facts->ticket, asked.address);
    if (!add_outcome(decision, &asked, LABEL_NONE, number))
      return;
  }
  Outcome *last = NULL;
  g_autoptr(GPtrArray) lacking =
      find_lacking(facts->recipients, decision, LABEL_VIEWER, &last);
  if (lacking->len > 0)
    refuse_naming(decision, REFUSAL_EXPANDED, lacking);
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
    refuse(decision, REFUSAL_HASH);
  else if (facts->odd->len > 0)
    refuse_naming(decision, REFUSAL_ADDRESS, facts->odd);
  else if (facts->recipients->len > DECIDE_MAX_RECIPIENTS)
    refuse(decision, REFUSAL_TOO_MANY);
  else if (facts->unanswered)
    refuse(decision, REFUSAL_LATER);
  else if (facts->answers == NULL)
    decision->kind = DECISION_ASK;
  else
    decide_again_routes(facts, decision);
  return decision;
}
