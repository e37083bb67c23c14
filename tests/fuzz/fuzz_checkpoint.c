/* Any text as a mail or a log with checkpoints in it, and as a file with a public key. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "zegelctl/audit_key.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  guint8 key[CHECKPOINT_PUBLIC_BYTES], again[CHECKPOINT_PUBLIC_BYTES];
  g_autofree char *text = g_strndup(size > 0 ? (const char *) data : "", size);
  g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
  guint count = audit_checkpoints_find(text, found);
  g_assert_cmpuint(count, ==, found->len);
  for (guint i = 0; i < found->len; i++) {
    Checkpoint checkpoint;
    g_assert_true(g_str_has_prefix(found->pdata[i], "zegel-checkpoint "));
    checkpoint_parse(found->pdata[i], &checkpoint, NULL);
    g_autoptr(GPtrArray) same = g_ptr_array_new_with_free_func(g_free);
    g_assert_cmpuint(audit_checkpoints_find(found->pdata[i], same), >=, 1);
  }
  if (audit_key_parse("key", text, key, NULL)) {
    g_autofree char *written = audit_key_format(1, key);
    g_assert_true(audit_key_parse("again", written, again, NULL));
    g_assert_cmpmem(key, sizeof key, again, sizeof again);
  }
  return 0;
}
