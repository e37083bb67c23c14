/*
 * Two servers in one loop, in a thread of its own. The answer is the question's first byte,
 * doubled; "!" cuts the peer off, "~" and "_" are answered later, "#" never.
 */
#include "policyd/server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "common/base/attr.h"
#include "common/base/daemon.h"
#include "tests/unit/tap.h"

#define WAIT_MS       2000 /* for anything that should happen at once */
#define LATER_MS      200
#define MUCH_LATER_MS (SERVER_PART_MS + 2500) /* the sweep looks every second */
#define SERVERS       2

typedef struct {
  char *directory;
  char *path;       /* of the first server */
  char *other_path; /* of the second */
  int listeners[SERVERS];
  int stop; /* eventfd */
  Loop *loop;
  Server *servers[SERVERS];
  guint draining;
  guint64 waiting; /* the peer whose question was '?' */
  GThread *thread;
} Fixture;

/* An answer that comes later. */
typedef struct {
  Server **server;
  guint64 peer;
  char text[4];
  Loop *loop;
} Later;

static void
answer_later(gpointer data)
{
  Later *later = data;
  server_answer(*later->server, later->peer, later->text);
  g_free(later);
}

static void
take(Fixture *f, guint n, guint64 peer, const char *block, gsize len)
{
  g_assert_cmpuint(attrs_block_length(block, len), ==, len);
  Later now = {.server = &f->servers[n], .peer = peer, .text = {block[0], block[0], '\n'}};
  if (block[0] == '~' || block[0] == '_')
    loop_timer(f->loop, block[0] == '~' ? LATER_MS : MUCH_LATER_MS, answer_later,
               g_memdup2(&now, sizeof now));
  if (block[0] == '?')
    f->waiting = peer;
  if (block[0] == '^')
    server_answer(f->servers[n], f->waiting, "??\n");
  if (strchr("~_?#", block[0]) == NULL)
    server_answer(f->servers[n], peer, block[0] == '!' ? NULL : now.text);
}

static void
take_first(gpointer data, guint64 peer, const char *block, gsize len)
{
  take(data, 0, peer, block, len);
}

static void
take_other(gpointer data, guint64 peer, const char *block, gsize len)
{
  take(data, 1, peer, block, len);
}

static void
on_drained(gpointer data)
{
  Fixture *f = data;
  if (--f->draining == 0)
    loop_stop(f->loop);
}

static void
on_stop(gpointer data, guint32 events)
{
  Fixture *f = data;
  eventfd_t value;
  (void) events;
  g_assert_cmpint(eventfd_read(f->stop, &value), ==, 0);
  f->draining = SERVERS;
  for (guint i = 0; i < SERVERS; i++)
    server_drain(f->servers[i], on_drained, f);
}

static gpointer
serve(gpointer data)
{
  Fixture *f = data;
  g_autoptr(GError) error = NULL;
  g_assert_nonnull(loop_watch(f->loop, f->stop, EPOLLIN, on_stop, f, NULL));
  f->servers[0] = server_new(f->loop, f->listeners[0], take_first, f, &error);
  f->servers[1] = server_new(f->loop, f->listeners[1], take_other, f, &error);
  g_assert_no_error(error);
  g_assert_true(loop_run(f->loop, &error));
  for (guint i = 0; i < SERVERS; i++)
    server_free(f->servers[i]);
  return NULL;
}

static void
set_up(Fixture *f, gconstpointer data)
{
  (void) data;
  f->directory = g_dir_make_tmp("zegel-server-XXXXXX", NULL);
  f->path = g_build_filename(f->directory, "ask.sock", NULL);
  f->other_path = g_build_filename(f->directory, "policy.sock", NULL);
  f->listeners[0] = daemon_listen_unix(f->path, 0600, NULL, NULL);
  f->listeners[1] = daemon_listen_unix(f->other_path, 0600, NULL, NULL);
  g_assert_cmpint(MIN(f->listeners[0], f->listeners[1]), >=, 0);
  f->stop = eventfd(0, EFD_CLOEXEC);
  f->loop = loop_new(NULL);
  f->thread = g_thread_new("server", serve, f);
}

static void
ask_to_stop(const Fixture *f)
{
  g_assert_cmpint(eventfd_write(f->stop, 1), ==, 0);
}

static void
stop(Fixture *f)
{
  if (f->thread == NULL)
    return;
  ask_to_stop(f);
  g_thread_join(g_steal_pointer(&f->thread));
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  (void) data;
  stop(f);
  loop_free(f->loop);
  close(f->stop);
  for (guint i = 0; i < SERVERS; i++)
    close(f->listeners[i]);
  g_unlink(f->path);
  g_unlink(f->other_path);
  g_rmdir(f->directory);
  g_free(f->path);
  g_free(f->other_path);
  g_free(f->directory);
}

static int
join_at(const char *path)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  g_strlcpy(address.sun_path, path, sizeof address.sun_path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint(connect(fd, (const struct sockaddr *) &address, sizeof address), ==, 0);
  return fd;
}

static int
join(const Fixture *f)
{
  return join_at(f->path);
}

static void
say(int fd, const char *text)
{
  g_assert_cmpint(send(fd, text, strlen(text), MSG_NOSIGNAL), ==, (int) strlen(text));
}

/* Reads until TEXT came, or fails. */
static void
hear(int fd, const char *text)
{
  g_autoptr(GString) heard = g_string_new(NULL);
  while (heard->len < strlen(text)) {
    char buffer[256];
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    g_assert_cmpint(poll(&entry, 1, WAIT_MS), ==, 1);
    gssize got = recv(fd, buffer, sizeof buffer, 0);
    g_assert_cmpint(got, >, 0);
    g_string_append_len(heard, buffer, got);
  }
  g_assert_cmpstr(heard->str, ==, text);
}

/* Reads until TEXT came; more may follow. */
static void
hear_first(int fd, const char *text)
{
  g_autoptr(GString) heard = g_string_new(NULL);
  while (heard->len < strlen(text)) {
    char byte;
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    g_assert_cmpint(poll(&entry, 1, WAIT_MS), ==, 1);
    g_assert_cmpint(recv(fd, &byte, 1, 0), ==, 1);
    g_string_append_c(heard, byte);
  }
  g_assert_cmpstr(heard->str, ==, text);
}

/* Waits up to MS for the other side to close. */
static gboolean
is_closed_within(int fd, int ms)
{
  struct pollfd entry = {.fd = fd, .events = POLLIN};
  char byte;
  return poll(&entry, 1, ms) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

static void
test_many(Fixture *f, gconstpointer data)
{
  (void) data;
  int peers[400];
  for (guint i = 0; i < G_N_ELEMENTS(peers); i++)
    peers[i] = join(f);
  for (guint round = 0; round < 3; round++) {
    for (guint i = 0; i < G_N_ELEMENTS(peers); i++)
      say(peers[i], i % 2 == 0 ? "even\n\n" : "odd\n\n");
    for (guint i = 0; i < G_N_ELEMENTS(peers); i++)
      hear(peers[i], i % 2 == 0 ? "ee\n" : "oo\n");
  }
  for (guint i = 0; i < G_N_ELEMENTS(peers); i++)
    close(peers[i]);
}

/* More peers than there is room for: the others wait in the backlog until one goes. */
static void
test_full(Fixture *f, gconstpointer data)
{
  (void) data;
  int peers[SERVER_MAX_PEERS + 1];
  for (guint i = 0; i < G_N_ELEMENTS(peers); i++)
    peers[i] = join(f);
  int last = peers[SERVER_MAX_PEERS];
  say(peers[0], "a\n\n");
  hear(peers[0], "aa\n");
  say(last, "z\n\n");
  struct pollfd entry = {.fd = last, .events = POLLIN};
  g_assert_cmpint(poll(&entry, 1, 100), ==, 0);
  close(peers[1]);
  hear(last, "zz\n");
  for (guint i = 0; i < G_N_ELEMENTS(peers); i++)
    if (i != 1)
      close(peers[i]);
}

static void
test_pieces_and_pipelines(Fixture *f, gconstpointer data)
{
  (void) data;
  int fd = join(f);
  say(fd, "a=1\n");
  g_usleep(10000);
  say(fd, "b=2\n");
  g_usleep(10000);
  say(fd, "\nc\n\nd\n");
  hear(fd, "aa\ncc\n");
  say(fd, "\n");
  hear(fd, "dd\n");
  close(fd);
}

/* While a peer asks another one is answered, who then asks more. */
static void
test_answer_for_another(Fixture *f, gconstpointer data)
{
  (void) data;
  int waiting = join(f);
  int asking = join(f);
  say(waiting, "?\n\nb\n\n");
  say(waiting, "c\n\n");
  g_usleep(10000);
  say(asking, "^\n\nd\n\n");
  hear(asking, "^^\ndd\n");
  hear(waiting, "??\nbb\ncc\n");
  close(asking);
  close(waiting);
}

static void
test_bad_peer(Fixture *f, gconstpointer data)
{
  (void) data;
  int good = join(f);
  int bad = join(f);
  say(bad, "!nonsense\n\n");
  g_assert_true(is_closed_within(bad, WAIT_MS));
  say(good, "a\n\n");
  hear(good, "aa\n");
  close(good);
  close(bad);
}

/* Sends COUNT times "x\n"; FALSE when the other side closed. */
static gboolean
flood(int fd, gsize count)
{
  g_autofree char *bytes = g_malloc(2 * count);
  for (gsize i = 0; i < count; i++)
    memcpy(bytes + 2 * i, "x\n", 2);
  gsize sent = 0;
  while (sent < 2 * count) {
    gssize n = send(fd, bytes + sent, 2 * count - sent, MSG_NOSIGNAL);
    if (n <= 0)
      return FALSE;
    sent += (gsize) n;
  }
  return TRUE;
}

static void
test_block_limit(Fixture *f, gconstpointer data)
{
  (void) data;
  int longest = join(f);
  int endless = join(f);
  g_assert_true(flood(longest, ATTR_BLOCK_MAX_BYTES / 2 - 1));
  say(longest, "\n");
  hear(longest, "xx\n");
  gboolean cut = !flood(endless, ATTR_BLOCK_MAX_BYTES);
  g_assert_true(cut || is_closed_within(endless, WAIT_MS));
  int good = join(f);
  say(good, "a\n\n");
  hear(good, "aa\n");
  close(good);
  close(endless);
  close(longest);
}

/* A peer that asks and does not read is not read from, and holds up nobody. */
static void
test_deaf_peer(Fixture *f, gconstpointer data)
{
  (void) data;
  static const char question[] = "q\n\n";
  int deaf = join(f);
  gsize count = 0;
  gint64 end_us = g_get_monotonic_time() + WAIT_MS * 1000;
  while (g_get_monotonic_time() < end_us &&
         send(deaf, question, 3, MSG_NOSIGNAL | MSG_DONTWAIT) == 3)
    count++;
  g_assert_cmpint(errno, ==, EAGAIN);
  int good = join(f);
  say(good, "a\n\n");
  hear(good, "aa\n");
  close(good);
  /* Every question that was taken gets its answer once the peer reads. */
  gsize heard = 0;
  while (heard < 3 * count) {
    char buffer[4096];
    struct pollfd entry = {.fd = deaf, .events = POLLIN};
    g_assert_cmpint(poll(&entry, 1, WAIT_MS), ==, 1);
    gssize got = recv(deaf, buffer, sizeof buffer, 0);
    g_assert_cmpint(got, >, 0);
    heard += (gsize) got;
  }
  g_assert_cmpuint(heard, ==, 3 * count);
  close(deaf);
}

/* F21: a question that does not end is waited for as long as its asker would wait. */
static void
test_slow_peer(Fixture *f, gconstpointer data)
{
  (void) data;
  int slow = join(f);
  int idle = join(f);
  gint64 start_us = g_get_monotonic_time();
  gint64 took_ms = 0;
  while (send(slow, "x", 1, MSG_NOSIGNAL) == 1 && took_ms < 3 * SERVER_PART_MS) {
    g_usleep(100000);
    took_ms = (g_get_monotonic_time() - start_us) / 1000;
  }
  g_assert_cmpint(took_ms, >=, SERVER_PART_MS);
  g_assert_cmpint(took_ms, <, 2 * SERVER_PART_MS);
  say(idle, "a\n\n");
  hear(idle, "aa\n");
  close(slow);
  close(idle);
}

/* An answer that takes its time holds up the peer's next question, and nobody else. */
static void
test_later(Fixture *f, gconstpointer data)
{
  (void) data;
  int waiting = join(f);
  int other = join_at(f->other_path);
  gint64 begin_us = g_get_monotonic_time();
  say(waiting, "~1\n\nb\n\n~2\n\nc\n\n");
  say(other, "a\n\n");
  hear(other, "aa\n");
  struct pollfd entry = {.fd = waiting, .events = POLLIN};
  int answered = poll(&entry, 1, 0);
  if (g_get_monotonic_time() - begin_us < LATER_MS * G_TIME_SPAN_MILLISECOND)
    g_assert_cmpint(answered, ==, 0);
  hear(waiting, "~~\nbb\n~~\ncc\n");
  close(waiting);
  close(other);
}

/* Who waits for his answer is not read from, however much he says meanwhile. */
static void
test_later_is_bounded(Fixture *f, gconstpointer data)
{
  (void) data;
  int fd = join(f);
  say(fd, "~\n\n");
  g_usleep(LATER_MS * 500);
  gsize sent = 0;
  while (send(fd, "q\n\n", 3, MSG_NOSIGNAL | MSG_DONTWAIT) == 3)
    sent += 3;
  g_assert_cmpuint(sent, <, ATTR_BLOCK_MAX_BYTES);
  hear_first(fd, "~~\nqq\n");
  close(fd);
}

/* Longer than a peer may take for its own part; and waiting costs nothing, also with
 * something of the peer that lies unread. */
static void
test_much_later(Fixture *f, gconstpointer data)
{
  (void) data;
  int fd = join(f);
  say(fd, "_\n\n");
  g_usleep(1000 * LATER_MS);
  say(fd, "a\n\n");
  clock_t used = clock();
  struct pollfd entry = {.fd = fd, .events = POLLIN};
  g_assert_cmpint(poll(&entry, 1, MUCH_LATER_MS + WAIT_MS), ==, 1);
  g_assert_cmpint(clock() - used, <, CLOCKS_PER_SEC / 2);
  hear(fd, "__\naa\n");
  close(fd);
}

/* The asker is gone when its answer comes; its place is another's by then. */
static void
test_gone(Fixture *f, gconstpointer data)
{
  (void) data;
  int gone = join(f);
  say(gone, "~\n\n");
  g_usleep(LATER_MS * 500);
  close(gone);
  int next = join(f);
  say(next, "#\n\n");
  struct pollfd entry = {.fd = next, .events = POLLIN};
  g_assert_cmpint(poll(&entry, 1, 2 * LATER_MS), ==, 0);
  int good = join(f);
  say(good, "a\n\n");
  hear(good, "aa\n");
  close(good);
  close(next);
}

/* Half closed: it asks no more, and still wants its answers. */
static void
test_half_closed(Fixture *f, gconstpointer data)
{
  (void) data;
  int fd = join(f);
  say(fd, "~\n\na\n\n");
  g_assert_cmpint(shutdown(fd, SHUT_WR), ==, 0);
  hear(fd, "~~\naa\n");
  g_assert_true(is_closed_within(fd, WAIT_MS));
  close(fd);
}

/* F29: what is under way is answered, an idle peer goes at once, nobody new comes in. */
static void
test_term(Fixture *f, gconstpointer data)
{
  (void) data;
  int busy = join(f);
  int idle = join(f);
  say(idle, "i\n\n");
  hear(idle, "ii\n");
  say(busy, "b\n\nhalf");
  hear(busy, "bb\n");
  int waiting = join_at(f->other_path);
  say(waiting, "~\n\n");
  g_usleep(LATER_MS * 500);
  ask_to_stop(f);
  g_assert_true(is_closed_within(idle, WAIT_MS));
  int late = join(f);
  say(late, "l\n\n");
  say(busy, "\n\n");
  hear(busy, "hh\n");
  hear(waiting, "~~\n");
  g_thread_join(g_steal_pointer(&f->thread));
  struct pollfd entry = {.fd = late, .events = POLLIN};
  g_assert_cmpint(poll(&entry, 1, 0), ==, 0);
  g_assert_true(is_closed_within(busy, 0));
  close(waiting);
  close(late);
  close(busy);
  close(idle);
}

/* A peer that never ends its question does not hold up the end, nor an answer that does
 * not come. */
static void
test_term_in_time(Fixture *f, gconstpointer data)
{
  (void) data;
  int fd = join(f);
  say(fd, "a\n\nhalf");
  hear(fd, "aa\n");
  int waiting = join(f);
  say(waiting, "#\n\n");
  gint64 start_us = g_get_monotonic_time();
  stop(f);
  gint64 took_ms = (g_get_monotonic_time() - start_us) / 1000;
  g_assert_cmpint(took_ms, >=, SERVER_DRAIN_MS - 100);
  g_assert_cmpint(took_ms, <, SERVER_DRAIN_MS + 2000);
  close(waiting);
  close(fd);
}

static void
add(const char *path, void (*test)(Fixture *, gconstpointer))
{
  g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

/* Both ends of every connection are ours. */
static void
raise_file_limit(void)
{
  struct rlimit limit = {0};
  g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &limit), ==, 0);
  limit.rlim_cur = MAX(limit.rlim_cur, 2 * SERVER_MAX_FILES);
  g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  raise_file_limit();
  add("/server/many", test_many);
  add("/server/full", test_full);
  add("/server/pieces-and-pipelines", test_pieces_and_pipelines);
  add("/server/answer-for-another", test_answer_for_another);
  add("/server/bad-peer", test_bad_peer);
  add("/server/block-limit", test_block_limit);
  add("/server/deaf-peer", test_deaf_peer);
  add("/server/slow-peer", test_slow_peer);
  add("/server/later", test_later);
  add("/server/later-is-bounded", test_later_is_bounded);
  add("/server/much-later", test_much_later);
  add("/server/gone", test_gone);
  add("/server/half-closed", test_half_closed);
  add("/server/term", test_term);
  add("/server/term-in-time", test_term_in_time);
  return g_test_run();
}
