#include "common/ask/check.h"

#include <string.h>

#include "common/ask/ask.h"
#include "common/base/error.h"
#include "tests/unit/tap.h"

static GPtrArray *
lines_new(void)
{
  return g_ptr_array_new_with_free_func((GDestroyNotify) check_line_free);
}

static void
add_line(GPtrArray *lines, CheckResult result, gboolean required)
{
  g_ptr_array_add(lines, check_line_new("Z-N1-DNSSEC", result, required, "the rule",
                                        "10 mx.example.nl\nv=%41", "publish \"x=y\""));
}

static void
test_result(void)
{
  static const struct {
    CheckResult results[2];
    gboolean required[2];
    CheckResult whole;
  } rows[] = {
      {{CHECK_PASS, CHECK_PASS}, {TRUE, TRUE}, CHECK_PASS},
      {{CHECK_PASS, CHECK_FAIL}, {TRUE, TRUE}, CHECK_FAIL},
      {{CHECK_PASS, CHECK_FAIL}, {TRUE, FALSE}, CHECK_PASS},
      {{CHECK_PASS, CHECK_UNKNOWN}, {TRUE, TRUE}, CHECK_UNKNOWN},
      {{CHECK_PASS, CHECK_UNKNOWN}, {TRUE, FALSE}, CHECK_PASS},
      {{CHECK_UNKNOWN, CHECK_FAIL}, {TRUE, TRUE}, CHECK_FAIL},
      {{CHECK_FAIL, CHECK_UNKNOWN}, {TRUE, TRUE}, CHECK_FAIL},
      {{CHECK_FAIL, CHECK_UNKNOWN}, {FALSE, TRUE}, CHECK_UNKNOWN},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GPtrArray) lines = lines_new();
    for (guint n = 0; n < 2; n++)
      add_line(lines, rows[i].results[n], rows[i].required[n]);
    g_test_message("row %u", i);
    g_assert_cmpint(check_lines_result(lines), ==, rows[i].whole);
  }
  g_autoptr(GPtrArray) none = lines_new();
  g_assert_cmpint(check_lines_result(none), ==, CHECK_PASS);
}

static void
test_round_trip(void)
{
  g_autoptr(GPtrArray) lines = lines_new();
  add_line(lines, CHECK_FAIL, TRUE);
  add_line(lines, CHECK_UNKNOWN, FALSE);
  g_autoptr(Attrs) attrs = check_answer_format(lines, TRUE);
  g_autofree char *text = attrs_format(attrs, ATTR_ESCAPED);
  g_autoptr(Attrs) read = attrs_parse(text, strlen(text), ATTR_ESCAPED, NULL);
  gboolean own = FALSE;
  g_autoptr(GPtrArray) copy = check_answer_parse(read, &own, NULL);
  g_assert_nonnull(copy);
  g_assert_true(own);
  g_assert_cmpuint(copy->len, ==, 2);
  for (guint i = 0; i < 2; i++) {
    const CheckLine *line = lines->pdata[i], *other = copy->pdata[i];
    g_assert_cmpstr(other->code, ==, line->code);
    g_assert_cmpint(other->result, ==, line->result);
    g_assert_cmpint(other->required, ==, line->required);
    g_assert_cmpstr(other->title, ==, line->title);
    g_assert_cmpstr(other->evidence, ==, line->evidence);
    g_assert_cmpstr(other->cure, ==, line->cure);
  }
}

static void
test_question(void)
{
  static char domain[] = "example.nl";
  const CheckQuestion question = {domain, TRUE};
  g_autoptr(Attrs) attrs = check_question_format(&question);
  g_autoptr(CheckQuestion) copy = check_question_parse(attrs, NULL);
  g_assert_nonnull(copy);
  g_assert_cmpstr(copy->domain, ==, "example.nl");
  g_assert_true(copy->fresh);

  g_autofree char *longest = g_strnfill(ASK_WORD_MAX_BYTES + 1, 'a');
  g_autofree char *too_long =
      g_strdup_printf("request=domain\nversion=3\nfresh=no\ndomain=%s\n\n", longest);
  const char *const bad[] = {
      "request=domain\nversion=3\nfresh=no\n\n",
      "request=domain\nversion=3\nfresh=no\ndomain=\n\n",
      "request=route\nversion=3\nfresh=no\ndomain=example.nl\n\n",
      "request=domain\nversion=1\nfresh=no\ndomain=example.nl\n\n",
      "request=domain\nfresh=no\ndomain=example.nl\n\n",
      too_long,
      "\n",
  };
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Attrs) read = attrs_parse(bad[i], strlen(bad[i]), ATTR_ESCAPED, NULL);
    g_autoptr(CheckQuestion) none = check_question_parse(read, &error);
    g_test_message("row %u", i);
    g_assert_null(none);
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  }
}

#define LINE "code=Z\nresult=pass\nrequired=yes\ntitle=\nevidence=\ncure=\n"

static const struct {
  const char *block;
  int code; /* of the error; -1: none */
} answers[] = {
    {"version=3\nown=no\n\n", -1},
    {"version=3\nown=no\n" LINE "\n", -1},
    {"version=3\nown=no\n" LINE LINE "\n", -1},
    {"version=3\nown=no\n" LINE "code=Z\n\n", ZEGEL_ERROR_INVALID},
    {"version=3\n" LINE "\n", ZEGEL_ERROR_INVALID},
    {"own=no\n" LINE "\n", ZEGEL_ERROR_INVALID},
    {"version=1\nown=no\n" LINE "\n", ZEGEL_ERROR_INVALID},
    {"version=3\nown=no\nresult=pass\ncode=Z\nrequired=yes\ntitle=\nevidence=\ncure=\n\n",
     ZEGEL_ERROR_INVALID},
    {"version=3\nown=no\ncode=Z\nresult=good\nrequired=yes\ntitle=\nevidence=\ncure=\n\n",
     ZEGEL_ERROR_INVALID},
    {"version=3\nerror=not now\n\n", ZEGEL_ERROR_TEMPORARY},
    {"\n", ZEGEL_ERROR_INVALID},
};

static void
test_answers(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(answers); i++) {
    const char *block = answers[i].block;
    gboolean own = TRUE;
    g_autoptr(GError) error = NULL;
    g_autoptr(Attrs) attrs = attrs_parse(block, strlen(block), ATTR_ESCAPED, NULL);
    g_autoptr(GPtrArray) lines = check_answer_parse(attrs, &own, &error);
    g_test_message("row %u", i);
    g_assert_true((lines != NULL) == (answers[i].code < 0));
    if (lines != NULL)
      g_assert_false(own);
    else
      g_assert_error(error, ZEGEL_ERROR, answers[i].code);
  }
}

static void
test_limits(void)
{
  g_autofree char *text = g_strnfill(CHECK_TEXT_MAX_BYTES + 10, 'x');
  for (guint count = CHECK_MAX_LINES; count <= CHECK_MAX_LINES + 1; count++) {
    g_autoptr(GPtrArray) lines = lines_new();
    for (guint i = 0; i < count; i++)
      g_ptr_array_add(lines,
                      check_line_new("Z", CHECK_PASS, TRUE, "", i == 0 ? text : "", ""));
    const CheckLine *first = lines->pdata[0];
    g_assert_cmpuint(strlen(first->evidence), ==, CHECK_TEXT_MAX_BYTES);
    g_autoptr(Attrs) attrs = check_answer_format(lines, FALSE);
    gboolean own = TRUE;
    g_autoptr(GPtrArray) copy = check_answer_parse(attrs, &own, NULL);
    g_assert_true((copy != NULL) == (count == CHECK_MAX_LINES));
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/check/result", test_result);
  g_test_add_func("/check/round-trip", test_round_trip);
  g_test_add_func("/check/question", test_question);
  g_test_add_func("/check/answers", test_answers);
  g_test_add_func("/check/limits", test_limits);
  return g_test_run();
}
