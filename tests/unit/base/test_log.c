/* Log lines: nothing secret in them, and no value that looks like another key (A3, T20). */
#include "common/base/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/tap.h"

static void
test_mask(void)
{
  static const struct {
    const char *number, *masked;
  } rows[] = {
      {"+31612345678", "+316******78"},
      {"+32470123456", "+324******56"},
      {"+1234567", "+123**67"},
      {"+12345", "+12345"},
      {"+1", "+1"},
      {"", ""},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *masked = log_mask_number(rows[i].number);
    g_assert_cmpstr(masked, ==, rows[i].masked);
  }
}

/* Where standard error is while a line is caught. */
static int caught_fd, real_stderr;

static void
catch_begin(void)
{
  fflush(stderr);
  caught_fd = memfd_create("stderr", MFD_CLOEXEC);
  real_stderr = dup(STDERR_FILENO);
  g_assert_cmpint(caught_fd, >=, 0);
  g_assert_cmpint(dup2(caught_fd, STDERR_FILENO), ==, STDERR_FILENO);
}

static char *
catch_end(void)
{
  fflush(stderr);
  dup2(real_stderr, STDERR_FILENO);
  close(real_stderr);
  char *text = g_malloc0(65536);
  g_assert_cmpint(pread(caught_fd, text, 65535, 0), >=, 0);
  close(caught_fd);
  return text;
}

static void
test_line(void)
{
  catch_begin();
  log_line(LOG_LEVEL_INFO, "a %s b", "x\r\ny\x01\x7f");
  g_autofree char *text = catch_end();
  g_assert_cmpstr(text, ==, "a x??y?? b\n");
}

/* What terminals obey beside the controls of ASCII: C1, and marks of direction. */
static void
test_terminal(void)
{
  catch_begin();
  event_log(EVENT_REFUSED, NULL, NULL, "from",
            "jan\xc2\x9b"
            "2J\xe2\x80\xae\xe2\x81\xa6x\xc3\xa9\xe2\x82\xac\xe2\x80\xaf\xc2\xa0\xc2",
            NULL);
  g_autofree char *text = catch_end();
  g_assert_cmpstr(text, ==,
                  "NOQUEUE: event=refused, from=jan??2J??????x\xc3\xa9\xe2\x82\xac"
                  "\xe2\x80\xaf\xc2\xa0\xc2\n");
}

static void
test_event(void)
{
  catch_begin();
  event_log(EVENT_ROUTED, "4Xqueue", "care", "to", "an@ext.nl", "none", NULL, "code", "Z-X",
            NULL);
  event_log(EVENT_REFUSED, NULL, NULL, "from", "a, code=Z-EVIL\n4Y: event=login", NULL);
  event_log(EVENT_REFUSED, "4X: event=login, x", "a b", NULL);
  g_autofree char *text = catch_end();
  g_assert_cmpstr(text, ==,
                  "4Xqueue: event=routed, org=care, to=an@ext.nl, code=Z-X\n"
                  "NOQUEUE: event=refused, from=a??code=Z-EVIL?4Y:?event=login\n"
                  "4X:?event=login??x: event=refused, org=a?b\n");
}

static void
test_names(void)
{
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint kind = EVENT_REFUSED; kind <= EVENT_BOOK; kind++) {
    const char *name = event_name((EventKind) kind);
    g_assert_nonnull(name);
    g_assert_true(g_hash_table_add(seen, (gpointer) name));
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_set_nonfatal_assertions();
  log_open("test", TRUE);
  g_test_add_func("/log/A2-mask", test_mask);
  g_test_add_func("/log/line", test_line);
  g_test_add_func("/log/terminal", test_terminal);
  g_test_add_func("/log/A3-event", test_event);
  g_test_add_func("/log/names", test_names);
  return g_test_run();
}
