/* Authentication-Results (RFC 8601): written, and recognised in anybody's spelling (T27).
 */
#include "milter/auth_results.h"

#include <string.h>

#include "tests/unit/tap.h"

#define ID "mail.own.nl"

static void
test_format(void)
{
  g_autoptr(AuthResults) results = auth_results_new(ID);
  auth_results_add(results, "dkim", "pass", "");
  auth_results_property(results, "header.d", "ready.nl");
  auth_results_property(results, "header.s", "mail2026");
  auth_results_property(results, "header.b", "ab/c+f==");
  auth_results_add(results, "dkim", "fail", "bad signature");
  auth_results_property(results, "header.d", "");
  auth_results_add(results, "spf", "pass", NULL);
  auth_results_property(results, "smtp.mailfrom", "ready.nl");
  auth_results_add(results, "dmarc", "pass", NULL);
  auth_results_property(results, "policy.dmarc", "reject");
  auth_results_property(results, "header.from", NULL);
  g_autofree char *value = auth_results_value(results);
  g_assert_cmpstr(value, ==,
                  "mail.own.nl;\n"
                  "\tdkim=pass\n"
                  "\t  header.d=ready.nl\n"
                  "\t  header.s=mail2026\n"
                  "\t  header.b=\"ab/c+f==\";\n"
                  "\tdkim=fail reason=\"bad signature\";\n"
                  "\tspf=pass\n"
                  "\t  smtp.mailfrom=ready.nl;\n"
                  "\tdmarc=pass\n"
                  "\t  policy.dmarc=reject");
}

static void
test_none(void)
{
  g_autoptr(AuthResults) results = auth_results_new(ID);
  g_autofree char *value = auth_results_value(results);
  g_assert_cmpstr(value, ==, "mail.own.nl; none");
}

/* Whatever a sender writes, it stays inside its value. */
static void
test_injection(void)
{
  static const struct {
    const char *value, *expected;
  } cases[] = {
      {"x.nl", "x.nl"},
      {"x.nl; dmarc=pass", "\"x.nl; dmarc=pass\""},
      {"x.nl\" header.d=\"y.nl", "\"x.nl\\\" header.d=\\\"y.nl\""},
      {"x.nl\\", "\"x.nl\\\\\""},
      {"x.nl\r\nX-Zegel-Secure: nta", "\"x.nl??X-Zegel-Secure: nta\""},
      {"legit.nl(.evil.nl", "\"legit.nl(.evil.nl\""},
      {"legit.nl'a.evil.nl", "legit.nl'a.evil.nl"},
      {"any@legit.nl", "\"any@legit.nl\""},
      {"caf\xc3\xa9.nl", "\"caf??.nl\""},
      {"a=b", "\"a=b\""},
      {"[192.0.2.1]", "\"[192.0.2.1]\""},
      {" ", "\" \""},
      {"\x7f", "\"?\""},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(AuthResults) results = auth_results_new(ID);
    auth_results_add(results, "spf", "pass", NULL);
    auth_results_property(results, "smtp.helo", cases[i].value);
    g_autofree char *value = auth_results_value(results);
    g_autofree char *expected =
        g_strdup_printf("mail.own.nl;\n\tspf=pass\n\t  smtp.helo=%s", cases[i].expected);
    g_assert_cmpstr(value, ==, expected);
  }
}

static void
test_long(void)
{
  g_autofree char *label = g_strnfill(2000, 'a');
  g_autoptr(AuthResults) results = auth_results_new(ID);
  auth_results_add(results, "spf", "pass", NULL);
  auth_results_property(results, "smtp.helo", label);
  g_autofree char *value = auth_results_value(results);
  g_auto(GStrv) lines = g_strsplit(value, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    g_assert_cmpuint(strlen(*line), <=, 998); /* RFC 5322 2.1.1 */
}

static void
test_ours(void)
{
  static const char *const ours[] = {
      " mail.own.nl; dkim=pass",
      "mail.own.nl;none",
      " MAIL.Own.NL; dkim=pass",
      " mail.own.nl 1; dkim=pass",
      " mail.own.nl\n\t1 (version); dkim=pass",
      " mail.own.nl/1; dkim=pass",
      " mail.own.nl.; dkim=pass",
      " \"mail.own.nl\"; dkim=pass",
      " \"mail\\.own.nl\" 1; dkim=pass",
      " \" mail.own.nl \"; dkim=pass",
      " \"mail.own\r\n.nl\"; dkim=pass",
      " (hi) mail.own.nl; dkim=pass",
      " (a (nested\\) one)) (two)\r\n mail.own.nl (x); dkim=pass",
      "\n\tmail.own.nl",
      " mail.own.nl(x); dkim=pass",
      /* what cannot be read, somebody might read as ours */
      " (open mail.own.nl; dkim=pass",
      " \"mail.own.nl; dkim=pass",
      " ; dkim=pass",
      "",
      " =mail.own.nl; dkim=pass",
  };
  static const char *const others[] = {
      " mail.other.nl; dkim=pass",
      " xmail.own.nl; dkim=pass",
      " mail.own.nl.evil.nl; dkim=pass",
      " (mail.own.nl) mail.other.nl; dkim=pass",
      " \"mail.other.nl\" mail.own.nl; dkim=pass",
      " own.nl; dkim=pass header.d=mail.own.nl",
      " mail.own.nl\xc3\xa9; dkim=pass",
  };
  for (guint i = 0; i < G_N_ELEMENTS(ours); i++)
    if (!auth_results_is_of(ours[i], ID))
      g_error("not ours: %s", ours[i]);
  for (guint i = 0; i < G_N_ELEMENTS(others); i++)
    if (auth_results_is_of(others[i], ID))
      g_error("ours: %s", others[i]);
  g_assert_true(auth_results_is_of(" mail.own.nl; none", "Mail.Own.nl."));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/auth_results/format", test_format);
  g_test_add_func("/auth_results/none", test_none);
  g_test_add_func("/auth_results/T28-injection", test_injection);
  g_test_add_func("/auth_results/long", test_long);
  g_test_add_func("/auth_results/T27-ours", test_ours);
  return g_test_run();
}
