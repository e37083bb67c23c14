/* Log lines: nothing secret in them, and nothing that steers a terminal (T20). */
#include "common/base/log.h"

#include "tests/unit/base/catch.h"
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
  log_line(LOG_LEVEL_INFO, "%s",
           "jan\xc2\x9b"
           "2J\xe2\x80\xae\xe2\x81\xa6x\xc3\xa9\xe2\x82\xac\xe2\x80\xaf\xc2\xa0\xc2");
  g_autofree char *text = catch_end();
  g_assert_cmpstr(text, ==, "jan??2J??????x\xc3\xa9\xe2\x82\xac\xe2\x80\xaf\xc2\xa0\xc2\n");
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
  return g_test_run();
}
