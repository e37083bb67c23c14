/* Signals, and the statistics line that one of them asks for. */
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/event.h"
#include "common/base/log.h"
#include "common/base/signals.h"
#include "common/base/statistics.h"
#include "tests/unit/base/catch.h"
#include "tests/unit/tap.h"

#define CHILDREN 4
#define TURNS    1000

typedef struct {
  guint reloads, stops;
  gboolean refuse;
} Calls;

static gboolean
reload(gpointer data, GError **error)
{
  Calls *calls = data;
  calls->reloads++;
  if (calls->refuse)
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "zegel.conf:7: oops");
  return !calls->refuse;
}

static void
stop(gpointer data)
{
  Calls *calls = data;
  calls->stops++;
}

static const SignalUse use = {.reload = reload, .stop = stop};

/* What stands behind NAME in LINE, or -1. */
static gint64
value_of(const char *line, const char *name)
{
  guint64 value = 0;
  g_autofree char *key = g_strdup_printf(", %s=", name);
  const char *at = strstr(line, key);
  if (at == NULL)
    return -1;
  g_autofree char *digits =
      g_strndup(at + strlen(key), strspn(at + strlen(key), "0123456789"));
  g_assert_true(g_ascii_string_to_unsigned(digits, 10, 0, G_MAXINT, &value, NULL));
  return (gint64) value;
}

/* Sends SIGNAL_NUMBER to ourselves and returns what was logged of it. */
static char *
send_signal(int fd, int signal_number, Calls *calls)
{
  struct pollfd ready = {.fd = fd, .events = POLLIN};
  kill(getpid(), signal_number);
  g_assert_cmpint(poll(&ready, 1, 5000), ==, 1);
  catch_begin();
  signals_take(fd, &use, calls);
  return catch_end();
}

static void
test_signals(gconstpointer data)
{
  int fd = GPOINTER_TO_INT(data);
  Calls calls = {0};
  g_autofree char *read = send_signal(fd, SIGHUP, &calls);
  g_assert_nonnull(strstr(read, "the configuration was read again"));
  calls.refuse = TRUE;
  g_autofree char *refused = send_signal(fd, SIGHUP, &calls);
  g_assert_nonnull(strstr(refused, "stay as they were: zegel.conf:7: oops"));
  g_assert_cmpuint(calls.reloads, ==, 2);
  g_assert_cmpuint(calls.stops, ==, 0);
  g_free(send_signal(fd, SIGTERM, &calls));
  g_free(send_signal(fd, SIGINT, &calls));
  g_assert_cmpuint(calls.stops, ==, 2);
  g_autofree char *line = send_signal(fd, SIGUSR1, &calls);
  g_assert_true(g_str_has_prefix(line, "statistics: age=0, version="));
  g_assert_cmpint(value_of(line, "reloads"), ==, 1);
  g_assert_cmpint(value_of(line, "reloads-refused"), ==, 1);
  g_assert_cmpint(value_of(line, "alarms"), ==, 1);
  g_assert_cmpuint(calls.reloads, ==, 2);
  catch_begin();
  signals_take(fd, &use, &calls);
  g_autofree char *nothing = catch_end();
  g_assert_cmpstr(nothing, ==, "");
}

static gboolean
reload_in_a_storm(gpointer data, GError **error)
{
  (void) error;
  kill(getpid(), SIGHUP);
  ((Calls *) data)->reloads++;
  return TRUE;
}

/* Who sends signals faster than they are followed keeps nobody from ending. */
static void
test_storm(gconstpointer data)
{
  static const SignalUse storm = {.reload = reload_in_a_storm, .stop = stop};
  int fd = GPOINTER_TO_INT(data);
  Calls calls = {0};
  catch_begin();
  kill(getpid(), SIGHUP);
  signals_take(fd, &storm, &calls);
  g_assert_cmpuint(calls.reloads, ==, 1);
  kill(getpid(), SIGTERM);
  signals_take(fd, &storm, &calls); /* HUP has come as well */
  g_free(catch_end());
  g_assert_cmpuint(calls.reloads, ==, 1);
  g_assert_cmpuint(calls.stops, ==, 1);
}

/* What is ignored does not end us. */
static void
test_ignored(void)
{
  kill(getpid(), SIGPIPE);
  kill(getpid(), SIGUSR2);
}

/* A child that was told to leave them: HUP and USR1 mean nothing, TERM ends it. */
static void
test_child(void)
{
  int status = 0;
  pid_t child = fork();
  g_assert_cmpint(child, >=, 0);
  if (child == 0) {
    signals_leave();
    kill(getpid(), SIGHUP);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGTERM);
    _exit(3);
  }
  g_assert_cmpint(waitpid(child, &status, 0), ==, child);
  g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void
test_events(void)
{
  catch_begin();
  event_log(EVENT_REFUSED, NULL, "own", "code", "Z-S9-MANY", NULL);
  event_log(EVENT_ROUTED, NULL, "own", "code", "Z-S1-WORD", "route", "viewer", NULL);
  event_log(EVENT_ROUTED, NULL, "own", "code", "Z-S1-WORD", "route", "direct", NULL);
  log_line(LOG_LEVEL_WARNING, "look");
  g_free(catch_end());
  g_autofree char *line = statistics_line();
  g_assert_cmpint(value_of(line, "event.refused"), ==, 1);
  g_assert_cmpint(value_of(line, "event.routed"), ==, 2);
  g_assert_cmpint(value_of(line, "event.stored"), ==, -1);
  g_assert_cmpint(value_of(line, "code.Z-S1-WORD"), ==, 2);
  g_assert_cmpint(value_of(line, "code.Z-S9-MANY"), ==, 1);
  g_assert_cmpint(value_of(line, "route.viewer"), ==, 1);
  g_assert_cmpint(value_of(line, "route.direct"), ==, 1);
  g_assert_cmpint(value_of(line, "warnings"), ==, 1);
}

/* Processes count together, also when one of them is killed in the middle. */
static void
test_processes(void)
{
  pid_t children[CHILDREN + 1];
  for (guint i = 0; i <= CHILDREN; i++) {
    children[i] = fork();
    g_assert_cmpint(children[i], >=, 0);
    for (guint turn = 0; children[i] == 0 && (turn < TURNS || i == CHILDREN); turn++) {
      statistics_count(i < CHILDREN ? STATISTIC_SESSIONS : STATISTIC_WARNINGS);
      statistics_count_value(i < CHILDREN ? "shared" : "endless", "x");
    }
    if (children[i] == 0)
      _exit(0);
  }
  for (gint64 count = 0; count <= 0;) {
    g_autofree char *line = statistics_line();
    count = value_of(line, "endless.x");
  }
  kill(children[CHILDREN], SIGKILL);
  for (guint i = 0; i <= CHILDREN; i++)
    g_assert_cmpint(waitpid(children[i], NULL, 0), ==, children[i]);
  g_autofree char *line = statistics_line();
  g_assert_cmpint(value_of(line, "sessions"), ==, CHILDREN * TURNS);
  g_assert_cmpint(value_of(line, "shared.x"), ==, CHILDREN * TURNS);
  g_assert_cmpint(value_of(line, "endless.x"), >, 0);
}

/* More names than there is room for are counted together; a long one is cut, not lost. */
static void
test_many(void)
{
  g_autofree char *name = g_strnfill(200, 'n');
  statistics_count_value("long", name);
  statistics_count_value("long", name);
  statistics_count_value("nothing", NULL);
  for (guint i = 0; i < 2 * STATISTICS_NAMES_MAX; i++) {
    g_autofree char *number = g_strdup_printf("%u", i);
    statistics_count_value("many", number);
  }
  g_autofree char *line = statistics_line();
  g_assert_cmpint(value_of(line, "many.0"), ==, 1);
  g_assert_cmpint(value_of(line, "other"), >, STATISTICS_NAMES_MAX);
  g_autofree char *cut = g_strndup(name, STATISTICS_NAME_BYTES - strlen("long.") - 1);
  g_autofree char *shown = g_strconcat("long.", cut, NULL);
  g_assert_cmpint(value_of(line, shown), ==, 2);
  g_assert_null(strstr(line, "nothing"));
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  log_open("test", TRUE);
  g_assert_null(statistics_line());
  statistics_count(STATISTIC_SESSIONS);
  statistics_count_value("early", "x");
  statistics_open();
  int fd = signals_catch(NULL);
  g_assert_cmpint(fd, >=, 0);
  g_test_add_data_func("/base/signals/taken", GINT_TO_POINTER(fd), test_signals);
  g_test_add_data_func("/base/signals/storm", GINT_TO_POINTER(fd), test_storm);
  g_test_add_func("/base/signals/ignored", test_ignored);
  g_test_add_func("/base/signals/child", test_child);
  g_test_add_func("/base/statistics/events", test_events);
  g_test_add_func("/base/statistics/processes", test_processes);
  g_test_add_func("/base/statistics/many", test_many);
  return g_test_run();
}
