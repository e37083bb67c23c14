/* The grammar of SPF records, and what libspf2 gets of them. */
#include "policyd/spf_record.h"

#include <string.h>

#include "tests/unit/tap.h"

#define BAD NULL

static const struct {
  const char *record;
  const char *directives; /* NULL: not well-formed */
  guint count;
} rows[] = {
    {"v=spf1", "v=spf1", 0},
    {"V=SPF1   ", "v=spf1", 0},
    {"v=spf1  mx   -all ", "v=spf1 mx -all", 2},
    {"v=spf10 -all", BAD, 0},
    {"v=spf", BAD, 0},
    {"v=spf1\t-all", BAD, 0},
    {"v=spf1 +a ?mx ~ptr -exists:x.nl", "v=spf1 +a ?mx ~ptr -exists:x.nl", 4},
    {"v=spf1 !a", BAD, 0},
    {"v=spf1 --all", BAD, 0},
    {"v=spf1 -", BAD, 0},
    {"v=spf1 all:x.nl", BAD, 0},
    {"v=spf1 all/8", BAD, 0},
    {"v=spf1 al", BAD, 0},
    {"v=spf1 allx", BAD, 0},
    {"v=spf1 ALL", "v=spf1 ALL", 1},
    /* domains */
    {"v=spf1 a:x.nl", "v=spf1 a:x.nl", 1},
    {"v=spf1 a:x.nl.", "v=spf1 a:x.nl.", 1},
    {"v=spf1 a:nl", BAD, 0},
    {"v=spf1 a:", BAD, 0},
    {"v=spf1 a:.", BAD, 0},
    {"v=spf1 a:x.1", BAD, 0},
    {"v=spf1 a:x.a-b", "v=spf1 a:x.a-b", 1},
    {"v=spf1 a:x.1-2", "v=spf1 a:x.1-2", 1},
    {"v=spf1 a:x.-nl", BAD, 0},
    {"v=spf1 a:x.nl-", BAD, 0},
    {"v=spf1 a:x.n_l", BAD, 0},
    {"v=spf1 a:_spf.x.nl", "v=spf1 a:_spf.x.nl", 1},
    {"v=spf1 a:x\xc3\xa9.nl", BAD, 0},
    {"v=spf1 a:x\x01.nl", BAD, 0},
    {"v=spf1 include", BAD, 0},
    {"v=spf1 include:x.nl/8", BAD, 0},
    {"v=spf1 exists", BAD, 0},
    {"v=spf1 ptr:x.nl/8", BAD, 0},
    /* macros */
    {"v=spf1 a:%{d}", "v=spf1 a:%{d}", 1},
    {"v=spf1 a:%{D2r+-/_=.}.x.nl", "v=spf1 a:%{D2r+-/_=.}.x.nl", 1},
    {"v=spf1 a:x%%y%_z%-.nl", "v=spf1 a:x%%y%_z%-.nl", 1},
    {"v=spf1 a:%{d}x", BAD, 0},
    {"v=spf1 a:%{d}.x", "v=spf1 a:%{d}.x", 1},
    {"v=spf1 a:%{x}.nl", BAD, 0},
    {"v=spf1 a:%{c}.nl", BAD, 0},
    {"v=spf1 a:%{d", BAD, 0},
    {"v=spf1 a:%{", BAD, 0},
    {"v=spf1 a:x.%", BAD, 0},
    {"v=spf1 a:x.%d.nl", BAD, 0},
    {"v=spf1 a:%{dr2}.nl", BAD, 0},
    /* prefix lengths */
    {"v=spf1 a/24", "v=spf1 a/24", 1},
    {"v=spf1 a//64", "v=spf1 a//64", 1},
    {"v=spf1 mx:x.nl/24//64", "v=spf1 mx:x.nl/24//64", 1},
    {"v=spf1 a/33", BAD, 0},
    {"v=spf1 a//129", BAD, 0},
    {"v=spf1 a/", BAD, 0},
    {"v=spf1 a/024", BAD, 0},
    {"v=spf1 a/24/64", BAD, 0},
    {"v=spf1 a//64/24", BAD, 0},
    {"v=spf1 a/4294967297", BAD, 0},
    {"v=spf1 ip4:1.2.3.4", "v=spf1 ip4:1.2.3.4", 1},
    {"v=spf1 ip4:1.2.3.4/32", "v=spf1 ip4:1.2.3.4/32", 1},
    {"v=spf1 -ip4:1.2.3.4/0", "v=spf1 -ip4:0.0.0.0/1 -ip4:128.0.0.0/1", 2},
    {"v=spf1 ip4:1.2.3", BAD, 0},
    {"v=spf1 ip4:1.2.3.4/33", BAD, 0},
    {"v=spf1 ip4:1.2.3.4//32", BAD, 0},
    {"v=spf1 ip4:", BAD, 0},
    {"v=spf1 ip4", BAD, 0},
    {"v=spf1 ip4:::1", BAD, 0},
    {"v=spf1 ip6:::1/128", "v=spf1 ip6:::1/128", 1},
    {"v=spf1 ip6:::/0", "v=spf1 ip6:::/1 ip6:8000::/1", 2},
    {"v=spf1 ip6:1.2.3.4", BAD, 0},
    {"v=spf1 ip6:::1/129", BAD, 0},
    /* modifiers */
    {"v=spf1 redirect=x.nl mx", "v=spf1 mx redirect=x.nl", 2},
    {"v=spf1 redirect=x.nl -all", "v=spf1 -all", 1},
    {"v=spf1 redirect=x.nl redirect=x.nl", BAD, 0},
    {"v=spf1 redirect=", BAD, 0},
    {"v=spf1 redirect:x.nl", BAD, 0},
    {"v=spf1 -redirect=x.nl", BAD, 0},
    {"v=spf1 exp=x.%{i}.nl mx", "v=spf1 mx", 1},
    {"v=spf1 exp=x.nl exp=x.nl", BAD, 0},
    {"v=spf1 exp=%{c}.nl", BAD, 0},
    {"v=spf1 x.y-z_1=%{c}anything:/ mx", "v=spf1 mx", 1},
    {"v=spf1 x=%a", BAD, 0},
    {"v=spf1 1x=a", BAD, 0},
    {"v=spf1 =a", BAD, 0},
};

static void
test_rows(void)
{
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    guint count = 99;
    g_autofree char *directives =
        spf_record_directives(rows[i].record, strlen(rows[i].record), &count);
    g_test_message("%s", rows[i].record);
    g_assert_cmpstr(directives, ==, rows[i].directives);
    if (directives != NULL)
      g_assert_cmpuint(count, ==, rows[i].count);
  }
}

/* A NUL is no end: what stands behind it counts. */
static void
test_nul(void)
{
  static const char record[] = "v=spf1 mx\0 all", macro[] = "v=spf1 a:%\0{d}";
  guint count;
  g_assert_null(spf_record_directives(record, sizeof record - 1, &count));
  g_assert_null(spf_record_directives(macro, sizeof macro - 1, &count));
}

static void
test_length(void)
{
  g_autofree char *terms = g_strnfill(SPF_RECORD_MAX_BYTES, ' ');
  g_autofree char *record = g_strconcat("v=spf1 mx", terms, NULL);
  g_autofree char *directives = NULL;
  guint count = 0;
  directives = spf_record_directives(record, SPF_RECORD_MAX_BYTES, &count);
  g_assert_cmpstr(directives, ==, "v=spf1 mx");
  g_assert_null(spf_record_directives(record, SPF_RECORD_MAX_BYTES + 1, &count));
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/spf-record/rows", test_rows);
  g_test_add_func("/spf-record/nul", test_nul);
  g_test_add_func("/spf-record/length", test_length);
  return g_test_run();
}
