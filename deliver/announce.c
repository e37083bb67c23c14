#include "deliver/announce.h"

#include <string.h>

#include "common/base/event.h"
#include "common/base/log.h"
#include "common/crypt/origin.h"
#include "common/submit/letter.h"
#include "deliver/notify.h"
#include "deliver/post.h"

static gboolean
derive_link(const Service *service, guint32 key_id, const guint8 nonce[STORE_NONCE_BYTES],
            guint8 secret[STORE_LINK_SECRET_BYTES], GError **error)
{
  return keyring_derive(service->link_keys, key_id, LINK_LABEL, nonce, STORE_NONCE_BYTES,
                        secret, STORE_LINK_SECRET_BYTES, error);
}

gboolean
announce_prepare(const Service *service, FilingRecipient *recipient, GError **error)
{
  recipient->link_key_id = keyring_current(service->link_keys);
  return crypt_random(recipient->link_nonce, sizeof recipient->link_nonce, error) &&
         derive_link(service, recipient->link_key_id, recipient->link_nonce,
                     recipient->link_secret, error);
}

gboolean
announce_prepare_status(const Service *service, FilingDispatch *dispatch, GError **error)
{
  dispatch->status_key_id = keyring_current(service->link_keys);
  return crypt_random(dispatch->status_nonce, sizeof dispatch->status_nonce, error) &&
         keyring_derive(service->link_keys, dispatch->status_key_id, STATUS_LABEL,
                        dispatch->status_nonce, sizeof dispatch->status_nonce,
                        dispatch->status_secret, sizeof dispatch->status_secret, error);
}

/* Submits what FACTS say, to which the organisation and the link with SECRET are added. */
static gboolean
submit_link(const Service *service, const Organisation *organisation, NotifyFacts facts,
            const guint8 *secret, char **queue_id, GError **error)
{
  char *text = crypt_base64url(secret, STORE_LINK_SECRET_BYTES);
  char *link = notify_link(organisation->viewer_url, text);
  facts.organisation_name = organisation->display_name;
  facts.service_domain = organisation->service_domain;
  facts.viewer_url = organisation->viewer_url;
  facts.contact = organisation->contact;
  facts.link = link;
  facts.now_s = g_get_real_time() / G_USEC_PER_SEC;
  GString *message = notify_format(&facts);
  secret_wipe(text, strlen(text));
  secret_wipe(link, strlen(link));
  g_free(text);
  g_free(link);
  return post_to_reader(service, organisation, facts.reference, facts.recipient, message,
                        queue_id, error);
}

/* SENDER as a reader sees him, a new string: what another visitor wrote comes from us, and
 * its envelope sender says nothing to anybody. */
static char *
shown_sender(const Organisation *organisation, const char *sender)
{
  return control_is_shaped(sender) ? letter_sender(organisation->service_domain)
                                   : g_strdup(sender);
}

static gboolean
submit_notification(const Service *service, const Organisation *organisation,
                    const Ticket *ticket, const FilingRecipient *recipient, char **queue_id,
                    GError **error)
{
  g_autofree char *sender = shown_sender(organisation, ticket->sender);
  const NotifyFacts facts = {
      .sender = sender,
      .sender_name = ticket->sender_name,
      .recipient = recipient->address,
      .number = recipient->number != NULL ? recipient->number : "",
      .reference = recipient->reference,
      .expires_s = recipient->expires_s,
  };
  return submit_link(service, organisation, facts, recipient->link_secret, queue_id, error);
}

gboolean
announce_remind(const Service *service, const Organisation *organisation, const Due *due,
                char **queue_id, GError **error)
{
  guint8 secret[STORE_LINK_SECRET_BYTES];
  if (!derive_link(service, due->link_key_id, due->link_nonce, secret, error))
    return FALSE;
  g_autofree char *sender = shown_sender(organisation, due->sender);
  const NotifyFacts facts = {
      .sender = sender,
      .sender_name = due->sender_name,
      .recipient = due->address,
      .number = due->number,
      .reference = due->reference,
      .expires_s = due->expires_s,
      .reminder = due->asker == NULL,
      .again_s = due->asker != NULL ? due->asked_s : 0,
  };
  gboolean sent = submit_link(service, organisation, facts, secret, queue_id, error);
  secret_wipe(secret, sizeof secret);
  return sent;
}

/*
 * From Postfix's answer to the commit here a crash repeats the notification once, with the
 * same Message-ID and link (invariant I2). Said to be sent, and not recorded: say so, or
 * the next try repeats it for certain.
 */
static void
record(const Service *service, const Organisation *organisation, const Ticket *ticket,
       const FilingRecipient *recipient, const char *queue_id, const char *submitted_id)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Event) event =
      event_new(EVENT_NOTIFIED, queue_id, organisation->name, "ref", recipient->reference,
                "to", recipient->address, "from", ticket->sender, "as", submitted_id, NULL);
  if (store_set_notified(service->store, organisation->name, recipient->reference,
                         submitted_id, event, &error))
    return;
  event_send(event);
  log_line(LOG_LEVEL_WARNING, "%s: ref=%s, notified, but not recorded: %s", queue_id,
           recipient->reference, error->message);
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
  if (recipient->existed &&
      !derive_link(service, recipient->link_key_id, recipient->link_nonce,
                   recipient->link_secret, &error))
    return fail(outcome_of_error(error), recipient, queue_id, error);

  g_autofree char *submitted_id = NULL;
  if (!submit_notification(service, organisation, ticket, recipient, &submitted_id, &error))
    return fail(outcome_of_submit_error(error), recipient, queue_id, error);
  record(service, organisation, ticket, recipient, queue_id, submitted_id);
  return OUTCOME_STORED;
}
