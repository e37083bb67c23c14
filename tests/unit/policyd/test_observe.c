#include "policyd/observe.h"

#include <string.h>

#include "tests/unit/policyd/readiness.h"
#include "tests/unit/tap.h"

#define AT_S 1764000000

static void
nothing_came(gpointer data)
{
  (void) data;
}

/* Decides on a.nl by ZONE and what stands in GOOD, and observes what that showed. */
static Sight *
look(const char *zone, gboolean *has_record)
{
  g_autofree char *text = g_strconcat(GOOD, zone, NULL);
  Dns *dns = zone_new(text);
  if (*zone != '\0')
    zone_add(dns, zone);
  NtaRules rules = rules_of("");
  g_auto(Verdict) verdict = {.readiness = READINESS_UNKNOWN};
  Lookup *lookup = lookup_new(dns, NULL, FALSE, nothing_came, NULL);
  for (guint i = 0; i < 9; i++) {
    verdict_clear(&verdict);
    ready_theirs(lookup, &rules, "a.nl", NULL, NULL, &verdict);
    zone_deliver(dns);
  }
  guint asked = dns->asked;
  g_assert_cmpuint(lookup_missing(lookup), ==, 0);
  *has_record = !*has_record; /* whatever it is, it is wrong */
  Sight *sight = observe(lookup, &rules, "a.nl", FALSE, &verdict, AT_S, has_record);
  g_assert_cmpuint(dns->asked, ==, asked); /* it asks nothing itself */
  lookup_free(lookup);
  zone_free(dns);
  return sight;
}

/* "ready CODE; KIND NAME: VALUE[BEGINS-ENDS], VALUE; ..." with long values cut. */
static char *
describe(const Sight *sight)
{
  static const char *const words[] = {
      [SIGHT_NOT_READY] = "no", [SIGHT_READY] = "yes", [SIGHT_UNKNOWN] = "unknown"};
  GString *text = g_string_new(words[sight->readiness]);
  g_string_append_printf(text, " %s", sight->code);
  for (guint i = 0; i < sight->looks->len; i++) {
    const SightLook *one = sight->looks->pdata[i];
    g_string_append_printf(text, "; %s %s:", seen_kind_name(one->kind), one->name);
    for (guint j = 0; j < one->values->len; j++) {
      const SightValue *value = one->values->pdata[j];
      g_string_append_printf(text, "%s %.12s", j > 0 ? "," : "", value->text);
      if (value->ends > 0)
        g_string_append_printf(text, "[%d-%d]", value->begins - 2026 * 12,
                               value->ends - 2026 * 12);
    }
  }
  return g_string_free(text, FALSE);
}

typedef struct {
  const char *name, *zone, *expected;
  gboolean has_record;
} SightRow;

static const SightRow rows[] = {
    {"ready", "",
     "yes Z-N1-READY; nta a.nl: v=NTA7516-1;[0-12]; ntamx a.nl: 10 mx1.a.nl, 20 mx2.b.nl; "
     "tlsa mx1.a.nl: 3 1 1 000000; tlsa mx2.b.nl: 2 0 2 000000",
     TRUE},
    {"no ntamx", "a.nl TXT s " NTA "\n",
     "yes Z-N1-READY; nta a.nl: v=NTA7516-1;[0-12]; ntamx a.nl:; mx a.nl: 10 mx9.a.nl; "
     "tlsa mx9.a.nl: 3 1 2 000000",
     TRUE},
    {"no record", "a.nl TXT s v=spf1 -all\n",
     "no Z-N1-RECORD; nta a.nl:; ntamx a.nl:", FALSE},
    {"ended: nobody asked for its hosts",
     "a.nl TXT s v=NTA7516-1;startdate=2026-01;enddate=2026-10;provider=p;ntamx=1 "
     "mx1.a.nl\n",
     "no Z-N1-DATES; nta a.nl: v=NTA7516-1;[0-9]; ntamx a.nl: 1 mx1.a.nl", TRUE},
    {"cannot be read", "a.nl TXT s v=NTA7516-1;startdate=2026-13\n",
     "no Z-N1-SYNTAX; nta a.nl: v=NTA7516-1;; ntamx a.nl:; mx a.nl: 10 mx9.a.nl", TRUE},
    {"not secure", "a.nl TXT i " NTA ";ntamx=10 mx1.a.nl\n", "no Z-N1-DNSSEC", FALSE},
    {"unknown", "a.nl TXT f\n", "unknown Z-N1-DNSSEC", FALSE},
    {"TLSA unknown", "_25._tcp.mx1.a.nl TLSA f\n",
     "unknown Z-N1-TLSA; nta a.nl: v=NTA7516-1;[0-12]; ntamx a.nl: 10 mx1.a.nl, 20 "
     "mx2.b.nl; tlsa mx2.b.nl: 2 0 2 000000",
     TRUE},
    {"no TLSA", "_25._tcp.mx1.a.nl TLSA n\n",
     "no Z-N1-TLSA; nta a.nl: v=NTA7516-1;[0-12]; ntamx a.nl: 10 mx1.a.nl, 20 mx2.b.nl; "
     "tlsa mx1.a.nl:; tlsa mx2.b.nl: 2 0 2 000000",
     TRUE},
};

static void
test_row(gconstpointer data)
{
  const SightRow *row = data;
  gboolean has_record = FALSE;
  g_autoptr(Sight) sight = look(row->zone, &has_record);
  g_autofree char *found = describe(sight);
  g_assert_cmpstr(found, ==, row->expected);
  g_assert_cmpint(has_record, ==, row->has_record);
  g_assert_cmpint(sight->at_s, ==, AT_S);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *path = g_strconcat("/observe/", rows[i].name, NULL);
    g_test_add_data_func(path, &rows[i], test_row);
  }
  return g_test_run();
}
