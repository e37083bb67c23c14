#include "milter/decide.h"

#include <string.h>

#include "milter/decision.h"
#include "milter/envelope.h"

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

static ServiceAddress
service_of(const Facts *facts, guint i)
{
  return facts->service != NULL && i < facts->service->len
             ? g_array_index(facts->service, ServiceAddress, i)
             : SERVICE_NONE;
}

/* Refuses what goes to addresses of a service domain that nobody reads. */
static gboolean
refuse_strange(const Facts *facts, Decision *decision)
{
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (guint i = 0; i < facts->recipients->len; i++)
    if (service_of(facts, i) == SERVICE_STRANGE)
      g_ptr_array_add(names, facts->recipients->pdata[i]);
  if (names->len > 0)
    decision_refuse_naming(decision, REFUSAL_SERVICE, names);
  return names->len > 0;
}

/* What is wrong with the message whatever its routes are. */
static gboolean
refuse_early(const Facts *facts, Decision *decision)
{
  gboolean two = FALSE;
  Refusal refusal;
  if (facts->foreign->len > 0)
    decision_refuse_naming(decision, REFUSAL_SENDER, facts->foreign);
  else if (facts->too_many_headers)
    decision_refuse(decision, REFUSAL_HEADERS);
  else if (refuse_strange(facts, decision))
    return TRUE;
  else if (find_mistake(facts, &refusal) || find_header_mistake(facts, &refusal))
    decision_refuse(decision, refusal);
  else if (facts->bypass == BYPASS_PLAIN &&
           (subject_number(facts, &two) != NULL || facts->numbers->len > 0))
    decision_refuse(decision, REFUSAL_CONTRADICTION);
  else
    return FALSE;
  return TRUE;
}

/*
 * S1: the first that speaks wins. What stands above the machine is explicit: said in this
 * message, for this message. Tables and default are not. An answer in a conversation counts
 * as if its subject said so (V5): it quotes what a visitor wrote under protection.
 */
static gboolean
is_sensitive(const Facts *facts, SensitiveDefault sensitive_default, const char **reason)
{
  const struct {
    gboolean speaks, sensitive;
    const char *reason;
  } voices[] = {
      {has_trigger(facts), TRUE, "Z-S2-TRIGGER"},
      {facts->conversation, TRUE, "Z-V5-CONVERSATION"},
      {facts->bypass == BYPASS_SECURE, TRUE, "Z-S5-BYPASS"},
      {facts->bypass == BYPASS_PLAIN, FALSE, "Z-S5-BYPASS"},
      {facts->numbers->len > 0, TRUE, "Z-S7-HEADER"},
      {facts->sensitive_header, TRUE, "Z-S1-CONFIGURED"},
      {facts->sensitivity, TRUE, "Z-S1-SENSITIVITY"},
      {facts->plain_header, FALSE, "Z-S1-CONFIGURED"},
      {facts->machine, FALSE, "Z-S5-MACHINE"},
      {facts->table == SENDER_SECURE, TRUE, "Z-S5-SENDER"},
      {facts->table == SENDER_PLAIN, FALSE, "Z-S5-SENDER"},
      {TRUE, sensitive_default == DEFAULT_SECURE, "Z-S5-DEFAULT"},
  };
  guint i = 0;
  while (!voices[i].speaks)
    i++;
  *reason = voices[i].reason;
  return voices[i].sensitive;
}

static void
give_number(Outcome *outcome, const char *number)
{
  outcome->number = number;
  outcome->learn = TRUE;
}

static gboolean
has_number(const Some *some, const char *number)
{
  for (guint i = 0; i < some->outcomes->len; i++)
    if (g_strcmp0(((Outcome *) some->outcomes->pdata[i])->number, number) == 0)
      return TRUE;
  return FALSE;
}

/*
 * NUMBER stands in the subject, and nobody lacks one. Who typed it meant somebody: the only
 * one for whom nothing else was given gets it, whatever the phone book says (S8). When
 * there is none in the viewer, the only one who goes direct may have it: his domain can
 * stop being ready (R4).
 */
static void
give_to_spare(const Facts *facts, Decision *decision, const char *number)
{
  g_auto(Some) viewer =
      decision_find_some(facts->recipients, decision, LABEL_VIEWER, outcome_has_none_given);
  g_auto(Some) direct =
      decision_find_some(facts->recipients, decision, LABEL_DIRECT, outcome_has_none_given);
  if (viewer.names->len == 1)
    give_number(viewer.outcomes->pdata[0], number);
  else if (viewer.names->len > 1 && !has_number(&viewer, number))
    decision_refuse_naming(decision, REFUSAL_WHOSE_NUMBER, viewer.names);
  else if (viewer.names->len == 0 && direct.names->len == 1)
    give_number(direct.outcomes->pdata[0], number);
}

/* Gives the number in the subject to the one who lacks one, or refuses (S7). */
static void
settle_numbers(const Facts *facts, Decision *decision)
{
  gboolean two = FALSE;
  const char *number = subject_number(facts, &two);
  g_auto(Some) lacking =
      decision_find_some(facts->recipients, decision, LABEL_VIEWER, outcome_has_no_number);
  guint count = lacking.names->len;
  if (count > 1 && number != NULL)
    decision_refuse_naming(decision, REFUSAL_ONE_NUMBER, lacking.names);
  else if (count == 1 && number != NULL)
    give_number(lacking.outcomes->pdata[0], number);
  else if (count > 0 && facts->method == METHOD_NUMBER)
    decision_refuse_naming(decision, count > 1 ? REFUSAL_NUMBERS : REFUSAL_NUMBER,
                           lacking.names);
  else if (count > 0)
    some_get_codes_by_mail(&lacking);
  else if (number != NULL)
    give_to_spare(facts, decision, number);
}

/* What is given in the header counts more than the phone book (S8). */
static Outcome
find_number(const Facts *facts, const Asked *asked)
{
  Outcome found = {.label = LABEL_NONE};
  if (facts->method == METHOD_NONE)
    return found; /* a number leads to the viewer */
  found.number = header_number(facts, asked->address);
  found.learn = found.number != NULL;
  if (found.number == NULL && facts->phone_book)
    found.number = asked->answer->number;
  return found;
}

/* The number that is meant for the control address ADDRESS, if it is the only one. */
static const char *
control_number(const Facts *facts, const char *address)
{
  gboolean two = FALSE;
  const char *number = header_number(facts, address);
  return number != NULL ? number : subject_number(facts, &two);
}

/*
 * A control address is ours: mail to it goes to zegel-deliver as it is. With a number it
 * needs the ticket, which tells whose it is, and waits for it in settle_numbers.
 */
static void
add_service_outcome(const Facts *facts, guint i, Decision *decision)
{
  const char *address = facts->recipients->pdata[i];
  Outcome outcome = {.label = LABEL_NONE};
  if (service_of(facts, i) == SERVICE_NUMBER && facts->method != METHOD_NONE &&
      control_number(facts, address) != NULL && decision_can_label(address, LABEL_VIEWER)) {
    outcome.label = LABEL_VIEWER;
    outcome.number = header_number(facts, address);
  }
  g_array_append_val(decision->outcomes, outcome);
}

/* Nobody's phone number belongs to a control address. */
static void
settle_learning(const Facts *facts, Decision *decision)
{
  for (guint i = 0; i < decision->outcomes->len; i++)
    if (!facts->phone_book || service_of(facts, i) != SERVICE_NONE)
      g_array_index(decision->outcomes, Outcome, i).learn = FALSE;
}

static void
decide_routes(const Facts *facts, Decision *decision)
{
  decision->kind = DECISION_SEAL;
  for (guint i = 0; i < facts->recipients->len; i++) {
    if (service_of(facts, i) != SERVICE_NONE) {
      add_service_outcome(facts, i, decision);
      continue;
    }
    Asked asked = {facts->recipients->pdata[i], facts->answers->pdata[i]};
    Outcome found = find_number(facts, &asked);
    if (!decision_add_outcome(decision, &asked, LABEL_OWN, &found))
      return;
  }
  if (facts->unsigned_change)
    decision_turn_to_viewer(decision);
  if (facts->method == METHOD_NONE)
    decision_refuse_viewer(facts->recipients, decision, REFUSAL_NO_VIEWER);
  else
    settle_numbers(facts, decision);
  settle_learning(facts, decision);
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
        decision_can_label(address, LABEL_PREFER)) {
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

/* Whether all that is said goes to control addresses, and no number is: it stays here. */
static gboolean
stays_here(const Facts *facts)
{
  for (guint i = 0; i < facts->recipients->len; i++)
    if (service_of(facts, i) == SERVICE_NONE ||
        control_number(facts, facts->recipients->pdata[i]) != NULL)
      return FALSE;
  return facts->recipients->len > 0 && facts->odd->len == 0;
}

static void
decide_as(const Facts *facts, SensitiveDefault sensitive_default, Decision *decision)
{
  if (refuse_early(facts, decision))
    return;
  decision->sensitive = is_sensitive(facts, sensitive_default, &decision->reason);
  if (stays_here(facts)) {
    decision->sensitive = FALSE;
    decision->reason = "Z-S14-CONTROL";
  } else if (!decision->sensitive)
    decide_ordinary(facts, decision);
  else if (facts->odd->len > 0)
    decision_refuse_naming(decision, REFUSAL_ADDRESS, facts->odd);
  else if (facts->recipients->len > facts->recipients_max)
    decision_refuse_over(decision, REFUSAL_TOO_MANY, facts->recipients_max);
  else if (count_named(facts) > DECIDE_MAX_RECIPIENTS)
    decision_refuse_over(decision, REFUSAL_TOO_MANY, DECIDE_MAX_RECIPIENTS);
  else if (facts->unanswered)
    decision_refuse(decision, REFUSAL_LATER);
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
  decision->sensitive = is_sensitive(facts, DEFAULT_ON_REQUEST, &decision->reason);
  if (facts->too_many_headers) /* one that was not looked at could be a mark of ours */
    decision_refuse(decision, REFUSAL_HEADERS);
  else if (refuse_strange(facts, decision))
    return;
  else if (find_mistake(facts, &mistake) || decision->sensitive)
    decision_refuse_naming(decision, REFUSAL_LOGIN, facts->foreign);
}

/* What setup preselects is tried (S5). When policyd gave no answer, nobody knows. */
static void
decide_observed(const Facts *facts, Decision *decision)
{
  Facts tried = *facts;
  tried.unanswered = FALSE;
  decide_as(&tried, DEFAULT_SECURE, decision);
  decision->would = decision->kind;
  decision->kind = DECISION_OBSERVE;
}

Decision *
decide(const Facts *facts)
{
  Decision *decision = decision_new();
  if (facts->stranger) {
    decide_stranger(facts, decision);
    return decision;
  }
  if (facts->sensitive_default != DEFAULT_OBSERVE) {
    decide_as(facts, facts->sensitive_default, decision);
    return decision;
  }
  decide_observed(facts, decision);
  return decision;
}
