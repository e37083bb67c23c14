/* Any octets as a DKIM key record, and as a key in PEM: only our key is ours. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "policyd/dkim.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup(size > 0 ? (const char *) data : "", size);
  g_autofree char *record = dkim_record(text);
  if (record != NULL)
    g_assert_cmpint(dkim_compare(record, strlen(record), record), ==, DKIM_SAME);
  static const char ours[] =
      "v=DKIM1; k=ed25519; p=2R/lir1W5aXzVp3/+K6btzXW8/w+cqm27iKUI0f5TJ4=";
  if (dkim_compare((const char *) data, size, ours) == DKIM_SAME)
    g_assert_nonnull(strstr(text, "ed25519"));
  return 0;
}
