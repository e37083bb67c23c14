/*
 * report_flow.c - zegelctl report flow: the mail flow of an organisation (M2).
 *
 * Counting is flow.c's; here are the time and the form that somebody asked for. That he
 * looked stands in the audit trail before he sees anything (A1).
 */
#include "zegelctl/report_flow.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/event.h"
#include "zegelctl/events.h"
#include "zegelctl/flow_data.h"
#include "zegelctl/flow_sheet.h"
#include "zegelctl/language.h"
#include "zegelctl/partner.h"
#include "zegelctl/record.h"

#define USUAL_DAYS  30
#define MAX_DAYS    3660 /* more than any trail of a law holds in one report */
#define DATE_FORMAT "%Y-%m-%d"
#define FIRST_YEAR  2000
#define LAST_YEAR   9999
#define OUTPUT_MODE 0600 /* who wrote to whom */

typedef enum {
  FORM_TEXT,
  FORM_HTML,
  FORM_CSV,
  FORM_JSON,
  FORM_PDF
} Form;

static const char *const forms[] = {[FORM_TEXT] = "text",
                                    [FORM_HTML] = "html",
                                    [FORM_CSV] = "csv",
                                    [FORM_JSON] = "json",
                                    [FORM_PDF] = "pdf"};
static const char *const steps[] = {
    [FLOW_BY_DAY] = "day", [FLOW_BY_WEEK] = "week", [FLOW_BY_MONTH] = "month"};
static const char *const tongues[] = {"nl", "en"};

static char *option_org, *option_since, *option_until, *option_month, *option_format,
    *option_by, *option_output, *option_language;
static gboolean option_senders;

/* What is asked, checked. */
typedef struct {
  const Organisation *organisation;
  FlowOptions flow;
  char *first, *last; /* days, both included */
  Form form;
  const char *language;
} Asked;

static void
asked_clear(Asked *asked)
{
  g_free(asked->first);
  g_free(asked->last);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Asked, asked_clear)

/* ---- What is asked ---- */

/* The place of TEXT (NULL: USUAL) among COUNT WORDS into *FOUND. */
static gboolean
parse_word(const char *option, const char *text, const char *const *words, guint count,
           guint usual, guint *found, GError **error)
{
  *found = usual;
  for (guint i = 0; text != NULL && i < count; i++)
    if (strcmp(text, words[i]) == 0) {
      *found = i;
      return TRUE;
    }
  if (text == NULL)
    return TRUE;
  g_autoptr(GString) list = g_string_new(words[0]);
  for (guint i = 1; i < count; i++)
    g_string_append_printf(list, ", %s", words[i]);
  return command_error(error, ZEGEL_ERROR_INVALID, "--%s: one of %s is expected", option,
                       list->str);
}

/* COUNT numbers with '-' between them, such as those of 2026-11-22. */
static gboolean
parse_numbers(const char *text, guint count, guint64 *numbers)
{
  static const guint64 least[] = {FIRST_YEAR, 1, 1}, most[] = {LAST_YEAR, 12, 31};
  g_auto(GStrv) parts = g_strsplit(text, "-", (gint) count);
  if (g_strv_length(parts) != count)
    return FALSE;
  for (guint i = 0; i < count; i++)
    if (!g_ascii_string_to_unsigned(parts[i], 10, least[i], most[i], &numbers[i], NULL))
      return FALSE;
  return TRUE;
}

/* The midnight with which the day TEXT begins, here; or NULL with an error. */
static GDateTime *
parse_day(const char *option, const char *text, GError **error)
{
  guint64 numbers[3];
  GDateTime *day = NULL;
  if (parse_numbers(text, 3, numbers))
    day = g_date_time_new_local((gint) numbers[0], (gint) numbers[1], (gint) numbers[2], 0,
                                0, 0);
  if (day == NULL)
    command_error(error, ZEGEL_ERROR_INVALID, "--%s: a day such as 2026-11-22 is expected",
                  option);
  return day;
}

static GDateTime *
midnight_plus(GDateTime *day, gint days)
{
  g_autoptr(GDateTime) other = g_date_time_add_days(day, days);
  gint year, month, of_month;
  g_date_time_get_ymd(other, &year, &month, &of_month);
  return g_date_time_new_local(year, month, of_month, 0, 0, 0);
}

/* From FIRST until before END. */
static gboolean
set_time(Asked *asked, GDateTime *first, GDateTime *end, GError **error)
{
  gint64 days =
      (g_date_time_difference(end, first) + G_TIME_SPAN_DAY / 2) / G_TIME_SPAN_DAY;
  if (days < 1 || days > MAX_DAYS)
    return command_error(error, ZEGEL_ERROR_INVALID,
                         "--until: a day from --since on, at most ten years later, is "
                         "expected");
  g_autoptr(GDateTime) last = g_date_time_add_hours(end, -12);
  asked->flow.since_us = g_date_time_to_unix(first) * G_USEC_PER_SEC;
  asked->flow.until_us = g_date_time_to_unix(end) * G_USEC_PER_SEC;
  asked->first = g_date_time_format(first, DATE_FORMAT);
  asked->last = g_date_time_format(last, DATE_FORMAT);
  return TRUE;
}

static gboolean
parse_month(Asked *asked, GError **error)
{
  guint64 numbers[2];
  if (option_since != NULL || option_until != NULL)
    return command_error(error, ZEGEL_ERROR_INVALID,
                         "--month goes without --since and --until");
  if (!parse_numbers(option_month, 2, numbers))
    return command_error(error, ZEGEL_ERROR_INVALID,
                         "--month: a month such as 2026-11 is expected");
  g_autoptr(GDateTime) first =
      g_date_time_new_local((gint) numbers[0], (gint) numbers[1], 1, 0, 0, 0);
  g_autoptr(GDateTime) next = g_date_time_add_months(first, 1);
  g_autoptr(GDateTime) end = next != NULL ? midnight_plus(next, 0) : NULL;
  return end != NULL ? set_time(asked, first, end, error)
                     : command_error(error, ZEGEL_ERROR_INVALID, "--month: too late");
}

/* Without --until up to today; without --since as many days as is usual. */
static gboolean
parse_time(Asked *asked, GError **error)
{
  if (option_month != NULL)
    return parse_month(asked, error);
  g_autoptr(GDateTime) now = g_date_time_new_now_local();
  g_autoptr(GDateTime) last = option_until != NULL ? parse_day("until", option_until, error)
                                                   : midnight_plus(now, 0);
  if (last == NULL)
    return FALSE;
  g_autoptr(GDateTime) first = option_since != NULL
                                   ? parse_day("since", option_since, error)
                                   : midnight_plus(last, 1 - USUAL_DAYS);
  g_autoptr(GDateTime) end = midnight_plus(last, 1);
  return first != NULL && set_time(asked, first, end, error);
}

static gboolean
find_organisation(const Config *config, Asked *asked, GError **error)
{
  const GPtrArray *all = config->organisations;
  if (option_org != NULL)
    asked->organisation = conf_organisation(config, option_org);
  else if (all->len == 1)
    asked->organisation = all->pdata[0];
  return asked->organisation != NULL ||
         command_error(error, ZEGEL_ERROR_INVALID,
                       "--org: the name of an [organisation NAME] is expected");
}

static gboolean
parse_options(const Config *config, Asked *asked, GError **error)
{
  guint form, step, language;
  if (!find_organisation(config, asked, error) || !parse_time(asked, error) ||
      !parse_word("format", option_format, forms, G_N_ELEMENTS(forms), FORM_TEXT, &form,
                  error) ||
      !parse_word("by", option_by, steps, G_N_ELEMENTS(steps), FLOW_BY_DAY, &step, error) ||
      !parse_word("language", option_language, tongues, G_N_ELEMENTS(tongues),
                  strcmp(asked->organisation->language, "en") == 0, &language, error))
    return FALSE;
  asked->form = (Form) form;
  asked->flow.step = (FlowStep) step;
  asked->flow.senders = option_senders;
  asked->language = tongues[language];
  if (asked->form == FORM_PDF && option_output == NULL && isatty(STDOUT_FILENO))
    return command_error(error, ZEGEL_ERROR_INVALID, "a PDF is no text: use -o FILE");
  return TRUE;
}

/* ---- Counting ---- */

static void
take_event(const Attrs *attrs, gint64 at_us, gpointer flow)
{
  flow_add(flow, attrs, at_us);
}

static Flow *
count(const Config *config, const Asked *asked, GError **error)
{
  g_autoptr(Events) events = events_open(config, error);
  if (events == NULL)
    return NULL;
  g_autoptr(Flow) flow = flow_new(&asked->flow);
  gint64 from_us = asked->flow.since_us - PARTNER_DAYS * G_TIME_SPAN_DAY;
  if (!events_each(events, asked->organisation->name, "routed", from_us,
                   asked->flow.since_us, take_event, flow, error) ||
      !events_each(events, asked->organisation->name, NULL, asked->flow.since_us,
                   G_MAXINT64, take_event, flow, error))
    return NULL;
  return g_steal_pointer(&flow);
}

/* ---- Writing ---- */

static GByteArray *
bytes_of(char *text)
{
  return g_byte_array_new_take((guint8 *) text, strlen(text));
}

static GByteArray *
format(const Config *config, const Asked *asked, Flow *flow, GError **error)
{
  const FlowWords words = {asked->organisation->display_name, asked->language, asked->first,
                           asked->last, asked->flow.senders};
  language_use(asked->language);
  if (asked->form == FORM_CSV)
    return bytes_of(flow_data_csv(flow));
  if (asked->form == FORM_JSON)
    return bytes_of(flow_data_json(flow, asked->organisation->name, &asked->flow));
  g_autoptr(Sheet) sheet = flow_sheet_new(flow, &words);
  if (asked->form == FORM_PDF)
    return sheet_format_pdf(sheet, config->viewer_reader, error);
  return bytes_of(asked->form == FORM_HTML ? sheet_format_html(sheet)
                                           : sheet_format_text(sheet));
}

static gboolean
put_out(const GByteArray *bytes, GError **error)
{
  g_autoptr(GError) reason = NULL;
  if (option_output == NULL) {
    fwrite(bytes->data, 1, bytes->len, stdout);
    return TRUE;
  }
  if (g_file_set_contents_full(option_output, (const char *) bytes->data,
                               (gssize) bytes->len, G_FILE_SET_CONTENTS_CONSISTENT,
                               OUTPUT_MODE, &reason))
    return TRUE;
  return command_error(error, ZEGEL_ERROR_INVALID, "%s", reason->message);
}

/* Who looks at what, before he does. */
static gboolean
tell(const Config *config, const Asked *asked, GError **error)
{
  g_autofree char *user = command_user();
  g_autoptr(Event) event =
      event_new(EVENT_MESSAGES_SHOWN, NULL, asked->organisation->name, "by", user,
                "request", "report-flow", "since", asked->first, "until", asked->last,
                "view", asked->flow.senders ? "senders" : "domains", NULL);
  return record_first(config, event, error);
}

static gboolean
report(GError **error)
{
  g_auto(Asked) asked = {.organisation = NULL};
  g_autoptr(Config) config = command_config(error);
  if (config == NULL || !parse_options(config, &asked, error) ||
      !tell(config, &asked, error))
    return FALSE;
  g_autoptr(Flow) flow = count(config, &asked, error);
  g_autoptr(GByteArray) bytes = flow != NULL ? format(config, &asked, flow, error) : NULL;
  return bytes != NULL && put_out(bytes, error);
}

int
report_flow_run(int argc, char **argv)
{
  GError *error = NULL;
  (void) argc;
  (void) argv;
  return report(&error) ? command_done(EX_OK) : command_fail(error);
}

const GOptionEntry report_flow_options[] = {
    {"org", 0, 0, G_OPTION_ARG_STRING, &option_org, "Of this organisation", "NAME"},
    {"since", 0, 0, G_OPTION_ARG_STRING, &option_since, "From this day on", "DATE"},
    {"until", 0, 0, G_OPTION_ARG_STRING, &option_until, "Up to this day, with it", "DATE"},
    {"month", 0, 0, G_OPTION_ARG_STRING, &option_month, "Of this month", "YYYY-MM"},
    {"by", 0, 0, G_OPTION_ARG_STRING, &option_by, "Periods: day, week or month", "WORD"},
    {"format", 0, 0, G_OPTION_ARG_STRING, &option_format, "text, html, csv, json or pdf",
     "WORD"},
    {"senders", 0, 0, G_OPTION_ARG_NONE, &option_senders, "Senders by their address", NULL},
    {"language", 0, 0, G_OPTION_ARG_STRING, &option_language, "nl or en", "WORD"},
    {"output", 'o', 0, G_OPTION_ARG_FILENAME, &option_output, "Into this file", "FILE"},
    G_OPTION_ENTRY_NULL,
};
