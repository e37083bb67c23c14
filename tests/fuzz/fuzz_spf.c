/* Any bytes as a message of or to a worker, and as a record: nothing odd gets through. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "policyd/spf_record.h"
#include "policyd/spf_wire.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_question(const uint8_t *data, size_t size)
{
  g_autofree char *name = NULL;
  guint16 type = 0;
  if (!spf_wire_read_question(data, size, &name, &type))
    return;
  g_assert_cmpuint(strlen(name), <=, SPF_NAME_MAX_BYTES);
  g_assert_null(strpbrk(name, "\\\n\t\x7f"));
  g_assert_null(strstr(name, ".."));
  g_assert_true(g_str_is_ascii(name));
  g_autofree char *again = spf_name_usable(name);
  g_assert_cmpstr(again, ==, name);
  g_autoptr(GByteArray) message = spf_wire_question(name, type);
  g_autofree char *back = NULL;
  g_assert_true(spf_wire_read_question(message->data, message->len, &back, &type));
  g_assert_cmpstr(back, ==, name);
}

static void
try_answer(const uint8_t *data, size_t size)
{
  g_autoptr(DnsAnswer) answer = spf_wire_read_answer(data, size, "x.nl", RR_TXT);
  if (answer == NULL)
    return;
  g_autoptr(GByteArray) message = spf_wire_answer(answer);
  g_assert_cmpmem(message->data, message->len, data, size);
  for (guint i = 0; i < answer->records->len; i++) {
    g_autofree char *name = rr_name(answer->records->pdata[i], i % 3);
    g_assert_true(name == NULL || strpbrk(name, "\\\n") == NULL);
  }
}

static void
try_check(const uint8_t *data, size_t size)
{
  g_auto(SpfCheck) check = {NULL, NULL, NULL};
  if (!spf_wire_read_check(data, size, &check))
    return;
  g_autoptr(GByteArray) message = spf_wire_check(check.address, check.helo, check.sender);
  g_assert_cmpmem(message->data, message->len, data, size);
}

/* What libspf2 gets is well-formed itself, and stays as it is. */
static void
try_record(const uint8_t *data, size_t size)
{
  guint count = 0, again = 0;
  g_autofree char *directives = spf_record_directives((const char *) data, size, &count);
  if (directives == NULL)
    return;
  g_assert_true(g_str_is_ascii(directives));
  g_autofree char *same = spf_record_directives(directives, strlen(directives), &again);
  g_assert_cmpstr(same, ==, directives);
  g_assert_cmpuint(again, ==, count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  SpfVerdict verdict = SPF_VERDICT_NONE;
  if (spf_wire_read_verdict(data, size, &verdict))
    g_assert_cmpuint(verdict, <=, SPF_VERDICT_PERMERROR);
  try_question(data, size);
  try_answer(data, size);
  try_check(data, size);
  try_record(data, size);
  return 0;
}
