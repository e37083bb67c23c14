/*
 * test_clean.c - headers, texts and file names of strangers.
 */
#include "reader/clean.h"

#include <string.h>

#include "tests/unit/tap.h"

typedef struct {
  const char *in;
  const char *out;
} Row;

static const Row headers[] = {
    {NULL, ""},
    {"", ""},
    {"  een \t twee\r\n drie  ", "een twee drie"},
    {"a\x01\x1b[31m\x7f\xc2\x9b"
     "b",
     "a[31mb"},
    {"a\xe2\x80\xae"
     "b\xe2\x81\xa6"
     "c\xe2\x81\xa9",
     "abc"}, /* U+202E, U+2066, U+2069 */
    {"a\xe2\x80\xa8"
     "b\xe2\x80\xa9"
     "c",
     "a b c"}, /* U+2028, U+2029 */
    {"\xef\xbb\xbf"
     "a\xe2\x80\x8b"
     "b",
     "ab"}, /* U+FEFF, U+200B */
    {"\xf3\xa0\x81\x81"
     "x",
     "x"}, /* U+E0041 */
    {"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"},
    {"caf\xe9", "caf\xef\xbf\xbd"},
};

static const Row texts[] = {
    {"een\r\ntwee\rdrie\n", "een\ntwee\ndrie\n"},
    {"tab\tblijft", "tab\tblijft"},
    {"a\x07\x1b[2J\x7f\xc2\x85"
     "b",
     "a[2Jb"},
    {"\r\n\r\n", "\n\n"},
    {"\r", "\n"},
};

static const Row names[] = {
    {"brief.pdf", "brief.pdf"},
    {"uitslag Zo\xc3\xab.pdf", "uitslag Zo\xc3\xab.pdf"},
    {"../../etc/passwd", "passwd"},
    {"/etc/passwd", "passwd"},
    {"..\\..\\windows\\system.ini", "system.ini"},
    {"C:\\Users\\jan\\brief.docx", "brief.docx"},
    {"..", "bijlage-7.pdf"},
    {"...", "bijlage-7.pdf"},
    {"a/", "bijlage-7.pdf"},
    {"", "bijlage-7.pdf"},
    {NULL, "bijlage-7.pdf"},
    {".htaccess", "htaccess"},
    {"  .  x.txt. ", "x.txt"},
    {"a\r\nSet-Cookie: b.txt", "a Set-Cookie_ b.txt"},
    {"a\x01.txt", "a.txt"},
    {"a<b>c:d\"e|f?g*h", "a_b_c_d_e_f_g_h"},
    {"rekening\xe2\x80\xae"
     "fdp.exe",
     "rekeningfdp.exe"},
    {"\xe2\x80\xae", "bijlage-7.pdf"},
    {"con", "_con"},
    {"NUL.txt", "_NUL.txt"},
    {"com1.txt", "_com1.txt"},
    {"common.txt", "common.txt"},
    {"caf\xe9.txt", "caf\xef\xbf\xbd.txt"},
};

static const Row types[] = {
    {"Application/PDF", "application/pdf"},
    {"image/svg+xml", "image/svg+xml"},
    {NULL, "application/octet-stream"},
    {"", "application/octet-stream"},
    {"text", "application/octet-stream"},
    {"/x", "application/octet-stream"},
    {"text/", "application/octet-stream"},
    {"a/b/c", "application/octet-stream"},
    {"text/html\r\nX: y", "application/octet-stream"},
    {"text/ht ml", "application/octet-stream"},
};

static void
test_headers(void)
{
  for (gsize i = 0; i < G_N_ELEMENTS(headers); i++) {
    g_autofree char *clean = clean_header(headers[i].in, 1000);
    g_assert_cmpstr(clean, ==, headers[i].out);
  }
}

static void
test_long_headers(void)
{
  g_autoptr(GString) value = g_string_new(NULL);
  for (guint i = 0; i < 5000; i++)
    g_string_append(value, "\xc3\xab"); /* two bytes: a cut may fall between them */
  for (gsize max = 10; max < 30; max++) {
    g_autofree char *clean = clean_header(value->str, max);
    g_assert_cmpuint(strlen(clean), <=, max);
    g_assert_cmpuint(strlen(clean), >, max - 3);
    g_assert_true(g_utf8_validate(clean, -1, NULL));
    g_assert_true(g_str_has_suffix(clean, "\xe2\x80\xa6"));
  }
}

static void
test_texts(void)
{
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autofree char *clean = clean_text(texts[i].in, strlen(texts[i].in));
    g_assert_cmpstr(clean, ==, texts[i].out);
  }
}

static void
test_names(void)
{
  for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *clean = clean_file_name(names[i].in, 7, "application/pdf");
    g_assert_cmpstr(clean, ==, names[i].out);
  }
  g_autofree char *unknown = clean_file_name(NULL, 12, "application/x-unknown");
  g_assert_cmpstr(unknown, ==, "bijlage-12.bin");
}

static void
test_long_names(void)
{
  static const char *const units[] = {"x", "\xc3\xab", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
  for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
    g_autoptr(GString) name = g_string_new(NULL);
    while (name->len < 10000)
      g_string_append(name, units[i]);
    g_string_append(name, ".pdf");
    g_autofree char *clean = clean_file_name(name->str, 1, "application/pdf");
    g_assert_cmpuint(strlen(clean), <=, CLEAN_FILE_NAME_MAX_BYTES);
    g_assert_cmpuint(strlen(clean), >, CLEAN_FILE_NAME_MAX_BYTES - 4);
    g_assert_true(g_str_has_suffix(clean, ".pdf"));
    g_assert_true(g_utf8_validate(clean, -1, NULL));
  }
}

static void
test_types(void)
{
  for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
    g_autofree char *clean = clean_media_type(types[i].in);
    g_assert_cmpstr(clean, ==, types[i].out);
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/clean/T30/headers", test_headers);
  g_test_add_func("/clean/T30/long headers", test_long_headers);
  g_test_add_func("/clean/T30/texts", test_texts);
  g_test_add_func("/clean/T12/file names", test_names);
  g_test_add_func("/clean/T12/long file names", test_long_names);
  g_test_add_func("/clean/T11/media types", test_types);
  return g_test_run();
}
