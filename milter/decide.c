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

/* The label for recipient I by its route; FALSE when it has none and must be refused. */
static gboolean
set_label(const Facts *facts, guint i, Decision *decision)
{
  const char *address = facts->recipients->pdata[i];
  Outcome outcome = {LABEL_NONE, NULL};
  switch (((const RouteAnswer *) facts->answers->pdata[i])->route) {
  case ROUTE_VIEWER:
    outcome.label = LABEL_VIEWER;
    outcome.number = header_number(facts, address);
    break;
  case ROUTE_DIRECT:
    outcome.label = LABEL_DIRECT;
    break;
  case ROUTE_OWN:
    if (envelope_is_routing(address)) /* Postfix could send it on, unprotected */
      return FALSE;
    break;
  case ROUTE_ORDINARY: /* no route for what is sensitive */
  case ROUTE_PREFER:
    return FALSE;
  }
  g_array_append_val(decision->outcomes, outcome);
  if (outcome.label == LABEL_NONE)
    return TRUE;
  g_autofree char *labelled = label_add(address, outcome.label, NULL);
  return labelled != NULL;
}

/* Gives the number in the subject to the one who lacks one, or refuses (S7). */
static void
settle_numbers(const Facts *facts, Decision *decision)
{
  gboolean two = FALSE;
  const char *number = subject_number(facts, &two);
  Outcome *lacking = NULL;
  for (guint i = 0; i < decision->outcomes->len; i++) {
    Outcome *outcome = &g_array_index(decision->outcomes, Outcome, i);
    if (outcome->label != LABEL_VIEWER || outcome->number != NULL)
      continue;
    lacking = outcome;
    g_ptr_array_add(decision->names, facts->recipients->pdata[i]);
  }
  guint count = decision->names->len;
  if (count > 1)
    refuse(decision, number != NULL ? REFUSAL_ONE_NUMBER : REFUSAL_NUMBERS);
  else if (count == 1 && number == NULL)
    refuse(decision, REFUSAL_NUMBER);
  else if (count == 1)
    lacking->number = number;
}

static void
decide_routes(const Facts *facts, Decision *decision)
{
  decision->kind = DECISION_SEAL;
  for (guint i = 0; i < facts->recipients->len; i++) {
    if (set_label(facts, i, decision))
      continue;
    const RouteAnswer *answer = facts->answers->pdata[i];
    refuse(decision, answer->route == ROUTE_ORDINARY ? REFUSAL_LATER : REFUSAL_ADDRESS);
    g_ptr_array_add(decision->names, facts->recipients->pdata[i]);
    return;
  }
  settle_numbers(facts, decision);
}

static void
decide_as(const Facts *facts, SensitiveDefault sensitive_default, Decision *decision)
{
  if (refuse_early(facts, decision))
    return;
  if (!is_sensitive(facts, sensitive_default, &decision->reason))
    decision->kind = DECISION_PASS;
  else if (facts->odd->len > 0)
    refuse_naming(decision, REFUSAL_ADDRESS, facts->odd);
  else if (facts->recipients->len > DECIDE_MAX_RECIPIENTS)
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
