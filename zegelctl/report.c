/*
 * report.c - zegelctl report observe: what the mail log says, counted.
 *
 * "observe" tells an administrator what "default = secure" would do to the mail of each
 * sender, so that he can decide after a week, and mend first what would hurt (S5).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/base/error.h"
#include "zegelctl/availability.h"
#include "zegelctl/command.h"
#include "zegelctl/observed.h"
#include "zegelctl/report_flow.h"
#include "zegelctl/text.h"

#define LOG_FILE       "/var/log/mail.log"
#define MAX_LINE_BYTES 65536 /* octets; the rest of a longer one is another line */
#define DAY_S          86400
#define MAX_FILES      100
#define MAX_NAMED      3 /* senders of refused messages */
#define DATE_FORMAT    "%Y-%m-%d"
#define INDENT         4

static gint option_since;
static gboolean option_json;

/* What to do about a refusal, by its code. */
static const struct {
  const char *code, *advice;
} advice[] = {
    {"Z-S7-NUMBER", "tell these senders to type SMS and the recipient's mobile number in "
                    "the subject; with "
                    "method = optional such mail goes out with a code by e-mail"},
    {"Z-S7-ONE-NUMBER",
     "tell these senders: one number in the subject is for one recipient"},
    {"Z-S2-NO-NUMBER", "tell these senders: a number must follow SMS"},
    {"Z-S2-TWO-NUMBERS",
     "tell these senders: one number in the subject is for one recipient"},
    {"Z-S3-NUMBER", "see whether countries of [sms] has all that your senders need"},
    {"Z-S6-NO-VIEWER",
     "method = none reaches only who is connected: choose another method when these mails "
     "must get through"},
    {"Z-O3-SENDER",
     "these clients use addresses outside domains of their organisation: add the domain "
     "when it is yours, else correct the client"},
    {"Z-S9-RECIPIENTS",
     "put senders of newsletters into plain_senders or machine_senders, or raise "
     "recipients_max"},
    {"Z-S10-EXTENSION", "tell these senders, or shorten refused_extensions when such files "
                        "are your daily work"},
    {"Z-S10-ARCHIVE", "tell these senders that archives must be readable"},
    {"Z-S11-ATTACHMENTS", "tell these senders, or raise attachments_max_mb"},
    {"Z-R4-ADDRESS",
     "these recipients are no addresses that can be protected: correct them"},
};

static const char *
advice_for(const char *code)
{
  for (guint i = 0; i < G_N_ELEMENTS(advice); i++)
    if (strcmp(advice[i].code, code) == 0)
      return advice[i].advice;
  return "zegel-events(5) says what this code means";
}

/* ---- Reading ---- */

static gboolean
read_lines(Observed *observed, FILE *file, const char *name, GError **error)
{
  gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
  gint64 since_s = option_since > 0 ? now_s - (gint64) option_since * DAY_S : 0;
  g_autofree char *line = g_malloc(MAX_LINE_BYTES);
  while (fgets(line, MAX_LINE_BYTES, file) != NULL) {
    line[strcspn(line, "\r\n")] = '\0';
    observed_add_line(observed, line, now_s, since_s);
  }
  if (ferror(file))
    return command_error(error, ZEGEL_ERROR_TEMPORARY, "%s: %s", name, g_strerror(errno));
  return TRUE;
}

static gboolean
read_file(Observed *observed, const char *path, GError **error)
{
  if (strcmp(path, "-") == 0)
    return read_lines(observed, stdin, "standard input", error);
  FILE *file = fopen(path, "re");
  if (file == NULL)
    return command_error(error, ZEGEL_ERROR_INVALID, "%s: %s", path, g_strerror(errno));
  gboolean good = read_lines(observed, file, path, error);
  fclose(file);
  return good;
}

/* The log and the one before it, as far as they are there. */
static gboolean
read_usual(Observed *observed, GError **error)
{
  gboolean older = g_file_test(LOG_FILE ".1", G_FILE_TEST_EXISTS);
  gboolean current = g_file_test(LOG_FILE, G_FILE_TEST_EXISTS);
  if (!older && !current)
    return command_error(error, ZEGEL_ERROR_INVALID,
                         "%s is not there; try: journalctl -t zegel-milter | zegelctl "
                         "report observe -",
                         LOG_FILE);
  return (!older || read_file(observed, LOG_FILE ".1", error)) &&
         (!current || read_file(observed, LOG_FILE, error));
}

static gboolean
read_all(Observed *observed, int argc, char **argv, GError **error)
{
  if (argc == 0)
    return read_usual(observed, error);
  for (int i = 0; i < argc; i++)
    if (!read_file(observed, argv[i], error))
      return FALSE;
  return TRUE;
}

/* The day of TIME_S, here; a new string. */
static char *
day_of(gint64 time_s)
{
  g_autoptr(GDateTime) date = g_date_time_new_from_unix_local(time_s);
  return g_date_time_format(date, DATE_FORMAT);
}

/* ---- Text ---- */

static void
append_counts(GString *out, const ObservedCount *count, const char *name)
{
  g_string_append_printf(out, "%8u %8u %8u %8u %8u %8u %8u  ", count->messages, count->pass,
                         count->own, count->direct, count->viewer, count->refused,
                         count->unknown);
  text_wrap(out, 0, 0, name);
}

static void
append_senders(GString *out, const GPtrArray *senders)
{
  const char *organisation = NULL;
  for (guint i = 0; i < senders->len; i++) {
    const ObservedSender *sender = senders->pdata[i];
    if (g_strcmp0(organisation, sender->organisation) != 0) {
      organisation = sender->organisation;
      g_autofree char *head = g_strdup_printf("[organisation %s]", organisation);
      g_string_append_c(out, '\n');
      text_wrap(out, 0, 0, head);
      g_string_append(out,
                      "messages     pass      own   direct   viewer  refused  unknown  "
                      "sender\n");
    }
    append_counts(out, &sender->count, sender->sender);
  }
}

static guint
count_of(gconstpointer sender, const char *code)
{
  GHashTable *codes = ((const ObservedSender *) sender)->codes;
  return GPOINTER_TO_UINT(g_hash_table_lookup(codes, code));
}

static gint
compare_by_code(gconstpointer a, gconstpointer b, gpointer code)
{
  guint n = count_of(*(const ObservedSender *const *) a, code);
  guint m = count_of(*(const ObservedSender *const *) b, code);
  return n != m ? (n > m ? -1 : 1) : 0;
}

/* The few senders with most refusals of CODE. */
static void
append_who(GString *out, const GPtrArray *senders, const char *code)
{
  g_autoptr(GPtrArray) order = g_ptr_array_new();
  for (guint i = 0; i < senders->len; i++)
    if (count_of(senders->pdata[i], code) > 0)
      g_ptr_array_add(order, senders->pdata[i]);
  g_ptr_array_sort_with_data(order, compare_by_code, (gpointer) code);
  g_autoptr(GString) text = g_string_new("from");
  for (guint i = 0; i < MIN(order->len, MAX_NAMED); i++)
    g_string_append_printf(text, "%s %s (%u)", i > 0 ? "," : "",
                           ((const ObservedSender *) order->pdata[i])->sender,
                           count_of(order->pdata[i], code));
  if (order->len > MAX_NAMED)
    g_string_append_printf(text, " and %u others", order->len - MAX_NAMED);
  g_string_append_printf(out, "%*s", INDENT, "");
  text_wrap(out, INDENT, INDENT, text->str);
}

static void
append_refused(GString *out, const Observed *observed, const GPtrArray *senders)
{
  g_autoptr(GPtrArray) codes = observed_sorted_codes(observed->codes);
  if (codes->len == 0)
    return;
  g_string_append(out, "\nRefused, and what to do first:\n");
  for (guint i = 0; i < codes->len; i++) {
    const char *code = codes->pdata[i];
    guint n = GPOINTER_TO_UINT(g_hash_table_lookup(observed->codes, code));
    g_autofree char *head = g_strdup_printf("%u %s: %s", n, code, advice_for(code));
    text_wrap(out, 0, INDENT, head);
    append_who(out, senders, code);
  }
}

/* What follows from the numbers. */
static void
append_next(GString *out, const ObservedCount *total)
{
  g_string_append(out, "\nWhat next:\n");
  if (total->unknown > 0)
    text_wrap(
        out, 0, INDENT,
        "- Of the unknown ones zegel-policyd did not say the routes in time: look for "
        "\"no route\" in the log.");
  if (total->refused > 0)
    text_wrap(out, 0, INDENT,
              "- Who would be refused must hear first what to do; programs among the "
              "senders belong into machine_senders.");
  else
    text_wrap(out, 0, INDENT,
              "- Nothing would be refused: default = secure can be set in zegel.conf.");
  g_autofree char *line = g_strdup_printf(
      "- With default = on-request, %u of the %u that would not pass would go as ordinary "
      "mail: nothing in them asks for protection.",
      total->by_default, total->messages - total->pass);
  if (total->messages > total->pass)
    text_wrap(out, 0, INDENT, line);
}

static void
append_text(GString *out, const Observed *observed)
{
  g_autoptr(GPtrArray) senders = observed_sorted(observed);
  if (observed->total.messages == 0) {
    text_wrap(out, 0, 0,
              "No observed message was found. Is default = observe set, and does the log "
              "have lines with \"event=observed\"?");
    return;
  }
  g_autofree char *first = day_of(observed->first_s);
  g_autofree char *last = day_of(observed->last_s);
  g_autofree char *head = g_strdup_printf(
      "What \"default = secure\" would have done, from %s to %s: messages by sender. own, "
      "direct and viewer are sealed.",
      first, last);
  text_wrap(out, 0, 0, head);
  append_senders(out, senders);
  g_string_append_c(out, '\n');
  append_counts(out, &observed->total, "in total");
  append_refused(out, observed, senders);
  append_next(out, &observed->total);
}

/* ---- JSON ---- */

static void
append_json_codes(GString *out, GHashTable *codes)
{
  g_autoptr(GPtrArray) sorted = observed_sorted_codes(codes);
  g_string_append(out, "\"codes\": {");
  for (guint i = 0; i < sorted->len; i++) {
    g_string_append(out, i > 0 ? ", " : "");
    json_append_string(out, sorted->pdata[i]);
    g_string_append_printf(out, ": %u",
                           GPOINTER_TO_UINT(g_hash_table_lookup(codes, sorted->pdata[i])));
  }
  g_string_append_c(out, '}');
}

static void
append_json_counts(GString *out, const ObservedCount *count, GHashTable *codes)
{
  g_string_append_printf(out,
                         "\"messages\": %u, \"pass\": %u, \"own\": %u, \"direct\": %u, "
                         "\"viewer\": %u, \"refused\": %u, \"unknown\": %u, "
                         "\"by_default\": %u, ",
                         count->messages, count->pass, count->own, count->direct,
                         count->viewer, count->refused, count->unknown, count->by_default);
  append_json_codes(out, codes);
}

static void
append_json(GString *out, const Observed *observed)
{
  g_autoptr(GPtrArray) senders = observed_sorted(observed);
  gboolean any = observed->total.messages > 0;
  g_autofree char *first = any ? day_of(observed->first_s) : g_strdup("");
  g_autofree char *last = any ? day_of(observed->last_s) : g_strdup("");
  g_string_append_c(out, '{');
  json_append_pair(out, "first", first, TRUE);
  json_append_pair(out, "last", last, TRUE);
  g_string_append(out, "\"total\": {");
  append_json_counts(out, &observed->total, observed->codes);
  g_string_append(out, "}, \"senders\": [\n");
  for (guint i = 0; i < senders->len; i++) {
    const ObservedSender *sender = senders->pdata[i];
    g_string_append(out, "  {");
    json_append_pair(out, "organisation", sender->organisation, TRUE);
    json_append_pair(out, "sender", sender->sender, TRUE);
    append_json_counts(out, &sender->count, sender->codes);
    g_string_append(out, i + 1 < senders->len ? "},\n" : "}\n");
  }
  g_string_append(out, "]}\n");
}

static int
run_observe(int argc, char **argv)
{
  GError *error = NULL;
  g_autoptr(Observed) observed = observed_new();
  if (option_since < 0) {
    command_error(&error, ZEGEL_ERROR_INVALID, "--since: a number of days is expected");
    return command_fail(error);
  }
  if (!read_all(observed, argc, argv, &error))
    return command_fail(error);
  g_autoptr(GString) out = g_string_new(NULL);
  (option_json ? append_json : append_text)(out, observed);
  fputs(out->str, stdout);
  return command_done(EX_OK);
}

static const GOptionEntry observe_options[] = {
    {"since", 0, 0, G_OPTION_ARG_INT, &option_since, "Only the last DAYS days", "DAYS"},
    {"json", 0, 0, G_OPTION_ARG_NONE, &option_json, "As JSON", NULL},
    G_OPTION_ENTRY_NULL,
};

const Command report_commands[] = {
    {{"report", "observe"},
     0,
     MAX_FILES,
     "[FILE...] [--since DAYS] [--json]",
     "Say what default = secure would have done with the mail of each sender",
     observe_options,
     run_observe},
    {{"report", "flow"},
     0,
     0,
     "[--org NAME] [--since DATE] [--until DATE] [--month YYYY-MM] [--by day|week|month] "
     "[--format text|html|csv|json|pdf] [--senders] [--language nl|en] [-o FILE]",
     "Count the mail of an organisation",
     report_flow_options,
     report_flow_run},
    {{"report", "availability"},
     0,
     0,
     "[--org NAME] [--from DATE] [--to DATE] [--format text|csv|json]",
     "Say by month how much of the time the service was there (NTA 7516 6.1.2)",
     availability_options,
     availability_run},
    {.words = {NULL}},
};
