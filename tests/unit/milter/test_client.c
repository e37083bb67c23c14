/* Who is connected, by what Postfix says of it (O3, O4). */
#include "milter/client.h"

#include <string.h>

#include "tests/unit/tap.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char conf_text[] = "[organisation care]\n"
                                "domains = own.nl\n"
                                "service_domain = s.own.nl\n"
                                "viewer_url = https://v.own.nl/\n"
                                "display_name = Zorg\n"
                                "logins = jan@own.nl\n"
                                "certificates = sha256:" HEX " cn:epd/The%20CA\n"
                                "[organisation cure]\n"
                                "domains = two.nl\n"
                                "service_domain = s.two.nl\n"
                                "viewer_url = https://v.two.nl/\n"
                                "display_name = Beter\n"
                                "logins = eva@two.nl\n"
                                "networks = 192.0.2.0/28\n";

static void
test_matches(void)
{
  static const struct {
    const char *fingerprint, *subject, *issuer, *rule;
    gboolean matches;
  } cases[] = {
      {HEX, NULL, NULL, "sha256:" HEX, TRUE},
      {HEX, NULL, NULL, "sha256:00112233", FALSE},
      {"00112233", NULL, NULL, "sha256:" HEX, FALSE},
      {NULL, "sha256:" HEX, NULL, "sha256:" HEX, FALSE},
      {NULL, NULL, NULL, "sha256:", FALSE},
      {HEX, NULL, NULL, HEX, FALSE},
      {NULL, "epd", "CA", "cn:epd/CA", TRUE},
      {NULL, "my epd", "The CA", "cn:my%20epd/The%20CA", TRUE},
      {NULL, "epd/CA", "x", "cn:epd/CA/x", FALSE}, /* a name cannot forge the issuer */
      {NULL, "epd", NULL, "cn:epd/CA", FALSE},
      {NULL, NULL, "CA", "cn:epd/CA", FALSE},
      {NULL, "epd2", "CA", "cn:epd/CA", FALSE},
      {NULL, "ep", "CA", "cn:epd/CA", FALSE},
      {NULL, "epd", "CA2", "cn:epd/CA", FALSE},
      {NULL, "", "", "cn:", FALSE},
      {NULL, "", "", "cn:/", FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_test_message("case %u: %s", i, cases[i].rule);
    const Client client = {.fingerprint = (char *) cases[i].fingerprint,
                           .subject = (char *) cases[i].subject,
                           .issuer = (char *) cases[i].issuer};
    g_assert_cmpint(client_matches(&client, cases[i].rule), ==, cases[i].matches);
  }
}

/* A rule that cannot be read knows nobody: it must be heard of. */
static void
test_check_rules(void)
{
  static const struct {
    const char *certificates;
    gboolean good;
  } cases[] = {
      {"sha256:" HEX, TRUE},
      {"cn:epd/CA sha256:" HEX, TRUE},
      {"", TRUE},
      {"sha256:0011", FALSE},
      {"cn:epd", FALSE},
      {"login:jan@own.nl", FALSE},
      {"ip:192.0.2.1", FALSE},
      {HEX, FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_test_message("case %u: %s", i, cases[i].certificates);
    g_autofree char *text =
        g_strdup_printf("[organisation care]\ndomains = own.nl\nservice_domain = s.own.nl\n"
                        "viewer_url = https://v.own.nl/\ndisplay_name = Zorg\n"
                        "certificates = %s\n",
                        cases[i].certificates);
    g_autoptr(Config) config = conf_parse("zegel.conf", text, strlen(text), NULL);
    g_assert_nonnull(config);
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(client_check_rules(config, &error), ==, cases[i].good);
    g_assert_true(cases[i].good || strstr(error->message, "organisation care") != NULL);
  }
}

/* Certificate, else login, else address. */
static void
test_organisation(void)
{
  g_autoptr(Config) config = conf_parse("zegel.conf", conf_text, strlen(conf_text), NULL);
  static const struct {
    const char *fingerprint, *login, *address, *name;
  } cases[] = {
      {HEX, NULL, NULL, "care"},
      {HEX, "eva@two.nl", "192.0.2.1", "care"},
      {NULL, "eva@two.nl", NULL, "cure"},
      {NULL, "jan@own.nl", "192.0.2.1", "care"},
      {"00", "jan@own.nl", NULL, "care"},
      {"00", NULL, "192.0.2.1", "cure"},
      {NULL, "x@two.nl", "192.0.2.1", NULL},
      {NULL, NULL, "192.0.2.16", NULL},
      {NULL, NULL, NULL, NULL},
  };
  const Client named = {.subject = (char *) "epd", .issuer = (char *) "The CA"};
  const Organisation *known = client_organisation(&named, config);
  g_assert_nonnull(known);
  g_assert_cmpstr(known->name, ==, "care");
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_test_message("case %u", i);
    const Client client = {.fingerprint = (char *) cases[i].fingerprint,
                           .login = (char *) cases[i].login,
                           .address = (char *) cases[i].address};
    const Organisation *organisation = client_organisation(&client, config);
    g_assert_cmpstr(organisation != NULL ? organisation->name : NULL, ==, cases[i].name);
  }
}

/* N5: what is not known to be 1.2 or 1.3 is not. */
static void
test_tls(void)
{
  static const struct {
    const char *version;
    gboolean good;
  } cases[] = {
      {"TLSv1.3", TRUE}, {"TLSv1.2", TRUE}, {"TLSv1.1", FALSE}, {"TLSv1", FALSE},
      {"SSLv3", FALSE},  {"", FALSE},       {NULL, FALSE},      {"TLSv1.20", FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const Client client = {.tls_version = (char *) cases[i].version};
    g_assert_cmpint(client_has_tls12(&client), ==, cases[i].good);
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/client/O4-matches", test_matches);
  g_test_add_func("/client/O4-organisation", test_organisation);
  g_test_add_func("/client/O4-rules", test_check_rules);
  g_test_add_func("/client/N5-tls", test_tls);
  return g_test_run();
}
