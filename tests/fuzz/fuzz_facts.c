/*
 * fuzz_facts.c - any bytes as a message: its facts are one block that can be parsed, whose
 * names are lines and whose sizes add up.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "reader/charset.h"
#include "reader/facts.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const Attrs *attrs)
{
  guint64 sum = 0, total = G_MAXUINT64;
  guint names = 0;
  for (guint i = 0; i < attrs_count(attrs); i++) {
    const char *name;
    const char *value;
    guint64 number = 0;
    attrs_nth(attrs, i, &name, &value);
    g_assert_true(value[0] != '\0' && g_utf8_validate(value, -1, NULL));
    g_assert_true(strpbrk(value, "\r\n\t\x1b\x7f") == NULL);
    if (g_str_equal(name, "name") || g_str_equal(name, "alias") ||
        g_str_equal(name, "inside"))
      names++;
    if (!g_str_equal(name, "size") && !g_str_equal(name, "total"))
      continue;
    g_assert_true(g_ascii_string_to_unsigned(value, 10, 0, G_MAXUINT32, &number, NULL));
    if (g_str_equal(name, "size"))
      sum += number;
    else
      total = number;
  }
  g_assert_cmpuint(names, <=, FACTS_MAX_NAMES);
  g_assert_cmpuint(sum, ==, total);
  g_assert_nonnull(attrs_get(attrs, "cut"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static gboolean is_ready;
  if (!is_ready) {
    charset_open();
    message_init();
    is_ready = TRUE;
  }
  GByteArray *bytes = g_byte_array_new();
  g_autoptr(Message) message =
      message_parse(g_byte_array_append(bytes, data, (guint) size));
  g_autoptr(Attrs) attrs = facts_new(message, FALSE);
  g_autofree char *block = attrs_format(attrs, ATTR_ESCAPED);
  g_autoptr(Attrs) parsed = attrs_parse(block, strlen(block), ATTR_ESCAPED, NULL);
  g_assert_nonnull(parsed);
  check(parsed);
  return 0;
}
