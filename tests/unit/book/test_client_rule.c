#include "common/book/client_rule.h"

#include "common/base/error.h"
#include "tests/unit/tap.h"

#define DIGITS "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789"
#define COLONS                                                                             \
  "AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:"   \
  "23:45:67:89"

static void
test_parse(void)
{
  static const struct {
    const char *text, *rule; /* NULL: wrong */
  } rows[] = {
      {"sha256:" DIGITS, "sha256:" DIGITS},
      {"sha256:" COLONS, "sha256:" DIGITS},
      {"cn:mail.partner.nl/Lab%20CA", "cn:mail.partner.nl/Lab%20CA"},
      {"cn:a%2Fb/c/d", "cn:a%2Fb/c/d"},
      {"login:partner@zorg.nl", "login:partner@zorg.nl"},
      {"ip:192.0.2.1", "ip:192.0.2.1"},
      {"ip:192.0.2.0/24", "ip:192.0.2.0/24"},
      {"ip:2001:DB8::/32", "ip:2001:db8::/32"},
      {"", NULL},
      {"sha256:", NULL},
      {"sha256:" DIGITS "00", NULL},
      {"sha256:g" DIGITS, NULL},
      {"SHA256:" DIGITS, NULL},
      {DIGITS, NULL},
      {"cn:", NULL},
      {"cn:mail.partner.nl", NULL},
      {"cn:mail.partner.nl/", NULL},
      {"cn:/CA", NULL},
      {"cn:a%2/CA", NULL},
      {"cn:a%00/CA", NULL},
      {"login:", NULL},
      {"login:%zz", NULL},
      {"ip:", NULL},
      {"ip:partner.nl", NULL},
      {"ip:192.0.2.1/24", NULL},
      {"ip:192.0.2.0/33", NULL},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = NULL;
    g_autofree char *rule = client_rule_parse(rows[i].text, &error);
    g_test_message("%s", rows[i].text);
    g_assert_cmpstr(rule, ==, rows[i].rule);
    if (rule == NULL) {
      g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
      continue;
    }
    g_autofree char *again = client_rule_parse(rule, NULL);
    g_assert_cmpstr(again, ==, rule);
  }
}

static void
test_matches(void)
{
  static const ClientFacts certificate = {
      .fingerprint = DIGITS, .subject = "mail.partner.nl", .issuer = "Lab CA"};
  static const ClientFacts untrusted = {.fingerprint = DIGITS};
  static const ClientFacts login = {.login = "partner x", .address = "192.0.2.7"};
  static const ClientFacts six = {.address = "2001:db8::7"};
  static const ClientFacts odd = {.subject = "a/b", .issuer = "c/d", .address = "unknown"};
  static const ClientFacts nobody = {.login = NULL};
  static const struct {
    const char *rule;
    const ClientFacts *facts;
    gboolean matches;
  } rows[] = {
      {"sha256:" COLONS, &certificate, TRUE},
      {"sha256:" DIGITS, &untrusted, TRUE},
      {"sha256:" DIGITS, &login, FALSE},
      {"sha256:00cdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789",
       &certificate, FALSE},
      {"cn:mail.partner.nl/Lab%20CA", &certificate, TRUE},
      {"cn:mail.partner.nl/Lab%20CA", &untrusted, FALSE},
      {"cn:mail.partner.nl/Lab", &certificate, FALSE},
      {"cn:mail.partner.n/Lab%20CA", &certificate, FALSE},
      {"cn:Mail.partner.nl/Lab%20CA", &certificate, FALSE},
      {"cn:a%2Fb/c/d", &odd, TRUE},
      {"cn:a%2Fb/c%2Fd", &odd, TRUE},
      {"cn:a/b/c/d", &odd, FALSE},
      {"login:partner%20x", &login, TRUE},
      {"login:partner", &login, FALSE},
      {"login:partner", &certificate, FALSE},
      {"ip:192.0.2.0/24", &login, TRUE},
      {"ip:192.0.2.7", &login, TRUE},
      {"ip:192.0.2.8", &login, FALSE},
      {"ip:192.0.2.0/24", &six, FALSE},
      {"ip:2001:db8::/32", &six, TRUE},
      {"ip:0.0.0.0/0", &odd, FALSE},
      {"sha256:" DIGITS, &nobody, FALSE},
      {"cn:a/b", &nobody, FALSE},
      {"login:x", &nobody, FALSE},
      {"ip:0.0.0.0/0", &nobody, FALSE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *rule = client_rule_parse(rows[i].rule, NULL);
    g_test_message("row %" G_GSIZE_FORMAT ": %s", i, rows[i].rule);
    g_assert_nonnull(rule);
    g_assert_cmpint(client_rule_matches(rule, rows[i].facts), ==, rows[i].matches);
  }
  g_assert_true(client_rule_is_address("ip:192.0.2.1"));
  g_assert_false(client_rule_is_address("login:ip:192.0.2.1"));
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/client-rule/parse", test_parse);
  g_test_add_func("/client-rule/matches", test_matches);
  return g_test_run();
}
