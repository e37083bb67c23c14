/*
 * fuzz_zip.c - any bytes as a zip archive: names come from inside them, and no more of
 * them than there is room for.
 */
#include <glib.h>
#include <stdint.h>

#include "reader/zip.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
  const uint8_t *start;
  const uint8_t *end;
  gsize sum;
} Bounds;

static gboolean
check_name(const char *name, gsize len, gboolean is_utf8, gpointer data)
{
  Bounds *bounds = data;
  (void) is_utf8;
  const uint8_t *start = (const uint8_t *) name;
  g_assert_cmpuint(len, >, 0);
  g_assert_true(start >= bounds->start && start < bounds->end);
  g_assert_true(len <= (gsize) (bounds->end - start));
  bounds->sum += len;
  return TRUE;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  Bounds bounds = {data, data + size, 0};
  ZipResult result = zip_list(data, size, check_name, &bounds);
  g_assert_true(result == ZIP_LISTED || result == ZIP_CUT || result == ZIP_BROKEN);
  g_assert_cmpuint(bounds.sum, <=, 2 * size);
  zip_begins(data, size);
  return 0;
}
