#include "policyd/ready.h"

#include <string.h>

#include "tests/unit/policyd/readiness.h"
#include "tests/unit/tap.h"

#define HOPS   "yes Z-N1-READY [mx1.a.nl], [mx2.b.nl]"
#define DOMAIN "yes Z-N1-READY a.nl"
#define NO_MX  "a.nl TXT s " NTA "\n" /* a record without ntamx */

static const Row theirs_rows[] = {
    {"ready", "", "", HOPS, ""},

    {"insecure", "a.nl TXT i " NTA ";ntamx=10 mx1.a.nl", "", "no Z-N1-DNSSEC",
     "Z-N1-DNSSEC"},
    {"an alias", "a.nl TXT a " NTA ";ntamx=10 mx1.a.nl", "", "no Z-N1-DNSSEC",
     "Z-N1-DNSSEC"},
    {"an alias, insecure", "a.nl TXT b " NTA ";ntamx=10 mx1.a.nl", "", "no Z-N1-DNSSEC",
     "Z-N1-DNSSEC"},
    {"bogus", "a.nl TXT f", "", "unknown Z-N1-DNSSEC", "?Z-N1-DNSSEC ?Z-N1-RECORD"},
    {"no such domain", "a.nl TXT x", "", "no Z-N1-RECORD", "Z-N1-RECORD"},
    {"no such domain, insecure", "a.nl TXT X", "", "no Z-N1-DNSSEC",
     "Z-N1-DNSSEC Z-N1-RECORD"},
    {"no TXT", "a.nl TXT n", "", "no Z-N1-RECORD", "Z-N1-RECORD"},
    {"no TXT, insecure", "a.nl TXT N", "", "no Z-N1-DNSSEC", "Z-N1-DNSSEC Z-N1-RECORD"},
    {"another TXT", "a.nl TXT s v=spf1 -all", "", "no Z-N1-RECORD", "Z-N1-RECORD"},
    {"a damaged TXT", "a.nl TXT d", "", "no Z-N1-RECORD", "Z-N1-RECORD"},
    {"a damaged TXT beside it", "a.nl TXT d\na.nl TXT s " NTA ";ntamx=1 mx1.a.nl", "",
     "yes Z-N1-READY [mx1.a.nl]", ""},
    {"several strings",
     "a.nl TXT s v=NTA|7516-1;startdate=2026-01;enddate=20|27-01;"
     "provider=p;ntamx=1|0 mx1.a.nl",
     "", "yes Z-N1-READY [mx1.a.nl]", ""},

    {"two that count", "a.nl TXT s " NTA ";ntamx=10 mx1.a.nl\na.nl TXT s " NTA, "",
     "no Z-N1-TWO", "Z-N1-TWO"},
    {"the same twice", "a.nl TXT s " NTA "\na.nl TXT s " NTA, "", "no Z-N1-TWO",
     "Z-N1-TWO"},
    {"one that counts, one that ended",
     "a.nl TXT s v=NTA7516-1;startdate=2020-01;enddate=2021-01;provider=q\na.nl TXT s " NTA
     ";ntamx=10 mx1.a.nl",
     "", "yes Z-N1-READY [mx1.a.nl]", ""},
    {"one that counts, one that cannot be read",
     "a.nl TXT s " NTA ";ntamx=10 mx1.a.nl\na.nl TXT s v=NTA7516-2", "",
     "yes Z-N1-READY [mx1.a.nl]", ""},
    {"one that counts, an old one",
     "a.nl TXT s " OLD "\na.nl TXT s " NTA ";ntamx=1 mx1.a.nl", "",
     "yes Z-N1-READY [mx1.a.nl]", ""},
    {"one that counts, an old one that counts",
     "a.nl TXT s " OLD "\na.nl TXT s " NTA ";ntamx=1 mx1.a.nl", "old", "no Z-N1-TWO",
     "Z-N1-TWO"},
    {"the nearest of two that fail",
     "a.nl TXT s v=NTA7516-2\n"
     "a.nl TXT s v=NTA7516-1;startdate=2020-01;enddate=2021-01;provider=q;ntamx=1 mx1.a.nl",
     "", "no Z-N1-DATES", "Z-N1-DATES"},

    {"cannot be read", "a.nl TXT s v=NTA7516-1;startdate=2026-13", "", "no Z-N1-SYNTAX",
     "Z-N1-SYNTAX"},
    {"a version to come", "a.nl TXT s v=NTA7516-2;x=1", "", "no Z-N1-SYNTAX",
     "Z-N1-SYNTAX"},
    {"old", "a.nl TXT s " OLD, "", "no Z-N1-OLD", "Z-N1-OLD"},
    {"old, allowed", "a.nl TXT s " OLD, "old", "yes Z-N1-READY [mx1.a.nl]", ""},
    {"not yet",
     "a.nl TXT s v=NTA7516-1;startdate=2026-12;enddate=2027-01;provider=p;ntamx=1 mx1.a.nl",
     "", "no Z-N1-DATES", "Z-N1-DATES"},
    {"ended",
     "a.nl TXT s v=NTA7516-1;startdate=2026-01;enddate=2026-10;provider=p;ntamx=1 mx1.a.nl",
     "", "no Z-N1-DATES", "Z-N1-DATES"},
    {"long",
     "a.nl TXT s v=NTA7516-1;startdate=2026-01;enddate=2029-02;provider=p;ntamx=1 mx1.a.nl",
     "", "no Z-N1-SPAN", "Z-N1-SPAN"},
    {"long, allowed",
     "a.nl TXT s v=NTA7516-1;startdate=2026-01;enddate=2029-02;provider=p;ntamx=1 mx1.a.nl",
     "long", "yes Z-N1-READY [mx1.a.nl]", ""},
    {"ended and long",
     "a.nl TXT s v=NTA7516-1;startdate=2020-01;enddate=2026-10;provider=p;ntamx=1 mx1.a.nl",
     "", "no Z-N1-DATES", "Z-N1-DATES Z-N1-SPAN"},

    {"equal preferences keep their order",
     "a.nl TXT s " NTA ";ntamx=1 mx2.b.nl;ntamx=1 mx1.a.nl", "",
     "yes Z-N1-READY [mx2.b.nl], [mx1.a.nl]", ""},
    {"a host twice", "a.nl TXT s " NTA ";ntamx=2 mx1.a.nl;ntamx=1 mx1.a.nl.", "",
     "yes Z-N1-READY [mx1.a.nl]", ""},
    {"only IPv6", "mx1.a.nl A n", "", HOPS, ""},
    {"an address insecure", "mx1.a.nl A i 192.0.2.1", "", "no Z-N1-HOSTS", "Z-N1-HOSTS"},
    {"no AAAA, insecure", "mx2.b.nl AAAA N", "", "no Z-N1-HOSTS", "Z-N1-HOSTS"},
    {"a host is an alias", "mx2.b.nl A a 192.0.2.2", "", "no Z-N1-HOSTS", "Z-N1-HOSTS"},
    {"a host is an alias in an unsigned zone", "mx2.b.nl A b 192.0.2.2", "",
     "no Z-N1-HOSTS", "Z-N1-HOSTS"},
    {"no address", "mx2.b.nl A n", "", "no Z-N1-HOSTS", "Z-N1-HOSTS"},
    {"a host is not there", "mx2.b.nl A x\nmx2.b.nl AAAA x", "", "no Z-N1-HOSTS",
     "Z-N1-HOSTS"},
    {"addresses unknown", "mx2.b.nl A f", "", "unknown Z-N1-HOSTS", "?Z-N1-HOSTS"},
    {"AAAA unknown", "mx1.a.nl AAAA f", "", "unknown Z-N1-HOSTS", "?Z-N1-HOSTS"},
    {"one unknown, another bad", "mx1.a.nl A f\nmx2.b.nl A i 192.0.2.2", "",
     "no Z-N1-HOSTS", "Z-N1-HOSTS"},

    {"no TLSA", "_25._tcp.mx1.a.nl TLSA n", "", "no Z-N1-TLSA", "Z-N1-TLSA"},
    {"no TLSA of the last", "_25._tcp.mx2.b.nl TLSA x", "", "no Z-N1-TLSA", "Z-N1-TLSA"},
    {"TLSA insecure", "_25._tcp.mx1.a.nl TLSA i 3 1 1 32", "", "no Z-N1-TLSA", "Z-N1-TLSA"},
    {"TLSA is an alias", "_25._tcp.mx1.a.nl TLSA a 3 1 1 32", "", "no Z-N1-TLSA",
     "Z-N1-TLSA"},
    {"TLSA unknown", "_25._tcp.mx1.a.nl TLSA f", "", "unknown Z-N1-TLSA", "?Z-N1-TLSA"},
    {"TLSA damaged", "_25._tcp.mx1.a.nl TLSA d", "", "no Z-N1-TLSA", "Z-N1-TLSA"},
    {"hosts unknown, no TLSA", "mx1.a.nl A f\n_25._tcp.mx1.a.nl TLSA n", "", "no Z-N1-TLSA",
     "?Z-N1-HOSTS Z-N1-TLSA"},
    {"usage 0", "_25._tcp.mx1.a.nl TLSA s 0 1 1 32", "", "no Z-N1-TLSA", "Z-N1-TLSA"},
    {"usage 1", "_25._tcp.mx1.a.nl TLSA s 1 0 2 64", "", "no Z-N1-TLSA", "Z-N1-TLSA"},
    {"usage 4", "_25._tcp.mx1.a.nl TLSA s 4 1 1 32", "", "no Z-N1-TLSA", "Z-N1-TLSA"},
    {"usages 1 and 3",
     "_25._tcp.mx1.a.nl TLSA s 1 0 2 64\n_25._tcp.mx1.a.nl TLSA s 3 1 1 32", "", HOPS, ""},
    {"SHA-512 of a key", "_25._tcp.mx1.a.nl TLSA s 3 1 2 64", "", HOPS, ""},
    {"an authority", "_25._tcp.mx1.a.nl TLSA s 2 1 1 32", "", HOPS, ""},
    {"SHA-256 too short", "_25._tcp.mx1.a.nl TLSA s 3 1 1 31", "", "no Z-N1-TLSA",
     "Z-N1-TLSA"},
    {"SHA-512 of 32 octets", "_25._tcp.mx1.a.nl TLSA s 3 1 2 32", "", "no Z-N1-TLSA",
     "Z-N1-TLSA"},
    {"selector 2", "_25._tcp.mx1.a.nl TLSA s 3 2 1 32", "", "no Z-N1-TLSA", "Z-N1-TLSA"},
    {"no digest", "_25._tcp.mx1.a.nl TLSA s 3 1 0 32", "", "no Z-N1-TLSA", "Z-N1-TLSA"},

    {"no ntamx", NO_MX, "", DOMAIN, ""},
    {"no ntamx, several MX", NO_MX "a.nl MX s 10 mx1.a.nl\na.nl MX s 5 mx2.b.nl", "",
     DOMAIN, ""},
    {"no ntamx, one MX without TLSA",
     NO_MX "a.nl MX s 10 mx1.a.nl\na.nl MX s 5 mx2.b.nl\n_25._tcp.mx2.b.nl TLSA n", "",
     "no Z-N1-TLSA", "Z-N1-TLSA"},
    {"no ntamx, MX insecure", NO_MX "a.nl MX i 10 mx1.a.nl", "", "no Z-N1-HOSTS",
     "Z-N1-HOSTS"},
    {"no ntamx, MX by an alias", NO_MX "a.nl MX a 10 mx1.a.nl", "", "no Z-N1-HOSTS",
     "Z-N1-HOSTS"},
    {"no ntamx, MX unknown", NO_MX "a.nl MX f", "", "unknown Z-N1-HOSTS",
     "?Z-N1-HOSTS ?Z-N1-TLSA"},
    {"no ntamx, null MX", NO_MX "a.nl MX s 0 .", "", "no Z-N1-HOSTS",
     "Z-N1-HOSTS Z-N1-TLSA"},
    {"no ntamx, null MX among others", NO_MX "a.nl MX s 10 mx1.a.nl\na.nl MX s 0 .", "",
     "no Z-N1-HOSTS", "Z-N1-HOSTS"},
    {"no ntamx, a damaged MX", NO_MX "a.nl MX d", "", "no Z-N1-HOSTS",
     "Z-N1-HOSTS Z-N1-TLSA"},
    {"no ntamx, an MX that is no host name", NO_MX "a.nl MX s 10 localhost", "",
     "no Z-N1-HOSTS", "Z-N1-HOSTS Z-N1-TLSA"},
    {"no ntamx, no MX, the domain itself",
     NO_MX "a.nl MX n\na.nl A s 192.0.2.3\na.nl AAAA n\n_25._tcp.a.nl TLSA s 3 1 1 32", "",
     DOMAIN, ""},
    {"no ntamx, no MX, no address", NO_MX "a.nl MX n\na.nl A n\na.nl AAAA n", "",
     "no Z-N1-HOSTS", "Z-N1-HOSTS Z-N1-TLSA"},
    {"no ntamx, no MX, insecure",
     NO_MX "a.nl MX N\na.nl A s 192.0.2.3\na.nl AAAA n\n_25._tcp.a.nl TLSA s 3 1 1 32", "",
     "no Z-N1-HOSTS", "Z-N1-HOSTS"},
    {"the MX does not matter beside ntamx", "a.nl MX f", "", HOPS, ""},
    {"SPF and DMARC are advice", "_dmarc.a.nl TXT f\na.nl TXT s " NTA ";ntamx=1 mx1.a.nl",
     "", "yes Z-N1-READY [mx1.a.nl]", ""},
};

#define PKIX   "secure match=mx1.a.nl"
#define FAILED "no Z-N1-HOSTS"

/* With a partner's TLS rule, which the rules column has. */
static const Row partner_rows[] = {
    {"ready", "", PKIX, "yes Z-N1-READY [mx1.a.nl]:25, [mx2.b.nl]:25", ""},
    {"no ntamx", NO_MX, PKIX, "yes Z-N1-READY a.nl:25", ""},
    {"hosts need no DNSSEC",
     "mx1.a.nl A i 192.0.2.1\nmx1.a.nl AAAA N\nmx2.b.nl A b 192.0.2.1", PKIX,
     "yes Z-N1-READY [mx1.a.nl]:25, [mx2.b.nl]:25", ""},
    {"nor TLSA", "_25._tcp.mx1.a.nl TLSA X\n_25._tcp.mx2.b.nl TLSA f", PKIX,
     "yes Z-N1-READY [mx1.a.nl]:25, [mx2.b.nl]:25", ""},
    {"nor the MX", NO_MX "a.nl MX i 10 mx1.a.nl\nmx1.a.nl A i 192.0.2.1", PKIX,
     "yes Z-N1-READY a.nl:25", ""},
    {"by fingerprint", "_25._tcp.mx1.a.nl TLSA n", "fingerprint match=AA:BB",
     "yes Z-N1-READY [mx1.a.nl]:25, [mx2.b.nl]:25", ""},
    {"the record needs DNSSEC", "a.nl TXT i " NTA, PKIX, "no Z-N1-DNSSEC", "Z-N1-DNSSEC"},
    {"and dates",
     "a.nl TXT s v=NTA7516-1;startdate=2026-01;enddate=2026-10;provider=p;ntamx=1 mx1.a.nl",
     PKIX, "no Z-N1-DATES", "Z-N1-DATES"},
    {"an address is needed", "mx1.a.nl A n\nmx1.a.nl AAAA X", PKIX, FAILED, "Z-N1-HOSTS"},
    {"and known", "mx1.a.nl A f", PKIX, "unknown Z-N1-HOSTS", "?Z-N1-HOSTS"},
    {"null MX", NO_MX "a.nl MX i 0 .", PKIX, FAILED, "Z-N1-HOSTS"},
    {"MX unknown", NO_MX "a.nl MX f", PKIX, "unknown Z-N1-HOSTS", "?Z-N1-HOSTS"},
    {"dane-only is DANE", "", "dane-only protocols=TLSv1.3",
     "yes Z-N1-READY [mx1.a.nl]:25, [mx2.b.nl]:25", ""},
    {"dane-only needs TLSA", "_25._tcp.mx1.a.nl TLSA n", "dane-only", "no Z-N1-TLSA",
     "Z-N1-TLSA"},
    {"dane-only needs DNSSEC", "mx1.a.nl A i 192.0.2.1", "dane-only", FAILED, "Z-N1-HOSTS"},
};

static void
test_theirs(void)
{
  for (gsize i = 0; i < G_N_ELEMENTS(theirs_rows); i++) {
    const Question question = {.rules = rules_of(theirs_rows[i].rules)};
    check_row(&theirs_rows[i], GOOD, &question, 2);
  }
}

static void
test_partner(void)
{
  for (gsize i = 0; i < G_N_ELEMENTS(partner_rows); i++) {
    const BookEntry partner = {.policy = (char *) partner_rows[i].rules};
    const Question question = {.rules = rules_of(""), .partner = &partner};
    check_row(&partner_rows[i], GOOD, &question, 2);
  }
}

/* Nobody answers in time: unknown, and never ready. */
static void
test_given_up(void)
{
  for (guint rounds = 0; rounds < 2; rounds++) {
    Dns *dns = zone_new(GOOD);
    const Question question = {.rules = rules_of("")};
    Lookup *lookup = lookup_new(dns, NULL, FALSE, came, NULL);
    g_auto(Verdict) verdict;
    decide_once(lookup, &question, NULL, &verdict);
    if (rounds > 0) {
      zone_deliver(dns);
      verdict_clear(&verdict);
      decide_once(lookup, &question, NULL, &verdict);
    }
    g_assert_cmpuint(lookup_missing(lookup), >, 0);
    lookup_give_up(lookup);
    verdict_clear(&verdict);
    decide_once(lookup, &question, NULL, &verdict);
    g_assert_cmpuint(lookup_missing(lookup), ==, 0);
    g_autofree char *text = verdict_text(&verdict);
    g_assert_cmpstr(text, ==, rounds == 0 ? "unknown Z-N1-DNSSEC" : "unknown Z-N1-HOSTS");
    lookup_free(lookup);
    zone_free(dns);
  }
}

/* What is not needed is not asked: no host of a domain that is not ready anyway. */
static void
test_questions(void)
{
  static const struct {
    const char *zone;
    guint asked;
  } rows[] = {
      {"", 8},                            /* TXT, MX; A, AAAA and TLSA of two hosts */
      {"a.nl TXT i " NTA, 2},             /* not under DNSSEC */
      {"a.nl TXT s v=spf1 ~all", 2},      /* the most usual: no record */
      {NO_MX "a.nl MX i 10 mx1.a.nl", 2}, /* its hosts do not matter any more */
      {"a.nl TXT f", 2},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    Dns *dns = zone_new(GOOD);
    const Question question = {.rules = rules_of("")};
    g_auto(Verdict) verdict = {.readiness = READINESS_UNKNOWN};
    zone_add(dns, rows[i].zone);
    decide(dns, &question, 2, NULL, &verdict);
    g_assert_cmpuint(dns->asked, ==, rows[i].asked);
    zone_free(dns);
  }
}

static const CheckLine *
line_of(const GPtrArray *lines, const char *code)
{
  for (guint i = 0; i < lines->len; i++)
    if (strcmp(((const CheckLine *) lines->pdata[i])->code, code) == 0)
      return lines->pdata[i];
  g_error("no line %s", code);
}

/* What a line says to publish would be right, and its evidence is what there is. */
static void
test_words(void)
{
  static const struct {
    const char *zone, *code, *evidence, *cure;
  } rows[] = {
      {"a.nl TXT n", "Z-N1-RECORD", "none of its TXT records",
       "publish: a.nl. IN TXT \"v=NTA7516-1;startdate=2026-11;enddate=2029-11;"
       "provider=NAME;ntamx=10 mail.a.nl\""},
      {"a.nl TXT s v=NTA7516-1;startdate=2020-01;enddate=2021-01;provider=q;ntamx=5 "
       "mx1.a.nl",
       "Z-N1-DATES", "from 2020-01 through 2021-01; it is 2026-11",
       "\"v=NTA7516-1;startdate=2026-11;enddate=2029-11;provider=q;ntamx=5 mx1.a.nl\""},
      {"a.nl TXT s " OLD, "Z-N1-OLD", "v=NTA7516, the syntax of 2019",
       "enddate=2029-11;provider=p;ntamx=10 mx1.a.nl\""},
      {"a.nl TXT s v=NTA7516-1;provider=p", "Z-N1-SYNTAX", "a date or the provider", NTA},
      {"a.nl TXT i " NTA, "Z-N1-DNSSEC", "not secure", "sign the zone of a.nl with DNSSEC"},
      {"a.nl TXT a " NTA, "Z-N1-DNSSEC", "an alias", "without CNAME or DNAME"},
      {"a.nl TXT f", "Z-N1-DNSSEC", "SERVFAIL", "delv a.nl TXT"},
      {"a.nl TXT s " NTA "\na.nl TXT s " NTA, "Z-N1-TWO", "records that count: 2",
       "all NTA 7516 records but one"},
      {"", "Z-N1-HOSTS",
       "mx1.a.nl A 192.0.2.1, secure; mx1.a.nl AAAA 2001:db8::1, secure; "
       "mx2.b.nl A 192.0.2.2, secure; mx2.b.nl AAAA: none, secure",
       ""},
      {"mx2.b.nl A b 192.0.2.2", "Z-N1-HOSTS",
       "mx2.b.nl A 192.0.2.2, an alias leads to it, not secure",
       "publish A of mx2.b.nl under DNSSEC"},
      {"_25._tcp.mx1.a.nl TLSA s 1 0 1 32", "Z-N1-TLSA",
       "_25._tcp.mx1.a.nl secure; 1 0 1 0000000000",
       "_25._tcp.mx1.a.nl. IN TLSA 3 1 1 HASH"},
      {"", "Z-N1-CONTACT", "not tried", "NTA7516@a.nl"},
      {"", "Z-N2-SPF-ALL", "a.nl: v=spf1 mx -all", ""},
      {"a.nl TXT s v=spf1 a:x.nl ?all", "Z-N2-SPF-ALL", "?all", "ends in -all"},
      {"a.nl TXT s v=spf1 redirect=b.nl\nb.nl TXT i v=spf1 -all", "Z-N2-SPF-ALL",
       "a.nl: v=spf1 redirect=b.nl; b.nl: v=spf1 -all", ""},
      {"a.nl TXT s v=spf1 redirect=a.nl", "Z-N2-SPF-ALL", "more than 5 redirects", "-all"},
      {"a.nl TXT s v=spf1 -all redirect=b.nl", "Z-N2-SPF-ALL", "a.nl: v=spf1 -all", ""},
      {"a.nl TXT s v=spf1 -all\na.nl TXT s V=SPF1 -all", "Z-N2-SPF-ALL", "more than one",
       "one SPF record"},
      {"a.nl TXT s v=spf10 -all", "Z-N2-SPF-ALL", "no SPF record at a.nl", "-all"},
      {"_dmarc.a.nl TXT s v=DMARC1; p=quarantine; t=y", "Z-N2-DMARC",
       "policy none (lowered by t=y), by _dmarc.a.nl", "_dmarc.a.nl. IN TXT \"v=DMARC1;"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    Dns *dns = zone_new(GOOD);
    const Question question = {.rules = rules_of("")};
    g_autoptr(GPtrArray) lines = lines_new();
    g_auto(Verdict) verdict = {.readiness = READINESS_UNKNOWN};
    zone_add(dns, rows[i].zone);
    decide(dns, &question, 9, lines, &verdict);
    const CheckLine *line = line_of(lines, rows[i].code);
    const char *cure = strcmp(rows[i].cure, NTA) == 0 ? "put in its place" : rows[i].cure;
    g_test_message("%s: %s / %s", line->code, line->evidence, line->cure);
    g_assert_nonnull(strstr(line->evidence, rows[i].evidence));
    g_assert_nonnull(strstr(line->cure, cure));
    zone_free(dns);
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/ready/theirs", test_theirs);
  g_test_add_func("/ready/partner", test_partner);
  g_test_add_func("/ready/given-up", test_given_up);
  g_test_add_func("/ready/questions", test_questions);
  g_test_add_func("/ready/words", test_words);
  return g_test_run();
}
