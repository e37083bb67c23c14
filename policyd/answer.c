#include "policyd/answer.h"

#include <string.h>

#include "common/ask/ask.h"
#include "common/base/attr.h"
#include "common/base/error.h"
#include "common/base/label.h"
#include "common/base/log.h"
#include "policyd/address.h"
#include "policyd/decide.h"

struct Service {
  char *config_path;
  Config *config;
  Book *book;
  Promises *promises;
};

Service *
service_new(const char *config_path, Config *config, Book *book, Promises *promises)
{
  Service *service = g_new0(Service, 1);
  service->config_path = g_strdup(config_path);
  service->config = config;
  service->book = book;
  service->promises = promises;
  return service;
}

void
service_free(Service *service)
{
  if (service == NULL)
    return;
  g_free(service->config_path);
  conf_free(service->config);
  book_free(service->book);
  g_free(service);
}

static PromiseWays
ways_of(const Config *config)
{
  return (PromiseWays){.direct = config->direct_transport,
                       .store = config->store_transport,
                       .prefer = config->prefer_transport};
}

/* ---- One question ---- */

typedef struct {
  Service *service;
  const RouteQuestion *question;
  const Organisation *organisation;
  GPtrArray *answers;  /* of RouteAnswer */
  GPtrArray *promised; /* of BookEntry, borrowed: new with this question */
  gboolean direct;     /* an answer says so: routes.db must stand behind it */
} Asking;

static gboolean
can_label(const char *recipient)
{
  g_autofree char *labelled = label_add(recipient, LABEL_DIRECT, NULL);
  return labelled != NULL;
}

/*
 * NTA 7516: nobody is known to be ready. Readiness is found out by DNS, and that is not
 * part of zegel yet; "no" is the safe fact, it never makes mail go direct.
 */
static RouteFacts
gather(const Asking *asking, const char *recipient, const Address *address,
       const BookEntry *entry)
{
  return (RouteFacts){
      .sensitive = asking->question->sensitive,
      .own = address->domain != NULL && address->local_is_plain &&
             conf_has_domain(asking->organisation, address->domain),
      .in_book = entry != NULL && !entry->nta,
      .can_label = address->domain != NULL && can_label(recipient),
      .ours_ready = READINESS_NO,
      .theirs_ready = READINESS_NO,
  };
}

static gboolean
promise(Asking *asking, const Address *address, const BookEntry *entry, GError **error)
{
  if (entry == NULL) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY,
                        "a direct route has no next hop");
    return FALSE;
  }
  PromiseWays ways = ways_of(asking->service->config);
  PromiseHop hop = {entry->nexthop, entry->policy, PROMISE_BOOK};
  asking->direct = TRUE;
  if (promises_note(asking->service->promises, address->spelled, LABEL_DIRECT, &hop, &ways))
    g_ptr_array_add(asking->promised, (gpointer) entry);
  return TRUE;
}

static gboolean
answer_recipient(Asking *asking, const char *recipient, GError **error)
{
  g_auto(Address) address;
  address_read(recipient, &address);
  const BookEntry *entry =
      address.domain != NULL ? book_find(asking->service->book, address.domain) : NULL;
  RouteFacts facts = gather(asking, recipient, &address, entry);
  RouteDecision decision = route_decide(&facts);
  if (!decision.known) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY,
                "%s: whether %s is ready is not known now", decision.code, address.domain);
    return FALSE;
  }
  if (decision.route == ROUTE_DIRECT && !promise(asking, &address, entry, error))
    return FALSE;
  g_ptr_array_add(asking->answers, route_answer_new(decision.route, decision.code, "-"));
  return TRUE;
}

static void
log_promises(const Asking *asking)
{
  for (guint i = 0; i < asking->promised->len; i++) {
    const BookEntry *entry = asking->promised->pdata[i];
    event_log(EVENT_PROMISED, asking->question->queue_id, asking->organisation->name,
              "domain", entry->domain, "nexthop", entry->nexthop, "tls", entry->policy,
              NULL);
  }
}

static gboolean
answer_all(Asking *asking, GError **error)
{
  const RouteQuestion *question = asking->question;
  asking->organisation = conf_organisation(asking->service->config, question->organisation);
  if (asking->organisation == NULL) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY,
                "there is no organisation %s in zegel.conf here", question->organisation);
    return FALSE;
  }
  for (guint i = 0; i < question->recipients->len; i++)
    if (!answer_recipient(asking, question->recipients->pdata[i], error))
      return FALSE;
  if (asking->direct && !promises_commit(asking->service->promises, error))
    return FALSE;
  log_promises(asking);
  return TRUE;
}

static Attrs *
answer_question(Service *service, const RouteQuestion *question)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) answers =
      g_ptr_array_new_with_free_func((GDestroyNotify) route_answer_free);
  g_autoptr(GPtrArray) promised = g_ptr_array_new();
  Asking asking = {
      .service = service, .question = question, .answers = answers, .promised = promised};
  if (answer_all(&asking, &error))
    return route_answers_format(answers);
  log_line(LOG_LEVEL_ALARM, "%s: no route can be given now: %s",
           *question->queue_id != '\0' ? question->queue_id : "NOQUEUE", error->message);
  return route_failure_format(error->message);
}

char *
service_answer(Service *service, const char *block, gsize len)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(RouteQuestion) question = NULL;
  g_autoptr(Attrs) attrs = attrs_parse(block, len, ATTR_ESCAPED, &error);
  if (attrs != NULL)
    question = route_question_parse(attrs, &error);
  if (question == NULL) {
    log_line(LOG_LEVEL_WARNING, "ask: a peer is cut off: %s", error->message);
    return NULL;
  }
  g_autoptr(Attrs) answer = answer_question(service, question);
  return attrs_format(answer, ATTR_ESCAPED);
}

/* ---- The book ---- */

static void
log_change(BookChange change, const BookEntry *entry, gpointer data)
{
  static const char *const names[] = {
      [BOOK_ADDED] = "added",
      [BOOK_REMOVED] = "removed",
      [BOOK_CHANGED] = "changed",
  };
  const char *path = data;
  event_log(EVENT_BOOK, NULL, NULL, "file", path, "change", names[change], "domain",
            entry->domain, "nexthop", book_entry_nexthop(entry), "tls", entry->policy,
            "network", *entry->network != '\0' ? entry->network : NULL, NULL);
}

static void
log_book(const char *path, const Book *book, guint changed)
{
  g_autofree char *domains = g_strdup_printf("%u", book_count(book));
  g_autofree char *rows = g_strdup_printf("%u", changed);
  event_log(EVENT_BOOK, NULL, NULL, "file", path, "result", "read", "domains", domains,
            "sha256", book_digest(book), "rows-changed", rows, NULL);
}

gboolean
service_start(Service *service, GError **error)
{
  PromiseWays ways = ways_of(service->config);
  guint changed = 0;
  if (!promises_follow(service->promises, service->book, &ways, &changed, error))
    return FALSE;
  log_book(service->config->domain_book, service->book, changed);
  return TRUE;
}

/* Takes CONFIG and BOOK on success. */
static gboolean
change_to(Service *service, Config **config, Book **book, GError **error)
{
  PromiseWays ways = ways_of(*config);
  guint changed = 0;
  if (!promises_follow(service->promises, *book, &ways, &changed, error))
    return FALSE;
  book_compare(service->book, *book, log_change, (*config)->domain_book);
  log_book((*config)->domain_book, *book, changed);
  conf_free(service->config);
  book_free(service->book);
  service->config = g_steal_pointer(config);
  service->book = g_steal_pointer(book);
  return TRUE;
}

void
service_reload(Service *service)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Book) book = NULL;
  g_autoptr(Config) config = conf_load(service->config_path, &error);
  if (config != NULL)
    book = book_load(config->domain_book, &error);
  if (book != NULL && change_to(service, &config, &book, &error))
    return;
  event_log(EVENT_BOOK, NULL, NULL, "file", service->config->domain_book, "result", "kept",
            "reason", error->message, NULL);
  log_line(LOG_LEVEL_ALARM, "the configuration and the domain book stay as they were: %s",
           error->message);
}
