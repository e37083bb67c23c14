#include <string.h>

#include "common/base/error.h"
#include "common/crypt/box.h"
#include "common/crypt/crypt.h"
#include "tests/unit/crypt/ring.h"
#include "tests/unit/tap.h"

typedef struct {
  KeyRing *old, *rotated, *other;
  GBytes *box;
} Fixture;

static void
setup(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture->old = ring_new(KEY_STORE, FALSE);
  fixture->rotated = ring_new(KEY_STORE, TRUE);
  static const char other[] = "zegel-key 1 store 0000000c " RING_KEY_NEW "\n";
  fixture->other = keyring_parse(other, strlen(other), KEY_STORE, "other", NULL);
  fixture->box = box_seal(fixture->old, "label", "ad", 2, "secret", 6, NULL);
  g_assert_nonnull(fixture->box);
}

static void
teardown(Fixture *fixture, gconstpointer data)
{
  (void) data;
  keyring_free(fixture->old);
  keyring_free(fixture->rotated);
  keyring_free(fixture->other);
  g_bytes_unref(fixture->box);
}

static void
assert_fails(const KeyRing *ring, const char *label, const char *ad, gconstpointer box,
             gsize len, ZegelError code)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Secret) plain = box_open(ring, label, ad, strlen(ad), box, len, &error);
  g_assert_null(plain);
  g_assert_error(error, ZEGEL_ERROR, (int) code);
}

static void
assert_opens(const KeyRing *ring, GBytes *box, gconstpointer ad, gsize ad_len,
             gconstpointer expected, gsize expected_len)
{
  g_autoptr(GError) error = NULL;
  gsize len = 0;
  gconstpointer bytes = g_bytes_get_data(box, &len);
  g_autoptr(Secret) plain = box_open(ring, "label", ad, ad_len, bytes, len, &error);
  g_assert_no_error(error);
  g_assert_cmpmem(secret_peek(plain), secret_size(plain), expected, expected_len);
}

static void
test_round_trip(Fixture *fixture, gconstpointer data)
{
  (void) data;
  assert_opens(fixture->old, fixture->box, "ad", 2, "secret", 6);
  g_assert_cmpuint(g_bytes_get_size(fixture->box), ==, 6 + BOX_OVERHEAD_BYTES);
  g_autoptr(GBytes) empty = box_seal(fixture->old, "label", NULL, 0, NULL, 0, NULL);
  assert_opens(fixture->old, empty, NULL, 0, "", 0);
  g_autoptr(GBytes) again = box_seal(fixture->old, "label", "ad", 2, "secret", 6, NULL);
  g_assert_false(g_bytes_equal(again, fixture->box));
}

static void
test_header(Fixture *fixture, gconstpointer data)
{
  (void) data;
  const guint8 *bytes = g_bytes_get_data(fixture->box, NULL);
  g_assert_cmpmem(bytes, 6, "\x01\x01\x00\x00\x00\x0a", 6);
}

static void
test_rotation(Fixture *fixture, gconstpointer data)
{
  (void) data;
  assert_opens(fixture->rotated, fixture->box, "ad", 2, "secret", 6);
  g_autoptr(GBytes) newer = box_seal(fixture->rotated, "label", "ad", 2, "secret", 6, NULL);
  assert_opens(fixture->rotated, newer, "ad", 2, "secret", 6);
  assert_fails(fixture->old, "label", "ad", g_bytes_get_data(newer, NULL),
               g_bytes_get_size(newer), ZEGEL_ERROR_KEY_UNKNOWN);
}

static void
test_refused(Fixture *fixture, gconstpointer data)
{
  (void) data;
  gsize len = 0;
  const guint8 *bytes = g_bytes_get_data(fixture->box, &len);
  assert_fails(fixture->old, "Label", "ad", bytes, len, ZEGEL_ERROR_FORGED);
  assert_fails(fixture->old, "label2", "ad", bytes, len, ZEGEL_ERROR_FORGED);
  assert_fails(fixture->old, "label", "ae", bytes, len, ZEGEL_ERROR_FORGED);
  assert_fails(fixture->old, "label", "", bytes, len, ZEGEL_ERROR_FORGED);
  assert_fails(fixture->old, "label", "ad2", bytes, len, ZEGEL_ERROR_FORGED);
  assert_fails(fixture->other, "label", "ad", bytes, len, ZEGEL_ERROR_KEY_UNKNOWN);
  assert_fails(fixture->old, "label", "ad", bytes, len - 1, ZEGEL_ERROR_FORGED);
  for (gsize short_len = 0; short_len < BOX_OVERHEAD_BYTES; short_len++)
    assert_fails(fixture->old, "label", "ad", bytes, short_len, ZEGEL_ERROR_INVALID);
}

/* Each bit of a box is covered: version and algorithm, key id, salt, text and tag. */
static void
test_flipped(Fixture *fixture, gconstpointer data)
{
  (void) data;
  gsize len = 0;
  const guint8 *bytes = g_bytes_get_data(fixture->box, &len);
  for (gsize at = 0; at < len; at++)
    for (int bit = 0; bit < 8; bit++) {
      g_autofree guint8 *copy = g_memdup2(bytes, len);
      copy[at] ^= (guint8) (1 << bit);
      ZegelError code = at < 2   ? ZEGEL_ERROR_INVALID
                        : at < 6 ? ZEGEL_ERROR_KEY_UNKNOWN
                                 : ZEGEL_ERROR_FORGED;
      assert_fails(fixture->old, "label", "ad", copy, len, code);
    }
}

/* A box that was made by another implementation of the format, from zegel-store(5). */
static void
test_known_answer(Fixture *fixture, gconstpointer data)
{
  (void) data;
  static const char known[] = "01010000000a000102030405060708090a0b0c0d0e0f"
                              "05193e9bd8c643d9f56f00b8fb66ac6dcf89178884f1";
  guint8 bytes[sizeof known / 2];
  g_assert_true(crypt_unhex(known, bytes, sizeof bytes));
  g_autoptr(GBytes) box = g_bytes_new_static(bytes, sizeof bytes);
  assert_opens(fixture->old, box, "ad", 2, "secret", 6);
}

/* The id of another key that we do have is no way in either. */
static void
test_other_id(Fixture *fixture, gconstpointer data)
{
  (void) data;
  gsize len = 0;
  const guint8 *bytes = g_bytes_get_data(fixture->box, &len);
  g_autofree guint8 *copy = g_memdup2(bytes, len);
  copy[5] = 0x0b;
  assert_fails(fixture->rotated, "label", "ad", copy, len, ZEGEL_ERROR_FORGED);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  static const struct {
    const char *path;
    void (*test)(Fixture *fixture, gconstpointer data);
  } tests[] = {
      {"/box/round trip", test_round_trip},     {"/box/header", test_header},
      {"/box/rotation", test_rotation},         {"/box/refused", test_refused},
      {"/box/known answer", test_known_answer}, {"/box/flipped bits", test_flipped},
      {"/box/other id", test_other_id},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
    g_test_add(tests[i].path, Fixture, NULL, setup, tests[i].test, teardown);
  return g_test_run();
}
