/* zegel.conf: a good file, each kind of error with its line, and whose client this is. */
#include "common/conf/conf.h"

#include <glib/gstdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/conf/schema.h"
#include "tests/unit/tap.h"

#define CARE                                                                               \
  "[organisation care]\n"                                                                  \
  "domains = own.nl, Tweede.NL\n"                                                          \
  "service_domain = s.own.nl\n"                                                            \
  "viewer_url = https://V.own.nl/\n"                                                       \
  "display_name = Zorg & Co\n"
#define OTHER                                                                              \
  "[organisation other]\n"                                                                 \
  "domains = other.nl\n"                                                                   \
  "service_domain = s.other.nl\n"                                                          \
  "viewer_url = https://v.other.nl:8443/\n"                                                \
  "display_name = Ander\n"

#define RULE "[rule lab]\norganisation = care\nfewer_than = 5\nby = 09:30\n"

static const char good[] = "# a comment\n"
                           "; another\n"
                           "\r\n"
                           "[milter]\n"
                           "  socket=/run/m.sock  \n"
                           "[sms]\n"
                           "countries = +31\t+32,+49\n"
                           "timeout_s = 60\n" CARE "logins = jan@own.nl *@tweede.nl\n"
                           "networks = 192.0.2.0/24 2001:db8::/32 127.0.0.1\n"
                           "default = observe\n"
                           "contact =\n"
                           "form_recipient = Balie@tweede.nl\n"
                           "retention_days = 3650\n"
                           "colour = #AbCdEf\n" OTHER "logins = Piet\n"
                           "default = on-request\n"
                           "networks = 198.51.100.7\n";

static Config *
parse(const char *text, GError **error)
{
  return conf_parse("zegel.conf", text, strlen(text), error);
}

static void
test_good(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Config) config = parse(good, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(config->milter_socket, ==, "/run/m.sock");
  g_assert_cmpstr(config->policyd_socket, ==, "/var/spool/postfix/zegel/ask.sock");
  g_assert_cmpuint(config->sms_timeout_s, ==, 60);
  g_assert_cmpuint(g_strv_length(config->sms_countries), ==, 3);
  g_assert_cmpstr(config->sms_countries[2], ==, "+49");
  g_assert_cmpuint(config->organisations->len, ==, 2);
  const Organisation *care = conf_organisation(config, "care");
  g_assert_cmpstr(care->domains[1], ==, "tweede.nl");
  g_assert_cmpstr(care->form_recipient, ==, "Balie@tweede.nl");
  g_assert_cmpstr(care->display_name, ==, "Zorg & Co");
  g_assert_cmpstr(care->viewer_url, ==, "https://v.own.nl/");
  g_assert_cmpstr(care->colour, ==, "#AbCdEf");
  g_assert_cmpstr(care->contact, ==, "");
  g_assert_cmpint(care->sensitive_default, ==, DEFAULT_OBSERVE);
  g_assert_cmpuint(care->retention_days, ==, 3650);
  g_assert_cmpuint(care->networks->len, ==, 3);
  const Organisation *other = conf_organisation(config, "other");
  g_assert_cmpint(other->sensitive_default, ==, DEFAULT_ON_REQUEST);
  g_assert_cmpuint(other->retention_days, ==, 90);
  g_assert_cmpuint(other->networks->len, ==, 1);
  g_assert_null(conf_organisation(config, "nobody"));
}

/* The safest choice is the default (NTA 6.1.16). */
static void
test_safest(void)
{
  g_autoptr(Config) config = parse(CARE, NULL);
  const Organisation *care = conf_organisation(config, "care");
  g_assert_cmpint(care->sensitive_default, ==, DEFAULT_SECURE);
  g_assert_cmpuint(care->networks->len, ==, 0);
  g_assert_cmpuint(g_strv_length(care->logins), ==, 0);
}

/* What stands behind CARE, and where and why it is refused. */
static const struct {
  const char *text;
  const char *message; /* how it begins */
} errors[] = {
    {CARE "nonsense\n", "zegel.conf:6: [section] or key = value is expected"},
    {"socket = /x\n" CARE, "zegel.conf:1: a [section] must come first"},
    {"\n[nothing]\n" CARE, "zegel.conf:2: there is no section [nothing]"},
    {"[milter\n" CARE, "zegel.conf:1: a section ends with ']'"},
    {"[milter x]\n" CARE, "zegel.conf:1: [milter] takes no name"},
    {"[]\n" CARE, "zegel.conf:1: there is no section []"},
    {"[milter]\nsockett = /x\n" CARE, "zegel.conf:2: [milter] has no key sockett"},
    {"[milter]\ndomains = a.nl\n" CARE, "zegel.conf:2: [milter] has no key domains"},
    {CARE "socket = /x\n", "zegel.conf:6: [organisation] has no key socket"},
    {"[milter]\nsocket = x\n" CARE, "zegel.conf:2: socket = x: an absolute path"},
    {"[milter]\nsocket =\n" CARE, "zegel.conf:2: socket = : a value is expected"},
    {"[milter]\nuser = \n" CARE, "zegel.conf:2: user = : a value is expected"},
    {"[milter]\nuser = a\n[milter]\nuser = b\n" CARE,
     "zegel.conf:4: user was given before"},
    {"[sms]\ntimeout_s = 0\n" CARE, "zegel.conf:2: timeout_s = 0: a number from 1 to 60"},
    {"[sms]\ntimeout_s = 61\n" CARE, "zegel.conf:2: timeout_s = 61: a number from 1 to 60"},
    {"[sms]\ntimeout_s = 8s\n" CARE, "zegel.conf:2: timeout_s = 8s: a number from 1 to 60"},
    {"[sms]\ntimeout_s = -1\n" CARE, "zegel.conf:2: timeout_s = -1: a number from 1 to 60"},
    {CARE "default = safe\n",
     "zegel.conf:6: default = safe: observe, on-request or secure"},
    {CARE "language = de\n", "zegel.conf:6: language = de: nl or en"},
    {CARE "colour = red\n", "zegel.conf:6: colour = red: a colour such as"},
    {CARE "colour = #12345g\n", "zegel.conf:6: colour = #12345g: a colour such as"},
    {CARE "networks = 192.0.2.0/33\n", "zegel.conf:6: networks = 192.0.2.0/33: a network"},
    {CARE "networks = 192.0.2.1/24\n", "zegel.conf:6: networks = 192.0.2.1/24: a network"},
    {CARE "networks = mail.own.nl\n", "zegel.conf:6: networks = mail.own.nl: a network"},
    {"[organisation]\n", "zegel.conf:1: [organisation NAME]: a name"},
    {"[organisation a b]\n", "zegel.conf:1: [organisation NAME]: a name"},
    {"[organisation a,b]\n", "zegel.conf:1: [organisation NAME]: a name"},
    {"[organisation 123456789012345678901234567890123]\n",
     "zegel.conf:1: [organisation NAME]"},
    {CARE CARE, "zegel.conf:6: [organisation care] stands here a second time"},
    {"", "zegel.conf:0: at least one [organisation NAME] is needed"},
    {CARE "[policyd]\ndirect_transport = zegel-prefer\n",
     "zegel.conf:8: direct_transport and prefer_transport cannot be one"},
    {CARE "[policyd]\nprefer_transport = zegel-direct\n",
     "zegel.conf:8: direct_transport and prefer_transport cannot be one"},
    {"[organisation x]\ndisplay_name = X\nviewer_url = https://x.nl/\n"
     "service_domain = s.x.nl\n",
     "zegel.conf:5: [organisation x] needs domains"},
    {"[organisation x]\ndomains = x.nl\n", "zegel.conf:3: [organisation x] needs service_"},
    {"[organisation x]\ndomains =\n", "zegel.conf:2: domains = : at least one domain"},
    {"[organisation x]\ndomains = x\n", "zegel.conf:2: domains = x: a domain such as"},
    {"[organisation x]\ndomains = a.nl -b.nl\n", "zegel.conf:2: domains = -b.nl: a domain"},
    {"[organisation x]\ndomains = a..nl\n", "zegel.conf:2: domains = a..nl: a domain"},
    {"[organisation x]\ndomains = a_b.nl\n", "zegel.conf:2: domains = a_b.nl: a domain"},
    {"[organisation x]\nservice_domain = a b.nl\n",
     "zegel.conf:2: service_domain = a b.nl"},
    {"[organisation x]\nsecure_senders = jan@x\n",
     "zegel.conf:2: secure_senders = jan@x: an address such as"},
    {"[organisation x]\nplain_senders = @x.nl\n", "zegel.conf:2: plain_senders = @x.nl: "},
    {"[organisation x]\nsensitive_headers = X-Label\n",
     "zegel.conf:2: sensitive_headers = X-Label: a header"},
    {"[organisation x]\nsensitive_headers = X Label: yes\n",
     "zegel.conf:2: sensitive_headers = X Label: yes: a header"},
    {"[organisation x]\nplain_headers = X-Label:\n",
     "zegel.conf:2: plain_headers = X-Label:: a header"},
    {"[organisation x]\nrecipients_max = 0\n",
     "zegel.conf:2: recipients_max = 0: a number from 1 to 1000"},
    {"[organisation x]\nmethod = sms\n", "zegel.conf:2: method = sms: number, optional,"},
    {"[organisation x]\nviewer_url = http://x.nl/\n",
     "zegel.conf:2: viewer_url = http://x"},
    {"[organisation x]\nviewer_url = https://x.nl\n",
     "zegel.conf:2: viewer_url = https://x"},
    {"[organisation x]\nviewer_url = https://x.nl/a\n", "zegel.conf:2: viewer_url ="},
    {"[organisation x]\nviewer_url = https://x.nl/?a\n", "zegel.conf:2: viewer_url ="},
    {"[organisation x]\nviewer_url = https://u@x.nl/\n", "zegel.conf:2: viewer_url ="},
    {"[organisation x]\nviewer_url = x\n", "zegel.conf:2: viewer_url = x: a URL such as"},
    {CARE "[organisation x]\ndomains = x.nl OWN.nl\nservice_domain = s.x.nl\n"
          "viewer_url = https://x.nl/\ndisplay_name = X\n",
     "zegel.conf:11: domain own.nl belongs to two organisations"},
    {CARE "[organisation x]\ndomains = x.nl\nservice_domain = x.nl\n"
          "viewer_url = https://x.nl/\ndisplay_name = X\n",
     "zegel.conf:11: service_domain x.nl is a mail domain"},
    {CARE "[organisation x]\ndomains = x.nl\nservice_domain = OWN.nl\n"
          "viewer_url = https://x.nl/\ndisplay_name = X\n",
     "zegel.conf:11: service_domain own.nl is a mail domain"},
    {CARE "[organisation x]\ndomains = x.nl\nservice_domain = S.own.nl\n"
          "viewer_url = https://x.nl/\ndisplay_name = X\n",
     "zegel.conf:11: organisations care and x need their own viewer_url and "
     "service_domain"},
    {CARE "[organisation x]\ndomains = x.nl\nservice_domain = s.x.nl\n"
          "viewer_url = https://v.own.nl/\ndisplay_name = X\n",
     "zegel.conf:11: organisations care and x need their own viewer_url"},
    {CARE "form_recipient = info@other.nl\n" OTHER,
     "zegel.conf:12: [organisation care] form_recipient = info@other.nl: a mailbox in one"},
    {CARE "form_recipient = own.nl\n",
     "zegel.conf:7: [organisation care] form_recipient = own"},
    {CARE "form_recipient = a@own.nl b@own.nl\n",
     "zegel.conf:7: [organisation care] form_recipient = a@own.nl b@own.nl: a mailbox"},
    {CARE "[rule]\n", "zegel.conf:6: [rule NAME]: a name"},
    {CARE "[rule a b]\n", "zegel.conf:6: [rule NAME]: a name"},
    {CARE RULE RULE, "zegel.conf:10: [rule lab] stands here a second time"},
    {CARE "[rule lab]\nfewer_than = 1\nby = 09:00\n",
     "zegel.conf:9: [rule lab] needs organisation"},
    {CARE "[rule x]\norganisation = x\nfewer_than = 1\nby = 09:00\n",
     "zegel.conf:10: [rule x] organisation: there is no such"},
    {CARE "[rule x]\norganisation = care\n", "zegel.conf:8: [rule x] needs fewer_than"},
    {CARE RULE "viewer_over = 5\n", "zegel.conf:11: [rule lab] needs fewer_than"},
    {CARE "[rule x]\norganisation = care\nfewer_than = 1\n",
     "zegel.conf:9: [rule x] needs by = HH:MM"},
    {CARE "[rule x]\nby = 9:00\n", "zegel.conf:7: by = 9:00: a time such as 09:30"},
    {CARE "[rule x]\nby = 24:00\n", "zegel.conf:7: by = 24:00: a time"},
    {CARE "[rule x]\nby = 09:60\n", "zegel.conf:7: by = 09:60: a time"},
    {CARE "[rule x]\nby = 09-00\n", "zegel.conf:7: by = 09-00: a time"},
    {CARE "[rule x]\nkind = all\n", "zegel.conf:7: kind = all: sent, viewer, direct"},
    {CARE RULE "days = monday\n", "zegel.conf:11: [rule lab] days: all, working, or"},
    {CARE RULE "days =\n", "zegel.conf:11: [rule lab] days: all, working, or"},
    {CARE RULE "mail = beheer\n", "zegel.conf:11: [rule lab] mail: addresses such as"},
    {CARE RULE "command = page\n", "zegel.conf:11: [rule lab] command: an absolute path"},
    {"[calendar]\nextra = 2026-02-30\n" CARE, "zegel.conf:2: extra = 2026-02-30: a day"},
    {"[calendar]\nliberation_day = 5\n" CARE, "zegel.conf:2: liberation_day = 5: yes, no"},
};

static void
test_errors(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(errors); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = parse(errors[i].text, &error);
    g_test_message("row %u: %s", i, errors[i].message);
    g_assert_null(config);
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
    g_autofree char *start = g_strndup(error->message, strlen(errors[i].message));
    g_assert_cmpstr(start, ==, errors[i].message);
  }
}

static void
test_not_text(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Config) nul = conf_parse("x", CARE "\0", sizeof CARE, &error);
  g_assert_null(nul);
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
  g_clear_error(&error);
  g_autofree char *large = g_strnfill(2 * 1024 * 1024, '#');
  g_autoptr(Config) too_large = parse(large, &error);
  g_assert_null(too_large);
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
}

static void
test_load(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp("zegel-conf-XXXXXX", NULL);
  g_autofree char *path = g_build_filename(dir, "zegel.conf", NULL);
  g_autoptr(Config) missing = conf_load(path, &error);
  g_assert_null(missing);
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
  g_assert_nonnull(strstr(error->message, path));
  g_clear_error(&error);
  g_assert_true(g_file_set_contents(path, good, -1, NULL));
  g_autoptr(Config) config = conf_load(path, &error);
  g_assert_no_error(error);
  g_assert_nonnull(config);
  g_unlink(path);
  g_rmdir(dir);
}

/* set_defaults trusts that every default is a valid value of its key. */
static void
test_defaults(void)
{
  gsize count = 0;
  const SchemaRow *all = schema_rows(&count);
  g_assert_cmpuint(count, >, 10);
  for (gsize i = 0; i < count; i++) {
    union {
      Config config;
      Organisation organisation;
    } base;
    memset(&base, 0, sizeof base);
    g_autoptr(GError) error = NULL;
    g_test_message("%s.%s", all[i].section, all[i].key);
    g_assert_true(schema_find(all[i].section, all[i].key) == &all[i]);
    if (all[i].default_text == NULL)
      continue;
    g_assert_true(schema_store(&all[i], all[i].default_text, &base, &error));
    g_assert_no_error(error);
    schema_clear(&all[i], &base);
  }
  g_autofree char *text = conf_schema_text();
  g_assert_nonnull(strstr(text, "organisation default secure\n"));
  g_assert_nonnull(strstr(text, "organisation domains -\n"));
}

/* S1, S5, S9-S11, O4: what sender rules are made of. */
static void
test_sender_rules(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Config) config =
      parse(CARE "sensitive_headers = X-Label : Geheim stuk; ;X-Dossier:*\n"
                 "plain_headers = X-A: b: c\n"
                 "secure_senders = Jan@Own.NL, tweede.nl\n"
                 "certificates = cn:Het%20EPD/Onze%20CA\n"
                 "method = optional\n"
                 "refused_extensions = DOCM exe\n",
            &error);
  g_assert_no_error(error);
  const Organisation *care = config->organisations->pdata[0];
  g_assert_cmpuint(care->sensitive_headers->len, ==, 2);
  const HeaderRule *label = care->sensitive_headers->pdata[0];
  g_assert_cmpstr(label->name, ==, "X-Label");
  g_assert_cmpstr(label->value, ==, "Geheim stuk");
  const HeaderRule *dossier = care->sensitive_headers->pdata[1];
  g_assert_cmpstr(dossier->name, ==, "X-Dossier");
  g_assert_null(dossier->value);
  const HeaderRule *plain = care->plain_headers->pdata[0];
  g_assert_cmpstr(plain->value, ==, "b: c");
  g_assert_cmpstr(care->secure_senders[0], ==, "jan@own.nl");
  g_assert_cmpstr(care->secure_senders[1], ==, "tweede.nl");
  g_assert_cmpstr(care->certificates[0], ==, "cn:Het%20EPD/Onze%20CA");
  g_assert_cmpint(care->method, ==, METHOD_OPTIONAL);
  g_assert_cmpstr(care->refused_extensions[0], ==, "docm");
  g_assert_cmpuint(care->recipients_max, ==, 100);
  g_assert_cmpuint(care->attachments_max_mb, ==, 36);
}

static void
test_clients(void)
{
  static const struct {
    const char *login, *address, *organisation;
  } rows[] = {
      {"jan@own.nl", NULL, "care"},
      {"JAN@Own.NL", "198.51.100.7", "care"}, /* a login counts before an address */
      {"x@tweede.nl", NULL, "care"},
      {"x@eentweede.nl", NULL, NULL},
      {"piet", NULL, "other"},
      {"piet@own.nl", NULL, NULL},
      {"nobody", "192.0.2.9", NULL}, /* nobody's login does not fall back on it */
      {"", "192.0.2.9", NULL},
      {NULL, "192.0.2.9", "care"},
      {NULL, "192.0.3.9", NULL},
      {NULL, "2001:db8::5", "care"},
      {NULL, "2001:db9::5", NULL},
      {NULL, "127.0.0.1", "care"},
      {NULL, "127.0.0.2", NULL},
      {NULL, "198.51.100.7", "other"},
      {NULL, "unknown", NULL},
      {NULL, "", NULL},
      {NULL, NULL, NULL},
  };
  g_autoptr(Config) config = parse(good, NULL);
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    const Organisation *found =
        conf_organisation_of_client(config, rows[i].login, rows[i].address);
    g_test_message("row %u", i);
    g_assert_cmpstr(found != NULL ? found->name : NULL, ==, rows[i].organisation);
  }
}

static void
test_domains_and_hosts(void)
{
  g_autoptr(Config) config = parse(good, NULL);
  const Organisation *care = conf_organisation(config, "care");
  const Organisation *other = conf_organisation(config, "other");
  g_assert_true(conf_organisation_of_domain(config, "OWN.nl") == care);
  g_assert_true(conf_organisation_of_domain(config, "other.nl") == other);
  g_assert_null(conf_organisation_of_domain(config, "sub.own.nl"));
  g_assert_null(conf_organisation_of_domain(config, ""));
  g_assert_true(conf_has_domain(care, "Tweede.nl"));
  g_assert_false(conf_has_domain(other, "own.nl"));
  g_assert_true(conf_organisation_of_host(config, "v.OWN.nl") == care);
  g_assert_true(conf_organisation_of_host(config, "v.other.nl:8443") == other);
  g_assert_null(conf_organisation_of_host(config, "v.other.nl"));
  g_assert_null(conf_organisation_of_host(config, "v.own.nl:443"));
  g_assert_null(conf_organisation_of_host(config, "v.own.n"));
  g_assert_null(conf_organisation_of_host(config, ""));
}

/* S6, S8: which organisations have a phone book. */
static void
test_phone_book(void)
{
  static const struct {
    CodeMethod method;
    gboolean phone_book, used;
  } cases[] = {
      {METHOD_NUMBER, TRUE, TRUE},   {METHOD_NUMBER, FALSE, FALSE},
      {METHOD_OPTIONAL, TRUE, TRUE}, {METHOD_EMAIL, TRUE, FALSE},
      {METHOD_NONE, TRUE, FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const Organisation organisation = {.method = cases[i].method,
                                       .phone_book = cases[i].phone_book};
    g_test_message("case %u", i);
    g_assert_cmpint(conf_remembers_numbers(&organisation), ==, cases[i].used);
  }
}

static void
test_rules(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Config) config =
      parse("[calendar]\nholidays = none\nextra = 2026-04-03 2026-12-31\n" RULE
            "kind = secure\ndomain = Lab.nl\ndays = Mon, tue\n"
            "mail = A@care.nl b@care.nl\ncommand = /bin/true\n"
            "[rule other]\norganisation = care\nviewer_over = 0\nminimum = 1\n" CARE,
            &error);
  g_assert_no_error(error);
  g_assert_cmpuint(config->rules->len, ==, 2);
  const Rule *lab = config->rules->pdata[0], *other = config->rules->pdata[1];
  g_assert_cmpstr(lab->name, ==, "lab");
  g_assert_cmpint(lab->kind, ==, FLOW_SECURE);
  g_assert_cmpstr(lab->domain, ==, "Lab.nl");
  g_assert_cmpuint(lab->fewer_than, ==, 5);
  g_assert_cmpuint(lab->by_minute, ==, 9 * 60 + 30);
  g_assert_cmpuint(lab->viewer_over, ==, 100);
  g_assert_cmpstr(lab->days[1], ==, "tue");
  g_assert_cmpstr(lab->command, ==, "/bin/true");
  g_assert_cmpuint(g_strv_length(lab->mail), ==, 2);
  g_assert_cmpuint(other->viewer_over, ==, 0);
  g_assert_cmpuint(other->minimum, ==, 1);
  g_assert_cmpstr(other->days[0], ==, "working");
  g_assert_cmpint(config->holidays, ==, HOLIDAYS_NONE);
  g_assert_cmpint(config->liberation_day, ==, LIBERATION_DAY_LUSTRUM);
  g_assert_cmpstr(config->free_days[1], ==, "2026-12-31");
  g_assert_cmpuint(g_strv_length(config->working_days), ==, 0);
}

/* What says nothing does not change the mark of a text; all else does. */
static void
test_mark(void)
{
  static const char text[] = "[a]\nx = 1\ny = 2\n[b]\nx = 3\n";
  static const struct {
    const char *text;
    gboolean same;
  } rows[] = {
      {"# remark\n; another\n[a]\n  y=2\n\nx =1\n[b]\nx = 3", TRUE},
      {"[b]\nx = 3\n[a]\nx = 1\ny = 2\n", TRUE},
      {"[a]\nx = 1\ny = 2\n[b]\nx = 4\n", FALSE},
      {"[a]\nx = 1\ny = 2\n", FALSE},
      {"[a]\nx = 3\ny = 2\n[b]\nx = 1\n", FALSE},
      {"[b]\nx = 1\ny = 2\n[b]\nx = 3\n", FALSE},
      {"[a]\nx = 1\ny = 2\nx = 3\n", FALSE},
      {"", FALSE},
  };
  guint64 mark = conf_mark(text, strlen(text));
  g_assert_cmphex(mark & CONF_MARK_MASK, ==, CONF_MARK_SIGN);
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_test_message("row %u", i);
    guint64 other = conf_mark(rows[i].text, strlen(rows[i].text));
    g_assert_cmpint(other == mark, ==, rows[i].same);
    g_assert_cmphex(other & CONF_MARK_MASK, ==, CONF_MARK_SIGN);
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_set_nonfatal_assertions();
  g_test_add_func("/conf/good", test_good);
  g_test_add_func("/conf/S5-safest", test_safest);
  g_test_add_func("/conf/errors", test_errors);
  g_test_add_func("/conf/not-text", test_not_text);
  g_test_add_func("/conf/load", test_load);
  g_test_add_func("/conf/defaults", test_defaults);
  g_test_add_func("/conf/S1-S11-sender-rules", test_sender_rules);
  g_test_add_func("/conf/S6-S8-phone-book", test_phone_book);
  g_test_add_func("/conf/M3-rules", test_rules);
  g_test_add_func("/conf/mark", test_mark);
  g_test_add_func("/conf/O3-clients", test_clients);
  g_test_add_func("/conf/O2-domains-and-hosts", test_domains_and_hosts);
  return g_test_run();
}
