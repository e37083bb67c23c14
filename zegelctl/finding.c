#include "zegelctl/finding.h"

#include <stdarg.h>
#include <string.h>

#define DAY_S          86400
#define MONTHS_OF_YEAR 12

/* What the search of one domain needs. */
typedef struct {
  Seen *seen;
  const FindingRules *rules;
  const FindingSubject *subject;
  const SeenDomain *state; /* NULL: never found out */
  GHashTable *hosts;
  GPtrArray *findings;
} Search;

/* ---- Findings ---- */

Finding *
finding_new(const char *code, const char *domain, gboolean ours)
{
  Finding *finding = g_new0(Finding, 1);
  finding->code = code;
  finding->ours = ours;
  finding->domain = g_strdup(domain);
  finding->what = g_string_new(NULL);
  finding->action = g_string_new(NULL);
  finding->keys = g_ptr_array_new_with_free_func(g_free);
  return finding;
}

void
finding_free(Finding *finding)
{
  if (finding == NULL)
    return;
  g_free(finding->domain);
  g_free(finding->host);
  g_free(finding->until);
  g_string_free(finding->what, TRUE);
  g_string_free(finding->action, TRUE);
  g_ptr_array_unref(finding->keys);
  g_free(finding);
}

void
finding_key(Finding *finding, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  g_autofree char *rest = g_strdup_vprintf(format, args);
  va_end(args);
  g_ptr_array_add(finding->keys, g_strdup_printf("%s %s %s", finding->code,
                                                 finding->ours ? "ours" : "theirs", rest));
}

static Finding *
add(Search *search, const char *code)
{
  Finding *finding = finding_new(code, search->subject->domain, search->subject->ours);
  g_ptr_array_add(search->findings, finding);
  return finding;
}

/* Whom to tell of a partner's fault: the address that NTA 7516 wants there. */
static void
begin_action(Finding *finding)
{
  if (!finding->ours)
    g_string_append_printf(finding->action, "tell NTA7516@%s: ", finding->domain);
}

/* ---- Days ---- */

static void
set_day(GDate *date, gint64 time_s)
{
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(time_s);
  g_date_clear(date, 1);
  g_date_set_dmy(date, (GDateDay) g_date_time_get_day_of_month(time),
                 (GDateMonth) g_date_time_get_month(time),
                 (GDateYear) g_date_time_get_year(time));
}

static char *
day_text(gint64 time_s)
{
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(time_s);
  return g_date_time_format(time, "%Y-%m-%d");
}

/* The last day of MONTH. */
static void
set_last_day(GDate *date, int month)
{
  GDateYear year = (GDateYear) (month / MONTHS_OF_YEAR);
  GDateMonth of_year = (GDateMonth) (month % MONTHS_OF_YEAR + 1);
  g_date_clear(date, 1);
  g_date_set_dmy(date, g_date_get_days_in_month(of_year, year), of_year, year);
}

static gint64
horizon_s(const Search *search)
{
  return search->rules->now_s - (gint64) search->rules->days * DAY_S;
}

/* ---- The record ---- */

static char *
month_text(int month)
{
  return g_strdup_printf("%04d-%02d", month / MONTHS_OF_YEAR, month % MONTHS_OF_YEAR + 1);
}

/* FIELD is "NAME=VALUE" or "NAME:VALUE"; whether it is one of NAMES. */
static gboolean
is_field(const char *field, const char *const *names)
{
  gsize len = strcspn(field, "=:");
  g_autofree char *name = g_strndup(field, len);
  g_strstrip(name);
  for (; *names != NULL; names++)
    if (field[len] != '\0' && g_ascii_strcasecmp(name, *names) == 0)
      return TRUE;
  return FALSE;
}

char *
finding_renewed(const char *text, int month)
{
  static const char *const starts[] = {"startdate", "version", NULL};
  static const char *const ends[] = {"enddate", "expire", NULL};
  g_auto(GStrv) fields = g_strsplit(text, ";", -1);
  g_autofree char *start = month_text(month);
  g_autofree char *end = month_text(month + FINDING_SPAN_MONTHS);
  for (char **field = fields; *field != NULL; field++) {
    const char *value = is_field(*field, starts) ? start
                        : is_field(*field, ends) ? end
                                                 : NULL;
    if (value == NULL)
      continue;
    gsize len = strcspn(*field, "=:") + 1;
    char *renewed = g_strdup_printf("%.*s%s", (int) len, *field, value);
    g_free(*field);
    *field = renewed;
  }
  return g_strjoinv(";", fields);
}

/* What to publish in the place of RECORD. */
static void
add_renewed(const Search *search, Finding *finding, const SeenRecord *record)
{
  GDate today;
  set_day(&today, search->rules->now_s);
  int month = g_date_get_year(&today) * MONTHS_OF_YEAR + g_date_get_month(&today) - 1;
  g_autofree char *text = finding_renewed(record->text, month);
  begin_action(finding);
  g_string_append_printf(finding->action, "publish%s%s: %s. IN TXT \"%s\"",
                         strcmp(finding->code, "Z-N1-ENDS") == 0 ? " before " : " now",
                         strcmp(finding->code, "Z-N1-ENDS") == 0 ? finding->until : "",
                         finding->domain, text);
}

static void
look_at_end(Search *search, const SeenRecord *record)
{
  GDate today, last;
  set_day(&today, search->rules->now_s);
  set_last_day(&last, record->ends);
  int left = g_date_days_between(&today, &last);
  if (left > (int) search->rules->days)
    return;
  Finding *finding = add(search, left < 0 ? "Z-N1-ENDED" : "Z-N1-ENDS");
  char day[sizeof "YYYY-MM-DD" + 4];
  g_date_strftime(day, sizeof day, "%Y-%m-%d", &last);
  finding->until = g_strdup(day);
  if (left < 0)
    g_string_append_printf(finding->what,
                           "the NTA 7516 record ended on %s: what is sensitive goes to the "
                           "viewer",
                           day);
  else
    g_string_append_printf(finding->what, "the NTA 7516 record ends on %s, in %d days", day,
                           left);
  finding_key(finding, "%s %s%s", finding->domain, day,
              left >= 0 && left <= FINDING_LAST_DAYS ? " last" : "");
  add_renewed(search, finding, record);
}

static void
look_at_span(Search *search, const SeenRecord *record)
{
  if (record->ends - record->begins <= FINDING_SPAN_MONTHS)
    return;
  Finding *finding = add(search, "Z-N1-SPAN");
  g_string_append_printf(finding->what,
                         "the NTA 7516 record holds for %d months; at most %d are allowed",
                         record->ends - record->begins, FINDING_SPAN_MONTHS);
  finding_key(finding, "%s %d-%d", finding->domain, record->begins, record->ends);
  add_renewed(search, finding, record);
}

/* ---- Who is ready ---- */

static const CheckLine *
find_line(const GPtrArray *lines, const char *code)
{
  for (guint i = 0; lines != NULL && i < lines->len; i++) {
    const CheckLine *line = lines->pdata[i];
    if (strcmp(line->code, code) == 0)
      return line;
  }
  return NULL;
}

/* Who was ready and whose DNS says nothing that counts: his mail waits, or is refused. */
static void
look_at_silence(Search *search)
{
  const SeenDomain *state = search->state;
  const GPtrArray *lines = search->subject->lines;
  if (lines == NULL || check_lines_result(lines) != CHECK_UNKNOWN ||
      search->rules->now_s - state->last_s < FINDING_SILENT_DAYS * DAY_S)
    return;
  g_autofree char *day = day_text(state->last_s);
  Finding *finding = add(search, "Z-N1-LOST");
  finding->since_s = state->last_s;
  g_string_append_printf(
      finding->what, "it was ready for NTA 7516; since %s that cannot be found out", day);
  begin_action(finding);
  g_string_append_printf(finding->action,
                         "see that its name servers answer, with good signatures: delv %s "
                         "TXT, zegelctl domain check %s",
                         finding->domain, finding->domain);
  finding_key(finding, "%s silent %" G_GINT64_FORMAT, finding->domain, state->last_s);
}

static void
look_at_readiness(Search *search)
{
  const SeenDomain *state = search->state;
  if (state != NULL && state->ready)
    look_at_silence(search);
  if (state == NULL || state->ready || state->ready_s == 0)
    return;
  const CheckLine *line = find_line(search->subject->lines, state->code);
  g_autofree char *day = day_text(state->ready_s);
  Finding *finding = add(search, "Z-N1-LOST");
  finding->since_s = state->since_s;
  g_string_append_printf(finding->what,
                         "it was ready for NTA 7516, the last time on %s, and is not any "
                         "more: %s",
                         day, state->code);
  if (line != NULL && line->result != CHECK_PASS)
    g_string_append_printf(finding->what, ", it is not so that %s", line->title);
  begin_action(finding);
  if (line != NULL && *line->cure != '\0')
    g_string_append(finding->action, line->cure);
  else
    g_string_append_printf(finding->action, "see zegelctl domain check %s",
                           finding->domain);
  finding_key(finding, "%s %" G_GINT64_FORMAT, finding->domain, state->since_s);
}

/* ---- What changed ---- */

/* Appends RECORDS that came, or went, in the last days to FINDING. */
static void
append_changes(const Search *search, Finding *finding, const GPtrArray *records,
               const char *name)
{
  for (guint i = 0; i < records->len; i++) {
    const SeenRecord *record = records->pdata[i];
    gint64 at_s = record->there ? record->first_s : record->last_s;
    if (at_s < horizon_s(search) || (record->there && !record->later))
      continue;
    g_autofree char *day = day_text(at_s);
    g_string_append_printf(finding->what, "%s%s \"%s\" (%s seen %s)",
                           finding->keys->len > 0 ? "; " : "",
                           record->there ? "new is" : "gone is", record->text,
                           record->there ? "first" : "last", day);
    finding_key(finding, "%s %s %s %" G_GINT64_FORMAT, name, record->there ? "+" : "-",
                record->text, at_s);
    finding->since_s = MAX(finding->since_s, at_s);
  }
}

/* The changes of KIND at NAME as a finding CODE, or NULL: there are none, or an error. */
static Finding *
look_at_changes(Search *search, const char *code, SeenKind kind, const char *name,
                const char *title, GError **error)
{
  g_autoptr(GPtrArray) records = seen_records(search->seen, kind, name, error);
  if (records == NULL)
    return NULL;
  Finding *finding = finding_new(code, search->subject->domain, search->subject->ours);
  g_string_append_printf(finding->what, "%s changed: ", title);
  append_changes(search, finding, records, name);
  if (finding->keys->len == 0) {
    finding_free(finding);
    return NULL;
  }
  g_ptr_array_add(search->findings, finding);
  return finding;
}

/* A change is no fault: somebody must say that he meant it. */
static void
ask_whether_meant(Finding *finding, const char *what)
{
  if (finding->ours)
    g_string_append_printf(finding->action,
                           "see that this was meant; if nobody here did it, put %s back, "
                           "and find out who could change the zone",
                           what);
  else
    g_string_append_printf(finding->action,
                           "nothing, when NTA7516@%s confirms that it was meant; it is "
                           "under DNSSEC and counts already",
                           finding->domain);
}

/* HOST of the domain at hand: its pins are told of once, with the first domain. */
static gboolean
look_at_pins(Search *search, const char *host, GError **error)
{
  gpointer known = NULL;
  g_autoptr(GError) reason = NULL;
  if (g_hash_table_lookup_extended(search->hosts, host, NULL, &known)) {
    Finding *finding = known;
    if (finding != NULL)
      g_string_append_printf(finding->what, "; it takes mail of %s too",
                             search->subject->domain);
    return TRUE;
  }
  g_autofree char *title = g_strdup_printf("the TLSA records of %s", host);
  Finding *finding = look_at_changes(search, "Z-N1-PINS", SEEN_TLSA, host, title, &reason);
  if (reason != NULL) {
    g_propagate_error(error, g_steal_pointer(&reason));
    return FALSE;
  }
  if (finding != NULL) {
    finding->host = g_strdup(host);
    ask_whether_meant(finding, "the records");
  }
  g_hash_table_insert(search->hosts, g_strdup(host), finding);
  return TRUE;
}

/* The hosts of KIND that are there, or were lately. *COUNT gets how many are there. */
static gboolean
look_at_hosts(Search *search, SeenKind kind, guint *count, GError **error)
{
  g_autoptr(GError) reason = NULL;
  const char *title = kind == SEEN_MX ? "its mail hosts (MX)" : "its mail hosts (ntamx)";
  g_autoptr(GPtrArray) records =
      seen_records(search->seen, kind, search->subject->domain, error);
  if (records == NULL)
    return FALSE;
  *count = 0;
  for (guint i = 0; i < records->len; i++) {
    const SeenRecord *record = records->pdata[i];
    const char *host = strchr(record->text, ' ');
    if (!record->there || host == NULL)
      continue;
    ++*count;
    if (!look_at_pins(search, host + 1, error))
      return FALSE;
  }
  Finding *finding =
      look_at_changes(search, "Z-N1-NTAMX", kind, search->subject->domain, title, &reason);
  if (finding != NULL)
    ask_whether_meant(finding, "them");
  if (reason != NULL)
    g_propagate_error(error, g_steal_pointer(&reason));
  return reason == NULL;
}

/* ---- One domain ---- */

/* Whether somebody else's domain is none that our mail depends on, or did lately. */
static gboolean
is_far(const Search *search)
{
  const FindingSubject *subject = search->subject;
  if (subject->ours || subject->partner)
    return FALSE;
  return search->state == NULL || search->state->ready_s < horizon_s(search);
}

/* Whether a stranger who never was ready would be, but for the span of his record. */
static gboolean
fails_by_span(const Search *search)
{
  const SeenDomain *state = search->state;
  return state != NULL && state->last_s >= horizon_s(search) &&
         strcmp(state->code, "Z-N1-SPAN") == 0;
}

/* The record at hand: *HAS tells whether there is one, and *ENDED whether it is over. */
static gboolean
look_at_records(Search *search, gboolean *has, GError **error)
{
  g_autoptr(GPtrArray) records =
      seen_records(search->seen, SEEN_NTA, search->subject->domain, error);
  if (records == NULL)
    return FALSE;
  *has = FALSE;
  for (guint i = 0; i < records->len; i++) {
    const SeenRecord *record = records->pdata[i];
    if (!record->there)
      continue;
    *has = TRUE;
    if (record->ends == 0)
      continue; /* it cannot be read: then it is not ready, which is told */
    if (!is_far(search))
      look_at_end(search, record);
    look_at_span(search, record);
  }
  return TRUE;
}

static gboolean
has_finding(const Search *search, guint from, const char *code)
{
  for (guint i = from; i < search->findings->len; i++)
    if (strcmp(((const Finding *) search->findings->pdata[i])->code, code) == 0)
      return TRUE;
  return FALSE;
}

gboolean
finding_search(Seen *seen, const FindingRules *rules, const FindingSubject *subject,
               GHashTable *hosts, GPtrArray *findings, GError **error)
{
  g_autoptr(SeenDomain) state = NULL;
  Search search = {.seen = seen, .rules = rules, .subject = subject, .hosts = hosts};
  search.findings = findings;
  guint before = findings->len, count = 0;
  gboolean has_record = FALSE;
  if (!seen_domain(seen, subject->domain, subject->ours, &state, error))
    return FALSE;
  search.state = state;
  if (is_far(&search) && !fails_by_span(&search))
    return TRUE;
  if (!look_at_records(&search, &has_record, error))
    return FALSE;
  if (is_far(&search))
    return TRUE;
  if (!has_finding(&search, before, "Z-N1-ENDED"))
    look_at_readiness(&search);
  if (!has_record)
    return TRUE; /* its hosts went with it */
  return look_at_hosts(&search, SEEN_NTAMX, &count, error) &&
         (count > 0 || look_at_hosts(&search, SEEN_MX, &count, error));
}
