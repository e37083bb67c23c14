#include "milter/outward_plan.h"

#include <string.h>

#include "common/crypt/ticket.h"
#include "common/mail/header.h"
#include "milter/again.h"
#include "milter/auth_results.h"
#include "milter/decision.h"
#include "milter/envelope.h"
#include "milter/marks.h"

/* ---- Header ---- */

/* Takes trigger and number out of the subjects, last to first (S4). */
static void
clean_subjects(const Message *message, Plan *plan)
{
  for (guint i = message->subjects->len; i > 0; i--) {
    const MessageSubject *subject = message->subjects->pdata[i - 1];
    if (subject->trigger->cleaned == NULL)
      continue;
    g_autofree char *value =
        mail_encode_text(subject->trigger->cleaned, strlen(subject->name));
    if (*value != '\0')
      plan_add(plan, CHANGE_HEADER_SET, subject->name, subject->index, value);
    else
      plan_add(plan, CHANGE_HEADER_REMOVE, subject->name, subject->index, NULL);
  }
}

/* N4: somebody is reached directly because the norm is kept there. */
static gboolean
reaches_nta(const Message *message, const Decision *decision)
{
  for (guint i = 0; i < decision->outcomes->len; i++) {
    const RouteAnswer *answer = message->answers->pdata[i];
    if (g_array_index(decision->outcomes, Outcome, i).label == LABEL_DIRECT &&
        strcmp(answer->code, "Z-R1-NTA") == 0)
      return TRUE;
  }
  return FALSE;
}

void
outward_plan_header(const Message *message, const Decision *decision, const Config *config,
                    Plan *plan)
{
  gboolean again = message->kind == MESSAGE_AGAIN;
  if (message->kind == MESSAGE_SERVICE)
    return;
  if (decision->kind == DECISION_OBSERVE) {
    /* What only we may say is no part of his mail. */
    plan_remove_fields(plan, message->fields, SECURE_HEADER);
    auth_results_remove(plan, message->fields, auth_results_id(config));
    return;
  }
  if (!again) {
    plan_remove_fields(plan, message->fields, "X-Zegel-*");
    plan_remove_fields(plan, message->fields, NTA_HEADER);
    auth_results_remove(plan, message->fields, auth_results_id(config));
  }
  if (decision->kind != DECISION_SEAL)
    return;
  clean_subjects(message, plan);
  gboolean has = again && fields_count(message->fields, NTA_HEADER) > 0;
  if (!has && reaches_nta(message, decision))
    plan_add(plan, CHANGE_HEADER_INSERT, NTA_HEADER, OUTWARD_HEAD_INDEX,
             config->nta_header_value);
}

/* ---- Ticket ---- */

/* The attachments themselves (K3), without what is only listed in one; NULL: none. */
static void
add_parts(Ticket *ticket, const Inspected *inspected)
{
  for (guint i = 0; inspected != NULL && i < inspected->parts->len; i++) {
    const InspectedPart *part = inspected->parts->pdata[i];
    if (!part->listed)
      ticket_add_part(ticket, part->name, part->size, part->sha256);
  }
}

/* Those whose mailbox is our OWN, or the others. The former are only named for the
 * confirmation, which is for people: when there are many it does without them. */
static void
add_recipients(const Message *message, const Decision *decision, gboolean own,
               Ticket *ticket)
{
  for (guint i = 0; i < decision->outcomes->len; i++) {
    const Outcome *outcome = &g_array_index(decision->outcomes, Outcome, i);
    gboolean room = ticket->recipients->len < TICKET_MAX_ROUTES;
    if (outcome->label == LABEL_NONE || (outcome->label == LABEL_OWN) != own ||
        (own && !room))
      continue;
    const char *address = message->unique->pdata[i];
    if (own && ticket_find_recipient(ticket, address) != NULL)
      continue; /* for the number that X-Zegel-SMS gives him */
    TicketRecipient *recipient = ticket_add_recipient(ticket, address, outcome->number);
    recipient->by_mail = outcome->by_mail;
    recipient->learn = outcome->learn;
    if (room)
      recipient->route = g_strdup(decision_route_name(outcome, message->answers->pdata[i]));
  }
}

static Ticket *
make_ticket(const Message *message, const Decision *decision, GError **error)
{
  g_autoptr(Ticket) ticket = ticket_new(error);
  if (ticket == NULL)
    return NULL;
  ticket->organisation = g_strdup(message->organisation->name);
  ticket->sender = g_strdup(message->sender);
  ticket->sender_name = g_strdup(message->sender_name);
  ticket->message_id = g_strdup(message->message_id);
  ticket->made_s = g_get_real_time() / G_USEC_PER_SEC;
  memcpy(ticket->body_sha256, message->body_sha256, sizeof ticket->body_sha256);
  add_recipients(message, decision, FALSE, ticket);
  /* Numbers of those whom only an alias of ours may lead to (R7). */
  for (guint i = 0; i < message->numbers->len; i++) {
    const HeaderNumber *number = message->numbers->pdata[i];
    if (ticket_find_recipient(ticket, number->address) == NULL)
      ticket_add_recipient(ticket, number->address, number->number)->learn =
          message->facts.phone_book;
  }
  add_recipients(message, decision, TRUE, ticket);
  add_parts(ticket, message->inspected);
  ticket->signature_broken = message->facts.unsigned_change;
  return g_steal_pointer(&ticket);
}

static gboolean
insert_ticket(const Message *message, const Decision *decision, const KeyRing *ring,
              Plan *plan, GError **error)
{
  g_autoptr(Ticket) ticket = make_ticket(message, decision, error);
  if (ticket == NULL)
    return FALSE;
  g_autofree char *value = message_seal_ticket(ticket, ring, error);
  if (value == NULL)
    return FALSE;
  plan_add(plan, CHANGE_HEADER_INSERT, TICKET_HEADER, OUTWARD_HEAD_INDEX, value);
  return TRUE;
}

gboolean
outward_plan_ticket(Message *message, const Decision *decision, const KeyRing *ring,
                    Plan *plan, GError **error)
{
  if (message->kind != MESSAGE_AGAIN)
    return insert_ticket(message, decision, ring, plan, error);
  g_autofree char *value = NULL;
  if (!again_renew(message, decision, ring, &value, error))
    return FALSE;
  if (value != NULL)
    plan_add(plan, CHANGE_HEADER_SET, TICKET_HEADER, 1, value);
  return TRUE;
}

/* ---- Envelope ---- */

/* The first recipient that was given with ADDRESS. */
static const MessageRecipient *
find_recipient(const Message *message, const char *address)
{
  for (guint i = 0; i < message->recipients->len; i++) {
    const MessageRecipient *recipient = message->recipients->pdata[i];
    if (recipient->address == address) /* unique borrows it */
      return recipient;
  }
  return NULL;
}

static gboolean
add_labelled(const Message *message, const char *address, Label label, Plan *plan)
{
  const MessageRecipient *recipient = find_recipient(message, address);
  g_autofree char *labelled = label_add(address, label, NULL);
  if (recipient == NULL || labelled == NULL)
    return FALSE;
  g_autofree char *bracketed = g_strdup_printf("<%s>", labelled);
  g_autofree char *parameters = envelope_recipient_parameters(
      recipient->given, (const char *const *) recipient->args, label != LABEL_PREFER);
  plan_add(plan, CHANGE_RECIPIENT_ADD, bracketed, 0, parameters);
  return TRUE;
}

static Label
label_for(const Message *message, const Decision *decision, const char *address)
{
  for (guint i = 0; address != NULL && i < decision->outcomes->len; i++)
    if (strcmp(message->unique->pdata[i], address) == 0)
      return g_array_index(decision->outcomes, Outcome, i).label;
  return LABEL_NONE;
}

/* Add first, delete after: a message without recipients would be lost in silence. */
static gboolean
replace_recipients(const Message *message, const Decision *decision, Plan *plan)
{
  for (guint i = 0; i < decision->outcomes->len; i++) {
    Label label = g_array_index(decision->outcomes, Outcome, i).label;
    if (label != LABEL_NONE &&
        !add_labelled(message, message->unique->pdata[i], label, plan))
      return FALSE;
  }
  for (guint i = 0; i < message->recipients->len; i++) {
    const MessageRecipient *recipient = message->recipients->pdata[i];
    if (label_for(message, decision, recipient->address) != LABEL_NONE)
      plan_add(plan, CHANGE_RECIPIENT_REMOVE, recipient->given, 0, NULL);
  }
  return TRUE;
}

/* One that comes back may have an odd sender; its RET came along. */
static gboolean
protect_sender(const Message *message, Plan *plan)
{
  if (message->sender == NULL)
    return message->kind == MESSAGE_AGAIN;
  g_autofree char *bracketed = g_strdup_printf("<%s>", message->sender);
  g_autofree char *parameters =
      envelope_sender_parameters((const char *const *) message->sender_args);
  plan_add(plan, CHANGE_SENDER, bracketed, 0, parameters);
  return TRUE;
}

gboolean
outward_plan_envelope(const Message *message, const Decision *decision, Plan *plan)
{
  if (decision->kind == DECISION_SEAL && !protect_sender(message, plan))
    return FALSE;
  return replace_recipients(message, decision, plan);
}
