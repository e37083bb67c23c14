#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#include "common/base/error.h"
#include "deliver/bounce_reader.h"
#include "tests/unit/tap.h"

static const struct {
  const char *block;
  int kind; /* -1: refused */
  const char *status;
  const char *text;
} rows[] = {
    {"action=failed\nstatus=5.1.1\ndiagnostic=550 no such user\n\n", BOUNCE_FAILED, "5.1.1",
     "550 no such user"},
    {"action=delayed\nstatus=4.4.1\ndiagnostic=\n\n", BOUNCE_DELAYED, "4.4.1", ""},
    {"action=delivered\nstatus=2.0.0\ndiagnostic=ok\n\n", BOUNCE_OTHER, "2.0.0", "ok"},
    {"action=other\nstatus=\ndiagnostic=\n\n", BOUNCE_OTHER, "", ""},
    {"action=failed\n\n", BOUNCE_FAILED, "", ""},
    {"action=failed\nstatus=5.999.999\n\n", BOUNCE_FAILED, "5.999.999", ""},
    {"action=failed\nstatus=5.1.1\ndiagnostic=a%0Ab\n\n", BOUNCE_FAILED, "5.1.1", "a\nb"},
    {"action=failed\nstatus=5.1.1\ndiagnostic=\xff\n\n", BOUNCE_FAILED, "5.1.1",
     "\xef\xbf\xbd"},
    {"status=5.1.1\n\n", -1, NULL, NULL},
    {"action=FAILED\n\n", -1, NULL, NULL},
    {"action=\n\n", -1, NULL, NULL},
    {"action=failed\nstatus=5.1.1 \n\n", -1, NULL, NULL},
    {"action=failed\nstatus=5.1.1%0A\n\n", -1, NULL, NULL},
    {"action=failed\nstatus=5.1111.1\n\n", -1, NULL, NULL},
    {"action=failed\nstatus=x\n\n", -1, NULL, NULL},
    {"no block", -1, NULL, NULL},
    {"", -1, NULL, NULL},
};

static void
test_parse(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    Bounce bounce = {.kind = (BounceKind) 77, .status = "wrong"};
    g_autoptr(GError) error = NULL;
    gboolean read = bounce_parse(rows[i].block, strlen(rows[i].block), &bounce, &error);
    g_test_message("%s", rows[i].block);
    g_assert_cmpint(read, ==, rows[i].kind >= 0);
    if (read) {
      g_assert_cmpint((int) bounce.kind, ==, rows[i].kind);
      g_assert_cmpstr(bounce.status, ==, rows[i].status);
      g_assert_cmpstr(bounce.text, ==, rows[i].text);
    } else {
      g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
    }
    bounce_clear(&bounce);
  }
}

/* A program that answers SCRIPT, whatever it reads. The caller removes and frees it. */
static char *
write_reader(const char *script)
{
  char *path = NULL;
  int fd = g_file_open_tmp("readerXXXXXX", &path, NULL);
  g_autofree char *text = g_strdup_printf("#!/bin/sh\n%s\n", script);
  g_assert_cmpint(fd, >=, 0);
  g_close(fd, NULL);
  g_unlink(path); /* the mode is only for a new file */
  g_assert_true(
      g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0700, NULL));
  return path;
}

/* What the program does, and what becomes of it; it may leave most of a large message. */
static void
test_program(void)
{
  static const struct {
    const char *script;
    int kind; /* -1: not now */
  } scripts[] = {
      {"cat >/dev/null; printf 'action=failed\\nstatus=5.1.1\\n\\n'", BOUNCE_FAILED},
      {"printf 'action=delayed\\nstatus=4.0.0\\n\\n'", BOUNCE_DELAYED},
      {"[ \"$*\" = bounce ] && [ \"$(wc -c)\" = 300000 ] && printf 'action=other\\n\\n'",
       BOUNCE_OTHER},
      {"exit 65", BOUNCE_OTHER},
      {"exit 1", -1},
      {"kill -9 $$", -1},
      {"printf 'action=maybe\\n\\n'", -1},
      {"yes action=failed | head -c 100000", -1},
  };
  g_autofree char *message = g_strnfill(300000, 'x');
  for (guint i = 0; i < G_N_ELEMENTS(scripts); i++) {
    g_autofree char *reader = write_reader(scripts[i].script);
    Bounce bounce;
    g_autoptr(GError) error = NULL;
    gboolean read = bounce_read(reader, message, 300000, &bounce, &error);
    g_test_message("%s: %s", scripts[i].script, read ? "read" : error->message);
    g_assert_cmpint(read, ==, scripts[i].kind >= 0);
    if (read)
      g_assert_cmpint((int) bounce.kind, ==, scripts[i].kind);
    else
      g_assert_nonnull(error);
    bounce_clear(&bounce);
    g_unlink(reader);
  }
  Bounce bounce;
  g_autoptr(GError) error = NULL;
  g_assert_false(bounce_read("/nonexistent/reader", "x", 1, &bounce, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
  bounce_clear(&bounce);
}

int
main(int argc, char **argv)
{
  signal(SIGPIPE, SIG_IGN);
  tap_init(argc, argv);
  g_test_add_func("/deliver/bounce-reader/parse", test_parse);
  g_test_add_func("/deliver/bounce-reader/program", test_program);
  return g_test_run();
}
