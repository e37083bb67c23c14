#include "zegelctl/mail_trace.h"

#include <string.h>

#include "common/base/label.h"
#include "zegelctl/mail_line.h"

#define PASSES_MAX 10 /* through our own Postfix: three are usual */

/* One queue id that is followed. */
typedef struct {
  gint64 from_s;
  gboolean passed;       /* another pass of one that is wanted */
  gboolean removed;      /* from the queue: what comes now is another message's */
  GPtrArray *deliveries; /* of MailDelivery */
} Item;

struct MailTrace {
  GHashTable *items; /* of Item, by queue id */
  guint open;        /* of them not removed yet */
};

static void
delivery_free(gpointer p)
{
  MailDelivery *delivery = p;
  char *const texts[] = {delivery->queue_id, delivery->to,    delivery->orig_to,
                         delivery->relay,    delivery->delay, delivery->dsn,
                         delivery->status,   delivery->reply, delivery->next};
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
    g_free(texts[i]);
  g_free(delivery);
}

static void
item_free(gpointer p)
{
  Item *item = p;
  g_ptr_array_unref(item->deliveries);
  g_free(item);
}

MailTrace *
mail_trace_new(void)
{
  MailTrace *trace = g_new0(MailTrace, 1);
  trace->items = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, item_free);
  return trace;
}

void
mail_trace_free(MailTrace *trace)
{
  if (trace == NULL)
    return;
  g_hash_table_unref(trace->items);
  g_free(trace);
}

static void
follow(MailTrace *trace, const char *queue_id, gint64 from_s, gboolean passed)
{
  if (g_hash_table_contains(trace->items, queue_id) ||
      g_hash_table_size(trace->items) >= MAIL_TRACE_IDS_MAX)
    return;
  Item *item = g_new0(Item, 1);
  item->from_s = from_s;
  item->passed = passed;
  item->deliveries = g_ptr_array_new_with_free_func(delivery_free);
  g_hash_table_insert(trace->items, g_strdup(queue_id), item);
  trace->open++;
}

void
mail_trace_want(MailTrace *trace, const char *queue_id, gint64 from_s)
{
  follow(trace, queue_id, from_s, FALSE);
}

gboolean
mail_trace_is_done(const MailTrace *trace)
{
  return trace->open == 0;
}

void
mail_trace_restart(MailTrace *trace)
{
  GHashTableIter iter;
  gpointer value;
  trace->open = 0;
  g_hash_table_iter_init(&iter, trace->items);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    Item *item = value;
    if (item->passed) {
      g_hash_table_iter_remove(&iter);
      continue;
    }
    g_ptr_array_set_size(item->deliveries, 0);
    item->removed = FALSE;
    trace->open++;
  }
}

/* ---- Lines ---- */

static void
set_text(char **text, const char *value)
{
  g_free(*text);
  *text = g_strdup(value != NULL ? value : "");
}

static MailDelivery *
find_delivery(Item *item, const char *to, const char *orig_to)
{
  for (guint i = 0; i < item->deliveries->len; i++) {
    MailDelivery *delivery = item->deliveries->pdata[i];
    if (strcmp(delivery->to, to) == 0 && strcmp(delivery->orig_to, orig_to) == 0)
      return delivery;
  }
  MailDelivery *delivery = g_new0(MailDelivery, 1);
  set_text(&delivery->to, to);
  set_text(&delivery->orig_to, orig_to);
  g_ptr_array_add(item->deliveries, delivery);
  return delivery;
}

/* The newest line of a recipient counts. */
static void
note_delivery(Item *item, const char *queue_id, const MailLine *line)
{
  g_autofree char *to = label_strip(line->to);
  g_autofree char *orig_to = label_strip(line->orig_to != NULL ? line->orig_to : "");
  MailDelivery *delivery = find_delivery(item, to, orig_to);
  delivery->at_s = line->at_s;
  delivery->attempts++;
  set_text(&delivery->queue_id, queue_id);
  set_text(&delivery->relay, line->relay);
  set_text(&delivery->delay, line->delay);
  set_text(&delivery->dsn, line->dsn);
  set_text(&delivery->status, line->status);
  set_text(&delivery->reply, line->reply);
  set_text(&delivery->next, line->next);
}

/* Those that are still in the queue go back to the sender. */
static void
note_expired(Item *item, const MailLine *line)
{
  for (guint i = 0; i < item->deliveries->len; i++) {
    MailDelivery *delivery = item->deliveries->pdata[i];
    if (strcmp(delivery->status, "deferred") != 0)
      continue;
    set_text(&delivery->status, "expired");
    delivery->at_s = line->at_s;
  }
}

static void
note_line(MailTrace *trace, Item *item, const char *queue_id, const MailLine *line)
{
  if (line->at_s < item->from_s)
    return;
  switch (line->kind) {
  case MAIL_LINE_DELIVERY:
    note_delivery(item, queue_id, line);
    /* What local forwards, it gives to cleanup itself: no smtpd says where it came from. */
    if (strcmp(line->daemon, "local") == 0 && line->next != NULL)
      follow(trace, line->next, item->from_s, TRUE);
    break;
  case MAIL_LINE_EXPIRED:
    note_expired(item, line);
    break;
  case MAIL_LINE_REMOVED:
    item->removed = TRUE;
    trace->open--;
    break;
  case MAIL_LINE_CLIENT:
  case MAIL_LINE_OTHER:
    break;
  }
}

/* Another pass of what is followed is followed too. Each says the queue id with which the
 * message came in, which may have left the queue since. */
static void
note_client(MailTrace *trace, const char *queue_id, const MailLine *line)
{
  const Item *before = g_hash_table_lookup(trace->items, line->origin);
  if (before != NULL && line->at_s >= before->from_s)
    follow(trace, queue_id, line->at_s, TRUE);
}

void
mail_trace_line(MailTrace *trace, const char *line, gint64 now_s)
{
  MailHead head;
  g_auto(MailLine) parsed = {.kind = MAIL_LINE_OTHER};
  if (!mail_line_split(line, &head))
    return;
  Item *item = g_hash_table_lookup(trace->items, head.id);
  if (item != NULL && item->removed)
    return;
  gboolean from_client = g_str_has_prefix(head.text, "client=");
  if ((item == NULL && !from_client) || !mail_line_parse(line, &head, now_s, &parsed))
    return;
  if (item != NULL)
    note_line(trace, item, head.id, &parsed);
  else if (parsed.kind == MAIL_LINE_CLIENT)
    note_client(trace, head.id, &parsed);
}

/* ---- The answer ---- */

static gboolean
is_for(const MailDelivery *delivery, const char *recipient)
{
  const char *to = *delivery->orig_to != '\0' ? delivery->orig_to : delivery->to;
  return g_ascii_strcasecmp(to, recipient) == 0 ||
         g_ascii_strcasecmp(delivery->to, recipient) == 0;
}

static void
find_hops(const MailTrace *trace, const char *queue_id, const char *recipient, guint passes,
          GPtrArray *found)
{
  const Item *item = g_hash_table_lookup(trace->items, queue_id);
  for (guint i = 0; item != NULL && i < item->deliveries->len; i++) {
    MailDelivery *delivery = item->deliveries->pdata[i];
    guint before = found->len;
    if (!is_for(delivery, recipient))
      continue;
    const Item *next = g_hash_table_lookup(trace->items, delivery->next);
    if (next != NULL && next->passed && passes > 1)
      find_hops(trace, delivery->next, delivery->to, passes - 1, found);
    if (found->len == before && !g_ptr_array_find(found, delivery, NULL))
      g_ptr_array_add(found, delivery);
  }
}

GPtrArray *
mail_trace_find(const MailTrace *trace, const char *queue_id, const char *recipient)
{
  GPtrArray *found = g_ptr_array_new();
  find_hops(trace, queue_id, recipient, PASSES_MAX, found);
  return found;
}
