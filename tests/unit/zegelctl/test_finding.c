#include "zegelctl/finding.h"

#include <glib/gstdio.h>
#include <string.h>

#include "common/book/book.h"
#include "tests/unit/tap.h"
#include "zegelctl/pin.h"

#define NOW            1795305600 /* 2026-11-22 00:00:00 UTC */
#define DAY            86400
#define OLD            (NOW - 300 * DAY)
#define LATE           (NOW - 10 * DAY)
#define M(year, month) ((year) *12 + (month) -1)

typedef struct {
  char *directory, *path;
  Seen *seen;
  GPtrArray *findings;
  GHashTable *hosts;
} Fixture;

static void
free_finding(gpointer p)
{
  finding_free(p);
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  (void) data;
  fixture->directory = g_dir_make_tmp("finding-XXXXXX", NULL);
  fixture->path = g_build_filename(fixture->directory, "seen.db", NULL);
  fixture->seen = seen_open(fixture->path, &error);
  g_assert_no_error(error);
  fixture->findings = g_ptr_array_new_with_free_func(free_finding);
  fixture->hosts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
  static const char *const suffixes[] = {"", "-wal", "-shm"};
  (void) data;
  seen_close(fixture->seen);
  for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
    g_autofree char *name = g_strconcat(fixture->path, suffixes[i], NULL);
    g_unlink(name);
  }
  g_assert_cmpint(g_rmdir(fixture->directory), ==, 0);
  g_free(fixture->directory);
  g_free(fixture->path);
  g_ptr_array_unref(fixture->findings);
  g_hash_table_unref(fixture->hosts);
}

/* One look at a domain; NULL: it had none of that, "": nothing was said of it. */
typedef struct {
  gint64 at_s;
  const char *domain;
  gboolean ours;
  SightReadiness readiness;
  const char *code;
  int begins, ends; /* 0: no record */
  const char *host; /* its ntamx */
  const char *tlsa; /* of that host */
} Look;

#define GOOD_LOOK(at)                                                                      \
  {                                                                                        \
    at, "a.nl", FALSE, SIGHT_READY, "Z-N1-READY", M(2025, 1), M(2027, 12), "mx.a.nl",      \
        "3 1 1 aa"                                                                         \
  }

static void
see(Seen *seen, const Look *look)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) sights = g_ptr_array_new();
  g_autoptr(Sight) sight = sight_new(look->domain, look->ours, look->at_s);
  sight->readiness = look->readiness;
  g_free(sight->code);
  sight->code = g_strdup(look->code);
  SightLook *nta = sight_look(sight, SEEN_NTA, look->domain);
  SightLook *ntamx = sight_look(sight, SEEN_NTAMX, look->domain);
  if (look->ends != 0) {
    g_autofree char *text = g_strdup_printf(
        "v=NTA7516-1;startdate=%04d-%02d;enddate=%04d-%02d;provider=p;ntamx=10 %s",
        look->begins / 12, look->begins % 12 + 1, look->ends / 12, look->ends % 12 + 1,
        look->host);
    g_autofree char *host = g_strconcat("10 ", look->host, NULL);
    sight_add(nta, text, look->begins, look->ends);
    sight_add(ntamx, host, 0, 0);
    sight_add(sight_look(sight, SEEN_TLSA, look->host), look->tlsa, 0, 0);
  }
  g_ptr_array_add(sights, sight);
  g_assert_true(seen_write(seen, sights, &error));
  g_assert_no_error(error);
}

static void
search(Fixture *fixture, const char *domain, gboolean ours, gboolean partner)
{
  g_autoptr(GError) error = NULL;
  const FindingRules rules = {.now_s = NOW, .days = 60};
  const FindingSubject subject = {domain, ours, partner, NULL};
  gboolean good = finding_search(fixture->seen, &rules, &subject, fixture->hosts,
                                 fixture->findings, &error);
  g_assert_no_error(error);
  g_assert_true(good);
}

/* "CODE CODE". */
static char *
codes(const Fixture *fixture)
{
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < fixture->findings->len; i++)
    g_string_append_printf(text, "%s%s", i > 0 ? " " : "",
                           ((const Finding *) fixture->findings->pdata[i])->code);
  return g_string_free(text, FALSE);
}

typedef struct {
  const char *name;
  Look looks[3];
  gboolean partner;
  const char *expected; /* codes */
  const char *says;     /* stands in what the first says, or in what to do; or NULL */
} FindingRow;

static const FindingRow rows[] = {
    {"all is well", {GOOD_LOOK(OLD), GOOD_LOOK(NOW)}, TRUE, "", NULL},
    {"seen for the first time", {GOOD_LOOK(NOW)}, TRUE, "", NULL},
    {"never seen", {{.at_s = 0}}, TRUE, "", NULL},
    {"ends within 60 days",
     {{NOW, "a.nl", FALSE, SIGHT_READY, "Z-N1-READY", M(2025, 1), M(2026, 12), "mx.a.nl",
       "x"}},
     TRUE,
     "Z-N1-ENDS",
     "ends on 2026-12-31, in 39 days"},
    {"ends within 60 days: what to do",
     {{NOW, "a.nl", FALSE, SIGHT_READY, "Z-N1-READY", M(2025, 1), M(2026, 12), "mx.a.nl",
       "x"}},
     TRUE,
     "Z-N1-ENDS",
     "tell NTA7516@a.nl: publish before 2026-12-31: a.nl. IN TXT "
     "\"v=NTA7516-1;startdate=2026-11;enddate=2029-11;provider=p;ntamx=10 mx.a.nl\""},
    {"ends later",
     {{NOW, "a.nl", FALSE, SIGHT_READY, "Z-N1-READY", M(2025, 1), M(2027, 1), "mx.a.nl",
       "x"}},
     TRUE,
     "",
     NULL},
    {"ended: not said twice",
     {GOOD_LOOK(OLD),
      {NOW, "a.nl", FALSE, SIGHT_NOT_READY, "Z-N1-DATES", M(2025, 1), M(2026, 10),
       "mx.a.nl", "3 1 1 aa"}},
     TRUE,
     "Z-N1-ENDED",
     "ended on 2026-10-31"},
    {"too long",
     {{NOW, "a.nl", FALSE, SIGHT_NOT_READY, "Z-N1-SPAN", M(2025, 1), M(2028, 2), "mx.a.nl",
       "x"}},
     TRUE,
     "Z-N1-SPAN",
     "37 months"},
    {"too long, a stranger",
     {{NOW, "a.nl", FALSE, SIGHT_NOT_READY, "Z-N1-SPAN", M(2025, 1), M(2028, 2), "mx.a.nl",
       "x"}},
     FALSE,
     "Z-N1-SPAN",
     "37 months"},
    {"ended, a stranger who never was ready",
     {{NOW, "a.nl", FALSE, SIGHT_NOT_READY, "Z-N1-DATES", M(2020, 1), M(2022, 2), "mx.a.nl",
       "x"}},
     FALSE,
     "",
     NULL},
    {"another pin",
     {GOOD_LOOK(OLD),
      GOOD_LOOK(LATE),
      {NOW, "a.nl", FALSE, SIGHT_READY, "Z-N1-READY", M(2025, 1), M(2027, 12), "mx.a.nl",
       "3 1 1 bb"}},
     TRUE,
     "Z-N1-PINS",
     "new is \"3 1 1 bb\" (first seen 2026-11-22); gone is \"3 1 1 aa\" (last seen "
     "2026-11-12)"},
    {"another pin, long ago",
     {{OLD, "a.nl", FALSE, SIGHT_READY, "Z-N1-READY", M(2025, 1), M(2027, 12), "mx.a.nl",
       "3 1 1 bb"},
      GOOD_LOOK(OLD + DAY),
      GOOD_LOOK(NOW)},
     TRUE,
     "",
     NULL},
    {"another host",
     {GOOD_LOOK(LATE),
      {NOW, "a.nl", FALSE, SIGHT_READY, "Z-N1-READY", M(2025, 1), M(2027, 12), "mx.b.nl",
       "3 1 1 aa"}},
     TRUE,
     "Z-N1-NTAMX",
     "new is \"10 mx.b.nl\""},
    {"a first record",
     {{OLD, "a.nl", FALSE, SIGHT_NOT_READY, "Z-N1-RECORD", 0, 0, "", ""}, GOOD_LOOK(NOW)},
     TRUE,
     "",
     NULL},
    {"no record any more",
     {GOOD_LOOK(LATE), {NOW, "a.nl", FALSE, SIGHT_NOT_READY, "Z-N1-RECORD", 0, 0, "", ""}},
     TRUE,
     "Z-N1-LOST",
     "last time on 2026-11-12, and is not any more: Z-N1-RECORD"},
    {"lost, a stranger, lately",
     {GOOD_LOOK(LATE), {NOW, "a.nl", FALSE, SIGHT_NOT_READY, "Z-N1-RECORD", 0, 0, "", ""}},
     FALSE,
     "Z-N1-LOST",
     NULL},
    {"lost, a stranger, long ago",
     {GOOD_LOOK(OLD), {NOW, "a.nl", FALSE, SIGHT_NOT_READY, "Z-N1-RECORD", 0, 0, "", ""}},
     FALSE,
     "",
     NULL},
    {"unknown changes nothing",
     {GOOD_LOOK(LATE),
      {NOW, "a.nl", FALSE, SIGHT_UNKNOWN, "Z-N1-TLSA", M(2025, 1), M(2027, 12), "mx.a.nl",
       "3 1 1 aa"}},
     TRUE,
     "",
     NULL},
};

static void
test_row(Fixture *fixture, gconstpointer data)
{
  const FindingRow *row = data;
  for (guint i = 0; i < G_N_ELEMENTS(row->looks) && row->looks[i].at_s != 0; i++)
    see(fixture->seen, &row->looks[i]);
  search(fixture, "a.nl", FALSE, row->partner);
  g_autofree char *found = codes(fixture);
  g_assert_cmpstr(found, ==, row->expected);
  if (row->says == NULL)
    return;
  const Finding *first = fixture->findings->pdata[0];
  g_autofree char *text = g_strconcat(first->what->str, "\n", first->action->str, NULL);
  if (strstr(text, row->says) == NULL)
    g_error("%s is not in: %s", row->says, text);
}

static void
test_keys_last(Fixture *fixture, gconstpointer data)
{
  const Look changed = {LATE,       "a.nl",      FALSE,     SIGHT_READY, "Z-N1-READY",
                        M(2025, 1), M(2026, 12), "mx.a.nl", "3 1 1 bb"};
  Look again = changed;
  const Look first = GOOD_LOOK(OLD);
  (void) data;
  see(fixture->seen, &first);
  see(fixture->seen, &changed);
  search(fixture, "a.nl", FALSE, TRUE);
  again.at_s = NOW;
  see(fixture->seen, &again);
  g_hash_table_remove_all(fixture->hosts);
  search(fixture, "a.nl", FALSE, TRUE);
  g_autofree char *found = codes(fixture);
  g_assert_cmpstr(found, ==, "Z-N1-ENDS Z-N1-PINS Z-N1-ENDS Z-N1-PINS");
  for (guint i = 0; i < 2; i++) {
    const Finding *one = fixture->findings->pdata[i],
                  *two = fixture->findings->pdata[i + 2];
    g_assert_cmpuint(one->keys->len, ==, two->keys->len);
    for (guint j = 0; j < one->keys->len; j++)
      g_assert_cmpstr(one->keys->pdata[j], ==, two->keys->pdata[j]);
  }
}

/* A host that many domains have is told of once. */
static void
test_shared_host(Fixture *fixture, gconstpointer data)
{
  const Look first = GOOD_LOOK(OLD);
  Look changed = GOOD_LOOK(NOW), other = GOOD_LOOK(NOW);
  (void) data;
  changed.tlsa = other.tlsa = "3 1 1 bb";
  other.domain = "b.nl";
  see(fixture->seen, &first);
  see(fixture->seen, &changed);
  see(fixture->seen, &other);
  search(fixture, "a.nl", FALSE, TRUE);
  search(fixture, "b.nl", FALSE, TRUE);
  g_autofree char *found = codes(fixture);
  g_assert_cmpstr(found, ==, "Z-N1-PINS");
  const Finding *finding = fixture->findings->pdata[0];
  g_assert_nonnull(strstr(finding->what->str, "it takes mail of b.nl too"));
}

/* Nothing can be found out: no finding at first, one after some days. */
static void
test_silence(Fixture *fixture, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) lines =
      g_ptr_array_new_with_free_func((GDestroyNotify) check_line_free);
  const FindingSubject subject = {"a.nl", FALSE, TRUE, lines};
  const Look look = GOOD_LOOK(NOW - 2 * DAY);
  (void) data;
  g_ptr_array_add(lines, check_line_new("Z-N1-DNSSEC", CHECK_UNKNOWN, TRUE, "", "", ""));
  see(fixture->seen, &look);
  for (guint days = 0; days < 2; days++) {
    const FindingRules rules = {.now_s = NOW + (gint64) days * DAY, .days = 60};
    g_assert_true(finding_search(fixture->seen, &rules, &subject, fixture->hosts,
                                 fixture->findings, &error));
    g_assert_cmpuint(fixture->findings->len, ==, days);
  }
  g_autofree char *found = codes(fixture);
  g_assert_cmpstr(found, ==, "Z-N1-LOST");
}

static void
test_renewed(void)
{
  static const char *const texts[][2] = {
      {"v=NTA7516-1;startdate=2025-01;enddate=2027-12;provider=P;ntamx=10 mx.a.nl",
       "v=NTA7516-1;startdate=2026-11;enddate=2029-11;provider=P;ntamx=10 mx.a.nl"},
      {"v=NTA7516; VERSION:2019-01;expire:2020-01;provider:P;",
       "v=NTA7516; VERSION:2026-11;expire:2029-11;provider:P;"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autofree char *renewed = finding_renewed(texts[i][0], M(2026, 11));
    g_assert_cmpstr(renewed, ==, texts[i][1]);
  }
}

#define PIN                                                                                \
  "AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:"   \
  "66:77:88:99"
#define HEX "AABBCCDDEEFF00112233445566778899AABBCCDDEEFF00112233445566778899"

static void
test_pins(void)
{
  static const char text[] = "b.nl [mx.a.nl]:25 fingerprint=" PIN " protocols=TLSv1.3\n"
                             "a.nl [mx.a.nl]:25 fingerprint=" PIN " protocols=TLSv1.3\n"
                             "c.nl [mx.c.nl]:25 secure\n"
                             "d.nl nta secure\n"
                             "e.nl e.nl:25 fingerprint=" PIN "\n";
  g_autoptr(GError) error = NULL;
  g_autoptr(Book) book = book_parse("book", text, strlen(text), &error);
  g_assert_no_error(error);
  g_autoptr(GPtrArray) all = pin_list(book);
  g_assert_cmpuint(all->len, ==, 1);
  const Pinned *pinned = all->pdata[0];
  g_assert_cmpstr(pinned->host, ==, "mx.a.nl");
  g_assert_cmpstr(pinned->port, ==, "25");
  g_assert_cmpuint(g_strv_length(pinned->tlsa), ==, 2);
  g_assert_cmpstr(pinned->tlsa[0], ==, "3 0 1 " HEX);
  g_assert_cmpstr(pinned->tlsa[1], ==, "3 1 1 " HEX);
  g_assert_cmpuint(pinned->domains->len, ==, 2);
  g_assert_cmpstr(pinned->domains->pdata[0], ==, "a.nl");
}

int
main(int argc, char **argv)
{
  g_setenv("TZ", "UTC", TRUE);
  tap_init(argc, argv);
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *path = g_strconcat("/finding/", rows[i].name, NULL);
    g_test_add(path, Fixture, &rows[i], set_up, test_row, tear_down);
  }
  g_test_add("/finding/keys last", Fixture, NULL, set_up, test_keys_last, tear_down);
  g_test_add("/finding/silence", Fixture, NULL, set_up, test_silence, tear_down);
  g_test_add("/finding/shared host", Fixture, NULL, set_up, test_shared_host, tear_down);
  g_test_add_func("/finding/renewed", test_renewed);
  g_test_add_func("/finding/pins", test_pins);
  return g_test_run();
}
