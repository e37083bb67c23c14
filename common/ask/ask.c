#include "common/ask/ask.h"

#include <string.h>

#include "common/ask/block.h"
#include "common/base/error.h"
#include "common/base/secret.h"

#define ANSWER_ATTRS      4  /* route, code, reason, number */
#define NUMBER_MAX_DIGITS 15 /* E.164 */

static const char *const route_names[] = {
    [ROUTE_ORDINARY] = "ordinary", [ROUTE_PREFER] = "prefer", [ROUTE_OWN] = "own",
    [ROUTE_DIRECT] = "direct",     [ROUTE_VIEWER] = "viewer",
};

const char *
route_name(Route route)
{
  return route_names[route];
}

gboolean
route_parse(const char *name, Route *route)
{
  for (guint i = 0; i < G_N_ELEMENTS(route_names); i++)
    if (strcmp(route_names[i], name) == 0) {
      *route = (Route) i;
      return TRUE;
    }
  return FALSE;
}

RouteQuestion *
route_question_new(void)
{
  RouteQuestion *question = g_new0(RouteQuestion, 1);
  question->recipients = g_ptr_array_new_with_free_func(g_free);
  return question;
}

void
route_question_free(RouteQuestion *question)
{
  if (question == NULL)
    return;
  g_free(question->organisation);
  g_free(question->sender);
  g_free(question->queue_id);
  g_free(question->client_address);
  g_free(question->client_login);
  g_ptr_array_unref(question->recipients);
  g_free(question);
}

static void
add_flag(Attrs *attrs, const char *name, gboolean value)
{
  attrs_add(attrs, name, value ? "yes" : "no");
}

Attrs *
route_question_format(const RouteQuestion *question)
{
  Attrs *attrs = attrs_new();
  attrs_add(attrs, "request", "route");
  attrs_add_uint(attrs, "version", ASK_VERSION);
  attrs_add(attrs, "organisation", question->organisation);
  attrs_add(attrs, "sender", question->sender != NULL ? question->sender : "");
  attrs_add(attrs, "queue_id", question->queue_id != NULL ? question->queue_id : "");
  add_flag(attrs, "sensitive", question->sensitive);
  add_flag(attrs, "inward", question->inward);
  add_flag(attrs, "dry_run", question->dry_run);
  add_flag(attrs, "numbers", question->numbers);
  if (question->client_address != NULL) {
    attrs_add(attrs, "client_address", question->client_address);
    attrs_add_uint(attrs, "client_port", question->client_port);
  }
  if (question->client_login != NULL)
    attrs_add(attrs, "client_login", question->client_login);
  for (guint i = 0; i < question->recipients->len; i++)
    attrs_add(attrs, "recipient", question->recipients->pdata[i]);
  return attrs;
}

/* A copy of the value of NAME, from MIN through MAX octets, or NULL. */
static char *
copy_value(const Attrs *attrs, const char *name, gsize min, gsize max)
{
  const char *value = attrs_get(attrs, name);
  gsize len = value != NULL ? strlen(value) : 0;
  return value != NULL && len >= min && len <= max ? g_strdup(value) : NULL;
}

static gboolean
parse_recipients(const Attrs *attrs, GPtrArray *recipients, GError **error)
{
  for (guint i = 0; i < attrs_count(attrs); i++) {
    const char *name, *value;
    attrs_nth(attrs, i, &name, &value);
    if (strcmp(name, "recipient") != 0)
      continue;
    if (*value == '\0' || strlen(value) > ASK_ADDRESS_MAX_BYTES)
      return block_refuse(error, "a recipient is empty or too long");
    if (recipients->len == ASK_MAX_RECIPIENTS)
      return block_refuse(error, "too many recipients");
    g_ptr_array_add(recipients, g_strdup(value));
  }
  return recipients->len > 0 || block_refuse(error, "there is no recipient");
}

/* The flag NAME into *VALUE; FALSE when it is neither "yes" nor "no". */
static gboolean
parse_flag(const Attrs *attrs, const char *name, gboolean *value)
{
  const char *text = attrs_get(attrs, name);
  *value = g_strcmp0(text, "yes") == 0;
  return *value || g_strcmp0(text, "no") == 0;
}

/* Who brings it: both may be missing, neither may be nonsense. */
static gboolean
parse_client(const Attrs *attrs, RouteQuestion *question, GError **error)
{
  guint64 port = 0;
  question->client_login = copy_value(attrs, "client_login", 1, ASK_WORD_MAX_BYTES);
  if (attrs_get(attrs, "client_login") != NULL && question->client_login == NULL)
    return block_refuse(error, "client_login is empty or too long");
  if (attrs_get(attrs, "client_address") == NULL)
    return TRUE;
  question->client_address = copy_value(attrs, "client_address", 1, ASK_WORD_MAX_BYTES);
  if (question->client_address == NULL)
    return block_refuse(error, "client_address is empty or too long");
  if (!attrs_get_uint(attrs, "client_port", 0, G_MAXUINT16, &port, error))
    return FALSE;
  question->client_port = (guint16) port;
  return TRUE;
}

RouteQuestion *
route_question_parse(const Attrs *attrs, GError **error)
{
  const char *request = attrs_get(attrs, "request");
  if (!block_check_version(attrs, error))
    return NULL;
  g_autoptr(RouteQuestion) question = route_question_new();
  question->organisation = copy_value(attrs, "organisation", 1, ASK_WORD_MAX_BYTES);
  question->sender = copy_value(attrs, "sender", 0, ASK_ADDRESS_MAX_BYTES);
  question->queue_id = copy_value(attrs, "queue_id", 0, ASK_WORD_MAX_BYTES);
  if (g_strcmp0(request, "route") != 0 || question->organisation == NULL ||
      question->sender == NULL || question->queue_id == NULL) {
    block_refuse(error, "request, organisation, sender or queue_id is missing or bad");
    return NULL;
  }
  if (!parse_flag(attrs, "sensitive", &question->sensitive) ||
      !parse_flag(attrs, "inward", &question->inward) ||
      !parse_flag(attrs, "dry_run", &question->dry_run) ||
      !parse_flag(attrs, "numbers", &question->numbers)) {
    block_refuse(error, "sensitive, inward, dry_run or numbers is neither yes nor no");
    return NULL;
  }
  if (!parse_client(attrs, question, error) ||
      !parse_recipients(attrs, question->recipients, error))
    return NULL;
  return g_steal_pointer(&question);
}

RouteAnswer *
route_answer_new(Route route, const char *code, const char *reason)
{
  RouteAnswer *answer = g_new0(RouteAnswer, 1);
  answer->route = route;
  answer->code = g_strdup(code);
  answer->reason = g_strdup(reason);
  return answer;
}

void
route_answer_free(RouteAnswer *answer)
{
  if (answer == NULL)
    return;
  if (answer->number != NULL)
    secret_wipe(answer->number, strlen(answer->number));
  g_free(answer->number);
  g_free(answer->code);
  g_free(answer->reason);
  g_free(answer);
}

Attrs *
route_answers_format(const GPtrArray *answers)
{
  Attrs *attrs = attrs_new();
  attrs_add_uint(attrs, "version", ASK_VERSION);
  for (guint i = 0; i < answers->len; i++) {
    const RouteAnswer *answer = answers->pdata[i];
    attrs_add(attrs, "route", route_name(answer->route));
    attrs_add(attrs, "code", answer->code);
    attrs_add(attrs, "reason", answer->reason);
    attrs_add(attrs, "number", answer->number != NULL ? answer->number : "");
  }
  return attrs;
}

Attrs *
route_failure_format(const char *text)
{
  Attrs *attrs = attrs_new();
  attrs_add_uint(attrs, "version", ASK_VERSION);
  attrs_add(attrs, "error", text);
  return attrs;
}

static gboolean
code_is_valid(const char *code)
{
  for (const char *p = code; *p != '\0'; p++)
    if (!g_ascii_isalnum(*p) && *p != '-')
      return FALSE;
  return *code != '\0' && strlen(code) <= ASK_WORD_MAX_BYTES;
}

/* The value of attribute I, which must be called NAME, or NULL. */
static const char *
expect(const Attrs *attrs, guint i, const char *name)
{
  const char *key, *value;
  attrs_nth(attrs, i, &key, &value);
  return strcmp(key, name) == 0 ? value : NULL;
}

/* "+31612345678" as E.164 has it, or nothing. */
static gboolean
number_is_valid(const char *number)
{
  if (*number == '\0')
    return TRUE;
  gsize digits = strspn(number + 1, "0123456789");
  return *number == '+' && digits > 0 && digits <= NUMBER_MAX_DIGITS &&
         number[1 + digits] == '\0';
}

/* The answers that follow the version, in order. */
static GPtrArray *
parse_answers(const Attrs *attrs, GError **error)
{
  g_autoptr(GPtrArray) answers =
      g_ptr_array_new_with_free_func((GDestroyNotify) route_answer_free);
  for (guint i = 1; i < attrs_count(attrs); i += ANSWER_ATTRS) {
    const char *name = expect(attrs, i, "route");
    const char *code = expect(attrs, i + 1, "code");
    const char *reason = expect(attrs, i + 2, "reason");
    const char *number = expect(attrs, i + 3, "number");
    Route route;
    if (name == NULL || code == NULL || reason == NULL || number == NULL ||
        !number_is_valid(number) || !route_parse(name, &route) || !code_is_valid(code) ||
        !code_is_valid(reason)) {
      block_refuse(error, "an answer is not a route, its code, its reason and a number");
      return NULL;
    }
    RouteAnswer *answer = route_answer_new(route, code, reason);
    answer->number = *number != '\0' ? g_strdup(number) : NULL;
    g_ptr_array_add(answers, answer);
  }
  return g_steal_pointer(&answers);
}

GPtrArray *
route_answers_parse(const Attrs *attrs, guint count, GError **error)
{
  if (!block_check_version(attrs, error))
    return NULL;
  const char *failure = attrs_get(attrs, "error");
  if (failure != NULL) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY, "policyd: %s", failure);
    return NULL;
  }
  /* Compared in 64 bits: COUNT is the caller's and may be anything. */
  if (attrs_count(attrs) != 1 + ANSWER_ATTRS * (guint64) count) {
    block_refuse(error, "there is not one answer for each recipient");
    return NULL;
  }
  return parse_answers(attrs, error);
}
