/*
 * inward.c - who brings it, what proves it, and what is done about it.
 *
 * Ordinary mail goes on when policyd is dead or the DNS is silent (R9): it is then marked
 * with what is not known, and is never secure. Holds no key.
 */
#include "milter/inward.h"

#include <string.h>

#include "common/ask/ask.h"
#include "common/ask/verify.h"
#include "common/base/event.h"
#include "common/base/log.h"
#include "common/base/network.h"
#include "milter/auth_results.h"
#include "milter/author.h"
#include "milter/dkim.h"
#include "milter/envelope.h"
#include "milter/events.h"
#include "milter/inward_decide.h"
#include "milter/inward_plan.h"
#include "milter/service.h"

#define LOGGED_ID_MAX_BYTES 200 /* of a message id in the log */

struct Inward {
  const Tools *tools;
  const Message *message;
  char *queue_id;
  char *author;             /* domain; NULL unless AUTHOR_ONE */
  GPtrArray *organisations; /* of const Organisation *: the recipients', once each */
  DkimVerifier *verifier;   /* NULL: nothing is verified */
  VerifyAnswer *answer;     /* NULL: policyd gave none */
  GPtrArray *unread;        /* of char *, borrowed: see InwardFacts */
  GPtrArray *signatures;    /* of DkimResult */
  GPtrArray *routes;        /* of RouteAnswer, for all recipients; NULL: not asked */
  InwardFacts facts;        /* points to what is above */
};

/*
 * Whether SPF of CLIENT says nothing. This machine itself (sendmail(1), a list manager, a
 * filter) stands in no record, and what it sends in our own name must not fail our DMARC.
 */
static gboolean
is_relay(const Client *client, const Config *config)
{
  Network address;
  if (!network_parse_address(client->address, &address))
    return FALSE;
  if (network_is_loopback(&address))
    return TRUE;
  for (guint i = 0; i < config->trusted_relays->len; i++)
    if (network_contains(config->trusted_relays->pdata[i], &address))
      return TRUE;
  return FALSE;
}

/* Who the recipients are, and whether anybody wants more of this message than its log. */
static void
find_organisations(Inward *inward)
{
  const Message *message = inward->message;
  InwardFacts *facts = &inward->facts;
  facts->foreign = message->odd->len > 0;
  facts->watch = TRUE;
  for (guint i = 0; i < message->unique->len; i++) {
    const Organisation *organisation = conf_organisation_of_domain(
        inward->tools->config, envelope_domain(message->unique->pdata[i]));
    if (organisation == NULL)
      facts->foreign = TRUE;
    else if (!g_ptr_array_find(inward->organisations, organisation, NULL))
      g_ptr_array_add(inward->organisations, (gpointer) organisation);
    if (organisation != NULL && organisation->sensitive_default != DEFAULT_OBSERVE)
      facts->watch = FALSE;
  }
}

/*
 * Who writes to a service domain. Bounces come back there, to control addresses and from
 * nobody (<>); a bounce of anything else would go to somebody who did not send it.
 */
static void
find_unread(Inward *inward)
{
  const Message *message = inward->message;
  gboolean bounce = message->sender != NULL && *message->sender == '\0';
  for (guint i = 0; i < message->unique->len; i++) {
    ServiceAddress found = service_address(inward->tools->config, message->organisation,
                                           NULL, message->unique->pdata[i]);
    if (found == SERVICE_STRANGE || (found != SERVICE_NONE && !bounce))
      g_ptr_array_add(inward->unread, message->unique->pdata[i]);
  }
}

static void
gather(Inward *inward)
{
  const Message *message = inward->message;
  const Config *config = inward->tools->config;
  InwardFacts *facts = &inward->facts;
  facts->cut = message->fields->cut;
  facts->author = author_find(message->fields, &inward->author);
  facts->relay = is_relay(message->client, config);
  facts->tls12 = client_has_tls12(message->client);
  facts->on_reject = config->dmarc_reject;
  facts->on_quarantine = config->dmarc_quarantine;
  find_organisations(inward);
  find_unread(inward);
}

static void
warn(const Inward *inward, const char *what, const GError *error)
{
  log_line(LOG_LEVEL_WARNING, "%s: %s: %s",
           inward->queue_id != NULL ? inward->queue_id : "NOQUEUE", what, error->message);
}

/*
 * Asks policyd what the DNS says. A sender that cannot be read has no domain whose SPF
 * could be asked; the HELO name speaks only for <>. RFC 7208 2.4.
 */
static void
ask_dns(Inward *inward)
{
  const Message *message = inward->message;
  const Client *client = message->client;
  g_autoptr(VerifyQuestion) question = verify_question_new();
  if (!inward->facts.relay && message->sender != NULL)
    question->client_address = g_strdup(client->address);
  question->helo = g_strdup(client->helo != NULL ? client->helo : "");
  question->sender = g_strdup(message->sender != NULL ? message->sender : "");
  question->from_domain = g_strdup(inward->author);
  dkim_verifier_ask(inward->verifier, question);
  g_autoptr(GError) error = NULL;
  inward->answer = ask_verify(inward->tools->config->policyd_socket, question, &error);
  if (inward->answer == NULL)
    warn(inward, "SPF, DKIM and DMARC are not known", error);
  inward->facts.answer = inward->answer;
}

Inward *
inward_new(const Tools *tools, Message *message, const char *queue_id)
{
  Inward *inward = g_new0(Inward, 1);
  inward->tools = tools;
  inward->message = message;
  inward->queue_id = g_strdup(queue_id);
  inward->organisations = g_ptr_array_new();
  inward->unread = g_ptr_array_new();
  inward->facts.unread = inward->unread;
  inward->signatures = g_ptr_array_new();
  inward->facts.signatures = inward->signatures;
  gather(inward);
  if (inward->facts.cut || inward->unread->len > 0 ||
      inward->facts.author == AUTHOR_SEVERAL)
    return inward;
  inward->verifier = dkim_verifier_new(message->fields);
  ask_dns(inward);
  return inward;
}

void
inward_free(Inward *inward)
{
  if (inward == NULL)
    return;
  dkim_verifier_free(inward->verifier);
  verify_answer_free(inward->answer);
  g_ptr_array_unref(inward->signatures);
  g_clear_pointer(&inward->routes, g_ptr_array_unref);
  g_ptr_array_unref(inward->organisations);
  g_ptr_array_unref(inward->unread);
  g_free(inward->author);
  g_free(inward->queue_id);
  g_free(inward);
}

gboolean
inward_needs_body(const Inward *inward)
{
  return inward->verifier != NULL && dkim_verifier_needs_body(inward->verifier);
}

void
inward_body(Inward *inward, const void *bytes, gsize len)
{
  if (inward_needs_body(inward))
    dkim_verifier_body(inward->verifier, bytes, len);
}

/* ---- Routes ---- */

/*
 * The question about the recipients of ORGANISATION. Of the author only the domain is
 * proven, so that nothing else is said of him.
 */
static RouteQuestion *
make_question(const Inward *inward, const Organisation *organisation)
{
  const Message *message = inward->message;
  const Client *client = message->client;
  RouteQuestion *question = route_question_new();
  question->organisation = g_strdup(organisation->name);
  question->sender = g_strconcat("postmaster@", inward->author, NULL);
  question->queue_id = g_strdup(inward->queue_id != NULL ? inward->queue_id : "");
  question->sensitive = TRUE;
  question->inward = TRUE;
  question->dry_run = inward->tools->dry_run;
  question->client_address = g_strdup(client->address);
  question->client_port = client->port;
  question->client_login = g_strdup(client->login);
  for (guint i = 0; i < message->unique->len; i++)
    if (conf_has_domain(organisation, envelope_domain(message->unique->pdata[i])))
      g_ptr_array_add(question->recipients, g_strdup(message->unique->pdata[i]));
  return question;
}

/* Appends what policyd says of the recipients of ORGANISATION to ROUTES. */
static gboolean
ask_organisation(const Inward *inward, const Organisation *organisation, GPtrArray *routes)
{
  g_autoptr(RouteQuestion) question = make_question(inward, organisation);
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) answers =
      ask_route(inward->tools->config->policyd_socket, question, &error);
  if (answers == NULL) {
    warn(inward, "whether it is secure is not known", error);
    return FALSE;
  }
  for (guint i = 0; i < answers->len; i++) {
    const RouteAnswer *answer = answers->pdata[i];
    g_ptr_array_add(routes, route_answer_new(answer->route, answer->code, answer->reason));
  }
  return TRUE;
}

static void
ask_routes(Inward *inward)
{
  g_autoptr(GPtrArray) routes =
      g_ptr_array_new_with_free_func((GDestroyNotify) route_answer_free);
  gboolean answered = inward->message->unique->len <= ASK_MAX_RECIPIENTS;
  for (guint i = 0; answered && i < inward->organisations->len; i++)
    answered = ask_organisation(inward, inward->organisations->pdata[i], routes);
  inward->facts.unanswered = !answered;
  if (answered)
    inward->facts.routes = inward->routes = g_steal_pointer(&routes);
}

/* ---- The end ---- */

/* Of a message that was refused by its header nothing is verified: the words are left out.
 */
static const char *
spf_word(const Inward *inward)
{
  if (inward->verifier == NULL)
    return NULL;
  const char *spf = inward_spf(&inward->facts);
  return spf != NULL ? spf : "relay";
}

static const char *
dkim_word(const Inward *inward)
{
  if (inward->verifier == NULL)
    return NULL;
  const DkimResult *best = inward_best_signature(&inward->facts);
  if (best == NULL)
    return dkim_status_name(DKIM_NONE);
  return best->status == DKIM_PASS && !best->aligned ? "unaligned"
                                                     : dkim_status_name(best->status);
}

static const char *
action_word(const Inward *inward, const InwardDecision *decision)
{
  static const char *const words[] = {
      [INWARD_KEEP] = "keep",
      [INWARD_ASK] = "keep",
      [INWARD_QUARANTINE] = "quarantine",
      [INWARD_REFUSE] = "refuse",
  };
  gboolean impossible = inward->facts.cut || inward->unread->len > 0;
  return inward->facts.watch && !impossible ? "observe" : words[decision->action];
}

static void
log_verified(const Inward *inward, const InwardDecision *decision)
{
  const Message *message = inward->message;
  const Organisation *organisation =
      inward->organisations->len == 1 ? inward->organisations->pdata[0] : NULL;
  const char *sender = message->sender != NULL ? message->sender : message->sender_given;
  g_autofree char *id = g_strndup(message->message_id, LOGGED_ID_MAX_BYTES);
  event_log(EVENT_VERIFIED, inward->queue_id,
            organisation != NULL ? organisation->name : NULL, "message-id", id, "from",
            *sender != '\0' ? sender : "<>", "domain", inward->author, "spf",
            spf_word(inward), "dkim", dkim_word(inward), "dmarc",
            dmarc_result_name(decision->dmarc), "tls", message->client->tls_version,
            "secure", secure_name(decision->secure), "code", decision->code, "detail",
            decision->detail, "disposition", action_word(inward, decision), NULL);
}

static void
log_end(const Inward *inward, const InwardDecision *decision, const Plan *plan)
{
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  if (inward->unread->len > 0)
    g_ptr_array_add(names, inward->unread->pdata[0]);
  else if (inward->author != NULL)
    g_ptr_array_add(names, inward->author);
  log_verified(inward, decision);
  if (plan->verdict == PLAN_REFUSE)
    events_refused(inward->message, decision->refusal, names, inward->queue_id);
}

static InwardDecision
judge(Inward *inward)
{
  if (inward->verifier != NULL) {
    g_ptr_array_unref(inward->signatures);
    inward->signatures = dkim_verifier_finish(inward->verifier, inward->answer);
    inward->facts.signatures = inward->signatures;
  }
  InwardDecision decision = inward_decide(&inward->facts);
  if (decision.action != INWARD_ASK)
    return decision;
  ask_routes(inward);
  return inward_decide(&inward->facts);
}

Plan *
inward_finish(Inward *inward)
{
  InwardDecision decision = judge(inward);
  const Message *message = inward->message;
  const InwardMessage parts = {.fields = message->fields,
                               .authserv_id = auth_results_id(inward->tools->config),
                               .author = inward->author,
                               .tls_version = message->client->tls_version,
                               .null_sender =
                                   message->sender != NULL && *message->sender == '\0',
                               .organisations = inward->organisations};
  g_autoptr(Plan) plan = inward_plan(&inward->facts, &decision, &parts);
  if (!inward->tools->dry_run)
    log_end(inward, &decision, plan);
  return g_steal_pointer(&plan);
}
