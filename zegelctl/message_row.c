#include "zegelctl/message_row.h"

#include <string.h>

#define REASON_PASSED "Z-R7-TICKET" /* it was sealed before: this is another pass */

/* As the events are called; and how far it got then, 0: that says nothing of it. */
static const struct {
  const char *name;
  guint rank;
} kinds[HISTORY_COUNT] = {
    [HISTORY_STORED] = {"stored", 1},
    [HISTORY_NOTIFIED] = {"notified", 2},
    [HISTORY_NOTIFIED_AGAIN] = {"notified-again", 2},
    [HISTORY_DELAYED] = {"delayed", 2},
    [HISTORY_CODE_SENT] = {"code-sent", 3},
    [HISTORY_OPENED] = {"opened", 4},
    [HISTORY_DOWNLOADED] = {"downloaded", 4},
    [HISTORY_ANSWERED] = {"answered", 4},
    [HISTORY_FORWARDED] = {"forwarded", 4},
    [HISTORY_BOUNCED] = {"bounced", 5},
    [HISTORY_EXPIRED] = {"expired", 5},
    [HISTORY_RECALLED] = {"recalled", 5},
    [HISTORY_DELETED] = {"deleted", 5},
    [HISTORY_REMOVED] = {"removed", 5},
    [HISTORY_WRONG_NUMBER] = {"number-wrong", 0},
    [HISTORY_NUMBER_CHANGED] = {"number-changed", 0},
    [HISTORY_TOLD] = {"told", 0},
    [HISTORY_REMINDED] = {"reminded", 0},
    [HISTORY_ANSWER_BOUNCED] = {"answer-bounced", 0},
    [HISTORY_EXTENDED] = {"extended", 0},
};

/* What Postfix says of a recipient; and what there is to say when nobody says anything. */
static const char *const others[] = {"sent",        "deferred",      "bounced", "expired",
                                     "deliverable", "undeliverable", "refused", "unknown"};

const char *
message_status_of(HistoryKind kind)
{
  return kind < HISTORY_COUNT ? kinds[kind].name : "unknown";
}

/* The static copy of WORD, or NULL. */
static const char *
known_status(const char *word)
{
  for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
    if (kinds[i].rank > 0 && strcmp(kinds[i].name, word) == 0)
      return kinds[i].name;
  for (guint i = 0; i < G_N_ELEMENTS(others); i++)
    if (strcmp(others[i], word) == 0)
      return others[i];
  return NULL;
}

gboolean
message_status_known(const char *word)
{
  return known_status(word) != NULL;
}

/* ---- Rows ---- */

static void
event_free_one(gpointer p)
{
  MessageEvent *event = p;
  g_free(event->event);
  g_free(event->outcome);
  g_free(event->by);
  g_free(event);
}

static char *
copy(const Attrs *attrs, const char *key)
{
  const char *value = attrs_get(attrs, key);
  return g_strdup(value != NULL ? value : "");
}

static void
set_text(char **text, char *value)
{
  g_free(*text);
  *text = value;
}

MessageRow *
message_row_new(const TrailRecord *record)
{
  const Attrs *attrs = record->attrs;
  MessageRow *row = g_new0(MessageRow, 1);
  row->number = record->number;
  row->at_us = record->at_us;
  row->organisation = copy(attrs, "org");
  row->queue_id = copy(attrs, "queue-id");
  row->message_id = copy(attrs, "message-id");
  row->from = copy(attrs, "from");
  row->reason = copy(attrs, "reason");
  row->code = copy(attrs, "code");
  row->detail = copy(attrs, "detail");
  row->phone = copy(attrs, "number");
  row->refused = g_strcmp0(attrs_get(attrs, "event"), "refused") == 0;
  row->to = copy(attrs, row->refused ? "about" : "to");
  row->route = row->refused ? g_strdup("-") : copy(attrs, "route");
  row->reference = g_strdup("");
  row->notified = g_strdup("");
  row->passed = strcmp(row->reason, REASON_PASSED) == 0;
  row->status = row->refused ? "refused" : "unknown";
  row->status_s = row->refused ? row->at_us / G_USEC_PER_SEC : 0;
  row->events = g_ptr_array_new_with_free_func(event_free_one);
  return row;
}

void
message_row_free(MessageRow *row)
{
  if (row == NULL)
    return;
  char *const texts[] = {row->organisation, row->queue_id, row->message_id, row->from,
                         row->to,           row->reason,   row->route,      row->code,
                         row->detail,       row->phone,    row->reference,  row->notified,
                         row->postfix};
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
    g_free(texts[i]);
  standing_free(row->standing);
  g_ptr_array_unref(row->events);
  g_free(row);
}

static gboolean
equals(const char *a, const char *b)
{
  return a != NULL && b != NULL && g_ascii_strcasecmp(a, b) == 0;
}

/* Whether RECORD tells that ROW was stored. Of a later pass it has the queue id with which
 * the message came in. */
static gboolean
is_stored(const MessageRow *row, const TrailRecord *record)
{
  const char *id = row->passed ? "message-id" : "queue-id";
  const char *own = row->passed ? row->message_id : row->queue_id;
  return g_strcmp0(attrs_get(record->attrs, "event"), "stored") == 0 &&
         equals(attrs_get(record->attrs, "to"), row->to) && *own != '\0' &&
         g_strcmp0(attrs_get(record->attrs, id), own) == 0 && record->at_us >= row->at_us;
}

/* Whether RECORD is about ROW's recipient: by reference once that is known. */
static gboolean
is_about(const MessageRow *row, const TrailRecord *record)
{
  const char *reference = attrs_get(record->attrs, "ref");
  if (reference == NULL)
    return FALSE;
  return *row->reference != '\0' ? strcmp(reference, row->reference) == 0
                                 : is_stored(row, record);
}

static void
add_event(MessageRow *row, const TrailRecord *record)
{
  guint at = row->events->len;
  while (at > 0 &&
         ((const MessageEvent *) row->events->pdata[at - 1])->number > record->number)
    at--;
  if (at > 0 &&
      ((const MessageEvent *) row->events->pdata[at - 1])->number == record->number)
    return;
  MessageEvent *event = g_new0(MessageEvent, 1);
  event->number = record->number;
  event->at_us = record->at_us;
  event->event = copy(record->attrs, "event");
  event->outcome = copy(record->attrs, "outcome");
  event->by = copy(record->attrs, "by");
  g_ptr_array_insert(row->events, (gint) at, event);
}

void
message_row_take(MessageRow *row, const TrailRecord *record)
{
  if (!is_about(row, record))
    return;
  if (*row->reference == '\0')
    set_text(&row->reference, copy(record->attrs, "ref"));
  if (g_strcmp0(attrs_get(record->attrs, "event"), "notified") == 0)
    set_text(&row->notified, copy(record->attrs, "as"));
  add_event(row, record);
}

const char *
message_row_by(const MessageRow *row, HistoryKind kind)
{
  const char *name =
      message_status_of(kind == HISTORY_NOTIFIED_AGAIN ? HISTORY_NOTIFIED : kind);
  const char *by = NULL;
  for (guint i = 0; kind != HISTORY_NOTIFIED && i < row->events->len; i++) {
    const MessageEvent *event = row->events->pdata[i];
    if (strcmp(event->event, name) == 0 && *event->by != '\0')
      by = event->by;
  }
  return by;
}

/* ---- Looking for ---- */

/* Whether ADDRESS is at DOMAIN (with or without @) or below it. */
static gboolean
is_at(const char *address, const char *domain)
{
  const char *at = strrchr(address, '@');
  if (*domain == '@')
    domain++;
  if (at == NULL || *domain == '\0')
    return FALSE;
  gsize have = strlen(at + 1), want = strlen(domain);
  if (have < want || g_ascii_strcasecmp(at + 1 + have - want, domain) != 0)
    return FALSE;
  return have == want || at[have - want] == '.';
}

static gboolean
is_message_id(const char *id, const char *word)
{
  gsize len = strlen(id), want = strlen(word);
  if (*id == '\0' || want == 0)
    return FALSE;
  if (strcmp(id, word) == 0)
    return TRUE;
  return len == want + 2 && *id == '<' && strncmp(id + 1, word, want) == 0;
}

gboolean
message_row_has(const MessageRow *row, const char *word)
{
  return equals(row->from, word) || equals(row->to, word) ||
         strcmp(row->queue_id, word) == 0 ||
         (*row->reference != '\0' && strcmp(row->reference, word) == 0) ||
         is_message_id(row->message_id, word) || is_at(row->from, word) ||
         is_at(row->to, word);
}

/* ---- Its status ---- */

static void
set_status(MessageRow *row, const char *status, gint64 since_s)
{
  row->status = status;
  row->status_s = since_s;
}

/* How far it got, the latest of what is equally far. */
static void
conclude_standing(MessageRow *row)
{
  const Standing *standing = row->standing;
  const HistoryLine *best = NULL;
  for (guint i = 0; i < standing->history->len; i++) {
    const HistoryLine *line = &g_array_index(standing->history, HistoryLine, i);
    if (line->kind >= HISTORY_COUNT || kinds[line->kind].rank == 0)
      continue;
    if (best == NULL || kinds[line->kind].rank > kinds[best->kind].rank ||
        (kinds[line->kind].rank == kinds[best->kind].rank && line->last_s >= best->last_s))
      best = line;
  }
  if (standing->state == ENTRY_EXPIRED && (best == NULL || kinds[best->kind].rank < 5))
    set_status(row, "expired", standing->expires_s);
  else if (best != NULL)
    set_status(row, kinds[best->kind].name, best->last_s);
}

static void
conclude_deliveries(MessageRow *row, const GPtrArray *deliveries)
{
  const MailDelivery *last = NULL;
  for (guint i = 0; i < deliveries->len; i++) {
    const MailDelivery *one = deliveries->pdata[i];
    if (last == NULL || one->at_s >= last->at_s)
      last = one;
  }
  const char *word = known_status(last->status);
  set_text(&row->postfix, g_strdup(last->status));
  set_status(row, word != NULL ? word : "unknown", last->at_s);
}

/* What the store has forgotten the trail still knows. */
static void
conclude_events(MessageRow *row)
{
  guint best = 0;
  for (guint i = 0; i < row->events->len; i++) {
    const MessageEvent *event = row->events->pdata[i];
    for (guint k = 0; k < G_N_ELEMENTS(kinds); k++)
      if (kinds[k].rank > 0 && kinds[k].rank >= best &&
          strcmp(kinds[k].name, event->event) == 0) {
        best = kinds[k].rank;
        set_status(row, kinds[k].name, event->at_us / G_USEC_PER_SEC);
      }
  }
}

void
message_row_conclude(MessageRow *row, const GPtrArray *deliveries)
{
  if (row->refused)
    return;
  if (row->standing != NULL)
    conclude_standing(row);
  else if (row->events->len > 0)
    conclude_events(row);
  else if (deliveries != NULL && deliveries->len > 0)
    conclude_deliveries(row, deliveries);
}
