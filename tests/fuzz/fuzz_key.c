/*
 * fuzz_key - the contents of a key file.
 */
#include <stdint.h>

#include "common/crypt/key.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autoptr(KeyRing) ring =
      keyring_parse((const char *) data, size, KEY_STORE, "fuzz", NULL);
  if (ring == NULL)
    return 0;
  for (guint i = 0; i < keyring_count(ring); i++) {
    g_autoptr(Secret) key = keyring_derive_key(ring, keyring_nth(ring, i), "fuzz", NULL);
    g_assert_nonnull(key);
  }
  return 0;
}
