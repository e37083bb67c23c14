/*
 * watch.c - zegelctl watch: whether the flow of mail is as the rules expect (M3).
 *
 * A timer runs it every quarter of an hour. What is expected is expect.c's, and when; here
 * the events are read, and alarms given: to the log and the trail, by mail, to a command.
 * Each is given once for a rule, a day and a domain. No message and no person is shown, so
 * that looking is no event of its own: else the trail would have 96 of them a day.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/base/child.h"
#include "common/base/error.h"
#include "common/base/event.h"
#include "common/base/log.h"
#include "zegelctl/alarm.h"
#include "zegelctl/command.h"
#include "zegelctl/events.h"
#include "zegelctl/expect.h"
#include "zegelctl/given.h"

#define DATE_BYTES sizeof "9999-12-31"
#define TO_LOG     "log"
#define TO_COMMAND "command"

static gboolean option_dry_run;

/* One run. */
typedef struct {
  Config *config;
  Events *events;
  Given *given;
  gint64 now_us;
  guint alarms;
  gboolean failed; /* something could not be looked at, or nobody be told */
} Watch;

static void
watch_clear(Watch *watch)
{
  given_free(watch->given);
  events_close(watch->events);
  if (watch->config != NULL)
    conf_free(watch->config);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Watch, watch_clear)

/* One alarm on its way. */
typedef struct {
  Watch *watch;
  const Rule *rule;
  const Alarm *alarm;
  const char *day;
  const char *text;
} Telling;

/* ---- Telling ---- */

static void
tell_log(const Telling *telling)
{
  const Alarm *alarm = telling->alarm;
  const Rule *rule = telling->rule;
  g_autofree char *count = g_strdup_printf("%u", alarm->count);
  g_autofree char *limit = g_strdup_printf("%u", alarm->limit);
  g_autofree char *percent =
      rule->fewer_than == 0 ? g_strdup_printf("%u", alarm->percent) : NULL;
  event_log(EVENT_FLOW, NULL, rule->organisation, "rule", rule->name, "day", telling->day,
            "domain", strcmp(alarm->domain, EXPECT_ANY) != 0 ? alarm->domain : NULL,
            "count", count, "limit", limit, "percent", percent, NULL);
  log_line(LOG_LEVEL_ALARM, "the flow of mail is not as [rule %s] expects: %u, limit %u",
           rule->name, alarm->count, alarm->limit);
}

static gboolean
tell_mail(const Telling *telling, const char *to, GError **error)
{
  const Config *config = telling->watch->config;
  const Organisation *organisation = conf_organisation(config, telling->rule->organisation);
  g_autofree char *subject =
      g_strdup_printf("zegel: [rule %s] %s", telling->rule->name, telling->day);
  return alarm_mail(config, organisation, to, subject, telling->text, error);
}

/* The text fits in the pipe, so that one write is enough. */
static gboolean
tell_command(const Telling *telling, GError **error)
{
  const Rule *rule = telling->rule;
  const char *const argv[] = {rule->command, rule->name, NULL};
  const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
                                     NULL};
  gint64 deadline_us = g_get_monotonic_time() +
                       (gint64) telling->watch->config->watch_timeout_s * G_USEC_PER_SEC;
  gsize len = strlen(telling->text);
  Child child;
  if (!child_start(&child, argv, environment, FALSE, error))
    return FALSE;
  gboolean written = write(child.in, telling->text, len) == (gssize) len;
  child_close_input(&child);
  int status = -1;
  ChildState state = child_wait(&child, deadline_us, &status);
  child_end(&child);
  if (state == CHILD_EXITED && status == EX_OK && (written || errno == EPIPE))
    return TRUE;
  return command_error(
      error, ZEGEL_ERROR_TEMPORARY, "%s: %s (exit status %d)", rule->command,
      state == CHILD_RUNNING ? "it did not end in time" : "it failed", status);
}

static gboolean
tell_one(const Telling *telling, const char *to, GError **error)
{
  if (strcmp(to, TO_LOG) == 0)
    tell_log(telling);
  else if (strcmp(to, TO_COMMAND) == 0)
    return tell_command(telling, error);
  else
    return tell_mail(telling, to, error);
  return TRUE;
}

/* Tells TO, unless that was done. What fails is tried again at the next run of this day. */
static void
tell(const Telling *telling, const char *to)
{
  Watch *watch = telling->watch;
  const char *rule = telling->rule->name, *domain = telling->alarm->domain;
  g_autoptr(GError) error = NULL;
  if (given_has(watch->given, telling->day, rule, domain, to))
    return;
  if (option_dry_run) {
    printf("to %s:\n%s\n", to, telling->text);
    return;
  }
  if (tell_one(telling, to, &error) &&
      given_add(watch->given, telling->day, rule, domain, to, &error))
    return;
  watch->failed = TRUE;
  fprintf(stderr, "zegelctl: [rule %s], %s: %s\n", rule, to, error->message);
  log_line(LOG_LEVEL_ALARM, "the alarm of [rule %s] did not get to %s: %s", rule, to,
           error->message);
}

static void
give(Watch *watch, const Rule *rule, const Alarm *alarm, const char *day)
{
  g_autofree char *text = expect_text(rule, alarm, day);
  const Telling telling = {watch, rule, alarm, day, text};
  watch->alarms++;
  tell(&telling, TO_LOG);
  for (char **address = rule->mail; *address != NULL; address++)
    tell(&telling, *address);
  if (*rule->command != '\0')
    tell(&telling, TO_COMMAND);
}

/* ---- Looking ---- */

static void
take_event(const Attrs *attrs, gint64 at_us, gpointer expect)
{
  expect_add(expect, attrs, at_us);
}

static gboolean
judge(Watch *watch, const Rule *rule, const GDate *day, GError **error)
{
  gint64 from_us, until_us;
  char text[DATE_BYTES];
  if (!expect_due(watch->config, rule, day, watch->now_us, &from_us, &until_us))
    return TRUE;
  g_autoptr(Expect) expect = expect_new(rule, from_us, until_us);
  if (!events_each(watch->events, rule->organisation, expect_event(rule),
                   from_us - expect_memory_us(rule), until_us, take_event, expect, error))
    return FALSE;
  g_autoptr(GPtrArray) alarms = expect_alarms(expect);
  g_date_strftime(text, sizeof text, "%Y-%m-%d", day);
  for (guint i = 0; i < alarms->len; i++)
    give(watch, rule, alarms->pdata[i], text);
  return TRUE;
}

/* RULE for today, and for the day before when that has just ended. */
static void
look(Watch *watch, const Rule *rule, const GDate *today)
{
  g_autoptr(GError) error = NULL;
  GDate yesterday = *today;
  g_date_subtract_days(&yesterday, 1);
  if (judge(watch, rule, &yesterday, &error) && judge(watch, rule, today, &error))
    return;
  watch->failed = TRUE;
  fprintf(stderr, "zegelctl: [rule %s]: %s\n", rule->name, error->message);
  log_line(LOG_LEVEL_ALARM, "[rule %s] cannot be looked at: %s", rule->name,
           error->message);
}

static gboolean
run_rules(Watch *watch, GError **error)
{
  GDate today;
  watch->config = command_config(error);
  if (watch->config == NULL)
    return FALSE;
  watch->now_us = g_get_real_time();
  g_date_clear(&today, 1);
  g_date_set_time_t(&today, (time_t) (watch->now_us / G_USEC_PER_SEC));
  if (watch->config->rules->len == 0)
    return TRUE;
  watch->given = given_load(watch->config->watch_state, &today, error);
  watch->events = watch->given != NULL ? events_open(watch->config, error) : NULL;
  if (watch->events == NULL)
    return FALSE;
  for (guint i = 0; i < watch->config->rules->len; i++)
    look(watch, watch->config->rules->pdata[i], &today);
  return TRUE;
}

static int
run_watch(int argc, char **argv)
{
  GError *error = NULL;
  g_auto(Watch) watch = {.alarms = 0};
  (void) argc;
  (void) argv;
  signal(SIGPIPE, SIG_IGN); /* a command need not read what it is told */
  if (!run_rules(&watch, &error)) {
    log_line(LOG_LEVEL_ALARM, "the flow of mail is not watched: %s", error->message);
    return command_fail(error);
  }
  if (option_dry_run)
    printf("%u rules, %u alarms\n", watch.config->rules->len, watch.alarms);
  return command_done(watch.failed ? EX_TEMPFAIL : EX_OK);
}

static const GOptionEntry watch_options[] = {
    {"dry-run", 0, 0, G_OPTION_ARG_NONE, &option_dry_run,
     "Print what would be said, and to whom; tell nobody", NULL},
    G_OPTION_ENTRY_NULL,
};

const Command watch_commands[] = {
    {{"watch", NULL},
     0,
     0,
     "[--dry-run]",
     "Look whether the flow of mail is as the rules of zegel.conf expect",
     watch_options,
     run_watch},
    {.words = {NULL}},
};
