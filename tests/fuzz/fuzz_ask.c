/* Any bytes as questions and as answers; what is accepted survives a round trip. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "common/ask/ask.h"
#include "common/ask/check.h"
#include "common/ask/client_id.h"
#include "common/ask/phone_book.h"
#include "common/ask/verify.h"

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
  guint count = attrs_count(attrs) / 4; /* route, code, reason, number; and the version */
  g_autoptr(GPtrArray) answers = route_answers_parse(attrs, count, NULL);
  if (answers == NULL)
    return;
  g_assert_cmpuint(answers->len, ==, count);
  g_autoptr(Attrs) again = route_answers_format(answers);
  g_autoptr(GPtrArray) copy = route_answers_parse(again, count, NULL);
  g_assert_nonnull(copy);
}

static void
try_check_question(const Attrs *attrs)
{
  g_autoptr(CheckQuestion) question = check_question_parse(attrs, NULL);
  if (question == NULL)
    return;
  g_autoptr(Attrs) again = check_question_format(question);
  g_autoptr(CheckQuestion) copy = check_question_parse(again, NULL);
  g_assert_nonnull(copy);
  g_assert_cmpstr(copy->domain, ==, question->domain);
  g_assert_cmpint(copy->fresh, ==, question->fresh);
}

static void
try_check_answer(const Attrs *attrs)
{
  gboolean own = FALSE;
  g_autoptr(GPtrArray) lines = check_answer_parse(attrs, &own, NULL);
  if (lines == NULL)
    return;
  g_assert_cmpuint(lines->len, <=, CHECK_MAX_LINES);
  gboolean own_again = !own;
  g_autoptr(Attrs) again = check_answer_format(lines, own);
  g_autoptr(GPtrArray) copy = check_answer_parse(again, &own_again, NULL);
  g_assert_nonnull(copy);
  g_assert_cmpuint(copy->len, ==, lines->len);
  g_assert_cmpint(own_again, ==, own);
  g_assert_cmpint(check_lines_result(copy), ==, check_lines_result(lines));
}

static void
try_verify_question(const Attrs *attrs)
{
  g_autoptr(VerifyQuestion) question = verify_question_parse(attrs, NULL);
  if (question == NULL)
    return;
  g_assert_cmpuint(question->keys->len, <=, VERIFY_MAX_KEYS);
  g_autoptr(Attrs) again = verify_question_format(question);
  g_autoptr(VerifyQuestion) copy = verify_question_parse(again, NULL);
  g_assert_nonnull(copy);
  g_assert_cmpstr(copy->client_address, ==, question->client_address);
  g_assert_cmpstr(copy->from_domain, ==, question->from_domain);
  g_assert_cmpuint(copy->keys->len, ==, question->keys->len);
}

static void
try_verify_answer(const Attrs *attrs)
{
  guint keys = attrs_count(attrs) > 7 ? (attrs_count(attrs) - 7) / 4 : 0;
  g_autoptr(VerifyAnswer) answer = verify_answer_parse(attrs, keys, NULL);
  if (answer == NULL)
    return;
  g_assert_cmpuint(answer->keys->len, ==, keys);
  g_autoptr(Attrs) again = verify_answer_format(answer);
  g_autoptr(VerifyAnswer) copy = verify_answer_parse(again, keys, NULL);
  g_assert_nonnull(copy);
  g_assert_cmpstr(copy->spf, ==, answer->spf);
  g_assert_cmpstr(copy->dmarc_policy, ==, answer->dmarc_policy);
}

static void
try_client(const Attrs *attrs)
{
  const char *address = NULL;
  guint16 port = 0;
  if (client_question_parse(attrs, &address, &port, NULL))
    g_assert_cmpuint(strlen(address), <=, ASK_WORD_MAX_BYTES);
  g_autoptr(ClientCertificate) certificate = client_certificate_parse(attrs, NULL);
  if (certificate == NULL)
    return;
  g_autoptr(Attrs) again = client_certificate_format(certificate);
  g_autoptr(ClientCertificate) copy = client_certificate_parse(again, NULL);
  g_assert_nonnull(copy);
  g_assert_cmpstr(copy->fingerprint, ==, certificate->fingerprint);
}

static void
try_phone(const Attrs *attrs)
{
  PhoneEntry entry, copy;
  if (!phone_question_parse(attrs, TRUE, &entry, NULL))
    return;
  g_autoptr(Attrs) again = phone_question_format("phone-learn", &entry);
  g_assert_true(phone_question_parse(again, TRUE, &copy, NULL));
  g_assert_cmpstr(copy.recipient, ==, entry.recipient);
  g_assert_cmpstr(copy.number, ==, entry.number);
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
    try_check_question(attrs);
    try_check_answer(attrs);
    try_verify_question(attrs);
    try_verify_answer(attrs);
    try_client(attrs);
    try_phone(attrs);
  }
  return 0;
}
