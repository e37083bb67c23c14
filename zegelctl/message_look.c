/*
 * message_look.c - zegelctl message list, search and show: what became of messages.
 *
 * Who asks is in the audit trail before he sees anything. As root the trail is opened, and
 * Postfix's log; then no more root: the store is read as the user who has its key.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/base/error.h"
#include "zegelctl/audit_ask.h"
#include "zegelctl/command.h"
#include "zegelctl/mail_log.h"
#include "zegelctl/message_find.h"
#include "zegelctl/message_print.h"
#include "zegelctl/opened.h"
#include "zegelctl/record.h"

#define DAY_S        86400
#define DAYS         90 /* M1 */
#define LIMIT        50
#define LIMIT_MAX    100000
#define WORDS_MAX    10
#define MAIL_EARLY_S 5 /* clocks and logs round */

static gchar *option_organisation, *option_since, *option_until, *option_sender;
static gchar *option_recipient, *option_route, *option_status;
static gint option_limit = LIMIT;
static gboolean option_json;

/* All that is looked at. */
typedef struct {
  Opened opened;
  KeyRing *audit_keys;
  Trail *trail;
  MailLog *log; /* NULL: not there */
} Look;

static void
look_clear(Look *look)
{
  mail_log_close(look->log);
  trail_close(look->trail);
  keyring_free(look->audit_keys);
  opened_clear(&look->opened);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Look, look_clear)

/* ---- Opening ---- */

/* What was asked for is an event, with the persons that it names (A1, A2). */
static Event *
make_event(const char *request, char **words, guint count)
{
  g_autofree char *user = command_user();
  Event *event = event_new(EVENT_MESSAGES_SHOWN, NULL, option_organisation, "by", user,
                           "request", request, NULL);
  for (guint i = 0; i < count; i++)
    event_add(event, "about", words[i]);
  event_add(event, "about", option_sender);
  event_add(event, "about", option_recipient);
  return event;
}

static gboolean
open_look(Look *look, const char *request, char **words, guint count, gint64 since_s,
          GError **error)
{
  g_autoptr(GError) problem = NULL;
  g_autoptr(Event) event = make_event(request, words, count);
  const Config *config = look->opened.config = command_config(error);
  if (config == NULL || !record_first(config, event, error) ||
      (look->audit_keys = keyring_load(config->audit_key, KEY_AUDIT, error)) == NULL ||
      (look->trail = trail_open(config->audit_database, look->audit_keys, error)) == NULL)
    return FALSE;
  look->log = mail_log_open(config->mail_log, since_s, &problem);
  if (look->log == NULL)
    fprintf(stderr, "zegelctl: what Postfix delivered is not known: %s\n",
            problem->message);
  return opened_store(&look->opened, error);
}

/* ---- What became of rows ---- */

/* Follows in Postfix's log what is not stored here, and of ALL the notifications too. */
static MailTrace *
trace_rows(const Look *look, const GPtrArray *rows, gboolean all, GError **error)
{
  gint64 since_s = G_MAXINT64;
  g_autoptr(MailTrace) trace = mail_trace_new();
  for (guint i = 0; i < rows->len; i++) {
    const MessageRow *row = rows->pdata[i];
    gint64 at_s = row->at_us / G_USEC_PER_SEC - MAIL_EARLY_S;
    if (row->refused || *row->queue_id == '\0' || (*row->reference != '\0' && !all))
      continue;
    mail_trace_want(trace, row->queue_id, at_s);
    if (*row->notified != '\0' && all)
      mail_trace_want(trace, row->notified, at_s);
    since_s = MIN(since_s, at_s);
  }
  if (look->log != NULL && since_s != G_MAXINT64 &&
      !mail_log_read(look->log, since_s, trace, error))
    return NULL;
  return g_steal_pointer(&trace);
}

static gboolean
conclude(const Look *look, MessageRow *row, const MailTrace *trace, GError **error)
{
  g_autoptr(GPtrArray) deliveries = mail_trace_find(trace, row->queue_id, row->to);
  if (*row->reference != '\0' &&
      !store_find_standing(look->opened.store, row->reference, &row->standing, error))
    return FALSE;
  message_row_conclude(row, deliveries);
  return TRUE;
}

/* Completes ROWS from trail, log and store. *TRACE (may be NULL) gets what the log said. */
static gboolean
complete(const Look *look, GPtrArray *rows, gboolean all, MailTrace **trace, GError **error)
{
  for (guint i = 0; i < rows->len; i++)
    if (!message_complete(look->trail, rows->pdata[i], error))
      return FALSE;
  g_autoptr(MailTrace) found = trace_rows(look, rows, all, error);
  if (found == NULL)
    return FALSE;
  for (guint i = 0; i < rows->len; i++)
    if (!conclude(look, rows->pdata[i], found, error))
      return FALSE;
  if (trace != NULL)
    *trace = g_steal_pointer(&found);
  return TRUE;
}

/* ---- Options ---- */

static gboolean
parse_options(MessageFilter *filter, GError **error)
{
  gint64 now_us = g_get_real_time();
  *filter = (MessageFilter){.organisation = option_organisation,
                            .sender = option_sender,
                            .recipient = option_recipient,
                            .route = option_route,
                            .refused = g_strcmp0(option_status, "refused") == 0,
                            .from_us = now_us - (gint64) DAYS * DAY_S * G_USEC_PER_SEC};
  if (option_limit < 1 || option_limit > LIMIT_MAX)
    return command_error(error, ZEGEL_ERROR_INVALID, "--limit takes 1 to %d", LIMIT_MAX);
  if (option_status != NULL && !message_status_known(option_status))
    return command_error(error, ZEGEL_ERROR_INVALID,
                         "there is no status %s: zegelctl(8) has them", option_status);
  return (option_since == NULL ||
          audit_ask_time(option_since, now_us, FALSE, &filter->from_us, error)) &&
         (option_until == NULL ||
          audit_ask_time(option_until, now_us, TRUE, &filter->until_us, error));
}

static int
print_rows(const GPtrArray *rows)
{
  g_autoptr(GString) out = g_string_new(NULL);
  if (option_json)
    message_print_list(out, rows);
  else if (rows->len > 0)
    message_print_table(out, rows);
  else
    fputs("zegelctl: no message was found\n", stderr);
  fputs(out->str, stdout);
  return command_done(EX_OK);
}

/* ---- list ---- */

/* Rows go through in batches: each is one look into the mail log. */
typedef struct {
  const Look *look;
  GPtrArray *batch, *wanted;
  gboolean enough;
} List;

static gboolean
take_batch(List *list, GError **error)
{
  if (!complete(list->look, list->batch, FALSE, NULL, error))
    return FALSE;
  for (guint i = 0; i < list->batch->len && list->wanted->len < (guint) option_limit; i++) {
    MessageRow *row = list->batch->pdata[i];
    if (option_status != NULL && strcmp(option_status, row->status) != 0)
      continue;
    g_ptr_array_add(list->wanted, row);
    list->batch->pdata[i] = NULL;
  }
  g_ptr_array_set_size(list->batch, 0);
  list->enough = list->wanted->len >= (guint) option_limit;
  return TRUE;
}

static gboolean
take_row(MessageRow *row, gpointer data, GError **error)
{
  List *list = data;
  g_ptr_array_add(list->batch, row);
  if (list->batch->len < (guint) MAX(option_limit, LIMIT))
    return TRUE;
  if (!take_batch(list, error))
    return FALSE;
  /* An error is the one way to end the reading; nobody sees this one. */
  return !list->enough || command_error(error, ZEGEL_ERROR_LIMIT, "enough");
}

static gboolean
list_rows(List *list, const MessageFilter *filter, GError **error)
{
  g_autoptr(GError) problem = NULL;
  if (message_find_each(list->look->trail, filter, take_row, list, &problem))
    return take_batch(list, error);
  if (list->enough)
    return TRUE;
  g_propagate_error(error, g_steal_pointer(&problem));
  return FALSE;
}

static int
run_list(int argc, char **argv)
{
  (void) argc;
  (void) argv;
  GError *error = NULL;
  MessageFilter filter;
  g_auto(Look) look = {.trail = NULL};
  GDestroyNotify free_row = (GDestroyNotify) message_row_free;
  g_autoptr(GPtrArray) batch = g_ptr_array_new_with_free_func(free_row);
  g_autoptr(GPtrArray) wanted = g_ptr_array_new_with_free_func(free_row);
  List list = {&look, batch, wanted, FALSE};
  if (!parse_options(&filter, &error) ||
      !open_look(&look, "message-list", NULL, 0, filter.from_us / G_USEC_PER_SEC, &error) ||
      !list_rows(&list, &filter, &error))
    return command_fail(error);
  return print_rows(wanted);
}

/* ---- search ---- */

static int
run_search(int argc, char **argv)
{
  GError *error = NULL;
  MessageFilter filter;
  g_auto(Look) look = {.trail = NULL};
  guint count = (guint) argc;
  if (!parse_options(&filter, &error) ||
      !open_look(&look, "message-search", argv, count, filter.from_us / G_USEC_PER_SEC,
                 &error))
    return command_fail(error);
  g_autoptr(GPtrArray) rows =
      message_search(look.trail, &filter, argv, count, (guint) option_limit, &error);
  if (rows == NULL || !complete(&look, rows, FALSE, NULL, &error))
    return command_fail(error);
  return print_rows(rows);
}

/* ---- show ---- */

static int
run_show(int argc, char **argv)
{
  GError *error = NULL;
  g_auto(Look) look = {.trail = NULL};
  g_autoptr(MailTrace) trace = NULL;
  g_autoptr(GString) out = g_string_new(NULL);
  if (!open_look(&look, "message-show", argv, (guint) argc, 0, &error))
    return command_fail(error);
  g_autoptr(GPtrArray) rows = message_find(look.trail, argv[0], &error);
  if (rows == NULL || !complete(&look, rows, TRUE, &trace, &error))
    return command_fail(error);
  if (rows->len == 0) {
    command_error(&error, ZEGEL_ERROR_INVALID,
                  "the audit trail has no message with this queue id, reference or "
                  "Message-ID");
    return command_fail(error);
  }
  if (option_json)
    message_print_show_json(out, rows, look.log != NULL ? trace : NULL);
  else
    message_print_show(out, rows, look.log != NULL ? trace : NULL);
  fputs(out->str, stdout);
  return command_done(EX_OK);
}

#define TIME_OPTIONS                                                                         \
  {                                                                                          \
      "org", 0, 0, G_OPTION_ARG_STRING, &option_organisation, "Of this organisation",        \
      "NAME"},                                                                               \
      {"since", 0, 0, G_OPTION_ARG_STRING, &option_since, "From this day or time on",        \
       "TIME"},                                                                              \
      {"until", 0, 0, G_OPTION_ARG_STRING, &option_until, "Up to this day or time", "TIME"}, \
      {"limit", 0, 0, G_OPTION_ARG_INT, &option_limit, "At most so many", "N"},              \
      JSON_OPTION
#define JSON_OPTION                                                                        \
  {                                                                                        \
    "json", 0, 0, G_OPTION_ARG_NONE, &option_json, "Write JSON", NULL                      \
  }

static const GOptionEntry list_options[] = {
    {"sender", 0, 0, G_OPTION_ARG_STRING, &option_sender, "Address or domain", "WHO"},
    {"recipient", 0, 0, G_OPTION_ARG_STRING, &option_recipient, "Address or domain", "WHO"},
    {"route", 0, 0, G_OPTION_ARG_STRING, &option_route, "own, direct or viewer", "ROUTE"},
    {"status", 0, 0, G_OPTION_ARG_STRING, &option_status, "What became of it", "STATUS"},
    TIME_OPTIONS,
    G_OPTION_ENTRY_NULL,
};

static const GOptionEntry search_options[] = {TIME_OPTIONS, G_OPTION_ENTRY_NULL};

static const GOptionEntry show_options[] = {JSON_OPTION, G_OPTION_ENTRY_NULL};

const Command message_look_commands[] = {
    {{"message", "list"},
     0,
     0,
     "[--sender WHO] [--recipient WHO] [--route ROUTE] [--status STATUS] ...",
     "Print sensitive messages of the last 90 days, and what became of them",
     list_options,
     run_list},
    {{"message", "search"},
     1,
     WORDS_MAX,
     "WORD...",
     "Print those with an address, domain, reference, queue id or Message-ID",
     search_options,
     run_search},
    {{"message", "show"},
     1,
     1,
     "QUEUEID|REFERENCE|MESSAGE-ID",
     "Print all that is known of one message",
     show_options,
     run_show},
    {.words = {NULL}},
};
