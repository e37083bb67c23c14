/*
 * fuzz_origin - any header value, any block behind a good box, and any address or word.
 *
 * The first octet of the input chooses: 'v' for a header value, 'w' for a word or an
 * address, else for the block inside.
 */
#include <stdint.h>
#include <string.h>

#include "common/crypt/box_text.h"
#include "common/crypt/origin.h"
#include "tests/unit/crypt/ring.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_word(const KeyRing *ring, const char *word)
{
  ControlKind kind = CONTROL_BOUNCE;
  g_autofree char *reference = NULL;
  if (control_parse(ring, "o", "s.example", word, &kind, &reference)) {
    g_assert_true(control_is_shaped(word));
    g_autofree char *again = control_address(ring, kind, "o", reference, "s.example", NULL);
    g_assert_nonnull(again);
  }
  conversation_check(ring, word, "o", "a@b");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  g_autoptr(KeyRing) ring = ring_new(KEY_ORIGIN, TRUE);
  g_autofree char *text = g_strndup((const char *) data + 1, size - 1);
  if (data[0] == 'w') {
    try_word(ring, text);
    return 0;
  }
  g_autofree char *value = data[0] == 'v' ? g_strdup(text)
                                          : box_text_seal(ring, "origin", ORIGIN_HEADER,
                                                          data + 1, size - 1, NULL);
  g_autoptr(Origin) origin = origin_open(ring, value, NULL);
  if (origin == NULL)
    return 0;
  g_autofree char *sealed = origin_seal(ring, origin, NULL);
  g_autoptr(Origin) again = origin_open(ring, sealed, NULL);
  g_assert_nonnull(again);
  return 0;
}
