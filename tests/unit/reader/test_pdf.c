/*
 * test_pdf.c - the document of a message: other programs read it, and it says all.
 */
#include "reader/pdf.h"

#include <gio/gio.h>
#include <locale.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reader/charset.h"
#include "reader/paper.h"
#include "reader/report.h"
#include "tests/unit/tap.h"

/* From poppler and qpdf (contrib/packages). */
#define PDFTOTEXT "pdftotext"
#define PDFINFO   "pdfinfo"
#define QPDF      "qpdf"

#define HASH_OF_X "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"

#define HEAD                                                                               \
  "From: \"De Vries, Jan\" <jan@example.nl>\nTo: a@example.nl, B <b@example.nl>\n"         \
  "Cc: c@example.nl\nSubject: =?utf-8?Q?Uw_uitslag_=E2=82=AC?=\n"                          \
  "Date: Mon, 27 Jul 2026 12:00:00 +0200\nMIME-Version: 1.0\n"
#define TEXT HEAD "Content-Type: text/plain; charset=utf-8\n\n"

static GByteArray *
make(const char *text, PdfLanguage language)
{
  GByteArray *bytes = g_byte_array_new();
  g_autoptr(Message) message = message_parse(
      g_byte_array_append(bytes, (const guint8 *) text, (guint) strlen(text)));
  GByteArray *pdf = pdf_new(message, language);
  g_assert_nonnull(pdf);
  return pdf;
}

/* What PROGRAM with OPTION (or NULL) and AFTER (or NULL) says of PDF; it must find no
 * fault.
 */
static char *
ask(const char *program, const char *option, GByteArray *pdf, const char *after)
{
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp("zegel-XXXXXX.pdf", &path, NULL);
  g_assert_cmpint(fd, >=, 0);
  g_assert_cmpint(write(fd, pdf->data, pdf->len), ==, pdf->len);
  close(fd);
  const char *argv[5] = {program, option, path, after, NULL};
  const char *const plain[] = {program, path, after, NULL};
  g_autoptr(GError) error = NULL;
  g_autoptr(GSubprocess) child = g_subprocess_newv(
      option != NULL ? argv : plain,
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE, &error);
  g_assert_no_error(error);
  char *out = NULL;
  g_assert_true(g_subprocess_communicate_utf8(child, NULL, NULL, &out, NULL, NULL));
  unlink(path);
  g_test_message("%s", out);
  g_assert_cmpint(g_subprocess_get_exit_status(child), ==, 0);
  return out;
}

static void
assert_says(const char *text, const char *words)
{
  if (strstr(text, words) == NULL)
    g_error("\"%s\" is not in: %s", words, text);
}

static gboolean
has(GByteArray *pdf, const char *words)
{
  return memmem(pdf->data, pdf->len, words, strlen(words)) != NULL;
}

static void
test_words(void)
{
  g_autoptr(GByteArray) pdf =
      make(HEAD "Content-Type: multipart/mixed; boundary=b\n\n"
                "--b\nContent-Type: text/plain; charset=utf-8\n\nBeste Zo\xc3\xab,\n\n"
                "Zie https://example.com/x.\n- een\n- twee\n\nGroet\n"
                "--b\nContent-Type: application/pdf; name=\"uitslag.pdf\"\n\nx\n--b--\n",
           PDF_NL);
  g_autofree char *text = ask(PDFTOTEXT, "-layout", pdf, "-");
  assert_says(text, "Uw uitslag €\n");
  assert_says(text, "Van: De Vries, Jan\n");
  assert_says(text, "<jan@example.nl>\n");
  assert_says(text, "Aan: a@example.nl, B <b@example.nl>\n");
  assert_says(text, "Cc: c@example.nl\n");
  assert_says(text, "Datum: 27 juli 2026 12:00 (UTC+02:00)\n");
  assert_says(text, "Beste Zoë,\n");
  assert_says(text, "Zie https://example.com/x.\n");
  assert_says(text, "Bijlagen\n");
  assert_says(text, "uitslag.pdf\n");
  assert_says(text, "1 bytes\n");
  assert_says(text, "SHA-256:\n" HASH_OF_X "\n");
  g_assert_true(has(pdf, "/URI (https://example.com/x)"));
}

static void
test_tags(void)
{
  g_autoptr(GByteArray) pdf =
      make(HEAD "Content-Type: multipart/mixed; boundary=b\n\n"
                "--b\n\nBeste,\n\n- een\n- twee <https://example.com/>\n\nGroet\n"
                "--b\nContent-Type: application/pdf; name=\"uitslag.pdf\"\n\nx\n--b--\n",
           PDF_EN);
  g_autofree char *info = ask(PDFINFO, NULL, pdf, NULL);
  assert_says(info, "Uw uitslag €\n");
  assert_says(info, "jan@example.nl\n");
  g_assert_true(g_regex_match_simple("Tagged: +yes\n", info, 0, 0));
  g_assert_true(g_regex_match_simple("JavaScript: +no\n", info, 0, 0));
  g_assert_true(g_regex_match_simple("Encrypted: +no\n", info, 0, 0));
  g_assert_true(g_regex_match_simple("CreationDate: +Mon Jul 27", info, 0, 0));
  g_autofree char *tree = ask(PDFINFO, "-struct-text", pdf, NULL);
  static const char *const parts[] = {
      "Document\n",    "  H1 (block)\n",   "  P (block)\n",         "    \"Beste,\"\n",
      "  L (block)\n", "    LI (block)\n", "      LBody (block)\n", "\"- een\"\n",
      "Link",          "  H2 (block)\n",   "\"Attachments\"\n",     HASH_OF_X};
  for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
    assert_says(tree, parts[i]);
  g_assert_true(has(pdf, "/Lang (en-GB)"));
  g_assert_true(has(pdf, "/DisplayDocTitle true"));
  g_autofree char *check = ask(QPDF, "--check", pdf, NULL);
  assert_says(check, "No syntax or stream encoding errors found");
}

/* Words from right to left, with Latin ones and numbers among them. */
static void
test_directions(void)
{
  g_autoptr(GByteArray) pdf =
      make("From: \"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d\" <5@example.nl>\nContent-Type: "
           "text/plain; charset=utf-8\n\n\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d Jan 12\n",
           PDF_NL);
  g_autofree char *text = ask(PDFTOTEXT, "-layout", pdf, "-");
  assert_says(text, "<5@example.nl>\n");
  assert_says(text, "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d");
  g_autofree char *check = ask(QPDF, "--check", pdf, NULL);
  assert_says(check, "No syntax");
}

/* The same twice, also without a date; and no message is none. */
static void
test_same(void)
{
  static const char *const texts[] = {TEXT "x\n", "From: a@example.nl\n\nx\n", "",
                                      "Date: Mon, 27 Jul 9999 12:00:00 +0200\n\nx\n"};
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autoptr(GByteArray) first = make(texts[i], PDF_NL);
    g_usleep(G_USEC_PER_SEC + G_USEC_PER_SEC / 10); /* a second of the clock later */
    g_autoptr(GByteArray) second = make(texts[i], PDF_NL);
    g_autoptr(GByteArray) other = make(texts[i], PDF_EN);
    g_assert_cmpmem(first->data, first->len, second->data, second->len);
    g_assert_true(has(other, "/Lang (en-GB)"));
    g_assert_false(has(other, "/Lang (nl-NL)"));
    g_autofree char *check = ask(QPDF, "--check", first, NULL);
    assert_says(check, "No syntax");
  }
}

/* A link is what can be a link in html; what is no address leads nowhere. */
static void
test_links(void)
{
  g_autoptr(GByteArray) pdf =
      make("From: \"a)/S/JavaScript(\" <a@example.nl>\nSubject: )/S/JavaScript(\n\n"
           "javascript:alert(1) file:///etc/passwd xhttps://no.example/ https:// "
           "https://a.example/')/S/JavaScript(x (https://b.example/). "
           "mailto:c@example.nl https://d.example/\\x\n",
           PDF_NL);
  static const char *const links[] = {"(https://a.example/%27%29/S/JavaScript%28x)",
                                      "(https://b.example/)", "(mailto:c@example.nl)",
                                      "(https://d.example/%5Cx)"};
  for (gsize i = 0; i < G_N_ELEMENTS(links); i++)
    g_assert_true(has(pdf, links[i]));
  static const char *const none[] = {"/URI (javascript", "/URI (file", "no.example/)",
                                     "/S /JavaScript",   "/Launch",    "/EmbeddedFile"};
  for (gsize i = 0; i < G_N_ELEMENTS(none); i++)
    g_assert_false(has(pdf, none[i]));
  g_autofree char *check = ask(QPDF, "--check", pdf, NULL);
  assert_says(check, "No syntax");
}

static void
test_pages(void)
{
  g_autoptr(GString) text = g_string_new(TEXT);
  for (guint i = 0; i < 200; i++)
    g_string_append_printf(text, "regel %u\n\n", i);
  g_autoptr(GByteArray) few = make(text->str, PDF_NL);
  g_autofree char *some = ask(PDFTOTEXT, "-layout", few, "-");
  assert_says(some, "regel 199\n");
  g_assert_null(strstr(some, "te lang"));
  for (guint i = 200; i < 20000; i++)
    g_string_append_printf(text, "regel %u\n\n", i);
  g_autoptr(GByteArray) many = make(text->str, PDF_NL);
  g_autofree char *info = ask(PDFINFO, NULL, many, NULL);
  g_autofree char *pages = g_strdup_printf("Pages: +%u\n", PAPER_MAX_PAGES + 1);
  g_assert_true(g_regex_match_simple(pages, info, 0, 0));
  g_autofree char *cut = ask(PDFTOTEXT, "-layout", many, "-");
  assert_says(cut, "Dit bericht is te lang");
  assert_says(cut, "regel 1000\n");
  g_assert_null(strstr(cut, "regel 19999\n"));
  g_autofree char *check = ask(QPDF, "--check", many, NULL);
  assert_says(check, "No syntax");
}

/* One paragraph on many pages, without any place to break a line. */
static void
test_long_word(void)
{
  g_autofree char *word = g_strnfill(50000, 'q');
  g_autofree char *text = g_strconcat(TEXT, word, "\nhet einde\n", NULL);
  g_autoptr(GByteArray) pdf = make(text, PDF_NL);
  g_autofree char *said = ask(PDFTOTEXT, "-layout", pdf, "-");
  guint count = 0;
  for (const char *p = said; *p != '\0'; p++)
    count += *p == 'q';
  g_assert_cmpuint(count, ==, 50000);
  assert_says(said, "het einde\n");
}

#define REPORT                                                                             \
  "title=Mailverkeer\nauthor=zegel\nheading=Verzonden\ntext=Geteld.\ncaption=Per dag\n"    \
  "columns=Periode%09viewer%09direct\n"

static GByteArray *
report(const char *block)
{
  return report_pdf_new(block, strlen(block), PDF_NL);
}

/* M2: a report is read out as the tables it has, and the head stands on each page. */
static void
test_report(void)
{
  g_autoptr(GString) block = g_string_new(REPORT);
  for (guint i = 0; i < 100; i++)
    g_string_append_printf(block, "row=dag %u%%09%u%%0912\n", i, i);
  g_string_append(block, "text=Klaar.\n");
  g_autoptr(GByteArray) pdf = report(block->str);
  g_assert_nonnull(pdf);
  g_autofree char *tree = ask(PDFINFO, "-struct-text", pdf, NULL);
  static const char *const parts[] = {"  H1 (block)\n",
                                      "\"Mailverkeer\"\n",
                                      "  H2 (block)\n",
                                      "\"Verzonden\"\n",
                                      "\"Geteld.\"\n",
                                      "  Table (block)\n    TR\n      TH\n",
                                      "      TD\n        \"99\"\n",
                                      "\"Klaar.\"\n"};
  for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
    assert_says(tree, parts[i]);
  g_assert_null(strstr(tree, "    Private")); /* nothing in a table but rows */
  g_autofree char *text = ask(PDFTOTEXT, "-layout", pdf, "-");
  g_auto(GStrv) pages = g_strsplit(text, "\f", -1);
  g_assert_cmpuint(g_strv_length(pages), >, 2);
  for (guint i = 0; pages[i + 1] != NULL; i++)
    assert_says(pages[i], "Periode");
  assert_says(text, "dag 99");
  g_autofree char *check = ask(QPDF, "--check", pdf, NULL);
  assert_says(check, "No syntax or stream encoding errors found");
}

static void
test_no_report(void)
{
  static const char *const blocks[] = {
      "",
      "x",
      "heading=no title\n",
      REPORT "row=too%09few\n",
      REPORT "row=too%09many%09by%09one\n",
      "title=x\nrow=without a head\n",
      "title=x\nscript=unknown\n",
      "title=%ff\n",
      "title=x\ncolumns=1%092%093%094%095%096%097%098%099%0910%0911%0912%0913\n"};
  for (gsize i = 0; i < G_N_ELEMENTS(blocks); i++) {
    g_test_message("%s", blocks[i]);
    g_autoptr(GByteArray) pdf = report(blocks[i]);
    g_assert_null(pdf);
  }
}

int
main(int argc, char **argv)
{
  g_setenv("TZ", "UTC0", TRUE);
  tzset();
  g_assert_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
  tap_init(argc, argv);
  charset_open();
  message_init();
  g_auto(GStrv) directories = paper_init();
  g_assert_cmpuint(g_strv_length(directories), >, 0);
  g_test_add_func("/pdf/V4/words", test_words);
  g_test_add_func("/pdf/V9/tags", test_tags);
  g_test_add_func("/pdf/T30/directions", test_directions);
  g_test_add_func("/pdf/V4/the same twice", test_same);
  g_test_add_func("/pdf/T9/links", test_links);
  g_test_add_func("/pdf/T13/pages", test_pages);
  g_test_add_func("/pdf/T13/long word", test_long_word);
  g_test_add_func("/pdf/M2/report", test_report);
  g_test_add_func("/pdf/M2/no report", test_no_report);
  return g_test_run();
}
