/*
 * test_facts.c - what is attached to a message, by every name that somebody may show.
 */
#include "reader/facts.h"

#include <string.h>

#include "config.h"
#include "reader/charset.h"
#include "reader/zip.h"
#include "tests/unit/reader/zips.h"
#include "tests/unit/tap.h"

/* Sanitizers make each a hundred times as dear. */
#ifdef ZEGEL_SANITIZERS
#define BOMB_ENTRIES 70000
#define BOMB_BYTES   1000000
#else
#define BOMB_ENTRIES 500000
#define BOMB_BYTES   30000000
#endif

/* The message: two parts, text and the one that has HEADER. */
static Attrs *
facts_of(const char *header, const char *body, gsize len)
{
  GByteArray *bytes = g_byte_array_new();
  g_autofree char *head = g_strdup_printf(
      "From: a@example.nl\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
      "--b\r\n\r\nhello\r\n--b\r\n%s\r\n\r\n",
      header);
  g_byte_array_append(bytes, (const guint8 *) head, (guint) strlen(head));
  g_byte_array_append(bytes, (const guint8 *) body, (guint) len);
  g_byte_array_append(bytes, (const guint8 *) "\r\n--b--\r\n", 9);
  g_autoptr(Message) message = message_parse(bytes);
  return facts_new(message, FALSE);
}

/* All names in order, "|" between them; "!" before one that cannot be listed, "cut". */
static char *
names_of(const Attrs *attrs)
{
  g_autoptr(GString) names = g_string_new(NULL);
  for (guint i = 0; i < attrs_count(attrs); i++) {
    const char *name;
    const char *value;
    attrs_nth(attrs, i, &name, &value);
    gboolean is_cut = strcmp(name, "cut") == 0 && strcmp(value, "1") == 0;
    gboolean is_broken = strcmp(name, "unreadable") == 0;
    if (strcmp(name, "name") != 0 && strcmp(name, "alias") != 0 &&
        strcmp(name, "inside") != 0 && strcmp(name, "text") != 0 && !is_cut && !is_broken)
      continue;
    g_string_append_printf(names, "%s%s%s", names->len > 0 ? "|" : "", is_broken ? "!" : "",
                           is_cut ? "cut" : value);
  }
  return g_string_free(g_steal_pointer(&names), FALSE);
}

static void
assert_names(const char *header, const char *body, gsize len, const char *expected)
{
  g_autoptr(Attrs) attrs = facts_of(header, body, len);
  g_autofree char *names = names_of(attrs);
  g_assert_cmpstr(names, ==, expected);
}

#define CD   "Content-Disposition: attachment; "
#define CT   "Content-Type: "
#define LONG "0123456789012345678901234567890123456789012345678901234567890123456789"

static void
test_names(void)
{
  static const struct {
    const char *header;
    const char *names;
  } rows[] = {
      {CT "image/png", "bijlage-1.png"},
      {CT "application/x-msdownload", "bijlage-1.exe"},
      {CT "application/octet-stream; name=x.js", "x.js"},
      {CT "image/png; name=x.exe\r\n" CD "filename=x.png", "x.png|x.exe"},
      {CT "image/png; name=x.png\r\n" CD "filename=x.png", "x.png"},
      {CT "image/png; name*=utf-8''x%2eexe", "x.exe"},
      {CD "filename=x.png; filename=y.exe", "x.png|y.exe"},
      {CD "filename=x.png; filename*=utf-8''y%2eexe", "x.png|y.exe"},
      {CD "filename*0=setup; filename*1=.exe", "setup.exe"},
      {CD "filename*0*=utf-8''setup%2e; filename*1=exe", "setup.exe"},
      {CD "filename=\"=?utf-8?B?c2V0dXAuZXhl?=\"", "setup.exe"},
      {CD "filename=\"=?utf-8?B?c2V0?= =?utf-8?B?dXAuZXhl?=\"", "setup.exe"},
      {CD "filename==?utf-8?Q?setup=2Eexe?=", "setup.exe"},
      {CD "filename=x.png\r\n" CD "filename=y.exe", "y.exe|x.png"},
      {CD "filename=\"\xe2\x80\xaegpj.exe\"", "gpj.exe"},
      {CD "filename=\"setup.exe. . \"", "setup.exe"},
      {CD "filename=\"c:\\\\dir\\\\setup.exe\"", "setup.exe"},
      {CD "filename=\"/dir/setup.exe\"", "setup.exe"},
      {CD "filename=\"setup.exe/\"", "bijlage-1.txt|setup.exe"},
      {CD "filename=\"setup.exe:x.txt\"", "setup.exe_x.txt|setup.exe"},
      {CD "filename=\"a\tb.exe\"", "a b.exe"},
      {CD "FILENAME = setup.exe", "setup.exe"},
      {CD "filename=\"" LONG LONG LONG LONG ".exe\"", LONG LONG "01234567890123456789"
                                                                "01234567890123456789"
                                                                "0123456789012345.exe"},
      {CT "text/plain; name=x.bat\r\nContent-Disposition: inline", "x.bat"},
      {CT "text/html\r\nContent-Disposition: attachment", "bijlage-1.html"},
      {CT "text/plain", ""},
      /* where only some programs look */
      {CT "image/png\r\n" CD "name=x.exe", "bijlage-1.png|x.exe"},
      {CT "image/png; filename=x.exe", "bijlage-1.png|x.exe"},
      {"Content-Disposition: filename=x.exe", "x.exe"},
      {CT "name=x.exe", "bijlage-1.bin|x.exe"},
      {"Content-Disposition: inline; name=x.exe", "x.exe"},
      {CT "text/html; filename=x.exe", "x.exe"},
      /* what programs read differently */
      {CT "image/png\r\n" CT "text/plain", "!MIME"},
      {CT "text/plain\r\n" CT "multipart/mixed; boundary=c", "!MIME"},
      {CT "text/plain\r\n" CT "Text/plain", ""},
      {CT "message/partial; id=a; number=1; total=1", "!MIME|bijlage-1.bin"},
      {CT "multipart/mixed; boundary=c\r\nContent-Transfer-Encoding: base64", "!MIME"},
      {CT "multipart/mixed; boundary=c\r\nContent-Transfer-Encoding: 8bit", ""},
      {CT "image/png\r\nContent-Transfer-Encoding: 7bit\r\n"
          "Content-Transfer-Encoding: base64",
       "!MIME|bijlage-1.png"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_test_message("%s", rows[i].header);
    assert_names(rows[i].header, "x", 1, rows[i].names);
  }
}

static void
test_content(void)
{
  g_autoptr(Attrs) attrs = facts_of(
      CT "application/PDF; name=x\r\nContent-Transfer-Encoding: base64", "eA\r\n==", 6);
  g_autofree char *block = attrs_format(attrs, ATTR_ESCAPED);
  g_assert_cmpstr(
      block, ==,
      "name=x\ntype=application/pdf\nsize=1\n"
      "sha256=2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\n"
      "total=1\ncut=0\n\n");
}

#define ZIP CD "filename=a.zip\r\nContent-Transfer-Encoding: binary"

static void
assert_zip(const ZipRow *rows, const char *expected)
{
  g_autoptr(GByteArray) zip = zips_make(rows);
  assert_names(ZIP, (const char *) zip->data, zip->len, expected);
}

#define ROWS(...) ((const ZipRow[]){__VA_ARGS__, {.name = NULL}})

static void
test_zips(void)
{
  assert_zip(ROWS({.name = "x.exe"}), "a.zip|a.zip/x.exe");
  assert_zip(ROWS({.name = "dir/x.EXE"}, {.name = "y.txt"}),
             "a.zip|a.zip/x.EXE|a.zip/y.txt");
  /* What one program shows and another does not. */
  assert_zip(ROWS({.name = "x.txt", .central = "y.exe"}), "a.zip|a.zip/x.txt|a.zip/y.exe");
  assert_zip(ROWS({.name = "x.txt", .unicode = "y.exe"}), "a.zip|a.zip/x.txt|a.zip/y.exe");
  assert_zip(ROWS({.name = "x.exe\0.txt", .name_len = 10}),
             "a.zip|a.zip/x.exe\xef\xbf\xbd.txt|"
             "a.zip/x.exe");
  assert_zip(ROWS({.name = "x.exe. "}), "a.zip|a.zip/x.exe");
  assert_zip(ROWS({.name = "a.txt"}, {.name = "x.exe:y.txt"}),
             "a.zip|a.zip/a.txt|a.zip/x.exe_y.txt|a.zip/x.exe");
  assert_zip(ROWS({.name = "a.pdf.gz"}, {.name = "x.exe.gz"}),
             "a.zip|a.zip/a.pdf.gz|a.zip/x.exe.gz");
  assert_zip(ROWS({.name = "x.txt"}, {.name = "y.txt "}, {.name = "z.txt."}),
             "a.zip|a.zip/x.txt|a.zip/y.txt|a.zip/z.txt");
  assert_zip(ROWS({.name = "dir\\x.exe"}), "a.zip|a.zip/x.exe");
  assert_zip(ROWS({.name = "../../x.exe"}), "a.zip|a.zip/x.exe");
  assert_zip(ROWS({.name = "x.exe", .flags = ZIP_ENCRYPTED}), "a.zip|a.zip/x.exe");
  assert_zip(ROWS({.name = "zo\xc3\xab.exe", .flags = ZIP_UTF8}),
             "a.zip|a.zip/zo\xc3\xab.exe");
  /* One of each extension, and no directories. */
  assert_zip(ROWS({.name = "example.com/"}, {.name = "example.com/a.TXT"},
                  {.name = "b.txt"}, {.name = "c"}, {.name = "d"}, {.name = "e.js"}),
             "a.zip|a.zip/a.TXT|a.zip/c|a.zip/e.js");
  assert_zip(ROWS({.name = NULL}), "a.zip");
}

/* In other places than where they should be. */
static void
test_odd_zips(void)
{
  g_autoptr(GByteArray) inner = zips_make(ROWS({.name = "x.exe"}));
  const char *zip = (const char *) inner->data;
  assert_names(CT "image/png; name=x.png", zip, inner->len, "x.png|x.png/x.exe");
  assert_names(ZIP, zip, inner->len - 1, "a.zip|a.zip/x.exe|!a.zip");
  assert_names(ZIP, zip, 40, "a.zip|a.zip/x.exe|!a.zip");
  assert_names(ZIP, zip + 1, inner->len - 1, "a.zip|a.zip/x.exe");
  assert_names(ZIP, "no archive", 10, "a.zip|!a.zip");
  assert_names(ZIP, "", 0, "a.zip|!a.zip");
  assert_names(CT "image/png; name=x.ZIP\r\n" CD "filename=x.png", "x", 1,
               "x.png|x.ZIP|!x.png");
  assert_names(CT "application/zip; name=x.png", "x", 1, "x.png|!x.png");
  assert_names(CT "image/png; name=x.png", "PK\3\4", 4, "x.png|!x.png");
  assert_names(CT "image/png; name=x.png", "PK", 2, "x.png");
  /* Made by others: deflated, and a directory whose nothing takes two octets. */
  g_autofree char *path = g_test_build_filename(G_TEST_DIST, "tests", "fuzz", "corpus",
                                                "fuzz_zip", "deflated", NULL);
  g_autofree char *deflated = NULL;
  gsize deflated_len = 0;
  g_assert_true(g_file_get_contents(path, &deflated, &deflated_len, NULL));
  assert_names(ZIP, deflated, deflated_len,
               "a.zip|a.zip/brief.txt|a.zip/setup.exe|a.zip/zo\xc3\xab.js");
  g_autoptr(GByteArray) before = g_byte_array_new(); /* unpacks itself */
  g_byte_array_append(before, (const guint8 *) "MZ and so on", 12);
  g_byte_array_append(before, inner->data, inner->len);
  assert_names(ZIP, (const char *) before->data, before->len, "a.zip|a.zip/x.exe");
}

/* Archives that are made to cost: bounded in time and names. */
static void
test_zip_bombs(void)
{
  gint64 before_us = g_get_monotonic_time();
  g_autoptr(GByteArray) most = zips_make_many("x", BOMB_ENTRIES, ".js", TRUE);
  g_assert_cmpuint(most->len, <, MESSAGE_MAX_BYTES);
  assert_names(ZIP, (const char *) most->data, most->len, "a.zip|a.zip/x0.js");
  g_autoptr(GByteArray) wide = zips_make_many("x.e", BOMB_ENTRIES, "", TRUE);
  g_autoptr(Attrs) attrs = facts_of(ZIP, (const char *) wide->data, wide->len);
  g_autofree char *block = attrs_format(attrs, ATTR_ESCAPED);
  g_assert_nonnull(strstr(block, "cut=1\n"));
  g_assert_cmpuint(attrs_count(attrs), ==, FACTS_MAX_NAMES + 5);
  g_autoptr(GString) heads = g_string_new(NULL);
  while (heads->len < BOMB_BYTES)
    g_string_append_len(heads, "PK\3\4\0\0\0\0\0\0\0\0\0\0", 14);
  g_autoptr(Attrs) overlapping = facts_of(ZIP, heads->str, heads->len);
  g_assert_cmpstr(attrs_get(overlapping, "cut"), ==, "1");
  g_string_truncate(heads, 0);
  while (heads->len < BOMB_BYTES)
    g_string_append_len(heads, "PK\3\4\377\377\377\377\377\377", 10);
  g_autoptr(Attrs) long_names = facts_of(ZIP, heads->str, heads->len);
  g_assert_cmpstr(attrs_get(long_names, "cut"), ==, "1");
  g_autoptr(GByteArray) count = zips_make_many("x", 70000, ".txt", FALSE); /* wraps */
  assert_names(ZIP, (const char *) count->data, count->len, "a.zip|a.zip/x0.txt");
  g_test_message("%.2f s", (gdouble) (g_get_monotonic_time() - before_us) / G_USEC_PER_SEC);
}

/* BODY in DEPTH messages in messages. */
static char *
nest(guint depth, const char *body)
{
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; i < depth; i++)
    g_string_append_printf(text, "Subject: m%u\r\nContent-Type: message/rfc822\r\n\r\n", i);
  g_string_append(text, body);
  return g_string_free(g_steal_pointer(&text), FALSE);
}

#define LEAF "Subject: z\r\nContent-Type: application/pdf; name=y.exe\r\n\r\nx\r\n"

static void
test_forwarded(void)
{
  g_autofree char *two = nest(1, LEAF);
  assert_names(CT "message/rfc822", two, strlen(two),
               "m0.eml|m0.eml/z.eml|m0.eml/z.eml/y.exe");
  assert_names(CT "message/global; name=f.x", LEAF, strlen(LEAF), "f.x|f.x/y.exe");
  assert_names(CT "message/news; name=f.x", LEAF, strlen(LEAF), "f.x|f.x/y.exe");
  assert_names(CT "text/plain; name=f.eml", LEAF, strlen(LEAF), "f.eml|f.eml/y.exe");
  g_autofree char *base64 = g_base64_encode((const guchar *) two, strlen(two));
  assert_names(CT "message/rfc822\r\nContent-Transfer-Encoding: base64", base64,
               strlen(base64), "m0.eml|m0.eml/z.eml|m0.eml/z.eml/y.exe");
  g_autofree char *deep = nest(FACTS_MAX_DEPTH - 1, LEAF);
  g_autofree char *deeper = nest(FACTS_MAX_DEPTH, LEAF);
  g_autofree char *deepest = nest(1000, LEAF);
  g_autoptr(Attrs) fits = facts_of(CT "message/rfc822", deep, strlen(deep));
  g_assert_cmpstr(attrs_get(fits, "cut"), ==, "0");
  g_autofree char *names = names_of(fits);
  g_assert_true(g_str_has_suffix(names, "/y.exe"));
  g_autoptr(Attrs) over = facts_of(CT "message/rfc822", deeper, strlen(deeper));
  g_assert_cmpstr(attrs_get(over, "cut"), ==, "1");
  g_autoptr(Attrs) far = facts_of(CT "message/rfc822", deepest, strlen(deepest));
  g_assert_cmpstr(attrs_get(far, "cut"), ==, "1");
}

/* COUNT parts that have HEADER. */
static Attrs *
many_parts(guint count, const char *header)
{
  g_autoptr(GString) text =
      g_string_new("Content-Type: multipart/mixed; boundary=b\r\n\r\n");
  for (guint i = 0; i < count; i++)
    g_string_append_printf(text, "--b\r\n%s\r\n\r\nx\r\n", header);
  g_string_append(text, "--b--\r\n");
  GByteArray *bytes = g_byte_array_new();
  g_byte_array_append(bytes, (const guint8 *) text->str, (guint) text->len);
  g_autoptr(Message) message = message_parse(bytes);
  return facts_new(message, FALSE);
}

static void
test_many_parts(void)
{
  g_autoptr(Attrs) fits = many_parts(FACTS_MAX_ATTACHMENTS, CT "image/png");
  g_assert_cmpstr(attrs_get(fits, "cut"), ==, "0");
  g_assert_cmpstr(attrs_get(fits, "total"), ==, "500");
  g_autoptr(Attrs) over = many_parts(FACTS_MAX_ATTACHMENTS + 1, CT "image/png");
  g_assert_cmpstr(attrs_get(over, "cut"), ==, "1");
  g_assert_cmpstr(attrs_get(over, "total"), ==, "500");
  g_autoptr(Attrs) far = many_parts(10000, CT "image/png");
  g_assert_cmpstr(attrs_get(far, "cut"), ==, "1");
  /* Every name as long as it can be, and escaped: the block has its limit too. */
  g_autoptr(GString) header = g_string_new(CD);
  for (guint i = 0; i < 30; i++) {
    g_string_append_printf(header, "filename=\"%u", i);
    for (guint n = 0; n < 190; n++)
      g_string_append_c(header, '%');
    g_string_append(header, "\"; ");
  }
  g_autoptr(Attrs) full = many_parts(FACTS_MAX_ATTACHMENTS, header->str);
  g_autofree char *block = attrs_format(full, ATTR_ESCAPED);
  g_assert_cmpstr(attrs_get(full, "cut"), ==, "1");
  g_assert_cmpuint(strlen(block), >, ATTR_BLOCK_MAX_BYTES / 2);
  g_assert_cmpuint(strlen(block), <, ATTR_BLOCK_MAX_BYTES);
  g_assert_cmpuint(attrs_count(full), <, ATTR_MAX_COUNT);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  charset_open();
  message_init();
  g_test_add_func("/facts/names", test_names);
  g_test_add_func("/facts/content", test_content);
  g_test_add_func("/facts/zips", test_zips);
  g_test_add_func("/facts/odd-zips", test_odd_zips);
  g_test_add_func("/facts/zip-bombs", test_zip_bombs);
  g_test_add_func("/facts/forwarded", test_forwarded);
  g_test_add_func("/facts/many-parts", test_many_parts);
  return g_test_run();
}
