/*
 * fuzz_inspected.c - any bytes as the answer of a reader that was taken over: refused, or
 * lines and sizes that can be used.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "milter/inspect.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  gboolean is_last = FALSE;
  g_autoptr(GError) error = NULL;
  g_autoptr(Inspected) inspected =
      inspected_parse((const char *) data, size, &is_last, &error);
  g_assert_true((inspected == NULL) == (error != NULL));
  if (inspected == NULL)
    return 0;
  guint64 sum = 0;
  g_assert_cmpuint(inspected->parts->len, <=, INSPECT_MAX_NAMES);
  for (guint i = 0; i < inspected->parts->len; i++) {
    const InspectedPart *part = inspected->parts->pdata[i];
    g_assert_true(g_utf8_validate(part->name, -1, NULL));
    g_assert_true(part->name[0] != '\0' && strpbrk(part->name, "\r\n\t\x1b\x7f") == NULL);
    g_assert_true(part->listed ? part->size == 0 && part->type[0] == '\0'
                               : part->type[0] != '\0');
    sum += part->size;
  }
  g_assert_cmpuint(sum, ==, inspected->total_bytes);
  return 0;
}
