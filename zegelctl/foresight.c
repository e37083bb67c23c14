/*
 * foresight.c - zegelctl domain watch: what ends, or is not as it was, before mail suffers.
 *
 * zegel-policyd checks our domains and those of partners once more, and keeps what it sees;
 * this reads what it kept, as its user. With --alarm, from a timer, what is new goes to the
 * log and by mail.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/daemon.h"
#include "common/base/error.h"
#include "common/base/event.h"
#include "common/base/log.h"
#include "common/book/book.h"
#include "common/book/domain.h"
#include "zegelctl/alarm.h"
#include "zegelctl/command.h"
#include "zegelctl/finding.h"
#include "zegelctl/pin.h"
#include "zegelctl/text.h"

#define EXIT_FOUND    1
#define DAYS          60
#define DAYS_MAX      1000
#define MAX_FAILURES  3    /* in a row: policyd is not there */
#define MAX_CHECKED   1000 /* domains; of others it is told what policyd saw before */
#define TOTAL_S       600  /* after that no other domain is checked anew */
#define WRITE_WAIT_MS 5000 /* until policyd has written what it saw */
#define WRITE_LOOK_MS 50
#define TEXT_COLUMN   4
#define DO            "to do: "

static int option_days = DAYS;
static gboolean option_json, option_alarm, option_no_connect;

/* A domain that is looked at. */
typedef struct {
  char *domain;
  gboolean ours, partner;
  GPtrArray *lines; /* of CheckLine; NULL: it could not be checked now */
} Watched;

typedef struct {
  Config *config;
  Book *book;
  Seen *seen;
  GPtrArray *watched; /* of Watched */
  GHashTable *names;  /* set of "ours DOMAIN" and "theirs DOMAIN" */
  GPtrArray *findings;
  GPtrArray *fresh; /* of Finding, borrowed: what nobody was told of */
  gint64 start_s;
  guint failures;      /* of asking policyd, in a row */
  gboolean incomplete; /* something could not be found out */
} Watch;

static void
watched_free(gpointer p)
{
  Watched *watched = p;
  if (watched->lines != NULL)
    g_ptr_array_unref(watched->lines);
  g_free(watched->domain);
  g_free(watched);
}

static void
free_finding(gpointer p)
{
  finding_free(p);
}

static void
watch_init(Watch *watch)
{
  *watch = (Watch){.start_s = g_get_real_time() / G_USEC_PER_SEC};
  watch->watched = g_ptr_array_new_with_free_func(watched_free);
  watch->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  watch->findings = g_ptr_array_new_with_free_func(free_finding);
  watch->fresh = g_ptr_array_new();
}

static void
watch_clear(Watch *watch)
{
  g_ptr_array_unref(watch->fresh);
  g_ptr_array_unref(watch->findings);
  g_ptr_array_unref(watch->watched);
  g_hash_table_unref(watch->names);
  seen_close(watch->seen);
  book_free(watch->book);
  if (watch->config != NULL)
    conf_free(watch->config);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Watch, watch_clear)

/* ---- Which domains ---- */

static void
add_domain(Watch *watch, const char *domain, gboolean ours, gboolean partner)
{
  if (!g_hash_table_add(watch->names,
                        g_strconcat(ours ? "ours " : "theirs ", domain, NULL)))
    return;
  Watched *watched = g_new0(Watched, 1);
  watched->domain = g_strdup(domain);
  watched->ours = ours;
  watched->partner = partner;
  g_ptr_array_add(watch->watched, watched);
}

static void
add_ours(Watch *watch)
{
  for (guint i = 0; i < watch->config->organisations->len; i++) {
    const Organisation *organisation = watch->config->organisations->pdata[i];
    for (char **domain = organisation->domains; *domain != NULL; domain++)
      add_domain(watch, *domain, TRUE, FALSE);
    add_domain(watch, organisation->service_domain, TRUE, FALSE);
  }
}

static gint
compare_entries(gconstpointer a, gconstpointer b)
{
  const BookEntry *x = *(const BookEntry *const *) a;
  const BookEntry *y = *(const BookEntry *const *) b;
  return x->nta != y->nta ? (x->nta ? -1 : 1) : strcmp(x->domain, y->domain);
}

/* Those first whose mail follows their record. */
static void
add_partners(Watch *watch)
{
  g_autoptr(GPtrArray) entries = book_entries(watch->book);
  g_ptr_array_sort(entries, compare_entries);
  for (guint i = 0; i < entries->len; i++) {
    const BookEntry *entry = entries->pdata[i];
    if (conf_organisation_of_author(watch->config, entry->domain) == NULL)
      add_domain(watch, entry->domain, FALSE, TRUE);
  }
}

/* Those of others that policyd saw. */
static gboolean
add_strangers(Watch *watch, GError **error)
{
  g_autoptr(GPtrArray) domains = seen_domains(watch->seen, error);
  if (domains == NULL)
    return FALSE;
  for (guint i = 0; i < domains->len; i++) {
    const SeenDomain *domain = domains->pdata[i];
    if (!domain->ours && conf_organisation_of_author(watch->config, domain->domain) == NULL)
      add_domain(watch, domain->domain, FALSE, FALSE);
  }
  return TRUE;
}

/* ---- Looking once more ---- */

/* Has policyd look at WATCHED anew. FALSE: it cannot be asked at all. That the DNS does not
 * say anything for a while is no finding, and no failure of ours. */
static gboolean
check(Watch *watch, Watched *watched, GError **error)
{
  g_autoptr(GError) reason = NULL;
  gboolean own = FALSE;
  CheckQuestion question = {.domain = watched->domain, .fresh = TRUE};
  watched->lines = ask_check(watch->config->policyd_socket, &question, &own, &reason);
  watch->failures = watched->lines == NULL ? watch->failures + 1 : 0;
  if (watch->failures == MAX_FAILURES) {
    g_propagate_error(error, g_steal_pointer(&reason));
    return FALSE;
  }
  if (watched->lines == NULL) {
    fprintf(stderr, "zegelctl: note: %s could not be checked now: %s\n", watched->domain,
            reason->message);
    watch->incomplete = TRUE;
  }
  return TRUE;
}

/* Of those behind the first MAX_CHECKED it is told what was seen of them. */
static gboolean
check_all(Watch *watch, GError **error)
{
  gint64 end_us = g_get_monotonic_time() + TOTAL_S * G_TIME_SPAN_SECOND;
  guint count = MIN(watch->watched->len, MAX_CHECKED);
  for (guint i = 0; i < count; i++) {
    if (g_get_monotonic_time() > end_us) {
      fprintf(stderr, "zegelctl: note: it took too long: %u domains were not checked\n",
              count - i);
      watch->incomplete = TRUE;
      return TRUE;
    }
    if (!check(watch, watch->watched->pdata[i], error))
      return FALSE;
  }
  return TRUE;
}

/* Whether policyd keeps what it just saw of WATCHED. */
static gboolean
is_kept(const Watched *watched)
{
  if (watched->lines == NULL || check_lines_result(watched->lines) == CHECK_UNKNOWN)
    return FALSE;
  for (guint i = 0; i < watched->lines->len; i++) {
    const CheckLine *line = watched->lines->pdata[i];
    if (strcmp(line->code, "Z-N1-RECORD") == 0 && line->result == CHECK_PASS)
      return TRUE;
  }
  return watched->ours;
}

static gboolean
is_written(Watch *watch, const Watched *watched)
{
  g_autoptr(SeenDomain) state = NULL;
  return seen_domain(watch->seen, watched->domain, watched->ours, &state, NULL) &&
         state != NULL && state->last_s >= watch->start_s;
}

/* policyd writes in batches; what it saw just now must be there first. */
static void
wait_written(Watch *watch)
{
  guint left = WRITE_WAIT_MS / WRITE_LOOK_MS;
  for (guint i = 0; i < watch->watched->len; i++) {
    const Watched *watched = watch->watched->pdata[i];
    if (!is_kept(watched))
      continue;
    while (!is_written(watch, watched) && left > 0) {
      g_usleep(WRITE_LOOK_MS * 1000);
      left--;
    }
    if (left > 0)
      continue;
    fprintf(stderr,
            "zegelctl: note: zegel-policyd does not write what it sees to %s: see "
            "the log\n",
            watch->config->seen_db);
    watch->incomplete = TRUE;
    return;
  }
}

/* ---- Looking ---- */

static gboolean
search(Watch *watch, GError **error)
{
  const FindingRules rules = {.now_s = watch->start_s, .days = (guint) option_days};
  g_autoptr(GHashTable) hosts =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < watch->watched->len; i++) {
    const Watched *watched = watch->watched->pdata[i];
    const FindingSubject subject = {watched->domain, watched->ours, watched->partner,
                                    watched->lines};
    if (!finding_search(watch->seen, &rules, &subject, hosts, watch->findings, error))
      return FALSE;
  }
  return TRUE;
}

/* As policyd's user: its file must stay its own, and strangers are connected to. */
static gboolean
open_seen(Watch *watch, GError **error)
{
  if (!daemon_become(watch->config->policyd_user, error))
    return FALSE;
  umask(0077);
  watch->seen = seen_open_existing(watch->config->seen_db, error);
  return watch->seen != NULL;
}

static void
look_at_book(Watch *watch)
{
  const char *helo =
      *watch->config->hostname != '\0' ? watch->config->hostname : g_get_host_name();
  if (!option_no_connect)
    pin_search(watch->book, helo, watch->findings);
}

/* Everything that is to be said. FALSE with an error: nothing can be. */
static gboolean
look(Watch *watch, GError **error)
{
  g_autoptr(GError) reason = NULL;
  watch->config = command_config(error);
  if (watch->config == NULL)
    return FALSE;
  watch->book = book_load(watch->config->domain_book, error);
  if (watch->book == NULL)
    return FALSE;
  add_ours(watch);
  add_partners(watch);
  if (!check_all(watch, &reason)) {
    fprintf(stderr,
            "zegelctl: note: zegel-policyd cannot be asked (%s): this is what it saw "
            "before\n",
            reason->message);
    watch->incomplete = TRUE;
  }
  if (!open_seen(watch, error))
    return FALSE;
  wait_written(watch);
  if (!add_strangers(watch, error) || !search(watch, error))
    return FALSE;
  look_at_book(watch);
  return TRUE;
}

/* ---- Telling ---- */

/* Whether something of FINDING was not told by HOW; it counts as told from now on when
 * TELL. */
static gboolean
is_new(Watch *watch, SeenTold how, const Finding *finding, gboolean tell)
{
  gboolean fresh = FALSE;
  for (guint i = 0; i < finding->keys->len; i++) {
    gboolean told = TRUE;
    const char *key = finding->keys->pdata[i];
    if (seen_was_told(watch->seen, how, key, &told, NULL))
      fresh = fresh || !told;
    if (tell && !seen_tell(watch->seen, how, key, watch->start_s, NULL))
      watch->incomplete = TRUE;
  }
  return fresh;
}

static const char *
side_of(const Finding *finding)
{
  return finding->ours ? "ours" : "theirs";
}

static char *
time_text(gint64 time_s)
{
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(time_s);
  return g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
}

static void
send_event(const Watch *watch, const Finding *finding)
{
  g_autofree char *since = finding->since_s > 0 ? time_text(finding->since_s) : NULL;
  const Organisation *organisation =
      finding->ours ? conf_organisation_of_author(watch->config, finding->domain) : NULL;
  event_log(EVENT_WATCHED, NULL, organisation != NULL ? organisation->name : NULL, "domain",
            finding->domain, "side", side_of(finding), "reason", finding->code, "host",
            finding->host, "until", finding->until, "since", since, NULL);
}

/* Events once for each thing that changed, whoever looks first. */
static void
send_events(Watch *watch)
{
  for (guint i = 0; i < watch->findings->len; i++) {
    const Finding *finding = watch->findings->pdata[i];
    if (is_new(watch, SEEN_TOLD_EVENT, finding, TRUE))
      send_event(watch, finding);
  }
}

static void
append_finding(GString *out, const Finding *finding)
{
  g_string_append_printf(out, "%s%s (%s)\n%*s", finding->domain,
                         finding->ours ? ", one of our own domains" : "", finding->code,
                         TEXT_COLUMN, "");
  text_wrap(out, TEXT_COLUMN, TEXT_COLUMN, finding->what->str);
  g_string_append_printf(out, "%*s" DO, TEXT_COLUMN, "");
  text_wrap(out, TEXT_COLUMN + strlen(DO), TEXT_COLUMN + strlen(DO), finding->action->str);
}

static void
append_text(GString *out, const GPtrArray *findings)
{
  for (guint i = 0; i < findings->len; i++)
    append_finding(out, findings->pdata[i]);
}

static void
append_json(GString *out, const Watch *watch)
{
  g_string_append(out, "[");
  for (guint i = 0; i < watch->findings->len; i++) {
    const Finding *finding = watch->findings->pdata[i];
    g_autofree char *since = finding->since_s > 0 ? time_text(finding->since_s) : NULL;
    g_string_append(out, i == 0 ? "\n  {" : ",\n  {");
    json_append_pair(out, "domain", finding->domain, TRUE);
    json_append_pair(out, "side", side_of(finding), TRUE);
    json_append_pair(out, "code", finding->code, TRUE);
    json_append_pair(out, "host", finding->host != NULL ? finding->host : "", TRUE);
    json_append_pair(out, "until", finding->until != NULL ? finding->until : "", TRUE);
    json_append_pair(out, "since", since != NULL ? since : "", TRUE);
    json_append_pair(out, "what", finding->what->str, TRUE);
    json_append_pair(out, "action", finding->action->str, FALSE);
    g_string_append_c(out, '}');
  }
  g_string_append(out, watch->findings->len > 0 ? "\n]\n" : "]\n");
}

static void
print(const Watch *watch)
{
  g_autoptr(GString) out = g_string_new(NULL);
  if (option_json) {
    append_json(out, watch);
  } else {
    append_text(out, watch->findings);
    g_string_append_printf(out, "%u domains were looked at, %u findings\n",
                           watch->watched->len, watch->findings->len);
  }
  fputs(out->str, stdout);
}

/* What nobody was told of, into the log as alarms and by mail; what could not be mailed is
 * told again the next time. */
static void
raise_alarm(Watch *watch)
{
  g_autoptr(GString) text = g_string_new(NULL);
  g_autoptr(GError) error = NULL;
  for (guint i = 0; i < watch->findings->len; i++)
    if (is_new(watch, SEEN_TOLD_MAIL, watch->findings->pdata[i], FALSE))
      g_ptr_array_add(watch->fresh, watch->findings->pdata[i]);
  for (guint i = 0; i < watch->fresh->len; i++) {
    const Finding *finding = watch->fresh->pdata[i];
    log_line(LOG_LEVEL_ALARM, "%s (%s): %s", finding->domain, finding->code,
             finding->what->str);
  }
  if (watch->fresh->len == 0)
    return;
  append_text(text, watch->fresh);
  g_string_append(text, "\nzegelctl domain watch says this again, and zegelctl(8) what it "
                        "means.\n");
  if (!alarm_mail_all(watch->config, "zegel: what domains publish ends, or has changed",
                      text->str, &error)) {
    log_line(LOG_LEVEL_ALARM, "domain watch could not be mailed: %s", error->message);
    fprintf(stderr, "zegelctl: it could not be mailed: %s\n", error->message);
    watch->incomplete = TRUE;
    return;
  }
  for (guint i = 0; i < watch->fresh->len; i++)
    is_new(watch, SEEN_TOLD_MAIL, watch->fresh->pdata[i], TRUE);
}

static int
run_watch(int argc, char **argv)
{
  (void) argc;
  (void) argv;
  GError *error = NULL;
  g_auto(Watch) watch;
  watch_init(&watch);
  if (option_days < 1 || option_days > DAYS_MAX) {
    fprintf(stderr, "zegelctl: --days is from 1 to %d\n", DAYS_MAX);
    return EX_USAGE;
  }
  if (!look(&watch, &error))
    return command_fail(error);
  send_events(&watch);
  print(&watch);
  if (option_alarm)
    raise_alarm(&watch);
  return command_done(watch.incomplete          ? EX_TEMPFAIL
                      : watch.findings->len > 0 ? EXIT_FOUND
                                                : EX_OK);
}

static const GOptionEntry watch_options[] = {
    {"days", 0, 0, G_OPTION_ARG_INT, &option_days,
     "What ends in so many days, and what changed in the last ones (60)", "DAYS"},
    {"json", 0, 0, G_OPTION_ARG_NONE, &option_json, "As JSON", NULL},
    {"alarm", 0, 0, G_OPTION_ARG_NONE, &option_alarm,
     "What is new goes to the log as an alarm, and to [audit] mail", NULL},
    {"no-connect", 0, 0, G_OPTION_ARG_NONE, &option_no_connect,
     "Do not connect to servers whose fingerprint the domain book has", NULL},
    G_OPTION_ENTRY_NULL,
};

const Command foresight_commands[] = {
    {{"domain", "watch"},
     0,
     0,
     "[--days DAYS] [--json] [--alarm] [--no-connect]",
     "What domains publish and ends soon, or is not as it was",
     watch_options,
     run_watch},
    {.words = {NULL}},
};
