#include "milter/flow.h"

#include "common/ask/client_id.h"
#include "common/base/log.h"
#include "milter/envelope.h"
#include "milter/events.h"
#include "milter/inward.h"

/* milter_macro_daemon_name of smtpds of our own, see master.cf.zegel. */
#define AGAIN_DAEMON   "ZEGEL_PASS2"
#define SERVICE_DAEMON "ZEGEL_SUBMIT"
#define VISITOR_DAEMON "ZEGEL_VISITOR"

struct Flow {
  Message *message;
  char *queue_id;
  Outward *outward; /* one of the two, or none: refusal */
  Inward *inward;
  Refusal refusal;
};

/* Whether a certificate of CLIENT can make a difference. */
static gboolean
needs_certificate(const Client *client, const Config *config)
{
  if (client->tls_version == NULL || client->address == NULL || client->port == 0)
    return FALSE;
  for (guint i = 0; i < config->organisations->len; i++)
    if (*((const Organisation *) config->organisations->pdata[i])->certificates != NULL)
      return TRUE;
  return FALSE;
}

/*
 * Asks policyd for the certificate of CLIENT. FALSE: it cannot be known now. Then the
 * client may be an organisation's, and its mail must not pass for a stranger's.
 */
static gboolean
identify(Client *client, const Tools *tools, const char *queue_id)
{
  if (!needs_certificate(client, tools->config))
    return TRUE;
  g_autoptr(GError) error = NULL;
  g_autoptr(ClientCertificate) certificate =
      ask_client(tools->config->policyd_socket, client->address, client->port, &error);
  if (certificate == NULL) {
    log_line(LOG_LEVEL_WARNING, "%s: the client's certificate is not known: %s",
             queue_id != NULL ? queue_id : "NOQUEUE", error->message);
    return FALSE;
  }
  client->fingerprint = g_strdup(certificate->fingerprint);
  client->subject = g_strdup(certificate->subject);
  client->issuer = g_strdup(certificate->issuer);
  return TRUE;
}

/* The domain of GIVEN, as it stands in MAIL or RCPT, a new string, or NULL. */
static char *
domain_of(const char *given)
{
  g_autofree char *address = envelope_address(given);
  return address != NULL ? g_strdup(envelope_domain(address)) : NULL;
}

/* Whether an organisation has DOMAIN (may be NULL) for its own mail. */
static gboolean
is_mail_domain(const Config *config, const char *domain)
{
  return domain != NULL && conf_organisation_of_domain(config, domain) != NULL;
}

/*
 * Whether ARRIVAL leaves us in the name of one of our organisations. Postfix relays for
 * whom it knows; a client that zegel.conf does not know asks for protection in vain, and
 * must hear of it.
 */
static gboolean
leaves_us(const Arrival *arrival, const Config *config)
{
  g_autofree char *from = domain_of(arrival->sender[0]);
  if (!is_mail_domain(config, from))
    return FALSE;
  for (guint i = 0; i < arrival->recipients->len; i++) {
    const GStrv recipient = arrival->recipients->pdata[i];
    g_autofree char *to = domain_of(recipient[0]);
    if (!is_mail_domain(config, to) &&
        (to == NULL || conf_organisation_of_service_domain(config, to) == NULL))
      return TRUE;
  }
  return FALSE;
}

/* The kind of ARRIVAL, and in *ORGANISATION to whom it belongs, or NULL. */
static MessageKind
kind_of(const Arrival *arrival, const Config *config, const Organisation **organisation)
{
  const Client *client = &arrival->client;
  *organisation = NULL;
  if (g_strcmp0(client->daemon, AGAIN_DAEMON) == 0)
    return MESSAGE_AGAIN;
  if (g_strcmp0(client->daemon, SERVICE_DAEMON) == 0)
    return MESSAGE_SERVICE;
  if (g_strcmp0(client->daemon, VISITOR_DAEMON) == 0)
    return MESSAGE_VISITOR;
  *organisation = client_organisation(client, config);
  if (*organisation != NULL)
    return MESSAGE_OUTWARD;
  if (client->login != NULL || leaves_us(arrival, config))
    return MESSAGE_STRANGER;
  return MESSAGE_INWARD;
}

static Message *
make_message(const Arrival *arrival, const Tools *tools)
{
  const Organisation *organisation;
  MessageKind kind = kind_of(arrival, tools->config, &organisation);
  Message *message =
      message_new(kind, organisation, (const char *const *) tools->config->sms_countries,
                  (const char *const *) arrival->sender);
  message->client = &arrival->client;
  message->fields = arrival->fields;
  for (guint i = 0; i < arrival->recipients->len; i++)
    message_add_recipient(message, arrival->recipients->pdata[i]);
  for (guint i = 0; i < arrival->fields->list->len; i++) {
    const Field *field = arrival->fields->list->pdata[i];
    message_add_header(message, field->name, field->value);
  }
  message_end_header(message);
  return message;
}

/* What has no key must not take what needs one. */
static gboolean
is_misplaced(const Flow *flow, const Tools *tools)
{
  if (!tools->mx || flow->message->kind == MESSAGE_INWARD ||
      flow->message->kind == MESSAGE_STRANGER)
    return FALSE;
  log_line(LOG_LEVEL_ALARM,
           "%s: a client of organisation %s came to the milter of port 25: add its address "
           "%s to zegel_milter_clients, or have it use port 587",
           flow->queue_id != NULL ? flow->queue_id : "NOQUEUE",
           flow->message->organisation->name,
           flow->message->client->address != NULL ? flow->message->client->address : "-");
  return TRUE;
}

Flow *
flow_new(const Tools *tools, Arrival *arrival, const char *queue_id)
{
  Flow *flow = g_new0(Flow, 1);
  flow->queue_id = g_strdup(queue_id);
  gboolean identified = identify(&arrival->client, tools, queue_id);
  flow->message = make_message(arrival, tools);
  MessageKind kind = flow->message->kind;
  if (is_misplaced(flow, tools))
    flow->refusal = REFUSAL_INSTANCE;
  else if (!identified && (kind == MESSAGE_INWARD || kind == MESSAGE_STRANGER))
    flow->refusal = REFUSAL_TROUBLE;
  else if (kind == MESSAGE_INWARD)
    flow->inward = inward_new(tools, flow->message, queue_id);
  else
    flow->outward = outward_new(tools, flow->message, queue_id);
  return flow;
}

void
flow_free(Flow *flow)
{
  if (flow == NULL)
    return;
  outward_free(flow->outward);
  inward_free(flow->inward);
  message_free(flow->message);
  g_free(flow->queue_id);
  g_free(flow);
}

gboolean
flow_needs_body(const Flow *flow)
{
  if (flow->outward != NULL)
    return outward_needs_body(flow->outward);
  return flow->inward != NULL && inward_needs_body(flow->inward);
}

void
flow_body(Flow *flow, const void *bytes, gsize len)
{
  if (flow->outward != NULL)
    outward_body(flow->outward, bytes, len);
  else if (flow->inward != NULL)
    inward_body(flow->inward, bytes, len);
}

Plan *
flow_finish(Flow *flow)
{
  if (flow->outward != NULL)
    return outward_finish(flow->outward);
  if (flow->inward != NULL)
    return inward_finish(flow->inward);
  Plan *plan = plan_new();
  plan_refuse(plan, flow->refusal, NULL);
  return plan;
}

void
flow_log(const Flow *flow)
{
  if (flow->outward != NULL)
    outward_log(flow->outward);
  else if (flow->inward == NULL)
    events_refused(flow->message, flow->refusal, NULL, flow->queue_id);
}

const Message *
flow_message(const Flow *flow)
{
  return flow->message;
}

const Decision *
flow_decision(const Flow *flow)
{
  return flow->outward != NULL ? outward_decision(flow->outward) : NULL;
}
