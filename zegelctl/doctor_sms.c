/*
 * doctor_sms.c - whether text messages can go out, and whether they do.
 *
 * No message is sent, and the gateway is not asked anything: it is only connected to.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/audit/trail.h"
#include "zegelctl/apart.h"
#include "zegelctl/doctor_parts.h"
#include "zegelctl/web.h"

#define LOOK_S        60
#define HTTP_CONF     ZEGEL_SYSCONFDIR "/sms-http.conf"
#define HTTP_SECTION  "sms-http"
#define MAIL_CONF     ZEGEL_SYSCONFDIR "/sms-mail.conf"
#define GAMMU_CONF    ZEGEL_SYSCONFDIR "/sms-gammu.conf"
#define GAMMU_OUTBOX  "/var/spool/gammu/outbox"
#define GAMMU_PREFIX  "OUT"
#define GAMMU_NOTE    "_zegel" /* in the names of our files */
#define GAMMU_STALE_S 120      /* as sms-gammu has it */
#define SILENT_DAYS   7
#define FEW_FAILURES  3

/* Whether somebody gets his code by a text message. */
static gboolean
is_used(const Config *config)
{
  for (guint i = 0; i < config->organisations->len; i++) {
    const Organisation *organisation = config->organisations->pdata[i];
    if (organisation->method == METHOD_NUMBER || organisation->method == METHOD_OPTIONAL)
      return TRUE;
  }
  return FALSE;
}

/* ---- sms-http ---- */

static void
look_at_gateway(const char *url, gboolean own_authority, Apart *apart)
{
  g_auto(WebPlace) place = {.host = NULL};
  g_auto(WebPage) page = {.address = NULL};
  if (!web_place_parse(url, &place)) {
    apart_say(apart, DOCTOR_WRONG, "see sms-http(8)", HTTP_CONF ": url is no URL");
    return;
  }
  web_get(&place, NULL, &page);
  if (!page.connected || !page.greeted)
    apart_say(
        apart, DOCTOR_WRONG,
        "see that nothing between here and there stops it, and what the provider says "
        "of his service",
        "the SMS gateway %s, port %s, cannot be reached: %s", place.host, place.port,
        page.problem);
  else if (place.https && !page.verified && !own_authority)
    apart_say(apart, DOCTOR_WRONG, "ask the provider; see ca_file in sms-http(8)",
              "the certificate of the SMS gateway %s is not valid: %s", place.host,
              page.problem);
}

static void
look_at_http(Apart *apart)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GKeyFile) file = g_key_file_new();
  if (!g_key_file_load_from_file(file, HTTP_CONF, G_KEY_FILE_NONE, &error)) {
    apart_say(apart, DOCTOR_WRONG,
              "write it, and let the viewer's user read it: sms-http(8)", HTTP_CONF ": %s",
              error->message);
    return;
  }
  g_autofree char *secret = g_key_file_get_value(file, HTTP_SECTION, "credentials", NULL);
  g_autofree char *url = g_key_file_get_value(file, HTTP_SECTION, "url", NULL);
  if (secret != NULL && faccessat(AT_FDCWD, secret, R_OK, AT_EACCESS) != 0)
    apart_say(apart, DOCTOR_WRONG, "give it to the viewer's user, mode 0400: sms-http(8)",
              "%s, the credentials of sms-http: %s", secret, g_strerror(errno));
  look_at_gateway(url != NULL ? url : "",
                  g_key_file_has_key(file, HTTP_SECTION, "ca_file", NULL), apart);
}

/* ---- sms-gammu ---- */

/* Where sms-gammu puts its messages: a new string. */
static char *
find_outbox(void)
{
  g_autofree char *text = NULL;
  if (!g_file_get_contents(GAMMU_CONF, &text, NULL, NULL))
    return g_strdup(GAMMU_OUTBOX);
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    g_auto(GStrv) pair = g_strsplit(*line, "=", 2);
    if (pair[0] != NULL && pair[1] != NULL && strcmp(g_strstrip(pair[0]), "outbox") == 0)
      return g_strdup(g_strstrip(pair[1]));
  }
  return g_strdup(GAMMU_OUTBOX);
}

/* How many messages of ours lie in FOLDER since before NOW_S for too long. Their names hold
 * numbers. */
static guint
count_stale(const char *folder, gint64 now_s)
{
  guint count = 0;
  const char *name = NULL;
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
    struct stat status;
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (g_str_has_prefix(name, GAMMU_PREFIX) && strstr(name, GAMMU_NOTE) != NULL &&
        lstat(path, &status) == 0 && status.st_mtime + GAMMU_STALE_S < now_s)
      count++;
  }
  return count;
}

static gboolean
is_running(const char *program)
{
  g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
  const char *pid = NULL;
  while (dir != NULL && (pid = g_dir_read_name(dir)) != NULL) {
    g_autofree char *path = g_build_filename("/proc", pid, "comm", NULL);
    g_autofree char *name = NULL;
    if (g_ascii_isdigit(*pid) && g_file_get_contents(path, &name, NULL, NULL) &&
        strcmp(g_strchomp(name), program) == 0)
      return TRUE;
  }
  return FALSE;
}

static void
look_at_gammu(const DoctorSubject *subject, Apart *apart)
{
  static const char cure[] =
      "run \"systemctl restart gammu-smsd\"; its log says whether the "
      "modem answers";
  g_autofree char *outbox = find_outbox();
  guint stale = count_stale(outbox, subject->now_s);
  if (faccessat(AT_FDCWD, outbox, R_OK | W_OK | X_OK, AT_EACCESS) != 0)
    apart_say(apart, DOCTOR_WRONG,
              "install gammu-smsd and let the viewer's user into its group: sms-gammu(8)",
              "%s, where messages for gammu-smsd go: %s", outbox, g_strerror(errno));
  else if (stale > 0)
    apart_say(apart, DOCTOR_WRONG, cure, "gammu-smsd does not take messages: %u wait in %s",
              stale, outbox);
  else if (!is_running("gammu-smsd"))
    apart_say(apart, DOCTOR_WRONG, cure, "gammu-smsd does not run: no code is sent");
}

/* ---- sms-mail ---- */

static void
look_at_mail(Apart *apart)
{
  if (faccessat(AT_FDCWD, MAIL_CONF, R_OK, AT_EACCESS) != 0)
    apart_say(apart, DOCTOR_WRONG,
              "write it, and let the viewer's user read it: sms-mail(8)", MAIL_CONF ": %s",
              g_strerror(errno));
}

/* ---- sms-command ---- */

static void
look_at_command(const DoctorSubject *subject, gpointer data, Apart *apart)
{
  (void) data;
  const char *command = subject->config->sms_command;
  g_autofree char *name = g_path_get_basename(command);
  signal(SIGPIPE, SIG_IGN);
  if (faccessat(AT_FDCWD, command, X_OK, AT_EACCESS) != 0)
    apart_say(
        apart, DOCTOR_WRONG,
        "name the adapter in command of [sms] (zegel-sms(7)), and let the viewer's user "
        "run it",
        "the SMS adapter %s cannot be run: %s", command, g_strerror(errno));
  else if (strcmp(name, "sms-http") == 0)
    look_at_http(apart);
  else if (strcmp(name, "sms-gammu") == 0)
    look_at_gammu(subject, apart);
  else if (strcmp(name, "sms-mail") == 0)
    look_at_mail(apart);
}

void
doctor_check_sms_command(const DoctorSubject *subject, DoctorReport *report)
{
  if (is_used(subject->config))
    apart_run(subject, report, subject->config->viewer_user, LOOK_S, look_at_command, NULL);
  else
    doctor_say(report, DOCTOR_ABSENT, NULL, "no organisation sends text messages");
}

/* ---- sms-silent ---- */

/* What the trail has of codes, the newest first. */
typedef struct {
  gint64 sent_us;  /* the last that went out for certain; 0: none */
  gint64 first_us; /* of the failures since */
  guint failures;
} Codes;

static gboolean
take_sent(const TrailRecord *record, gpointer data, GError **error)
{
  Codes *codes = data;
  (void) error;
  if (codes->sent_us == 0 && attrs_get(record->attrs, "reason") == NULL &&
      attrs_get(record->attrs, "method") == NULL)
    codes->sent_us = record->at_us;
  return TRUE;
}

/* Also one whose adapter did not end in time: the code may have gone. */
static gboolean
take_failed(const TrailRecord *record, gpointer data, GError **error)
{
  Codes *codes = data;
  (void) error;
  const char *reason = attrs_get(record->attrs, "reason");
  if (record->at_us <= codes->sent_us || reason == NULL ||
      attrs_get(record->attrs, "method") != NULL || /* by mail */
      (strcmp(reason, "gateway") != 0 && strcmp(reason, "unconfirmed") != 0))
    return TRUE;
  codes->first_us =
      codes->failures > 0 ? MIN(codes->first_us, record->at_us) : record->at_us;
  codes->failures++;
  return TRUE;
}

static gboolean
read_codes(Trail *trail, gint64 now_s, Codes *codes, GError **error)
{
  TrailQuery query = {.from_us = (now_s - SILENT_DAYS * 86400) * G_USEC_PER_SEC,
                      .newest_first = TRUE,
                      .event = "code-sent"};
  if (!trail_each(trail, &query, take_sent, codes, error) ||
      !trail_each(trail, &query, take_failed, codes, error))
    return FALSE;
  query.event = "code-refused";
  return trail_each(trail, &query, take_failed, codes, error);
}

static void
look_at_codes(const DoctorSubject *subject, gpointer data, Apart *apart)
{
  (void) data;
  Codes codes = {.failures = 0};
  g_autoptr(GError) error = NULL;
  g_autoptr(Trail) trail = trail_open(subject->config->audit_database, NULL, &error);
  if (trail == NULL || !read_codes(trail, subject->now_s, &codes, &error)) {
    apart_say(apart, DOCTOR_UNKNOWN, NULL, "%s", error->message);
    return;
  }
  if (codes.failures == 0)
    return;
  g_autoptr(GDateTime) since =
      g_date_time_new_from_unix_local(codes.first_us / G_USEC_PER_SEC);
  g_autofree char *when = since != NULL ? g_date_time_format(since, "%Y-%m-%d %H:%M")
                                        : g_strdup("a day far away");
  apart_say(
      apart, codes.failures < FEW_FAILURES ? DOCTOR_WARNING : DOCTOR_WRONG,
      "see sms-command, then try the adapter by hand as zegel-sms(7) has it; its exit "
      "statuses stand in the mail log",
      "the SMS gateway is silent: since %2$s %1$u codes were refused, or not "
      "confirmed, and none went out",
      codes.failures, when);
}

void
doctor_check_sms_silent(const DoctorSubject *subject, DoctorReport *report)
{
  if (is_used(subject->config))
    apart_run(subject, report, subject->config->audit_user, LOOK_S, look_at_codes, NULL);
  else
    doctor_say(report, DOCTOR_ABSENT, NULL, "no organisation sends text messages");
}
