#include "deliver/teach.h"

#include "common/ask/phone_book.h"
#include "common/base/log.h"

gboolean
teach_number(const Service *service, const Organisation *organisation, const Ticket *ticket,
             const TicketRecipient *named, const char *reference, const char *queue_id)
{
  PhoneEntry entry = {.organisation = organisation->name,
                      .recipient = named->address,
                      .number = named->number,
                      .sender = ticket->sender,
                      .reference = reference};
  PhoneChange change;
  g_autoptr(GError) error = NULL;
  if (!named->learn || named->number == NULL || !conf_remembers_numbers(organisation) ||
      ask_phone_learn(service->config->phone_socket, &entry, &change, &error))
    return TRUE;
  log_line(LOG_LEVEL_WARNING, "%s: ref=%s, to=%s, the number is not remembered: %s",
           queue_id, reference, named->address, error->message);
  return FALSE;
}
