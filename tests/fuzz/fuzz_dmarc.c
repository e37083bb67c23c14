/* Any octets as a DMARC record: what counts has a policy, and lower ones are no worse. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "policyd/dmarc.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  DmarcRecord record;
  memset(&record, 0xff, sizeof record);
  gboolean counts = dmarc_parse((const char *) data, size, &record);
  g_assert_cmpint(record.p, <=, DMARC_REJECT);
  g_assert_cmpint(record.sp, <=, DMARC_REJECT);
  g_assert_cmpint(record.np, <=, DMARC_REJECT);
  g_assert_true(record.psd >= -1 && record.psd <= 1);
  g_assert_nonnull(dmarc_policy_name(record.np));
  if (!counts)
    g_assert_cmpint(record.p, ==, DMARC_NONE);
  else
    g_assert_true(size >= strlen("v=DMARC1") && memchr(data, '\0', size) == NULL);
  return 0;
}
