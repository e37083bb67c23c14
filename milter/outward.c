#include "milter/outward.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "milter/again.h"
#include "milter/content.h"
#include "milter/decision.h"
#include "milter/events.h"
#include "milter/outward_plan.h"
#include "milter/routes.h"
#include "milter/service.h"
#include "milter/signing.h"
#include "milter/visitor.h"

struct Outward {
  const Tools *tools;
  Message *message;
  char *queue_id;
  Decision *decision;
  Plan *plan;             /* the header's part of it from the end of the header on */
  Inspection *inspection; /* NULL: nothing can be attached, or it does not matter */
  Signing *signing;       /* NULL: nothing is signed */
  gboolean trouble;       /* something of ours failed: nothing was decided */
};

static void
decide_anew(Outward *outward)
{
  const Message *message = outward->message;
  decision_free(outward->decision);
  if (message->kind == MESSAGE_SERVICE)
    outward->decision = decision_new(); /* our own: it passes, and is signed */
  else if (message->kind == MESSAGE_AGAIN)
    outward->decision = decide_again(&message->again);
  else if (message->kind == MESSAGE_VISITOR)
    outward->decision = decide_visitor(&message->visitor);
  else
    outward->decision = decide(&message->facts);
}

static void
ask_and_decide(Outward *outward)
{
  routes_ask(outward->tools, outward->message, outward->decision->sensitive,
             outward->queue_id);
  decide_anew(outward);
}

/* ---- The end of the header ---- */

/*
 * Whether the changes of a sealed message would break a signature of its author's own
 * domain, and we could not put another one in its place (N6).
 */
static gboolean
breaks_signature(const Outward *outward)
{
  const Message *message = outward->message;
  if (message->kind != MESSAGE_OUTWARD || message->from_domain == NULL ||
      (outward->tools->dry_run && outward->tools->keys == NULL) ||
      signing_has_key(outward->tools, message->from_domain))
    return FALSE;
  g_autoptr(GArray) nobody = g_array_new(FALSE, TRUE, sizeof(Outcome));
  const Decision sealed = {.kind = DECISION_SEAL, .outcomes = nobody};
  g_autoptr(Plan) plan = plan_new();
  outward_plan_header(message, &sealed, outward->tools->config, plan);
  return signing_would_break(plan, message->from_domain, message->fields);
}

/* S5: for what is observed, too, as long as the routes are not known. */
static gboolean
needs_routes(const Outward *outward)
{
  const Decision *decision = outward->decision;
  return decision->kind == DECISION_ASK ||
         (decision->kind == DECISION_OBSERVE && decision->would == DECISION_ASK);
}

/* What only the keys can tell of the header. */
static void
open_header(Outward *outward)
{
  const Tools *tools = outward->tools;
  switch (outward->message->kind) {
  case MESSAGE_AGAIN:
    again_open(outward->message, tools->config, tools->ring);
    break;
  case MESSAGE_VISITOR:
    visitor_open(outward->message, tools->config, tools->origin_ring);
    break;
  case MESSAGE_OUTWARD:
  case MESSAGE_STRANGER:
    service_look(outward->message, tools->config, tools->origin_ring);
    break;
  case MESSAGE_INWARD:
  case MESSAGE_SERVICE:
    break;
  }
}

static void
decide_header(Outward *outward)
{
  Message *message = outward->message;
  open_header(outward);
  message->facts.unsigned_change = breaks_signature(outward);
  decide_anew(outward);
  if (needs_routes(outward))
    ask_and_decide(outward);
}

static gboolean
is_service_domain_of(const Organisation *organisation, const char *domain)
{
  return g_ascii_strcasecmp(organisation->service_domain, domain) == 0;
}

/* The domain that signs, or NULL. For nobody who writes as somebody else (O3). */
static const char *
signing_domain(const Outward *outward)
{
  const Message *message = outward->message;
  const char *domain = message->from_domain;
  if (domain == NULL || message->fields->cut)
    return NULL;
  switch (message->kind) {
  case MESSAGE_OUTWARD:
    if (message->foreign->len > 0) /* only observed: else refused */
      return NULL;
    return conf_has_domain(message->organisation, domain) ? domain : NULL;
  case MESSAGE_AGAIN:
    return conf_has_domain(message->organisation, domain) ||
                   is_service_domain_of(message->organisation, domain)
               ? domain
               : NULL;
  case MESSAGE_VISITOR: /* its author was looked at with the mark */
    return is_service_domain_of(message->organisation, domain) ? domain : NULL;
  case MESSAGE_SERVICE:
    return message->authors == 1 && conf_organisation_of_service_domain(
                                        outward->tools->config, domain) != NULL
               ? domain
               : NULL;
  case MESSAGE_STRANGER:
  case MESSAGE_INWARD:
    break;
  }
  return NULL;
}

/* What comes back was signed on its way out, but not a field that is put in only now. */
static void
prepare_signing(Outward *outward)
{
  const Message *message = outward->message;
  const char *domain = signing_domain(outward);
  gboolean anew = plan_inserts(outward->plan, NTA_HEADER);
  if (domain == NULL || (message->kind == MESSAGE_AGAIN && !anew))
    return;
  outward->signing = signing_new(outward->tools, domain,
                                 plan_leaving_fields(outward->plan, message->fields), anew);
}

/* S10, S11: only the first pass looks, since it is its content that the ticket has. */
static void
prepare_inspection(Outward *outward)
{
  const Message *message = outward->message;
  gboolean first = message->kind == MESSAGE_OUTWARD || message->kind == MESSAGE_VISITOR;
  if (!first || outward->tools->inspectors == NULL ||
      !decision_needs_content(outward->decision) || !content_is_possible(message->fields))
    return;
  g_autoptr(GString) header = content_header(message->fields);
  outward->inspection = inspection_begin(outward->tools->inspectors);
  inspection_write(outward->inspection, header->str, header->len);
}

Outward *
outward_new(const Tools *tools, Message *message, const char *queue_id)
{
  Outward *outward = g_new0(Outward, 1);
  outward->tools = tools;
  outward->message = message;
  outward->queue_id = g_strdup(queue_id);
  outward->plan = plan_new();
  decide_header(outward);
  if (outward->decision->kind != DECISION_REFUSE) {
    outward_plan_header(message, outward->decision, tools->config, outward->plan);
    prepare_signing(outward);
    prepare_inspection(outward);
  }
  if (outward->decision->kind == DECISION_SEAL || message->ticket != NULL ||
      message->origin != NULL)
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
  inspection_abandon(outward->inspection);
  signing_free(outward->signing);
  g_free(outward->queue_id);
  g_free(outward);
}

/* ---- The body and its end ---- */

gboolean
outward_needs_body(const Outward *outward)
{
  return outward->message->body != NULL || outward->signing != NULL ||
         outward->inspection != NULL;
}

void
outward_body(Outward *outward, const void *bytes, gsize len)
{
  if (outward->message->body != NULL)
    crypt_hash_update(outward->message->body, bytes, len);
  if (outward->signing != NULL)
    signing_body(outward->signing, bytes, len);
  if (outward->inspection != NULL)
    inspection_write(outward->inspection, bytes, len);
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

/*
 * Decides again with what is attached. FALSE with an error: that cannot be known now. Of
 * what is only observed nobody has to know.
 */
static gboolean
end_inspection(Outward *outward, GError **error)
{
  if (outward->inspection == NULL)
    return TRUE;
  outward->message->inspected =
      inspection_end(g_steal_pointer(&outward->inspection), error);
  if (outward->message->inspected != NULL)
    decide_content(outward->decision, outward->message->organisation,
                   outward->message->inspected);
  else if (outward->decision->kind == DECISION_OBSERVE)
    g_clear_error(error);
  return *error == NULL;
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

/* Everything behind the header's part. FALSE with an error. */
static gboolean
finish_plan(Outward *outward, GError **error)
{
  const Decision *decision = outward->decision;
  if (outward->signing != NULL && !signing_finish(outward->signing, outward->plan, error))
    return FALSE;
  if (decision->kind == DECISION_SEAL && !plan_ticket(outward, error))
    return FALSE;
  if ((decision->kind != DECISION_SEAL && decision->kind != DECISION_PREFER) ||
      outward_plan_envelope(outward->message, decision, outward->plan))
    return TRUE;
  g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY,
                      "the envelope cannot be changed");
  return FALSE;
}

/* Whether the body is not the one of the ticket or the mark. */
static gboolean
is_changed(Message *message)
{
  return (message->ticket != NULL && again_check_body(message)) ||
         (message->origin != NULL && visitor_check_body(message));
}

Plan *
outward_finish(Outward *outward)
{
  g_autoptr(GError) error = NULL;
  message_end_body(outward->message);
  if (is_changed(outward->message))
    decide_anew(outward);
  if (!end_inspection(outward, &error))
    refuse_trouble(outward, error->message);
  else if (outward->decision->kind == DECISION_REFUSE)
    refuse(outward, outward->decision->refusal, outward->decision->names);
  else if (outward->decision->kind == DECISION_ASK)
    refuse_trouble(outward, "nothing was decided");
  else if (!finish_plan(outward, &error))
    refuse_trouble(outward, error->message);
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
