#include "zegelctl/text.h"

#include <string.h>

#include "tests/unit/tap.h"

#define T10 "123456789 "
#define T70 T10 T10 T10 T10 T10 T10 T10

static const struct {
  guint at, indent;
  const char *text, *expected;
} rows[] = {
    {0, 4, "", "\n"},
    {0, 4, "a  b ", "a b\n"},
    /* 78 columns and no more */
    {0, 4, T70 "12345678", T70 "12345678\n"},
    {0, 4, T70 "123456789",
     "123456789 123456789 123456789 123456789 123456789 123456789 "
     "123456789\n    123456789\n"},
    {8, 2, T70 "x",
     "123456789 123456789 123456789 123456789 123456789 123456789 "
     "123456789\n  x\n"},
    /* what is quoted stays in one piece, whatever its length */
    {0, 4, "publish \"" T70 T10 "\" now", "publish\n    \"" T70 T10 "\"\n    now\n"},
    {0, 0, "a \" b", "a \" b\n"},
    {0, 4,
     "m\xc3\xbcller\033[2J\x07\xc2\x9b"
     "2J",
     "m\xc3\xbcller?[2J??2J\n"},
    {0, 4,
     "\xe2\x80\xae"
     "abc\nd",
     "?abc?d\n"},
    {0, 4,
     "\xff"
     "a",
     "\xef\xbf\xbd"
     "a\n"},
};

static void
test_wrap(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GString) out = g_string_new(NULL);
    text_wrap(out, rows[i].at, rows[i].indent, rows[i].text);
    g_test_message("row %u", i);
    g_assert_cmpstr(out->str, ==, rows[i].expected);
  }
}

static void
test_json(void)
{
  g_autoptr(GString) out = g_string_new(NULL);
  json_append_pair(out, "a\"", "b\\\n\x7f\xc3\xa9\xff", TRUE);
  json_append_pair(out, "c", "", FALSE);
  g_assert_cmpstr(out->str, ==,
                  "\"a\\\"\": \"b\\\\\\u000a\\u007f\xc3\xa9\xef\xbf\xbd\", \"c\": \"\"");
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/text/lines fit and cannot move the cursor", test_wrap);
  g_test_add_func("/text/JSON", test_json);
  return g_test_run();
}
