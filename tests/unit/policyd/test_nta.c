#include "policyd/nta.h"

#include <string.h>

#include "tests/unit/tap.h"

#define NOW  "2026-11" /* in which most rows are read */
#define HEAD "v=NTA7516-1;startdate=2026-01;enddate=2027-01;provider=p"
#define OLD  "v=NTA7516;version:2026-01;expire:2027-01;provider:p"
#define L63  "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"
#define M4   HEAD ";ntamx=1 a.nl;ntamx=1 b.nl;ntamx=1 c.nl;ntamx=1 d.nl"
#define M12                                                                                \
  ";ntamx=1 e.nl;ntamx=1 f.nl;ntamx=1 g.nl;ntamx=1 h.nl"                                   \
  ";ntamx=1 i.nl;ntamx=1 j.nl;ntamx=1 k.nl;ntamx=1 l.nl"                                   \
  ";ntamx=1 m.nl;ntamx=1 n.nl;ntamx=1 o.nl;ntamx=1 p.nl"

static const char *const state_names[] = {
    [NTA_VALID] = "valid", [NTA_OTHER] = "other",     [NTA_SYNTAX] = "syntax",
    [NTA_OLD] = "old",     [NTA_NOT_YET] = "not yet", [NTA_ENDED] = "ended",
    [NTA_SPAN] = "span",
};

/* RULES: "old" and "long" as words, and the month it is, else NOW. */
static NtaRules
rules_of(const char *text)
{
  g_auto(GStrv) words = g_strsplit(text, " ", -1);
  const char *const *all = (const char *const *) words;
  const char *last = *words != NULL ? words[g_strv_length(words) - 1] : "";
  const char *month = g_ascii_isdigit(*last) ? last : NOW;
  return (NtaRules){
      .old_syntax = g_strv_contains(all, "old"),
      .long_span = g_strv_contains(all, "long"),
      .month = (int) g_ascii_strtoll(month, NULL, 10) * 12 +
               (int) g_ascii_strtoll(month + 5, NULL, 10) - 1,
  };
}

/* "2026-01 2027-01 p 10 mx.a.nl, 20 mx.b.nl", or "-" without a record. */
static char *
text_of(const NtaRecord *record)
{
  if (record == NULL)
    return g_strdup("-");
  g_autofree char *start = nta_month_text(record->start);
  g_autofree char *end = nta_month_text(record->end);
  g_autoptr(GString) text = g_string_new(NULL);
  g_string_printf(text, "%s%s %s %s", record->old ? "old " : "", start, end,
                  record->provider);
  for (guint i = 0; i < record->hosts->len; i++) {
    const NtaHost *host = record->hosts->pdata[i];
    g_string_append_printf(text, "%s %u %s", i > 0 ? "," : "", host->preference,
                           host->host);
  }
  return g_string_free(g_steal_pointer(&text), FALSE);
}

typedef struct {
  const char *name, *text, *rules, *state, *record;
} Row;

static void
check_rows(const Row *rows, gsize count)
{
  for (gsize i = 0; i < count; i++) {
    NtaRules rules = rules_of(rows[i].rules);
    NtaRecord *record = (NtaRecord *) &rules; /* must be overwritten */
    const char *what = "never set";
    g_test_message("%s: %s", rows[i].name, rows[i].text);
    NtaState state = nta_parse(rows[i].text, strlen(rows[i].text), &rules, &record, &what);
    g_autoptr(NtaRecord) owned = record;
    g_autofree char *text = text_of(owned);
    g_assert_cmpstr(state_names[state], ==, rows[i].state);
    g_assert_cmpstr(text, ==, rows[i].record);
    g_assert_cmpint(what == NULL, ==, state == NTA_VALID || state == NTA_OTHER);
    g_assert_cmpstr(what, !=, "never set");
  }
}

#define P  "2026-01 2027-01 p"
#define PM "2026-01 2027-01 p 10 mx.a.nl"

static void
test_forms(void)
{
  static const Row rows[] = {
      {"of seed 002",
       "v=NTA7516-1;startdate=2023-03;enddate=2026-03;provider=zorgmail;ntamx=10 "
       "relay.zorgmail.nl",
       "2026-03", "valid", "2023-03 2026-03 zorgmail 10 relay.zorgmail.nl"},
      {"no ntamx", HEAD, "", "valid", P},
      {"one", HEAD ";ntamx=10 mx.a.nl", "", "valid", PM},
      {"ends with ;", HEAD ";ntamx=10 mx.a.nl;", "", "valid", PM},
      {"ends with ; and space", HEAD ";ntamx=10 mx.a.nl ; ", "", "valid", PM},
      {"space around ;", "v=NTA7516-1 ; startdate=2026-01 ;\tenddate=2027-01; provider=p",
       "", "valid", P},
      {"space around =",
       "v = NTA7516-1;startdate = 2026-01;enddate= 2027-01;provider =p;ntamx = 10 mx.a.nl",
       "", "valid", PM},
      {"space before v", "  " HEAD, "", "valid", P},
      {"dot at the end of a host", HEAD ";ntamx=10 mx.a.nl.", "", "valid", PM},
      {"two dots at the end of a host", HEAD ";ntamx=10 mx.a.nl..", "", "syntax", "-"},
      {"v in lower case", "v=nta7516-1;startdate=2026-01;enddate=2027-01;provider=p", "",
       "valid", P},
      {"V", "V=Nta7516-1;startdate=2026-01;enddate=2027-01;provider=p", "", "valid", P},
      {"names in mixed case",
       "v=NTA7516-1;StartDate=2026-01;ENDDATE=2027-01;Provider=p;NtaMx=10 MX.A.nl", "",
       "valid", PM},
      {"provider in mixed case",
       "v=NTA7516-1;startdate=2026-01;enddate=2027-01;provider=ZorgMail", "", "valid",
       "2026-01 2027-01 ZorgMail"},
      {"provider of two words",
       "v=NTA7516-1;startdate=2026-01;enddate=2027-01;provider=Zorg Mail", "", "valid",
       "2026-01 2027-01 Zorg Mail"},
      {"colons",
       "v:NTA7516-1;startdate:2026-01;enddate:2027-01;provider:p;ntamx:10 mx.a.nl", "",
       "valid", PM},
      {"another order",
       "v=NTA7516-1;ntamx=10 mx.a.nl;provider=p;enddate=2027-01;startdate=2026-01", "",
       "valid", PM},
      {"unknown fields", "v=NTA7516-1;x=1;startdate=2026-01;enddate=2027-01;y:;provider=p",
       "", "valid", P},
      {"a field of the old syntax is unknown", HEAD ";version=2019-01", "", "valid", P},
      {"= in a value", HEAD ";x=a=b", "", "valid", P},
      {"several spaces before a host", HEAD ";ntamx=10 \t mx.a.nl", "", "valid", PM},
  };
  check_rows(rows, G_N_ELEMENTS(rows));
}

static void
test_others(void)
{
  static const Row rows[] = {
      {"nothing", "", "", "other", "-"},
      {"SPF", "v=spf1 mx -all", "", "other", "-"},
      {"another tag first", "startdate=2026-01;v=NTA7516-1", "", "other", "-"},
      {"no v", "NTA7516-1;startdate=2026-01", "", "other", "-"},
      {"another norm", "v=NTA75160;startdate=2026-01", "", "other", "-"},
      {"another word", "v=NTA7516x", "", "other", "-"},
      {"; first", ";" HEAD, "", "other", "-"},
      {"a norm to come", "v=NTA7516-2;startdate=2026-01", "", "syntax", "-"},
      {"version 10", "v=NTA7516-10;startdate=2026-01", "", "syntax", "-"},
      {"version 1.0", "v=NTA7516-1.0;startdate=2026-01", "", "syntax", "-"},
      {"no version", "v=NTA7516-;startdate=2026-01", "", "syntax", "-"},
      {"version without ;", "v=NTA7516-1 startdate=2026-01;enddate=2027-01", "", "syntax",
       "-"},
      {"only the version", "v=NTA7516-1", "", "syntax", "-"},
      {"only the old version", "v=NTA7516", "old", "syntax", "-"},
  };
  check_rows(rows, G_N_ELEMENTS(rows));
}

static void
test_syntax(void)
{
  static const Row rows[] = {
      {"no startdate", "v=NTA7516-1;enddate=2027-01;provider=p", "", "syntax", "-"},
      {"no enddate", "v=NTA7516-1;startdate=2026-01;provider=p", "", "syntax", "-"},
      {"no provider", "v=NTA7516-1;startdate=2026-01;enddate=2027-01", "", "syntax", "-"},
      {"empty provider", "v=NTA7516-1;startdate=2026-01;enddate=2027-01;provider=", "",
       "syntax", "-"},
      {"provider twice", HEAD ";provider=p", "", "syntax", "-"},
      {"startdate twice", HEAD ";startdate=2026-01", "", "syntax", "-"},
      {"enddate twice", HEAD ";enddate=2027-01", "", "syntax", "-"},
      {"v twice", HEAD ";v=NTA7516-1", "", "syntax", "-"},
      {"month 13", "v=NTA7516-1;startdate=2025-13;enddate=2027-01;provider=p", "", "syntax",
       "-"},
      {"month 0", "v=NTA7516-1;startdate=2026-00;enddate=2027-01;provider=p", "", "syntax",
       "-"},
      {"month of one digit", "v=NTA7516-1;startdate=2026-1;enddate=2027-01;provider=p", "",
       "syntax", "-"},
      {"a day too", "v=NTA7516-1;startdate=2026-01-01;enddate=2027-01;provider=p", "",
       "syntax", "-"},
      {"no hyphen", "v=NTA7516-1;startdate=2026/01;enddate=2027-01;provider=p", "",
       "syntax", "-"},
      {"sign", "v=NTA7516-1;startdate=2026-+1;enddate=2027-01;provider=p", "", "syntax",
       "-"},
      {"letters", "v=NTA7516-1;startdate=jan-26;enddate=2027-01;provider=p", "", "syntax",
       "-"},
      {"empty date", "v=NTA7516-1;startdate=;enddate=2027-01;provider=p", "", "syntax",
       "-"},
      {"ends before it starts", "v=NTA7516-1;startdate=2026-12;enddate=2026-11;provider=p",
       "", "syntax", "-"},
      {"a word without value", HEAD ";secure", "", "syntax", "-"},
      {"a value without name", HEAD ";=1", "", "syntax", "-"},
      {"an empty field inside", HEAD ";;ntamx=10 mx.a.nl", "", "syntax", "-"},
      {"two ; at the end", HEAD ";;", "", "syntax", "-"},
      {"an octet that is no text", HEAD ";x=\x01", "", "syntax", "-"},
      {"not ASCII", HEAD ";x=\xc3\xa9", "", "syntax", "-"},
      {"new line", HEAD ";x=1\n", "", "syntax", "-"},
  };
  check_rows(rows, G_N_ELEMENTS(rows));
}

static void
test_hosts(void)
{
  static const Row rows[] = {
      {"lowest first", HEAD ";ntamx=20 b.a.nl;ntamx=10 a.a.nl;ntamx=5 c.a.nl", "", "valid",
       P " 5 c.a.nl, 10 a.a.nl, 20 b.a.nl"},
      {"equal ones keep their order",
       HEAD ";ntamx=10 z.a.nl;ntamx=5 m.a.nl;ntamx=10 a.a.nl;ntamx=10 k.a.nl", "", "valid",
       P " 5 m.a.nl, 10 z.a.nl, 10 a.a.nl, 10 k.a.nl"},
      {"numbers, not text", HEAD ";ntamx=100 b.a.nl;ntamx=20 a.a.nl", "", "valid",
       P " 20 a.a.nl, 100 b.a.nl"},
      {"0", HEAD ";ntamx=0 mx.a.nl", "", "valid", P " 0 mx.a.nl"},
      {"65535", HEAD ";ntamx=65535 mx.a.nl", "", "valid", P " 65535 mx.a.nl"},
      {"65536", HEAD ";ntamx=65536 mx.a.nl", "", "syntax", "-"},
      {"minus", HEAD ";ntamx=-1 mx.a.nl", "", "syntax", "-"},
      {"no preference", HEAD ";ntamx=mx.a.nl", "", "syntax", "-"},
      {"only a preference", HEAD ";ntamx=10", "", "syntax", "-"},
      {"a preference and space", HEAD ";ntamx=10 ;x=1", "", "syntax", "-"},
      {"empty", HEAD ";ntamx=", "", "syntax", "-"},
      {"two hosts in one", HEAD ";ntamx=10 mx.a.nl mx.b.nl", "", "syntax", "-"},
      {"comma", HEAD ";ntamx=10 mx.a.nl,mx.b.nl", "", "syntax", "-"},
      {"one label", HEAD ";ntamx=10 localhost", "", "syntax", "-"},
      {"an address", HEAD ";ntamx=10 192.0.2.1", "", "syntax", "-"},
      {"a part of an address", HEAD ";ntamx=10 192.0", "", "syntax", "-"},
      {"an address literal", HEAD ";ntamx=10 [192.0.2.1]", "", "syntax", "-"},
      {"with a port", HEAD ";ntamx=10 mx.a.nl:25", "", "syntax", "-"},
      {"the null MX", HEAD ";ntamx=0 .", "", "syntax", "-"},
      {"an empty label", HEAD ";ntamx=10 mx..nl", "", "syntax", "-"},
      {"hyphen first", HEAD ";ntamx=10 -mx.a.nl", "", "syntax", "-"},
      {"hyphen last", HEAD ";ntamx=10 mx-.a.nl", "", "syntax", "-"},
      {"hyphen at the very end", HEAD ";ntamx=10 mx.a.nl-", "", "syntax", "-"},
      {"hyphens inside", HEAD ";ntamx=10 mx--1.a-b.nl", "", "valid", P " 10 mx--1.a-b.nl"},
      {"A-labels", HEAD ";ntamx=10 mx.xn--bcher-kva.nl", "", "valid",
       P " 10 mx.xn--bcher-kva.nl"},
      {"a label of 63", HEAD ";ntamx=1 " L63 ".nl", "", "valid", P " 1 " L63 ".nl"},
      {"a label of 64", HEAD ";ntamx=1 a" L63 ".nl", "", "syntax", "-"},
      {"too long for its TLSA name", HEAD ";ntamx=1 " L63 "." L63 "." L63 "." L63, "",
       "syntax", "-"},
      {"17", M4 M12 ";ntamx=1 q.nl", "", "syntax", "-"},
      {"16", M4 M12, "", "valid",
       P " 1 a.nl, 1 b.nl, 1 c.nl, 1 d.nl, 1 e.nl, 1 f.nl, 1 g.nl, 1 h.nl, 1 i.nl, 1 j.nl, "
         "1 k.nl, 1 l.nl, 1 m.nl, 1 n.nl, 1 o.nl, 1 p.nl"},
  };
  check_rows(rows, G_N_ELEMENTS(rows));
}

#define SPAN(start, end) "v=NTA7516-1;startdate=" start ";enddate=" end ";provider=p"

static void
test_dates(void)
{
  static const Row rows[] = {
      {"first month", HEAD, "2026-01", "valid", P},
      {"the month before", HEAD, "2025-12", "not yet", P},
      {"last month", HEAD, "2027-01", "valid", P},
      {"the month after", HEAD, "2027-02", "ended", P},
      {"one month", SPAN("2026-11", "2026-11"), "", "valid", "2026-11 2026-11 p"},
      {"three years", SPAN("2023-03", "2026-03"), "2024-01", "valid", "2023-03 2026-03 p"},
      {"a month more", SPAN("2023-03", "2026-04"), "2024-01", "span", "2023-03 2026-04 p"},
      {"49 months", SPAN("2023-03", "2027-03"), "", "span", "2023-03 2027-03 p"},
      {"a month more is allowed", SPAN("2023-03", "2026-04"), "long 2024-01", "valid",
       "2023-03 2026-04 p"},
      {"long, and not yet", SPAN("2027-01", "2037-01"), "", "not yet", "2027-01 2037-01 p"},
      {"long, and ended", SPAN("2000-01", "2026-10"), "", "ended", "2000-01 2026-10 p"},
      {"long allowed, but ended", SPAN("2000-01", "2026-10"), "long", "ended",
       "2000-01 2026-10 p"},
      {"December to January", SPAN("2025-12", "2026-01"), "2026-01", "valid",
       "2025-12 2026-01 p"},
      {"year 9999", SPAN("2026-01", "9999-12"), "long", "valid", "2026-01 9999-12 p"},
  };
  check_rows(rows, G_N_ELEMENTS(rows));
}

static void
test_old(void)
{
  static const Row rows[] = {
      {"not configured", OLD, "", "old", "old " P},
      {"configured", OLD, "old", "valid", "old " P},
      {"hosts keep their order", OLD ";ntamx:b.a.nl;ntamx:a.a.nl", "old", "valid",
       "old " P " 0 b.a.nl, 0 a.a.nl"},
      {"with =", "v=NTA7516;version=2026-01;expire=2027-01;provider=p;ntamx=mx.a.nl", "old",
       "valid", "old " P " 0 mx.a.nl"},
      {"a preference", OLD ";ntamx:10 mx.a.nl", "old", "syntax", "-"},
      {"names of the new syntax", "v=NTA7516;startdate=2026-01;enddate=2027-01;provider=p",
       "old", "syntax", "-"},
      {"names of the old syntax", "v=NTA7516-1;version=2026-01;expire=2027-01;provider=p",
       "old", "syntax", "-"},
      {"ended", OLD, "old 2027-02", "ended", "old " P},
      {"not configured, and ended", OLD, "2027-02", "old", "old " P},
      {"too long", "v=NTA7516;version:2023-01;expire:2027-01;provider:p", "old", "span",
       "old 2023-01 2027-01 p"},
      {"a bad one is a bad one", "v=NTA7516;version:2026-13;expire:2027-01;provider:p", "",
       "syntax", "-"},
      {"the new one needs no setting", HEAD, "old", "valid", P},
  };
  check_rows(rows, G_N_ELEMENTS(rows));
}

/* What a table of C strings cannot hold. */
static void
test_octets(void)
{
  const NtaRules rules = rules_of("");
  const char *what = NULL;
  NtaRecord *record = NULL;
  static const char zero[] = HEAD ";x=\0"
                                  "1";
  g_assert_cmpint(nta_parse(zero, sizeof zero - 1, &rules, &record, &what), ==, NTA_SYNTAX);
  g_assert_cmpstr(what, ==, "it is not plain text");
  g_assert_cmpint(nta_parse(NULL, 0, &rules, &record, &what), ==, NTA_OTHER);
  /* The last octet is not part of the text. */
  g_assert_cmpint(nta_parse(HEAD ";", strlen(HEAD), &rules, &record, &what), ==, NTA_VALID);
  nta_record_free(record);
  nta_record_free(NULL);
}

static void
test_lengths(void)
{
  const NtaRules rules = rules_of("");
  const char *what = NULL;
  for (gsize len = NTA_MAX_BYTES; len <= NTA_MAX_BYTES + 1; len++) {
    NtaRecord *record = NULL;
    g_autoptr(GString) text = g_string_new(HEAD ";x=");
    while (text->len < len)
      g_string_append_c(text, 'x');
    NtaState state = nta_parse(text->str, text->len, &rules, &record, &what);
    g_assert_cmpstr(state_names[state], ==, len > NTA_MAX_BYTES ? "syntax" : "valid");
    nta_record_free(record);
  }
  for (gsize len = NTA_PROVIDER_MAX; len <= NTA_PROVIDER_MAX + 1; len++) {
    NtaRecord *record = NULL;
    g_autofree char *provider = g_strnfill(len, 'p');
    g_autofree char *text = g_strconcat(
        "v=NTA7516-1;startdate=2026-01;enddate=2027-01;provider=", provider, NULL);
    NtaState state = nta_parse(text, strlen(text), &rules, &record, &what);
    g_assert_cmpstr(state_names[state], ==, len > NTA_PROVIDER_MAX ? "syntax" : "valid");
    nta_record_free(record);
  }
}

/* Months and days begin at midnight in the Netherlands. */
static void
test_clock(void)
{
  static const struct {
    const char *utc, *month, *day;
  } rows[] = {
      {"2026-11-22T07:00:00Z", "2026-11", "2026-11-22"},
      {"2026-12-31T22:59:59Z", "2026-12", "2026-12-31"},
      {"2026-12-31T23:00:00Z", "2027-01", "2027-01-01"},
      {"2026-06-30T21:59:59Z", "2026-06", "2026-06-30"},
      {"2026-06-30T22:00:00Z", "2026-07", "2026-07-01"},
      {"2026-03-31T21:59:59Z", "2026-03", "2026-03-31"},
      {"2026-03-31T22:00:00Z", "2026-04", "2026-04-01"},
      {"2026-10-31T22:59:59Z", "2026-10", "2026-10-31"},
      {"2026-10-31T23:00:00Z", "2026-11", "2026-11-01"},
      {"2024-02-29T22:59:59Z", "2024-02", "2024-02-29"},
      {"2024-02-29T23:00:00Z", "2024-03", "2024-03-01"},
      {"2024-03-31T00:59:59Z", "2024-03", "2024-03-31"},
      {"2029-12-31T23:00:00Z", "2030-01", "2030-01-01"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(rows[i].utc, NULL);
    gint64 time_s = g_date_time_to_unix(time);
    g_autofree char *month = nta_month_text(nta_month(time_s));
    g_autofree char *day = nta_day_text(time_s);
    g_test_message("%s", rows[i].utc);
    g_assert_cmpstr(month, ==, rows[i].month);
    g_assert_cmpstr(day, ==, rows[i].day);
  }
}

/* The same without zoneinfo, and whatever TZ says. */
static void
test_clock_elsewhere(void)
{
  if (g_test_subprocess()) {
    test_clock();
    return;
  }
  g_setenv("TZDIR", "/nonexistent", TRUE);
  g_setenv("TZ", "Pacific/Auckland", TRUE);
  g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_unsetenv("TZDIR");
  g_test_trap_assert_passed();
  g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_unsetenv("TZ");
  g_test_trap_assert_passed();
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/nta/forms", test_forms);
  g_test_add_func("/nta/others", test_others);
  g_test_add_func("/nta/syntax", test_syntax);
  g_test_add_func("/nta/hosts", test_hosts);
  g_test_add_func("/nta/dates", test_dates);
  g_test_add_func("/nta/old", test_old);
  g_test_add_func("/nta/octets", test_octets);
  g_test_add_func("/nta/lengths", test_lengths);
  g_test_add_func("/nta/clock", test_clock);
  g_test_add_func("/nta/clock-elsewhere", test_clock_elsewhere);
  return g_test_run();
}
