#include "viewer-cgi/visitor_mail.h"

#include <string.h>

#include "common/base/error.h"
#include "common/submit/submit.h"

/* Says the milter of a recipient to whom no safe way leads (zegel-events(5)). */
#define NO_ROUTE "(Z-V5-NO-ROUTE)"

/* The mark of BODY, a new string; NULL with an error. */
static char *
make_mark(const Viewer *viewer, const Organisation *organisation, OriginKind kind,
          const ComposeFacts *facts, const GString *body, GError **error)
{
  char *recipients[] = {(char *) facts->recipient, NULL};
  Origin origin = {.kind = kind,
                   .organisation = organisation->name,
                   .author = (char *) facts->reply_to,
                   .recipients = recipients};
  g_autoptr(CryptHash) hash = crypt_hash_new();
  crypt_hash_update(hash, body->str, body->len);
  crypt_hash_finish(hash, origin.body_sha256);
  return origin_seal(viewer->origin_keys, &origin, error);
}

/* The whole message of FACTS; NULL with an error. */
static GString *
make_message(const Viewer *viewer, const Organisation *organisation, OriginKind kind,
             const ComposeFacts *facts, GError **error)
{
  GString *body = compose_body(facts, error);
  if (body == NULL)
    return NULL;
  g_autofree char *mark = make_mark(viewer, organisation, kind, facts, body, error);
  if (mark != NULL)
    return compose_message(facts, ORIGIN_HEADER, mark, body);
  compose_free(body);
  return NULL;
}

/* Hands MESSAGE over; FALSE with an error. */
static gboolean
submit(const Viewer *viewer, const Organisation *organisation, const char *reference,
       const ComposeFacts *facts, const GString *message, char **queue_id, GError **error)
{
  g_autofree char *from =
      control_address(viewer->origin_keys, CONTROL_VISITOR, organisation->name, reference,
                      organisation->service_domain, error);
  if (from == NULL)
    return FALSE;
  g_autoptr(GError) reason = NULL;
  if (submit_send(viewer->config->viewer_submit_url, from, facts->recipient, message->str,
                  message->len, queue_id, &reason))
    return TRUE;
  if (strstr(reason->message, NO_ROUTE) != NULL)
    reason->code = ZEGEL_ERROR_INVALID;
  g_propagate_error(error, g_steal_pointer(&reason));
  return FALSE;
}

gboolean
visitor_mail_send(const Viewer *viewer, const Organisation *organisation, OriginKind kind,
                  const char *reference, ComposeFacts *facts, char **queue_id,
                  GError **error)
{
  g_autofree char *id =
      conversation_id(viewer->origin_keys, organisation->name, facts->reply_to, error);
  *queue_id = NULL;
  if (id == NULL)
    return FALSE;
  facts->organisation_name = organisation->display_name;
  facts->service_domain = organisation->service_domain;
  facts->id = id;
  facts->now_s = g_get_real_time() / G_USEC_PER_SEC;
  GString *message = make_message(viewer, organisation, kind, facts, error);
  gboolean sent = message != NULL &&
                  submit(viewer, organisation, reference, facts, message, queue_id, error);
  compose_free(message);
  facts->id = NULL;
  return sent;
}
