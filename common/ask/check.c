#include "common/ask/check.h"

#include <string.h>

#include "common/ask/ask.h"
#include "common/ask/block.h"
#include "common/base/error.h"

#define LINE_ATTRS 6 /* of one line, in the order of line_names */
#define HEAD_ATTRS 2 /* version, own */

static const char *const line_names[LINE_ATTRS] = {"code",  "result",   "required",
                                                   "title", "evidence", "cure"};

static const char *const result_names[] = {
    [CHECK_PASS] = "pass",
    [CHECK_FAIL] = "fail",
    [CHECK_UNKNOWN] = "unknown",
};

const char *
check_result_name(CheckResult result)
{
  return result_names[result];
}

CheckLine *
check_line_new(const char *code, CheckResult result, gboolean required, const char *title,
               const char *evidence, const char *cure)
{
  CheckLine *line = g_new0(CheckLine, 1);
  line->code = g_strdup(code);
  line->result = result;
  line->required = required;
  line->title = g_strdup(title);
  line->evidence = g_strndup(evidence, CHECK_TEXT_MAX_BYTES);
  line->cure = g_strdup(cure);
  return line;
}

void
check_line_free(CheckLine *line)
{
  if (line == NULL)
    return;
  g_free(line->code);
  g_free(line->title);
  g_free(line->evidence);
  g_free(line->cure);
  g_free(line);
}

CheckResult
check_lines_result(const GPtrArray *lines)
{
  CheckResult result = CHECK_PASS;
  for (guint i = 0; i < lines->len; i++) {
    const CheckLine *line = lines->pdata[i];
    if (line->required && line->result == CHECK_FAIL)
      return CHECK_FAIL;
    if (line->required && line->result == CHECK_UNKNOWN)
      result = CHECK_UNKNOWN;
  }
  return result;
}

Attrs *
check_question_format(const CheckQuestion *question)
{
  Attrs *attrs = attrs_new();
  attrs_add(attrs, "request", "domain");
  attrs_add_uint(attrs, "version", ASK_VERSION);
  attrs_add(attrs, "domain", question->domain);
  attrs_add(attrs, "fresh", question->fresh ? "yes" : "no");
  return attrs;
}

CheckQuestion *
check_question_parse(const Attrs *attrs, GError **error)
{
  const char *domain = attrs_get(attrs, "domain");
  if (!block_check_version(attrs, error))
    return NULL;
  if (g_strcmp0(attrs_get(attrs, "request"), "domain") != 0 || domain == NULL ||
      *domain == '\0' || strlen(domain) > ASK_WORD_MAX_BYTES) {
    block_refuse(error, "request or domain is missing or bad");
    return NULL;
  }
  CheckQuestion *question = g_new0(CheckQuestion, 1);
  question->domain = g_strdup(domain);
  question->fresh = g_strcmp0(attrs_get(attrs, "fresh"), "yes") == 0;
  return question;
}

void
check_question_free(CheckQuestion *question)
{
  if (question == NULL)
    return;
  g_free(question->domain);
  g_free(question);
}

Attrs *
check_answer_format(const GPtrArray *lines, gboolean own)
{
  Attrs *attrs = attrs_new();
  attrs_add_uint(attrs, "version", ASK_VERSION);
  attrs_add(attrs, "own", own ? "yes" : "no");
  for (guint i = 0; i < lines->len; i++) {
    const CheckLine *line = lines->pdata[i];
    const char *const values[LINE_ATTRS] = {line->code,
                                            result_names[line->result],
                                            line->required ? "yes" : "no",
                                            line->title,
                                            line->evidence,
                                            line->cure};
    for (guint n = 0; n < LINE_ATTRS; n++)
      attrs_add(attrs, line_names[n], values[n]);
  }
  return attrs;
}

/* The line that begins at attribute FIRST, or NULL. */
static CheckLine *
parse_line(const Attrs *attrs, guint first)
{
  const char *values[LINE_ATTRS];
  for (guint n = 0; n < LINE_ATTRS; n++) {
    const char *name;
    attrs_nth(attrs, first + n, &name, &values[n]);
    if (strcmp(name, line_names[n]) != 0)
      return NULL;
  }
  for (guint i = 0; i < G_N_ELEMENTS(result_names); i++)
    if (strcmp(values[1], result_names[i]) == 0)
      return check_line_new(values[0], (CheckResult) i, strcmp(values[2], "yes") == 0,
                            values[3], values[4], values[5]);
  return NULL;
}

GPtrArray *
check_answer_parse(const Attrs *attrs, gboolean *own, GError **error)
{
  if (!block_check_version(attrs, error))
    return NULL;
  const char *failure = attrs_get(attrs, "error");
  if (failure != NULL) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY, "policyd: %s", failure);
    return NULL;
  }
  guint count = attrs_count(attrs);
  if (count < HEAD_ATTRS || (count - HEAD_ATTRS) % LINE_ATTRS != 0 ||
      (count - HEAD_ATTRS) / LINE_ATTRS > CHECK_MAX_LINES) {
    block_refuse(error, "the answer is not a list of checks");
    return NULL;
  }
  g_autoptr(GPtrArray) lines =
      g_ptr_array_new_with_free_func((GDestroyNotify) check_line_free);
  for (guint i = HEAD_ATTRS; i < count; i += LINE_ATTRS) {
    CheckLine *line = parse_line(attrs, i);
    if (line == NULL) {
      block_refuse(error, "a check is not what it must be");
      return NULL;
    }
    g_ptr_array_add(lines, line);
  }
  *own = g_strcmp0(attrs_get(attrs, "own"), "yes") == 0;
  return g_steal_pointer(&lines);
}
