/*
 * doctor_postfix.c - what zegelctl doctor looks at in Postfix itself: its version, values
 * of main.cf, services of master.cf.
 *
 * What our services must be is not written here a second time: it is read from the pieces
 * that setup installs, main.cf.zegel and master.cf.zegel.
 */
#include <string.h>

#include "common/base/network.h"
#include "zegelctl/doctor_look.h"
#include "zegelctl/program.h"

#define PIECES          ZEGEL_DATADIR "/postfix/"
#define PIECES_PART_TWO "\n# ====" /* begins the line between the two parts of a piece */
#define RELOAD          ", then \"postfix reload\""

/* ---- Is it there, and which one is it ---- */

static void
check_setup(const DoctorSubject *subject, DoctorReport *report)
{
  for (guint i = 0; i < subject->sites->len; i++) {
    const Site *site = subject->sites->pdata[i];
    if (!site_is_set(site, "zegel_milter"))
      doctor_say(report, DOCTOR_WRONG, "\"zegelctl setup\"",
                 "%s/main.cf has no zegel_milter: this Postfix does not know zegel",
                 site_directory(site));
  }
}

static void
look_if_running(const Visit *visit)
{
  g_autofree char *path = g_build_filename(visit->queue, "pid", "master.pid", NULL);
  g_autofree char *text = NULL, *name = NULL;
  if (g_file_get_contents(path, &text, NULL, NULL)) {
    g_autofree char *comm = g_strdup_printf("/proc/%s/comm", g_strstrip(text));
    if (g_file_get_contents(comm, &name, NULL, NULL) &&
        strcmp(g_strchomp(name), "master") == 0)
      return;
  }
  look_say(visit, DOCTOR_WRONG, "\"systemctl start postfix\"", "Postfix does not run");
}

static void
check_running(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_if_running);
}

#define VERSION_PARTS 3

/* "3.7.11" as numbers; what is not there is 0. */
static void
parse_version(const char *text, guint parts[VERSION_PARTS])
{
  for (guint i = 0; i < VERSION_PARTS; i++) {
    parts[i] = 0;
    for (; g_ascii_isdigit(*text) && parts[i] < G_MAXUINT16; text++)
      parts[i] = parts[i] * 10 + (guint) g_ascii_digit_value(*text);
    text += *text == '.' ? 1 : 0;
  }
}

static void
look_at_version(const Visit *visit)
{
  /* The first of each branch that can refuse bare newlines (CVE-2023-51764). */
  static const guint fixed[][VERSION_PARTS] = {{3, 7, 9}, {3, 8, 4}};
  g_autofree char *version = look_value(visit, "mail_version");
  guint v[VERSION_PARTS];
  parse_version(version, v);
  if (v[0] < 3 || (v[0] == 3 && v[1] < 7))
    look_say(visit, DOCTOR_WRONG, "install Postfix 3.7 or later",
             "this is Postfix %s: zegel needs 3.7 or later, and versions before have known "
             "faults in milters and TLS",
             version);
  for (guint i = 0; i < G_N_ELEMENTS(fixed); i++)
    if (v[0] == fixed[i][0] && v[1] == fixed[i][1] && v[2] < fixed[i][2])
      look_say(visit, DOCTOR_WRONG, "install the newest Postfix of your distribution",
               "Postfix %s takes two messages where a sender sent one (SMTP smuggling, "
               "CVE-2023-51764), and cannot be told not to: the second has passed no check",
               version);
}

static void
check_version(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_version);
}

/* Refusing at the end of data lets the next message of the session past the milters in the
 * 3.7 branch before 3.7.22. */
static void
look_at_end_of_data(const Visit *visit)
{
  g_autofree char *version = look_value(visit, "mail_version");
  guint v[VERSION_PARTS];
  parse_version(version, v);
  if (v[0] != 3 || v[1] != 7 || v[2] >= 22)
    return;
  for (guint i = 0; i < visit->services->len; i++) {
    const SiteService *service = visit->services->pdata[i];
    if (!look_is_public(service))
      continue;
    g_autofree char *list =
        look_service_value(visit, service, "smtpd_end_of_data_restrictions");
    if (*list != '\0')
      look_say(visit, DOCTOR_WRONG,
               "move these checks to smtpd_data_restrictions or "
               "smtpd_recipient_restrictions" RELOAD ", or install Postfix 3.7.22 or later",
               "service %s (%s) of Postfix %s has smtpd_end_of_data_restrictions: after a "
               "refusal there a client can send a second message that passes no milter",
               service->name, service->type, version);
  }
}

static void
check_end_of_data(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_end_of_data);
}

static void
look_at_types(const Visit *visit)
{
  static const char *const types[] = {"sqlite", "hash",    "regexp", "cidr",
                                      "inline", "pipemap", "proxy"};
  const char *const argv[] = {"postconf", "-c", site_directory(visit->site), "-m", NULL};
  g_autofree char *said = NULL;
  g_autoptr(GError) error = NULL;
  if (!program_read(argv, &said, &error)) {
    look_say(visit, DOCTOR_UNKNOWN, NULL, "%s", error->message);
    return;
  }
  g_auto(GStrv) known = g_strsplit(said, "\n", -1);
  for (guint i = 0; i < G_N_ELEMENTS(types); i++)
    if (!g_strv_contains((const char *const *) known, types[i]))
      look_say(
          visit, DOCTOR_WRONG,
          "install the package of your distribution that has it (Debian: \"apt install "
          "postfix-sqlite\")",
          "this Postfix has no tables of type %s: all mail waits", types[i]);
}

static void
check_types(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_types);
}

/* ---- The pieces ---- */

/* The part of piece NAME before, or from, the line between its two: a new string, or NULL
 * after saying why. */
static char *
read_piece(const Visit *visit, const char *name, gboolean second)
{
  g_autofree char *path = g_strconcat(PIECES, name, NULL);
  g_autofree char *text = NULL;
  g_autoptr(GError) error = NULL;
  if (!g_file_get_contents(path, &text, NULL, &error)) {
    look_say(visit, DOCTOR_UNKNOWN, "install zegel again: it is not whole", "%s",
             error->message);
    return NULL;
  }
  char *middle = strstr(text, PIECES_PART_TWO);
  if (second)
    return g_strdup(middle != NULL ? middle : "");
  if (middle != NULL)
    *middle = '\0';
  return g_steal_pointer(&text);
}

static void
look_at_names(const Visit *visit)
{
  g_autofree char *text = read_piece(visit, "main.cf.zegel", FALSE);
  g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    if (!g_ascii_isalpha(**line))
      continue;
    g_autofree char *name = g_strndup(*line, strcspn(*line, " ="));
    g_autofree char *cure =
        g_strdup_printf("append its line of " PIECES "main.cf.zegel to %s/main.cf" RELOAD,
                        site_directory(visit->site));
    if (!site_is_set(visit->site, name))
      look_say(visit, DOCTOR_WRONG, cure, "main.cf has no %s", name);
  }
}

static void
check_names(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_names);
}

/* VALUE without the numbers of ports, which a site may choose. */
static char *
without_ports(const char *value)
{
  g_autoptr(GString) out = g_string_new(NULL);
  for (const char *at = value; *at != '\0'; at++) {
    g_string_append_c(out, *at);
    if (*at == ':')
      at += strspn(at + 1, "0123456789");
  }
  return g_string_free(g_steal_pointer(&out), FALSE);
}

static gboolean
is_same(const char *value, const char *ours)
{
  g_autofree char *one = without_ports(value);
  g_autofree char *other = without_ports(ours);
  return strcmp(one, other) == 0;
}

/* The service of VISIT that logs as LOG_NAME and runs COMMAND, or NULL. Its port may be
 * another than ours. */
static const SiteService *
find_service(const Visit *visit, const char *log_name, const char *command)
{
  for (guint i = 0; i < visit->services->len; i++) {
    const SiteService *service = visit->services->pdata[i];
    if (strcmp(service->command, command) == 0 &&
        g_strcmp0(g_hash_table_lookup(service->options, "syslog_name"), log_name) == 0)
      return service;
  }
  return NULL;
}

/* Compares SERVICE with LINES, "  -o name=value", of its piece. */
static void
compare_options(const Visit *visit, const SiteService *service, char **lines)
{
  for (; g_str_has_prefix(*lines != NULL ? *lines : "", "  -o "); lines++) {
    const char *option = *lines + strlen("  -o ");
    const char *equals = strchr(option, '=');
    g_autofree char *name = g_strndup(option, (gsize) (equals - option));
    const char *theirs = g_hash_table_lookup(service->options, name);
    if (theirs != NULL && is_same(theirs, equals + 1))
      continue;
    g_autofree char *cure = g_strdup_printf("\"postconf -P '%s/%s/%s'\"" RELOAD,
                                            service->name, service->type, option);
    look_say(visit, DOCTOR_WRONG, cure, "service %s (%s) in master.cf has %s%s%s, not %s",
             service->name, service->type, theirs != NULL ? name : "no ",
             theirs != NULL ? "=" : name, theirs != NULL ? theirs : "", option);
  }
}

/* The service that begins at LINES: "NAME TYPE ... COMMAND", then its options, of which the
 * first is its name in the log. */
static void
compare_service(const Visit *visit, char **lines)
{
  g_auto(GStrv) words = site_words(*lines);
  guint count = g_strv_length(words);
  const char *log_option = lines[1] != NULL ? strstr(lines[1], "syslog_name=") : NULL;
  if (count < 8 || log_option == NULL)
    return;
  const SiteService *service =
      find_service(visit, strchr(log_option, '=') + 1, words[count - 1]);
  if (service != NULL) {
    compare_options(visit, service, lines + 1);
    return;
  }
  g_autofree char *cure = g_strdup_printf("append its lines of " PIECES
                                          "master.cf.zegel to %s/master.cf" RELOAD,
                                          site_directory(visit->site));
  look_say(visit, DOCTOR_WRONG, cure, "master.cf has no service %s (%s) with %s", words[0],
           words[1], log_option);
}

static void
look_at_services(const Visit *visit)
{
  g_autofree char *text = read_piece(visit, "master.cf.zegel", TRUE);
  g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    if (g_ascii_isalnum(**line))
      compare_service(visit, line);
}

static void
check_services(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_services);
}

/* ---- Values of main.cf ---- */

static guint64
to_number(const char *text)
{
  guint64 number = 0;
  return g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &number, NULL) ? number : 0;
}

/* The bytes that the largest attachments of an organisation are on the wire: base64 has 57
 * of them in a line of 78 (RFC 2045 6.8). */
static guint64
wire_bytes(const Config *config)
{
  guint64 most = 0;
  for (guint i = 0; i < config->organisations->len; i++) {
    const Organisation *organisation = config->organisations->pdata[i];
    most = MAX(most, organisation->attachments_max_mb);
  }
  return most * 1024 * 1024 * 78 / 57;
}

static void
look_at_size(const Visit *visit)
{
  const Config *config = visit->subject->config;
  g_autofree char *text = look_value(visit, "message_size_limit");
  guint64 limit = to_number(text), needed = wire_bytes(config);
  g_autofree char *raise = g_strdup_printf("\"postconf -e message_size_limit=%u\"" RELOAD,
                                           config->message_max_bytes);
  if (limit != 0 && limit < needed)
    look_say(visit, DOCTOR_WRONG, raise,
             "message_size_limit is %s, but attachments_max_mb of zegel.conf are "
             "%" G_GUINT64_FORMAT
             " bytes on the wire: messages that are allowed are refused",
             text, needed);
  if (limit == 0 || limit > config->message_max_bytes)
    look_say(visit, DOCTOR_WRONG, raise,
             "message_size_limit is %s, more than message_max_bytes of zegel.conf (%u): "
             "what lies between is taken, and then comes back",
             limit == 0 ? "0 (no limit)" : text, config->message_max_bytes);
}

static void
check_size(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_size);
}

/* local(8) and virtual(8) stop when their mailboxes may be smaller than a message. */
static void
look_at_mailbox_size(const Visit *visit)
{
  static const char *const names[] = {"mailbox_size_limit", "virtual_mailbox_limit"};
  g_autofree char *text = look_value(visit, "message_size_limit");
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *value = look_value(visit, names[i]);
    g_autofree char *cure = g_strdup_printf("\"postconf -e %s=0\"" RELOAD, names[i]);
    if (to_number(value) != 0 && to_number(value) < to_number(text))
      look_say(visit, DOCTOR_WRONG, cure,
               "%s is %s, less than message_size_limit (%s): Postfix delivers to no "
               "mailbox",
               names[i], value, text);
  }
}

static void
check_mailbox_size(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_mailbox_size);
}

/* What else step 8 of README.postfix sets. */
static const struct {
  const char *name, *good, *why;
} settings[] = {
    {"enable_long_queue_ids", "yes",
     "queue ids come back, and lines of the log that do not "
     "belong together have the same"},
    {"smtpd_forbid_unauth_pipelining", "yes", "clients may send before they are asked"},
};

static void
look_at_settings(const Visit *visit)
{
  for (guint i = 0; i < G_N_ELEMENTS(settings); i++) {
    g_autofree char *value = look_value(visit, settings[i].name);
    g_autofree char *cure =
        g_strdup_printf("\"postconf -e %s=%s\"" RELOAD, settings[i].name, settings[i].good);
    if (strcmp(value, settings[i].good) != 0)
      look_say(visit, DOCTOR_WARNING, cure, "%s is %s: %s", settings[i].name, value,
               settings[i].why);
  }
  g_autofree char *delay = look_value(visit, "delay_warning_time");
  if (to_number(delay) == 0 && (*delay == '\0' || *delay == '0'))
    look_say(visit, DOCTOR_WARNING, "\"postconf -e delay_warning_time=4h\"" RELOAD,
             "delay_warning_time is %s: a sender hears after days that his mail waits (NTA "
             "7516, 6.1.4)",
             delay);
}

static void
check_settings(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_settings);
}

static void
look_at_newlines(const Visit *visit)
{
  g_autofree char *value = look_value(visit, "smtpd_forbid_bare_newline");
  if (*value == '\0' || strcmp(value, "no") == 0)
    look_say(visit, DOCTOR_WRONG,
             "\"postconf -e smtpd_forbid_bare_newline=yes "
             "'smtpd_forbid_bare_newline_exclusions=$mynetworks'\"" RELOAD,
             "smtpd_forbid_bare_newline is %s: one message can be made two (SMTP "
             "smuggling), and the second has passed no check",
             *value == '\0' ? "empty" : value);
}

static void
check_newlines(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_newlines);
}

/* ---- Mail of our own ---- */

/* TEXT without [ and ], which Postfix writes around IPv6: a new string. */
static char *
without_brackets(const char *text)
{
  g_auto(GStrv) parts = g_strsplit_set(text, "[]", -1);
  return g_strjoinv("", parts);
}

/* Whether LIST, networks as Postfix writes them, has HOST ("127.0.0.1", "[::1]"). */
static gboolean
has_host(const char *list, const char *host)
{
  Network address, network;
  g_autofree char *bare = without_brackets(host), *networks = without_brackets(list);
  g_auto(GStrv) words = site_words(networks);
  if (!network_parse_address(bare, &address))
    return TRUE; /* a name: which address it has can change */
  for (char **word = words; *word != NULL; word++)
    if (network_parse(*word, &network) && network_contains(&network, &address))
      return TRUE;
  return FALSE;
}

/* URL, "smtp://HOST:PORT" of KEY in zegel.conf, must be the service that logs as LOG_NAME.
 */
static void
look_at_port(const Visit *visit, const char *url, const char *key, const char *log_name)
{
  const char *place = strstr(url, "://") != NULL ? strstr(url, "://") + 3 : url;
  g_autofree char *there = g_strndup(place, strcspn(place, "/"));
  const char *colon = strrchr(there, ':');
  g_autofree char *host =
      g_strndup(there, colon != NULL ? (gsize) (colon - there) : strlen(there));
  const SiteService *service = find_service(visit, log_name, "smtpd");
  g_autofree char *networks = look_value(visit, "zegel_submit_networks");
  g_autofree char *same = g_strdup_printf(
      "let %s of zegel.conf name the service: smtp://%s; then restart the program", key,
      service != NULL ? service->name : "");
  g_autofree char *more = g_strdup_printf(
      "\"postconf -e 'zegel_submit_networks=%s %s'\"" RELOAD, host, networks);
  if (service != NULL && strcmp(service->name, there) != 0)
    look_say(
        visit, DOCTOR_WRONG, same,
        "%s of zegel.conf is %s, but master.cf has %s: what zegel sends itself does not "
        "leave",
        key, url, service->name);
  if (!has_host(networks, host))
    look_say(visit, DOCTOR_WRONG, more,
             "zegel_submit_networks (%s) does not have %s, from which zegel brings its own "
             "mail: it is refused",
             networks, host);
}

static void
look_at_ports(const Visit *visit)
{
  const Config *config = visit->subject->config;
  look_at_port(visit, config->submit_url, "submit in [deliver]", "postfix/zegel-submit");
  look_at_port(visit, config->viewer_submit_url, "submit in [viewer]",
               "postfix/zegel-visitor");
}

static void
check_ports(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_ports);
}

const DoctorCheck doctor_postfix_checks[] = {
    {"postfix-setup", "Postfix knows zegel", check_setup},
    {"postfix-running", "Postfix runs", check_running},
    {"postfix-version", "this Postfix has no known fault that matters here", check_version},
    {"postfix-end-of-data", "no message gets past the milters", check_end_of_data},
    {"postfix-types", "Postfix has the types of tables that are used", check_types},
    {"postfix-names", "main.cf has zegel's own names", check_names},
    {"postfix-services", "master.cf has zegel's services as they must be", check_services},
    {"postfix-own-mail", "mail of zegel itself gets into Postfix", check_ports},
    {"message-size", "the limits of Postfix and zegel fit each other", check_size},
    {"mailbox-size", "a mailbox takes the largest message", check_mailbox_size},
    {"postfix-settings", "Postfix is set as secure mail needs it", check_settings},
    {"postfix-newlines", "one message cannot be made two", check_newlines},
    {.id = NULL},
};
