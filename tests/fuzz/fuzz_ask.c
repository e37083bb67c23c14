/* Any bytes as a question and as answers; what is accepted survives a round trip. */
#include <glib.h>
#include <stdint.h>

#include "common/ask/ask.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_question(const Attrs *attrs)
{
  g_autoptr(RouteQuestion) question = route_question_parse(attrs, NULL);
  if (question == NULL)
    return;
  g_autoptr(Attrs) again = route_question_format(question);
  g_autoptr(RouteQuestion) copy = route_question_parse(again, NULL);
  g_assert_nonnull(copy);
  g_assert_cmpuint(copy->recipients->len, ==, question->recipients->len);
}

static void
try_answers(const Attrs *attrs)
{
  guint count = attrs_count(attrs) / 2;
  g_autoptr(GPtrArray) answers = route_answers_parse(attrs, count, NULL);
  if (answers == NULL)
    return;
  g_assert_cmpuint(answers->len, ==, count);
  g_autoptr(Attrs) again = route_answers_format(answers);
  g_autoptr(GPtrArray) copy = route_answers_parse(again, count, NULL);
  g_assert_nonnull(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  gsize len = attrs_block_length((const char *) data, size);
  g_assert_cmpuint(len, <=, size);
  g_autoptr(Attrs) attrs = attrs_parse((const char *) data, size, ATTR_ESCAPED, NULL);
  if (attrs != NULL) {
    try_question(attrs);
    try_answers(attrs);
  }
  return 0;
}
