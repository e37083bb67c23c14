#include "milter/events.h"

#include <string.h>

#include "common/base/event.h"
#include "common/base/log.h"
#include "milter/decision.h"

#define LOGGED_ID_MAX_BYTES 200 /* of a message id in the log */

/* The Message-ID as it stands in log lines. */
static char *
logged_id(const Message *message)
{
  return g_strndup(message->message_id, LOGGED_ID_MAX_BYTES);
}

/* The envelope sender as it stands in log lines. */
static const char *
logged_sender(const Message *message)
{
  if (message->sender == NULL)
    return message->sender_given;
  return *message->sender != '\0' ? message->sender : "<>";
}

/* A ticket that is not ours, or that belongs to another body, is an event of its own. */
static EventKind
event_of(Refusal refusal)
{
  if (refusal == REFUSAL_TICKET_FORGED || refusal == REFUSAL_TICKET_DOUBLE)
    return EVENT_TICKET;
  return refusal == REFUSAL_HASH ? EVENT_INTEGRITY : EVENT_REFUSED;
}

static void
log_refusal(EventKind kind, const Message *message, Refusal refusal, const GPtrArray *names,
            const char *queue_id)
{
  g_autofree char *id = logged_id(message);
  const char *about = names != NULL && names->len > 0 ? names->pdata[0] : NULL;
  const char *organisation = message->organisation->name;
  event_log(kind, queue_id, strcmp(organisation, "-") != 0 ? organisation : NULL,
            "message-id", id, "code", refusal_code(refusal), "from", logged_sender(message),
            "about", about, NULL);
}

void
events_refused(const Message *message, Refusal refusal, const GPtrArray *names,
               const char *queue_id)
{
  log_refusal(event_of(refusal), message, refusal, names, queue_id);
}

/* Where the access code goes. */
static char *
logged_number(const Outcome *outcome)
{
  if (outcome->label != LABEL_VIEWER)
    return g_strdup("-");
  return outcome->number != NULL ? log_mask_number(outcome->number) : g_strdup("by-mail");
}

static void
log_route(const Message *message, const Decision *decision, guint i, const char *queue_id)
{
  const Outcome *outcome = &g_array_index(decision->outcomes, Outcome, i);
  const RouteAnswer *answer = message->answers->pdata[i];
  if (answer->route == ROUTE_ORDINARY)
    return;
  g_autofree char *id = logged_id(message);
  g_autofree char *number = logged_number(outcome);
  event_log(EVENT_ROUTED, queue_id, message->organisation->name, "message-id", id, "reason",
            decision->reason, "from", logged_sender(message), "to",
            message->unique->pdata[i], "route", decision_route_name(outcome, answer),
            "code", outcome->code != NULL ? outcome->code : answer->code, "detail",
            outcome->code != NULL ? answer->code : answer->reason, "number", number, NULL);
}

/* A name can say what ails somebody: the hash stands for it. */
static void
log_part(const Message *message, const InspectedPart *part, guint number,
         const char *queue_id)
{
  g_autofree char *id = logged_id(message);
  g_autofree char *count = g_strdup_printf("%u", number);
  g_autofree char *bytes = g_strdup_printf("%" G_GUINT64_FORMAT, part->size);
  g_autofree char *hash = crypt_hex(part->sha256, sizeof part->sha256);
  event_log(EVENT_ATTACHED, queue_id, message->organisation->name, "message-id", id,
            "attachment", count, "bytes", bytes, "sha256", hash, NULL);
}

static void
log_parts(const Message *message, const char *queue_id)
{
  guint number = 0;
  for (guint i = 0; message->inspected != NULL && i < message->inspected->parts->len; i++) {
    const InspectedPart *part = message->inspected->parts->pdata[i];
    if (!part->listed)
      log_part(message, part, ++number, queue_id);
  }
}

void
events_routed(const Message *message, const Decision *decision, const char *queue_id)
{
  for (guint i = 0; i < decision->outcomes->len; i++)
    log_route(message, decision, i, queue_id);
  if (decision->kind == DECISION_SEAL)
    log_parts(message, queue_id);
}

/* What would be done: static. */
static const char *
would_name(DecisionKind would)
{
  switch (would) {
  case DECISION_SEAL:
    return "seal";
  case DECISION_REFUSE:
    return "refuse";
  case DECISION_ASK:
    return "unknown";
  case DECISION_PASS:
  case DECISION_PREFER:
  case DECISION_OBSERVE:
    break;
  }
  return "pass";
}

/* How many recipients of DECISION would get ROUTE; NULL: nobody has a route. */
static char *
count_routes(const Message *message, const Decision *decision, Route route)
{
  if (decision->would != DECISION_SEAL)
    return NULL;
  guint count = 0;
  for (guint i = 0; i < decision->outcomes->len; i++)
    if (((const RouteAnswer *) message->answers->pdata[i])->route == route)
      count++;
  return g_strdup_printf("%u", count);
}

void
events_observed(const Message *message, const Decision *decision, const char *queue_id)
{
  g_autofree char *id = logged_id(message);
  gboolean refused = decision->would == DECISION_REFUSE;
  const char *reason = refused && *decision->reason != '\0' ? decision->reason : NULL;
  const char *about =
      refused && decision->names->len > 0 ? decision->names->pdata[0] : NULL;
  g_autofree char *direct = count_routes(message, decision, ROUTE_DIRECT);
  g_autofree char *viewer = count_routes(message, decision, ROUTE_VIEWER);
  g_autofree char *own = count_routes(message, decision, ROUTE_OWN);
  event_log(EVENT_OBSERVED, queue_id, message->organisation->name, "message-id", id, "code",
            refused ? refusal_code(decision->refusal) : decision->reason, "from",
            logged_sender(message), "would", would_name(decision->would), "reason", reason,
            "about", about, "direct", direct, "viewer", viewer, "own", own, NULL);
}
