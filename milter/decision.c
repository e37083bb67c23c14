#include "milter/decision.h"

#include <string.h>

#include "milter/envelope.h"

Decision *
decision_new(void)
{
  Decision *decision = g_new0(Decision, 1);
  decision->reason = "";
  decision->names = g_ptr_array_new_with_free_func(g_free);
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

void
decision_refuse(Decision *decision, Refusal refusal)
{
  decision->kind = DECISION_REFUSE;
  decision->refusal = refusal;
}

void
decision_refuse_naming(Decision *decision, Refusal refusal, const GPtrArray *names)
{
  decision_refuse(decision, refusal);
  for (guint i = 0; i < names->len; i++)
    g_ptr_array_add(decision->names, g_strdup(names->pdata[i]));
}

void
decision_refuse_for(Decision *decision, Refusal refusal, const char *name)
{
  decision_refuse(decision, refusal);
  g_ptr_array_add(decision->names, g_strdup(name));
}

void
decision_refuse_over(Decision *decision, Refusal refusal, guint limit)
{
  g_autofree char *text = g_strdup_printf("%u", limit);
  decision_refuse_for(decision, refusal, text);
}

gboolean
decision_can_label(const char *address, Label label)
{
  g_autofree char *labelled = label_add(address, label, NULL);
  return labelled != NULL;
}

/* Refuses because of ASKED, whose route is none for what is sensitive. */
static void
refuse_route(Decision *decision, const Asked *asked)
{
  Refusal refusal =
      asked->answer->route == ROUTE_ORDINARY ? REFUSAL_LATER : REFUSAL_ADDRESS;
  decision_refuse_for(decision, refusal, asked->address);
}

gboolean
decision_add_outcome(Decision *decision, const Asked *asked, Label own,
                     const Outcome *found)
{
  Outcome outcome = *found;
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
  if (good &&
      (outcome.label == LABEL_NONE || decision_can_label(asked->address, outcome.label))) {
    g_array_append_val(decision->outcomes, outcome);
    return TRUE;
  }
  refuse_route(decision, asked);
  return FALSE;
}

const char *
decision_route_name(const Outcome *outcome, const RouteAnswer *answer)
{
  return route_name(outcome->code != NULL ? ROUTE_VIEWER : answer->route);
}

gboolean
outcome_is_any(G_GNUC_UNUSED const Outcome *outcome)
{
  return TRUE;
}

gboolean
outcome_has_no_number(const Outcome *outcome)
{
  return outcome->number == NULL;
}

gboolean
outcome_has_none_given(const Outcome *outcome)
{
  return !outcome->learn;
}

void
some_clear(Some *some)
{
  g_ptr_array_unref(some->names);
  g_ptr_array_unref(some->outcomes);
}

Some
decision_find_some(const GPtrArray *recipients, const Decision *decision, Label label,
                   gboolean (*test)(const Outcome *))
{
  Some some = {g_ptr_array_new(), g_ptr_array_new()};
  for (guint i = 0; i < decision->outcomes->len; i++) {
    Outcome *outcome = &g_array_index(decision->outcomes, Outcome, i);
    if (outcome->label != label || !test(outcome))
      continue;
    g_ptr_array_add(some.names, recipients->pdata[i]);
    g_ptr_array_add(some.outcomes, outcome);
  }
  return some;
}

void
some_get_codes_by_mail(const Some *some)
{
  for (guint i = 0; i < some->outcomes->len; i++)
    ((Outcome *) some->outcomes->pdata[i])->by_mail = TRUE;
}

void
decision_refuse_viewer(const GPtrArray *recipients, Decision *decision, Refusal refusal)
{
  g_auto(Some) viewer =
      decision_find_some(recipients, decision, LABEL_VIEWER, outcome_is_any);
  if (viewer.names->len > 0)
    decision_refuse_naming(decision, refusal, viewer.names);
}

void
decision_turn_to_viewer(Decision *decision)
{
  for (guint i = 0; i < decision->outcomes->len; i++) {
    Outcome *outcome = &g_array_index(decision->outcomes, Outcome, i);
    if (outcome->label != LABEL_DIRECT)
      continue;
    outcome->label = LABEL_VIEWER;
    outcome->code = "Z-N6-NO-KEY";
  }
}
