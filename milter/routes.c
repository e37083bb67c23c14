#include "milter/routes.h"

#include "common/ask/ask.h"
#include "common/base/log.h"

/* After policyd let mail wait that goes on without it, it is left alone so long (R9). */
#define PREFER_PAUSE_S 10

static gint prefer_again_s; /* monotonic; not before this is it asked again; atomic */

static gint
now_s(void)
{
  return (gint) (g_get_monotonic_time() / G_USEC_PER_SEC);
}

static GPtrArray *
exchange(const char *path, const RouteQuestion *question, guint timeout_ms, GError **error)
{
  g_autoptr(Attrs) attrs = route_question_format(question);
  g_autoptr(Attrs) reply = ask_exchange(path, attrs, timeout_ms, error);
  return reply != NULL ? route_answers_parse(reply, question->recipients->len, error)
                       : NULL;
}

/*
 * In whose name MESSAGE goes, a new string: that domain must be ready for what the norm
 * asks (N2). What a visitor wrote is from the service domain, whoever gets its bounces.
 */
static char *
make_sender(const Message *message)
{
  if (message->kind == MESSAGE_VISITOR)
    return g_strconcat("noreply@", message->organisation->service_domain, NULL);
  return g_strdup(message->ticket != NULL ? message->ticket->sender : message->sender);
}

/* Whether MESSAGE only is observed (S5). */
static gboolean
is_observed(const Message *message)
{
  return message->kind == MESSAGE_OUTWARD &&
         message->organisation->sensitive_default == DEFAULT_OBSERVE;
}

/* Whether recipient I of MESSAGE is a control address, whose way needs no asking. */
static gboolean
is_control(const Message *message, guint i)
{
  return i < message->service->len &&
         g_array_index(message->service, ServiceAddress, i) != SERVICE_NONE;
}

/*
 * ANSWERS (taken) with one for each control address too, so that there is one for each
 * recipient of MESSAGE.
 */
static GPtrArray *
add_controls(const Message *message, GPtrArray *answers)
{
  for (guint i = 0; i < message->unique->len; i++)
    if (is_control(message, i))
      g_ptr_array_insert(answers, (gint) i,
                         route_answer_new(ROUTE_VIEWER, "Z-S14-CONTROL", "-"));
  return answers;
}

/* The routes from policyd, or NULL with an error. */
static GPtrArray *
ask(const Tools *tools, const Message *message, gboolean sensitive, const char *queue_id,
    GError **error)
{
  const Organisation *organisation = message->organisation;
  g_autoptr(RouteQuestion) question = route_question_new();
  question->organisation = g_strdup(organisation->name);
  question->sender = make_sender(message);
  question->queue_id = g_strdup(queue_id != NULL ? queue_id : "");
  question->sensitive = sensitive;
  question->dry_run = tools->dry_run || is_observed(message);
  question->numbers = sensitive && conf_remembers_numbers(organisation);
  for (guint i = 0; i < message->unique->len; i++)
    if (!is_control(message, i))
      g_ptr_array_add(question->recipients, g_strdup(message->unique->pdata[i]));
  guint timeout_ms =
      sensitive && !is_observed(message) ? ASK_TIMEOUT_MS : ASK_PREFER_TIMEOUT_MS;
  if (question->recipients->len == 0)
    return add_controls(message,
                        g_ptr_array_new_with_free_func((GDestroyNotify) route_answer_free));
  GPtrArray *answers = exchange(tools->config->policyd_socket, question, timeout_ms, error);
  return answers != NULL ? add_controls(message, answers) : NULL;
}

/*
 * For mail that goes on without an answer: NULL also when policyd let the last such message
 * wait, so that one that hangs costs little.
 */
static GPtrArray *
ask_gently(const Tools *tools, const Message *message, gboolean sensitive,
           const char *queue_id, GError **error)
{
  gint begin_s = now_s();
  if (begin_s < g_atomic_int_get(&prefer_again_s))
    return NULL;
  GPtrArray *answers = ask(tools, message, sensitive, queue_id, error);
  gint end_s = now_s();
  if (answers == NULL && end_s > begin_s)
    g_atomic_int_set(&prefer_again_s, end_s + PREFER_PAUSE_S);
  return answers;
}

void
routes_ask(const Tools *tools, Message *message, gboolean sensitive, const char *queue_id)
{
  g_autoptr(GError) error = NULL;
  message->answers = sensitive && !is_observed(message)
                         ? ask(tools, message, TRUE, queue_id, &error)
                         : ask_gently(tools, message, sensitive, queue_id, &error);
  message->facts.answers = message->again.answers = message->visitor.answers =
      message->answers;
  message->facts.unanswered = message->again.unanswered = message->visitor.unanswered =
      message->answers == NULL;
  if (error != NULL)
    log_line(LOG_LEVEL_WARNING, "%s: no route: %s", queue_id != NULL ? queue_id : "NOQUEUE",
             error->message);
}
