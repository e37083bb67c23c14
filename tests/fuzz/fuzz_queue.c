/* Any bytes as a line of postqueue -j: it counts once, or not at all. */
#include <glib.h>
#include <stdint.h>

#include "zegelctl/queue.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  QueueCount counts[QUEUE_LABELS] = {{0}};
  gboolean good = queue_add_line(counts, (const char *) data, size);
  for (guint i = 0; i < QUEUE_LABELS; i++) {
    g_assert_cmpuint(counts[i].messages, <=, good ? 1 : 0);
    g_assert_cmpint(counts[i].messages > 0, ==, counts[i].recipients > 0);
    g_assert_cmpint(counts[i].messages > 0, ==, counts[i].oldest_s > 0);
  }
  return 0;
}
