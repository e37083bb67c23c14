#include "zegelctl/setup_plan.h"

#include <glib/gstdio.h>
#include <string.h>

#include "tests/unit/tap.h"
#include "zegelctl/cf.h"
#include "zegelctl/setup_ask.h"

#define CLIENTS                                                                            \
  "smtp unix - - y - - smtp\n"                                                             \
  "lmtp unix - - y - - lmtp\n"                                                             \
  "cleanup unix n - y - 0 cleanup\n"
#define MASTER "smtp inet n - y - - smtpd\n" CLIENTS "local unix - n n - - local\n"
#define GUARD                                                                              \
  "check_recipient_access hash:$config_directory/zegel_access check_"                      \
  "policy_service $zegel_policy"

static const char conf[] = "[organisation linden]\n"
                           "domains = linden.example\n"
                           "networks = 192.0.2.0/28 2001:db8::/48\n"
                           "service_domain = veilig.linden.example\n"
                           "viewer_url = https://veilig.linden.example/\n"
                           "display_name = De Linden\n";

/* A site and what is asked of its plan. FIND: words of the new main.cf or master.cf; LACK:
 * words that may not be there; SAY: of the notes or obstacles. Each NULL or one text. */
static const struct {
  const char *name, *main_cf, *master_cf;
  const char *find[7], *lack[3], *say[3];
  guint obstacles;
} rows[] = {
    {"an internet site as Debian makes it",
     "compatibility_level = 3.6\n",
     MASTER,
     {"transport_maps = proxy:sqlite:$config_directory/zegel-routes.cf "
      "hash:$config_directory/zegel_transport $zegel_service\n",
      "zegel_site_alias_maps = $virtual_maps "
      "inline:{postmaster@veilig.linden.example=postmaster@linden.example}\n",
      "non_smtpd_milters = $zegel_milter\n", "smtpd_recipient_restrictions = " GUARD "\n",
      "smtp inet n - y - - smtpd\n  -o smtpd_milters=$zegel_mx_milters\n"
      "  -o smtpd_milter_maps=$zegel_milter_maps\n  -o milter_macro_daemon_name=MX\n",
      "local unix - n n - - local\n  -o cleanup_service_name=zegel-seal\n",
      "bounce_template_file = $config_directory/zegel_bounce.cf\n"},
     {"bcc_maps =", "header_checks =", "always_bcc ="},
     {"no submission service", "offers no TLS"},
     0},
    {"a port of the site that takes mail from others is guarded, that of a filter is not",
     "compatibility_level = 3.6\n",
     MASTER "2525 inet n - y - - smtpd\n  -o smtpd_recipient_restrictions=permit\n"
            "127.0.0.1:10025 inet n - y - - smtpd\n"
            "  -o smtpd_recipient_restrictions=permit_mynetworks,reject\n"
            "  -o content_filter=scan:[127.0.0.1]:10024\n",
     {"2525 inet n - y - - smtpd\n  -o { smtpd_recipient_restrictions = " GUARD
      " permit }\n",
      "127.0.0.1:10025 inet n - y - - smtpd\n"
      "  -o smtpd_recipient_restrictions=permit_mynetworks,reject\n"},
     {NULL},
     {"content_filter (scan:[127.0.0.1]:10024) of service 127.0.0.1:10025",
      "relay_addresses in [postfix]"},
     0},
    {"lists of its own stay in them",
     "transport_maps = hash:/a,\n hash:/b\nvirtual_alias_maps = hash:/v\n"
     "relay_domains = r.example\nsmtpd_milters = inet:localhost:8891\n"
     "smtpd_milter_maps = cidr:/m\nsmtp_generic_maps = hash:/g\n"
     "smtpd_recipient_restrictions = reject_unknown_recipient_domain\n"
     "virtual_mailbox_domains = m.example\n",
     MASTER,
     {"transport_maps = proxy:sqlite:$config_directory/zegel-routes.cf hash:/a, hash:/b "
      "hash:$config_directory/zegel_transport $zegel_service\n",
      "zegel_site_alias_maps = hash:/v inline:",
      "relay_domains = r.example $zegel_service\n",
      "zegel_mx_milters = $zegel_mx_milter inet:localhost:8891\n",
      "zegel_milter_maps = cidr:$config_directory/zegel_milter_clients cidr:/m\n",
      GUARD " reject_unknown_recipient_domain\n"},
     {NULL},
     {"Your milters (inet:localhost:8891)"},
     0},
    {"copies and header checks",
     "recipient_bcc_maps = hash:/b, hash:/c\nsender_bcc_maps = $mine\nmine = hash:/d "
     "hash:/e\n"
     "always_bcc = archive@linden.example\nheader_checks = pcre:/h\n",
     MASTER "x unix n - y - 0 cleanup -o header_checks=regexp:/h -o always_bcc=\n",
     {"recipient_bcc_maps = pipemap:{hash:/b, regexp:$config_directory/zegel_bcc} "
      "pipemap:{hash:/c, regexp:$config_directory/zegel_bcc}\n",
      "sender_bcc_maps = pipemap:{hash:/d, regexp:$config_directory/zegel_bcc} "
      "pipemap:{hash:/e,",
      "always_bcc = archive@linden.example.own.zegel.internal\n",
      "header_checks = regexp:$config_directory/zegel_header_keep pcre:/h\n",
      "-o { header_checks = regexp:$config_directory/zegel_header_keep regexp:/h } "
      "-o always_bcc=\n"},
     {NULL},
     {"tables of recipient_bcc_maps", "tables of sender_bcc_maps"},
     0},
    {"limits that are wide enough stay",
     "message_size_limit = 100000000\nmailbox_size_limit = 200000000\n"
     "virtual_mailbox_limit = 60000000\ndelay_warning_time = 30m\n"
     "smtpd_tls_fingerprint_digest = sha1\nrelay_clientcerts = hash:/c\n",
     MASTER,
     {"message_size_limit = 100000000\nmailbox_size_limit = 200000000\n"
      "virtual_mailbox_limit = 0\ndelay_warning_time = 30m\n",
      "smtpd_tls_fingerprint_digest = sha1\n", "enable_long_queue_ids = yes\n"},
     {NULL},
     {"smtpd_tls_fingerprint_digest stays sha1"},
     0},
    {"postscreen, submission and submissions with options of their own",
     "",
     "smtp inet n - y - 1 postscreen\n"
     "smtpd pass - - y - - smtpd\n"
     "submission inet n - y - - smtpd\n  -o milter_macro_daemon_name=ORIGINATING\n"
     "  -o smtpd_milters=inet:localhost:1\n"
     "  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject\n"
     "[2001:db8::1]:465 inet n - y - - smtpd\n"
     "127.0.0.1:10025 inet n - y - - smtpd\n  -o smtpd_milters=\n" CLIENTS,
     {"smtp inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd\n"
      "  -o smtpd_milters=$zegel_mx_milters\n",
      "  -o milter_macro_daemon_name=ORIGINATING\n"
      "  -o { smtpd_milters = $zegel_milter inet:localhost:1 }\n"
      "  -o { smtpd_recipient_restrictions = " GUARD
      " permit_sasl_authenticated,reject }\n",
      "[2001:db8::1]:465 inet n - y - - smtpd\n  -o smtpd_milters=$zegel_smtpd_milters\n",
      "127.0.0.1:10025 inet n - y - - smtpd\n  -o smtpd_milters=\n"},
     {NULL},
     {"The service 127.0.0.1:10025 stays"},
     0},
    {"no chroot",
     "",
     "smtp inet n - n - - smtpd\nsmtp unix - - n - - smtp\nlmtp unix - - n - - lmtp\n"
     "cleanup unix n - n - 0 cleanup\n",
     {"\n127.0.0.1:10587 inet n -  n  -  -  smtpd\n",
      "\nzegel-direct unix  -  -  n  -  -  smtp\n",
      "\nzegel-seal   unix  n  -  n  -  0  cleanup\n",
      "\nzegel-store  unix  -  -  n  -  -  lmtp\n"},
     {"-  y  -"},
     {NULL},
     0},
    {"what stands in the way",
     "mydestination = veilig.linden.example\nalways_bcc = archive\n"
     "parent_domain_matches_subdomains = transport_maps\n",
     "smtp inet n - y - - smtpd -o smtpd_proxy_filter=:10024\n"
     "submission inet n - y - - smtpd -o receive_override_options=no_milters\n"
     "cleanup unix n - y - 0 cleanup -o recipient_bcc_maps=$mine\n"
     "local unix - n n - - local -o cleanup_service_name=other\n",
     {NULL},
     {NULL},
     {"mydestination has veilig.linden.example", "smtpd_proxy_filter", "no_milters"},
     7},
    {"no port for mail",
     "",
     "10025 inet n - y - - smtpd\n",
     {NULL},
     {NULL},
     {"not the instance"},
     1},
    {"another queue",
     "queue_directory = /var/spool/postfix-out\n",
     MASTER,
     {NULL},
     {NULL},
     {"[milter]: socket must be /var/spool/postfix-out/zegel/milter.sock"},
     4},
};

typedef struct {
  char *directory;
  Site *site;
  GPtrArray *services;
  Config *config;
} Fixture;

static void
write_file(const Fixture *fixture, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename(fixture->directory, name, NULL);
  g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
set_up(Fixture *fixture, const char *main_cf, const char *master_cf, const char *text)
{
  GError *error = NULL;
  fixture->directory = g_dir_make_tmp("test-setup-XXXXXX", NULL);
  write_file(fixture, "main.cf", main_cf);
  write_file(fixture, "master.cf", master_cf);
  fixture->site = site_open(fixture->directory, &error);
  g_assert_no_error(error);
  fixture->services = site_services(fixture->site, &error);
  g_assert_no_error(error);
  fixture->config = conf_parse("zegel.conf", text, strlen(text), &error);
  g_assert_no_error(error);
}

static void
tear_down(Fixture *fixture)
{
  g_autofree char *main_cf = g_build_filename(fixture->directory, "main.cf", NULL);
  g_autofree char *master_cf = g_build_filename(fixture->directory, "master.cf", NULL);
  g_remove(main_cf);
  g_remove(master_cf);
  g_rmdir(fixture->directory);
  g_ptr_array_unref(fixture->services);
  site_free(fixture->site);
  conf_free(fixture->config);
  g_free(fixture->directory);
}

static SetupPlan *
plan_of(const Fixture *fixture, const guint *ports)
{
  GError *error = NULL;
  g_autofree char *pieces = g_test_build_filename(G_TEST_DIST, "contrib/postfix", NULL);
  SetupView view = {.site = fixture->site,
                    .services = fixture->services,
                    .directory = "/etc/postfix",
                    .pieces = pieces,
                    .config = fixture->config};
  memcpy(view.ports, ports, sizeof view.ports);
  SetupPlan *plan = setup_plan_new(&view, &error);
  g_assert_no_error(error);
  return plan;
}

static void
check_texts(guint row, const SetupPlan *plan)
{
  g_autofree char *main_cf = setup_plan_main(plan, rows[row].main_cf, TRUE);
  g_autofree char *master_cf = setup_plan_master(plan, rows[row].master_cf, TRUE);
  g_autofree char *both = g_strconcat(main_cf, master_cf, NULL);
  g_autoptr(GString) said = g_string_new(NULL);
  for (guint i = 0; i < plan->notes->len; i++)
    g_string_append_printf(said, "%s\n", (char *) plan->notes->pdata[i]);
  for (guint i = 0; i < plan->obstacles->len; i++)
    g_string_append_printf(said, "%s\n", (char *) plan->obstacles->pdata[i]);
  g_test_message("%s:\n%s\n%s", rows[row].name, both, said->str);
  for (guint i = 0; i < G_N_ELEMENTS(rows[row].find) && rows[row].find[i] != NULL; i++)
    g_assert_nonnull(strstr(both, rows[row].find[i]));
  for (guint i = 0; i < G_N_ELEMENTS(rows[row].lack) && rows[row].lack[i] != NULL; i++)
    g_assert_null(strstr(both, rows[row].lack[i]));
  for (guint i = 0; i < G_N_ELEMENTS(rows[row].say) && rows[row].say[i] != NULL; i++)
    g_assert_nonnull(strstr(said->str, rows[row].say[i]));
  g_assert_cmpuint(plan->obstacles->len, ==, rows[row].obstacles);
}

/* What is appended before the switch changes no entry, and both ways lead back. */
static void
check_back(guint row, const SetupPlan *plan)
{
  const char *befores[] = {rows[row].main_cf, rows[row].master_cf};
  char *(*const make[])(const SetupPlan *, const char *, gboolean) = {setup_plan_main,
                                                                      setup_plan_master};
  for (guint kind = CF_MAIN; kind <= CF_MASTER; kind++) {
    g_autoptr(GPtrArray) conflicts = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *first = make[kind](plan, befores[kind], FALSE);
    g_autofree char *after = make[kind](plan, befores[kind], TRUE);
    g_autofree char *from_first =
        cf_take_out((CfKind) kind, befores[kind], after, first, conflicts);
    g_autofree char *from_after =
        cf_take_out((CfKind) kind, befores[kind], after, after, conflicts);
    g_assert_true(g_str_has_prefix(first, befores[kind]));
    g_assert_cmpstr(from_first, ==, befores[kind]);
    g_assert_cmpstr(from_after, ==, befores[kind]);
    g_assert_cmpuint(conflicts->len, ==, 0);
  }
}

static void
test_plans(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    Fixture fixture;
    set_up(&fixture, rows[i].main_cf, rows[i].master_cf, conf);
    g_autoptr(SetupPlan) plan = plan_of(&fixture, setup_default_ports);
    check_texts(i, plan);
    check_back(i, plan);
    tear_down(&fixture);
  }
}

static const SetupFile *
file_of(const SetupPlan *plan, const char *path)
{
  for (guint i = 0; i < plan->files->len; i++)
    if (g_str_equal(((const SetupFile *) plan->files->pdata[i])->path, path))
      return plan->files->pdata[i];
  g_assert_not_reached();
}

/* Ports that were taken are others everywhere. */
static void
test_ports(void)
{
  const guint ports[SETUP_PORTS] = {10126, 10027, 10228, 10687, 10588};
  Fixture fixture;
  g_autofree char *text =
      g_strconcat(conf, "[deliver]\nsubmit = smtp://127.0.0.1:10687\n", NULL);
  set_up(&fixture, "smtpd_milters = inet:127.0.0.1:8891\n", MASTER, text);
  g_autoptr(SetupPlan) plan = plan_of(&fixture, ports);
  g_assert_nonnull(strstr(plan->lines, "\n127.0.0.1:10126 inet"));
  g_assert_nonnull(strstr(plan->lines, "\n127.0.0.1:10228 inet"));
  g_assert_true(
      g_str_has_prefix(strstr(plan->lines, "127.0.0.1:10687"), "127.0.0.1:10687 inet"));
  g_assert_nonnull(strstr(plan->lines, "smtp_fallback_relay=[127.0.0.1]:10126"));
  g_assert_nonnull(strstr(plan->names, "[127.0.0.1]:10126=none"));
  const char *const old[] = {"10026", "10028", "10587"};
  const char *const texts[] = {plan->lines, plan->names,
                               file_of(plan, "/etc/postfix/zegel-routes.cf")->text,
                               file_of(plan, "/etc/postfix/zegel_transport")->text};
  for (guint i = 0; i < G_N_ELEMENTS(old); i++)
    for (guint n = 0; n < G_N_ELEMENTS(texts); n++)
      g_assert_null(strstr(texts[n], old[i]));
  g_assert_nonnull(
      strstr(file_of(plan, "/etc/postfix/zegel_service")->text,
             "\nveilig.linden.example  zegel-store:unix:zegel/deliver.sock\n"));
  g_assert_nonnull(
      strstr(file_of(plan, "/etc/postfix/zegel_milter_clients")->text,
             "\n192.0.2.0/28  { unix:zegel/milter.sock, default_action=tempfail }, "
             "inet:127.0.0.1:8891\n2001:db8::/48  { unix:"));
  tear_down(&fixture);
}

/* ---- zegel.conf ---- */

static void
test_conf(void)
{
  const guint ports[SETUP_PORTS] = {10026, 10027, 10028, 10687, 10588};
  Fixture fixture;
  SetupAnswers answers = {.yes = TRUE, .sms = g_strdup("http")};
  set_up(&fixture,
         "myhostname = mail.linden.example\nqueue_directory = /var/spool/postfix-in\n"
         "mydestination = $myhostname, linden.example, localhost\n"
         "virtual_mailbox_domains = noord.example hash:/x\nsmtp_bind_address = 192.0.2.1\n"
         "mynetworks = 127.0.0.0/8 [::1]/128 [2001:db8::]/48 192.0.2.128/28 hash:/n "
         "!192.0.2.3\n",
         MASTER, conf);
  g_assert_true(setup_ask(&answers, fixture.site, NULL));
  g_autofree char *text = setup_conf_text(&answers, fixture.site, ports, NULL);
  g_autoptr(GError) error = NULL;
  Config *config = conf_parse("zegel.conf", text, strlen(text), &error);
  g_test_message("%s", text);
  g_assert_no_error(error);
  const Organisation *organisation = config->organisations->pdata[0];
  g_autofree char *domains = g_strjoinv(" ", organisation->domains);
  g_assert_cmpstr(domains, ==, "noord.example linden.example");
  g_assert_cmpstr(organisation->name, ==, "noord");
  g_assert_cmpstr(organisation->service_domain, ==, "veilig.noord.example");
  g_assert_cmpstr(organisation->viewer_url, ==, "https://veilig.noord.example/");
  g_assert_cmpint(organisation->sensitive_default, ==, DEFAULT_OBSERVE);
  g_assert_cmpuint(organisation->networks->len, ==, 2);
  g_assert_cmpstr(config->milter_socket, ==, "/var/spool/postfix-in/zegel/milter.sock");
  g_assert_cmpstr(config->policy_socket, ==, "/var/spool/postfix-in/zegel/policy.sock");
  g_assert_cmpstr(config->submit_url, ==, "smtp://127.0.0.1:10687");
  g_assert_true(g_str_has_suffix(config->sms_command, "/sms-http"));
  g_assert_cmpstr(config->hostname, ==, "mail.linden.example");
  g_assert_nonnull(strstr(text, "relay_addresses = 192.0.2.1\n"));
  conf_free(config);
  setup_answers_clear(&answers);
  tear_down(&fixture);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/setup/what is there stays, and ours stands where it must", test_plans);
  g_test_add_func("/setup/ports", test_ports);
  g_test_add_func("/setup/zegel.conf", test_conf);
  return g_test_run();
}
