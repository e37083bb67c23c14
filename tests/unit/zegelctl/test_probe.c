#include "zegelctl/probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/ask/check.h"
#include "common/base/error.h"
#include "tests/unit/tap.h"
#include "zegelctl/smtp.h"

/* The evidence of Z-N1-TLSA, and the hosts with their records that are tried. */
static const struct {
  const char *evidence, *hosts;
} rows[] = {
    {"_25._tcp.mail.a.nl secure; 3 1 1 ab12", "mail.a.nl(3 1 1 ab12)"},
    {"_25._tcp.mx1.a.nl secure; 3 1 1 ab; 1 0 1 cd (not usable); 2 1 2 ef; "
     "_25._tcp.mx2.a.nl secure; 3 0 1 01",
     "mx1.a.nl(3 1 1 ab,2 1 2 ef)mx2.a.nl(3 0 1 01)"},
    {"_25._tcp.mail.a.nl not secure; 3 1 1 ab12", "mail.a.nl()"},
    {"_25._tcp.mail.a.nl an alias leads to it; 3 1 1 ab12", "mail.a.nl()"},
    {"_25._tcp.mail.a.nl timeout", "mail.a.nl()"},
    {"no host is known", ""},
    {"", ""},
};

static GPtrArray *
lines_with(const char *evidence)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func((GDestroyNotify) check_line_free);
  g_ptr_array_add(lines, check_line_new("Z-N1-RECORD", CHECK_PASS, TRUE, "", "", ""));
  g_ptr_array_add(lines, check_line_new("Z-N1-TLSA", CHECK_PASS, TRUE, "", evidence, ""));
  return lines;
}

static void
test_hosts(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GPtrArray) lines = lines_with(rows[i].evidence);
    g_autoptr(GPtrArray) hosts = probe_hosts(lines);
    g_autoptr(GString) found = g_string_new(NULL);
    for (guint n = 0; n < hosts->len; n++) {
      const ProbeHost *host = hosts->pdata[n];
      g_autofree char *tlsa = g_strjoinv(",", host->tlsa);
      g_string_append_printf(found, "%s(%s)", host->host, tlsa);
    }
    g_assert_cmpstr(found->str, ==, rows[i].hosts);
  }
}

static void
test_no_host(void)
{
  g_autoptr(GPtrArray) lines = lines_with("no host is known");
  probe_run("a.nl", "mail.own.nl", lines);
  g_assert_cmpuint(lines->len, ==, 2);
}

/* ---- Replies ---- */

typedef struct {
  int listener;
  const char *says; /* as soon as somebody connects */
} Server;

static gpointer
serve(gpointer data)
{
  const Server *server = data;
  char buffer[64];
  int fd = accept(server->listener, NULL, NULL);
  g_assert_cmpint(send(fd, server->says, strlen(server->says), MSG_NOSIGNAL), >=, 0);
  shutdown(fd, SHUT_WR);
  while (recv(fd, buffer, sizeof buffer, 0) > 0)
    ;
  close(fd);
  return NULL;
}

/* The code that is read when a server says SAYS, and the text; -1 with *ERROR. */
static int
read_reply(const char *says, GString *text, GError **error)
{
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof address;
  struct addrinfo info = {.ai_family = AF_INET,
                          .ai_addr = (struct sockaddr *) &address,
                          .ai_addrlen = sizeof address};
  Server server = {.listener = socket(AF_INET, SOCK_STREAM, 0), .says = says};
  g_assert_cmpint(bind(server.listener, info.ai_addr, len), ==, 0);
  g_assert_cmpint(listen(server.listener, 1), ==, 0);
  g_assert_cmpint(getsockname(server.listener, info.ai_addr, &len), ==, 0);
  GThread *thread = g_thread_new("server", serve, &server);
  Smtp *smtp = smtp_open(&info, NULL);
  g_assert_nonnull(smtp);
  int code = smtp_talk(smtp, NULL, text, error);
  smtp_close(smtp);
  g_thread_join(thread);
  close(server.listener);
  return code;
}

static const struct {
  const char *says;
  int code;
  const char *text;
  ZegelError error;
} replies[] = {
    {"220 mail.a.nl ESMTP\r\n", 220, "mail.a.nl ESMTP\n", 0},
    {"250-a\r\n250-STARTTLS\n250\r\n", 250, "a\nSTARTTLS\n\n", 0},
    {"554 5.7.1 no\r\n220 later", 554, "5.7.1 no\n", 0},
    {"", -1, "", ZEGEL_ERROR_TEMPORARY},
    {"250-a\r\n", -1, "a\n", ZEGEL_ERROR_TEMPORARY},
    {"250 a", -1, "", ZEGEL_ERROR_TEMPORARY},
    {"HTTP/1.1 400 Bad\r\n", -1, "", ZEGEL_ERROR_INVALID},
    {"2200 a\r\n", -1, "", ZEGEL_ERROR_INVALID},
    {"100 a\r\n", -1, "", ZEGEL_ERROR_INVALID},
    {"+50 a\r\n", -1, "", ZEGEL_ERROR_INVALID},
    {"\r\n", -1, "", ZEGEL_ERROR_INVALID},
};

static void
test_replies(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(replies); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = g_string_new("wrong");
    g_test_message("row %u", i);
    g_assert_cmpint(read_reply(replies[i].says, text, &error), ==, replies[i].code);
    g_assert_cmpstr(text->str, ==, replies[i].text);
    if (replies[i].code < 0)
      g_assert_error(error, ZEGEL_ERROR, (int) replies[i].error);
  }
}

static void
test_endless(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GString) text = g_string_new(NULL);
  g_autofree char *line = g_strnfill(2 * SMTP_REPLY_MAX_BYTES, '2');
  g_assert_cmpint(read_reply(line, text, &error), ==, -1);
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  g_autoptr(GString) lines = g_string_new(NULL);
  while (lines->len < 2 * SMTP_REPLY_MAX_BYTES)
    g_string_append(lines, "250-again and again\r\n");
  g_clear_error(&error);
  g_assert_cmpint(read_reply(lines->str, text, &error), ==, -1);
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/probe/which hosts are tried, with which records", test_hosts);
  g_test_add_func("/probe/without a host nothing is said", test_no_host);
  g_test_add_func("/smtp/replies", test_replies);
  g_test_add_func("/smtp/a reply has an end", test_endless);
  return g_test_run();
}
