#include "deliver/post.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/secret.h"
#include "common/crypt/origin.h"
#include "common/submit/submit.h"
#include "deliver/notify.h"

gboolean
post_may_tell(const Organisation *organisation, const char *address)
{
  const char *at = strrchr(address, '@');
  return at != NULL && at != address && conf_has_domain(organisation, at + 1) &&
         g_ascii_strcasecmp(at + 1, organisation->service_domain) != 0;
}

gboolean
post_is_machine(const Organisation *organisation, const char *address)
{
  const char *at = strrchr(address, '@');
  const char *domain = at != NULL ? at + 1 : "";
  for (char **word = organisation->machine_senders; *word != NULL; word++)
    if (g_ascii_strcasecmp(*word, address) == 0 || g_ascii_strcasecmp(*word, domain) == 0)
      return TRUE;
  return FALSE;
}

static void
wipe(GString *message)
{
  secret_wipe(message->str, message->len);
  g_string_free(message, TRUE);
}

static gboolean
submit(const Service *service, const char *from, const char *to, GString *message,
       char **queue_id, GError **error)
{
  gboolean sent = submit_send(service->config->submit_url, from, to, message->str,
                              message->len, queue_id, error);
  wipe(message);
  return sent;
}

gboolean
post_to_reader(const Service *service, const Organisation *organisation,
               const char *reference, const char *recipient, GString *message,
               char **queue_id, GError **error)
{
  g_autofree char *from =
      control_address(service->origin_keys, CONTROL_BOUNCE, organisation->name, reference,
                      organisation->service_domain, error);
  if (from != NULL)
    return submit(service, from, recipient, message, queue_id, error);
  wipe(message);
  return FALSE;
}

/* Submits MESSAGE (taken, wiped) to TO from nobody; as post_to_sender. */
static gboolean
post_from_nobody(const Service *service, const char *to, GString *message, char **queue_id,
                 GError **error)
{
  g_autoptr(GError) problem = NULL;
  if (submit(service, "", to, message, queue_id, &problem))
    return TRUE;
  if (!g_error_matches(problem, ZEGEL_ERROR, ZEGEL_ERROR_INVALID)) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
  }
  log_line(LOG_LEVEL_WARNING, "to=%s, cannot be told: %s", to, problem->message);
  return TRUE;
}

gboolean
post_to_visitor(const Service *service, const char *visitor, GString *message,
                GError **error)
{
  return post_from_nobody(service, visitor, message, NULL, error);
}

gboolean
post_to_sender(const Service *service, const Organisation *organisation, const char *sender,
               GString *message, char **queue_id, GError **error)
{
  if (queue_id != NULL)
    *queue_id = NULL;
  if (!post_may_tell(organisation, sender)) {
    wipe(message);
    return TRUE;
  }
  return post_from_nobody(service, sender, message, queue_id, error);
}

char *
post_status_url(const Service *service, const Organisation *organisation,
                const Dispatch *dispatch, GError **error)
{
  guint8 secret[STORE_LINK_SECRET_BYTES];
  if (!keyring_derive(service->link_keys, dispatch->status_key_id, STATUS_LABEL,
                      dispatch->status_nonce, sizeof dispatch->status_nonce, secret,
                      sizeof secret, error))
    return NULL;
  char *text = crypt_base64url(secret, sizeof secret);
  char *url = notify_status_link(organisation->viewer_url, text);
  secret_wipe(secret, sizeof secret);
  secret_wipe(text, strlen(text));
  g_free(text);
  return url;
}

TellFacts
post_facts(const Organisation *organisation, const Dispatch *dispatch,
           const DispatchRecipient *recipient)
{
  return (TellFacts){
      .organisation = organisation,
      .sender = dispatch->sender,
      .message_id = dispatch->message_id,
      .recipient = recipient != NULL ? recipient->address : "",
      .number = recipient != NULL ? recipient->number : "",
      .received_s = dispatch->received_s,
      .expires_s = dispatch->expires_s,
      .now_s = g_get_real_time() / G_USEC_PER_SEC,
  };
}

const DispatchRecipient *
post_find_recipient(const Dispatch *dispatch, const char *reference)
{
  for (guint i = 0; dispatch != NULL && i < dispatch->recipients->len; i++) {
    const DispatchRecipient *recipient = dispatch->recipients->pdata[i];
    if (g_strcmp0(recipient->reference, reference) == 0)
      return recipient;
  }
  return NULL;
}
