#include "deliver/announce.h"

#include <string.h>

#include "common/base/log.h"
#include "common/submit/letter.h"
#include "common/submit/submit.h"
#include "deliver/notify.h"

#define LINK_LABEL "link"

static gboolean
derive_link(const Service *service, FilingRecipient *recipient, GError **error)
{
  return keyring_derive(service->link_keys, recipient->link_key_id, LINK_LABEL,
                        recipient->link_nonce, sizeof recipient->link_nonce,
                        recipient->link_secret, sizeof recipient->link_secret, error);
}

gboolean
announce_prepare(const Service *service, FilingRecipient *recipient, GError **error)
{
  recipient->link_key_id = keyring_current(service->link_keys);
  return crypt_random(recipient->link_nonce, sizeof recipient->link_nonce, error) &&
         derive_link(service, recipient, error);
}

/* The notification as a message; wipe it. */
static GString *
format_notification(const Organisation *organisation, const Ticket *ticket,
                    const FilingRecipient *recipient)
{
  char *secret = crypt_base64url(recipient->link_secret, sizeof recipient->link_secret);
  char *link = notify_link(organisation->viewer_url, secret);
  NotifyFacts facts = {
      .organisation_name = organisation->display_name,
      .service_domain = organisation->service_domain,
      .viewer_url = organisation->viewer_url,
      .contact = organisation->contact,
      .sender = ticket->sender,
      .sender_name = ticket->sender_name,
      .recipient = recipient->address,
      .number = recipient->number != NULL ? recipient->number : "",
      .link = link,
      .reference = recipient->reference,
      .now_s = g_get_real_time() / G_USEC_PER_SEC,
      .expires_s = recipient->expires_s,
  };
  GString *message = notify_format(&facts);
  secret_wipe(secret, strlen(secret));
  secret_wipe(link, strlen(link));
  g_free(secret);
  g_free(link);
  return message;
}

static gboolean
submit_notification(const Service *service, const Organisation *organisation,
                    const Ticket *ticket, const FilingRecipient *recipient,
                    char **submitted_id, GError **error)
{
  g_autofree char *from = letter_sender(organisation->service_domain);
  GString *message = format_notification(organisation, ticket, recipient);
  gboolean sent = submit_send(service->config->submit_url, from, recipient->address,
                              message->str, message->len, submitted_id, error);
  secret_wipe(message->str, message->len);
  g_string_free(message, TRUE);
  return sent;
}

static Outcome
fail(Outcome outcome, const FilingRecipient *recipient, const char *queue_id,
     const GError *error)
{
  log_line(LOG_LEVEL_WARNING, "%s: ref=%s, to=%s, code=%s, no notification: %s", queue_id,
           recipient->reference, recipient->address, outcome_code(outcome), error->message);
  return outcome;
}

Outcome
announce_send(const Service *service, const Organisation *organisation,
              const Ticket *ticket, FilingRecipient *recipient, const char *queue_id)
{
  g_autoptr(GError) error = NULL;
  /* What existed has its own nonce, and perhaps an older key. */
  if (recipient->existed && !derive_link(service, recipient, &error))
    return fail(outcome_of_error(error), recipient, queue_id, error);

  g_autofree char *submitted_id = NULL;
  if (!submit_notification(service, organisation, ticket, recipient, &submitted_id, &error))
    return fail(outcome_of_submit_error(error), recipient, queue_id, error);
  event_log(EVENT_NOTIFIED, queue_id, organisation->name, "ref", recipient->reference, "to",
            recipient->address, "as", submitted_id, NULL);

  /*
   * From here to the commit below a crash repeats the notification once, with the same
   * Message-ID and link (invariant I2). Said to be sent, and not recorded: say so, or the
   * next try repeats it for certain.
   */
  if (!store_set_notified(service->store, organisation->name, recipient->reference,
                          submitted_id, &error))
    log_line(LOG_LEVEL_WARNING, "%s: ref=%s, notified, but not recorded: %s", queue_id,
             recipient->reference, error->message);
  return OUTCOME_STORED;
}
