/* ask_route and ask_check against a peer that follows a script, one word for each
 * connection. */
#include "common/ask/ask.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "common/ask/check.h"
#include "common/base/daemon.h"
#include "common/base/error.h"
#include "tests/unit/tap.h"

#define QUIET_US 20000
#define GOOD     "version=3\nroute=viewer\ncode=Z-R1-VIEWER\nreason=-\nnumber=\n\n"

/* What the peer does on one connection. */
typedef struct {
  guint answers;     /* good answers first */
  const char *after; /* then these bytes for the next question, or NULL: close */
  gboolean hang;     /* after that, keep it open until the peer ends */
  gboolean unasked;  /* send AFTER without waiting for a question */
} Script;

typedef struct {
  char *directory;
  char *path;
  int listener;
  const Script *scripts; /* one for each connection */
  guint count;
  GThread *thread;
} Peer;

static void
write_all(int fd, const char *text)
{
  g_assert_cmpint(send(fd, text, strlen(text), MSG_NOSIGNAL), ==, (int) strlen(text));
}

/* Reads one question; FALSE at the end. */
static gboolean
read_question(int fd)
{
  g_autoptr(GString) text = g_string_new(NULL);
  char c;
  while (recv(fd, &c, 1, 0) == 1) {
    g_string_append_c(text, c);
    if (attrs_block_length(text->str, text->len) > 0)
      return TRUE;
  }
  return FALSE;
}

static void
follow(int fd, const Script *script)
{
  for (guint i = 0; i < script->answers; i++) {
    if (!read_question(fd))
      return;
    write_all(fd, GOOD);
  }
  if (script->unasked)
    g_usleep(QUIET_US);
  if (script->after != NULL && (script->unasked || read_question(fd)))
    write_all(fd, script->after);
  if (script->hang)
    while (read_question(fd))
      continue;
}

static gpointer
peer_run(gpointer p)
{
  Peer *peer = p;
  for (guint i = 0; i < peer->count; i++) {
    int fd = accept(peer->listener, NULL, NULL);
    if (fd < 0)
      break;
    follow(fd, &peer->scripts[i]);
    close(fd);
  }
  return NULL;
}

static void
peer_start(Peer *peer, const Script *scripts, guint count)
{
  peer->directory = g_dir_make_tmp("zegel-ask-XXXXXX", NULL);
  peer->path = g_build_filename(peer->directory, "ask.sock", NULL);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  g_strlcpy(address.sun_path, peer->path, sizeof address.sun_path);
  peer->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint(bind(peer->listener, (const struct sockaddr *) &address, sizeof address),
                  ==, 0);
  g_assert_cmpint(listen(peer->listener, 16), ==, 0);
  peer->scripts = scripts;
  peer->count = count;
  peer->thread = g_thread_new("peer", peer_run, peer);
}

static void
peer_stop(Peer *peer)
{
  shutdown(peer->listener, SHUT_RDWR);
  close(peer->listener);
  g_thread_join(peer->thread);
  g_unlink(peer->path);
  g_rmdir(peer->directory);
  g_free(peer->path);
  g_free(peer->directory);
}

/* Asks for one recipient: -1 when answered well, else the error's code. */
static int
ask_as(const char *path, gboolean sensitive)
{
  g_autoptr(RouteQuestion) question = route_question_new();
  question->organisation = g_strdup("o");
  question->sensitive = sensitive;
  g_ptr_array_add(question->recipients, g_strdup("jan@example.com"));
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) answers = ask_route(path, question, &error);
  g_assert_true((answers == NULL) == (error != NULL));
  if (answers == NULL) {
    g_assert_cmpuint(error->domain, ==, ZEGEL_ERROR);
    return error->code;
  }
  const RouteAnswer *answer = answers->pdata[0];
  g_assert_cmpint(answer->route, ==, ROUTE_VIEWER);
  return -1;
}

static int
ask_once(const char *path)
{
  return ask_as(path, TRUE);
}

static void
test_kept_connection(void)
{
  static const Script scripts[] = {{3, NULL, FALSE, FALSE}};
  Peer peer;
  peer_start(&peer, scripts, 1);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint(ask_once(peer.path), ==, -1);
  peer_stop(&peer);
}

static void
test_reconnects_once(void)
{
  static const Script scripts[] = {{1, NULL, FALSE, FALSE}, {1, NULL, FALSE, FALSE}};
  Peer peer;
  peer_start(&peer, scripts, 2);
  g_assert_cmpint(ask_once(peer.path), ==, -1);
  g_usleep(25 * QUIET_US); /* the peer closes */
  g_assert_cmpint(ask_once(peer.path), ==, -1);
  peer_stop(&peer);
}

/* The kept connection dies while the question is under way, not before. */
static void
test_reconnects_in_question(void)
{
  static const Script scripts[] = {{1, "", FALSE, FALSE}, {1, NULL, FALSE, FALSE}};
  Peer peer;
  peer_start(&peer, scripts, 2);
  g_assert_cmpint(ask_once(peer.path), ==, -1);
  g_assert_cmpint(ask_once(peer.path), ==, -1);
  peer_stop(&peer);
}

static void
test_does_not_reconnect_twice(void)
{
  static const Script scripts[] = {
      {1, "", FALSE, FALSE}, {0, "", FALSE, FALSE}, {1, NULL, FALSE, FALSE}};
  Peer peer;
  peer_start(&peer, scripts, 3);
  g_assert_cmpint(ask_once(peer.path), ==, -1);
  g_assert_cmpint(ask_once(peer.path), ==, ZEGEL_ERROR_TEMPORARY);
  g_assert_cmpint(ask_once(peer.path), ==, -1);
  peer_stop(&peer);
}

/* An answer too many on a connection must not be taken for that of the next question. */
static void
test_stale_answer(void)
{
  static const Script scripts[] = {{1, GOOD "version=3\nerror=stale\n\n", TRUE, FALSE},
                                   {1, NULL, FALSE, FALSE}};
  Peer peer;
  peer_start(&peer, scripts, 2);
  g_assert_cmpint(ask_once(peer.path), ==, -1);
  g_assert_cmpint(ask_once(peer.path), ==, ZEGEL_ERROR_TEMPORARY);
  g_assert_cmpint(ask_once(peer.path), ==, -1);
  peer_stop(&peer);
}

/* The same, when it comes while the connection is idle. */
static void
test_unasked_answer(void)
{
  static const Script scripts[] = {{1, "version=3\nerror=stale\n\n", TRUE, TRUE},
                                   {1, NULL, FALSE, FALSE}};
  Peer peer;
  peer_start(&peer, scripts, 2);
  g_assert_cmpint(ask_once(peer.path), ==, -1);
  g_usleep(25 * QUIET_US);
  g_assert_cmpint(ask_once(peer.path), ==, -1);
  peer_stop(&peer);
}

#define TWICE(text) text text /* one too many */

static void
test_bad_answers(void)
{
  static const char *const bad[] = {
      "version=3\nroute=viewer\n", /* cut */
      "version=3\n" TWICE("route=own\ncode=Z\nreason=-\nnumber=\n") "\n",
      "version=3\nerror=the book is burning\n\n",
      "HTTP/1.0 200\n\n",
      "\n",
  };
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    const Script scripts[] = {{0, bad[i], FALSE, FALSE}};
    Peer peer;
    peer_start(&peer, scripts, 1);
    g_test_message("row %u", i);
    g_assert_cmpint(ask_once(peer.path), ==, ZEGEL_ERROR_TEMPORARY);
    peer_stop(&peer);
  }
}

static void
test_nobody(void)
{
  g_assert_cmpint(ask_once("/nonexistent/ask.sock"), ==, ZEGEL_ERROR_TEMPORARY);
  g_autofree char *longest = g_strnfill(200, 'x');
  g_assert_cmpint(ask_once(longest), ==, ZEGEL_ERROR_TEMPORARY);
}

/* Mail that goes on without an answer does not wait long for one. */
static void
test_deadline(void)
{
  static const Script scripts[] = {{0, "version=3\n", TRUE, FALSE}};
  for (guint i = 0; i < 2; i++) {
    gint64 timeout_ms = i == 0 ? ASK_TIMEOUT_MS : ASK_PREFER_TIMEOUT_MS;
    Peer peer;
    peer_start(&peer, scripts, 1);
    gint64 start_us = g_get_monotonic_time();
    g_assert_cmpint(ask_as(peer.path, i == 0), ==, ZEGEL_ERROR_TEMPORARY);
    gint64 took_ms = (g_get_monotonic_time() - start_us) / 1000;
    g_assert_cmpint(took_ms, >=, timeout_ms - 50);
    g_assert_cmpint(took_ms, <, timeout_ms + 2000);
    peer_stop(&peer);
  }
}

#define LINE                                                                               \
  "code=Z-N1-DNSSEC\nresult=fail\nrequired=yes\ntitle=t\nevidence=e%0Af\ncure=c\n"

static void
test_check(void)
{
  static const struct {
    const char *answer;
    int code; /* of the error; -1: none */
  } rows[] = {
      {"version=3\nown=yes\n" LINE LINE "\n", -1},
      {"version=3\nerror=too many\n\n", ZEGEL_ERROR_TEMPORARY},
      {GOOD, ZEGEL_ERROR_TEMPORARY},
      {"\n", ZEGEL_ERROR_TEMPORARY},
      {"", ZEGEL_ERROR_TEMPORARY},
  };
  static char domain[] = "example.nl";
  const CheckQuestion question = {domain, TRUE};
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    const Script scripts[] = {{0, rows[i].answer, FALSE, FALSE}};
    Peer peer;
    peer_start(&peer, scripts, 1);
    gboolean own = FALSE;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) lines = ask_check(peer.path, &question, &own, &error);
    g_test_message("row %u", i);
    g_assert_true((lines != NULL) == (rows[i].code < 0));
    if (lines == NULL) {
      g_assert_error(error, ZEGEL_ERROR, rows[i].code);
    } else {
      const CheckLine *line = lines->pdata[1];
      g_assert_true(own);
      g_assert_cmpuint(lines->len, ==, 2);
      g_assert_cmpstr(line->evidence, ==, "e\nf");
      g_assert_cmpint(line->result, ==, CHECK_FAIL);
    }
    peer_stop(&peer);
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/ask/client/kept", test_kept_connection);
  g_test_add_func("/ask/client/reconnects", test_reconnects_once);
  g_test_add_func("/ask/client/reconnects-in-question", test_reconnects_in_question);
  g_test_add_func("/ask/client/reconnects-once", test_does_not_reconnect_twice);
  g_test_add_func("/ask/client/stale-answer", test_stale_answer);
  g_test_add_func("/ask/client/unasked-answer", test_unasked_answer);
  g_test_add_func("/ask/client/bad-answers", test_bad_answers);
  g_test_add_func("/ask/client/nobody", test_nobody);
  g_test_add_func("/ask/client/deadline", test_deadline);
  g_test_add_func("/ask/client/check", test_check);
  return g_test_run();
}
