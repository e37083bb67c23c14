#include "milter/again.h"

#include "common/base/error.h"
#include "milter/decision.h"

static TicketState
state_of_error(const GError *error)
{
  return g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID) ||
                 g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED) ||
                 g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT)
             ? TICKET_STATE_FORGED
             : TICKET_STATE_KEY;
}

static TicketState
open_ticket(Message *message, const Config *config, const KeyRing *ring)
{
  if (message->again.tickets > 1)
    return TICKET_STATE_DOUBLE;
  g_autoptr(GError) error = NULL;
  g_autoptr(Ticket) ticket = ticket_open(ring, message->sealed_text->str, &error);
  if (ticket == NULL)
    return state_of_error(error);
  const Organisation *organisation = conf_organisation(config, ticket->organisation);
  if (organisation == NULL)
    return TICKET_STATE_ORGANISATION;
  message->organisation = organisation;
  message->again.method = organisation->method;
  message->again.phone_book = conf_remembers_numbers(organisation);
  message->ticket = g_steal_pointer(&ticket);
  return TICKET_STATE_GOOD;
}

void
again_open(Message *message, const Config *config, const KeyRing *ring)
{
  if (message->again.tickets == 0)
    return;
  message->again.state = open_ticket(message, config, ring);
  message->again.ticket = message->ticket;
}

gboolean
again_check_body(Message *message)
{
  message_end_body(message);
  if (!message->body_hashed)
    return FALSE;
  message->again.changed = !crypt_equal(message->body_sha256, message->ticket->body_sha256,
                                        sizeof message->body_sha256);
  return message->again.changed;
}

/* Somebody new is more important than to say of an own mailbox that it is one. */
static void
make_room(Ticket *ticket)
{
  GPtrArray *all = ticket->recipients;
  for (guint i = all->len; all->len >= TICKET_MAX_RECIPIENTS && i > 0; i--)
    if (g_strcmp0(((TicketRecipient *) all->pdata[i - 1])->route, route_name(ROUTE_OWN)) ==
        0)
      g_ptr_array_remove_index(all, i - 1);
}

/* Writes what OUTCOME of ANSWER has into the ticket's entry for ADDRESS. FALSE: it stood
 * there. */
static gboolean
renew_recipient(Ticket *ticket, const char *address, const Outcome *outcome,
                const RouteAnswer *answer)
{
  TicketRecipient *entry =
      (TicketRecipient *) (gpointer) ticket_find_recipient(ticket, address);
  gboolean bare = entry != NULL && entry->number == NULL && !entry->by_mail;
  if (entry != NULL && (!bare || (outcome->number == NULL && !outcome->by_mail)))
    return FALSE;
  if (entry == NULL) {
    make_room(ticket);
    entry = ticket_add_recipient(ticket, address, outcome->number);
  } else {
    entry->number = g_strdup(outcome->number);
  }
  entry->by_mail = outcome->by_mail;
  entry->learn = outcome->learn;
  g_free(entry->route);
  entry->route = g_strdup(decision_route_name(outcome, answer));
  return TRUE;
}

gboolean
again_renew(Message *message, const Decision *decision, const KeyRing *ring, char **value,
            GError **error)
{
  gboolean renewed = FALSE;
  *value = NULL;
  for (guint i = 0; i < decision->outcomes->len; i++) {
    const Outcome *outcome = &g_array_index(decision->outcomes, Outcome, i);
    if (outcome->label != LABEL_NONE &&
        renew_recipient(message->ticket, message->unique->pdata[i], outcome,
                        message->answers->pdata[i]))
      renewed = TRUE;
  }
  if (renewed)
    *value = message_seal_ticket(message->ticket, ring, error);
  return !renewed || *value != NULL;
}
