#include "policyd/dmarc.h"

#include <string.h>

#include "tests/unit/policyd/zone.h"
#include "tests/unit/tap.h"

#define R "v=DMARC1; p=reject"

/* "reject quarantine none t y s r": p, sp, np, then t, psd, and what is strict. */
static char *
record_text(const DmarcRecord *record)
{
  return g_strdup_printf(
      "%s %s %s%s%s%s%s", dmarc_policy_name(record->p), dmarc_policy_name(record->sp),
      dmarc_policy_name(record->np), record->testing ? " t" : "",
      record->psd == 1   ? " psd=y"
      : record->psd == 0 ? " psd=n"
                         : "",
      record->strict_dkim ? " adkim" : "", record->strict_spf ? " aspf" : "");
}

static void
test_parse(void)
{
  static const struct {
    const char *text, *record; /* NULL: does not count */
  } rows[] = {
      {R, "reject reject reject"},
      {"v=DMARC1;p=quarantine", "quarantine quarantine quarantine"},
      {"v=DMARC1; p=none;", "none none none"},
      {"v = DMARC1 ; p = reject ; ", "reject reject reject"},
      {"V=DMARC1; P=Reject", "reject reject reject"},
      {"v=DMARC1; p=reject; sp=none", "reject none none"},
      {"v=DMARC1; p=reject; sp=none; np=quarantine", "reject none quarantine"},
      {"v=DMARC1; p=none; np=reject", "none none reject"},
      {"v=DMARC1; sp=none; rua=mailto:a@b.nl; p=reject", "reject none none"},
      {"v=DMARC1; p=reject; t=y", "reject reject reject t"},
      {"v=DMARC1; p=reject; t=n", "reject reject reject"},
      {"v=DMARC1; p=reject; t=yes", "reject reject reject"},
      {"v=DMARC1; p=reject; psd=y", "reject reject reject psd=y"},
      {"v=DMARC1; p=reject; psd=n", "reject reject reject psd=n"},
      {"v=DMARC1; p=reject; psd=u", "reject reject reject"},
      {"v=DMARC1; p=reject; psd=?", "reject reject reject"},
      {"v=DMARC1; p=reject; adkim=s; aspf=r", "reject reject reject adkim"},
      {"v=DMARC1; p=reject; adkim=r; aspf=S", "reject reject reject aspf"},
      {"v=DMARC1; p=reject; pct=50; ri=1; x=y; fo=1:d", "reject reject reject"},
      {"v=DMARC1; p=reject; nonsense", "reject reject reject"},
      {"v=DMARC1;; p=reject", "reject reject reject"},
      {"v=DMARC1; rua=mailto:a@b.nl", "none none none"},
      {"v=DMARC1", "none none none"},
      {"v=DMARC1; p=rejct; rua=mailto:a@b.nl", "none none none"},
      {"v=DMARC1; p=; rua=mailto:a@b.nl", "none none none"},
      {"v=DMARC1; p=reject; sp=rejct; rua=mailto:a@b.nl", "none none none"},
      {"v=DMARC1; p=reject; np=x", "none none none"},
      {"v=DMARC1; p=none; p=reject", "none none none"},
      {"v=DMARC1; p=reject; p=reject", "none none none"},
      {"", NULL},
      {"v=DMARC2; p=reject", NULL},
      {"v=dmarc1; p=reject", NULL},
      {"v=DMARC1.0; p=reject", NULL},
      {"v=DMARC1 p=reject", NULL},
      {"p=reject; v=DMARC1", NULL},
      {" v=DMARC1; p=reject", NULL},
      {"; v=DMARC1; p=reject", NULL},
      {"DMARC1; p=reject", NULL},
      {"v=spf1 -all", NULL},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    DmarcRecord record = {.p = DMARC_REJECT, .psd = 7, .testing = TRUE};
    g_test_message("%s", rows[i].text);
    gboolean counts = dmarc_parse(rows[i].text, strlen(rows[i].text), &record);
    g_autofree char *text = counts ? record_text(&record) : NULL;
    g_assert_cmpstr(text, ==, rows[i].record);
  }
  DmarcRecord record;
  g_assert_false(dmarc_parse("v=DMARC1; p=none\0; x=1", 22, &record));
  g_assert_false(dmarc_parse(NULL, 0, &record));
}

#define LONG "a.b.c.d.e.f.g.h.i.j.mail.example.com"

typedef struct {
  const char *name, *domain, *zone, *expected; /* "POLICY FOUND-AT ORGANISATIONAL" */
} Row;

static const Row walks[] = {
    {"its own", "a.nl", "_dmarc.a.nl TXT s " R, "reject a.nl a.nl"},
    {"need not be secure", "a.nl", "_dmarc.a.nl TXT i " R, "reject a.nl a.nl"},
    {"an alias is fine", "a.nl", "_dmarc.a.nl TXT b " R, "reject a.nl a.nl"},
    {"none anywhere", "a.nl", "", "absent a.nl"},
    {"no type", "a.nl", "_dmarc.a.nl TXT n", "absent a.nl"},
    {"another TXT", "a.nl", "_dmarc.a.nl TXT s v=spf1 -all", "absent a.nl"},
    {"another TXT too", "a.nl", "_dmarc.a.nl TXT s x\n_dmarc.a.nl TXT s " R,
     "reject a.nl a.nl"},
    {"two records: none counts", "a.nl", "_dmarc.a.nl TXT s " R "\n_dmarc.a.nl TXT s " R,
     "absent a.nl"},
    {"several strings", "a.nl", "_dmarc.a.nl TXT s v=DMA|RC1; p=rej|ect",
     "reject a.nl a.nl"},
    {"damaged", "a.nl", "_dmarc.a.nl TXT d", "absent a.nl"},
    {"quarantine", "a.nl", "_dmarc.a.nl TXT s v=DMARC1; p=quarantine",
     "quarantine a.nl a.nl"},
    {"t=y lowers reject", "a.nl", "_dmarc.a.nl TXT s " R "; t=y", "quarantine a.nl a.nl"},
    {"t=y lowers quarantine", "a.nl", "_dmarc.a.nl TXT s v=DMARC1; p=quarantine; t=y",
     "none a.nl a.nl"},
    {"t=y keeps none", "a.nl", "_dmarc.a.nl TXT s v=DMARC1; p=none; t=y", "none a.nl a.nl"},
    {"above", "m.a.nl", "_dmarc.a.nl TXT s " R "\nm.a.nl TXT n", "reject a.nl a.nl"},
    {"sp above", "m.a.nl", "_dmarc.a.nl TXT s " R "; sp=none\nm.a.nl TXT n",
     "none a.nl a.nl"},
    {"sp above lowered", "m.a.nl", "_dmarc.a.nl TXT s v=DMARC1; p=none; sp=reject; t=y",
     "quarantine a.nl a.nl"},
    {"sp is not for itself", "a.nl", "_dmarc.a.nl TXT s " R "; sp=none",
     "reject a.nl a.nl"},
    {"np, and it is not there", "m.a.nl", "_dmarc.a.nl TXT s " R "; sp=none; np=quarantine",
     "quarantine a.nl a.nl"},
    {"np, and it is there", "m.a.nl",
     "_dmarc.a.nl TXT s " R "; sp=none; np=quarantine\nm.a.nl TXT n", "none a.nl a.nl"},
    {"np, and nobody knows", "m.a.nl",
     "_dmarc.a.nl TXT s " R "; sp=none; np=quarantine\nm.a.nl TXT f", "unknown a.nl"},
    {"both: its own policy", "m.a.nl",
     "_dmarc.m.a.nl TXT s v=DMARC1; p=none\n_dmarc.a.nl TXT s " R, "none m.a.nl a.nl"},
    {"between: the highest holds", "x.m.a.nl",
     "_dmarc.m.a.nl TXT s v=DMARC1; p=none\n_dmarc.a.nl TXT s " R, "reject a.nl a.nl"},
    {"psd=n stops", "x.m.a.nl",
     "_dmarc.m.a.nl TXT s v=DMARC1; p=none; psd=n\n_dmarc.a.nl TXT s " R,
     "none m.a.nl m.a.nl"},
    {"psd=n of its own", "m.a.nl",
     "_dmarc.m.a.nl TXT s v=DMARC1; p=quarantine; psd=n\n_dmarc.a.nl TXT s " R,
     "quarantine m.a.nl m.a.nl"},
    {"psd=n of its own, and what is above fails", "m.a.nl",
     "_dmarc.m.a.nl TXT s v=DMARC1; p=quarantine; psd=n\n_dmarc.a.nl TXT f",
     "quarantine m.a.nl m.a.nl"},
    {"psd=y: one below", "x.m.a.nl", "_dmarc.nl TXT s v=DMARC1; p=none; sp=reject; psd=y",
     "reject nl a.nl"},
    {"psd=y with a record below", "x.m.a.nl",
     "_dmarc.nl TXT s v=DMARC1; p=reject; psd=y\n_dmarc.a.nl TXT s v=DMARC1; p=quarantine",
     "quarantine a.nl a.nl"},
    {"psd=y, a record between is not the one", "x.m.a.nl",
     "_dmarc.nl TXT s v=DMARC1; p=reject; psd=y\n_dmarc.m.a.nl TXT s v=DMARC1; p=none",
     "reject nl a.nl"},
    {"psd=y right above", "a.nl",
     "_dmarc.nl TXT s v=DMARC1; p=none; np=reject; psd=y\n"
     "a.nl TXT n",
     "none nl a.nl"},
    {"psd=y in the middle", "x.m.a.nl",
     "_dmarc.a.nl TXT s v=DMARC1; p=quarantine; psd=y\n_dmarc.nl TXT s " R,
     "quarantine a.nl m.a.nl"},
    {"psd=y of its own counts for nothing", "m.a.nl",
     "_dmarc.m.a.nl TXT s v=DMARC1; p=quarantine; psd=y\n_dmarc.a.nl TXT s " R,
     "quarantine m.a.nl a.nl"},
    {"psd=y of its own, alone", "a.nl", "_dmarc.a.nl TXT s " R "; psd=y",
     "reject a.nl a.nl"},
    {"a failure", "a.nl", "_dmarc.a.nl TXT f", "unknown -"},
    {"a failure above", "m.a.nl", "_dmarc.a.nl TXT f", "unknown -"},
    {"a failure above its own", "m.a.nl", "_dmarc.m.a.nl TXT s " R "\n_dmarc.a.nl TXT f",
     "unknown -"},
    {"a top level domain", "nl", "_dmarc.nl TXT s " R, "reject nl nl"},
    {"eight labels: the parent is asked", "a.b.c.d.e.f.g.nl",
     "_dmarc.b.c.d.e.f.g.nl TXT s " R, "reject b.c.d.e.f.g.nl b.c.d.e.f.g.nl"},
    {"nine labels: seven are next", "a.b.c.d.e.f.g.h.nl", "_dmarc.c.d.e.f.g.h.nl TXT s " R,
     "reject c.d.e.f.g.h.nl c.d.e.f.g.h.nl"},
    {"nine labels: the parent is left out", "a.b.c.d.e.f.g.h.nl",
     "_dmarc.b.c.d.e.f.g.h.nl TXT s " R, "absent a.b.c.d.e.f.g.h.nl"},
    {"a long one's own", LONG, "_dmarc." LONG " TXT s " R, "reject " LONG " " LONG},
    {"a long one, one below psd=y", LONG,
     "_dmarc.g.h.i.j.mail.example.com TXT s v=DMARC1; p=reject; psd=y",
     "reject g.h.i.j.mail.example.com f.g.h.i.j.mail.example.com"},
    {"a long one, at the top", LONG, "_dmarc.com TXT s v=DMARC1; p=reject; psd=y",
     "reject com example.com"},
};

static char *
result_text(DmarcStatus status, const DmarcResult *result)
{
  const char *organisational =
      result->organisational != NULL ? result->organisational : "-";
  switch (status) {
  case DMARC_FOUND:
    return g_strdup_printf("%s %s %s", dmarc_policy_name(result->policy), result->found_at,
                           organisational);
  case DMARC_ABSENT:
    return g_strdup_printf("absent %s", organisational);
  case DMARC_UNKNOWN:
    return g_strdup_printf("unknown %s", organisational);
  case DMARC_MISSING:
  default:
    return g_strdup("missing");
  }
}

static void
came(gpointer data)
{
  (*(guint *) data)++;
}

/* Everything is asked in one round, but for whether the domain is there (np). */
static void
test_find(void)
{
  for (gsize i = 0; i < G_N_ELEMENTS(walks); i++) {
    const Row *row = &walks[i];
    guint answers = 0, rounds = 0;
    Dns *dns = zone_new(row->zone);
    g_autoptr(Lookup) lookup = lookup_new(dns, NULL, FALSE, came, &answers);
    g_auto(DmarcResult) result = {.policy = DMARC_REJECT};
    g_test_message("%s", row->name);
    DmarcStatus status = dmarc_find(lookup, row->domain, &result);
    g_assert_cmpint(status, ==, DMARC_MISSING);
    for (; status == DMARC_MISSING && rounds < 9; rounds++) {
      zone_deliver(dns);
      dmarc_result_clear(&result);
      status = dmarc_find(lookup, row->domain, &result);
    }
    g_autofree char *text = result_text(status, &result);
    g_assert_cmpstr(text, ==, row->expected);
    g_assert_cmpuint(rounds, <=, strstr(row->zone, "np=") != NULL ? 2 : 1);
    g_assert_cmpuint(answers, ==, dns->asked);
    g_assert_cmpuint(dns->asked, <=, 9);
    zone_free(dns);
  }
}

/* The eight questions of RFC 9989 4.10, and no other. */
static void
test_questions(void)
{
  static const char *const names[] = {
      ("_dmarc." LONG),
      "_dmarc.g.h.i.j.mail.example.com",
      "_dmarc.h.i.j.mail.example.com",
      "_dmarc.i.j.mail.example.com",
      "_dmarc.j.mail.example.com",
      "_dmarc.mail.example.com",
      "_dmarc.example.com",
      "_dmarc.com",
  };
  guint answers = 0;
  Dns *dns = zone_new("");
  Lookup *lookup = lookup_new(dns, NULL, FALSE, came, &answers);
  g_auto(DmarcResult) result;
  g_assert_cmpint(dmarc_find(lookup, LONG, &result), ==, DMARC_MISSING);
  g_assert_cmpuint(dns->waiters->len, ==, G_N_ELEMENTS(names));
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *key = zone_key(names[i], RR_TXT);
    g_assert_cmpstr(((DnsWaiter *) dns->waiters->pdata[i])->key, ==, key);
  }
  lookup_free(lookup);
  zone_free(dns);
}

/* With answers that were put there, and nobody to ask. */
static void
test_put(void)
{
  static const char text[] = "\x12" R;
  g_autoptr(DnsAnswer) own = dns_answer_new("_dmarc.a.nl", RR_TXT);
  g_autoptr(DnsAnswer) top = dns_answer_new("_dmarc.nl", RR_TXT);
  dns_answer_add(own, text, sizeof text - 1);
  top->outcome = DNS_NXDOMAIN;
  g_autoptr(Lookup) lookup = lookup_new(NULL, NULL, FALSE, NULL, NULL);
  g_auto(DmarcResult) none;
  g_assert_cmpint(dmarc_find(lookup, "a.nl", &none), ==, DMARC_UNKNOWN);
  lookup_put(lookup, own);
  lookup_put(lookup, top);
  g_auto(DmarcResult) result;
  g_assert_cmpint(dmarc_find(lookup, "a.nl", &result), ==, DMARC_FOUND);
  g_assert_cmpint(result.policy, ==, DMARC_REJECT);
}

/* A name for which "_dmarc." cannot stand before it is not asked for. */
static void
test_long_name(void)
{
  g_autoptr(GString) domain = g_string_new("nl");
  while (domain->len < 250)
    g_string_prepend(domain, "abcdefghijklmnopqrstuvwxyzabc.");
  g_string_erase(domain, 0, (gssize) domain->len - 250);
  guint answers = 0;
  Dns *dns = zone_new("_dmarc.nl TXT s " R);
  g_autoptr(Lookup) lookup = lookup_new(dns, NULL, FALSE, came, &answers);
  g_auto(DmarcResult) first;
  g_assert_cmpint(dmarc_find(lookup, domain->str, &first), ==, DMARC_MISSING);
  zone_deliver(dns);
  g_auto(DmarcResult) result;
  g_assert_cmpint(dmarc_find(lookup, domain->str, &result), ==, DMARC_FOUND);
  g_assert_cmpstr(result.found_at, ==, "nl");
  zone_free(dns);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/dmarc/parse", test_parse);
  g_test_add_func("/dmarc/find", test_find);
  g_test_add_func("/dmarc/questions", test_questions);
  g_test_add_func("/dmarc/put", test_put);
  g_test_add_func("/dmarc/long-name", test_long_name);
  return g_test_run();
}
