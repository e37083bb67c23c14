/* What goes out: escaping, file names, headers, pages, the SMS, form tokens. */
#include <glib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/crypt/crypt.h"
#include "tests/unit/tap.h"
#include "viewer-cgi/disposition.h"
#include "viewer-cgi/failure.h"
#include "viewer-cgi/html.h"
#include "viewer-cgi/page_message.h"
#include "viewer-cgi/response.h"
#include "viewer-cgi/sms.h"
#include "viewer-cgi/token.h"

static char *
finish(Html *html)
{
  g_autoptr(GBytes) bytes = html_finish(html);
  gsize len = 0;
  const char *start = g_bytes_get_data(bytes, &len);
  return g_strndup(start, len);
}

static void
test_escape(void)
{
  static const struct {
    const char *text;
    const char *as_text;
    const char *as_line;
  } rows[] = {
      {"a & b < c > d \" e ' f", "a &amp; b &lt; c &gt; d &quot; e &#39; f",
       "a &amp; b &lt; c &gt; d &quot; e &#39; f"},
      {"<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;",
       "&lt;script&gt;alert(1)&lt;/script&gt;"},
      {"a\nb\tc\rd",
       "a\nb\tc\xEF\xBF\xBD"
       "d",
       "a b c d"},
      {"caf\xC3\xA9", "caf\xC3\xA9", "caf\xC3\xA9"},
      {"a\xFF"
       "b",
       "a\xEF\xBF\xBD"
       "b",
       "a\xEF\xBF\xBD"
       "b"},
      {"a\xC3", "a\xEF\xBF\xBD", "a\xEF\xBF\xBD"},
      {"\xC0\xBC", "\xEF\xBF\xBD\xEF\xBF\xBD", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"a\x01"
       "b\x7f",
       "a\xEF\xBF\xBD"
       "b\xEF\xBF\xBD",
       "a\xEF\xBF\xBD"
       "b\xEF\xBF\xBD"},
      {"a\xC2\x85"
       "b",
       "a\xEF\xBF\xBD"
       "b",
       "a\xEF\xBF\xBD"
       "b"},
      {"x\xE2\x80\xAE"
       "gpj.exe",
       "x\xE2\x80\xAE"
       "gpj.exe",
       "xgpj.exe"},
      {"x\xE2\x81\xA6y\xE2\x81\xA9", "x\xE2\x81\xA6y\xE2\x81\xA9", "xy"},
      {"a\xE2\x80\xA8"
       "b",
       "a\xE2\x80\xA8"
       "b",
       "a b"},
      {"\xEF\xBF\xBE", "\xEF\xBF\xBD", "\xEF\xBF\xBD"},
      {"", "", ""},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    Html *html = html_new();
    html_text(html, rows[i].text);
    g_autofree char *text = finish(html);
    g_assert_cmpstr(text, ==, rows[i].as_text);
    html = html_new();
    html_line(html, rows[i].text);
    g_autofree char *line = finish(html);
    g_assert_cmpstr(line, ==, rows[i].as_line);
    html = html_new();
    html_attribute(html, "value", rows[i].text);
    g_autofree char *attribute = finish(html);
    g_autofree char *expected = g_strconcat(" value=\"", rows[i].as_line, "\"", NULL);
    g_assert_cmpstr(attribute, ==, expected);
  }
}

static void
test_file_name(void)
{
  static const struct {
    const char *name;
    const char *file_name;
  } rows[] = {
      {"uitslag.pdf", "uitslag.pdf"},
      {"../../etc/passwd", "passwd"},
      {"..\\..\\windows\\system.ini", "system.ini"},
      {"/etc/passwd", "passwd"},
      {"C:\\boot.ini", "boot.ini"},
      {"a/", "fallback"},
      {"..", "fallback"},
      {".", "fallback"},
      {"", "fallback"},
      {NULL, "fallback"},
      {".htaccess", "htaccess"},
      {"  spaced.txt  ", "spaced.txt"},
      {"dots...", "dots"},
      {"a\r\nSet-Cookie: x=1", "a  Set-Cookie_ x=1"},
      {"a\"b.pdf", "a_b.pdf"},
      {"a<b>c:d|e?f*g", "a_b_c_d_e_f_g"},
      {"brief\xE2\x80\xAE"
       "fdp.exe",
       "brieffdp.exe"},
      {"CON", "_CON"},
      {"con.txt", "_con.txt"},
      {"console.txt", "console.txt"},
      {"LPT1.pdf", "_LPT1.pdf"},
      {"\xC3\xA9"
       "chographie.pdf",
       "\xC3\xA9"
       "chographie.pdf"},
      {"a\xFF"
       "b.pdf",
       "a\xEF\xBF\xBD"
       "b.pdf"},
      {"~/.ssh/authorized_keys", "authorized_keys"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *file_name = disposition_file_name(rows[i].name, "fallback");
    g_assert_cmpstr(file_name, ==, rows[i].file_name);
  }
  g_autofree char *letters = g_strnfill(10000, 'a');
  g_autofree char *name = g_strconcat("\xC3\xA9", letters, ".pdf", NULL);
  g_autofree char *cut = disposition_file_name(name, "fallback");
  g_assert_cmpuint(strlen(cut), <=, DISPOSITION_NAME_MAX_BYTES);
  g_assert_true(g_str_has_suffix(cut, "aaa.pdf"));
  g_assert_true(g_utf8_validate(cut, -1, NULL));
}

static void
test_disposition(void)
{
  static const struct {
    const char *name;
    const char *header;
  } rows[] = {
      {"uitslag.pdf", "attachment; filename=\"uitslag.pdf\"; filename*=UTF-8''uitslag.pdf"},
      {"uit slag (1).pdf", "attachment; filename=\"uit slag (1).pdf\"; "
                           "filename*=UTF-8''uit%20slag%20%281%29.pdf"},
      {"\xC3\xA9t\xC3\xA9.pdf",
       "attachment; filename=\"_t_.pdf\"; filename*=UTF-8''%C3%A9t%C3%A9.pdf"},
      {"100%.pdf", "attachment; filename=\"100_.pdf\"; filename*=UTF-8''100%25.pdf"},
      {"a'b;c,d.pdf",
       "attachment; filename=\"a_b_c_d.pdf\"; filename*=UTF-8''a%27b%3Bc%2Cd.pdf"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *header = disposition_format(rows[i].name);
    g_assert_cmpstr(header, ==, rows[i].header);
  }
  g_assert_cmpstr(disposition_type("Image/PNG"), ==, "image/png");
  g_assert_cmpstr(disposition_type("application/pdf"), ==, "application/pdf");
  g_assert_cmpstr(disposition_type("text/html"), ==, "application/octet-stream");
  g_assert_cmpstr(disposition_type("image/svg+xml"), ==, "application/octet-stream");
  g_assert_cmpstr(disposition_type("image/png\r\nX: y"), ==, "application/octet-stream");
  g_assert_cmpstr(disposition_type(NULL), ==, "application/octet-stream");
}

static void
test_head(void)
{
  g_autoptr(Response) response = response_new();
  Html *html = html_new();
  html_markup(html, "<p>");
  response_set_page(response, 403, html);
  response_add_cookie(response, g_strdup("a=b"));
  g_autofree char *head = response_format_head(response, TRUE);
  g_assert_true(g_str_has_prefix(head, "Status: 403 Forbidden\r\n"));
  g_assert_true(g_str_has_suffix(head, "\r\n\r\n"));
  static const char *const wanted[] = {
      "\r\nContent-Length: 3\r\n",
      "\r\nContent-Type: text/html; charset=utf-8\r\n",
      "\r\nContent-Security-Policy: default-src 'none'; ",
      "frame-ancestors 'none'",
      "\r\nX-Content-Type-Options: nosniff\r\n",
      "\r\nReferrer-Policy: no-referrer\r\n",
      "\r\nCache-Control: no-store\r\n",
      "\r\nCross-Origin-Opener-Policy: same-origin\r\n",
      "\r\nCross-Origin-Resource-Policy: same-origin\r\n",
      "\r\nPermissions-Policy: ",
      "\r\nStrict-Transport-Security: ",
      "\r\nSet-Cookie: a=b\r\n",
  };
  for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++) {
    g_test_message("%s", wanted[i]);
    g_assert_nonnull(strstr(head, wanted[i]));
  }
  g_assert_null(strstr(head, "script-src"));
  g_autofree char *plain = response_format_head(response, FALSE);
  g_assert_null(strstr(plain, "Strict-Transport-Security"));
}

static void
test_head_kinds(void)
{
  g_autoptr(Response) mail = response_new();
  mail->kind = CONTENT_MAIL;
  g_autofree char *mail_head = response_format_head(mail, TRUE);
  g_assert_nonnull(strstr(mail_head, "Content-Security-Policy: sandbox "));
  g_assert_nonnull(strstr(mail_head, "default-src 'none'; style-src 'unsafe-inline'"));
  g_assert_nonnull(strstr(mail_head, "frame-ancestors 'self'"));
  g_assert_null(strstr(mail_head, "allow-scripts"));
  g_assert_null(strstr(mail_head, "allow-same-origin"));
  g_assert_null(strstr(mail_head, "allow-forms"));

  g_autoptr(Response) download = response_new();
  download->kind = CONTENT_DOWNLOAD;
  download->disposition = disposition_format("a.svg");
  g_autofree char *head = response_format_head(download, TRUE);
  g_assert_nonnull(strstr(head, "Content-Type: application/octet-stream\r\n"));
  g_assert_nonnull(strstr(head, "Content-Security-Policy: sandbox; default-src 'none'"));
  g_assert_nonnull(strstr(head, "Content-Disposition: attachment; "));

  g_autoptr(Response) framed = response_new();
  framed->framed = TRUE;
  g_autofree char *framed_head = response_format_head(framed, TRUE);
  g_assert_nonnull(strstr(framed_head, "frame-ancestors 'self'\r\n"));

  g_autoptr(Response) redirect = response_new();
  response_set_redirect(redirect, "/m");
  redirect->clear_cache = TRUE;
  g_autofree char *redirect_head = response_format_head(redirect, TRUE);
  g_assert_true(g_str_has_prefix(redirect_head, "Status: 303 See Other\r\n"));
  g_assert_nonnull(strstr(redirect_head, "\r\nLocation: /m\r\n"));
  g_assert_nonnull(
      strstr(redirect_head, "\r\nClear-Site-Data: \"cache\", \"storage\"\r\n"));
}

static const Organisation *
organisation(void)
{
  static char colour[] = "#1d5b8f";
  static char display_name[] = "Huis <&> Zorg";
  static char contact[] = "";
  static char url[] = "https://mail.example.nl/";
  static char logo[] = "";
  static char form_recipient[] = "";
  static Organisation one = {.colour = colour,
                             .display_name = display_name,
                             .contact = contact,
                             .logo = logo,
                             .form_recipient = form_recipient,
                             .viewer_url = url};
  return &one;
}

static const Frame *
frame(void)
{
  static Frame one = {.language = LANGUAGE_EN, .self = "/l/TOKEN"};
  one.organisation = organisation();
  return &one;
}

/* Who lost the link in his mail finds the pages that need none, and the form if there is
 * one. */
static void
test_home_page(void)
{
  char mailbox[] = "info@example.nl";
  Organisation with_form = *organisation();
  with_form.form_recipient = mailbox;
  Frame one = *frame();
  g_autofree char *without = finish(page_home(&one));
  g_assert_nonnull(strstr(without, "href=\"/r\""));
  g_assert_null(strstr(without, "href=\"/form\""));
  one.organisation = &with_form;
  g_autofree char *with = finish(page_home(&one));
  g_assert_nonnull(strstr(with, "href=\"/form\""));
}

static void
test_link_page(void)
{
  LinkFacts facts = {
      .token = "QUFBQUFBQUFBQUFBQUFBQQ",
      .form_token = "FORM",
      .sender = "m@example.nl",
      .sender_name = "<img src=x onerror=alert(1)>\xE2\x80\xAE",
      .number = "+31612345678",
      .expires_s = 1770000000,
  };
  g_autofree char *page = finish(page_link(frame(), &facts));
  g_assert_null(strstr(page, "<img"));
  g_assert_null(strstr(page, "\xE2\x80\xAE"));
  g_assert_nonnull(strstr(page, "<bdi>m@example.nl</bdi>"));
  g_assert_nonnull(strstr(page, "Huis &lt;&amp;&gt; Zorg"));
  g_assert_nonnull(strstr(page, "ends in 78."));
  g_assert_null(strstr(page, "678")); /* T16 */
  g_assert_nonnull(strstr(page, "<form method=\"post\" "
                                "action=\"/l/QUFBQUFBQUFBQUFBQUFBQQ/send\">"));
  g_assert_nonnull(strstr(page, "name=\"token\" value=\"FORM\""));
  g_assert_null(strstr(page, "<script"));
}

static void
test_code_page(void)
{
  CodeFacts facts = {.token = "QUFBQUFBQUFBQUFBQUFBQQ",
                     .send_token = "SEND",
                     .code_token = "CODE",
                     .number = "12",
                     .note = CODE_NOTE_WRONG,
                     .count = 1};
  g_autofree char *page = finish(page_code(frame(), &facts));
  g_assert_nonnull(strstr(page, "You can try 1 more time."));
  g_assert_nonnull(strstr(page, "autocomplete=\"one-time-code\""));
  g_assert_nonnull(strstr(page, "inputmode=\"numeric\""));
  g_assert_nonnull(strstr(page, "role=\"alert\""));
  g_assert_null(strstr(page, "ends in 12")); /* too short to show a tail of */
}

static Summary *
summary_of(const char *body)
{
  g_autofree char *block =
      g_strdup_printf("from=a@b.nl\nfrom-name=<b>A</b>\nto=c@d.nl\nsubject=Hi "
                      "</title><script>\ndate=1763800000\nbody=%s\nhas-text=1\nhas-html=1\n"
                      "part=2\ntype=application/pdf\nname=../<x>.pdf\nsize=3400000\n\n",
                      body);
  return summary_parse(block, strlen(block), NULL);
}

static void
test_message_page(void)
{
  g_autoptr(Summary) text = summary_of("text");
  MessageFacts facts = {.summary = text, .text = "<script>&\n\nb", .sender = "env@b.nl"};
  g_autofree char *page = finish(page_message(frame(), &facts));
  g_assert_null(strstr(page, "<script"));
  g_assert_nonnull(strstr(page, "&lt;script&gt;&amp;<br><br>b</div>"));
  g_assert_nonnull(strstr(page, "<bdi>a@b.nl</bdi>"));
  g_assert_nonnull(strstr(page, "href=\"/m/part/2\""));
  g_assert_nonnull(strstr(page, "<bdi>_x_.pdf</bdi>"));
  g_assert_nonnull(strstr(page, "3.4 MB"));
  g_assert_null(strstr(page, "<iframe"));

  g_autoptr(Summary) html = summary_of("html");
  MessageFacts framed = {.summary = html, .sender = "env@b.nl"};
  g_autofree char *with_frame = finish(page_message(frame(), &framed));
  g_assert_nonnull(strstr(with_frame, "<iframe class=\"mail\" src=\"/m/html\" sandbox="));
  g_assert_null(strstr(with_frame, "allow-scripts"));
  g_assert_null(strstr(with_frame, "allow-same-origin"));

  MessageFacts broken = {.summary = NULL, .sender = "env@b.nl"};
  g_autofree char *fallback = finish(page_message(frame(), &broken));
  g_assert_nonnull(strstr(fallback, "<bdi>env@b.nl</bdi>"));
  g_assert_nonnull(strstr(fallback, "href=\"/m/original\""));
}

#define SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void
test_summary_hash(void)
{
  static const char block[] =
      "body=text\npart=1\nsize=0\nsha256=" SHA256 "\npart=2\nsize=1\n\n";
  g_autoptr(Summary) summary = summary_parse(block, strlen(block), NULL);
  const Attachment *first = summary_find_part(summary, 1);
  g_autofree char *hash = crypt_hex(first->sha256, sizeof first->sha256);
  g_assert_true(first->has_sha256);
  g_assert_cmpstr(hash, ==, SHA256);
  g_assert_false(summary_find_part(summary, 2)->has_sha256);
}

static void
test_summary(void)
{
  static const struct {
    const char *block;
    gboolean good;
  } rows[] = {
      {"body=text\n\n", TRUE},
      {"body=none\npart=1\nname=a\nsize=0\n\n", TRUE},
      {"body=pdf\n\n", FALSE},
      {"subject=x\n\n", FALSE},
      {"", FALSE},
      {"body=text\npart=0\n\n", FALSE},
      {"body=text\npart=10000\n\n", FALSE},
      {"body=text\npart=x\n\n", FALSE},
      {"body=text\npart=1\npart=1\n\n", FALSE},
      {"body=text\npart=1\nsize=-1\n\n", FALSE},
      {"body=text\npart=1\nsha256=" SHA256 "\n\n", TRUE},
      {"body=text\npart=1\nsha256=" SHA256 "00\n\n", FALSE},
      {"body=text\npart=1\nsha256=e3b0\n\n", FALSE},
      {"body=text\npart=1\nsha256=\n\n", FALSE},
      {"body=text\nname=of no attachment\n\n", TRUE},
      {"body=text\nsubject=%zz\n\n", FALSE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(Summary) summary = summary_parse(rows[i].block, strlen(rows[i].block), NULL);
    g_test_message("%s", rows[i].block);
    g_assert_true((summary != NULL) == rows[i].good);
  }
  g_autofree char *subject = g_strnfill(10000, 's');
  g_autofree char *block = g_strconcat("body=text\nsubject=", subject, "\n\n", NULL);
  g_autoptr(Summary) cut = summary_parse(block, strlen(block), NULL);
  g_assert_cmpuint(strlen(cut->subject), ==, SUMMARY_TEXT_MAX_BYTES + strlen("…"));
  g_assert_cmpstr(cut->from, ==, "");
  g_assert_null(summary_find_part(cut, 1));
}

static void
test_sms(void)
{
  g_autofree char *text = sms_format("123456", "Huis", "https://mail.example.nl:8443/");
  g_assert_true(g_str_has_prefix(text, "123456 is your access code for Huis."));
  g_assert_true(g_str_has_suffix(text, "\n\n@mail.example.nl #123456"));
  g_assert_null(strstr(text, "http")); /* T32 */
  g_autofree char *name = g_strnfill(300, 'n');
  g_autofree char *bound = sms_format("123456", name, "https://m.nl/");
  g_assert_cmpuint(strlen(bound), <, 160);
  g_autofree char *injected = sms_format("123456", "A\n@evil.nl #1", "https://m.nl/");
  g_assert_null(strstr(injected, "\n@evil"));
}

static void
test_token(void)
{
  g_autoptr(Secret) key = secret_new_from("kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", 32);
  g_autoptr(Secret) other = secret_new_from("oooooooooooooooooooooooooooooooo", 32);
  g_autofree char *token = token_make(key, TOKEN_SEND, "link-a", 6, NULL);
  g_assert_cmpuint(strlen(token), ==, 43);
  g_assert_true(token_check(key, TOKEN_SEND, "link-a", 6, token));
  g_assert_false(token_check(key, TOKEN_CODE, "link-a", 6, token));
  g_assert_false(token_check(key, TOKEN_SEND, "link-b", 6, token));
  g_assert_false(token_check(key, TOKEN_SEND, "link-a", 5, token));
  g_assert_false(token_check(other, TOKEN_SEND, "link-a", 6, token));
  g_assert_false(token_check(key, TOKEN_SEND, "link-a", 6, NULL));
  g_assert_false(token_check(key, TOKEN_SEND, "link-a", 6, ""));
  token[0] = token[0] == 'A' ? 'B' : 'A';
  g_assert_false(token_check(key, TOKEN_SEND, "link-a", 6, token));
}

static void
test_failure(void)
{
  static const struct {
    ZegelError code;
    guint status;
    FailureKind kind;
  } rows[] = {
      {ZEGEL_ERROR_TEMPORARY, 503, FAILURE_LATER},
      {ZEGEL_ERROR_CONFIG, 503, FAILURE_LATER},
      {ZEGEL_ERROR_FULL, 503, FAILURE_LATER},
      {ZEGEL_ERROR_KEY_UNKNOWN, 503, FAILURE_LATER},
      {ZEGEL_ERROR_CONFLICT, 503, FAILURE_LATER},
      {ZEGEL_ERROR_INVALID, 500, FAILURE_DAMAGED},
      {ZEGEL_ERROR_FORGED, 500, FAILURE_DAMAGED},
      {ZEGEL_ERROR_LIMIT, 500, FAILURE_DAMAGED},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = g_error_new_literal(ZEGEL_ERROR, (gint) rows[i].code, "x");
    Failure failure = failure_of(error);
    g_assert_cmpuint(failure.status, ==, rows[i].status);
    g_assert_cmpint(failure.kind, ==, rows[i].kind);
  }
}

static void
test_colour(void)
{
  g_assert_true(page_colour_is_light("#ffffff"));
  g_assert_true(page_colour_is_light("#ffd500"));
  g_assert_true(page_colour_is_light("#808080"));
  g_assert_false(page_colour_is_light("#000000"));
  g_assert_false(page_colour_is_light("#1d5b8f"));
  g_assert_false(page_colour_is_light("#0000FF"));
}

/* The translations as the build made them: the pages are Dutch when Dutch is asked. */
static void
test_dutch(void)
{
  g_autofree char *dir = g_test_build_filename(G_TEST_BUILT, "po", NULL);
  g_setenv("TZ", "CET-1", TRUE);
  text_init(dir);
  text_use(LANGUAGE_NL);
  g_autofree char *page = finish(page_not_found(frame()));
  g_assert_nonnull(strstr(page, "Wij kunnen deze pagina niet vinden"));
  g_autofree char *size = text_size(3400000);
  g_assert_cmpstr(size, ==, "3,4 MB");
  g_autofree char *date = text_date_time(1763800000);
  g_assert_cmpstr(date, ==, "zaterdag 22 november 2025, 09:26");
  text_use(LANGUAGE_EN);
  g_autofree char *english = finish(page_not_found(frame()));
  g_assert_nonnull(strstr(english, "We cannot find this page"));
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/viewer/escape", test_escape);
  g_test_add_func("/viewer/file-name", test_file_name);
  g_test_add_func("/viewer/disposition", test_disposition);
  g_test_add_func("/viewer/head", test_head);
  g_test_add_func("/viewer/head/kinds", test_head_kinds);
  g_test_add_func("/viewer/page/home", test_home_page);
  g_test_add_func("/viewer/page/link", test_link_page);
  g_test_add_func("/viewer/page/code", test_code_page);
  g_test_add_func("/viewer/page/message", test_message_page);
  g_test_add_func("/viewer/summary", test_summary);
  g_test_add_func("/viewer/K3/summary hash", test_summary_hash);
  g_test_add_func("/viewer/sms", test_sms);
  g_test_add_func("/viewer/token", test_token);
  g_test_add_func("/viewer/failure", test_failure);
  g_test_add_func("/viewer/colour", test_colour);
  g_test_add_func("/viewer/dutch", test_dutch);
  return g_test_run();
}
