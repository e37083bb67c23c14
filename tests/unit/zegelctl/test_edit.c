#include "zegelctl/edit.h"

#include <string.h>

#include "tests/unit/tap.h"

#define BOOK                                                                               \
  "# the book\r\n\n  a.nl [a.nl]\tdane-only   # first\nB.NL b.nl secure\nc.nl c.nl secure"

/* Applies EDIT to TEXT; the result is freed by the caller. */
static char *
apply(const Edit *edit, const char *text)
{
  return g_string_free(edit_apply(edit, text, strlen(text)), FALSE);
}

static void
test_nothing(void)
{
  g_autoptr(Edit) edit = edit_new();
  g_autofree char *same = apply(edit, BOOK);
  g_assert_cmpstr(same, ==, BOOK);
  g_assert_false(edit_is_change(edit));
}

static void
test_drop(void)
{
  g_autoptr(Edit) edit = edit_new();
  edit_drop(edit, 3);
  edit_drop(edit, 5);
  g_assert_true(edit_is_change(edit));
  g_autofree char *text = apply(edit, BOOK);
  g_assert_cmpstr(text, ==, "# the book\r\n\nB.NL b.nl secure\n");
}

static void
test_replace_keeps_the_comment(void)
{
  g_autoptr(Edit) edit = edit_new();
  edit_replace(edit, 3, "a.nl x");
  edit_replace(edit, 4, "b.nl y");
  g_autofree char *text = apply(edit, BOOK);
  g_assert_cmpstr(text, ==, "# the book\r\n\na.nl x   # first\nb.nl y\nc.nl c.nl secure");
}

static void
test_add_at_the_end(void)
{
  g_autoptr(Edit) edit = edit_new();
  edit_add(edit, "d.nl");
  edit_add(edit, "e.nl");
  g_autofree char *text = apply(edit, BOOK);
  g_assert_cmpstr(text, ==, BOOK "\nd.nl\ne.nl\n");
  g_autofree char *of_nothing = apply(edit, "");
  g_assert_cmpstr(of_nothing, ==, "d.nl\ne.nl\n");
}

static void
test_add_behind(void)
{
  g_autoptr(Edit) edit = edit_new();
  edit_add(edit, "d.nl");
  edit_add_behind(edit, 4);
  g_autofree char *text = apply(edit, BOOK);
  g_assert_cmpstr(text, ==,
                  "# the book\r\n\n  a.nl [a.nl]\tdane-only   # first\nB.NL b.nl secure\n"
                  "d.nl\nc.nl c.nl secure");
}

/* The line that new ones come behind may itself go; the last one may have no end. */
static void
test_add_behind_a_line_that_goes(void)
{
  g_autoptr(Edit) edit = edit_new();
  edit_drop(edit, 5);
  edit_add(edit, "d.nl");
  edit_add_behind(edit, 5);
  g_autofree char *text = apply(edit, "1\n2\n3\n4\n5");
  g_assert_cmpstr(text, ==, "1\n2\n3\n4\nd.nl\n");
  g_autoptr(Edit) last = edit_new();
  edit_add(last, "d.nl");
  edit_add_behind(last, 2);
  g_autofree char *behind = apply(last, "1\n2");
  g_assert_cmpstr(behind, ==, "1\n2\nd.nl\n");
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/edit/no change leaves every byte", test_nothing);
  g_test_add_func("/edit/lines go, others stay as they are", test_drop);
  g_test_add_func("/edit/a changed line keeps its comment", test_replace_keeps_the_comment);
  g_test_add_func("/edit/new lines come at the end", test_add_at_the_end);
  g_test_add_func("/edit/new lines come behind a line", test_add_behind);
  g_test_add_func("/edit/new lines come behind one that goes",
                  test_add_behind_a_line_that_goes);
  return g_test_run();
}
