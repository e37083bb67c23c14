#include <string.h>

#include "common/base/error.h"
#include "common/crypt/dkim_record.h"
#include "common/crypt/sign_key.h"
#include "tests/unit/tap.h"

static const struct {
  SignAlgorithm algorithm;
  guint bits;
  const char *record;
  gsize signature;
} rows[] = {
    {SIGN_RSA_SHA256, 2048, "v=DKIM1; k=rsa; p=MII", 256},
    {SIGN_RSA_SHA256, 3072, "v=DKIM1; k=rsa; p=MII", 384},
    {SIGN_ED25519_SHA256, 256, "v=DKIM1; k=ed25519; p=", 64},
};

/* What is written is read as the same key, and its public half is a record. */
static void
test_round(void)
{
  const guint8 digest[CRYPT_SHA256_BYTES] = {1, 2, 3};
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(SignKey) key = sign_key_generate(rows[i].algorithm, rows[i].bits, &error);
    g_assert_no_error(error);
    g_autoptr(Secret) pem = sign_key_format(key, &error);
    g_assert_no_error(error);
    g_autoptr(SignKey) copy =
        sign_key_parse((const char *) secret_peek(pem), secret_size(pem), "row", &error);
    g_assert_no_error(error);
    g_assert_cmpuint(sign_key_algorithm(copy), ==, rows[i].algorithm);
    g_assert_cmpuint(sign_key_bits(copy), ==, rows[i].bits);
    g_autoptr(GBytes) one = sign_key_sign(key, digest, &error);
    g_autoptr(GBytes) other = sign_key_sign(copy, digest, &error);
    g_assert_no_error(error);
    g_assert_true(g_bytes_equal(one, other)); /* neither has any chance in it */
    g_assert_cmpuint(g_bytes_get_size(one), ==, rows[i].signature);
    g_autofree char *public = sign_key_format_public(copy, &error);
    g_assert_no_error(error);
    g_assert_null(strstr(public, "PRIVATE"));
    g_autofree char *record = dkim_record(public);
    g_assert_nonnull(record);
    g_assert_true(g_str_has_prefix(record, rows[i].record));
  }
}

/* Two keys are never the same. */
static void
test_random(void)
{
  g_autoptr(SignKey) one = sign_key_generate(SIGN_ED25519_SHA256, 0, NULL);
  g_autoptr(SignKey) other = sign_key_generate(SIGN_ED25519_SHA256, 0, NULL);
  g_autofree char *a = sign_key_format_public(one, NULL);
  g_autofree char *b = sign_key_format_public(other, NULL);
  g_assert_cmpstr(a, !=, b);
}

/* What cannot be made is said. */
static void
test_fail(void)
{
  g_autoptr(GError) error = NULL;
  g_assert_null(sign_key_generate(SIGN_RSA_SHA256, 16, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/new-sign-key/what is written is read as the same key", test_round);
  g_test_add_func("/new-sign-key/each is new", test_random);
  g_test_add_func("/new-sign-key/an impossible length is an error", test_fail);
  return g_test_run();
}
