/* The system's log: lines as its daemon reads them, and nobody waits for one that is stuck.
 */
#include "common/base/syslog.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "tests/unit/tap.h"

#define LINES     5000
#define PATIENT_S 5 /* of all LINES; one that waited for ever would take longer */
#define BUSY_US   (SYSLOG_WAIT_MS * 1000 / 4)

/* A crowd before the daemon: as many who send always, what the daemon needs for a line, how
 * many lines of ours, and how much patience comes back before each. */
#define SENDERS    8
#define PACE_US    100
#define AMONG_MANY 30
#define TURN_US    2000

static char *directory, *path;

static int
listen_at(const char *at)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  g_strlcpy(address.sun_path, at, sizeof address.sun_path);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint(bind(fd, (const struct sockaddr *) &address, sizeof address), ==, 0);
  return fd;
}

static char *
next_line(int fd)
{
  char *line = g_malloc0(65536);
  g_assert_cmpint(recv(fd, line, 65535, MSG_DONTWAIT), >=, 0);
  return line;
}

static void
test_forms(void)
{
  int fd = listen_at(path);
  syslog_start(path, "zegel-test");
  syslog_send(LOG_INFO, "stored", "[a@1 b=\"c\"]", "hello");
  g_autofree char *bsd = next_line(fd);
  g_assert_true(g_regex_match_simple(
      "^<22>[A-Z][a-z]{2} [ 123][0-9] [0-9:]{8} zegel-test\\[[0-9]+\\]: hello$", bsd, 0,
      0));
  syslog_set_form(SYSLOG_5424);
  syslog_send(LOG_CRIT, "stored", "[a@1 b=\"c\"]", "hello");
  syslog_send(LOG_CRIT, NULL, NULL, "hello");
  syslog_set_form(SYSLOG_BSD);
  g_autofree char *with = next_line(fd);
  g_autofree char *without = next_line(fd);
  const char *head = "^<18>1 [0-9-]{10}T[0-9:]{8}\\.[0-9]{6}Z \\S+ zegel-test [0-9]+ ";
  g_autofree char *with_regex = g_strconcat(head, "stored \\[a@1 b=\"c\"\\] hello$", NULL);
  g_autofree char *without_regex = g_strconcat(head, "- - hello$", NULL);
  g_assert_true(g_regex_match_simple(with_regex, with, 0, 0));
  g_assert_true(g_regex_match_simple(without_regex, without, 0, 0));
  close(fd);
  g_assert_cmpint(unlink(path), ==, 0);
}

typedef struct {
  int fd;
  gint over; /* atomic */
} Crowd;

/* One of those whose lines wait in the kernel: the daemon's place is theirs at once. */
static gpointer
send_always(gpointer data)
{
  Crowd *crowd = data;
  while (!g_atomic_int_get(&crowd->over))
    send(crowd->fd, "filler", sizeof "filler", MSG_NOSIGNAL);
  return NULL;
}

static gpointer
read_slowly(gpointer data)
{
  const int *fd = data;
  char line[256] = "";
  guint ours = 0;
  while (recv(*fd, line, sizeof line - 1, 0) >= 0 && strstr(line, "the end") == NULL) {
    ours += strstr(line, "among many") != NULL;
    g_usleep(PACE_US);
  }
  return GUINT_TO_POINTER(ours);
}

/* Who finds the place taken again that was free when he woke waits on: a line is lost only
 * when there is no patience left. */
static void
test_crowd(void)
{
  int fd = listen_at(path);
  Crowd crowd = {.fd = socket(AF_UNIX, SOCK_DGRAM, 0)};
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  g_strlcpy(address.sun_path, path, sizeof address.sun_path);
  g_assert_cmpint(connect(crowd.fd, (const struct sockaddr *) &address, sizeof address), ==,
                  0);
  GThread *senders[SENDERS];
  for (guint i = 0; i < SENDERS; i++)
    senders[i] = g_thread_new("sender", send_always, &crowd);
  GThread *reader = g_thread_new("reader", read_slowly, &fd);
  syslog_start(path, "zegel-test");
  gint64 waited_us = 0;
  for (guint i = 0; i < AMONG_MANY; i++) {
    g_usleep(SYSLOG_WAIT_SHARE * TURN_US);
    gint64 begin_us = g_get_monotonic_time();
    syslog_send(LOG_INFO, NULL, NULL, "among many");
    waited_us += g_get_monotonic_time() - begin_us;
  }
  g_atomic_int_set(&crowd.over, 1);
  for (guint i = 0; i < SENDERS; i++)
    g_thread_join(senders[i]);
  send(crowd.fd, "the end", sizeof "the end", MSG_NOSIGNAL);
  guint ours = GPOINTER_TO_UINT(g_thread_join(reader));
  if (waited_us < SYSLOG_WAIT_MS * G_TIME_SPAN_MILLISECOND / 2)
    g_assert_cmpuint(ours, ==, AMONG_MANY);
  else
    g_test_message("%u of %u lines in %" G_GINT64_FORMAT " us", ours, AMONG_MANY,
                   waited_us);
  close(crowd.fd);
  close(fd);
  g_assert_cmpint(unlink(path), ==, 0);
}

static void
test_stuck(void)
{
  int fd = listen_at(path);
  gint64 begin_us = g_get_monotonic_time();
  for (guint i = 0; i < LINES; i++)
    syslog_send(LOG_INFO, NULL, NULL, "nobody reads this");
  g_assert_cmpint(g_get_monotonic_time() - begin_us, <, PATIENT_S * G_USEC_PER_SEC);

  guint taken = 0;
  char line[256];
  while (recv(fd, line, sizeof line, MSG_DONTWAIT) >= 0)
    taken++;
  g_assert_cmpuint(taken, <, LINES);
  syslog_send(LOG_INFO, NULL, NULL, "now somebody does");
  g_autofree char *said = next_line(fd);
  g_autofree char *lost = next_line(fd);
  g_autofree char *count = g_strdup_printf(": %u lines were lost", LINES - taken);
  g_assert_nonnull(strstr(said, "now somebody does"));
  g_assert_nonnull(strstr(lost, count));
  close(fd);
  g_assert_cmpint(unlink(path), ==, 0);
}

static gpointer
read_late(gpointer data)
{
  char line[256] = "";
  g_usleep(BUSY_US);
  while (recv(*(const int *) data, line, sizeof line - 1, MSG_DONTWAIT) >= 0 &&
         strstr(line, "filler") != NULL)
    continue;
  return NULL;
}

/* A daemon that is busy for a moment loses nothing. */
static void
test_busy(void)
{
  int fd = listen_at(path), full = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  g_strlcpy(address.sun_path, path, sizeof address.sun_path);
  g_assert_cmpint(connect(full, (const struct sockaddr *) &address, sizeof address), ==, 0);
  while (send(full, "filler", sizeof "filler", MSG_NOSIGNAL) >= 0)
    continue;
  g_usleep(2 * SYSLOG_WAIT_SHARE * BUSY_US); /* patience that other tests used comes back */
  syslog_start(path, "zegel-test");
  GThread *reader = g_thread_new("reader", read_late, &fd);
  syslog_send(LOG_INFO, NULL, NULL, "waited for");
  g_thread_join(reader);
  syslog_send(LOG_INFO, NULL, NULL, "none was lost");
  g_autofree char *line = next_line(fd);
  while (strstr(line, "none was lost") == NULL && strstr(line, "were lost") == NULL) {
    g_free(line);
    line = next_line(fd);
  }
  g_assert_null(strstr(line, "were lost"));
  g_assert_cmpint(recv(fd, line, 256, MSG_DONTWAIT), <, 0); /* no line about lost ones */
  close(full);
  close(fd);
  g_assert_cmpint(unlink(path), ==, 0);
}

/* The daemon may come later than we, and be started again. */
static void
test_absent(void)
{
  syslog_send(LOG_INFO, NULL, NULL, "lost");
  for (int i = 0; i < 2; i++) {
    int fd = listen_at(path);
    syslog_send(LOG_INFO, NULL, NULL, "back");
    g_autofree char *line = next_line(fd);
    g_assert_nonnull(strstr(line, "back"));
    close(fd);
    g_assert_cmpint(unlink(path), ==, 0);
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_set_nonfatal_assertions();
  directory = g_dir_make_tmp("test-syslog-XXXXXX", NULL);
  path = g_build_filename(directory, "log", NULL);
  g_test_add_func("/syslog/A3-forms", test_forms);
  g_test_add_func("/syslog/A3-crowd", test_crowd); /* while patience is whole */
  g_test_add_func("/syslog/A3-stuck", test_stuck);
  g_test_add_func("/syslog/A3-busy", test_busy);
  g_test_add_func("/syslog/absent", test_absent);
  int status = g_test_run();
  rmdir(directory);
  g_free(path);
  g_free(directory);
  return status;
}
