/*
 * test_charset.c - character sets come out as UTF-8, known, unknown or broken.
 */
#include "reader/charset.h"

#include <iconv.h>
#include <string.h>

#include "tests/unit/reader/charsets.h"
#include "tests/unit/tap.h"

static void
test_known(void)
{
  for (const CharsetRow *row = charset_rows; row->label != NULL; row++) {
    g_autofree char *text = charset_to_utf8(row->bytes, row->len, row->label);
    g_assert_cmpstr(text, ==, row->text);
  }
  g_autofree char *guess = charset_to_utf8("Zo\xeb", 3, NULL);
  g_assert_cmpstr(guess, ==, "Zoë");
}

static void
test_broken(void)
{
  static const CharsetRow rows[] = {
      {"utf-8",
       "a\xff"
       "b",
       3,
       "a\xef\xbf\xbd"
       "b"},
      {"utf-8",
       "\xef\xbb\xbf"
       "a",
       4, "a"},
      {"utf-8", "a\0b", 3,
       "a\xef\xbf\xbd"
       "b"},
      {"utf-8", "", 0, ""},
      {"gb18030",
       "a\xff"
       "b",
       3,
       "a\xef\xbf\xbd"
       "b"},
      {"gb18030", "a\xc4", 2, "a\xef\xbf\xbd"},
      {"utf-16le", "a\0b", 3, "a\xef\xbf\xbd"},
      {"utf-16be", "\0a\xd8\0\0b", 6,
       "a\xef\xbf\xbd\xef\xbf\xbd"
       "b"},
      {"windows-1252",
       "a\x81"
       "b",
       3,
       "a\xef\xbf\xbd"
       "b"},
      {"iso-2022-jp", "\x1b$B", 3, ""},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *text = charset_to_utf8(rows[i].bytes, rows[i].len, rows[i].label);
    g_assert_true(g_utf8_validate(text, -1, NULL));
    if (strcmp(rows[i].label, "utf-16be") !=
        0) /* how many marks is the C library's choice */
      g_assert_cmpstr(text, ==, rows[i].text);
  }
}

/* Long text crosses the converter's chunks at every place. */
static void
test_long(void)
{
  for (gsize shift = 0; shift < 4; shift++) {
    g_autoptr(GString) source = g_string_new(NULL);
    g_autoptr(GString) expected = g_string_new(NULL);
    for (gsize i = 0; i < shift; i++) {
      g_string_append_c(source, 'x');
      g_string_append_c(expected, 'x');
    }
    for (gsize i = 0; i < 10000; i++) {
      g_string_append(source, "\xc4\xfa\xba\xc3");
      g_string_append(expected, "您好");
    }
    g_autofree char *text = charset_to_utf8(source->str, source->len, "gb2312");
    g_assert_cmpstr(text, ==, expected->str);
  }
}

/* Whoever asks the C library gets a converter that is loaded, or none. */
static void
test_taken_place(void)
{
  iconv_t known = iconv_open("UTF-8", "ISO-8859-15");
  g_assert_true(known != (iconv_t) -1);
  iconv_close(known);
  g_assert_true(iconv_open("UTF-8", "EBCDIC-US") == (iconv_t) -1);
  g_assert_true(iconv_open("UTF-8", "../../../tmp/x") == (iconv_t) -1);
  g_autofree char *label = g_strnfill(100000, 'x');
  g_assert_true(iconv_open("UTF-8", label) == (iconv_t) -1);
  g_autoptr(GError) error = NULL;
  g_assert_null(g_convert("x", 1, "UTF-8", "EBCDIC-US", NULL, NULL, &error));
  g_assert_error(error, G_CONVERT_ERROR, G_CONVERT_ERROR_NO_CONVERSION);
}

static void
test_not_open(void)
{
  charset_close();
  g_autofree char *text = charset_to_utf8("Zo\xeb", 3, "gb18030");
  g_assert_true(g_utf8_validate(text, -1, NULL));
  g_assert_true(g_str_has_prefix(text, "Zo"));
  g_assert_cmpuint(charset_open(), >, 30);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_assert_cmpuint(charset_open(), >, 30);
  g_test_add_func("/charset/V4/known", test_known);
  g_test_add_func("/charset/F25/broken", test_broken);
  g_test_add_func("/charset/F25/long", test_long);
  g_test_add_func("/charset/T35/only what is loaded", test_taken_place);
  g_test_add_func("/charset/T35/nothing loaded", test_not_open);
  int failed = g_test_run();
  charset_close();
  return failed;
}
