#include "policyd/record.h"

/* What the TXT records of the domain have to say. */
typedef struct {
  const NtaRules *rules;
  const char *mail_host; /* in what to publish; may be NULL */
  NtaState state;        /* of the best one */
  NtaRecord *record;
  const char *what;
  guint count; /* records that are NTA records, good or bad */
  guint valid;
} Candidates;

/* The nearer to valid, the higher: a record that fails a later rule kept the earlier. */
static int
rank(NtaState state)
{
  return state == NTA_VALID ? G_MAXINT : (int) state;
}

static void
take_candidate(Checks *checks, GBytes *rdata, Candidates *all)
{
  g_autoptr(NtaRecord) record = NULL;
  const char *what = NULL;
  gsize len = 0;
  g_autofree char *text = rr_txt(rdata, &len);
  if (text == NULL)
    return; /* damaged: nobody can tell what it was */
  NtaState state = nta_parse(text, len, all->rules, &record, &what);
  if (state == NTA_OTHER)
    return;
  if (checks->lines != NULL) {
    g_autofree char *shown = rr_text(RR_TXT, rdata);
    checks_found(checks, "\"%s\"%s%s", shown, what != NULL ? ": " : "",
                 what != NULL ? what : "");
  }
  all->count++;
  all->valid += state == NTA_VALID ? 1 : 0;
  if (all->count > 1 && rank(state) <= rank(all->state))
    return;
  nta_record_free(all->record);
  all->record = g_steal_pointer(&record);
  all->state = state;
  all->what = what;
}

/* A whole record that would count now, with what RECORD (or NULL) says of the rest. */
static char *
good_record(const NtaRecord *record, const Candidates *all, const char *domain)
{
  const char *mail_host = all->mail_host;
  g_autofree char *start = nta_month_text(all->rules->month);
  g_autofree char *end = nta_month_text(all->rules->month + NTA_SPAN_MONTHS);
  g_autoptr(GString) text = g_string_new(NULL);
  g_string_printf(text, "v=NTA7516-1;startdate=%s;enddate=%s;provider=%s", start, end,
                  record != NULL ? record->provider : "NAME");
  for (guint i = 0; record != NULL && i < record->hosts->len; i++) {
    const NtaHost *host = record->hosts->pdata[i];
    g_string_append_printf(text, ";ntamx=%u %s", record->old ? 10 : host->preference,
                           host->host);
  }
  if (record == NULL)
    g_string_append_printf(text, ";ntamx=10 %s%s", mail_host != NULL ? mail_host : "mail.",
                           mail_host != NULL ? "" : domain);
  return g_string_free(g_steal_pointer(&text), FALSE);
}

static void
mend_record(Checks *checks, const char *verb, const NtaRecord *record,
            const Candidates *all)
{
  if (checks->lines == NULL)
    return;
  g_autofree char *text = good_record(record, all, checks->domain);
  checks_mend(checks, "%s: %s. IN TXT \"%s\"%s", verb, checks->domain, text,
              record == NULL ? ", with the NAME of your provider and its mail host" : "");
}

static CheckResult
check_dnssec(Checks *checks, const DnsAnswer *answer)
{
  CheckResult result = check_answer(answer, TRUE);
  checks_found(checks, "TXT of %s: %s", checks->domain, check_answer_text(answer));
  if (result == CHECK_UNKNOWN)
    checks_mend(checks,
                "try again later; when it stays so, the name servers do not answer or the "
                "signatures are bad: delv %s TXT",
                checks->domain);
  else if (answer->alias)
    checks_mend(checks, "publish the records at %s itself, without CNAME or DNAME",
                checks->domain);
  else
    checks_mend(checks, "sign the zone of %s with DNSSEC, and have its DS record published",
                checks->domain);
  checks_require(checks, "Z-N1-DNSSEC", result,
                 "the domain's TXT records are under DNSSEC");
  return result;
}

/* Ends the rule at hand: the record is GOOD, or a new one must take its place. */
static void
require_record(Checks *checks, const char *code, gboolean good, const char *title,
               const Candidates *all)
{
  if (!good)
    mend_record(checks, "put in its place", all->record, all);
  checks_require(checks, code, good ? CHECK_PASS : CHECK_FAIL, title);
}

static void
found_dates(Checks *checks, const NtaRecord *record, int month)
{
  if (checks->lines == NULL)
    return;
  g_autofree char *start = nta_month_text(record->start);
  g_autofree char *end = nta_month_text(record->end);
  g_autofree char *now = nta_month_text(month);
  checks_found(checks, "from %s through %s; it is %s", start, end, now);
}

/* The rules that a record must keep which can be read. */
static void
check_content(Checks *checks, const Candidates *all)
{
  const NtaRecord *record = all->record;
  const NtaRules *rules = all->rules;
  gboolean good = !record->old || rules->old_syntax;
  checks_found(checks, record->old ? "v=NTA7516, the syntax of 2019%s" : "v=NTA7516-1%s",
               record->old && good ? ", which [policyd] nta_old_syntax allows" : "");
  require_record(checks, "Z-N1-OLD", good, "the record has the current syntax", all);
  found_dates(checks, record, rules->month);
  require_record(checks, "Z-N1-DATES", nta_in_dates(record, rules->month),
                 "the record is valid today", all);
  good = nta_in_span(record);
  checks_found(checks, "the end is %d months after the start%s",
               record->end - record->start,
               !good && rules->long_span ? ", which [policyd] nta_long_span allows" : "");
  require_record(checks, "Z-N1-SPAN", good || rules->long_span,
                 "the record holds for at most three years", all);
}

/* Whether there is a record, one, that can be read. */
static void
check_presence(Checks *checks, const Candidates *all)
{
  if (all->count == 0) {
    checks_found(checks, "none of its TXT records begins with v=NTA7516");
    mend_record(checks, "publish", NULL, all);
  }
  checks_require(checks, "Z-N1-RECORD", all->count > 0 ? CHECK_PASS : CHECK_FAIL,
                 "the domain has an NTA 7516 record");
  if (all->count == 0)
    return;
  checks_found(checks, "records that count: %u", all->valid);
  checks_mend(checks, "take out all NTA 7516 records but one: which of them holds is not "
                      "specified");
  checks_require(checks, "Z-N1-TWO", all->valid > 1 ? CHECK_FAIL : CHECK_PASS,
                 "no two records count at once");
  checks_found(checks, "%s", all->state == NTA_SYNTAX ? all->what : "it can be read");
  require_record(checks, "Z-N1-SYNTAX", all->state != NTA_SYNTAX, "the record can be read",
                 all);
}

NtaRecord *
record_check(Checks *checks, const NtaRules *rules, const char *mail_host)
{
  Candidates all = {.rules = rules, .mail_host = mail_host, .state = NTA_OTHER};
  const DnsAnswer *answer = lookup_dns(checks->lookup, checks->domain, RR_TXT);
  if (check_dnssec(checks, answer) == CHECK_UNKNOWN) {
    checks_found(checks, "%s", check_answer_text(answer));
    checks_require(checks, "Z-N1-RECORD", CHECK_UNKNOWN,
                   "the domain has an NTA 7516 record");
    return NULL;
  }
  for (guint i = 0; i < answer->records->len; i++)
    take_candidate(checks, answer->records->pdata[i], &all);
  check_presence(checks, &all);
  if (all.record != NULL)
    check_content(checks, &all);
  return all.record;
}
