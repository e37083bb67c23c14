#include "milter/inward.h"

#include "milter/events.h"

struct Inward {
  Message *message;
  char *queue_id;
};

Inward *
inward_new(G_GNUC_UNUSED const Tools *tools, Message *message, const char *queue_id)
{
  Inward *inward = g_new0(Inward, 1);
  inward->message = message;
  inward->queue_id = g_strdup(queue_id);
  return inward;
}

void
inward_free(Inward *inward)
{
  if (inward == NULL)
    return;
  g_free(inward->queue_id);
  g_free(inward);
}

gboolean
inward_needs_body(G_GNUC_UNUSED const Inward *inward)
{
  return FALSE;
}

void
inward_body(G_GNUC_UNUSED Inward *inward, G_GNUC_UNUSED const void *bytes,
            G_GNUC_UNUSED gsize len)
{
}

Plan *
inward_finish(Inward *inward)
{
  Plan *plan = plan_new();
  g_autoptr(Decision) decision = decide(&inward->message->facts);
  if (decision->kind == DECISION_REFUSE) {
    events_refused(inward->message, decision->refusal, decision->names, inward->queue_id);
    plan_refuse(plan, decision->refusal, decision->names);
  } else {
    plan_remove_fields(plan, inward->message->fields, "X-Zegel-*");
  }
  return plan;
}
