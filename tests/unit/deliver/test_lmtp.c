#include <string.h>

#include "deliver/lmtp.h"
#include "tests/unit/tap.h"

/* ---- Command lines ---- */

static const struct {
  const char *line;
  LmtpFault fault;
  LmtpVerb verb;
  const char *path;
  guint64 size;
  gboolean utf8;
  const char *ident;
} command_rows[] = {
    {"LHLO mail.example.nl", LMTP_FAULT_NONE, LMTP_LHLO, NULL, 0, FALSE, NULL},
    {"lhlo x", LMTP_FAULT_NONE, LMTP_LHLO, NULL, 0, FALSE, NULL},
    {"LHLO", LMTP_FAULT_ARGUMENT, 0, NULL, 0, FALSE, NULL},
    {"MAIL FROM:<jan@example.nl>", LMTP_FAULT_NONE, LMTP_MAIL, "jan@example.nl", 0, FALSE,
     NULL},
    {"MAIL FROM:<>", LMTP_FAULT_NONE, LMTP_MAIL, "", 0, FALSE, NULL},
    {"mail from: <a@b.nl> size=12345 BODY=8BITMIME SMTPUTF8", LMTP_FAULT_NONE, LMTP_MAIL,
     "a@b.nl", 12345, TRUE, NULL},
    {"MAIL FROM:<a@b.nl> BODY=7bit", LMTP_FAULT_NONE, LMTP_MAIL, "a@b.nl", 0, FALSE, NULL},
    {"MAIL FROM:<a@b.nl> BODY=BINARYMIME", LMTP_FAULT_PARAMETER_VALUE, 0, NULL, 0, FALSE,
     NULL},
    {"MAIL FROM:<a@b.nl> SIZE=", LMTP_FAULT_PARAMETER_VALUE, 0, NULL, 0, FALSE, NULL},
    {"MAIL FROM:<a@b.nl> SIZE=-1", LMTP_FAULT_PARAMETER_VALUE, 0, NULL, 0, FALSE, NULL},
    {"MAIL FROM:<a@b.nl> SIZE=99999999999999999999", LMTP_FAULT_PARAMETER_VALUE, 0, NULL, 0,
     FALSE, NULL},
    {"MAIL FROM:<a@b.nl> RET=HDRS", LMTP_FAULT_PARAMETER, 0, NULL, 0, FALSE, NULL},
    {"MAIL FROM:<a@b.nl>SIZE=1", LMTP_FAULT_ARGUMENT, 0, NULL, 0, FALSE, NULL},
    {"MAIL FROM:a@b.nl", LMTP_FAULT_ARGUMENT, 0, NULL, 0, FALSE, NULL},
    {"MAIL <a@b.nl>", LMTP_FAULT_ARGUMENT, 0, NULL, 0, FALSE, NULL},
    {"MAIL FROM:<a>", LMTP_FAULT_ARGUMENT, 0, NULL, 0, FALSE, NULL},
    {"RCPT TO:<jan@example.com.viewer.zegel.internal>", LMTP_FAULT_NONE, LMTP_RCPT,
     "jan@example.com.viewer.zegel.internal", 0, FALSE, NULL},
    {"RCPT TO:<\"a b>\\\"c\"@x.nl>", LMTP_FAULT_NONE, LMTP_RCPT, "\"a b>\\\"c\"@x.nl", 0,
     FALSE, NULL},
    {"RCPT TO:<\"a@b\"@x.nl>", LMTP_FAULT_NONE, LMTP_RCPT, "\"a@b\"@x.nl", 0, FALSE, NULL},
    {"RCPT TO:<\xc3\xbc@x.nl>", LMTP_FAULT_NONE, LMTP_RCPT, "\xc3\xbc@x.nl", 0, FALSE,
     NULL},
    {"RCPT TO:<\xc3@x.nl>", LMTP_FAULT_BYTES, 0, NULL, 0, FALSE, NULL},
    {"RCPT TO:<>", LMTP_FAULT_ARGUMENT, 0, NULL, 0, FALSE, NULL},
    {"RCPT TO:<@x.nl>", LMTP_FAULT_ARGUMENT, 0, NULL, 0, FALSE, NULL},
    {"RCPT TO:<a@>", LMTP_FAULT_ARGUMENT, 0, NULL, 0, FALSE, NULL},
    {"RCPT TO:<@r.nl:a@x.nl>", LMTP_FAULT_ARGUMENT, 0, NULL, 0, FALSE, NULL},
    {"RCPT TO:<a b@x.nl>", LMTP_FAULT_ARGUMENT, 0, NULL, 0, FALSE, NULL},
    {"RCPT TO:<\"a@x.nl>", LMTP_FAULT_ARGUMENT, 0, NULL, 0, FALSE, NULL},
    {"RCPT TO:<a@x.nl", LMTP_FAULT_ARGUMENT, 0, NULL, 0, FALSE, NULL},
    {"RCPT TO:<a@x.nl> NOTIFY=NEVER", LMTP_FAULT_PARAMETER, 0, NULL, 0, FALSE, NULL},
    {"DATA", LMTP_FAULT_NONE, LMTP_DATA, NULL, 0, FALSE, NULL},
    {"DATA  ", LMTP_FAULT_NONE, LMTP_DATA, NULL, 0, FALSE, NULL},
    {"DATA x", LMTP_FAULT_ARGUMENT, 0, NULL, 0, FALSE, NULL},
    {"RSET", LMTP_FAULT_NONE, LMTP_RSET, NULL, 0, FALSE, NULL},
    {"NOOP what", LMTP_FAULT_NONE, LMTP_NOOP, NULL, 0, FALSE, NULL},
    {"QUIT", LMTP_FAULT_NONE, LMTP_QUIT, NULL, 0, FALSE, NULL},
    {"VRFY jan", LMTP_FAULT_NONE, LMTP_VRFY, NULL, 0, FALSE, NULL},
    {"XFORWARD IDENT=4Xyz123", LMTP_FAULT_NONE, LMTP_XFORWARD, NULL, 0, FALSE, "4Xyz123"},
    {"XFORWARD NAME=[UNAVAILABLE] ident=A1 ADDR=192.0.2.1", LMTP_FAULT_NONE, LMTP_XFORWARD,
     NULL, 0, FALSE, "A1"},
    {"XFORWARD SOURCE=LOCAL", LMTP_FAULT_NONE, LMTP_XFORWARD, NULL, 0, FALSE, NULL},
    {"XFORWARD IDENT=a,b", LMTP_FAULT_ARGUMENT, 0, NULL, 0, FALSE, NULL},
    {"XFORWARD", LMTP_FAULT_ARGUMENT, 0, NULL, 0, FALSE, NULL},
    {"XFORWARD IDENT", LMTP_FAULT_ARGUMENT, 0, NULL, 0, FALSE, NULL},
    {"HELO x", LMTP_FAULT_NOT_HERE, 0, NULL, 0, FALSE, NULL},
    {"EHLO x", LMTP_FAULT_NOT_HERE, 0, NULL, 0, FALSE, NULL},
    {"STARTTLS", LMTP_FAULT_NOT_HERE, 0, NULL, 0, FALSE, NULL},
    {"BDAT 3 LAST", LMTP_FAULT_NOT_HERE, 0, NULL, 0, FALSE, NULL},
    {"GET / HTTP/1.1", LMTP_FAULT_UNKNOWN, 0, NULL, 0, FALSE, NULL},
    {"", LMTP_FAULT_UNKNOWN, 0, NULL, 0, FALSE, NULL},
    {"NOOP\t", LMTP_FAULT_BYTES, 0, NULL, 0, FALSE, NULL},
    {"RSET\rRSET", LMTP_FAULT_BYTES, 0, NULL, 0, FALSE, NULL},
    {"RSET\nRSET", LMTP_FAULT_BYTES, 0, NULL, 0, FALSE, NULL},
    {"NOOP \x7f", LMTP_FAULT_BYTES, 0, NULL, 0, FALSE, NULL},
};

static void
test_commands(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(command_rows); i++) {
    LmtpCommand command = {.fault = 99, .verb = 99, .path = g_strdup("wrong")};
    command.ident = g_strdup("wrong");
    lmtp_command_parse(&command, command_rows[i].line, strlen(command_rows[i].line));
    g_test_message("%s", command_rows[i].line);
    g_assert_cmpint(command.fault, ==, command_rows[i].fault);
    if (command.fault == LMTP_FAULT_NONE) {
      g_assert_cmpint(command.verb, ==, command_rows[i].verb);
      g_assert_cmpstr(command.path, ==, command_rows[i].path);
      g_assert_cmpuint(command.size_bytes, ==, command_rows[i].size);
      g_assert_cmpint(command.utf8, ==, command_rows[i].utf8);
      g_assert_cmpstr(command.ident, ==, command_rows[i].ident);
    }
    lmtp_command_clear(&command);
  }
}

static void
test_nul_in_command(void)
{
  LmtpCommand command = {.fault = LMTP_FAULT_NONE};
  lmtp_command_parse(&command, "RSET\0", 5);
  g_assert_cmpint(command.fault, ==, LMTP_FAULT_BYTES);
  lmtp_command_clear(&command);
}

/* ---- Streams ---- */

/*
 * What a stream does, as text: commands as "[verb]" or "[!fault]", content as it is, the
 * end as "[end]". DATA begins a message. Pieces of STEP bytes.
 */
static char *
trace(const char *bytes, gsize len, gsize step)
{
  g_autoptr(Lmtp) lmtp = lmtp_new();
  GString *out = g_string_new(NULL);
  for (gsize at = 0; at < len; at += step) {
    gsize piece = MIN(step, len - at);
    g_autofree char *copy = g_memdup2(bytes + at, piece);
    gsize used = 0;
    LmtpEvent event = {.kind = LMTP_EVENT_CONTENT};
    while (event.kind != LMTP_EVENT_MORE) {
      used += lmtp_next(lmtp, copy + used, piece - used, &event);
      if (event.kind == LMTP_EVENT_CONTENT)
        g_string_append_len(out, event.content, (gssize) event.content_len);
      else if (event.kind == LMTP_EVENT_END)
        g_string_append(out, "[end]");
      else if (event.kind == LMTP_EVENT_COMMAND && event.command->fault != LMTP_FAULT_NONE)
        g_string_append_printf(out, "[!%d]", event.command->fault);
      else if (event.kind == LMTP_EVENT_COMMAND)
        g_string_append_printf(out, "[%d]", event.command->verb);
      if (event.kind == LMTP_EVENT_COMMAND && event.command->fault == LMTP_FAULT_NONE &&
          event.command->verb == LMTP_DATA)
        lmtp_begin_content(lmtp);
    }
    g_assert_cmpuint(used, ==, piece);
  }
  return g_string_free(out, FALSE);
}

#define D "DATA\r\n"

static const struct {
  const char *in;
  const char *out; /* 3 is DATA, 4 RSET, 6 QUIT */
} stream_rows[] = {
    {"RSET\r\nQUIT\r\n", "[4][6]"},
    {"RSET\r\nQUI", "[4]"},
    {"RSET\nQUIT\r\n", "[!2]"},
    {"RSET\r\r\nQUIT\r\n", "[!2][6]"},
    {D ".\r\nQUIT\r\n", "[3][end][6]"},
    {D "a\r\n.\r\nQUIT\r\n", "[3]a\r\n[end][6]"},
    {D "a\r\nb\r\n.\r\n", "[3]a\r\nb\r\n[end]"},
    {D "..\r\n.\r\n", "[3].\r\n[end]"},
    {D "a\r\n..b\r\n.c\r\n.\r\n", "[3]a\r\n.b\r\nc\r\n[end]"},
    {D ".\r.\r\n.\r\n", "[3]\r.\r\n[end]"},
    {D ".\r\r\n.\r\n", "[3]\r\r\n[end]"},
    /* smuggling: nothing but CRLF.CRLF ends a message (T29) */
    {D "a\n.\nRSET\r\n.\r\n", "[3]a\n.\nRSET\r\n[end]"},
    {D "a\n.\r\nRSET\r\n.\r\n", "[3]a\n.\r\nRSET\r\n[end]"},
    {D "a\r\n.\nRSET\r\n.\r\n", "[3]a\r\n\nRSET\r\n[end]"},
    {D "a\r.\r\nRSET\r\n.\r\n", "[3]a\r.\r\nRSET\r\n[end]"},
    {D "a\r.\rRSET\r\n.\r\n", "[3]a\r.\rRSET\r\n[end]"},
    {D "a\r\n.\rRSET\r\n.\r\n", "[3]a\r\n\rRSET\r\n[end]"},
    {D "a\r\r\n.\r\nQUIT\r\n", "[3]a\r\r\n[end][6]"},
    {D "\r\n\r\n.\r\n", "[3]\r\n\r\n[end]"},
    {D "DATA\r\n.\r\n" D "x\r\n.\r\n", "[3]DATA\r\n[end][3]x\r\n[end]"},
    {D "a\rb.c\r\n.\r\n", "[3]a\rb.c\r\n[end]"},
    {D "a.b\r\nc.\r\n.\r\n", "[3]a.b\r\nc.\r\n[end]"},
};

static void
test_streams(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(stream_rows); i++) {
    gsize len = strlen(stream_rows[i].in);
    for (gsize step = 1; step <= len; step++) {
      g_autofree char *got = trace(stream_rows[i].in, len, step);
      g_assert_cmpstr(got, ==, stream_rows[i].out);
    }
  }
}

static void
test_long_lines(void)
{
  static const struct {
    gsize len; /* with CRLF */
    const char *out;
  } rows[] = {
      {LMTP_LINE_MAX_BYTES, "[5][6]"},
      {LMTP_LINE_MAX_BYTES + 1, "[!1][6]"},
      {100000, "[!1][6]"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *fill = g_strnfill(rows[i].len - strlen("NOOP \r\n"), 'x');
    g_autofree char *in = g_strdup_printf("NOOP %s\r\nQUIT\r\n", fill);
    for (gsize step = 1; step < 70000; step = step * 3 + 1) {
      g_autofree char *got = trace(in, strlen(in), step);
      g_assert_cmpstr(got, ==, rows[i].out);
    }
  }
}

static void
test_long_content_line(void)
{
  g_autofree char *fill = g_strnfill(100000, 'x');
  g_autofree char *in = g_strdup_printf(D "%s\r\n.\r\n", fill);
  g_autofree char *expected = g_strdup_printf("[3]%s\r\n[end]", fill);
  for (gsize step = 1; step < 200000; step = step * 5 + 2) {
    g_autofree char *got = trace(in, strlen(in), step);
    g_assert_cmpstr(got, ==, expected);
  }
}

static void
test_all_bytes(void)
{
  GString *in = g_string_new(D);
  for (guint c = 0; c < 256; c++)
    g_string_append_c(in, (char) c);
  g_autoptr(Lmtp) lmtp = lmtp_new();
  LmtpEvent event;
  gsize used = lmtp_next(lmtp, in->str, in->len, &event);
  lmtp_begin_content(lmtp);
  used += lmtp_next(lmtp, in->str + used, in->len - used, &event);
  g_assert_cmpuint(used, ==, in->len);
  g_assert_cmpmem(event.content, event.content_len, in->str + strlen(D), 256);
  g_string_free(in, TRUE);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/deliver/lmtp/commands", test_commands);
  g_test_add_func("/deliver/lmtp/nul-in-command", test_nul_in_command);
  g_test_add_func("/deliver/lmtp/streams", test_streams);
  g_test_add_func("/deliver/lmtp/long-lines", test_long_lines);
  g_test_add_func("/deliver/lmtp/long-content-line", test_long_content_line);
  g_test_add_func("/deliver/lmtp/all-bytes", test_all_bytes);
  return g_test_run();
}
