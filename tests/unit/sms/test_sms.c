/* The adapters' parts: input, templates, settings, and what an answer means. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "sms/answer.h"
#include "sms/http_settings.h"
#include "sms/letter.h"
#include "sms/message.h"
#include "sms/settings.h"
#include "sms/template.h"
#include "tests/unit/tap.h"

/* ---- Input ---- */

static gboolean
read_input(const char *input, gsize len, Message *message, GError **error)
{
  int fds[2];
  g_assert_cmpint(pipe(fds), ==, 0);
  g_assert_cmpint(write(fds[1], input, len), ==, (gssize) len);
  close(fds[1]);
  gboolean done = message_read(fds[0], message, error);
  close(fds[0]);
  return done;
}

static void
test_message(void)
{
  g_auto(Message) message = {NULL, NULL};
  g_autoptr(GError) error = NULL;
  static const char input[] = "+31612345678\n318831 is uw code\n\n@host #318831\n";
  g_assert_true(read_input(input, strlen(input), &message, &error));
  g_assert_cmpstr(message.number, ==, "+31612345678");
  g_assert_cmpstr(message.text, ==, "318831 is uw code\n\n@host #318831");
}

static void
test_message_refused(void)
{
  g_autofree char *long_text = g_strnfill(MESSAGE_MAX_BYTES, 'x');
  g_autofree char *too_long = g_strconcat("+31612345678\n", long_text, NULL);
  const struct {
    const char *input;
    gsize len;
  } rows[] = {
      {"", 0},
      {"+31612345678", 12},
      {"+31612345678\n", 13},
      {"+31612345678\n \n\n", 16},
      {"0612345678\ntekst", 16},
      {"+31612345678 \ntekst", 19},
      {"+31612345678\nte\0kst", 19},
      {"+31612345678\nte\xffkst", 19},
      {too_long, strlen(too_long)},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_auto(Message) message = {NULL, NULL};
    g_autoptr(GError) error = NULL;
    g_test_message("row %" G_GSIZE_FORMAT, i);
    g_assert_false(read_input(rows[i].input, rows[i].len, &message, &error));
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
    g_assert_null(strstr(error->message, "316"));
  }
}

/* ---- Templates ---- */

static void
test_template(void)
{
  const Values values = {"+31612345678", "a\"b\\c\nd&e=f<g>'\x01 \xc3\xa9{number}", "ik",
                         "p:w&"};
  static const struct {
    const char *template;
    Place place;
    const char *expected;
  } rows[] = {
      {"?to={number}&t={text}", PLACE_URL,
       "?to=%2B31612345678&t=a%22b%5Cc%0Ad%26e%3Df%3Cg%3E%27%01%20%C3%A9%7Bnumber%7D"},
      {"{digits}{user}{password}", PLACE_URL, "31612345678ikp%3Aw%26"},
      {"{\"to\": \"{number}\", \"x\": {\"text\": \"{text}\"}}", PLACE_JSON,
       "{\"to\": \"+31612345678\", \"x\": {\"text\": "
       "\"a\\\"b\\\\c\\nd&e=f<g>'\\u0001 \xc3\xa9{number}\"}}"},
      {"<t>{text}</t>", PLACE_XML,
       "<t>a&#34;b\\c&#10;d&#38;e=f&#60;g&#62;&#39;  \xc3\xa9{number}</t>"},
      {"X: {text}", PLACE_LINE, "X: a\"b\\c d&e=f<g>'  \xc3\xa9{number}"},
      {"{number", PLACE_JSON, "{number"},
      {"{} {other} {", PLACE_JSON, "{} {other} {"},
      {"", PLACE_JSON, ""},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *got = template_expand(rows[i].template, rows[i].place, &values);
    g_assert_cmpstr(got, ==, rows[i].expected);
  }
  const Values none = {NULL, NULL, NULL, NULL};
  g_autofree char *empty =
      template_expand("<{number}{digits}{text}{user}{password}>", PLACE_URL, &none);
  g_assert_cmpstr(empty, ==, "<>");
}

/* ---- What an answer means ---- */

static void
test_answer(void)
{
  static const struct {
    Answer answer;
    Outcome expected;
  } rows[] = {
      {{FALSE, FALSE, 0, FALSE, FALSE, FALSE}, OUTCOME_REFUSED}, /* wrong certificate */
      {{FALSE, FALSE, 0, FALSE, TRUE, TRUE}, OUTCOME_LATER},     /* down */
      {{TRUE, FALSE, 0, FALSE, TRUE, TRUE}, OUTCOME_UNKNOWN},    /* closed, or too slow */
      {{TRUE, FALSE, 200, TRUE, TRUE, TRUE}, OUTCOME_UNKNOWN},   /* closed in the body */
      {{TRUE, TRUE, 0, FALSE, TRUE, TRUE}, OUTCOME_UNKNOWN},
      {{TRUE, TRUE, 200, TRUE, TRUE, TRUE}, OUTCOME_SENT},
      {{TRUE, TRUE, 200, TRUE, FALSE, TRUE}, OUTCOME_REFUSED},
      {{TRUE, TRUE, 204, FALSE, TRUE, TRUE}, OUTCOME_REFUSED},
      {{TRUE, TRUE, 302, FALSE, TRUE, TRUE}, OUTCOME_REFUSED},
      {{TRUE, TRUE, 401, FALSE, TRUE, TRUE}, OUTCOME_REFUSED},
      {{TRUE, TRUE, 429, FALSE, TRUE, TRUE}, OUTCOME_LATER},
      {{TRUE, TRUE, 500, FALSE, TRUE, TRUE}, OUTCOME_LATER},
      {{TRUE, TRUE, 502, FALSE, TRUE, TRUE}, OUTCOME_UNKNOWN},
      {{TRUE, TRUE, 503, FALSE, TRUE, TRUE}, OUTCOME_LATER},
      {{TRUE, TRUE, 504, FALSE, TRUE, TRUE}, OUTCOME_UNKNOWN},
      {{TRUE, TRUE, 520, FALSE, TRUE, TRUE}, OUTCOME_UNKNOWN},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_test_message("row %" G_GSIZE_FORMAT, i);
    g_assert_cmpint(answer_decide(&rows[i].answer), ==, rows[i].expected);
  }
}

/* ---- Settings ---- */

static char *folder;

/* A file NAME with TEXT and MODE; its path. */
static char *
write_file(const char *name, const char *text, int mode)
{
  g_autoptr(GError) error = NULL;
  char *path = g_build_filename(folder, name, NULL);
  g_unlink(path);
  g_file_set_contents(path, text, -1, &error);
  g_assert_no_error(error);
  g_assert_cmpint(g_chmod(path, mode), ==, 0);
  return path;
}

#define URL  "url = https://g.example/send\n"
#define BODY "body = {\"to\": \"{number}\", \"text\": \"{text}\"}\n"

static void
test_settings(void)
{
  g_autofree char *secret = write_file("secret", "ik:p:w\nrest\n", 0400);
  g_autofree char *text = g_strconcat(
      "[sms-http]\n" URL BODY "auth = basic\ncredentials = ", secret,
      "\nheaders = A: b; X: {password}\nsuccess = ^OK\\b\ntimeout_s = 3\n", NULL);
  g_autofree char *path = write_file("conf", text, 0644);
  g_autoptr(GError) error = NULL;
  g_autoptr(HttpSettings) settings = http_settings_load(path, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(settings->user, ==, "ik");
  g_assert_cmpstr(settings->password, ==, "p:w");
  g_assert_cmpstr(settings->headers[1], ==, "X: {password}");
  g_assert_cmpuint(settings->timeout_s, ==, 3);
  g_assert_cmpint(settings->place, ==, PLACE_JSON);
  g_assert_true(http_settings_status_fits(settings, 202));
  g_assert_false(http_settings_status_fits(settings, 204));
  g_assert_true(http_settings_body_fits(settings, "OK 12", 5));
  g_assert_false(http_settings_body_fits(settings, "OKAY", 4));
  g_assert_false(http_settings_body_fits(settings, "ERROR: OK", 9));
}

static void
test_settings_refused(void)
{
  static const char *const rows[] = {
      "",
      "[other]\n" URL BODY,
      "[sms-http]\n" URL BODY "[other]\n",
      "[sms-http]\n" URL BODY "nonsense = 1\n",
      "[sms-http]\n" BODY,
      "[sms-http]\n" URL,
      "[sms-http]\nurl = http://g.example/\n" BODY,
      "[sms-http]\nurl = http://127.0.0.1.g.example/\n" BODY,
      "[sms-http]\nurl = https://\n" BODY,
      "[sms-http]\nurl = https:///x\n" BODY,
      "[sms-http]\nurl = https://{text}.g.example/\n" BODY,
      "[sms-http]\nurl = https://a:b@g.example/\n" BODY,
      "[sms-http]\nurl = file:///etc/passwd\n" BODY,
      "[sms-http]\n" URL "body = {number}\n",
      "[sms-http]\n" URL "body = {text}\n",
      "[sms-http]\n" URL BODY "method = GET\n",
      "[sms-http]\n" URL BODY "method = PUT\n",
      "[sms-http]\n" URL BODY "content_type = text/plain\n",
      "[sms-http]\n" URL BODY "headers = nothing\n",
      "[sms-http]\n" URL BODY "headers = X: {text}\n",
      "[sms-http]\n" URL BODY "auth = digest\n",
      "[sms-http]\n" URL BODY "auth = basic\n",
      "[sms-http]\n" URL BODY "credentials = /nonexistent\n",
      "[sms-http]\n" URL BODY "success_status = 302\n",
      "[sms-http]\n" URL BODY "success_status =\n",
      "[sms-http]\n" URL BODY "success = (\n",
      "[sms-http]\n" URL BODY "timeout_s = 0\n",
      "[sms-http]\n" URL BODY "timeout_s = 100\n",
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = NULL;
    g_autofree char *path = write_file("conf", rows[i], 0644);
    g_test_message("%s", rows[i]);
    g_assert_null(http_settings_load(path, &error));
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
  }
}

static void
test_secret_refused(void)
{
  static const struct {
    const char *text;
    int mode;
  } rows[] = {{"ik:pw\n", 0440}, {"ik:pw\n", 0604}, {"", 0400}, {"\n", 0400}};
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = NULL;
    g_autofree char *path = write_file("secret", rows[i].text, rows[i].mode);
    g_assert_null(settings_secret(path, &error));
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
  }
  g_autoptr(GError) error = NULL;
  g_autofree char *path = write_file("secret", "pw\r\n", 0600);
  g_autofree char *link = g_build_filename(folder, "link", NULL);
  g_assert_cmpint(symlink(path, link), ==, 0);
  g_assert_null(settings_secret(link, &error));
  g_unlink(link);
  g_autofree char *secret = settings_secret(path, NULL);
  g_assert_cmpstr(secret, ==, "pw");
}

/* The examples that administrators copy are right, but for their credentials. */
static void
test_examples(void)
{
  static const char *const names[] = {"json", "form", "kannel"};
  g_autofree char *secret = write_file("secret", "ik:pw\n", 0400);
  for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autoptr(GError) error = NULL;
    g_autofree char *name = g_strdup_printf("contrib/sms/sms-http-%s.conf", names[i]);
    g_autofree char *from = g_test_build_filename(G_TEST_DIST, name, NULL);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(from, &text, NULL, NULL));
    g_autoptr(GString) filled = g_string_new(text);
    g_assert_cmpuint(g_string_replace(filled, "/etc/zegel/keys/viewer/sms", secret, 0), ==,
                     1);
    g_autofree char *path = write_file("conf", filled->str, 0644);
    g_autoptr(HttpSettings) settings = http_settings_load(path, &error);
    g_assert_no_error(error);
    g_assert_nonnull(settings);
  }
}

/* ---- Mail ---- */

static void
test_letter(void)
{
  const SmsLetter facts = {.from = "sms@v.example",
                           .to = "316@g.example",
                           .subject = "",
                           .id = "x",
                           .now_s = 1795354713};
  g_autofree char *plain = sms_letter_format(&facts, "code\n\n@host #1");
  g_assert_cmpstr(plain, ==,
                  "From: <sms@v.example>\r\nTo: <316@g.example>\r\n"
                  "Date: Sun, 22 Nov 2026 13:38:33 +0000\r\nMessage-ID: <x@v.example>\r\n"
                  "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                  "Content-Type: text/plain; charset=utf-8\r\n"
                  "Content-Transfer-Encoding: 7bit\r\n\r\ncode\r\n\r\n@host #1\r\n");
  g_autofree char *accents = sms_letter_format(&facts, "caf\xc3\xa9\r\n");
  g_assert_nonnull(strstr(accents, "Encoding: 8bit\r\n\r\ncaf\xc3\xa9\r\n\r\n"));
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  folder = g_dir_make_tmp("test-sms-XXXXXX", NULL);
  g_test_add_func("/sms/message", test_message);
  g_test_add_func("/sms/message-refused", test_message_refused);
  g_test_add_func("/sms/template", test_template);
  g_test_add_func("/sms/answer", test_answer);
  g_test_add_func("/sms/settings", test_settings);
  g_test_add_func("/sms/settings-refused", test_settings_refused);
  g_test_add_func("/sms/secret-refused", test_secret_refused);
  g_test_add_func("/sms/examples", test_examples);
  g_test_add_func("/sms/letter", test_letter);
  int status = g_test_run();
  static const char *const names[] = {"conf", "secret"};
  for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *path = g_build_filename(folder, names[i], NULL);
    g_unlink(path);
  }
  g_rmdir(folder);
  g_free(folder);
  return status;
}
