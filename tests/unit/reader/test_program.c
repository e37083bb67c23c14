/*
 * test_program.c - the real zegel-reader, in its sandbox, as the viewer runs it.
 */
#include <gio/gio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "config.h"
#include "tests/unit/reader/charsets.h"
#include "tests/unit/reader/harmless.h"
#include "tests/unit/reader/xss_vectors.h"
#include "tests/unit/tap.h"

#define MEGABYTE    (1024 * 1024)
#define CPU_LIMIT_S 12 /* the reader's own and a second, and room to start */
#define LINE_BYTES  76
#define RSS_MAX_KB  (400 * 1024)

/* Enough to run out of something; sanitizers make each ten times as dear. */
#ifdef ZEGEL_SANITIZERS
#define BOMB_UNITS 30000
#else
#define BOMB_UNITS 1000000
#endif

typedef struct {
  GBytes *out;
  int status; /* of waitpid */
} Result;

static char *
program_path(void)
{
  return g_test_build_filename(G_TEST_BUILT, "reader", "zegel-reader", NULL);
}

/* Runs the reader for VIEW (a word or two) with LEN bytes at MESSAGE on standard input. */
static Result
run(const char *view, const char *message, gsize len)
{
  g_autofree char *program = program_path();
  g_auto(GStrv) words = g_strsplit(view, " ", 2);
  const char *argv[] = {program, words[0], words[1], NULL};
  g_autoptr(GError) error = NULL;
  g_autoptr(GSubprocess) child =
      g_subprocess_newv(argv,
                        G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
                            G_SUBPROCESS_FLAGS_STDERR_SILENCE,
                        &error);
  g_assert_no_error(error);
  g_autoptr(GBytes) in = g_bytes_new(message, len);
  Result result = {NULL, 0};
  /* The reader may stop before it has read all: that is no failure of this test. */
  if (!g_subprocess_communicate(child, in, NULL, &result.out, NULL, NULL))
    g_subprocess_wait(child, NULL, NULL);
  if (result.out == NULL)
    result.out = g_bytes_new(NULL, 0);
  result.status = g_subprocess_get_status(child);
  return result;
}

static char *
result_text(Result result)
{
  g_assert_true(WIFEXITED(result.status));
  g_assert_cmpint(WEXITSTATUS(result.status), ==, EX_OK);
  gsize len;
  const char *bytes = g_bytes_get_data(result.out, &len);
  char *text = len > 0 ? g_strndup(bytes, len) : g_strdup("");
  g_bytes_unref(result.out);
  return text;
}

static char *
run_text(const char *view, const char *message)
{
  return result_text(run(view, message, strlen(message)));
}

static void
assert_exit(const char *view, const char *message, int expected)
{
  Result result = run(view, message, strlen(message));
  g_assert_true(WIFEXITED(result.status));
  g_assert_cmpint(WEXITSTATUS(result.status), ==, expected);
  g_assert_cmpuint(g_bytes_get_size(result.out), ==, 0);
  g_bytes_unref(result.out);
}

/* Each character set in a body, a subject and a file name, all inside the sandbox. */
static void
test_charsets(void)
{
  for (const CharsetRow *row = charset_rows; row->label != NULL; row++) {
    g_autofree char *body = g_base64_encode((const guchar *) row->bytes, row->len);
    const char *label = row->label[0] != '\0' ? row->label : "x-none";
    g_autofree char *message =
        g_strdup_printf("From: a@example.nl\nSubject: =?%s?B?%s?=\n"
                        "Content-Type: multipart/mixed; boundary=b\n\n"
                        "--b\nContent-Type: text/plain; charset=\"%s\"\n"
                        "Content-Transfer-Encoding: base64\n\n%s\n"
                        "--b\nContent-Type: image/png; name=\"=?%s?B?%s?=\"\n\nx\n--b--\n",
                        label, body, label, body, label, body);
    g_autofree char *text = run_text("text", message);
    g_autofree char *expected = g_strconcat(row->text, "\n", NULL);
    g_assert_cmpstr(text, ==, expected);
    g_autofree char *summary = run_text("summary", message);
    g_autofree char *subject = g_strdup_printf("subject=%s\n", row->text);
    g_autofree char *name = g_strdup_printf("name=%s\n", row->text);
    g_assert_nonnull(strstr(summary, subject));
    g_assert_nonnull(strstr(summary, name));
  }
}

/* Names that nobody loaded: the C library would look for a file. */
static void
test_unloaded_charsets(void)
{
  static const char *const labels[] = {"EBCDIC-US",  "IBM1047",           "TSCII",
                                       "ISO-IR-209", "../../../../tmp/x", "UTF-8//TRANSLIT",
                                       "MIK"};
  for (gsize i = 0; i < G_N_ELEMENTS(labels); i++) {
    g_autofree char *message = g_strdup_printf(
        "From: =?%s?Q?a=E9?= <a@example.nl>\nSubject: =?%s?Q?caf=E9?=\n"
        "Content-Type: multipart/mixed; boundary=b\n\n"
        "--b\nContent-Type: text/plain; charset=\"%s\"\n\ncaf\xe9\n"
        "--b\nContent-Type: image/png\n"
        "Content-Disposition: attachment; filename*=%s''caf%%E9.png\n\nx\n--b--\n",
        labels[i], labels[i], labels[i], labels[i]);
    g_autofree char *text = run_text("text", message);
    g_assert_true(g_str_has_prefix(text, "caf"));
    g_autofree char *summary = run_text("summary", message);
    g_assert_nonnull(strstr(summary, "from=a@example.nl\n"));
    g_assert_nonnull(strstr(summary, "subject=caf"));
  }
}

/* Every message of tests/data/mail, every view. */
static void
test_all_messages(void)
{
  g_autofree char *dir = g_test_build_filename(G_TEST_DIST, "tests", "data", "mail", NULL);
  g_autoptr(GDir) files = g_dir_open(dir, 0, NULL);
  guint count = 0;
  for (const char *file; (file = g_dir_read_name(files)) != NULL; count++) {
    g_autofree char *path = g_build_filename(dir, file, NULL);
    g_autofree char *bytes = NULL;
    gsize len = 0;
    g_assert_true(g_file_get_contents(path, &bytes, &len, NULL));
    g_autofree char *summary = result_text(run("summary", bytes, len));
    g_autofree char *text = result_text(run("text", bytes, len));
    g_autofree char *html = result_text(run("html", bytes, len));
    g_assert_true(g_str_has_suffix(summary, "\n\n"));
    g_assert_true(g_utf8_validate(text, -1, NULL));
    g_autofree char *fault = harmless_find_fault(html, strlen(html), TRUE);
    g_assert_cmpstr(fault, ==, NULL);
  }
  g_assert_cmpuint(count, >=, 25);
}

static void
test_statuses(void)
{
  static const char message[] = "From: a@example.nl\n\nx\n";
  assert_exit("part 1", message, EX_DATAERR);
  assert_exit("part 0", message, EX_USAGE);
  assert_exit("part x", message, EX_USAGE);
  assert_exit("part -1", message, EX_USAGE);
  assert_exit("part", message, EX_USAGE);
  assert_exit("source", message, EX_USAGE);
  assert_exit("text 1", message, EX_USAGE);
  assert_exit("zip 1", message, EX_USAGE);
  assert_exit("form x", message, EX_USAGE);
  assert_exit("pdf", message, EX_USAGE);
  assert_exit("pdf de", message, EX_USAGE);
  g_autofree char *empty = run_text("summary", "");
  g_assert_true(g_str_has_suffix(empty, "\n\n"));
  g_assert_nonnull(strstr(empty, "body=none\n"));
}

/* The views that another program makes, in its own sandbox. */
static void
test_zip(void)
{
  g_autofree char *dir = g_test_build_filename(G_TEST_DIST, "tests", "data", "mail", NULL);
  g_autoptr(GDir) files = g_dir_open(dir, 0, NULL);
  for (const char *file; (file = g_dir_read_name(files)) != NULL;) {
    g_autofree char *path = g_build_filename(dir, file, NULL);
    g_autofree char *bytes = NULL;
    gsize len = 0;
    g_assert_true(g_file_get_contents(path, &bytes, &len, NULL));
    Result result = run("zip", bytes, len);
    gsize got;
    const char *zip = g_bytes_get_data(result.out, &got);
    g_test_message("%s: %d", file, result.status);
    g_assert_cmpint(result.status, ==, 0);
    g_assert_cmpuint(got, >, 4);
    g_assert_true(memcmp(zip, "PK", 2) == 0);
    g_bytes_unref(result.out);
  }
}

/* Fonts are found and read in the sandbox. */
static void
test_pdf(void)
{
  g_autofree char *dir = g_test_build_filename(G_TEST_DIST, "tests", "data", "mail", NULL);
  g_autoptr(GDir) files = g_dir_open(dir, 0, NULL);
  for (const char *file; (file = g_dir_read_name(files)) != NULL;) {
    g_autofree char *path = g_build_filename(dir, file, NULL);
    g_autofree char *bytes = NULL;
    gsize len = 0;
    g_assert_true(g_file_get_contents(path, &bytes, &len, NULL));
    Result result = run(len % 2 == 0 ? "pdf nl" : "pdf en", bytes, len);
    gsize got;
    const char *pdf = g_bytes_get_data(result.out, &got);
    g_test_message("%s: %d", file, result.status);
    g_assert_cmpint(result.status, ==, 0);
    g_assert_cmpuint(got, >, 1000);
    g_assert_true(memcmp(pdf, "%PDF-1.", 7) == 0);
    g_assert_true(memcmp(pdf + got - 6, "%%EOF\n", 6) == 0);
    g_bytes_unref(result.out);
  }
}

static void
test_form(void)
{
  g_autofree char *frames = run_text(
      "form", "Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
              "Content-Disposition: form-data; name=\"f\"; filename=\"\xff a.txt\"\r\n"
              "Content-Type: text/plain; charset=iso-2022-jp\r\n\r\nx\r\n--b\r\n"
              "Content-Disposition: form-data; name=\"t\"\r\n\r\ncaf\xe9\r\n--b--\r\n");
  g_assert_cmpstr(frames, ==,
                  "file f \xc3\xbf%20a.txt text/plain 1\nxfield t 5\ncaf\xc3\xa9"
                  "end\n");
  assert_exit("form", "From: a@example.nl\n\nx\n", EX_DATAERR);
  g_autoptr(GString) many =
      g_string_new("Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n");
  for (guint i = 0; i < 101; i++)
    g_string_append(many, "Content-Disposition: form-data; name=a\r\n\r\nx\r\n--b\r\n");
  g_string_truncate(many, many->len - 2);
  g_string_append(many, "--\r\n");
  assert_exit("form", many->str, EX_TEMPFAIL);
}

static void
test_too_large(void)
{
  static const char head[] = "From: a@example.nl\n\n";
  gsize len = 64 * MEGABYTE;
  g_autofree char *message = g_malloc(len + 1);
  memset(message, 'x', len + 1);
  memcpy(message, head, strlen(head));
  Result fits = run("summary", message, len);
  g_autofree char *summary = result_text(fits);
  g_assert_nonnull(strstr(summary, "from=a@example.nl\n"));
  Result large = run("summary", message, len + 1);
  g_assert_true(WIFEXITED(large.status));
  g_assert_cmpint(WEXITSTATUS(large.status), ==, EX_TEMPFAIL);
  if (large.out != NULL)
    g_bytes_unref(large.out);
}

static const char *const bomb_views[] = {"summary", "html",   "text",
                                         "zip",     "pdf nl", "bounce"};

/* The CPU time of all children: another clock would also measure what else runs here. */
static gint64
children_cpu_ms(void)
{
  struct rusage usage;
  g_assert_cmpint(getrusage(RUSAGE_CHILDREN, &usage), ==, 0);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
         (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

/* Shows VIEW of MESSAGE: in time, and either all of it or nothing that looks like it. */
static void
throw_bomb(const GString *message, const char *view)
{
  gint64 before_ms = children_cpu_ms();
  Result result = run(view, message->str, message->len);
  gint64 ms = children_cpu_ms() - before_ms;
  gsize len = 0;
  const char *bytes = g_bytes_get_data(result.out, &len);
  g_test_message("%s: status %d, %" G_GSIZE_FORMAT " bytes, %" G_GINT64_FORMAT " ms", view,
                 result.status, len, ms);
  g_assert_cmpint(ms, <, CPU_LIMIT_S * 1000);
  gboolean is_shown = WIFEXITED(result.status) && WEXITSTATUS(result.status) == EX_OK;
  if (WIFEXITED(result.status) && !is_shown)
    g_assert_cmpint(WEXITSTATUS(result.status), ==, EX_TEMPFAIL);
  if (is_shown && strcmp(view, "html") == 0) {
    g_autofree char *fault = harmless_find_fault(bytes, len, TRUE);
    g_assert_cmpstr(fault, ==, NULL);
  }
  g_bytes_unref(result.out);
}

/* A message that eats time or memory ends the reader, not the machine. */
static void
test_bombs(void)
{
  static const struct {
    const char *head;
    const char *unit;
    gsize count;
  } bombs[] = {
      {"Content-Type: multipart/mixed; boundary=b\n\n", "--b\n\n", BOMB_UNITS},
      {"From: a@example.nl\nTo: ", "a:", BOMB_UNITS},
      {"From: a@example.nl\nTo: ", "a@b,", BOMB_UNITS},
      {"From: ", "(", BOMB_UNITS},
      {"Subject: ", "=?utf-8?Q?x?= ", BOMB_UNITS},
      {"", "X: y\n", BOMB_UNITS},
      {"Content-Type: text/plain", "; a=b", BOMB_UNITS},
      {"Content-Type: text/plain", ";\n a*0*=utf-8''x", BOMB_UNITS / 10},
      {"Content-Type: text/html\n\n", "<div></x>", BOMB_UNITS / 10},
      {"Content-Type: ", "multipart/mixed; boundary=b\n\n--b\nContent-Type: ",
       BOMB_UNITS / 5},
      {"Content-Type: ", "message/rfc822\n\nContent-Type: ", BOMB_UNITS / 5},
      {"Content-Type: text/html\n\n<p>", "\xe2\x82\xac", BOMB_UNITS * 4},
      {"Content-Type: text/html\n\n", "<b>", BOMB_UNITS},
      {"Content-Type: text/html\n\n<table>", "<tr><td>x", BOMB_UNITS / 10},
      {"Content-Type: text/html\n\n", "<table><tr><td>", BOMB_UNITS / 10},
      {"Content-Type: text/html\n\n", "<a href=https://x.nl/>", BOMB_UNITS / 10},
      {"Content-Type: text/html\n\n<a href=https://x.nl/>", "<i></i>", BOMB_UNITS / 10},
      {"Content-Type: text/plain; charset=utf-8\n\n", "\xe6\xa4\x9c", BOMB_UNITS},
      {"Content-Type: text/plain; charset=utf-8\n\na", "\xcc\x81", BOMB_UNITS},
      {"Content-Type: text/plain\n\n", "- a\n", BOMB_UNITS},
      {"Content-Type: text/plain\n\n", "https://x.nl/ ", BOMB_UNITS / 10},
      {"Content-Type: message/delivery-status\n\n", "Action: failed\n\n", BOMB_UNITS},
      {"\nHi. This is the\n\n", "<\n\n", BOMB_UNITS},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(bombs); i++) {
    g_autoptr(GString) message = g_string_new(bombs[i].head);
    for (gsize n = 0; n < bombs[i].count; n++)
      g_string_append(message, bombs[i].unit);
    g_test_message("bomb %" G_GSIZE_FORMAT, i);
    for (gsize view = 0; view < G_N_ELEMENTS(bomb_views); view++)
      throw_bomb(message, bomb_views[view]);
  }
#ifndef ZEGEL_SANITIZERS
  struct rusage usage;
  g_assert_cmpint(getrusage(RUSAGE_CHILDREN, &usage), ==, 0);
  g_test_message("at most %ld kB", usage.ru_maxrss);
  g_assert_cmpint(usage.ru_maxrss, <, RSS_MAX_KB);
#endif
}

static void
test_vectors(void)
{
  g_autoptr(GString) message =
      g_string_new("From: a@example.nl\nMIME-Version: 1.0\n"
                   "Content-Type: multipart/mixed; boundary=b\n\n");
  for (gsize i = 0; xss_vectors[i] != NULL; i++)
    g_string_append_printf(message, "--b\nContent-Type: text/html; charset=utf-8\n\n%s\n",
                           xss_vectors[i]);
  g_string_append(message, "--b--\n");
  g_autofree char *html = run_text("html", message->str);
  g_autofree char *fault = harmless_find_fault(html, strlen(html), TRUE);
  g_assert_cmpstr(fault, ==, NULL);
}

static void
test_large_part(void)
{
  gsize len = 36 * MEGABYTE;
  g_autofree guchar *bytes = g_malloc(len);
  g_autoptr(GRand) rand = g_rand_new_with_seed(36);
  for (gsize i = 0; i < len; i += sizeof(guint32)) {
    guint32 word = g_rand_int(rand);
    memcpy(bytes + i, &word, sizeof word);
  }
  g_autofree char *base64 = g_base64_encode(bytes, len);
  g_autoptr(GString) message =
      g_string_new("From: a@example.nl\nMIME-Version: 1.0\n"
                   "Content-Type: multipart/mixed; boundary=b\n\n"
                   "--b\n\ntekst\n--b\nContent-Type: application/zip; name=\"groot.zip\"\n"
                   "Content-Transfer-Encoding: base64\n\n");
  gsize base64_len = strlen(base64);
  for (gsize i = 0; i < base64_len; i += LINE_BYTES) {
    g_string_append_len(message, base64 + i, (gssize) MIN(LINE_BYTES, base64_len - i));
    g_string_append(message, "\r\n");
  }
  g_string_append(message, "--b--\r\n");
  Result result = run("part 1", message->str, message->len);
  g_assert_true(WIFEXITED(result.status));
  g_assert_cmpint(WEXITSTATUS(result.status), ==, EX_OK);
  gsize got;
  gconstpointer part = g_bytes_get_data(result.out, &got);
  g_assert_cmpuint(got, ==, len);
  g_assert_cmpint(memcmp(part, bytes, len), ==, 0);
  g_bytes_unref(result.out);
}

/* Standard output on a file is refused before anything is read. */
static void
test_output_file(void)
{
  g_autofree char *program = program_path();
  const char *argv[] = {program, "text", NULL};
  g_autofree char *path = g_build_filename(g_get_tmp_dir(), "zegel-reader-XXXXXX", NULL);
  int fd = g_mkstemp(path);
  g_assert_cmpint(fd, >=, 0);
  close(fd);
  g_autoptr(GSubprocessLauncher) launcher =
      g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_subprocess_launcher_set_stdout_file_path(launcher, path);
  g_autoptr(GSubprocess) child = g_subprocess_launcher_spawnv(launcher, argv, NULL);
  g_assert_nonnull(child);
  g_subprocess_wait(child, NULL, NULL);
  g_assert_cmpint(g_subprocess_get_exit_status(child), ==, EX_USAGE);
  unlink(path);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  g_test_add_func("/program/V4/charsets", test_charsets);
  g_test_add_func("/program/T35/unloaded charsets", test_unloaded_charsets);
  g_test_add_func("/program/F25/all messages", test_all_messages);
  g_test_add_func("/program/V4/zip", test_zip);
  g_test_add_func("/program/V4/pdf", test_pdf);
  g_test_add_func("/program/V5/form", test_form);
  g_test_add_func("/program/V4/exit statuses", test_statuses);
  g_test_add_func("/program/V4/output to a file", test_output_file);
  g_test_add_func("/program/T9/vectors", test_vectors);
  g_test_add_func("/program/F24/large part", test_large_part);
  g_test_add_func("/program/F24/too large", test_too_large);
  g_test_add_func("/program/T13/bombs", test_bombs);
  return g_test_run();
}
