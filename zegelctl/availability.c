/*
 * availability.c - zegelctl report availability: how much of the time the service was there
 * (NTA 7516 6.1.2), by month.
 *
 * All of it comes from the audit trail: what zegelctl probe found each minute, and which
 * windows for maintenance zegel.conf had then. Who changes zegel.conf later changes no
 * figure.
 */
#include "zegelctl/availability.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/audit/trail.h"
#include "common/base/error.h"
#include "zegelctl/audit_format.h"
#include "zegelctl/record.h"
#include "zegelctl/text.h"
#include "zegelctl/uptime.h"

#define USUAL_MONTHS 12
#define MAX_MONTHS   120
#define FIRST_YEAR   2000
#define LAST_YEAR    9999
#define LINE_END     "\r\n" /* RFC 4180 2.1 */

static char *option_org, *option_from, *option_to, *option_format;

typedef struct {
  int year, month;
  gint64 from_s, until_s; /* of what was measured in it */
  UptimeCount count;
} Month;

/* What is asked, and found. */
typedef struct {
  const char *organisation; /* NULL: all */
  GDateTime *from, *until;  /* first moments of days, here */
  Uptime *uptime;
  gint64 first_s; /* when it was looked for the first time; 0: never */
  GArray *months; /* of Month, and behind them one of all: month 0 */
} Availability;

static void
availability_clear(Availability *availability)
{
  g_clear_pointer(&availability->from, g_date_time_unref);
  g_clear_pointer(&availability->until, g_date_time_unref);
  uptime_free(availability->uptime);
  g_clear_pointer(&availability->months, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Availability, availability_clear)

/* ---- What is asked ---- */

/* The first day of the month TEXT, or, with NEXT, of the one behind it; or the day TEXT or
 * the next one. */
static GDateTime *
parse_day(const char *option, const char *text, gboolean next, GError **error)
{
  static const guint64 least[] = {FIRST_YEAR, 1, 1}, most[] = {LAST_YEAR, 12, 31};
  guint64 numbers[] = {0, 0, 1};
  g_auto(GStrv) parts = g_strsplit(text, "-", 3);
  guint count = g_strv_length(parts);
  gboolean good = count == 2 || count == 3;
  for (guint i = 0; good && i < count; i++)
    good = g_ascii_string_to_unsigned(parts[i], 10, least[i], most[i], &numbers[i], NULL);
  g_autoptr(GDateTime) day =
      good ? g_date_time_new_local((gint) numbers[0], (gint) numbers[1], (gint) numbers[2],
                                   0, 0, 0)
           : NULL;
  if (day == NULL) {
    command_error(error, ZEGEL_ERROR_INVALID,
                  "--%s: a month such as 2026-11 or a day such as 2026-11-22 is expected",
                  option);
    return NULL;
  }
  if (!next)
    return g_steal_pointer(&day);
  return count == 2 ? g_date_time_add_months(day, 1) : g_date_time_add_days(day, 1);
}

/* The first day of this month, and MONTHS more, here. */
static GDateTime *
month_from_now(gint months)
{
  g_autoptr(GDateTime) now = g_date_time_new_now_local();
  g_autoptr(GDateTime) first = g_date_time_new_local(
      g_date_time_get_year(now), g_date_time_get_month(now), 1, 0, 0, 0);
  return g_date_time_add_months(first, months);
}

static gboolean
parse_options(const Config *config, Availability *asked, GError **error)
{
  asked->organisation = option_org;
  if (option_org != NULL && conf_organisation(config, option_org) == NULL)
    return command_error(error, ZEGEL_ERROR_INVALID,
                         "--org: the name of an [organisation NAME] is expected");
  asked->until =
      option_to != NULL ? parse_day("to", option_to, TRUE, error) : month_from_now(1);
  if (asked->until == NULL)
    return FALSE;
  asked->from = option_from != NULL ? parse_day("from", option_from, FALSE, error)
                                    : month_from_now(1 - USUAL_MONTHS);
  if (asked->from == NULL)
    return FALSE;
  gint64 months = g_date_time_difference(asked->until, asked->from) / G_TIME_SPAN_DAY / 28;
  if (g_date_time_compare(asked->from, asked->until) >= 0 || months > MAX_MONTHS)
    return command_error(error, ZEGEL_ERROR_INVALID,
                         "--to: not before --from, and at most ten years later, is "
                         "expected");
  return TRUE;
}

/* ---- What was found ---- */

/* The time in KEY of ATTRS into *AT_S. */
static gboolean
read_time(const Attrs *attrs, const char *key, gint64 *at_s)
{
  const char *text = audit_value(attrs, key);
  g_autoptr(GDateTime) at = text != NULL ? g_date_time_new_from_iso8601(text, NULL) : NULL;
  if (at == NULL)
    return FALSE;
  *at_s = g_date_time_to_unix(at);
  return TRUE;
}

/* For trail_each: what concerns all counts for each. */
static gboolean
take_record(const TrailRecord *record, gpointer data, GError **error)
{
  Availability *availability = data;
  gint64 at_s = record->at_us / G_USEC_PER_SEC, begins_s, ends_s;
  const char *organisation = audit_value(record->attrs, "org");
  const char *outcome = audit_value(record->attrs, "outcome");
  (void) error;
  if (organisation == NULL && (availability->first_s == 0 || at_s < availability->first_s))
    availability->first_s = at_s;
  if (organisation != NULL && availability->organisation != NULL &&
      strcmp(organisation, availability->organisation) != 0)
    return TRUE;
  uptime_add(availability->uptime, at_s, g_strcmp0(outcome, "ok") == 0);
  if (read_time(record->attrs, "begins", &begins_s) &&
      read_time(record->attrs, "until", &ends_s))
    uptime_plan(availability->uptime, begins_s, ends_s);
  return TRUE;
}

/* What was measured begins with the first look of all. */
static gboolean
find_first(Trail *trail, Availability *availability, GError **error)
{
  const TrailQuery query = {.event = event_facts(EVENT_PROBE)->name,
                            .until_us =
                                g_date_time_to_unix(availability->from) * G_USEC_PER_SEC,
                            .limit = 1};
  return trail_each(trail, &query, take_record, availability, error);
}

static gboolean
read_trail(const Config *config, Availability *availability, GError **error)
{
  gint64 from_s = g_date_time_to_unix(availability->from);
  gint64 until_s = g_date_time_to_unix(availability->until);
  const TrailQuery query = {.event = event_facts(EVENT_PROBE)->name,
                            .from_us = from_s * G_USEC_PER_SEC,
                            .until_us = until_s * G_USEC_PER_SEC};
  g_autoptr(Trail) trail = trail_open(config->audit_database, NULL, error);
  availability->uptime = uptime_new(from_s, until_s);
  return trail != NULL && find_first(trail, availability, error) &&
         trail_each(trail, &query, take_record, availability, error);
}

/* ---- Counting ---- */

static void
add_month(Availability *availability, int year, int month, gint64 from_s, gint64 until_s)
{
  gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
  gint64 first_s = availability->first_s;
  /* The minute that is not over yet may still be looked at. */
  gint64 end_s = now_s - now_s % UPTIME_MINUTE_S;
  Month one = {.year = year, .month = month};
  one.from_s = MAX(from_s, first_s - first_s % UPTIME_MINUTE_S);
  one.until_s = MIN(until_s, end_s);
  if (first_s != 0 && one.from_s < one.until_s)
    uptime_count(availability->uptime, one.from_s, one.until_s, &one.count);
  g_array_append_val(availability->months, one);
}

/* Each month, from its first day or --from on, and all together. */
static void
count_months(Availability *availability)
{
  gint64 end_s = g_date_time_to_unix(availability->until);
  g_autoptr(GDateTime) at = g_date_time_ref(availability->from);
  availability->months = g_array_new(FALSE, TRUE, sizeof(Month));
  while (g_date_time_compare(at, availability->until) < 0) {
    gint year, month, day;
    g_date_time_get_ymd(at, &year, &month, &day);
    g_autoptr(GDateTime) first = g_date_time_new_local(year, month, 1, 0, 0, 0);
    GDateTime *next = g_date_time_add_months(first, 1);
    add_month(availability, year, month, g_date_time_to_unix(at),
              MIN(g_date_time_to_unix(next), end_s));
    g_date_time_unref(at);
    at = next;
  }
  add_month(availability, 0, 0, g_date_time_to_unix(availability->from), end_s);
}

static guint
share_of_all(const UptimeCount *count)
{
  return uptime_share(count->good, count->all);
}

/* Without what was planned. */
static guint
share_outside(const UptimeCount *count)
{
  return uptime_share(count->good - (count->planned - count->planned_lost),
                      count->all - count->planned);
}

static char *
name_of(const Month *month)
{
  return month->month > 0 ? g_strdup_printf("%04d-%02d", month->year, month->month)
                          : g_strdup("all");
}

/* ---- Writing ---- */

static void
append_text(GString *out, const Availability *availability)
{
  g_autofree char *head =
      g_strdup_printf("How much of the time the service was there%s%s: of all minutes, and "
                      "of those outside "
                      "of windows for maintenance. The norm wants 99.8 percent of a year.",
                      availability->organisation != NULL ? " for " : "",
                      availability->organisation != NULL ? availability->organisation : "");
  text_wrap(out, 0, 0, head);
  g_string_append(out, "\n  month     of all   outside    minutes    lost  planned  "
                       "interruptions  longest\n");
  for (guint i = 0; i < availability->months->len; i++) {
    const Month *month = &g_array_index(availability->months, Month, i);
    const UptimeCount *count = &month->count;
    guint all = share_of_all(count), outside = share_outside(count);
    g_autofree char *name = name_of(month);
    if (count->all == 0) {
      g_string_append_printf(out, "  %-7s  not measured\n", name);
      continue;
    }
    g_string_append_printf(out, "  %-7s %4u.%03u%% %4u.%03u%% ", name, all / 1000,
                           all % 1000, outside / 1000, outside % 1000);
    g_string_append_printf(out,
                           "%10" G_GUINT64_FORMAT " %7" G_GUINT64_FORMAT
                           " %8" G_GUINT64_FORMAT " %14" G_GUINT64_FORMAT
                           " %5" G_GUINT64_FORMAT " min\n",
                           count->all, count->bad + count->unseen, count->planned,
                           count->interruptions, count->longest);
  }
}

/* The numbers of a month, in the order of the columns of the CSV. */
static void
append_numbers(GString *out, const UptimeCount *count, const char *const *names)
{
  const guint64 numbers[] = {count->all,           count->good,    count->bad,
                             count->unseen,        count->planned, count->planned_lost,
                             count->interruptions, count->longest};
  for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
    g_string_append_printf(out, "%s%s%s%" G_GUINT64_FORMAT, names != NULL ? ", \"" : ",",
                           names != NULL ? names[i] : "", names != NULL ? "\": " : "",
                           numbers[i]);
}

static void
append_csv(GString *out, const Availability *availability)
{
  g_string_append(out, "month,percent,percent_outside,minutes,good,bad,unseen,planned,"
                       "planned_lost,interruptions,longest" LINE_END);
  for (guint i = 0; i < availability->months->len; i++) {
    const Month *month = &g_array_index(availability->months, Month, i);
    guint all = share_of_all(&month->count), outside = share_outside(&month->count);
    g_autofree char *name = name_of(month);
    if (month->count.all > 0)
      g_string_append_printf(out, "%s,%u.%03u,%u.%03u", name, all / 1000, all % 1000,
                             outside / 1000, outside % 1000);
    else
      g_string_append_printf(out, "%s,,", name);
    append_numbers(out, &month->count, NULL);
    g_string_append(out, LINE_END);
  }
}

static void
append_json(GString *out, const Availability *availability)
{
  static const char *const names[] = {"minutes",       "good",    "bad",
                                      "unseen",        "planned", "planned_lost",
                                      "interruptions", "longest"};
  g_string_append(out, "{\"organisation\": ");
  if (availability->organisation != NULL)
    json_append_string(out, availability->organisation);
  else
    g_string_append(out, "null");
  g_string_append(out, ", \"months\": [\n");
  for (guint i = 0; i < availability->months->len; i++) {
    const Month *month = &g_array_index(availability->months, Month, i);
    guint all = share_of_all(&month->count), outside = share_outside(&month->count);
    g_autofree char *name = name_of(month);
    g_string_append_printf(out, "  {\"month\": \"%s\"", name);
    if (month->count.all > 0)
      g_string_append_printf(out, ", \"percent\": %u.%03u, \"percent_outside\": %u.%03u",
                             all / 1000, all % 1000, outside / 1000, outside % 1000);
    else
      g_string_append(out, ", \"percent\": null, \"percent_outside\": null");
    append_numbers(out, &month->count, names);
    g_string_append(out, i + 1 < availability->months->len ? "},\n" : "}\n");
  }
  g_string_append(out, "]}\n");
}

static const struct {
  const char *name;
  void (*append)(GString *out, const Availability *availability);
} formats[] = {{"text", append_text}, {"csv", append_csv}, {"json", append_json}};

/* ---- The command ---- */

/* The place of --format in formats. */
static gboolean
find_format(guint *format, GError **error)
{
  *format = 0;
  while (option_format != NULL && *format < G_N_ELEMENTS(formats) &&
         strcmp(formats[*format].name, option_format) != 0)
    (*format)++;
  return *format < G_N_ELEMENTS(formats) ||
         command_error(error, ZEGEL_ERROR_INVALID,
                       "--format: one of text, csv, json is expected");
}

/* Who looks into the trail, before he does. */
static gboolean
tell(const Config *config, const Availability *asked, GError **error)
{
  g_autofree char *user = command_user();
  g_autoptr(Event) event = event_new(EVENT_AUDIT_READ, NULL, asked->organisation, "by",
                                     user, "view", "availability", NULL);
  return record_first(config, event, error);
}

static gboolean
report(GError **error)
{
  guint format;
  g_auto(Availability) availability = {.organisation = NULL};
  g_autoptr(Config) config = command_config(error);
  if (config == NULL || !find_format(&format, error) ||
      !parse_options(config, &availability, error) || !tell(config, &availability, error) ||
      !read_trail(config, &availability, error))
    return FALSE;
  g_autoptr(GString) out = g_string_new(NULL);
  count_months(&availability);
  formats[format].append(out, &availability);
  fputs(out->str, stdout);
  return TRUE;
}

int
availability_run(int argc, char **argv)
{
  GError *error = NULL;
  (void) argc;
  (void) argv;
  return report(&error) ? command_done(EX_OK) : command_fail(error);
}

const GOptionEntry availability_options[] = {
    {"org", 0, 0, G_OPTION_ARG_STRING, &option_org, "Of this organisation", "NAME"},
    {"from", 0, 0, G_OPTION_ARG_STRING, &option_from, "From this month or day on", "DATE"},
    {"to", 0, 0, G_OPTION_ARG_STRING, &option_to, "Up to this one, with it", "DATE"},
    {"format", 0, 0, G_OPTION_ARG_STRING, &option_format, "text, csv or json", "WORD"},
    G_OPTION_ENTRY_NULL,
};
