/* What visitors send: paths, forms, cookies, codes, languages, whole requests. */
#include <glib.h>
#include <string.h>

#include "common/base/error.h"
#include "tests/unit/tap.h"
#include "viewer-cgi/budget.h"
#include "viewer-cgi/code.h"
#include "viewer-cgi/cookie.h"
#include "viewer-cgi/form.h"
#include "viewer-cgi/origin.h"
#include "viewer-cgi/request.h"
#include "viewer-cgi/route.h"
#include "viewer-cgi/text.h"

#define TOKEN "QUFBQUFBQUFBQUFBQUFBQQ"

static void
test_route(void)
{
  static const struct {
    const char *method;
    const char *path;
    RouteKind kind;
    guint part;
  } rows[] = {
      {"GET", "/", ROUTE_HOME, 0},
      {"HEAD", "/", ROUTE_HOME, 0},
      {"POST", "/", ROUTE_NONE, 0},
      {"GET", "", ROUTE_NONE, 0},
      {"GET", "//", ROUTE_NONE, 0},
      {"GET", "/help", ROUTE_HELP, 0},
      {"GET", "/style.css", ROUTE_STYLE, 0},
      {"GET", "/s/" TOKEN, ROUTE_STATUS, 0},
      {"POST", "/s/" TOKEN, ROUTE_NONE, 0},
      {"GET", "/s/" TOKEN "/recall", ROUTE_RECALL_ASK, 0},
      {"POST", "/s/" TOKEN "/recall", ROUTE_RECALL, 0},
      {"GET", "/s/" TOKEN "/send", ROUTE_NONE, 0},
      {"GET", "/s/" TOKEN "A", ROUTE_NONE, 0},
      {"GET", "/form", ROUTE_FORM, 0},
      {"POST", "/form", ROUTE_FORM_ASK, 0},
      {"GET", "/form/" TOKEN TOKEN, ROUTE_FORM_WRITE, 0},
      {"POST", "/form/" TOKEN TOKEN, ROUTE_FORM_SEND, 0},
      {"GET", "/form/a/b", ROUTE_NONE, 0},
      {"GET", "/l/" TOKEN, ROUTE_LINK, 0},
      {"HEAD", "/l/" TOKEN, ROUTE_LINK, 0},
      {"POST", "/l/" TOKEN, ROUTE_NONE, 0},
      {"POST", "/l/" TOKEN "/send", ROUTE_SEND, 0},
      {"GET", "/l/" TOKEN "/send", ROUTE_NONE, 0},
      {"HEAD", "/l/" TOKEN "/send", ROUTE_NONE, 0},
      {"GET", "/l/" TOKEN "/code", ROUTE_CODE, 0},
      {"POST", "/l/" TOKEN "/code", ROUTE_CHECK, 0},
      {"PUT", "/l/" TOKEN "/code", ROUTE_NONE, 0},
      {"GET", "/l/" TOKEN "/wrong", ROUTE_WRONG, 0},
      {"HEAD", "/l/" TOKEN "/wrong", ROUTE_WRONG, 0},
      {"POST", "/l/" TOKEN "/wrong", ROUTE_TELL, 0},
      {"GET", "/l/" TOKEN "/no-phone", ROUTE_NO_PHONE, 0},
      {"POST", "/l/" TOKEN "/no-phone", ROUTE_NONE, 0},
      {"GET", "/logo", ROUTE_LOGO, 0},
      {"POST", "/logo", ROUTE_NONE, 0},
      {"GET", "/m/pdf", ROUTE_PDF, 0},
      {"GET", "/m/zip", ROUTE_ZIP, 0},
      {"GET", "/m/delete", ROUTE_DELETE, 0},
      {"HEAD", "/m/delete", ROUTE_DELETE, 0},
      {"POST", "/m/delete", ROUTE_DESTROY, 0},
      {"POST", "/m/pdf", ROUTE_NONE, 0},
      {"GET", "/l/" TOKEN "/", ROUTE_NONE, 0},
      {"GET", "/l/" TOKEN "/style.css", ROUTE_NONE, 0},
      {"GET", "/l/" TOKEN "A", ROUTE_NONE, 0},
      {"GET", "/l/", ROUTE_NONE, 0},
      {"GET", "/l/QUFBQUFBQUFBQUFBQUFBQ", ROUTE_NONE, 0},
      {"GET", "/l/QUFBQUFBQUFBQUFBQUFB%51", ROUTE_NONE, 0},
      {"GET", "/m", ROUTE_MESSAGE, 0},
      {"POST", "/m", ROUTE_NONE, 0},
      {"GET", "/m/", ROUTE_NONE, 0},
      {"GET", "/m/x/style.css", ROUTE_NONE, 0},
      {"GET", "/m/style.css", ROUTE_NONE, 0},
      {"GET", "/m/html", ROUTE_HTML, 0},
      {"GET", "/m/html/a.css", ROUTE_NONE, 0},
      {"GET", "/m/text", ROUTE_TEXT, 0},
      {"GET", "/m/original", ROUTE_ORIGINAL, 0},
      {"GET", "/m/part/1", ROUTE_PART, 1},
      {"GET", "/m/part/9999", ROUTE_PART, 9999},
      {"GET", "/m/part/10000", ROUTE_NONE, 0},
      {"GET", "/m/part/0", ROUTE_NONE, 0},
      {"GET", "/m/part/01", ROUTE_NONE, 0},
      {"GET", "/m/part/-1", ROUTE_NONE, 0},
      {"GET", "/m/part/+1", ROUTE_NONE, 0},
      {"GET", "/m/part/1/../2", ROUTE_NONE, 0},
      {"GET", "/m/part/", ROUTE_NONE, 0},
      {"GET", "/m/part/1.css", ROUTE_NONE, 0},
      {"GET", "/m/part/18446744073709551617", ROUTE_NONE, 0},
      {"POST", "/m/part/1", ROUTE_NONE, 0},
      {"POST", "/logout", ROUTE_LOGOUT, 0},
      {"GET", "/logout", ROUTE_NONE, 0},
      {NULL, "/", ROUTE_NONE, 0},
      {"get", "/", ROUTE_NONE, 0},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    Route route = {.kind = ROUTE_COUNT, .part = 77};
    route = route_find(method_parse(rows[i].method), rows[i].path);
    g_test_message("%s %s", rows[i].method, rows[i].path);
    g_assert_cmpint(route.kind, ==, rows[i].kind);
    g_assert_cmpuint(route.part, ==, rows[i].part);
    gboolean linked = (route.kind >= ROUTE_LINK && route.kind <= ROUTE_NO_PHONE) ||
                      (route.kind >= ROUTE_STATUS && route.kind <= ROUTE_RECALL);
    g_assert_cmpstr(route.token, ==, linked ? TOKEN : "");
  }
}

static void
test_form(void)
{
  static const struct {
    const char *bytes;
    const char *name;
    const char *value; /* NULL: the form is refused */
  } rows[] = {
      {"code=123456", "code", "123456"},
      {"a=1&code=12+34+56&b=2", "code", "12 34 56"},
      {"code=%31%32", "code", "12"},
      {"code=", "code", ""},
      {"code", "code", ""},
      {"&&code=1&", "code", "1"},
      {"na%6De=1", "name", "1"},
      {"code=a=b", "code", "a=b"},
      {"code=caf%C3%A9", "code", "caf\xC3\xA9"},
      {"code=%0D%0A", "code", "\r\n"},
      {"code=%", "code", NULL},
      {"code=%1", "code", NULL},
      {"code=%zz", "code", NULL},
      {"code=1%00", "code", NULL},
      {"code=%FF", "code", NULL},
      {"code=1&code=2", "code", NULL},
      {"c%6Fde=1&code=2", "code", NULL},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Form) form = form_parse(rows[i].bytes, strlen(rows[i].bytes), &error);
    g_test_message("%s", rows[i].bytes);
    if (rows[i].value == NULL) {
      g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
      g_assert_null(form);
    } else {
      g_assert_no_error(error);
      g_assert_cmpstr(form_get(form, rows[i].name), ==, rows[i].value);
      g_assert_null(form_get(form, "absent"));
    }
  }
  g_assert_null(form_get(NULL, "code"));
}

static void
test_form_limits(void)
{
  GString *many = g_string_new("");
  for (guint i = 0; i < 33; i++)
    g_string_append_printf(many, "f%u=1&", i);
  g_autoptr(GError) error = NULL;
  g_assert_null(form_parse(many->str, many->len, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT);
  g_string_free(many, TRUE);
  g_autoptr(Form) empty = form_parse("", 0, NULL);
  g_assert_nonnull(empty);
}

static void
test_cookie_get(void)
{
  static const struct {
    const char *header;
    const char *value;
  } rows[] = {
      {NULL, NULL},
      {"", NULL},
      {"zegel=abc", "abc"},
      {"a=b; zegel=abc; c=d", "abc"},
      {"a=b;zegel=abc", "abc"},
      {"zegel=", ""},
      {"xzegel=abc", NULL},
      {"zegelx=abc", NULL},
      {"__Host-zegel=abc", NULL},
      {"zegel=abc; zegel=def", NULL}, /* T7: planted beside the real one */
      {"zegel", NULL},
      {";;; zegel=a=b", "a=b"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *value = cookie_get(rows[i].header, "zegel");
    g_assert_cmpstr(value, ==, rows[i].value);
  }
}

static void
test_cookie_session(void)
{
  SessionCookie cookie;
  SessionCookie back;
  memset(&cookie, 0x5a, sizeof cookie);
  g_autofree char *header = cookie_session_format(&cookie, TRUE);
  g_assert_true(g_str_has_prefix(header, "__Host-zegel="));
  g_assert_true(g_str_has_suffix(header, "; Path=/; HttpOnly; SameSite=Lax; Secure"));
  g_autofree char *sent = g_strndup(header, strcspn(header, ";"));
  memset(&back, 0, sizeof back);
  g_assert_true(cookie_session_parse(sent, TRUE, &back));
  g_assert_cmpmem(&back, sizeof back, &cookie, sizeof cookie);

  g_assert_false(cookie_session_parse(sent, FALSE, &back));
  g_assert_false(cookie_session_parse("__Host-zegel=abc", TRUE, &back));
  g_autofree char *without_host = g_strdup(sent + strlen("__Host-"));
  g_assert_false(cookie_session_parse(without_host, TRUE, &back));
  g_autofree char *plain = cookie_session_format(&cookie, FALSE);
  g_assert_null(strstr(plain, "Secure"));
  g_autofree char *cleared = cookie_session_clear(TRUE);
  g_assert_true(g_str_has_prefix(cleared, "__Host-zegel=; Max-Age=0"));
}

static void
test_code(void)
{
  static const struct {
    const char *input;
    const char *code; /* NULL: malformed, costs no try */
  } rows[] = {
      {"123456", "123456"},
      {" 123 456 ", "123456"},
      {"123-456", "123456"},
      {"12 34 56\r\n", "123456"},
      {"1.2.3.4.5.6", "123456"},
      {"\xE2\x80\x8E"
       "123456",
       "123456"}, /* left-to-right mark */
      {"123\xC2\xA0"
       "456",
       "123456"}, /* no-break space */
      {"123\xE2\x80\x93"
       "456",
       "123456"}, /* en dash */
      {"\xEF\xBC\x91\xEF\xBC\x92"
       "3456",
       "123456"}, /* full-width digits */
      {"\xD9\xA1\xD9\xA2"
       "3456",
       "123456"}, /* Arabic-Indic digits */
      {"", NULL},
      {NULL, NULL},
      {"12345", NULL},
      {"1234567", NULL},
      {"12345a", NULL},
      {"123456 is uw code", NULL},
      {"+123456", NULL},
      {"123\xFF"
       "456",
       NULL},
      {"0x1234", NULL},
      {"      ", NULL},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    char code[STORE_CODE_DIGITS + 1] = "xxxxxx";
    g_assert_true(code_normalise(rows[i].input, code) == (rows[i].code != NULL));
    if (rows[i].code != NULL)
      g_assert_cmpstr(code, ==, rows[i].code);
  }
  g_autofree char *longest = g_strnfill(65, ' ');
  char code[STORE_CODE_DIGITS + 1];
  memcpy(longest, "123456", 6);
  g_assert_false(code_normalise(longest, code));
}

static void
test_origin(void)
{
  static const char url[] = "https://mail.example.nl/";
  static const struct {
    const char *origin;
    const char *fetch_site;
    gboolean ours;
  } rows[] = {
      {"https://mail.example.nl", "same-origin", TRUE},
      {"https://MAIL.example.nl", NULL, TRUE},
      {NULL, NULL, TRUE}, /* w3m */
      {"null", "same-origin", TRUE},
      {"null", NULL, TRUE},
      {NULL, "same-origin", TRUE},
      {"https://mail.example.nl", "cross-site", FALSE},
      {"null", "cross-site", FALSE},
      {NULL, "same-site", FALSE},
      {NULL, "none", FALSE},
      {NULL, "", FALSE},
      {"https://evil.example", NULL, FALSE},
      {"https://evil.example", "same-origin", FALSE},
      {"http://mail.example.nl", NULL, FALSE},
      {"https://mail.example.nl/", NULL, FALSE},
      {"https://mail.example.nl:8443", NULL, FALSE},
      {"https://mail.example.nl.evil.example", NULL, FALSE},
      {"https://mail.example", NULL, FALSE},
      {"", NULL, FALSE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_test_message("%s %s", rows[i].origin, rows[i].fetch_site);
    g_assert_true(origin_is_ours(rows[i].origin, rows[i].fetch_site, url) == rows[i].ours);
  }
}

static void
test_language(void)
{
  static const struct {
    const char *chosen, *remembered, *accept, *fallback;
    Language language;
  } rows[] = {
      {NULL, NULL, NULL, "nl", LANGUAGE_NL},
      {NULL, NULL, NULL, "en", LANGUAGE_EN},
      {"en", "nl", "nl", "nl", LANGUAGE_EN},
      {NULL, "en", "nl", "nl", LANGUAGE_EN},
      {"xx", "yy", "en", "nl", LANGUAGE_EN},
      {NULL, NULL, "nl-BE, en;q=0.5", "en", LANGUAGE_NL},
      {NULL, NULL, "de, en;q=0.3, nl;q=0.9", "en", LANGUAGE_NL},
      {NULL, NULL, "en-GB,en;q=0.9", "nl", LANGUAGE_EN},
      {NULL, NULL, "EN", "nl", LANGUAGE_EN},
      {NULL, NULL, "de, fr", "nl", LANGUAGE_NL},
      {NULL, NULL, "en;q=0", "nl", LANGUAGE_NL},
      {NULL, NULL, "en;q=abc", "nl", LANGUAGE_NL},
      {NULL, NULL, ",;,;q=,en", "nl", LANGUAGE_EN},
      {NULL, NULL, "en;q=1e400, nl", "nl", LANGUAGE_EN},
      {NULL, NULL, "*", "en", LANGUAGE_EN},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_test_message("%s %s %s", rows[i].chosen, rows[i].remembered, rows[i].accept);
    g_assert_cmpint(language_choose(rows[i].chosen, rows[i].remembered, rows[i].accept,
                                    rows[i].fallback),
                    ==, rows[i].language);
  }
}

typedef struct {
  const char *bytes;
  gsize left;
} Body;

/* Two bytes at a time, as a slow server gives them. */
static gsize
read_slowly(gpointer source, gpointer buffer, gsize len)
{
  Body *body = source;
  gsize n = MIN(MIN(len, 2), body->left);
  memcpy(buffer, body->bytes, n);
  body->bytes += n;
  body->left -= n;
  return n;
}

static Request *
make_request(const char *const *variables, const char *bytes)
{
  Body body = {bytes, strlen(bytes)};
  return request_read((char **) variables, read_slowly, &body);
}

static void
test_request(void)
{
  const char *const get[] = {"REQUEST_METHOD=GET",        "REQUEST_URI=/l/x?lang=en",
                             "HTTP_HOST=mail.example.nl", "HTTP_COOKIE=zegel=1",
                             "PATH_INFO=/evil",           NULL};
  g_autoptr(Request) request = make_request(get, "");
  g_assert_cmpuint(request->refusal, ==, 0);
  g_assert_cmpint(request->method, ==, METHOD_GET);
  g_assert_cmpstr(request->path, ==, "/l/x");
  g_assert_cmpstr(form_get(request->query, "lang"), ==, "en");
  g_assert_cmpstr(request->host, ==, "mail.example.nl");
  g_assert_cmpstr(request->cookies, ==, "zegel=1");
  g_assert_null(request->origin);
  g_assert_null(request->body);

  const char *const head[] = {"REQUEST_METHOD=HEAD", "REQUEST_URI=/?%zz", NULL};
  g_autoptr(Request) bare = make_request(head, "");
  g_assert_true(bare->head_only);
  g_assert_cmpstr(bare->path, ==, "/");
  g_assert_null(bare->query);

  const char *const nothing[] = {NULL};
  g_autoptr(Request) none = make_request(nothing, "");
  g_assert_cmpint(none->method, ==, METHOD_OTHER);
  g_assert_cmpstr(none->path, ==, "");
}

static void
test_request_body(void)
{
  static const struct {
    const char *length;
    const char *type;
    const char *body;
    guint refusal;
  } rows[] = {
      {"CONTENT_LENGTH=11", "CONTENT_TYPE=application/x-www-form-urlencoded", "code=123456",
       0},
      {"CONTENT_LENGTH=11", "CONTENT_TYPE=application/x-www-form-urlencoded; charset=utf-8",
       "code=123456", 0},
      {"CONTENT_LENGTH=0", "CONTENT_TYPE=application/x-www-form-urlencoded", "", 0},
      {"CONTENT_LENGTH=", "CONTENT_TYPE=application/x-www-form-urlencoded", "", 0},
      {"CONTENT_LENGTH=12", "CONTENT_TYPE=application/x-www-form-urlencoded", "code=123456",
       400},
      {"CONTENT_LENGTH=-1", "CONTENT_TYPE=application/x-www-form-urlencoded", "", 400},
      {"CONTENT_LENGTH=6", "CONTENT_TYPE=application/x-www-form-urlencoded", "code=%", 400},
      {"CONTENT_LENGTH=65537", "CONTENT_TYPE=application/x-www-form-urlencoded", "", 413},
      {"CONTENT_LENGTH=11", "CONTENT_TYPE=text/plain", "code=123456", 415},
      {"CONTENT_LENGTH=11", "CONTENT_TYPE=application/x-www-form-urlencodedx",
       "code=123456", 415},
      {"CONTENT_LENGTH=11", "X=1", "code=123456", 415},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    const char *const post[] = {"REQUEST_METHOD=POST", "REQUEST_URI=/logout",
                                rows[i].length, rows[i].type, NULL};
    g_autoptr(Request) request = make_request(post, rows[i].body);
    g_test_message("%s %s %s", rows[i].length, rows[i].type, rows[i].body);
    g_assert_cmpuint(request->refusal, ==, rows[i].refusal);
    g_assert_true((request->body == NULL) == (rows[i].refusal != 0));
    if (rows[i].refusal == 0 && rows[i].body[0] != '\0')
      g_assert_cmpstr(form_get(request->body, "code"), ==, "123456");
  }
}

static void
test_request_long(void)
{
  g_autofree char *fill = g_strnfill(9000, 'a');
  g_autofree char *cookie = g_strconcat("HTTP_COOKIE=", fill, NULL);
  const char *const get[] = {"REQUEST_METHOD=GET", "REQUEST_URI=/", cookie, NULL};
  g_autoptr(Request) request = make_request(get, "");
  g_assert_cmpuint(request->refusal, ==, 431);
}

/* ---- Budgets ---- */

static void
test_budget(void)
{
  static const struct {
    guint used, limit, expected;
  } rows[] = {
      {0, 10, 0},  {7, 10, 0}, {8, 10, 80}, {9, 10, 0}, {10, 10, 100},          {11, 10, 0},
      {1, 1, 100}, {4, 5, 80}, {6, 7, 80},  {5, 7, 0},  {8000000, 10000000, 80}};
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
    g_assert_cmpuint(budget_step(rows[i].used, rows[i].limit), ==, rows[i].expected);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/viewer/route", test_route);
  g_test_add_func("/viewer/form", test_form);
  g_test_add_func("/viewer/form/limits", test_form_limits);
  g_test_add_func("/viewer/cookie/get", test_cookie_get);
  g_test_add_func("/viewer/cookie/session", test_cookie_session);
  g_test_add_func("/viewer/code", test_code);
  g_test_add_func("/viewer/origin", test_origin);
  g_test_add_func("/viewer/language", test_language);
  g_test_add_func("/viewer/request", test_request);
  g_test_add_func("/viewer/request/body", test_request_body);
  g_test_add_func("/viewer/request/long", test_request_long);
  g_test_add_func("/budget/step", test_budget);
  return g_test_run();
}
