#include "deliver/number.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/event.h"
#include "common/base/log.h"
#include "deliver/address.h"
#include "deliver/post.h"
#include "deliver/teach.h"

/* What is asked. All borrowed. */
typedef struct {
  const Service *service;
  const Ticket *ticket;
  const Organisation *organisation;
  const Dispatch *dispatch;
  const DispatchRecipient *recipient;
  const char *number;
  const char *queue_id;
} Change;

static Outcome
fail(const Change *change, Outcome outcome, const GError *error)
{
  log_line(LOG_LEVEL_WARNING, "%s: ref=%s, code=%s, %s", change->queue_id,
           change->recipient->reference, outcome_code(outcome), error->message);
  return outcome;
}

static Event *
make_event(const Change *change)
{
  g_autofree char *number = log_mask_number(change->number);
  return event_new(EVENT_NUMBER_CHANGED, change->queue_id, change->organisation->name,
                   "ref", change->recipient->reference, "message-id",
                   change->dispatch->message_id, "from", change->ticket->sender, "to",
                   change->recipient->address, "number", number, NULL);
}

/* The phone book learns it for the reader himself, not for the address it was mailed to. */
static void
teach(const Change *change)
{
  const TicketRecipient named = {.address = change->recipient->address,
                                 .number = (char *) change->number,
                                 .learn = TRUE};
  teach_number(change->service, change->organisation, change->ticket, &named,
               change->recipient->reference, change->queue_id);
}

/* FALSE with an error: not now. */
static gboolean
tell(const Change *change, GError **error)
{
  TellFacts facts = post_facts(change->organisation, change->dispatch, change->recipient);
  facts.number = change->number;
  g_autofree char *ticket = crypt_hex(change->ticket->id, TICKET_ID_BYTES);
  g_autofree char *id = g_strconcat("number.", ticket, NULL);
  return post_to_sender(change->service, change->organisation, change->dispatch->sender,
                        tell_number_changed(&facts, id), NULL, error);
}

/* When the letter does not go Postfix brings all of it again: that does no harm. */
static Outcome
carry_out(const Change *change)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Event) event = make_event(change);
  if (!store_change_number(change->service->store, change->organisation->name,
                           change->recipient->reference, change->number, event, &error))
    return fail(change,
                g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID)
                    ? OUTCOME_CHANGE_OVER
                    : OUTCOME_CHANGE_LATER,
                error);
  teach(change);
  return tell(change, &error) ? OUTCOME_CHANGED : fail(change, OUTCOME_CHANGE_LATER, error);
}

/* Who is no sender of this message learns nothing of it, not even whether it is there. */
static Outcome
check(const Change *change)
{
  if (!g_str_equal(change->ticket->organisation, change->organisation->name) ||
      change->recipient == NULL ||
      !address_equal(change->ticket->sender, change->dispatch->sender))
    return OUTCOME_CHANGE_SENDER;
  if (change->recipient->state != ENTRY_OPEN)
    return OUTCOME_CHANGE_OVER;
  return change->number != NULL ? OUTCOME_CHANGED : OUTCOME_CHANGE_NUMBER;
}

Outcome
number_change(const Service *service, const Ticket *ticket, const TicketRecipient *named,
              const Recipient *addressed, const char *queue_id)
{
  g_autoptr(Dispatch) dispatch = NULL;
  g_autoptr(GError) error = NULL;
  if (!store_find_dispatch_of(service->store, addressed->organisation->name,
                              addressed->reference, &dispatch, &error)) {
    log_line(LOG_LEVEL_WARNING, "%s: ref=%s, code=%s, %s", queue_id, addressed->reference,
             outcome_code(OUTCOME_CHANGE_LATER), error->message);
    return OUTCOME_CHANGE_LATER;
  }
  const Change change = {.service = service,
                         .ticket = ticket,
                         .organisation = addressed->organisation,
                         .dispatch = dispatch,
                         .recipient = post_find_recipient(dispatch, addressed->reference),
                         .number = named->number,
                         .queue_id = queue_id};
  Outcome outcome = check(&change);
  return outcome == OUTCOME_CHANGED ? carry_out(&change) : outcome;
}
