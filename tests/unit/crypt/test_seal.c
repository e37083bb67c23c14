#include <string.h>

#include "common/base/error.h"
#include "common/crypt/crypt.h"
#include "common/crypt/seal.h"
#include "tests/unit/tap.h"

#define SEALED_CHUNK (SEAL_CHUNK_BYTES + 16)
#define HEADER       2

static const gsize sizes[] = {
    0,
    1,
    SEAL_CHUNK_BYTES - 1,
    SEAL_CHUNK_BYTES,
    SEAL_CHUNK_BYTES + 1,
    3 * SEAL_CHUNK_BYTES,
};

static Secret *
new_key(void)
{
  Secret *key = secret_new(CRYPT_KEY_BYTES);
  g_assert_true(crypt_random(secret_bytes(key), CRYPT_KEY_BYTES, NULL));
  return key;
}

static guint8 *
new_plain(gsize len)
{
  guint8 *plain = g_malloc(len + 1);
  g_assert_true(crypt_random(plain, len, NULL));
  return plain;
}

/* Seals in steps of STEP octets. */
static GByteArray *
seal(const Secret *key, const guint8 *plain, gsize len, gsize step)
{
  g_autoptr(Sealer) sealer = sealer_new(key);
  GByteArray *out = g_byte_array_new();
  for (gsize at = 0; at < len; at += step)
    g_assert_true(sealer_update(sealer, plain + at, MIN(step, len - at), out, NULL));
  g_assert_true(sealer_finish(sealer, out, NULL));
  return out;
}

/* Opens in steps of STEP octets; *WHOLE says whether the end was verified. */
static GByteArray *
unseal(const Secret *key, const guint8 *sealed, gsize len, gsize step, gboolean *whole,
       GError **error)
{
  g_autoptr(Opener) opener = opener_new(key);
  GByteArray *out = g_byte_array_new();
  *whole = FALSE;
  for (gsize at = 0; at < len; at += step)
    if (!opener_update(opener, sealed + at, MIN(step, len - at), out, error))
      return out;
  *whole = opener_finish(opener, out, error);
  return out;
}

/* Bad bytes: an error, and nothing but whole genuine chunks from the front came out. */
static void
assert_bad(const Secret *key, const guint8 *sealed, gsize len, const guint8 *plain,
           gsize good_chunks)
{
  static const gsize steps[] = {4096, G_MAXSIZE};
  for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
    gboolean whole = TRUE;
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) out =
        unseal(key, sealed, len, MIN(steps[i], MAX(len, 1)), &whole, &error);
    g_assert_false(whole);
    g_assert_true(g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED) ||
                  g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID));
    g_assert_cmpuint(out->len, ==, good_chunks * SEAL_CHUNK_BYTES);
    g_assert_cmpint(memcmp(out->data != NULL ? out->data : plain, plain, out->len), ==, 0);
  }
}

static void
test_round_trip(void)
{
  static const gsize steps[] = {997, SEAL_CHUNK_BYTES, 10 * SEAL_CHUNK_BYTES};
  g_autoptr(Secret) key = new_key();
  for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++)
    for (gsize s = 0; s < G_N_ELEMENTS(steps); s++) {
      g_autofree guint8 *plain = new_plain(sizes[i]);
      g_autoptr(GByteArray) sealed = seal(key, plain, sizes[i], steps[s]);
      gsize chunks = MAX(1, (sizes[i] + SEAL_CHUNK_BYTES - 1) / SEAL_CHUNK_BYTES);
      g_assert_cmpuint(sealed->len, ==, HEADER + sizes[i] + 16 * chunks);
      gboolean whole = FALSE;
      g_autoptr(GError) error = NULL;
      g_autoptr(GByteArray) out =
          unseal(key, sealed->data, sealed->len, steps[s], &whole, &error);
      g_assert_no_error(error);
      g_assert_true(whole);
      g_assert_cmpmem(out->data, out->len, plain, sizes[i]);
    }
}

static void
test_single_octets(void)
{
  g_autoptr(Secret) key = new_key();
  g_autofree guint8 *plain = new_plain(SEAL_CHUNK_BYTES + 1);
  g_autoptr(GByteArray) a = seal(key, plain, SEAL_CHUNK_BYTES + 1, 1);
  g_autoptr(GByteArray) b = seal(key, plain, SEAL_CHUNK_BYTES + 1, G_MAXSIZE / 2);
  g_assert_cmpmem(a->data, a->len, b->data, b->len);
  gboolean whole = FALSE;
  g_autoptr(GByteArray) out = unseal(key, a->data, a->len, 1, &whole, NULL);
  g_assert_true(whole);
  g_assert_cmpmem(out->data, out->len, plain, SEAL_CHUNK_BYTES + 1);
}

static void
test_cut(void)
{
  g_autoptr(Secret) key = new_key();
  for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
    g_autofree guint8 *plain = new_plain(sizes[i]);
    g_autoptr(GByteArray) sealed = seal(key, plain, sizes[i], SEAL_CHUNK_BYTES);
    for (gsize boundary = 0; boundary <= sealed->len; boundary += SEALED_CHUNK)
      for (gssize off = -20; off <= 20; off++) {
        gssize cut = (gssize) boundary + off;
        if (cut < 0 || cut >= (gssize) sealed->len)
          continue;
        gsize whole = cut > HEADER ? ((gsize) cut - HEADER - 1) / SEALED_CHUNK : 0;
        assert_bad(key, sealed->data, (gsize) cut, plain, whole);
      }
    assert_bad(key, sealed->data, sealed->len - 1, plain,
               (sealed->len - 1 - HEADER - 1) / SEALED_CHUNK);
  }
}

static void
test_appended(void)
{
  g_autoptr(Secret) key = new_key();
  for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++)
    for (gsize extra = 1; extra < 40; extra++) {
      g_autofree guint8 *plain = new_plain(sizes[i]);
      g_autoptr(GByteArray) sealed = seal(key, plain, sizes[i], SEAL_CHUNK_BYTES);
      gsize last = (sealed->len - HEADER - 1) / SEALED_CHUNK;
      g_autofree guint8 *tail = g_malloc0(extra);
      g_byte_array_append(sealed, tail, (guint) extra);
      assert_bad(key, sealed->data, sealed->len, plain, last);
    }
}

/* What is behind the end, even a copy of a genuine chunk or of the whole, is noticed. */
static void
test_appended_chunk(void)
{
  g_autoptr(Secret) key = new_key();
  g_autofree guint8 *plain = new_plain(3 * SEAL_CHUNK_BYTES);
  g_autoptr(GByteArray) sealed = seal(key, plain, 3 * SEAL_CHUNK_BYTES, SEAL_CHUNK_BYTES);
  for (gsize chunk = 0; chunk < 3; chunk++) {
    g_autoptr(GByteArray) longer = g_byte_array_new();
    g_byte_array_append(longer, sealed->data, sealed->len);
    g_byte_array_append(longer, sealed->data + HEADER + chunk * SEALED_CHUNK, SEALED_CHUNK);
    assert_bad(key, longer->data, longer->len, plain, 2);
  }
}

static void
test_moved(void)
{
  g_autoptr(Secret) key = new_key();
  g_autofree guint8 *plain = new_plain(3 * SEAL_CHUNK_BYTES);
  g_autoptr(GByteArray) sealed = seal(key, plain, 3 * SEAL_CHUNK_BYTES, SEAL_CHUNK_BYTES);
  for (gsize a = 0; a < 3; a++)
    for (gsize b = 0; b < 3; b++) {
      if (a == b)
        continue;
      g_autofree guint8 *moved = g_memdup2(sealed->data, sealed->len); /* b stands at a */
      memcpy(moved + HEADER + a * SEALED_CHUNK, sealed->data + HEADER + b * SEALED_CHUNK,
             SEALED_CHUNK);
      assert_bad(key, moved, sealed->len, plain, a);
      memcpy(moved + HEADER + b * SEALED_CHUNK, sealed->data + HEADER + a * SEALED_CHUNK,
             SEALED_CHUNK); /* and a at b: swapped */
      assert_bad(key, moved, sealed->len, plain, MIN(a, b));
    }
  /* left out */
  for (gsize a = 0; a < 3; a++) {
    g_autoptr(GByteArray) shorter = g_byte_array_new();
    g_byte_array_append(shorter, sealed->data, sealed->len);
    g_byte_array_remove_range(shorter, (guint) (HEADER + a * SEALED_CHUNK), SEALED_CHUNK);
    assert_bad(key, shorter->data, shorter->len, plain, MIN(a, 1));
  }
}

static void
test_flipped(void)
{
  g_autoptr(Secret) key = new_key();
  gsize len = 2 * SEAL_CHUNK_BYTES + 100;
  g_autofree guint8 *plain = new_plain(len);
  g_autoptr(GByteArray) sealed = seal(key, plain, len, SEAL_CHUNK_BYTES);
  for (guint at = 0; at < sealed->len; at += at < 64 ? 1 : 1499)
    for (int bit = 0; bit < 8; bit += 7) {
      sealed->data[at] ^= (guint8) (1 << bit);
      assert_bad(key, sealed->data, sealed->len, plain,
                 at < HEADER ? 0 : (at - HEADER) / SEALED_CHUNK);
      sealed->data[at] ^= (guint8) (1 << bit);
    }
}

static void
test_wrong_key(void)
{
  g_autoptr(Secret) key = new_key();
  g_autoptr(Secret) other = new_key();
  g_autofree guint8 *plain = new_plain(100);
  g_autoptr(GByteArray) sealed = seal(key, plain, 100, 100);
  assert_bad(other, sealed->data, sealed->len, plain, 0);
}

/* A failed opener stays failed, whatever comes next. */
static void
test_after_failure(void)
{
  g_autoptr(Secret) key = new_key();
  gsize len = 2 * SEAL_CHUNK_BYTES;
  g_autofree guint8 *plain = new_plain(len);
  g_autoptr(GByteArray) sealed = seal(key, plain, len, len);
  g_autoptr(GByteArray) out = g_byte_array_new();
  g_autoptr(Opener) opener = opener_new(key);
  sealed->data[HEADER] ^= 1;
  g_assert_false(opener_update(opener, sealed->data, sealed->len, out, NULL));
  sealed->data[HEADER] ^= 1;
  g_assert_false(opener_update(opener, sealed->data, sealed->len, out, NULL));
  g_assert_false(opener_finish(opener, out, NULL));
  g_assert_cmpuint(out->len, ==, 0);
}

static void
test_after_end(void)
{
  g_autoptr(Secret) key = new_key();
  g_autoptr(GByteArray) out = g_byte_array_new();
  g_autoptr(Sealer) sealer = sealer_new(key);
  g_assert_true(sealer_finish(sealer, out, NULL));
  guint len = out->len;
  g_assert_false(sealer_update(sealer, "x", 1, out, NULL));
  g_assert_false(sealer_finish(sealer, out, NULL));
  g_assert_cmpuint(out->len, ==, len);
  g_autoptr(Opener) opener = opener_new(key);
  g_autoptr(GByteArray) plain = g_byte_array_new();
  g_assert_true(opener_update(opener, out->data, out->len, plain, NULL));
  g_assert_true(opener_finish(opener, plain, NULL));
  g_assert_false(opener_finish(opener, plain, NULL));
  g_assert_cmpuint(plain->len, ==, 0);
}

/* What another implementation of the format made, from zegel-store(5). */
static void
test_known_answer(void)
{
  g_autoptr(Secret) key = secret_new(CRYPT_KEY_BYTES);
  memset(secret_bytes(key), 'k', CRYPT_KEY_BYTES);
  g_autoptr(GByteArray) sealed = seal(key, (const guint8 *) "hello", 5, 5);
  g_autofree char *hex = crypt_hex(sealed->data, sealed->len);
  g_assert_cmpstr(hex, ==, "010148ec92f5e8b067377d2aa43e73dddcecce0b5d6f61");

  gsize len = 2 * SEAL_CHUNK_BYTES + 5;
  g_autofree guint8 *plain = g_malloc(len);
  memset(plain, 'z', len);
  g_autoptr(GByteArray) three = seal(key, plain, len, 4096);
  g_autofree char *sum =
      g_compute_checksum_for_data(G_CHECKSUM_SHA256, three->data, three->len);
  g_assert_cmpstr(sum, ==,
                  "cf6f4b3fac1e97033cc4f1f8d835e96e445db95d9266a293905882ccf4c6ed2a");
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/seal/round trip", test_round_trip);
  g_test_add_func("/seal/known answer", test_known_answer);
  g_test_add_func("/seal/single octets", test_single_octets);
  g_test_add_func("/seal/cut at each boundary", test_cut);
  g_test_add_func("/seal/appended octets", test_appended);
  g_test_add_func("/seal/appended chunk", test_appended_chunk);
  g_test_add_func("/seal/moved chunks", test_moved);
  g_test_add_func("/seal/flipped bits", test_flipped);
  g_test_add_func("/seal/wrong key", test_wrong_key);
  g_test_add_func("/seal/after a failure", test_after_failure);
  g_test_add_func("/seal/after the end", test_after_end);
  return g_test_run();
}
