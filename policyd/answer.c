#include "policyd/answer.h"

#include "common/base/error.h"
#include "common/base/label.h"
#include "common/base/event.h"
#include "common/base/log.h"
#include "policyd/address.h"
#include "policyd/book_log.h"
#include "policyd/community.h"
#include "policyd/decide.h"
#include "policyd/memo.h"
#include "policyd/questions.h"

struct Service {
  ServiceParts parts;
  char *config_path;
  Config *config;
  Book *book;
  Verdicts *verdicts;
  GHashTable *askings; /* set of Asking: those that wait */
  Questions *questions;
  Memo *memo;    /* answers to questions that need nothing new */
  guint changes; /* of the promises, when the first of these was kept */
};

/* The sender or a recipient of a question. */
typedef struct {
  struct Asking *asking;
  const char *text; /* owned by the question */
  Address address;
  Verdict *verdict; /* on its domain; NULL: not known, or not asked for */
  VerdictWait *wait;
} Party;

/* A question on its way. */
typedef struct Asking {
  Service *service;
  guint64 peer;
  RouteQuestion *question;
  MemoKey *memo_key;                /* NULL: its answer is not kept */
  const Organisation *organisation; /* only while we are called: a reload may come */
  Party sender;
  Party *recipients; /* as many as QUESTION has */
  guint waiting;
  gboolean unknown;    /* no answer, because a domain's readiness is not known */
  LoopTimer *deadline; /* not NULL: it waits */
  gboolean promising;  /* an answer hangs on routes.db */
  GPtrArray *promised; /* of Promised, new with this question; NULL: none */
} Asking;

static void
asking_free(gpointer p);

static void
send_answer(const Service *service, guint64 peer, const Attrs *attrs)
{
  g_autofree char *text = attrs_format(attrs, ATTR_ESCAPED);
  service->parts.answer(service->parts.data, peer, text);
}

/* What was found out by the way counts from now on. */
static void
send_other(gpointer data, guint64 peer, const Attrs *attrs, gboolean checked)
{
  Service *service = data;
  if (checked)
    memo_clear(service->memo);
  send_answer(service, peer, attrs);
}

Service *
service_new(const ServiceParts *parts, Config *config, Book *book)
{
  Service *service = g_new0(Service, 1);
  service->parts = *parts;
  service->config_path = g_strdup(parts->config_path);
  service->config = config;
  service->book = book;
  service->verdicts = verdicts_new(parts->loop, parts->dns, parts->spf, parts->keeper);
  verdicts_follow(service->verdicts, config, book);
  service->memo = memo_new();
  service->askings = g_hash_table_new_full(NULL, NULL, asking_free, NULL);
  const QuestionsParts others = {.loop = parts->loop,
                                 .dns = parts->dns,
                                 .spf = parts->spf,
                                 .verdicts = service->verdicts,
                                 .clients = parts->clients,
                                 .answer = send_other,
                                 .data = service};
  service->questions = questions_new(&others);
  questions_follow(service->questions, config);
  return service;
}

void
service_free(Service *service)
{
  if (service == NULL)
    return;
  g_hash_table_unref(service->askings);
  questions_free(service->questions);
  memo_free(service->memo);
  verdicts_free(service->verdicts);
  g_free(service->config_path);
  conf_free(service->config);
  book_free(service->book);
  g_free(service);
}

const Config *
service_config(const Service *service)
{
  return service->config;
}

const Book *
service_book(const Service *service)
{
  return service->book;
}

/* ---- Facts ---- */

static void
party_read(Party *party, Asking *asking, const char *text)
{
  party->asking = asking;
  party->text = text;
  address_read(text, &party->address);
}

static void
party_clear(Party *party)
{
  address_clear(&party->address);
  verdict_unref(party->verdict);
  verdicts_cancel(party->wait);
}

static void
asking_free(gpointer p)
{
  Asking *asking = p;
  for (guint i = 0; i < asking->question->recipients->len; i++)
    party_clear(&asking->recipients[i]);
  party_clear(&asking->sender);
  g_free(asking->recipients);
  loop_timer_cancel(asking->deadline);
  if (asking->promised != NULL)
    g_ptr_array_unref(asking->promised);
  route_question_free(asking->question);
  g_free(asking->memo_key);
  g_free(asking);
}

/* Takes QUESTION. */
static Asking *
asking_new(Service *service, guint64 peer, RouteQuestion *question)
{
  Asking *asking = g_new0(Asking, 1);
  asking->service = service;
  asking->peer = peer;
  asking->question = question;
  party_read(&asking->sender, asking, question->sender);
  asking->recipients = g_new0(Party, question->recipients->len);
  for (guint i = 0; i < question->recipients->len; i++)
    party_read(&asking->recipients[i], asking, question->recipients->pdata[i]);
  return asking;
}

/* The line of PARTY's domain when that is the community or a partner of its own; a line
 * that says "nta" is not: its record decides. */
static const BookEntry *
book_line(const Asking *asking, const Party *party)
{
  const char *domain = party->address.domain;
  const BookEntry *entry = domain != NULL ? book_find(asking->service->book, domain) : NULL;
  return entry != NULL && !entry->nta ? entry : NULL;
}

/* Whether the book says that mail with PARTY goes, or comes, by the community (O4). */
static gboolean
is_community(const Asking *asking, const Party *party)
{
  const Service *service = asking->service;
  const BookEntry *entry = book_line(asking, party);
  return entry != NULL && (!asking->question->inward ||
                           community_brings(entry, service->config->community_client,
                                            asking->question, service->parts.clients));
}

static gboolean
is_of_organisation(const Asking *asking, const Party *party)
{
  return party->address.domain != NULL &&
         conf_has_domain(asking->organisation, party->address.domain);
}

/* What visitors write is from the service domain; it must be ready like any other (N2). */
static gboolean
may_send(const Asking *asking, const Party *party)
{
  const char *service_domain = asking->organisation->service_domain;
  return is_of_organisation(asking, party) ||
         g_strcmp0(party->address.domain, service_domain) == 0;
}

static gboolean
can_label(const Party *party)
{
  g_autofree char *labelled = label_add(party->text, LABEL_DIRECT, NULL);
  return party->address.domain != NULL && labelled != NULL;
}

static Readiness
readiness_of(const Party *party)
{
  return party->verdict != NULL ? party->verdict->readiness : READINESS_UNKNOWN;
}

static Party *
ours_of(Asking *asking, Party *recipient)
{
  return asking->question->inward ? recipient : &asking->sender;
}

static Party *
theirs_of(Asking *asking, Party *recipient)
{
  return asking->question->inward ? &asking->sender : recipient;
}

static gboolean
is_here(const Party *party)
{
  return party->address.domain != NULL &&
         conf_organisation_of_domain(party->asking->service->config,
                                     party->address.domain) != NULL;
}

static RouteFacts
gather(Asking *asking, Party *recipient)
{
  gboolean inward = asking->question->inward;
  const Party *theirs = theirs_of(asking, recipient);
  return (RouteFacts){
      .inward = inward,
      .sensitive = asking->question->sensitive,
      .prefer = asking->organisation->prefer_direct,
      .own = theirs->address.local_is_plain && is_of_organisation(asking, theirs) &&
             (!inward || is_of_organisation(asking, recipient)),
      .here = !inward && is_here(theirs),
      .in_book = is_community(asking, theirs),
      .can_label = can_label(recipient),
      .ours_ready = readiness_of(ours_of(asking, recipient)),
      .theirs_ready = readiness_of(theirs),
  };
}

/* Whether the route hangs on readiness: only then is the DNS asked. */
static gboolean
needs_readiness(const RouteFacts *facts)
{
  if (facts->in_book || facts->own)
    return FALSE;
  return facts->inward || ((facts->sensitive || facts->prefer) && facts->can_label);
}

static void
on_verdict(gpointer data, Verdict *verdict);

/* Our own server would read a way on in the address, and the message would leave again. */
static gboolean
leads_on(const Party *party)
{
  return !party->address.local_is_plain && is_here(party);
}

/* Sets the verdict on PARTY's domain, or waits for it. */
static void
look_at(Party *party, Side side)
{
  Asking *asking = party->asking;
  const char *domain = party->address.domain;
  if (party->verdict != NULL || party->wait != NULL)
    return;
  if (domain == NULL)
    party->verdict = verdict_of(READINESS_NO, "Z-N1-NO-DOMAIN");
  else if (side == SIDE_THEIRS && leads_on(party))
    party->verdict = verdict_of(READINESS_NO, "Z-R4-LOCAL-PART");
  else if (side == SIDE_OURS && !may_send(asking, party))
    party->verdict = verdict_of(READINESS_NO, "Z-N2-NOT-OURS");
  else
    party->verdict = verdicts_find(asking->service->verdicts, side, domain, on_verdict,
                                   party, &party->wait);
  if (party->wait != NULL)
    asking->waiting++;
}

/* Looks at both sides; a domain of ours that is not ready makes the other's no matter. */
static void
look_at_both(Asking *asking, Party *recipient)
{
  Party *ours = ours_of(asking, recipient);
  look_at(ours, SIDE_OURS);
  if (ours->verdict == NULL || ours->verdict->readiness != READINESS_NO)
    look_at(theirs_of(asking, recipient), SIDE_THEIRS);
}

/* ---- Promises ---- */

static PromiseWays
ways_of(const Config *config)
{
  return (PromiseWays){.direct = config->direct_transport,
                       .prefer = config->prefer_transport,
                       .store = config->store_transport};
}

/* A route that is new in routes.db, for the log. */
typedef struct {
  char *domain, *nexthop, *policy;
  Label label;
} Promised;

static void
promised_free(gpointer p)
{
  Promised *promised = p;
  g_free(promised->domain);
  g_free(promised->nexthop);
  g_free(promised->policy);
  g_free(promised);
}

/* Where mail to RECIPIENT goes when it goes direct. FALSE: nowhere. */
static gboolean
find_hop(const Asking *asking, const Party *recipient, PromiseHop *hop)
{
  const BookEntry *entry = book_line(asking, recipient);
  const Verdict *verdict = recipient->verdict;
  if (entry != NULL)
    *hop = (PromiseHop){entry->nexthop, entry->policy, PROMISE_BOOK};
  else if (verdict != NULL && verdict->nexthop != NULL)
    *hop = (PromiseHop){verdict->nexthop, verdict->policy, PROMISE_NTA};
  else
    return FALSE;
  return TRUE;
}

static gboolean
note_promise(Asking *asking, const Party *recipient, Label label, GError **error)
{
  PromiseHop hop;
  if (!find_hop(asking, recipient, &hop)) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY,
                        "a direct route has no next hop");
    return FALSE;
  }
  PromiseWays ways = ways_of(asking->service->config);
  asking->promising = TRUE;
  if (!promises_note(asking->service->parts.promises, recipient->address.spelled, label,
                     &hop, &ways))
    return TRUE;
  Promised *promised = g_new0(Promised, 1);
  promised->domain = g_strdup(recipient->address.domain);
  promised->nexthop = g_strdup(hop.nexthop);
  promised->policy = g_strdup(hop.policy);
  promised->label = label;
  if (asking->promised == NULL)
    asking->promised = g_ptr_array_new_with_free_func(promised_free);
  g_ptr_array_add(asking->promised, promised);
  return TRUE;
}

/* What zegel-direct asks of a next hop for which routes.db has no rule is DANE. */
static void
log_promises(const Asking *asking)
{
  for (guint i = 0; asking->promised != NULL && i < asking->promised->len; i++) {
    const Promised *promised = asking->promised->pdata[i];
    event_log(EVENT_PROMISED, asking->question->queue_id, asking->organisation->name,
              "domain", promised->domain, "label",
              promised->label == LABEL_PREFER ? "prefer" : "direct", "nexthop",
              promised->nexthop, "tls",
              promised->policy != NULL ? promised->policy : "dane-only", NULL);
  }
}

/* ---- Answers ---- */

/* The code of what the route hung on, or "-" when readiness did not matter. */
static const char *
reason_of(Asking *asking, Party *recipient, const RouteFacts *facts, Route route)
{
  if (!needs_readiness(facts))
    return "-";
  const Party *ours = ours_of(asking, recipient);
  const Party *theirs = theirs_of(asking, recipient);
  if (route == ROUTE_ORDINARY && asking->question->inward && book_line(asking, theirs))
    return "Z-O4-CLIENT"; /* else it would have been the community's */
  const Party *decided = facts->ours_ready == READINESS_NO     ? ours
                         : facts->theirs_ready == READINESS_NO ? theirs
                         : facts->ours_ready != READINESS_YES  ? ours
                                                               : theirs;
  return decided->verdict != NULL ? decided->verdict->code : "Z-R6-LATE";
}

/* A next hop has one TLS policy: one that the domain book has with another rule, or that
 * was promised with one, cannot be promised to this domain as well. */
static gboolean
is_conflict(const Asking *asking, const Party *recipient)
{
  PromiseHop hop;
  return !asking->question->inward && recipient->verdict != NULL &&
         recipient->verdict->policy != NULL && find_hop(asking, recipient, &hop) &&
         promises_conflict(asking->service->parts.promises, &hop);
}

static gboolean
promise(Asking *asking, Party *recipient, Route route, GError **error)
{
  if (asking->question->dry_run || asking->question->inward)
    return TRUE;
  if (route == ROUTE_DIRECT)
    return note_promise(asking, recipient, LABEL_DIRECT, error);
  return route != ROUTE_PREFER || note_promise(asking, recipient, LABEL_PREFER, error);
}

static RouteAnswer *
answer_recipient(Asking *asking, Party *recipient, GError **error)
{
  RouteFacts facts = gather(asking, recipient);
  RouteDecision decision = route_decide(&facts);
  const char *reason = reason_of(asking, recipient, &facts, decision.route);
  if (decision.route == ROUTE_DIRECT || decision.route == ROUTE_PREFER) {
    if (is_conflict(asking, recipient)) {
      facts.theirs_ready = READINESS_NO;
      decision = route_decide(&facts);
      reason = "Z-R5-CONFLICT";
    }
  }
  if (!decision.known) {
    asking->unknown = TRUE;
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY,
                "%s: whether %s is ready is not known now (%s)", decision.code,
                recipient->address.domain, reason);
    return NULL;
  }
  if (!promise(asking, recipient, decision.route, error))
    return NULL;
  return route_answer_new(decision.route, decision.code, reason);
}

static GPtrArray *
decide_all(Asking *asking, GError **error)
{
  g_autoptr(GPtrArray) answers =
      g_ptr_array_new_with_free_func((GDestroyNotify) route_answer_free);
  for (guint i = 0; i < asking->question->recipients->len; i++) {
    RouteAnswer *answer = answer_recipient(asking, &asking->recipients[i], error);
    if (answer == NULL)
      return NULL;
    g_ptr_array_add(answers, answer);
  }
  return g_steal_pointer(&answers);
}

/* One answer for each recipient, behind which routes.db stands, or NULL. Promises that were
 * noted before another recipient turned out to be unknown are good ones. */
static GPtrArray *
answer_all(Asking *asking, GError **error)
{
  g_autoptr(GPtrArray) answers = decide_all(asking, error);
  if (asking->promising &&
      !promises_commit(asking->service->parts.promises, answers != NULL ? error : NULL))
    return NULL;
  log_promises(asking);
  return g_steal_pointer(&answers);
}

static void
log_failure(const Asking *asking, const char *text)
{
  const char *queue_id = asking->question->queue_id;
  log_line(asking->unknown ? LOG_LEVEL_WARNING : LOG_LEVEL_ALARM,
           "%s: no route can be given now: %s", *queue_id != '\0' ? queue_id : "NOQUEUE",
           text);
}

/* Until when the same question has the same answer, or 0. */
static gint64
holds_until(const Asking *asking)
{
  if (asking->promised != NULL || asking->question->client_address != NULL)
    return 0; /* once: for the log; and who is at an address changes */
  gint64 until_us =
      asking->promising
          ? promises_hold_until_us(asking->service->parts.promises)
          : g_get_monotonic_time() + SERVICE_MEMO_MS * G_TIME_SPAN_MILLISECOND;
  if (asking->sender.verdict != NULL)
    until_us = MIN(until_us, asking->sender.verdict->expires_us);
  for (guint i = 0; i < asking->question->recipients->len; i++)
    if (asking->recipients[i].verdict != NULL)
      until_us = MIN(until_us, asking->recipients[i].verdict->expires_us);
  return until_us;
}

/* ASKING has ANSWERS, which are given again as long as nothing can have changed. */
static void
remember(const Asking *asking, const GPtrArray *answers)
{
  Service *service = asking->service;
  guint changes = promises_changes(service->parts.promises);
  gint64 until_us = holds_until(asking);
  if (asking->memo_key == NULL || until_us == 0)
    return;
  if (service->changes != changes)
    memo_clear(service->memo);
  service->changes = changes;
  g_autoptr(Attrs) attrs = route_answers_format(answers);
  g_autofree char *text = attrs_format(attrs, ATTR_ESCAPED);
  memo_keep(service->memo, asking->memo_key, text, until_us);
}

/* Answers and frees ASKING. */
static void
finish(Asking *asking)
{
  Service *service = asking->service;
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) answers =
      asking->organisation != NULL ? answer_all(asking, &error) : NULL;
  if (answers != NULL && service->parts.numbers != NULL &&
      !service->parts.numbers(service->parts.data, asking->peer, asking->question, answers,
                              &error))
    g_clear_pointer(&answers, g_ptr_array_unref);
  if (asking->organisation == NULL)
    g_set_error(&error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY,
                "there is no organisation %s in zegel.conf here",
                asking->question->organisation);
  if (answers == NULL)
    log_failure(asking, error->message);
  else
    remember(asking, answers);
  if (asking->deadline != NULL)
    g_hash_table_steal(service->askings, asking);
  g_autoptr(Attrs) attrs = answers != NULL ? route_answers_format(answers)
                                           : route_failure_format(error->message);
  send_answer(service, asking->peer, attrs);
  asking_free(asking);
}

static void
on_deadline(gpointer data)
{
  Asking *asking = data;
  asking->deadline = NULL;
  g_hash_table_steal(asking->service->askings, asking);
  asking->organisation =
      conf_organisation(asking->service->config, asking->question->organisation);
  finish(asking);
}

/* Looks at what is known now; answers when that is enough, and else waits. */
static void
go_on(Asking *asking)
{
  Service *service = asking->service;
  const RouteQuestion *question = asking->question;
  asking->organisation = conf_organisation(service->config, question->organisation);
  for (guint i = 0; asking->organisation != NULL && i < question->recipients->len; i++) {
    RouteFacts facts = gather(asking, &asking->recipients[i]);
    if (needs_readiness(&facts))
      look_at_both(asking, &asking->recipients[i]);
  }
  if (asking->waiting == 0) {
    finish(asking);
  } else if (asking->deadline == NULL) {
    g_clear_pointer(&asking->memo_key, g_free); /* time may be up before all is known */
    g_hash_table_add(service->askings, asking);
    asking->deadline = loop_timer(service->parts.loop,
                                  question->sensitive ? SERVICE_WAIT_MS : SERVICE_PREFER_MS,
                                  on_deadline, asking);
  }
}

static void
on_verdict(gpointer data, Verdict *verdict)
{
  Party *party = data;
  party->wait = NULL;
  party->verdict = verdict_ref(verdict);
  if (--party->asking->waiting == 0)
    go_on(party->asking);
}

/* ---- Questions ---- */

/* KEY is what memo_key made of the question, or NULL. */
static gboolean
take_route(Service *service, guint64 peer, const Attrs *attrs, const MemoKey *key,
           GError **error)
{
  RouteQuestion *question = route_question_parse(attrs, error);
  if (question == NULL)
    return FALSE;
  if (g_hash_table_size(service->askings) < SERVICE_MAX_QUESTIONS) {
    Asking *asking = asking_new(service, peer, question);
    asking->memo_key = question->numbers ? NULL : g_memdup2(key, sizeof *key);
    go_on(asking);
    return TRUE;
  }
  route_question_free(question);
  g_autoptr(Attrs) failure = route_failure_format("too many questions wait for the DNS");
  send_answer(service, peer, failure);
  return TRUE;
}

/* The answer to KEY that holds still, or NULL. */
static const char *
remembered(const Service *service, const MemoKey *key)
{
  if (service->changes != promises_changes(service->parts.promises))
    return NULL;
  return memo_find(service->memo, key, loop_now_us(service->parts.loop));
}

void
service_question(Service *service, guint64 peer, const char *block, gsize len)
{
  MemoKey key;
  gboolean has_key = memo_key(block, len, &key);
  const char *text = has_key ? remembered(service, &key) : NULL;
  if (text != NULL) {
    service->parts.answer(service->parts.data, peer, text);
    return;
  }
  g_autoptr(GError) error = NULL;
  g_autoptr(Attrs) attrs = attrs_parse(block, len, ATTR_ESCAPED, &error);
  if (attrs != NULL && questions_has(attrs)) {
    if (questions_take(service->questions, peer, attrs, &error))
      return;
  } else if (attrs != NULL &&
             take_route(service, peer, attrs, has_key ? &key : NULL, &error)) {
    return;
  }
  log_line(LOG_LEVEL_WARNING, "ask: a peer is cut off: %s", error->message);
  service->parts.answer(service->parts.data, peer, NULL);
}

/* ---- The book ---- */

gboolean
service_start(Service *service, GError **error)
{
  PromiseWays ways = ways_of(service->config);
  guint changed = 0;
  if (!promises_follow(service->parts.promises, service->book, &ways, &changed, error))
    return FALSE;
  book_log_read(service->config->domain_book, service->book, changed);
  return TRUE;
}

/* Takes CONFIG and BOOK on success. */
static gboolean
change_to(Service *service, Config **config, Book **book, GError **error)
{
  const ServiceParts *parts = &service->parts;
  PromiseWays ways = ways_of(*config);
  guint changed = 0;
  if ((parts->follow != NULL && !parts->follow(parts->data, *config, error)) ||
      !promises_follow(parts->promises, *book, &ways, &changed, error))
    return FALSE;
  book_log_changes((*config)->domain_book, service->book, *book);
  book_log_read((*config)->domain_book, *book, changed);
  verdicts_follow(service->verdicts, *config, *book);
  memo_clear(service->memo);
  questions_follow(service->questions, *config);
  conf_free(service->config);
  book_free(service->book);
  service->config = g_steal_pointer(config);
  service->book = g_steal_pointer(book);
  return TRUE;
}

gboolean
service_reload(Service *service, GError **error)
{
  GError *reason = NULL;
  g_autoptr(Book) book = NULL;
  g_autoptr(Config) config = conf_load(service->config_path, &reason);
  book = config != NULL ? book_load(config->domain_book, &reason) : NULL;
  if (book != NULL && change_to(service, &config, &book, &reason))
    return TRUE;
  event_log(EVENT_BOOK, NULL, NULL, "file", service->config->domain_book, "result", "kept",
            "reason", reason->message, NULL);
  g_propagate_error(error, reason);
  return FALSE;
}
