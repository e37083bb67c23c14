#include "policyd/phone_ask.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/event.h"
#include "common/base/log.h"

static const struct {
  const char *name;
  PhoneRights right;
  gboolean number; /* it must have one */
} requests[] = {
    {"phone-learn", PHONE_MAY_LEARN, TRUE},
    {"phone-confirm", PHONE_MAY_CONFIRM, TRUE},
    {"phone-show", PHONE_MAY_MANAGE, FALSE},
    {"phone-forget", PHONE_MAY_MANAGE, FALSE},
};

/* The index of REQUEST in requests, or -1. */
static int
find_request(const char *request)
{
  for (guint i = 0; request != NULL && i < G_N_ELEMENTS(requests); i++)
    if (strcmp(requests[i].name, request) == 0)
      return (int) i;
  return -1;
}

/* ---- Changes ---- */

static void
log_change(const PhoneEntry *entry, PhoneChange change)
{
  static const EventKind kinds[] = {
      [PHONE_LEARNED] = EVENT_PHONE_LEARNED,
      [PHONE_WAITS] = EVENT_PHONE_WAITS,
      [PHONE_REPLACED] = EVENT_PHONE_REPLACED,
  };
  if (change == PHONE_KNOWN)
    return;
  g_autofree char *masked = log_mask_number(entry->number);
  event_log(kinds[change], NULL, entry->organisation, "ref", entry->reference, "to",
            entry->recipient, "from", entry->sender, "number", masked, NULL);
}

static Attrs *
change_number(PhoneBook *book, const PhoneEntry *entry, gboolean confirm, GError **error)
{
  PhoneChange change = PHONE_KNOWN;
  gboolean done = confirm ? phone_book_confirm(book, entry, &change, error)
                          : phone_book_learn(book, entry, &change, error);
  if (!done)
    return NULL;
  log_change(entry, change);
  return phone_change_format(change);
}

/* ---- The administrator ---- */

static Attrs *
answer_with(const char *result)
{
  Attrs *attrs = attrs_new();
  attrs_add_uint(attrs, "version", ASK_VERSION);
  attrs_add(attrs, "result", result);
  return attrs;
}

static void
add_masked(Attrs *attrs, const char *name, const char *number)
{
  if (number == NULL)
    return;
  g_autofree char *masked = log_mask_number(number);
  attrs_add(attrs, name, masked);
}

static Attrs *
show(PhoneBook *book, const PhoneEntry *entry, GError **error)
{
  g_auto(PhoneFound) found = {0};
  if (!phone_book_find(book, entry->organisation, entry->recipient, &found, error))
    return NULL;
  event_log(EVENT_PHONE_SHOWN, NULL, entry->organisation, "to", entry->recipient, "by",
            entry->sender, "result", found.number != NULL ? "known" : "unknown", NULL);
  Attrs *attrs = answer_with(found.number != NULL ? "known" : "unknown");
  add_masked(attrs, "number", found.number);
  add_masked(attrs, "waiting", found.waiting);
  return attrs;
}

static Attrs *
forget(PhoneBook *book, const PhoneEntry *entry, GError **error)
{
  gboolean known = FALSE;
  if (!phone_book_forget(book, entry->organisation, entry->recipient, &known, error))
    return NULL;
  event_log(EVENT_PHONE_FORGOTTEN, NULL, entry->organisation, "to", entry->recipient, "by",
            entry->sender, "result", known ? "forgotten" : "unknown", NULL);
  return answer_with(known ? "forgotten" : "unknown");
}

/* ---- Questions ---- */

static Attrs *
answer(PhoneBook *book, const char *request, const PhoneEntry *entry, GError **error)
{
  if (strcmp(request, "phone-show") == 0)
    return show(book, entry, error);
  if (strcmp(request, "phone-forget") == 0)
    return forget(book, entry, error);
  return change_number(book, entry, strcmp(request, "phone-confirm") == 0, error);
}

static gboolean
check_organisation(const Config *config, const char *name, PhoneRights right,
                   GError **error)
{
  const Organisation *organisation = conf_organisation(config, name);
  if (organisation != NULL &&
      (right == PHONE_MAY_MANAGE || conf_remembers_numbers(organisation)))
    return TRUE;
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY,
              "there is no organisation %s here that remembers numbers", name);
  return FALSE;
}

/* Whether REQUEST, an index or -1, may be asked with RIGHTS. */
static gboolean
check_rights(int request, PhoneRights rights, GError **error)
{
  if (request >= 0 && (rights & requests[request].right) != 0)
    return TRUE;
  if (request >= 0)
    event_log(EVENT_PHONE_REFUSED, NULL, NULL, "request", requests[request].name, NULL);
  g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID,
                      "not a request for the phone book, or not for this user");
  return FALSE;
}

/* The answer to ATTRS, or NULL with ZEGEL_ERROR_INVALID: no question of this peer. */
static Attrs *
take_question(PhoneBook *book, const Config *config, const Attrs *attrs, PhoneRights rights,
              GError **error)
{
  int request = find_request(attrs_get(attrs, "request"));
  PhoneEntry entry;
  if (!check_rights(request, rights, error) ||
      !phone_question_parse(attrs, requests[request].number, &entry, error))
    return NULL;
  g_autoptr(GError) reason = NULL;
  Attrs *reply = NULL;
  if (check_organisation(config, entry.organisation, requests[request].right, &reason))
    reply = answer(book, requests[request].name, &entry, &reason);
  if (reply != NULL)
    return reply;
  log_line(LOG_LEVEL_ALARM, "%s: %s", requests[request].name, reason->message);
  return route_failure_format(reason->message);
}

char *
phone_ask(PhoneBook *book, const Config *config, const char *block, gsize len,
          PhoneRights rights)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Attrs) attrs = attrs_parse(block, len, ATTR_ESCAPED, &error);
  g_autoptr(Attrs) reply =
      attrs != NULL ? take_question(book, config, attrs, rights, &error) : NULL;
  if (reply != NULL)
    return attrs_format(reply, ATTR_ESCAPED);
  log_line(LOG_LEVEL_WARNING, "phone book: a peer is cut off: %s", error->message);
  return NULL;
}

/* Whom a code by SMS may have to reach: what goes direct may come to the viewer yet. */
static gboolean
needs_number(const RouteAnswer *answer)
{
  return answer->route == ROUTE_VIEWER || answer->route == ROUTE_DIRECT;
}

/* The organisation whose numbers QUESTION asks for, or NULL. */
static const Organisation *
remembering(const Config *config, const RouteQuestion *question)
{
  const Organisation *organisation =
      question->numbers && question->sensitive && !question->inward
          ? conf_organisation(config, question->organisation)
          : NULL;
  return organisation != NULL && conf_remembers_numbers(organisation) ? organisation : NULL;
}

gboolean
phone_ask_numbers(PhoneBook *book, const Config *config, const RouteQuestion *question,
                  GPtrArray *answers, GError **error)
{
  const Organisation *organisation = remembering(config, question);
  for (guint i = 0; organisation != NULL && i < answers->len; i++) {
    RouteAnswer *reply = answers->pdata[i];
    g_auto(PhoneFound) found = {0};
    g_autoptr(GError) reason = NULL;
    if (!needs_number(reply))
      continue;
    if (phone_book_find(book, organisation->name, question->recipients->pdata[i], &found,
                        &reason)) {
      reply->number = g_steal_pointer(&found.number);
      continue;
    }
    log_line(LOG_LEVEL_ALARM, "no number can be looked up now: %s", reason->message);
    if (organisation->method != METHOD_OPTIONAL)
      return TRUE;
    g_propagate_error(error, g_steal_pointer(&reason));
    return FALSE;
  }
  return TRUE;
}
