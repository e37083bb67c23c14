/* Attribute blocks: what goes in comes out, and what is no block is refused. */
#include "common/base/attr.h"

#include <string.h>

#include "common/base/error.h"
#include "tests/unit/tap.h"

static void
test_round_trip(void)
{
  g_autoptr(Attrs) attrs = attrs_new();
  attrs_add(attrs, "plain", "value");
  attrs_add(attrs, "empty", "");
  attrs_add(attrs, "odd", "a=b % \n\r\t\x7f \xc3\xa9\xff");
  attrs_add_uint(attrs, "number", G_MAXUINT64);
  attrs_add(attrs, "plain", "again");
  g_autofree char *text = attrs_format(attrs, ATTR_ESCAPED);
  g_assert_cmpstr(text, ==,
                  "plain=value\nempty=\nodd=a=b %25 %0A%0D%09%7F \xc3\xa9\xff\n"
                  "number=18446744073709551615\nplain=again\n\n");
  g_autoptr(GError) error = NULL;
  g_autoptr(Attrs) back = attrs_parse(text, strlen(text), ATTR_ESCAPED, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(attrs_count(back), ==, 5);
  g_assert_cmpstr(attrs_get(back, "plain"), ==, "value"); /* the first */
  g_assert_cmpstr(attrs_get(back, "empty"), ==, "");
  g_assert_cmpstr(attrs_get(back, "odd"), ==, "a=b % \n\r\t\x7f \xc3\xa9\xff");
  g_assert_null(attrs_get(back, "Plain"));
  const char *name = "x", *value = "x";
  attrs_nth(back, 4, &name, &value);
  g_assert_cmpstr(name, ==, "plain");
  g_assert_cmpstr(value, ==, "again");
}

/* Postfix's own blocks are not escaped; a line end cannot be in a value. */
static void
test_plain(void)
{
  g_autoptr(Attrs) attrs = attrs_new();
  attrs_add(attrs, "action", "450 4.7.1 100%\nquit=1");
  g_autofree char *text = attrs_format(attrs, ATTR_PLAIN);
  g_assert_cmpstr(text, ==, "action=450 4.7.1 100%quit=1\n\n");
  g_autoptr(Attrs) back = attrs_parse("a=%41%\n\n", 8, ATTR_PLAIN, NULL);
  g_assert_cmpstr(attrs_get(back, "a"), ==, "%41%");
}

static const struct {
  const char *text;
  gsize len;
  int count; /* -1: invalid */
} blocks[] = {
    {"", 0, 0},
    {"\n", 1, 0},
    {"a=1\n\n", 5, 1},
    {"a=1", 3, 1}, /* the end may be missing */
    {"a=1\nb=2\n", 8, 2},
    {"a=1\n\nb=2\n\n", 10, 1}, /* only the first block */
    {"a=%41%4a\n\n", 10, 1},
    {"A-b_9=\n\n", 8, 1},
    {"a\n\n", 3, -1},
    {"=1\n\n", 4, -1},
    {"a b=1\n\n", 7, -1},
    {"a\xc3\xa9=1\n\n", 7, -1},
    {"a=%4\n\n", 6, -1},
    {"a=%\n\n", 5, -1},
    {"a=%4g\n\n", 7, -1},
    {"a=%00\n\n", 7, -1},
    {"a=1\0"
     "2\n\n",
     7, -1},
    {"\0=1\n\n", 5, -1},
};

static void
test_parse(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(blocks); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Attrs) attrs =
        attrs_parse(blocks[i].text, blocks[i].len, ATTR_ESCAPED, &error);
    g_test_message("row %u", i);
    if (blocks[i].count < 0) {
      g_assert_null(attrs);
      g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
    } else {
      g_assert_no_error(error);
      g_assert_cmpuint(attrs_count(attrs), ==, (guint) blocks[i].count);
    }
  }
}

static void
test_limits(void)
{
  g_autoptr(GString) many = g_string_new(NULL);
  for (guint i = 0; i < ATTR_MAX_COUNT; i++)
    g_string_append(many, "a=\n");
  g_autoptr(GError) error = NULL;
  g_autoptr(Attrs) full = attrs_parse(many->str, many->len, ATTR_PLAIN, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(attrs_count(full), ==, ATTR_MAX_COUNT);
  g_string_append(many, "a=\n");
  g_autoptr(Attrs) over = attrs_parse(many->str, many->len, ATTR_PLAIN, &error);
  g_assert_null(over);
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT);
  g_clear_error(&error);

  g_autofree char *large = g_strnfill(ATTR_BLOCK_MAX_BYTES + 1, 'x');
  memcpy(large, "a=", 2);
  g_autoptr(Attrs) fits = attrs_parse(large, ATTR_BLOCK_MAX_BYTES, ATTR_PLAIN, &error);
  g_assert_no_error(error);
  g_assert_nonnull(fits);
  g_autoptr(Attrs) too_large =
      attrs_parse(large, ATTR_BLOCK_MAX_BYTES + 1, ATTR_PLAIN, &error);
  g_assert_null(too_large);
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT);
}

static void
test_uint(void)
{
  static const struct {
    const char *value;
    gboolean good;
  } rows[] = {{"5", TRUE},
              {"10", TRUE},
              {"4", FALSE},
              {"11", FALSE},
              {"", FALSE},
              {"-5", FALSE},
              {"+5", FALSE},
              {" 5", FALSE},
              {"5x", FALSE},
              {"0x5", FALSE},
              {"99999999999999999999999", FALSE}};
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(Attrs) attrs = attrs_new();
    g_autoptr(GError) error = NULL;
    guint64 number = 12345;
    attrs_add(attrs, "n", rows[i].value);
    g_test_message("row %u: %s", i, rows[i].value);
    g_assert_cmpint(attrs_get_uint(attrs, "n", 5, 10, &number, &error), ==, rows[i].good);
    if (rows[i].good)
      g_assert_cmpuint(number, ==, g_ascii_strtoull(rows[i].value, NULL, 10));
    else
      g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
    g_assert_false(attrs_get_uint(attrs, "missing", 0, 9, &number, NULL));
  }
}

static void
test_block_length(void)
{
  g_assert_cmpuint(attrs_block_length("", 0), ==, 0);
  g_assert_cmpuint(attrs_block_length("\n", 1), ==, 1);
  g_assert_cmpuint(attrs_block_length("a=1\n", 4), ==, 0);
  g_assert_cmpuint(attrs_block_length("a=1\n\n", 5), ==, 5);
  g_assert_cmpuint(attrs_block_length("a=1\n\n", 4), ==, 0);
  g_assert_cmpuint(attrs_block_length("a=1\nb=2\n\nc=3\n\n", 15), ==, 9);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_set_nonfatal_assertions();
  g_test_add_func("/attr/round-trip", test_round_trip);
  g_test_add_func("/attr/plain", test_plain);
  g_test_add_func("/attr/parse", test_parse);
  g_test_add_func("/attr/limits", test_limits);
  g_test_add_func("/attr/uint", test_uint);
  g_test_add_func("/attr/block-length", test_block_length);
  return g_test_run();
}
