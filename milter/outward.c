#include "milter/outward.h"

#include "common/base/log.h"
#include "milter/again.h"
#include "milter/events.h"
#include "milter/outward_plan.h"
#include "milter/routes.h"

struct Outward {
  const Tools *tools;
  Message *message;
  char *queue_id;
  Decision *decision;
  Plan *plan;       /* the header's part of it from the end of the header on */
  gboolean trouble; /* something of ours failed: nothing was decided */
};

static void
decide_anew(Outward *outward)
{
  const Message *message = outward->message;
  gboolean again = message->kind == MESSAGE_AGAIN || message->kind == MESSAGE_SERVICE;
  decision_free(outward->decision);
  outward->decision = again ? decide_again(&message->again) : decide(&message->facts);
}

static void
ask_and_decide(Outward *outward)
{
  routes_ask(outward->tools, outward->message, outward->decision->sensitive,
             outward->queue_id);
  decide_anew(outward);
}

Outward *
outward_new(const Tools *tools, Message *message, const char *queue_id)
{
  Outward *outward = g_new0(Outward, 1);
  outward->tools = tools;
  outward->message = message;
  outward->queue_id = g_strdup(queue_id);
  outward->plan = plan_new();
  if (message->kind == MESSAGE_AGAIN)
    again_open(message, tools->config, tools->ring);
  decide_anew(outward);
  if (outward->decision->kind == DECISION_ASK)
    ask_and_decide(outward);
  if (outward->decision->kind == DECISION_REFUSE && message->ticket == NULL)
    return outward;
  outward_plan_header(message, outward->decision, tools->config->nta_header_value,
                      outward->plan);
  if (outward->decision->kind == DECISION_SEAL || message->ticket != NULL)
    message->body = crypt_hash_new();
  return outward;
}

void
outward_free(Outward *outward)
{
  if (outward == NULL)
    return;
  decision_free(outward->decision);
  plan_free(outward->plan);
  g_free(outward->queue_id);
  g_free(outward);
}

gboolean
outward_needs_body(const Outward *outward)
{
  return outward->message->body != NULL;
}

void
outward_body(Outward *outward, const void *bytes, gsize len)
{
  if (outward->message->body != NULL)
    crypt_hash_update(outward->message->body, bytes, len);
}

static void
refuse(Outward *outward, Refusal refusal, const GPtrArray *names)
{
  outward->trouble = refusal == REFUSAL_TROUBLE;
  plan_refuse(outward->plan, refusal, names);
}

/* Something of ours failed: the message must come again. */
static void
refuse_trouble(Outward *outward, const char *what)
{
  log_line(LOG_LEVEL_WARNING, "%s: %s",
           outward->queue_id != NULL ? outward->queue_id : "NOQUEUE", what);
  refuse(outward, REFUSAL_TROUBLE, NULL);
}

/* Whoever only tries a message may lack the key; nobody will read the ticket. */
static gboolean
plan_ticket(Outward *outward, GError **error)
{
  if (outward->tools->dry_run && outward->tools->ring == NULL)
    return TRUE;
  return outward_plan_ticket(outward->message, outward->decision, outward->tools->ring,
                             outward->plan, error);
}

static void
finish_plan(Outward *outward)
{
  g_autoptr(GError) error = NULL;
  switch (outward->decision->kind) {
  case DECISION_PASS:
  case DECISION_OBSERVE:
    return;
  case DECISION_REFUSE:
    refuse(outward, outward->decision->refusal, outward->decision->names);
    return;
  case DECISION_SEAL:
    if (!plan_ticket(outward, &error)) {
      refuse_trouble(outward, error->message);
      return;
    }
    /* fall through */
  case DECISION_PREFER:
    if (!outward_plan_envelope(outward->message, outward->decision, outward->plan))
      refuse_trouble(outward, "the envelope cannot be changed");
    return;
  case DECISION_ASK:
    break;
  }
  refuse_trouble(outward, "nothing was decided");
}

Plan *
outward_finish(Outward *outward)
{
  if (outward->message->ticket != NULL && again_check_body(outward->message))
    decide_anew(outward);
  finish_plan(outward);
  return g_steal_pointer(&outward->plan);
}

void
outward_log(const Outward *outward)
{
  const Message *message = outward->message;
  const Decision *decision = outward->decision;
  if (outward->trouble)
    events_refused(message, REFUSAL_TROUBLE, NULL, outward->queue_id);
  else if (decision->kind == DECISION_REFUSE)
    events_refused(message, decision->refusal, decision->names, outward->queue_id);
  else if (decision->kind == DECISION_OBSERVE)
    events_observed(message, decision, outward->queue_id);
  else if (decision->kind == DECISION_SEAL || decision->kind == DECISION_PREFER)
    events_routed(message, decision, outward->queue_id);
}

const Decision *
outward_decision(const Outward *outward)
{
  return outward->decision;
}
