/*
 * fuzz_bounce.c - whatever bounces, three short values come out.
 */
#include <stdint.h>
#include <string.h>

#include "common/base/attr.h"
#include "reader/bounce.h"
#include "reader/charset.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
  g_autofree char *block = bounce_view(message);
  g_autoptr(Attrs) attrs = attrs_parse(block, strlen(block), ATTR_ESCAPED, NULL);
  g_assert_nonnull(attrs);
  g_assert_cmpuint(attrs_count(attrs), ==, 3);
  const char *action = attrs_get(attrs, "action");
  g_assert_true(g_str_equal(action, "failed") || g_str_equal(action, "delayed") ||
                g_str_equal(action, "delivered") || g_str_equal(action, "other"));
  const char *status = attrs_get(attrs, "status");
  g_assert_true(*status == '\0' ||
                g_regex_match_simple("^[245]\\.[0-9]{1,3}\\.[0-9]{1,3}$", status, 0, 0));
  const char *diagnostic = attrs_get(attrs, "diagnostic");
  g_assert_cmpuint(strlen(diagnostic), <=, BOUNCE_DIAGNOSTIC_MAX_BYTES);
  g_assert_true(g_utf8_validate(diagnostic, -1, NULL));
  return 0;
}
