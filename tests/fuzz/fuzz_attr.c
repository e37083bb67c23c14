/* attrs_parse on any bytes: what is a block comes out as it went in. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "common/base/attr.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  const char *bytes = (const char *) data;
  g_assert_true(attrs_block_length(bytes, size) <= size);
  g_autoptr(Attrs) plain = attrs_parse(bytes, size, ATTR_PLAIN, NULL);
  g_assert_true(plain == NULL || attrs_count(plain) <= ATTR_MAX_COUNT);
  g_autoptr(Attrs) attrs = attrs_parse(bytes, size, ATTR_ESCAPED, NULL);
  if (attrs == NULL)
    return 0;
  g_autofree char *text = attrs_format(attrs, ATTR_ESCAPED);
  if (strlen(text) > ATTR_BLOCK_MAX_BYTES)
    return 0; /* escapes made it longer */
  g_autoptr(Attrs) back = attrs_parse(text, strlen(text), ATTR_ESCAPED, NULL);
  g_assert_nonnull(back);
  g_assert_cmpuint(attrs_count(back), ==, attrs_count(attrs));
  for (guint i = 0; i < attrs_count(attrs); i++) {
    const char *name, *value, *name_back, *value_back;
    attrs_nth(attrs, i, &name, &value);
    attrs_nth(back, i, &name_back, &value_back);
    g_assert_cmpstr(name, ==, name_back);
    g_assert_cmpstr(value, ==, value_back);
  }
  return 0;
}
