/* What doctor reads of URLs and of the answers of web servers. */
#include "zegelctl/web.h"

#include <string.h>

#include "tests/unit/tap.h"

static void
test_place(void)
{
  static const struct {
    const char *url;
    gboolean good, https;
    const char *host, *port;
  } rows[] = {
      {"https://veilig.example.nl/", TRUE, TRUE, "veilig.example.nl", "443"},
      {"https://veilig.example.nl:8443/", TRUE, TRUE, "veilig.example.nl", "8443"},
      {"http://127.0.0.1:8080/", TRUE, FALSE, "127.0.0.1", "8080"},
      {"http://[::1]?to={number}", TRUE, FALSE, "::1", "80"},
      {"http://[::1]/sms", TRUE, FALSE, "::1", "80"},
      {"ftp://example.nl/", FALSE, FALSE, NULL, NULL},
      {"", FALSE, FALSE, NULL, NULL},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_auto(WebPlace) place = {.https = 7};
    g_test_message("%s", rows[i].url);
    g_assert_cmpint(web_place_parse(rows[i].url, &place), ==, rows[i].good);
    if (!rows[i].good)
      continue;
    g_assert_cmpint(place.https, ==, rows[i].https);
    g_assert_cmpstr(place.host, ==, rows[i].host);
    g_assert_cmpstr(place.port, ==, rows[i].port);
  }
}

static void
test_head(void)
{
  static const char text[] = "HTTP/1.1 421 Misdirected Request\r\n"
                             "Referrer-Policy:no-referrer\r\n"
                             "no header\r\n"
                             "REFERRER-POLICY:  origin \r\n"
                             "Empty:\r\n"
                             "\r\n"
                             "Body: x\r\n";
  g_auto(WebPage) page = {.status = 7};
  g_assert_true(web_head_parse(text, strlen(text), &page));
  g_assert_cmpuint(page.status, ==, 421);
  g_assert_cmpstr(web_header(&page, "referrer-policy", 0), ==, "no-referrer");
  g_assert_cmpstr(web_header(&page, "referrer-policy", 1), ==, "origin");
  g_assert_null(web_header(&page, "referrer-policy", 2));
  g_assert_cmpstr(web_header(&page, "empty", 0), ==, "");
  g_assert_null(web_header(&page, "body", 0));
  g_assert_null(web_header(&page, "referrer", 0));
}

static void
test_no_head(void)
{
  static const char *const rows[] = {"",
                                     "HTTP/1.1",
                                     "HTTP/1.1 \r\n\r\n",
                                     "HTTP/1.1 99 x\r\n",
                                     "HTTP/2 200\r\n",
                                     "220 mail\r\n",
                                     "HTTP/1.1 2x0\r\n"};
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_auto(WebPage) page = {.status = 0};
    g_assert_false(web_head_parse(rows[i], strlen(rows[i]), &page));
    g_assert_cmpuint(page.status, ==, 0);
    g_assert_null(web_header(&page, "server", 0));
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/web/place", test_place);
  g_test_add_func("/web/head", test_head);
  g_test_add_func("/web/no-head", test_no_head);
  return g_test_run();
}
