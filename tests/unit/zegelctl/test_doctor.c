/* How doctor reads what Postfix's files say, as tables. */
#include <glib.h>

#include "zegelctl/doctor_look.h"

static void
test_protocols(void)
{
  static const struct {
    const char *text;
    gboolean good;
  } rows[] = {
      {">=TLSv1.2", TRUE},
      {">=tlsv1.3", TRUE},
      {">=TLSv1.2, <=TLSv1.3", TRUE},
      {">=TLSv1", FALSE},
      {">=TLSv1.1", FALSE},
      {"<=TLSv1.2", FALSE},
      {"TLSv1.2", TRUE},
      {"TLSv1.3 TLSv1.2", TRUE},
      {"TLSv1.2:TLSv1.1", FALSE},
      {"!SSLv2, !SSLv3, !TLSv1, !TLSv1.1", TRUE},
      {"!SSLv2,!SSLv3,!TLSv1", FALSE},
      {"!TLSv1.1 !TLSv1", TRUE},
      {"", FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_test_message("%s", rows[i].text);
    g_assert_cmpint(look_protocols_are_good(rows[i].text), ==, rows[i].good);
  }
}

static void
test_hops(void)
{
  static const struct {
    const char *hop;
    gboolean here;
  } rows[] = {
      {"scan", TRUE},
      {"scan:", TRUE},
      {"scan:dummy:10024", FALSE},
      {"smtp:[127.0.0.1]:10024", TRUE},
      {"smtp-amavis:[127.0.0.1]:10024", TRUE},
      {"smtp:127.0.0.1:10024", TRUE},
      {"127.0.0.1:10024", TRUE},
      {"[127.0.0.1]:10024", TRUE},
      {"smtp:localhost:10024", TRUE},
      {"smtp:[::1]:10024", TRUE},
      {"lmtp:unix:scan/socket", TRUE},
      {"lmtp:inet:127.0.0.1:24", TRUE},
      {"lmtp:inet:mail.example.com:24", FALSE},
      {"smtp:[203.0.113.25]", FALSE},
      {"smtp:[203.0.113.25]:10024", FALSE},
      {"smtp:filter.example.com", FALSE},
      {"[filter.example.com]:25", FALSE},
      {"203.0.113.25:25", FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_test_message("%s", rows[i].hop);
    g_assert_cmpint(look_hop_is_here(rows[i].hop), ==, rows[i].here);
  }
}

static void
test_tables(void)
{
  static const struct {
    const char *table, *name;
    gboolean pattern;
  } rows[] = {
      {"proxy:sqlite:/etc/postfix/zegel-routes.cf", "zegel-routes.cf", FALSE},
      {"hash:/etc/postfix/zegel_transport", "zegel_transport", FALSE},
      {"regexp:/etc/postfix/patterns", "patterns", TRUE},
      {"proxy:pcre:patterns", "patterns", TRUE},
      {"cidr:/a/b/c", "c", TRUE},
      {"static:smtp", "smtp", FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_assert_cmpstr(look_table_name(rows[i].table), ==, rows[i].name);
    g_assert_cmpint(look_is_pattern(rows[i].table), ==, rows[i].pattern);
  }
}

static void
test_peers(void)
{
  static const struct {
    const char *text, *place, *action;
  } rows[] = {
      {"unix:zegel/milter.sock", "unix:zegel/milter.sock", NULL},
      {"{ unix:zegel/milter.sock, default_action=tempfail }", "unix:zegel/milter.sock",
       "tempfail"},
      {"{inet:127.0.0.1:8891,connect_timeout=2s,default_action=accept}",
       "inet:127.0.0.1:8891", "accept"},
      {"{ }", "", NULL},
      {"", "", NULL},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_auto(Peer) peer = {.place = NULL};
    peer_parse(rows[i].text, &peer);
    g_assert_cmpstr(peer.place, ==, rows[i].place);
    g_assert_cmpstr(peer.action, ==, rows[i].action);
  }
}

static void
test_services(void)
{
  static const struct {
    const char *name, *type, *command, *log_name;
    gboolean is_public;
  } rows[] = {
      {"smtp", "inet", "smtpd", NULL, TRUE},
      {"smtpd", "pass", "smtpd", NULL, TRUE},
      {"smtp", "inet", "postscreen", NULL, FALSE},
      {"smtp", "unix", "smtp", NULL, FALSE},
      {"127.0.0.1:10025", "inet", "smtpd", NULL, FALSE},
      {"[::1]:10025", "inet", "smtpd", NULL, FALSE},
      {"localhost:10025", "inet", "smtpd", NULL, FALSE},
      {"192.0.2.10:25", "inet", "smtpd", NULL, TRUE},
      {"192.0.2.10:10587", "inet", "smtpd", "postfix/zegel-submit", FALSE},
      {"submission", "inet", "smtpd", "postfix/submission", TRUE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GHashTable) options = g_hash_table_new(g_str_hash, g_str_equal);
    if (rows[i].log_name != NULL)
      g_hash_table_insert(options, (gpointer) "syslog_name", (gpointer) rows[i].log_name);
    const SiteService service = {.name = (char *) rows[i].name,
                                 .type = (char *) rows[i].type,
                                 .command = (char *) rows[i].command,
                                 .options = options};
    g_test_message("%s %s", rows[i].name, rows[i].command);
    g_assert_cmpint(look_is_public(&service), ==, rows[i].is_public);
  }
}

static void
test_inner(void)
{
  static const struct {
    const char *text, *inner;
  } rows[] = {
      {"pipemap:{hash:/a, regexp:/b}", "hash:/a, regexp:/b"},
      {"{ unix:a }", "unix:a"},
      {"hash:/a", "hash:/a"},
      {"}{", "}{"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *inner = look_inner(rows[i].text);
    g_assert_cmpstr(inner, ==, rows[i].inner);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/doctor/protocols", test_protocols);
  g_test_add_func("/doctor/hops", test_hops);
  g_test_add_func("/doctor/tables", test_tables);
  g_test_add_func("/doctor/peers", test_peers);
  g_test_add_func("/doctor/services", test_services);
  g_test_add_func("/doctor/inner", test_inner);
  return g_test_run();
}
