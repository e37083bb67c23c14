/*
 * The peers of zegel-auditd, in a loop in a thread of its own. The answer to a block is its
 * first line, with many more octets when that is "much"; "drop" cuts the peer off.
 */
#include "auditd/peers.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "common/base/attr.h"
#include "common/base/daemon.h"
#include "tests/unit/tap.h"

#define WAIT_MS    3000
#define MUCH_BYTES 4096
#define MANY       1000
#define LATE       200
#define QUESTION   "much=\n\n"

typedef struct {
  char *directory, *path;
  int listener, stop;
  Loop *loop;
  Peers *peers;
  GThread *thread;
  _Atomic gboolean nobody; /* nobody may come */
  _Atomic guint taken;
} Fixture;

/* ---- The server ---- */

static const char *
name_of(gpointer data, uid_t user)
{
  const Fixture *f = data;
  g_assert_cmpuint(user, ==, getuid());
  return f->nobody ? NULL : "tester";
}

static void
flush(gpointer data)
{
  peers_flush(((Fixture *) data)->peers);
}

static void
take(gpointer data, guint64 peer, const char *name, const char *block, gsize len)
{
  Fixture *f = data;
  g_assert_cmpstr(name, ==, "tester");
  g_assert_cmpuint(attrs_block_length(block, len), ==, len);
  f->taken++;
  if (g_str_has_prefix(block, "drop")) {
    peers_drop(f->peers, peer);
    return;
  }
  g_autofree char *text = g_str_has_prefix(block, "much")
                              ? g_strnfill(MUCH_BYTES, 'x')
                              : g_strndup(block, strcspn(block, "\n") + 1);
  peers_answer(f->peers, peer, text);
  loop_timer(f->loop, 0, flush, f);
}

static void
on_stop(gpointer data, guint32 events)
{
  (void) events;
  loop_stop(((Fixture *) data)->loop);
}

static gpointer
run(gpointer data)
{
  Fixture *f = data;
  LoopWatch *watch = loop_watch(f->loop, f->stop, EPOLLIN, on_stop, f, NULL);
  g_assert_nonnull(watch);
  g_assert_true(loop_run(f->loop, NULL));
  return NULL;
}

static void
set_up(Fixture *f, gconstpointer data)
{
  static const PeersUse use = {.name = name_of, .block = take};
  (void) data;
  g_autoptr(GError) error = NULL;
  f->directory = g_dir_make_tmp("zegel-XXXXXX", NULL);
  f->path = g_build_filename(f->directory, "sock", NULL);
  f->listener = daemon_listen_unix(f->path, 0600, NULL, &error);
  g_assert_no_error(error);
  f->stop = eventfd(0, EFD_CLOEXEC);
  f->loop = loop_new(&error);
  f->peers = peers_new(f->loop, f->listener, &use, f, &error);
  g_assert_no_error(error);
  f->thread = g_thread_new("peers", run, f);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  (void) data;
  guint64 one = 1;
  g_assert_cmpint(write(f->stop, &one, sizeof one), ==, sizeof one);
  g_thread_join(f->thread);
  peers_free(f->peers);
  peers_free(NULL);
  loop_free(f->loop);
  close(f->listener);
  close(f->stop);
  g_unlink(f->path);
  g_rmdir(f->directory);
  g_free(f->path);
  g_free(f->directory);
}

/* ---- The other side ---- */

static int
connect_to(const Fixture *f)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  g_strlcpy(address.sun_path, f->path, sizeof address.sun_path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint(connect(fd, (const struct sockaddr *) &address, sizeof address), ==, 0);
  return fd;
}

static void
say(int fd, const char *text)
{
  g_assert_cmpint(send(fd, text, strlen(text), MSG_NOSIGNAL), ==, (gssize) strlen(text));
}

/* What comes until LEN octets are there, or the end, or WAIT_MS without any. */
static char *
hear(int fd, gsize len, gboolean *ended)
{
  GString *got = g_string_new(NULL);
  *ended = FALSE;
  while (got->len < len && !*ended) {
    char buffer[4096];
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    if (poll(&entry, 1, WAIT_MS) == 0)
      break;
    gssize n = recv(fd, buffer, MIN(sizeof buffer, len - got->len), 0);
    *ended = n <= 0;
    g_string_append_len(got, buffer, MAX(n, 0));
  }
  return g_string_free(got, FALSE);
}

static void
check_hears(int fd, const char *text)
{
  gboolean ended = TRUE;
  g_autofree char *got = hear(fd, strlen(text), &ended);
  g_assert_cmpstr(got, ==, text);
  g_assert_false(ended);
}

static void
check_ended(int fd)
{
  gboolean ended = FALSE;
  g_autofree char *got = hear(fd, 1, &ended);
  g_assert_cmpstr(got, ==, "");
  g_assert_true(ended);
  close(fd);
}

/* ---- Tests ---- */

/* However the octets come, each block is answered, in order. */
static void
test_order(Fixture *f, gconstpointer data)
{
  (void) data;
  int fd = connect_to(f);
  int other = connect_to(f);
  say(fd, "a=1\nb=2\n\n\nc=3\n\nd");
  check_hears(fd, "a=1\n\nc=3\n");
  say(other, "o=1\n\n");
  check_hears(other, "o=1\n");
  say(fd, "=4\n");
  say(fd, "\n");
  check_hears(fd, "d=4\n");
  close(fd);
  close(other);
}

static void
test_refused(Fixture *f, gconstpointer data)
{
  (void) data;
  gboolean ended = FALSE;
  f->nobody = TRUE;
  int fd = connect_to(f);
  g_autofree char *got = hear(fd, MUCH_BYTES, &ended);
  g_assert_true(ended);
  g_assert_nonnull(strstr(got, "code=refused\n"));
  g_assert_cmpuint(f->taken, ==, 0);
  close(fd);
}

static void
test_dropped(Fixture *f, gconstpointer data)
{
  (void) data;
  int fd = connect_to(f);
  int other = connect_to(f);
  say(fd, "drop=\n\na=1\n\n");
  check_ended(fd);
  say(other, "a=1\n\n");
  check_hears(other, "a=1\n");
  g_assert_cmpuint(f->taken, ==, 2); /* not what stood behind "drop" */
  close(other);
}

/* One user has PEERS_PER_USER connections and no more; one that ends makes room. */
static void
test_many(Fixture *f, gconstpointer data)
{
  (void) data;
  int fds[PEERS_PER_USER];
  for (guint i = 0; i < PEERS_PER_USER; i++) {
    fds[i] = connect_to(f);
    say(fds[i], "a=1\n\n");
    check_hears(fds[i], "a=1\n");
  }
  check_ended(connect_to(f));
  close(fds[0]);
  g_usleep(G_TIME_SPAN_SECOND); /* it is noticed */
  fds[0] = connect_to(f);
  say(fds[0], "b=1\n\n");
  check_hears(fds[0], "b=1\n");
  for (guint i = 0; i < PEERS_PER_USER; i++)
    close(fds[i]);
}

/* Who reads late gets all the same what he was answered. */
static void
test_late(Fixture *f, gconstpointer data)
{
  (void) data;
  int fd = connect_to(f);
  for (guint i = 0; i < LATE; i++)
    say(fd, QUESTION);
  g_usleep(200 * G_TIME_SPAN_MILLISECOND);
  gboolean ended = TRUE;
  g_autofree char *got = hear(fd, LATE * MUCH_BYTES, &ended);
  g_assert_cmpuint(strlen(got), ==, LATE * MUCH_BYTES);
  g_assert_false(ended);
  close(fd);
}

/* Who does not read his answers is not read from, and cut off; nobody else waits. */
static void
test_deaf(Fixture *f, gconstpointer data)
{
  (void) data;
  int fd = connect_to(f);
  int other = connect_to(f);
  gsize len = strlen(QUESTION);
  guint asked = 0;
  while (asked < MANY * MANY &&
         send(fd, QUESTION, len, MSG_DONTWAIT | MSG_NOSIGNAL) == (gssize) len)
    asked++;
  g_assert_cmpuint(asked, <, MANY * MANY);
  say(other, "a=1\n\n");
  check_hears(other, "a=1\n");
  /* One reading's worth was answered, and what the socket holds. */
  g_assert_cmpuint(f->taken, <, 2 * 65536 / len + MANY);
  for (guint ms = 0; ms < PEERS_PART_MS + WAIT_MS; ms += 100) {
    struct pollfd entry = {.fd = fd, .events = 0};
    if (poll(&entry, 1, 100) > 0 && (entry.revents & POLLHUP) != 0)
      break;
    g_usleep(100 * G_TIME_SPAN_MILLISECOND);
  }
  struct pollfd entry = {.fd = fd, .events = 0};
  g_assert_cmpint(poll(&entry, 1, 0), ==, 1);
  g_assert_cmpint(entry.revents & POLLHUP, !=, 0);
  close(fd);
  close(other);
}

/* A block that never ends is too long at some time. */
static void
test_endless(Fixture *f, gconstpointer data)
{
  (void) data;
  int fd = connect_to(f);
  g_autofree char *line = g_strnfill(65536, 'x');
  gsize sent = 0;
  for (; sent < 4 * ATTR_BLOCK_MAX_BYTES; sent += strlen(line))
    if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
      break;
  g_assert_cmpuint(sent, <, 2 * ATTR_BLOCK_MAX_BYTES);
  g_assert_cmpuint(f->taken, ==, 0);
  close(fd);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
#define ADD(name, test) g_test_add(name, Fixture, NULL, set_up, test, tear_down)
  ADD("/peers/order", test_order);
  ADD("/peers/refused", test_refused);
  ADD("/peers/dropped", test_dropped);
  ADD("/peers/many", test_many);
  ADD("/peers/late", test_late);
  ADD("/peers/deaf", test_deaf);
  ADD("/peers/endless", test_endless);
  return g_test_run();
}
