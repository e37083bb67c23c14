#include "tests/unit/milter/facts.h"

static const char *const countries[] = {"+31", NULL};

void
fixture_subject(Fixture *f, const char *subject)
{
  g_ptr_array_add(f->triggers, trigger_parse(subject, countries));
}

void
fixture_number(Fixture *f, const char *address, const char *number)
{
  HeaderNumber *entry = g_new0(HeaderNumber, 1);
  entry->address = g_strdup(address);
  entry->number = g_strdup(number);
  g_ptr_array_add(f->numbers, entry);
}

void
fixture_recipient(Fixture *f, const char *address, Route route)
{
  g_ptr_array_add(f->recipients, g_strdup(address));
  RouteAnswer *answer = g_new0(RouteAnswer, 1);
  answer->route = route;
  answer->code = g_strdup("Z-TEST");
  g_ptr_array_add(f->answers, answer);
}

void
fixture_book(Fixture *f, const char *number)
{
  RouteAnswer *answer = f->answers->pdata[f->answers->len - 1];
  answer->number = g_strdup(number);
}

Fixture *
fixture_new(SensitiveDefault sensitive_default)
{
  Fixture *f = g_new0(Fixture, 1);
  f->foreign = g_ptr_array_new_with_free_func(g_free);
  f->triggers = g_ptr_array_new_with_free_func((GDestroyNotify) trigger_free);
  f->numbers = g_ptr_array_new_with_free_func((GDestroyNotify) header_number_free);
  f->recipients = g_ptr_array_new_with_free_func(g_free);
  f->odd = g_ptr_array_new_with_free_func(g_free);
  f->answers = g_ptr_array_new_with_free_func((GDestroyNotify) route_answer_free);
  f->facts = (Facts){.sensitive_default = sensitive_default,
                     .recipients_max = DECIDE_MAX_RECIPIENTS,
                     .phone_book = TRUE,
                     .foreign = f->foreign,
                     .triggers = f->triggers,
                     .numbers = f->numbers,
                     .recipients = f->recipients,
                     .odd = f->odd};
  return f;
}

void
fixture_free(Fixture *f)
{
  g_ptr_array_unref(f->foreign);
  g_ptr_array_unref(f->triggers);
  g_ptr_array_unref(f->numbers);
  g_ptr_array_unref(f->recipients);
  g_ptr_array_unref(f->odd);
  g_ptr_array_unref(f->answers);
  g_free(f);
}

Decision *
fixture_decide(Fixture *f)
{
  f->facts.answers = f->answers;
  return decide(&f->facts);
}

void
assert_refused(const Decision *decision, Refusal refusal)
{
  g_assert_cmpint(decision->kind, ==, DECISION_REFUSE);
  g_assert_cmpstr(refusal_code(decision->refusal), ==, refusal_code(refusal));
  g_assert_cmpint(decision->refusal, ==, refusal);
}

void
assert_outcome(const Decision *decision, guint i, Label label, const char *number)
{
  const Outcome *outcome = &g_array_index(decision->outcomes, Outcome, i);
  g_assert_cmpint(outcome->label, ==, label);
  g_assert_cmpstr(outcome->number, ==, number);
}
