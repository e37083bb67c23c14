/*
 * fuzz_seal - the opener of sealed messages, fed in pieces.
 *
 * The first octet is the size of the pieces; the corpus is sealed under a key of 32 octets
 * 'k'. Sealing has no randomness of its own, so whatever opens must seal to the same bytes.
 */
#include <stdint.h>
#include <string.h>

#include "common/crypt/crypt.h"
#include "common/crypt/seal.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_again(const Secret *key, const GByteArray *plain, const uint8_t *sealed, size_t len)
{
  g_autoptr(Sealer) sealer = sealer_new(key);
  g_autoptr(GByteArray) again = g_byte_array_new();
  g_assert_true(sealer_update(sealer, plain->data, plain->len, again, NULL));
  g_assert_true(sealer_finish(sealer, again, NULL));
  g_assert_cmpmem(again->data, again->len, sealed, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  g_autoptr(Secret) key = secret_new(CRYPT_KEY_BYTES);
  memset(secret_bytes(key), 'k', CRYPT_KEY_BYTES);
  g_autoptr(Opener) opener = opener_new(key);
  g_autoptr(GByteArray) plain = g_byte_array_new();
  size_t step = (size_t) data[0] * 64 + 1;
  for (size_t at = 1; at < size; at += step)
    if (!opener_update(opener, data + at, MIN(step, size - at), plain, NULL)) {
      g_assert_cmpuint(plain->len % SEAL_CHUNK_BYTES, ==, 0);
      return 0;
    }
  if (opener_finish(opener, plain, NULL))
    check_again(key, plain, data + 1, size - 1);
  return 0;
}
