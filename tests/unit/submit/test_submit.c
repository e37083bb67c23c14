#include <gio/gio.h>
#include <signal.h>
#include <string.h>

#include "common/base/error.h"
#include "common/submit/submit.h"
#include "tests/unit/tap.h"

/* What the SMTP server at the other end does, and what it heard. One client. */
typedef struct {
  const char *verb;  /* at this one ("" is the greeting, "." the message's end) ... */
  const char *reply; /* ... it says this; NULL: it hangs up */
  gboolean utf8;     /* announces SMTPUTF8 */
  GSocketListener *listener;
  GThread *thread;
  char *url;
  GString *heard; /* commands, one a line, and the message */
} Server;

static const char *
usual_reply(const Server *server, const char *verb)
{
  if (strcmp(verb, "") == 0)
    return "220 test";
  if (strcmp(verb, "EHLO") == 0)
    return server->utf8 ? "250-test\r\n250-8BITMIME\r\n250 SMTPUTF8"
                        : "250-test\r\n250 8BITMIME";
  if (strcmp(verb, "DATA") == 0)
    return "354 go";
  if (strcmp(verb, ".") == 0)
    return "250 2.0.0 Ok: queued as 4XyzQ";
  return strcmp(verb, "QUIT") == 0 ? "221 2.0.0 Bye" : "250 2.0.0 Ok";
}

/* Whether VERB is the one that is answered in another way. */
static gboolean
is_special(const Server *server, const char *verb)
{
  return server->verb != NULL && strcmp(verb, server->verb) == 0;
}

/* Answers VERB; FALSE when the connection is to end. */
static gboolean
answer(const Server *server, GOutputStream *out, const char *verb)
{
  const char *reply = is_special(server, verb) ? server->reply : usual_reply(server, verb);
  g_autofree char *line = g_strdup_printf("%s\r\n", reply != NULL ? reply : "");
  return reply != NULL &&
         g_output_stream_write_all(out, line, strlen(line), NULL, NULL, NULL) &&
         strcmp(verb, "QUIT") != 0;
}

static void
talk(Server *server, GIOStream *stream)
{
  g_autoptr(GDataInputStream) in =
      g_data_input_stream_new(g_io_stream_get_input_stream(stream));
  g_data_input_stream_set_newline_type(in, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
  GOutputStream *out = g_io_stream_get_output_stream(stream);
  gboolean in_message = FALSE;
  gboolean on = answer(server, out, "");
  while (on) {
    g_autofree char *line = g_data_input_stream_read_line(in, NULL, NULL, NULL);
    if (line == NULL)
      return;
    g_string_append_printf(server->heard, "%s\n", line);
    if (in_message && strcmp(line, ".") != 0)
      continue;
    g_autofree char *verb = in_message ? g_strdup(".") : g_strndup(line, 4);
    on = answer(server, out, verb);
    in_message = strcmp(verb, "DATA") == 0 && !is_special(server, verb);
  }
}

static gpointer
run_server(gpointer data)
{
  Server *server = data;
  g_autoptr(GSocketConnection) connection =
      g_socket_listener_accept(server->listener, NULL, NULL, NULL);
  if (connection != NULL)
    talk(server, G_IO_STREAM(connection));
  return NULL;
}

static Server *
server_start(const char *verb, const char *reply, gboolean utf8)
{
  Server *server = g_new0(Server, 1);
  server->verb = verb;
  server->reply = reply;
  server->utf8 = utf8;
  server->heard = g_string_new(NULL);
  server->listener = g_socket_listener_new();
  g_autoptr(GInetAddress) ip = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
  g_autoptr(GSocketAddress) any = g_inet_socket_address_new(ip, 0);
  g_autoptr(GSocketAddress) bound = NULL;
  g_assert_true(g_socket_listener_add_address(server->listener, any, G_SOCKET_TYPE_STREAM,
                                              G_SOCKET_PROTOCOL_TCP, NULL, &bound, NULL));
  server->url = g_strdup_printf(
      "smtp://127.0.0.1:%u", g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound)));
  server->thread = g_thread_new("server", run_server, server);
  return server;
}

/* Waits for the client's end and frees all but what was heard. */
static char *
server_stop(Server *server)
{
  g_thread_join(server->thread);
  g_socket_listener_close(server->listener);
  g_object_unref(server->listener);
  char *heard = g_string_free(server->heard, FALSE);
  g_free(server->url);
  g_free(server);
  return heard;
}

static const char message[] = "From: a@b.nl\r\n\r\n.dot\r\nend\r\n";

static void
test_accepted(void)
{
  Server *server = server_start(NULL, NULL, FALSE);
  g_autofree char *queue_id = NULL;
  g_autoptr(GError) error = NULL;
  g_assert_true(submit_send(server->url, "noreply@b.nl", "els@example.com", message,
                            strlen(message), &queue_id, &error));
  g_assert_no_error(error);
  g_assert_cmpstr(queue_id, ==, "4XyzQ");
  g_autofree char *heard = server_stop(server);
  g_assert_nonnull(strstr(heard, "\nMAIL FROM:<noreply@b.nl>\nRCPT TO:<els@example.com>\n"
                                 "DATA\nFrom: a@b.nl\n\n..dot\nend\n.\n"));
}

static void
test_failures(void)
{
  static const struct {
    const char *verb;
    const char *reply;
    int code; /* of ZEGEL_ERROR */
  } rows[] = {
      {"", "421 4.3.2 later", ZEGEL_ERROR_TEMPORARY},
      {"", "554 5.7.1 go away", ZEGEL_ERROR_TEMPORARY},
      {"", NULL, ZEGEL_ERROR_TEMPORARY},
      {"MAIL", "452 4.3.1 full", ZEGEL_ERROR_TEMPORARY},
      {"MAIL", "550 5.7.1 not you", ZEGEL_ERROR_TEMPORARY},
      {"RCPT", "450 4.1.1 later", ZEGEL_ERROR_TEMPORARY},
      {"RCPT", "550 5.1.1 never", ZEGEL_ERROR_INVALID},
      {"RCPT", "553 5.2.1 disabled", ZEGEL_ERROR_INVALID},
      {"RCPT", "550 5.6.7 no UTF-8", ZEGEL_ERROR_INVALID},
      {"RCPT", "554 5.7.1 <x[192.0.2.1]>: Client host rejected", ZEGEL_ERROR_TEMPORARY},
      {"RCPT", "454 5.1.1 what", ZEGEL_ERROR_TEMPORARY},
      {"RCPT", "550 no", ZEGEL_ERROR_TEMPORARY},
      {"RCPT", NULL, ZEGEL_ERROR_TEMPORARY},
      {"DATA", "451 4.3.0 later", ZEGEL_ERROR_TEMPORARY},
      {"DATA", NULL, ZEGEL_ERROR_TEMPORARY},
      {".", "451 4.3.0 later", ZEGEL_ERROR_TEMPORARY},
      {".", "554 5.6.0 never", ZEGEL_ERROR_INVALID},
      {".", "552 5.3.4 too big", ZEGEL_ERROR_TEMPORARY},
      {".", NULL, ZEGEL_ERROR_TEMPORARY},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    Server *server = server_start(rows[i].verb, rows[i].reply, FALSE);
    static char wrong[] = "wrong";
    char *queue_id = wrong;
    g_autoptr(GError) error = NULL;
    g_test_message("%s: %s", rows[i].verb, rows[i].reply);
    g_assert_false(submit_send(server->url, "noreply@b.nl", "els@example.com", message,
                               strlen(message), &queue_id, &error));
    g_assert_error(error, ZEGEL_ERROR, rows[i].code);
    g_assert_null(queue_id);
    if (rows[i].reply != NULL)
      g_assert_nonnull(strstr(error->message, rows[i].reply));
    g_free(server_stop(server));
  }
}

static void
test_nobody_listens(void)
{
  g_autoptr(GError) error = NULL;
  g_assert_false(submit_send("smtp://127.0.0.1:1", "noreply@b.nl", "els@example.com",
                             message, strlen(message), NULL, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
}

static void
test_utf8(void)
{
  Server *server = server_start(NULL, NULL, TRUE);
  g_autoptr(GError) error = NULL;
  g_assert_true(submit_send(server->url, "noreply@b.nl", "\xc3\xabls@\xc3\xa9x.com",
                            message, strlen(message), NULL, &error));
  g_autofree char *heard = server_stop(server);
  g_assert_nonnull(strstr(heard, " SMTPUTF8\nRCPT TO:<\xc3\xabls@\xc3\xa9x.com>\n"));
}

/* No such address comes near a command; nothing is connected to. */
static void
test_addresses(void)
{
  static const char *const bad[] = {
      "a@b.nl\r\nRCPT TO:<x@y.nl",
      "a@b.nl\n",
      "a@b.nl> SIZE=1",
      "a b@c.nl",
      "a@b.nl\x7f",
      "\xff@b.nl",
      "\"a@b.nl",
      "<a@b.nl",
      "\"a\\\"@b.nl",
      "\"\r\"@b.nl",
  };
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_false(submit_send("smtp://127.0.0.1:1", "noreply@b.nl", bad[i], message,
                               strlen(message), NULL, &error));
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_false(submit_send("smtp://127.0.0.1:1", bad[i], "a@b.nl", message,
                               strlen(message), NULL, &error));
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  }
}

static void
test_quoted_address(void)
{
  Server *server = server_start(NULL, NULL, FALSE);
  g_autoptr(GError) error = NULL;
  g_assert_true(submit_send(server->url, "noreply@b.nl", "\"a b>\\\"\"@c.nl", message,
                            strlen(message), NULL, &error));
  g_autofree char *heard = server_stop(server);
  g_assert_nonnull(strstr(heard, "\nRCPT TO:<\"a b>\\\"\"@c.nl>\n"));
}

static void
test_queue_id(void)
{
  static const struct {
    const char *reply;
    const char *id;
  } rows[] = {
      {"250 2.0.0 Ok: queued as 4XyzQ", "4XyzQ"},
      {"250 2.0.0 Ok: queued as 4XyzQ, or so", "4XyzQ"},
      {"250 2.0.0 Ok: queued as ", NULL},
      {"250 2.0.0 Ok", NULL},
      {"", NULL},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *id = submit_queue_id(rows[i].reply);
    g_assert_cmpstr(id, ==, rows[i].id);
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  const struct sigaction ignore = {.sa_handler = SIG_IGN};
  sigaction(SIGPIPE, &ignore, NULL);
  g_setenv("http_proxy", "http://127.0.0.1:1", TRUE); /* must not matter */
  g_setenv("ALL_PROXY", "http://127.0.0.1:1", TRUE);
  g_assert_true(submit_init(NULL));
  g_test_add_func("/submit/accepted", test_accepted);
  g_test_add_func("/submit/failures", test_failures);
  g_test_add_func("/submit/nobody-listens", test_nobody_listens);
  g_test_add_func("/submit/utf8", test_utf8);
  g_test_add_func("/submit/addresses", test_addresses);
  g_test_add_func("/submit/quoted-address", test_quoted_address);
  g_test_add_func("/submit/queue-id", test_queue_id);
  return g_test_run();
}
