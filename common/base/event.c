#include "common/base/event.h"

#include <stdarg.h>
#include <string.h>
#include <sys/random.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/statistics.h"

#define ID_CHARS     (2 * EVENT_ID_BYTES)
#define PAIRS_ROOM   8
#define YEAR_10000_S G_GINT64_CONSTANT(253402300800)
/* RFC 5424 6.3.2 wants a private enterprise number; this one is that of examples. */
#define STRUCTURED_ID "zegel@32473"

/* What may stand in its place is documented in zegel-events(5). */
static const EventFacts facts[EVENT_COUNT] = {
    [EVENT_REFUSED] = {"refused", NTA_SENDING, "C", "sender", "refused"},
    [EVENT_VERIFIED] = {"verified", NTA_RECEIPT, "C", "partner", "ok"},
    [EVENT_ROUTED] = {"routed", NTA_SENDING, "C", "sender", "ok"},
    [EVENT_ATTACHED] = {"attached", NTA_SENDING, "C", "sender", "ok"},
    [EVENT_OBSERVED] = {"observed", NTA_NONE, "R", "sender", "ok"},
    [EVENT_STORED] = {"stored", NTA_RECEIPT, "C", "system", "ok"},
    [EVENT_NOTIFIED] = {"notified", NTA_ACCOUNT, "C", "system", "ok"},
    [EVENT_CONFIRMED] = {"confirmed", NTA_NONE, "C", "system", "ok"},
    [EVENT_BOUNCED] = {"bounced", NTA_ACCOUNT, "D", "system", "failed"},
    [EVENT_DELAYED] = {"delayed", NTA_NONE, "U", "system", "failed"},
    [EVENT_BOUNCE_DROPPED] = {"bounce-dropped", NTA_NONE, "R", "system", "ok"},
    [EVENT_NUMBER_CHANGED] = {"number-changed", NTA_CHANGE, "U", "sender", "ok"},
    [EVENT_TOLD] = {"told", NTA_NONE, "C", "system", "ok"},
    [EVENT_REMINDED] = {"reminded", NTA_NONE, "C", "system", "ok"},
    [EVENT_TICKET] = {"ticket", NTA_AUTHENTICATION, "E", "system", "refused"},
    [EVENT_INTEGRITY] = {"integrity", NTA_NONE, "R", "system", "failed"},
    [EVENT_CODE_SENT] = {"code-sent", NTA_AUTHENTICATION, "E", "reader", "ok"},
    [EVENT_CODE_REFUSED] = {"code-refused", NTA_AUTHENTICATION, "E", "reader", "refused"},
    [EVENT_SMS_BUDGET] = {"sms-budget", NTA_NONE, "R", "system", "ok"},
    [EVENT_CODE_WRONG] = {"code-wrong", NTA_AUTHENTICATION, "E", "reader", "failed"},
    [EVENT_LOGIN] = {"login", NTA_AUTHENTICATION, "E", "reader", "ok"},
    [EVENT_OPENED] = {"opened", NTA_READING, "R", "reader", "ok"},
    [EVENT_DOWNLOADED] = {"downloaded", NTA_READING, "R", "reader", "ok"},
    [EVENT_ANSWERED] = {"answered", NTA_SENDING, "C", "reader", "ok"},
    [EVENT_FORWARDED] = {"forwarded", NTA_FORWARDING, "C", "reader", "ok"},
    [EVENT_LOGOUT] = {"logout", NTA_AUTHENTICATION, "E", "reader", "ok"},
    [EVENT_DELETED] = {"deleted", NTA_REMOVAL_BY_READER, "D", "reader", "ok"},
    [EVENT_NUMBER_WRONG] = {"number-wrong", NTA_NONE, "U", "reader", "ok"},
    [EVENT_PROMISED] = {"promised", NTA_NONE, "U", "system", "ok"},
    [EVENT_BOOK] = {"book", NTA_NONE, "U", "admin", "ok"},
    [EVENT_DKIM] = {"dkim", NTA_NONE, "U", "admin", "ok"},
    [EVENT_READINESS] = {"readiness", NTA_NONE, "R", "system", "ok"},
    [EVENT_PHONE_LEARNED] = {"phone-learned", NTA_CHANGE, "C", "sender", "ok"},
    [EVENT_PHONE_WAITS] = {"phone-waits", NTA_CHANGE, "C", "sender", "ok"},
    [EVENT_PHONE_REPLACED] = {"phone-replaced", NTA_CHANGE, "U", "reader", "ok"},
    [EVENT_PHONE_TOLD] = {"phone-told", NTA_NONE, "C", "system", "ok"},
    [EVENT_PHONE_SHOWN] = {"phone-shown", NTA_NONE, "R", "admin", "ok"},
    [EVENT_PHONE_FORGOTTEN] = {"phone-forgotten", NTA_CHANGE, "D", "admin", "ok"},
    [EVENT_PHONE_REFUSED] = {"phone-refused", NTA_AUTHENTICATION, "E", "system", "refused"},
    [EVENT_RECALLED] = {"recalled", NTA_RECALL, "D", "sender", "ok"},
    [EVENT_FORM_ASKED] = {"form-asked", NTA_ACCOUNT, "C", "reader", "ok"},
    [EVENT_FORM_REFUSED] = {"form-refused", NTA_ACCOUNT, "C", "reader", "refused"},
    [EVENT_FORM_SENT] = {"form-sent", NTA_SENDING, "C", "reader", "ok"},
    [EVENT_ANSWER_BOUNCED] = {"answer-bounced", NTA_SENDING, "U", "system", "failed"},
    [EVENT_ANSWER_DELAYED] = {"answer-delayed", NTA_NONE, "U", "system", "failed"},
    [EVENT_EXPIRED] = {"expired", NTA_REMOVAL_BY_SENDER, "D", "system", "ok"},
    [EVENT_EXTENDED] = {"extended", NTA_CHANGE, "U", "admin", "ok"},
    [EVENT_REMOVED] = {"removed", NTA_REMOVAL_BY_SENDER, "D", "admin", "ok"},
    [EVENT_ROLE_GRANTED] = {"role-granted", NTA_RIGHTS, "C", "admin", "ok"},
    [EVENT_ROLE_CHANGED] = {"role-changed", NTA_RIGHTS, "U", "admin", "ok"},
    [EVENT_ROLE_WITHDRAWN] = {"role-withdrawn", NTA_RIGHTS, "D", "admin", "ok"},
    [EVENT_MESSAGES_SHOWN] = {"messages-shown", NTA_LOG_ACCESS, "R", "admin", "ok"},
    [EVENT_AUDIT_READ] = {"audit-read", NTA_LOG_ACCESS, "R", "admin", "ok"},
    [EVENT_AUDIT_ERASED] = {"audit-erased", NTA_LOG_CHANGE, "U", "admin", "ok"},
    [EVENT_AUDIT_EXPIRED] = {"audit-expired", NTA_LOG_CHANGE, "D", "system", "ok"},
    [EVENT_AUDIT_KEY] = {"audit-key", NTA_LOG_CHANGE, "U", "system", "ok"},
    [EVENT_AUDIT_LOST] = {"audit-lost", NTA_LOG_CHANGE, "D", "system", "failed"},
    [EVENT_FLOW] = {"flow", NTA_NONE, "R", "system", "failed"},
    [EVENT_WATCHED] = {"watched", NTA_NONE, "R", "system", "ok"},
    [EVENT_PROBE] = {"probe", NTA_NONE, "R", "system", "ok"},
    [EVENT_BACKUP] = {"backup", NTA_LOG_ACCESS, "R", "admin", "ok"},
    [EVENT_RESTORED] = {"restored", NTA_LOG_CHANGE, "U", "admin", "ok"},
};

/* Of all that events say, this names nobody. The rest is sealed in the audit trail. */
static const char *const open_keys[] = {
    "event",  "id",     "at",      "program",    "org",          "queue-id", "nta",
    "action", "actor",  "outcome", "ref",        "code",         "route",    "method",
    "reason", "view",   "part",    "attachment", "bytes",        "sha256",   "again",
    "as",     "status", "secure",  "spf",        "dkim",         "dmarc",    "tls",
    "detail", "label",  "change",  "result",     "attachments",  "way",      "new",
    "scope",  "used",   "limit",   "percent",    "disposition",  "count",    "through",
    "key",    "public", "request", "domains",    "rows-changed", "would",    "direct",
    "viewer", "own",    "role",    "until",      "events",       "begins",   "backup",
};

typedef struct {
  char *key;
  char *value;
} Pair;

struct Event {
  EventKind kind;
  gint64 at_us;
  char id[ID_CHARS + 1];
  char *program;
  char *queue_id;     /* or NULL */
  char *organisation; /* or NULL */
  char *actor;        /* or NULL: as the facts say */
  char *outcome;      /* the same */
  GArray *pairs;      /* of Pair */
};

static EventSink sink;
static gpointer sink_data;

const EventFacts *
event_facts(EventKind kind)
{
  return &facts[kind];
}

gboolean
event_kind_parse(const char *name, EventKind *kind)
{
  for (guint i = 0; i < EVENT_COUNT; i++)
    if (strcmp(facts[i].name, name) == 0) {
      *kind = (EventKind) i;
      return TRUE;
    }
  return FALSE;
}

gboolean
event_key_is_open(const char *key)
{
  for (guint i = 0; i < G_N_ELEMENTS(open_keys); i++)
    if (strcmp(open_keys[i], key) == 0)
      return TRUE;
  return FALSE;
}

/* ---- Making one ---- */

static void
pair_clear(gpointer p)
{
  Pair *pair = p;
  g_free(pair->key);
  g_free(pair->value);
}

/* The kernel's generator cannot fail for so few bytes once the system is up. */
static void
make_id(char id[ID_CHARS + 1])
{
  guint8 bytes[EVENT_ID_BYTES];
  if (getrandom(bytes, sizeof bytes, 0) != (gssize) sizeof bytes)
    g_error("getrandom failed");
  for (guint i = 0; i < sizeof bytes; i++)
    g_snprintf(id + 2 * i, 3, "%02x", bytes[i]);
}

static char *
cleaned(const char *value)
{
  char *copy = g_strdup(value);
  if (copy != NULL)
    log_clean(copy, ", ");
  return copy;
}

static Event *
event_alloc(EventKind kind)
{
  Event *event = g_new0(Event, 1);
  event->kind = kind;
  event->pairs = g_array_sized_new(FALSE, TRUE, sizeof(Pair), PAIRS_ROOM);
  g_array_set_clear_func(event->pairs, pair_clear);
  return event;
}

void
event_add(Event *event, const char *key, const char *value)
{
  if (value == NULL)
    return;
  char *clean = cleaned(value);
  char **own = strcmp(key, "actor") == 0     ? &event->actor
               : strcmp(key, "outcome") == 0 ? &event->outcome
                                             : NULL;
  if (own == NULL) {
    Pair pair = {.key = g_strdup(key), .value = clean};
    g_array_append_val(event->pairs, pair);
    return;
  }
  g_free(*own);
  *own = clean;
}

static Event *
event_new_valist(EventKind kind, const char *queue_id, const char *organisation,
                 va_list args)
{
  Event *event = event_alloc(kind);
  event->at_us = g_get_real_time();
  make_id(event->id);
  event->program = g_strdup(log_ident());
  event->queue_id = cleaned(queue_id);
  event->organisation = cleaned(organisation);
  for (const char *key; (key = va_arg(args, const char *)) != NULL;)
    event_add(event, key, va_arg(args, const char *));
  return event;
}

Event *
event_new(EventKind kind, const char *queue_id, const char *organisation, ...)
{
  va_list args;
  va_start(args, organisation);
  Event *event = event_new_valist(kind, queue_id, organisation, args);
  va_end(args);
  return event;
}

void
event_free(Event *event)
{
  if (event == NULL)
    return;
  g_array_unref(event->pairs);
  g_free(event->outcome);
  g_free(event->actor);
  g_free(event->organisation);
  g_free(event->queue_id);
  g_free(event->program);
  g_free(event);
}

void
event_become(Event *event, EventKind kind)
{
  event->kind = kind;
}

EventKind
event_kind(const Event *event)
{
  return event->kind;
}

const char *
event_id(const Event *event)
{
  return event->id;
}

gint64
event_at_us(const Event *event)
{
  return event->at_us;
}

/* ---- As attributes ---- */

static const char *
actor_of(const Event *event)
{
  return event->actor != NULL ? event->actor : facts[event->kind].actor;
}

static const char *
outcome_of(const Event *event)
{
  return event->outcome != NULL ? event->outcome : facts[event->kind].outcome;
}

static char *
format_time(gint64 at_us)
{
  g_autoptr(GDateTime) second = g_date_time_new_from_unix_utc(at_us / G_USEC_PER_SEC);
  g_autofree char *text = g_date_time_format(second, "%Y-%m-%dT%H:%M:%S");
  return g_strdup_printf("%s.%06dZ", text, (int) (at_us % G_USEC_PER_SEC));
}

Attrs *
event_format(const Event *event)
{
  Attrs *attrs = attrs_new();
  g_autofree char *at = format_time(event->at_us);
  attrs_add(attrs, "event", facts[event->kind].name);
  attrs_add(attrs, "id", event->id);
  attrs_add(attrs, "at", at);
  attrs_add(attrs, "program", event->program);
  if (event->organisation != NULL)
    attrs_add(attrs, "org", event->organisation);
  if (event->queue_id != NULL)
    attrs_add(attrs, "queue-id", event->queue_id);
  if (facts[event->kind].nta != NTA_NONE)
    attrs_add_uint(attrs, "nta", facts[event->kind].nta);
  attrs_add(attrs, "action", facts[event->kind].action);
  attrs_add(attrs, "actor", actor_of(event));
  attrs_add(attrs, "outcome", outcome_of(event));
  for (guint i = 0; i < event->pairs->len; i++) {
    const Pair *pair = &g_array_index(event->pairs, Pair, i);
    attrs_add(attrs, pair->key, pair->value);
  }
  return attrs;
}

const char *
event_get(const Event *event, const char *key)
{
  const struct {
    const char *key, *value;
  } own[] = {
      {"event", facts[event->kind].name}, {"id", event->id},
      {"program", event->program},        {"org", event->organisation},
      {"queue-id", event->queue_id},      {"action", facts[event->kind].action},
      {"actor", actor_of(event)},         {"outcome", outcome_of(event)},
  };
  for (guint i = 0; i < G_N_ELEMENTS(own); i++)
    if (strcmp(own[i].key, key) == 0)
      return own[i].value;
  for (guint i = 0; i < event->pairs->len; i++) {
    const Pair *pair = &g_array_index(event->pairs, Pair, i);
    if (strcmp(pair->key, key) == 0)
      return pair->value;
  }
  return NULL;
}

/* A time of after 1970 that can be written again: a zone may lead beyond the year 9999. */
static gboolean
parse_time(const char *text, gint64 *at_us)
{
  g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, NULL);
  gint64 at_s = time != NULL ? g_date_time_to_unix(time) : -1;
  if (at_s < 0 || at_s >= YEAR_10000_S)
    return FALSE;
  *at_us = at_s * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
  return TRUE;
}

/* What of an event's own attributes is not a pair. FALSE: NAME is one. */
static gboolean
take_own(Event *event, const char *name, const char *value)
{
  char **field = NULL;
  if (strcmp(name, "program") == 0)
    field = &event->program;
  else if (strcmp(name, "org") == 0)
    field = &event->organisation;
  else if (strcmp(name, "queue-id") == 0)
    field = &event->queue_id;
  if (field != NULL) {
    g_free(*field);
    *field = cleaned(value);
  }
  return field != NULL || strcmp(name, "event") == 0 || strcmp(name, "id") == 0 ||
         strcmp(name, "at") == 0 || strcmp(name, "nta") == 0 || strcmp(name, "action") == 0;
}

static gboolean
id_is_valid(const char *id)
{
  return id != NULL && strlen(id) == ID_CHARS && strspn(id, "0123456789abcdef") == ID_CHARS;
}

Event *
event_parse(const Attrs *attrs, GError **error)
{
  EventKind kind = EVENT_COUNT;
  gint64 at_us = 0;
  const char *name = attrs_get(attrs, "event");
  const char *id = attrs_get(attrs, "id");
  const char *at = attrs_get(attrs, "at");
  if (name == NULL || !event_kind_parse(name, &kind) || !id_is_valid(id) || at == NULL ||
      !parse_time(at, &at_us) || attrs_get(attrs, "program") == NULL) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "this is no event");
    return NULL;
  }
  Event *event = event_alloc(kind);
  event->at_us = at_us;
  g_strlcpy(event->id, id, sizeof event->id);
  for (guint i = 0; i < attrs_count(attrs); i++) {
    const char *key = NULL, *value = NULL;
    attrs_nth(attrs, i, &key, &value);
    if (!take_own(event, key, value))
      event_add(event, key, value);
  }
  return event;
}

/* ---- Writing it down ---- */

void
event_set_sink(EventSink new_sink, gpointer data)
{
  sink = new_sink;
  sink_data = data;
}

/* VALUE as the log may show it: of an address the domain alone, when it is set so. */
static char *
shown(const char *key, const char *value)
{
  const char *at = strrchr(value, '@');
  if (log_addresses() == LOG_ADDRESSES_FULL || at == NULL || event_key_is_open(key))
    return g_strdup(value);
  return g_strconcat("*", at, NULL);
}

/* PARAM-VALUE of RFC 5424 6.3.3. */
static void
append_structured(GString *structured, const char *key, const char *value)
{
  g_string_append_printf(structured, " %s=\"", key);
  for (const char *p = value; *p != '\0'; p++) {
    if (strchr("\"\\]", *p) != NULL)
      g_string_append_c(structured, '\\');
    g_string_append_c(structured, *p);
  }
  g_string_append_c(structured, '"');
}

static void
append_pair(GString *line, GString *structured, const char *key, const char *value)
{
  if (value == NULL)
    return;
  g_autofree char *text = shown(key, value);
  g_string_append_printf(line, ", %s=%s", key, text);
  append_structured(structured, key, text);
}

static void
count(const Event *event)
{
  statistics_count_value("event", facts[event->kind].name);
  statistics_count_value("code", event_get(event, "code"));
  statistics_count_value("route", event_get(event, "route"));
}

void
event_write(const Event *event)
{
  const EventFacts *of = &facts[event->kind];
  g_autoptr(GString) structured = g_string_new("[" STRUCTURED_ID);
  g_autoptr(GString) line =
      g_string_new(event->queue_id != NULL ? event->queue_id : "NOQUEUE");
  g_autofree char *nta = of->nta != NTA_NONE ? g_strdup_printf("%d", of->nta) : NULL;
  if (event->queue_id != NULL)
    append_structured(structured, "queue-id", event->queue_id);
  g_string_append_printf(line, ": event=%s", of->name);
  append_structured(structured, "event", of->name);
  append_pair(line, structured, "org", event->organisation);
  for (guint i = 0; i < event->pairs->len; i++) {
    const Pair *pair = &g_array_index(event->pairs, Pair, i);
    append_pair(line, structured, pair->key, pair->value);
  }
  append_pair(line, structured, "nta", nta);
  append_pair(line, structured, "action", of->action);
  append_pair(line, structured, "actor", actor_of(event));
  append_pair(line, structured, "outcome", outcome_of(event));
  append_pair(line, structured, "id", event->id);
  g_string_append_c(structured, ']');
  log_event_text(of->name, structured->str, line->str);
  count(event);
}

void
event_send(const Event *event)
{
  event_write(event);
  if (sink != NULL)
    sink(event, sink_data);
}

void
event_log(EventKind kind, const char *queue_id, const char *organisation, ...)
{
  va_list args;
  va_start(args, organisation);
  g_autoptr(Event) event = event_new_valist(kind, queue_id, organisation, args);
  va_end(args);
  event_send(event);
}
