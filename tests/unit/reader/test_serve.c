/*
 * test_serve.c - the real zegel-reader in its sandbox, as zegel-milter runs it: message
 * after message, and such as are made to cost.
 */
#include "reader/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/child.h"
#include "config.h"
#include "tests/unit/reader/zips.h"
#include "tests/unit/tap.h"

#define MEGABYTE    (1024 * 1024)
#define LARGE_BYTES (52 * MEGABYTE) /* 36 MB in base64, and some */
#define FRAME_BYTES 65536

/* Sanitizers make each a hundred times as dear. */
#ifdef ZEGEL_SANITIZERS
#define BOMB_PART   30
#define ZIP_ENTRIES 70000
#else
#define BOMB_PART   1
#define ZIP_ENTRIES 600000
#endif
#define WAIT_S 60

static const char plain[] = "Subject: x\r\n\r\nhello\r\n";
static const char nothing[] = "total=0\ncut=0\nlast=0\n\n";

static void
start(Child *child)
{
  g_autofree char *path =
      g_test_build_filename(G_TEST_BUILT, "reader", "zegel-reader", NULL);
  const char *const argv[] = {path, "facts", NULL};
  const char *const environment[] = {NULL};
  g_autoptr(GError) error = NULL;
  g_assert_true(child_start(child, argv, environment, TRUE, &error));
  g_assert_cmpint(fcntl(child->in, F_SETFL, 0), ==, 0);
  g_assert_cmpint(fcntl(child->out, F_SETFL, 0), ==, 0);
}

/* How it ended, which it must soon. */
static int
end(Child *child)
{
  int status = -1;
  gint64 deadline_us = g_get_monotonic_time() + WAIT_S * G_USEC_PER_SEC;
  g_assert_cmpint(child_wait(child, deadline_us, &status), ==, CHILD_EXITED);
  child_end(child);
  return status;
}

/* FALSE when it does not listen any more. */
static gboolean
send_bytes(Child *child, const void *bytes, gsize len)
{
  const char *p = bytes;
  while (len > 0) {
    gssize n = write(child->in, p, len);
    if (n < 0 && errno == EPIPE)
      return FALSE;
    g_assert_cmpint(n, >, 0);
    p += n;
    len -= (gsize) n;
  }
  return TRUE;
}

static gboolean
send_frame(Child *child, const void *bytes, gsize len)
{
  const guint8 head[] = {(guint8) (len >> 24), (guint8) (len >> 16), (guint8) (len >> 8),
                         (guint8) len};
  return send_bytes(child, head, sizeof head) && send_bytes(child, bytes, len);
}

static void
send_message(Child *child, const char *bytes, gsize len, gsize frame_bytes)
{
  for (gsize at = 0; at < len; at += frame_bytes)
    if (!send_frame(child, bytes + at, MIN(frame_bytes, len - at)))
      return;
  send_frame(child, NULL, 0);
}

/* The answer, or what there is of it at the end of output. */
static char *
receive(Child *child)
{
  g_autoptr(GString) answer = g_string_new(NULL);
  char bytes[4096];
  while (!g_str_has_suffix(answer->str, "\n\n")) {
    struct pollfd ready = {.fd = child->out, .events = POLLIN};
    g_assert_cmpint(poll(&ready, 1, WAIT_S * 1000), ==, 1);
    gssize n = read(child->out, bytes, sizeof bytes);
    g_assert_cmpint(n, >=, 0);
    if (n == 0)
      break;
    g_string_append_len(answer, bytes, n);
  }
  return g_string_free(g_steal_pointer(&answer), FALSE);
}

static char *
ask(Child *child, const char *bytes, gsize len)
{
  send_message(child, bytes, len, FRAME_BYTES);
  return receive(child);
}

/* Many in a row, in frames of any size; the last says so. */
static void
test_series(void)
{
  Child child;
  start(&child);
  for (guint i = 1; i <= SERVE_MAX_MESSAGES; i++) {
    send_message(&child, plain, strlen(plain), i);
    g_autofree char *answer = receive(&child);
    g_assert_cmpstr(answer, ==,
                    i < SERVE_MAX_MESSAGES ? nothing : "total=0\ncut=0\nlast=1\n\n");
  }
  g_assert_cmpint(end(&child), ==, EX_OK);
}

static void
test_ends(void)
{
  Child child;
  start(&child);
  g_autofree char *empty = ask(&child, "", 0);
  g_assert_cmpstr(empty, ==, nothing);
  child_close_input(&child);
  g_assert_cmpint(end(&child), ==, EX_OK);
  start(&child); /* within a message */
  send_frame(&child, plain, strlen(plain));
  child_close_input(&child);
  g_assert_cmpint(end(&child), ==, EX_DATAERR);
  start(&child); /* within a frame */
  send_bytes(&child, "\0\0\0\7abc", 7);
  child_close_input(&child);
  g_assert_cmpint(end(&child), ==, EX_DATAERR);
  start(&child); /* a frame that is too long */
  send_bytes(&child, "\0\x10\0\1", 4);
  g_assert_cmpint(end(&child), ==, EX_DATAERR);
}

/* COUNT times UNIT behind HEAD, in one message. */
static GString *
repeat(const char *head, const char *unit, gsize count)
{
  GString *text = g_string_sized_new(strlen(head) + count * strlen(unit) + 100);
  g_string_append(text, head);
  for (gsize i = 0; i < count; i++)
    g_string_append(text, unit);
  return text;
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
#define PDF   MIXED "Content-Type: application/pdf; name=x.pdf\r\n"

/* As large as mail gets, and larger: answered, and then the process ends. */
static void
test_large(void)
{
  static const struct {
    const char *head;
    const char *unit;
    gsize bytes;
    const char *word;
  } rows[] = {
      {PDF "Content-Transfer-Encoding: base64\r\n\r\n",
       "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\r\n",
       LARGE_BYTES, "total=39"},
      {PDF "\r\n", "xxxxxxxxxxxxxxxx", LARGE_BYTES,
       "total=54525952\ncut=0\n"}, /* one line */
      {"\r\n", "xxxxxxxxxxxxxxxx", LARGE_BYTES, "total=0\ncut=0\n"},
      {"Subject: ", "xxxxxxxxxxxxxxxx", 16 * MEGABYTE / BOMB_PART, "total=0\ncut=0\n"},
      {PDF "\r\n", "xxxxxxxxxxxxxx\r\n", 65 * MEGABYTE, "cut=1\n"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GString) text =
        repeat(rows[i].head, rows[i].unit, rows[i].bytes / strlen(rows[i].unit));
    Child child;
    start(&child);
    g_autofree char *first = ask(&child, plain, strlen(plain)); /* it is loaded then */
    g_assert_cmpstr(first, ==, nothing);
    gint64 before_us = g_get_monotonic_time();
    g_autofree char *answer = ask(&child, text->str, text->len);
    g_test_message("%.2f s for %s", (gdouble) (g_get_monotonic_time() - before_us) / 1e6,
                   rows[i].head);
    g_assert_nonnull(strstr(answer, rows[i].word));
    if (text->len > SERVE_LARGE_BYTES)
      g_assert_true(g_str_has_suffix(answer, "last=1\n\n"));
    else
      child_close_input(&child);
    g_assert_cmpint(end(&child), ==, EX_OK);
  }
}

/* Answered, or given up at a limit; soon, and never killed for a forbidden call. */
static void
test_bombs(void)
{
  static const struct {
    const char *head;
    const char *unit;
    gsize count;
  } rows[] = {
      {MIXED, "\r\nx\r\n--b\r\n", 10000},
      {"", "Content-Type: message/rfc822\r\n\r\n", 1000},
      {"", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n", 100000},
      {MIXED "Content-Type: message/rfc822\r\n\r\n",
       "Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n", 20000},
      {"", "X: y\r\n", 1000000},
      {"Subject: ", "xxxxxxxxxxxxxxxx", 52 * 65536},
      {PDF, "Content-Type: image/png; name=x\r\n", 300000},
      {MIXED "Content-Type: image/png", "; name=a", 300000},
      {MIXED "Content-Type: image/png", ";\r\n a*0*=utf-8''x", 30000},
      {MIXED "Content-Type: image/png; name=\"", "=?gb18030?B?eA==?= ", 300000},
      {MIXED "Content-Type: image/png; name=\"", "\xff", 10000000},
      {PDF "\r\n", "PK\3\4\377\377\377\377\377\377", 3000000},
      {PDF "Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 x\r\n", "M", 10000000},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GString) text = repeat(rows[i].head, rows[i].unit, rows[i].count / BOMB_PART);
    Child child;
    start(&child);
    gint64 before_us = g_get_monotonic_time();
    g_autofree char *answer = ask(&child, text->str, text->len);
    gdouble seconds = (gdouble) (g_get_monotonic_time() - before_us) / 1e6;
    child_close_input(&child);
    int status = end(&child);
    if (strstr(answer, "\ncut=1\n") != NULL) /* what it did not free goes with it */
      g_assert_nonnull(strstr(answer, "\nlast=1\n"));
    g_test_message("bomb %" G_GSIZE_FORMAT ": status %d after %.2f s, %s", i, status,
                   seconds, answer[0] != '\0' ? "answered" : "no answer");
    g_assert_true(status == EX_TEMPFAIL ||
                  (status == EX_OK && g_str_has_suffix(answer, "\n\n")));
#ifndef ZEGEL_SANITIZERS
    g_assert_cmpfloat(seconds, <, 30);
#endif
  }
}

/* The archive with most names that fits. */
static void
test_zip(void)
{
  g_autoptr(GByteArray) zip = zips_make_many("x", ZIP_ENTRIES, ".exe", TRUE);
  g_autoptr(GString) text = g_string_new(PDF "\r\n");
  g_string_append_len(text, (const char *) zip->data, (gssize) zip->len);
  Child child;
  start(&child);
  g_autofree char *answer = ask(&child, text->str, text->len);
  g_assert_nonnull(strstr(answer, "\ninside=x.pdf/x0.exe\n"));
  g_assert_nonnull(strstr(answer, "\ncut=0\n"));
  child_close_input(&child);
  g_assert_cmpint(end(&child), ==, EX_OK);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  g_test_add_func("/serve/series", test_series);
  g_test_add_func("/serve/ends", test_ends);
  g_test_add_func("/serve/bombs", test_bombs);
  g_test_add_func("/serve/large", test_large);
  g_test_add_func("/serve/zip", test_zip);
  return g_test_run();
}
