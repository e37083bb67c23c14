/* Other processes: the SMS adapter and the workers. */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/tap.h"
#include "common/base/child.h"
#include "common/base/error.h"
#include "common/base/signals.h"
#include "viewer-cgi/sms.h"
#include "viewer-cgi/workers.h"

typedef struct {
  char *dir;
  char *script;
  char *output;
} Place;

static void
set_up(Place *place, gconstpointer data)
{
  (void) data;
  place->dir = g_dir_make_tmp("zegel-child-XXXXXX", NULL);
  place->script = g_build_filename(place->dir, "adapter", NULL);
  place->output = g_build_filename(place->dir, "output", NULL);
}

static void
tear_down(Place *place, gconstpointer data)
{
  (void) data;
  g_unlink(place->script);
  g_unlink(place->output);
  g_assert_cmpint(g_rmdir(place->dir), ==, 0);
  g_free(place->script);
  g_free(place->output);
  g_free(place->dir);
}

/* A shell script as adapter; it stands in for no gateway, it tests what we give and take.
 */
static void
write_script(const Place *place, const char *body)
{
  g_autofree char *text =
      g_strdup_printf("#!/bin/sh\noutput=%s\n%s\n", place->output, body);
  g_assert_true(g_file_set_contents_full(place->script, text, -1, G_FILE_SET_CONTENTS_NONE,
                                         0700, NULL));
}

static void
test_sms_input(Place *place, gconstpointer data)
{
  (void) data;
  write_script(place, "{ echo \"$# $(env | cut -d= -f1 | sort | tr '\\n' ' ')\"; "
                      "ls /proc/$$/fd | tr '\\n' ' '; echo; cat; } >$output");
  /* Without close-on-exec, as libfcgi accepts; a number that no shell uses. */
  int leak = fcntl(STDERR_FILENO, F_DUPFD, 77);
  g_assert_cmpint(sms_send(place->script, "+31612345678", "line 1\nline 2", 10), ==,
                  SMS_SENT);
  g_assert_cmpint(leak, >=, 77);
  close(leak);
  g_autofree char *got = NULL;
  g_assert_true(g_file_get_contents(place->output, &got, NULL, NULL));
  g_auto(GStrv) lines = g_strsplit(got, "\n", 0);
  g_assert_true(g_str_has_prefix(lines[0], "0 LC_ALL "));
  g_assert_null(strstr(lines[0], "HOME"));
  g_assert_cmpstr(lines[2], ==, "+31612345678");
  g_assert_cmpstr(lines[3], ==, "line 1");
  g_assert_cmpstr(lines[4], ==, "line 2");
  g_autofree char *leaked = g_strdup_printf(" %d ", leak);
  g_assert_null(strstr(lines[1], leaked));
}

static void
test_sms_results(Place *place, gconstpointer data)
{
  (void) data;
  write_script(place, "cat >/dev/null; exit 75");
  g_assert_cmpint(sms_send(place->script, "+31612345678", "x", 10), ==, SMS_FAILED);
  write_script(place, "cat >/dev/null; kill -9 $$");
  g_assert_cmpint(sms_send(place->script, "+31612345678", "x", 10), ==, SMS_FAILED);
  g_assert_cmpint(sms_send("/nonexistent", "+31612345678", "x", 10), ==, SMS_FAILED);
}

/* An adapter that hangs costs its time and no more, and takes its children with it. */
static void
test_sms_hangs(Place *place, gconstpointer data)
{
  (void) data;
  write_script(place, "cat >/dev/null; sleep 60 & echo $! >$output; wait");
  gint64 start = g_get_monotonic_time();
  g_assert_cmpint(sms_send(place->script, "+31612345678", "x", 3), ==, SMS_UNKNOWN);
  g_assert_cmpint(g_get_monotonic_time() - start, <, 20 * G_USEC_PER_SEC);
  g_autofree char *pid_text = NULL;
  guint64 pid = 0;
  g_assert_true(g_file_get_contents(place->output, &pid_text, NULL, NULL));
  g_strchomp(pid_text);
  g_assert_true(g_ascii_string_to_unsigned(pid_text, 10, 2, G_MAXINT, &pid, NULL));
  /* It was killed; until init has buried it, kill(2) still finds a zombie. */
  for (guint i = 0; i < 500 && kill((pid_t) pid, 0) == 0; i++) {
    g_autofree char *path = g_strdup_printf("/proc/%" G_GUINT64_FORMAT "/stat", pid);
    g_autofree char *stat = NULL;
    if (!g_file_get_contents(path, &stat, NULL, NULL) || strstr(stat, ") Z ") != NULL)
      return;
    g_usleep(20000);
  }
  g_assert_cmpint(kill((pid_t) pid, 0), ==, -1);
}

/* The worker of the test: writes one byte into the pipe DATA, then lives until it is told.
 */
static int
worker(gpointer data, int life_fd)
{
  const int *pipe_fds = data;
  char byte = 0;
  if (write(pipe_fds[1], "w", 1) != 1)
    return 1;
  return (int) read(life_fd, &byte, 1);
}

static volatile sig_atomic_t told;

static void
on_term(int signal_number)
{
  (void) signal_number;
  told = 1;
}

/* Writes another byte when it is told to end, a moment later. */
static int
worker_that_finishes(gpointer data, int life_fd)
{
  const struct sigaction action = {.sa_handler = on_term};
  const int *pipe_fds = data;
  (void) life_fd;
  sigaction(SIGTERM, &action, NULL);
  if (write(pipe_fds[1], "w", 1) != 1)
    return 1;
  while (!told)
    g_usleep(5000);
  g_usleep(100000);
  return write(pipe_fds[1], "e", 1) == 1 ? 0 : 1;
}

static int
worker_that_dies(gpointer data, int life_fd)
{
  const int *pipe_fds = data;
  (void) life_fd;
  return write(pipe_fds[1], "w", 1) == 1 ? 7 : 1;
}

/* From two on, one fewer each time; then it is refused. */
static gboolean
reload_two(gpointer data, guint *count, GError **error)
{
  static guint next = 2;
  (void) data;
  *count = next;
  if (next == 0)
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "not one more");
  return next-- > 0;
}

static pid_t
start_master(WorkerFunc function, int *pipe_fds)
{
  pid_t pid = fork();
  g_assert_cmpint(pid, >=, 0);
  if (pid == 0) {
    close(pipe_fds[0]);
    const WorkersUse use = {.count = 3,
                            .worker = function,
                            .data = pipe_fds,
                            .reload = reload_two,
                            .signals = signals_catch(NULL)};
    _exit(workers_run(&use, NULL) ? 0 : 1);
  }
  return pid;
}

static guint
count_starts(int fd, guint wanted, gint64 limit_us)
{
  guint count = 0;
  char byte = 0;
  gint64 end = g_get_monotonic_time() + limit_us;
  fcntl(fd, F_SETFL, O_NONBLOCK);
  while (count < wanted && g_get_monotonic_time() < end) {
    if (read(fd, &byte, 1) == 1)
      count++;
    else
      g_usleep(5000);
  }
  return count;
}

static void
test_workers_drain(void)
{
  int pipe_fds[2];
  g_assert_cmpint(pipe(pipe_fds), ==, 0);
  pid_t master = start_master(worker, pipe_fds);
  g_assert_cmpuint(count_starts(pipe_fds[0], 3, 5 * G_USEC_PER_SEC), ==, 3);
  int status = -1;
  gint64 start = g_get_monotonic_time();
  kill(master, SIGTERM);
  g_assert_cmpint(waitpid(master, &status, 0), ==, master);
  g_assert_cmpint(g_get_monotonic_time() - start, <, 5 * G_USEC_PER_SEC);
  g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  close(pipe_fds[1]);
  char byte;
  fcntl(pipe_fds[0], F_SETFL, 0);
  g_assert_cmpint(read(pipe_fds[0], &byte, 1), ==, 0); /* no worker holds it any more */
  close(pipe_fds[0]);
}

/* After SIGHUP others take the places of those that were, who finish first; a reload that
 * is refused changes nothing. */
static void
test_workers_reload(void)
{
  int pipe_fds[2];
  g_assert_cmpint(pipe(pipe_fds), ==, 0);
  pid_t master = start_master(worker_that_finishes, pipe_fds);
  g_assert_cmpuint(count_starts(pipe_fds[0], 3, 5 * G_USEC_PER_SEC), ==, 3);
  g_usleep(200000); /* until they wait for the signal */
  kill(master, SIGHUP);
  g_assert_cmpuint(count_starts(pipe_fds[0], 5, 5 * G_USEC_PER_SEC), ==, 5); /* 2, 3 ends */
  g_usleep(200000);
  kill(master, SIGHUP);
  g_assert_cmpuint(count_starts(pipe_fds[0], 3, 5 * G_USEC_PER_SEC), ==, 3); /* 1, 2 ends */
  kill(master, SIGHUP);
  g_assert_cmpuint(count_starts(pipe_fds[0], 1, 1500000), ==, 0);
  kill(master, SIGTERM);
  int status = -1;
  g_assert_cmpint(waitpid(master, &status, 0), ==, master);
  g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  close(pipe_fds[0]);
  close(pipe_fds[1]);
}

/* Workers that die at once come back, but not in a storm (F7). */
static void
test_workers_restart(void)
{
  int pipe_fds[2];
  g_assert_cmpint(pipe(pipe_fds), ==, 0);
  pid_t master = start_master(worker_that_dies, pipe_fds);
  guint starts = count_starts(pipe_fds[0], 1000, 2500000);
  g_assert_cmpuint(starts, >=, 6);
  g_assert_cmpuint(starts, <=, 12);
  kill(master, SIGTERM);
  g_assert_cmpint(waitpid(master, NULL, 0), ==, master);
  close(pipe_fds[0]);
  close(pipe_fds[1]);
}

/* A master that is killed leaves no workers behind. */
static void
test_workers_orphans(void)
{
  int pipe_fds[2];
  g_assert_cmpint(pipe(pipe_fds), ==, 0);
  pid_t master = start_master(worker, pipe_fds);
  g_assert_cmpuint(count_starts(pipe_fds[0], 3, 5 * G_USEC_PER_SEC), ==, 3);
  kill(master, SIGKILL);
  g_assert_cmpint(waitpid(master, NULL, 0), ==, master);
  close(pipe_fds[1]);
  char byte;
  fcntl(pipe_fds[0], F_SETFL, 0);
  g_assert_cmpint(read(pipe_fds[0], &byte, 1), ==, 0);
  close(pipe_fds[0]);
}

int
main(int argc, char **argv)
{
  const struct sigaction ignore = {.sa_handler = SIG_IGN};
  tap_init(argc, argv);
  sigaction(SIGPIPE, &ignore, NULL);
  g_test_add("/viewer/sms/input", Place, NULL, set_up, test_sms_input, tear_down);
  g_test_add("/viewer/sms/results", Place, NULL, set_up, test_sms_results, tear_down);
  g_test_add("/viewer/sms/hangs", Place, NULL, set_up, test_sms_hangs, tear_down);
  g_test_add_func("/viewer/workers/drain", test_workers_drain);
  g_test_add_func("/viewer/workers/reload", test_workers_reload);
  g_test_add_func("/viewer/workers/restart", test_workers_restart);
  g_test_add_func("/viewer/workers/orphans", test_workers_orphans);
  return g_test_run();
}
