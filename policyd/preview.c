#include "policyd/preview.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "policyd/address.h"

#define REQUEST "preview"

struct Previews {
  GHashTable *waiting; /* peer to Preview */
};

/* A question whose routes are not known yet. */
typedef struct {
  guint64 peer;
  char *organisation; /* by name: a reload may come */
  gboolean sensitive;
  guint recipients;
} Preview;

static void
preview_free(gpointer p)
{
  Preview *preview = p;
  g_free(preview->organisation);
  g_free(preview);
}

Previews *
previews_new(void)
{
  Previews *previews = g_new0(Previews, 1);
  previews->waiting =
      g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, preview_free);
  return previews;
}

void
previews_free(Previews *previews)
{
  if (previews == NULL)
    return;
  g_hash_table_unref(previews->waiting);
  g_free(previews);
}

/* ---- What it says ---- */

PreviewNumber
preview_number(const Organisation *organisation, gboolean sensitive,
               const RouteAnswer *answer)
{
  if (!sensitive || answer->route != ROUTE_VIEWER)
    return PREVIEW_NUMBER_NO;
  switch (organisation->method) {
  case METHOD_NUMBER:
    return answer->number != NULL ? PREVIEW_NUMBER_KNOWN : PREVIEW_NUMBER_NEEDED;
  case METHOD_OPTIONAL:
  case METHOD_EMAIL:
    return answer->number != NULL ? PREVIEW_NUMBER_KNOWN : PREVIEW_NUMBER_OPTIONAL;
  case METHOD_NONE:
    break;
  }
  return PREVIEW_NUMBER_NO;
}

const char *
preview_refusal(const Organisation *organisation, gboolean sensitive, guint count,
                const RouteAnswer *answer, PreviewNumber number)
{
  if (!sensitive)
    return NULL;
  if (count > organisation->recipients_max)
    return "Z-S9-RECIPIENTS";
  if (strcmp(answer->code, "Z-R1-NO-LABEL") == 0)
    return "Z-R4-ADDRESS";
  if (answer->route == ROUTE_VIEWER && organisation->method == METHOD_NONE)
    return "Z-S6-NO-VIEWER";
  return number == PREVIEW_NUMBER_NEEDED ? "Z-S7-NUMBER" : NULL;
}

static const char *
number_name(PreviewNumber number)
{
  static const char *const names[] = {
      [PREVIEW_NUMBER_NO] = "no",
      [PREVIEW_NUMBER_KNOWN] = "known",
      [PREVIEW_NUMBER_OPTIONAL] = "optional",
      [PREVIEW_NUMBER_NEEDED] = "needed",
  };
  return names[number];
}

static Attrs *
answer_new(void)
{
  Attrs *attrs = attrs_new();
  attrs_add_uint(attrs, "version", PREVIEW_VERSION);
  return attrs;
}

static char *
failure(const char *text)
{
  g_autoptr(Attrs) attrs = answer_new();
  attrs_add(attrs, "error", text);
  return attrs_format(attrs, ATTR_ESCAPED);
}

/* ---- Questions ---- */

/* Whose mail it would be: that of the sender's domain. NULL: nobody's here. */
static const Organisation *
organisation_of(const Config *config, const char *sender)
{
  g_auto(Address) address = {0};
  address_read(sender, &address);
  return address.domain != NULL ? conf_organisation_of_domain(config, address.domain)
                                : NULL;
}

static gboolean
is_no_question(GError **error, const char *text)
{
  g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, text);
  return FALSE;
}

/* Sensitive unless the line is there and says no: that is what people want to know. */
static gboolean
read_sensitive(const Attrs *attrs, gboolean *sensitive, GError **error)
{
  const char *text = attrs_get(attrs, "sensitive");
  *sensitive = g_strcmp0(text, "no") != 0;
  return text == NULL || !*sensitive || strcmp(text, "yes") == 0 ||
         is_no_question(error, "sensitive is neither yes nor no");
}

/* The routes that ATTRS asks for, as a dry question. NULL with ZEGEL_ERROR_INVALID. */
static RouteQuestion *
read_question(const Config *config, const Attrs *attrs, GError **error)
{
  g_autoptr(RouteQuestion) question = route_question_new();
  const char *sender = attrs_get(attrs, "sender");
  const Organisation *organisation =
      sender != NULL ? organisation_of(config, sender) : NULL;
  question->organisation = g_strdup(organisation != NULL ? organisation->name : "");
  question->sender = g_strdup(sender);
  question->dry_run = TRUE;
  question->numbers = TRUE;
  for (guint i = 0; i < attrs_count(attrs); i++) {
    const char *name, *value;
    attrs_nth(attrs, i, &name, &value);
    if (strcmp(name, "recipient") == 0)
      g_ptr_array_add(question->recipients, g_strdup(value));
  }
  if (!read_sensitive(attrs, &question->sensitive, error))
    return NULL;
  if (sender == NULL || question->recipients->len == 0) {
    is_no_question(error, "sender or recipient is missing");
    return NULL;
  }
  return g_steal_pointer(&question);
}

/* QUESTION waits for its routes from now on; the block that asks for them. */
static char *
wait_for(Previews *previews, guint64 peer, const RouteQuestion *question)
{
  Preview *preview = g_new0(Preview, 1);
  preview->peer = peer;
  preview->organisation = g_strdup(question->organisation);
  preview->sensitive = question->sensitive;
  preview->recipients = question->recipients->len;
  g_hash_table_replace(previews->waiting, &preview->peer, preview);
  g_autoptr(Attrs) attrs = route_question_format(question);
  return attrs_format(attrs, ATTR_ESCAPED);
}

static char *
take(Previews *previews, const Config *config, guint64 peer, const Attrs *attrs,
     char **asked, GError **error)
{
  if (g_strcmp0(attrs_get(attrs, "request"), REQUEST) != 0) {
    is_no_question(error, "only request=" REQUEST " is answered here");
    return NULL;
  }
  guint64 version = 0;
  if (!attrs_get_uint(attrs, "version", 1, G_MAXUINT32, &version, error))
    return NULL;
  if (version != PREVIEW_VERSION)
    return failure("this version is not spoken here");
  g_autoptr(RouteQuestion) question = read_question(config, attrs, error);
  if (question == NULL)
    return NULL;
  if (*question->organisation == '\0')
    return failure("the sender's domain is of no organisation here");
  if (question->recipients->len > ASK_MAX_RECIPIENTS)
    return failure("too many recipients");
  if (g_hash_table_size(previews->waiting) >= PREVIEW_MAX_WAITING)
    return failure("too many questions wait for the DNS");
  *asked = wait_for(previews, peer, question);
  return NULL;
}

char *
previews_ask(Previews *previews, const Config *config, guint64 peer, const char *block,
             gsize len, char **question)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Attrs) attrs = attrs_parse(block, len, ATTR_ESCAPED, &error);
  *question = NULL;
  char *answer =
      attrs != NULL ? take(previews, config, peer, attrs, question, &error) : NULL;
  if (error != NULL)
    log_line(LOG_LEVEL_WARNING, "preview: a peer is cut off: %s", error->message);
  return answer;
}

/* ---- Answers ---- */

static char *
format(const Preview *preview, const Organisation *organisation, const GPtrArray *routes)
{
  g_autoptr(Attrs) attrs = answer_new();
  for (guint i = 0; i < routes->len; i++) {
    const RouteAnswer *route = routes->pdata[i];
    PreviewNumber number = preview_number(organisation, preview->sensitive, route);
    const char *refusal = preview_refusal(organisation, preview->sensitive,
                                          preview->recipients, route, number);
    attrs_add(attrs, "route", route_name(route->route));
    attrs_add(attrs, "code", route->code);
    attrs_add(attrs, "reason", route->reason);
    attrs_add(attrs, "number", number_name(number));
    attrs_add(attrs, "refusal", refusal != NULL ? refusal : "-");
  }
  return attrs_format(attrs, ATTR_ESCAPED);
}

/* The routes in TEXT, NULL with *REASON (for the peer) or, when there is none, nothing. */
static GPtrArray *
read_routes(const Preview *preview, const char *text, char **reason)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Attrs) attrs =
      text != NULL ? attrs_parse(text, strlen(text), ATTR_ESCAPED, &error) : NULL;
  const char *failed = attrs != NULL ? attrs_get(attrs, "error") : NULL;
  *reason = g_strdup(failed);
  return attrs != NULL && failed == NULL
             ? route_answers_parse(attrs, preview->recipients, &error)
             : NULL;
}

char *
previews_answer(Previews *previews, const Config *config, guint64 peer, const char *text)
{
  const Preview *preview = g_hash_table_lookup(previews->waiting, &peer);
  if (preview == NULL)
    return NULL;
  g_autofree char *reason = NULL;
  g_autoptr(GPtrArray) routes = read_routes(preview, text, &reason);
  const Organisation *organisation = conf_organisation(config, preview->organisation);
  char *answer = NULL;
  if (routes != NULL && organisation != NULL)
    answer = format(preview, organisation, routes);
  else if (reason != NULL || routes != NULL)
    answer = failure(reason != NULL ? reason : "the organisation is gone");
  g_hash_table_remove(previews->waiting, &peer);
  return answer;
}
