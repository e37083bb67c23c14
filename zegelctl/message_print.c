#include "zegelctl/message_print.h"

#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "zegelctl/text.h"

#define COLUMNS 8
#define GAP     2

/* ---- Times ---- */

/* TIME_S here, with its zone; "-" for 0. A new string. */
static char *
local_time(gint64 time_s)
{
  if (time_s == 0)
    return g_strdup("-");
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(time_s);
  return g_date_time_format(time, "%Y-%m-%d %H:%M:%S %Z");
}

/* TIME_US as the trail has it. */
static char *
utc_time(gint64 time_us)
{
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(time_us / G_USEC_PER_SEC);
  g_autofree char *second = g_date_time_format(time, "%Y-%m-%dT%H:%M:%S");
  return time_us % G_USEC_PER_SEC != 0
             ? g_strdup_printf("%s.%06dZ", second, (int) (time_us % G_USEC_PER_SEC))
             : g_strconcat(second, "Z", NULL);
}

static gint64
seconds(const MessageRow *row)
{
  return row->at_us / G_USEC_PER_SEC;
}

/* ---- The table ---- */

static const char *const heads[COLUMNS] = {"came in", "from",  "to",       "route",
                                           "status",  "since", "queue id", "reference"};

/* The status as people may read it: Postfix's own word when it is another. */
static const char *
shown_status(const MessageRow *row)
{
  return row->postfix != NULL ? row->postfix : row->status;
}

/* What stands in each column, new strings. */
static void
fill_cells(const MessageRow *row, char *cells[COLUMNS])
{
  const char *reference = *row->reference != '\0' ? row->reference : "-";
  const char *texts[COLUMNS] = {NULL,          row->from, *row->to != '\0' ? row->to : "-",
                                row->route,    NULL,      NULL,
                                row->queue_id, reference};
  texts[4] = shown_status(row);
  for (guint i = 0; i < COLUMNS; i++)
    cells[i] = texts[i] != NULL ? text_clean(texts[i]) : NULL;
  cells[0] = local_time(seconds(row));
  cells[5] = local_time(row->status_s);
}

static void
append_cells(GString *out, char *const cells[COLUMNS], const glong widths[COLUMNS])
{
  for (guint i = 0; i < COLUMNS; i++) {
    g_string_append(out, cells[i]);
    if (i + 1 < COLUMNS)
      g_string_append_printf(out, "%*s",
                             (int) (widths[i] - g_utf8_strlen(cells[i], -1) + GAP), "");
  }
  g_string_append_c(out, '\n');
}

typedef struct {
  char *cells[COLUMNS];
} Line;

static void
line_clear(gpointer p)
{
  Line *line = p;
  for (guint i = 0; i < COLUMNS; i++)
    g_free(line->cells[i]);
}

void
message_print_table(GString *out, const GPtrArray *rows)
{
  glong widths[COLUMNS] = {0};
  g_autoptr(GArray) lines = g_array_new(FALSE, TRUE, sizeof(Line));
  g_array_set_clear_func(lines, line_clear);
  Line head;
  for (guint i = 0; i < COLUMNS; i++)
    head.cells[i] = g_strdup(heads[i]);
  g_array_append_val(lines, head);
  for (guint i = 0; i < rows->len; i++) {
    Line line;
    fill_cells(rows->pdata[i], line.cells);
    g_array_append_val(lines, line);
  }
  for (guint i = 0; i < lines->len; i++)
    for (guint c = 0; c < COLUMNS; c++)
      widths[c] = MAX(widths[c], g_utf8_strlen(g_array_index(lines, Line, i).cells[c], -1));
  for (guint i = 0; i < lines->len; i++)
    append_cells(out, g_array_index(lines, Line, i).cells, widths);
}

/* ---- JSON ---- */

/* "KEY": TIME or null, and a comma. */
static void
append_time(GString *out, const char *key, gint64 time_us)
{
  g_autofree char *text = time_us != 0 ? utc_time(time_us) : NULL;
  json_append_string(out, key);
  g_string_append(out, ": ");
  if (text != NULL)
    json_append_string(out, text);
  else
    g_string_append(out, "null");
  g_string_append(out, ", ");
}

/* The pairs that a list has too, without braces. */
static void
append_row(GString *out, const MessageRow *row)
{
  append_time(out, "at", row->at_us);
  json_append_pair(out, "organisation", row->organisation, TRUE);
  json_append_pair(out, "queue_id", row->queue_id, TRUE);
  json_append_pair(out, "message_id", row->message_id, TRUE);
  json_append_pair(out, "from", row->from, TRUE);
  json_append_pair(out, "to", row->to, TRUE);
  json_append_pair(out, "route", row->route, TRUE);
  json_append_pair(out, "reason", row->reason, TRUE);
  json_append_pair(out, "code", row->code, TRUE);
  json_append_pair(out, "detail", row->detail, TRUE);
  json_append_pair(out, "number", row->phone, TRUE);
  json_append_pair(out, "reference", row->reference, TRUE);
  append_time(out, "since", row->status_s * G_USEC_PER_SEC);
  json_append_pair(out, "status", shown_status(row), FALSE);
}

void
message_print_list(GString *out, const GPtrArray *rows)
{
  g_string_append(out, "[");
  for (guint i = 0; i < rows->len; i++) {
    g_string_append(out, i > 0 ? ",\n {" : "\n {");
    append_row(out, rows->pdata[i]);
    g_string_append_c(out, '}');
  }
  g_string_append(out, "\n]\n");
}

static void
append_delivery_json(GString *out, const MailDelivery *delivery)
{
  g_string_append_c(out, '{');
  append_time(out, "at", delivery->at_s * G_USEC_PER_SEC);
  json_append_pair(out, "queue_id", delivery->queue_id, TRUE);
  json_append_pair(out, "to", delivery->to, TRUE);
  json_append_pair(out, "status", delivery->status, TRUE);
  json_append_pair(out, "dsn", delivery->dsn, TRUE);
  json_append_pair(out, "relay", delivery->relay, TRUE);
  json_append_pair(out, "delay", delivery->delay, TRUE);
  json_append_pair(out, "reply", delivery->reply, TRUE);
  g_string_append_printf(out, "\"attempts\": %u}", delivery->attempts);
}

/* "KEY": [...], without a comma, of QUEUE_ID for RECIPIENT. */
static void
append_deliveries_json(GString *out, const char *key, const MailTrace *trace,
                       const char *queue_id, const char *recipient)
{
  json_append_string(out, key);
  g_string_append(out, ": [");
  if (trace != NULL && *queue_id != '\0') {
    g_autoptr(GPtrArray) found = mail_trace_find(trace, queue_id, recipient);
    for (guint i = 0; i < found->len; i++) {
      g_string_append(out, i > 0 ? ", " : "");
      append_delivery_json(out, found->pdata[i]);
    }
  }
  g_string_append_c(out, ']');
}

static void
append_history_json(GString *out, const MessageRow *row)
{
  const Standing *standing = row->standing;
  g_string_append(out, "\"history\": [");
  for (guint i = 0; i < standing->history->len; i++) {
    const HistoryLine *line = &g_array_index(standing->history, HistoryLine, i);
    g_string_append(out, i > 0 ? ", {" : "{");
    const char *by = message_row_by(row, line->kind);
    json_append_pair(out, "what", message_status_of(line->kind), TRUE);
    json_append_pair(out, "by", by != NULL ? by : "", TRUE);
    append_time(out, "first", line->first_s * G_USEC_PER_SEC);
    append_time(out, "last", line->last_s * G_USEC_PER_SEC);
    g_string_append_printf(out, "\"count\": %u}", line->count);
  }
  g_string_append(out, "], ");
}

static void
append_events_json(GString *out, const GPtrArray *events)
{
  g_string_append(out, "\"events\": [");
  for (guint i = 0; i < events->len; i++) {
    const MessageEvent *event = events->pdata[i];
    g_string_append_printf(out, "%s{\"number\": %" G_GUINT64_FORMAT ", ", i > 0 ? ", " : "",
                           event->number);
    append_time(out, "at", event->at_us);
    json_append_pair(out, "event", event->event, TRUE);
    json_append_pair(out, "by", event->by, TRUE);
    json_append_pair(out, "outcome", event->outcome, FALSE);
    g_string_append_c(out, '}');
  }
  g_string_append(out, "], ");
}

void
message_print_show_json(GString *out, const GPtrArray *rows, const MailTrace *trace)
{
  g_string_append(out, "[");
  for (guint i = 0; i < rows->len; i++) {
    const MessageRow *row = rows->pdata[i];
    g_string_append(out, i > 0 ? ",\n {" : "\n {");
    append_row(out, row);
    g_string_append(out, ", ");
    if (row->standing != NULL) {
      append_time(out, "until", row->standing->expires_s * G_USEC_PER_SEC);
      append_history_json(out, row);
    }
    append_events_json(out, row->events);
    append_deliveries_json(out, "notification", trace, row->notified, row->to);
    g_string_append(out, ", ");
    append_deliveries_json(out, "delivery", trace, row->queue_id, row->to);
    g_string_append_c(out, '}');
  }
  g_string_append(out, "\n]\n");
}

/* ---- One message, for people ---- */

#define LABEL_WIDTH 13

/* "LABEL        TEXT", wrapped. */
static void
append_fact(GString *out, const char *label, const char *text)
{
  g_string_append_printf(out, "%-*s", LABEL_WIDTH, label);
  text_wrap(out, LABEL_WIDTH, LABEL_WIDTH, text);
}

static void
append_delivery(GString *out, const char *label, const MailDelivery *delivery,
                const char *recipient)
{
  g_autofree char *at = local_time(delivery->at_s);
  g_autoptr(GString) text = g_string_new(NULL);
  g_string_append_printf(text, "%s: %s", at, delivery->status);
  if (g_ascii_strcasecmp(delivery->to, recipient) != 0)
    g_string_append_printf(text, " to %s", delivery->to);
  g_string_append_printf(text, ", dsn %s, by %s, after %s s", delivery->dsn,
                         delivery->relay, delivery->delay);
  if (delivery->attempts > 1)
    g_string_append_printf(text, ", %u times tried", delivery->attempts);
  g_string_append_printf(text, " (%s)", delivery->reply);
  append_fact(out, label, text->str);
}

static void
append_deliveries(GString *out, const char *label, const MailTrace *trace,
                  const char *queue_id, const char *recipient)
{
  if (trace == NULL || *queue_id == '\0')
    return;
  g_autoptr(GPtrArray) found = mail_trace_find(trace, queue_id, recipient);
  for (guint i = 0; i < found->len; i++)
    append_delivery(out, label, found->pdata[i], recipient);
}

static void
append_history(GString *out, const MessageRow *row)
{
  const Standing *standing = row->standing;
  for (guint i = 0; i < standing->history->len; i++) {
    const HistoryLine *line = &g_array_index(standing->history, HistoryLine, i);
    g_autofree char *first = local_time(line->first_s);
    g_autofree char *last = local_time(line->last_s);
    g_autoptr(GString) text = g_string_new(NULL);
    const char *by = message_row_by(row, line->kind);
    g_string_append_printf(text, "%s: %s", first, message_status_of(line->kind));
    if (by != NULL)
      g_string_append_printf(text, " by %s", by);
    if (line->count > 1)
      g_string_append_printf(text, " (%u times, last %s)", line->count, last);
    append_fact(out, i == 0 ? "  happened" : "", text->str);
  }
}

/* What the store does not have any more. */
static void
append_events(GString *out, const GPtrArray *events)
{
  for (guint i = 0; i < events->len; i++) {
    const MessageEvent *event = events->pdata[i];
    g_autofree char *at = local_time(event->at_us / G_USEC_PER_SEC);
    g_autofree char *text = g_strdup_printf("%s: %s%s%s", at, event->event,
                                            *event->by != '\0' ? ", by " : "", event->by);
    append_fact(out, i == 0 ? "  happened" : "", text);
  }
}

static void
append_way(GString *out, const MessageRow *row)
{
  g_autoptr(GString) text = g_string_new(row->refused ? "refused" : row->route);
  g_string_append_printf(text, ", because of %s", row->code);
  if (*row->detail != '\0' && strcmp(row->detail, "-") != 0)
    g_string_append_printf(text, " (%s)", row->detail);
  if (*row->phone != '\0' && strcmp(row->phone, "-") != 0)
    g_string_append_printf(text, "; code to %s", row->phone);
  append_fact(out, "  route", text->str);
}

static void
append_status(GString *out, const MessageRow *row)
{
  g_autofree char *since = local_time(row->status_s);
  g_autofree char *text =
      g_strdup_printf("%s%s%s", shown_status(row), row->status_s != 0 ? " since " : "",
                      row->status_s != 0 ? since : "");
  append_fact(out, "  status", text);
}

static void
append_stored(GString *out, const MessageRow *row)
{
  if (*row->reference == '\0')
    return;
  append_fact(out, "  reference", row->reference);
  if (row->standing == NULL) {
    append_events(out, row->events);
    return;
  }
  g_autofree char *until = local_time(row->standing->expires_s);
  if (row->standing->state == ENTRY_OPEN)
    append_fact(out, "  until", until);
  append_history(out, row);
}

static void
append_recipient(GString *out, const MessageRow *row, const MailTrace *trace)
{
  append_fact(out, "to", *row->to != '\0' ? row->to : "-");
  append_way(out, row);
  append_status(out, row);
  append_stored(out, row);
  append_deliveries(out, "  e-mail", trace, row->notified, row->to);
  /* Of what is stored Postfix's last hop is zegel-deliver: nothing more than above. */
  if (*row->reference == '\0')
    append_deliveries(out, "  Postfix", trace, row->queue_id, row->to);
}

static void
append_message(GString *out, const MessageRow *row)
{
  g_autofree char *at = local_time(seconds(row));
  append_fact(out, "message", *row->message_id != '\0' ? row->message_id : "-");
  append_fact(out, "came in", at);
  append_fact(out, "queue id", row->queue_id);
  append_fact(out, "organisation", row->organisation);
  append_fact(out, "from", row->from);
  if (*row->reason != '\0')
    append_fact(out, "protected", row->reason);
}

void
message_print_show(GString *out, const GPtrArray *rows, const MailTrace *trace)
{
  const char *queue_id = NULL;
  for (guint i = 0; i < rows->len; i++) {
    const MessageRow *row = rows->pdata[i];
    /* Who came out of an expansion stands with the others. */
    if (queue_id == NULL || (!row->passed && strcmp(queue_id, row->queue_id) != 0)) {
      g_string_append(out, queue_id != NULL ? "\n" : "");
      append_message(out, row);
      queue_id = row->queue_id;
    }
    g_string_append_c(out, '\n');
    append_recipient(out, row, trace);
  }
}
