#include <string.h>

#include "common/base/error.h"
#include "common/crypt/crypt.h"
#include "tests/unit/tap.h"

typedef struct {
  const char *name, *ikm, *salt, *info, *okm;
} HkdfRow;

/* RFC 5869, appendix A.1 and A.3 (SHA-256). */
static const HkdfRow hkdf_rows[] = {
    {"rfc5869 A.3: no salt, no info", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "",
     "",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
     "9d201395faa4b61a96c8"},
    {"rfc5869 A.1", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
     "000102030405060708090a0b0c", "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
     "34007208d5b887185865"},
};

static void
test_hkdf(gconstpointer data)
{
  const HkdfRow *row = data;
  guint8 ikm[80], salt[80], expected[82], okm[82];
  gsize okm_len = strlen(row->okm) / 2;
  g_assert_true(crypt_unhex(row->ikm, ikm, strlen(row->ikm) / 2));
  g_assert_true(crypt_unhex(row->salt, salt, strlen(row->salt) / 2));
  g_assert_true(crypt_unhex(row->okm, expected, okm_len));
  g_autoptr(Secret) secret = secret_new_from(ikm, strlen(row->ikm) / 2);
  memset(okm, 0xee, sizeof okm);
  g_autoptr(GError) error = NULL;
  g_assert_true(
      crypt_hkdf(secret, salt, strlen(row->salt) / 2, row->info, okm, okm_len, &error));
  g_assert_no_error(error);
  g_assert_cmpmem(okm, okm_len, expected, okm_len);
}

/* RFC 7914 section 12, the third vector. */
static void
test_scrypt(void)
{
  static const char password[] = "pleaseletmein", salt[] = "SodiumChloride";
  guint8 out[64], expected[64];
  memset(out, 0xee, sizeof out);
  g_assert_true(
      crypt_unhex("7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                  "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
                  expected, sizeof expected));
  g_autoptr(Secret) secret = secret_new_from(password, strlen(password));
  g_autoptr(GError) error = NULL;
  g_assert_true(crypt_scrypt(secret, salt, strlen(salt), 16384, out, sizeof out, &error));
  g_assert_no_error(error);
  g_assert_cmpmem(out, sizeof out, expected, sizeof expected);
  g_assert_false(crypt_scrypt(secret, salt, strlen(salt), 3, out, sizeof out, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
}

/* RFC 5869 A.2: long input; its info has no NUL, so it is text to us. */
static void
test_hkdf_long(void)
{
  guint8 ikm[80], salt[80], okm[82], expected[82];
  char info[81] = "";
  for (int i = 0; i < 80; i++) {
    ikm[i] = (guint8) i;
    salt[i] = (guint8) (0x60 + i);
    info[i] = (char) (0xb0 + i);
  }
  g_assert_true(
      crypt_unhex("b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
                  "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
                  "cc30c58179ec3e87c14c01d5c1f3434f1d87",
                  expected, sizeof expected));
  g_autoptr(Secret) secret = secret_new_from(ikm, sizeof ikm);
  g_assert_true(crypt_hkdf(secret, salt, sizeof salt, info, okm, sizeof okm, NULL));
  g_assert_cmpmem(okm, sizeof okm, expected, sizeof expected);
}

/* RFC 4231 4.3 */
static void
test_hmac(void)
{
  static const char data[] = "what do ya want for nothing?";
  g_autoptr(Secret) key = secret_new_from("Jefe", 4);
  guint8 mac[CRYPT_SHA256_BYTES] = {0xee};
  g_assert_true(crypt_hmac(key, data, strlen(data), mac, NULL));
  g_autofree char *hex = crypt_hex(mac, sizeof mac);
  g_assert_cmpstr(hex, ==,
                  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

/* FIPS 180-2, B.1, fed in pieces. */
static void
test_hash(void)
{
  g_autoptr(CryptHash) hash = crypt_hash_new();
  guint8 digest[CRYPT_SHA256_BYTES] = {0xee};
  crypt_hash_update(hash, "a", 1);
  crypt_hash_update(hash, "", 0);
  crypt_hash_update(hash, "bc", 2);
  crypt_hash_finish(hash, digest);
  g_autofree char *hex = crypt_hex(digest, sizeof digest);
  g_assert_cmpstr(hex, ==,
                  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void
test_base64url(void)
{
  for (gsize len = 0; len < 40; len++) {
    guint8 bytes[40];
    g_assert_true(crypt_random(bytes, len, NULL));
    g_autofree char *text = crypt_base64url(bytes, len);
    g_assert_null(strpbrk(text, "+/="));
    g_autoptr(Secret) back = crypt_base64url_decode(text, len);
    g_assert_nonnull(back);
    g_assert_cmpmem(secret_peek(back), secret_size(back), bytes, len);
    g_assert_null(crypt_base64url_decode(text, len + 1));
  }
  g_autofree char *special = crypt_base64url("\xfb\xff\xfe", 3);
  g_assert_cmpstr(special, ==, "-__-");
}

/* One secret has one spelling: anything else is no link. */
static void
test_base64url_refuses(void)
{
  static const char *const bad[] = {
      "",     "AA",   "AAA=",   "AA==",  "AA AA",      "AA\nA",  "AA+A",
      "AA/A", "AA.A", "AAAAAA", "AAAAA", "\377\377AA", "AAAA\n",
  };
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
    g_assert_null(crypt_base64url_decode(bad[i], 3));
  g_assert_null(crypt_base64url_decode("AB", 1)); /* four bits too many */
  g_autoptr(Secret) good = crypt_base64url_decode("AA", 1);
  g_assert_nonnull(good);
}

static void
test_hex(void)
{
  guint8 out[3] = {0xee, 0xee, 0xee};
  g_assert_true(crypt_unhex("00fFa5", out, 3));
  g_assert_cmpmem(out, 3, "\x00\xff\xa5", 3);
  g_autofree char *hex = crypt_hex(out, 3);
  g_assert_cmpstr(hex, ==, "00ffa5");
  static const char *const bad[] = {"",       "00ff",   "00ffa", "00ffa5a",
                                    "00ffg5", "00 ff5", "-0ffa5"};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
    g_assert_false(crypt_unhex(bad[i], out, 3));
}

static void
test_equal(void)
{
  g_assert_true(crypt_equal("abc", "abd", 2));
  g_assert_false(crypt_equal("abc", "abd", 3));
  g_assert_true(crypt_equal("", "x", 0));
}

static void
test_random(void)
{
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (int i = 0; i < 10000; i++) {
    guint8 bytes[16] = {0};
    g_assert_true(crypt_random(bytes, sizeof bytes, NULL));
    g_assert_true(g_hash_table_add(seen, crypt_hex(bytes, sizeof bytes)));
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  for (gsize i = 0; i < G_N_ELEMENTS(hkdf_rows); i++) {
    g_autofree char *path = g_strconcat("/crypt/hkdf/", hkdf_rows[i].name, NULL);
    g_test_add_data_func(path, &hkdf_rows[i], test_hkdf);
  }
  g_test_add_func("/crypt/hkdf/rfc5869 A.2", test_hkdf_long);
  g_test_add_func("/crypt/scrypt/rfc7914", test_scrypt);
  g_test_add_func("/crypt/hmac/rfc4231", test_hmac);
  g_test_add_func("/crypt/hash", test_hash);
  g_test_add_func("/crypt/base64url", test_base64url);
  g_test_add_func("/crypt/base64url refuses", test_base64url_refuses);
  g_test_add_func("/crypt/hex", test_hex);
  g_test_add_func("/crypt/equal", test_equal);
  g_test_add_func("/crypt/random", test_random);
  return g_test_run();
}
