/* Private keys in PEM: which are taken, and what they sign. */
#include "common/crypt/sign_key.h"

#include <string.h>

#include "common/base/error.h"
#include "tests/unit/tap.h"

/* A test key, which everybody has: that of RFC 8463 A.2 (and RFC 8032 7.1, test 1). */
static const char rfc8463_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

/* A test key under the password "x": nobody must be asked for it. */
static const char locked_pem[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhoWvI6aognMwICCAAw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEHYV+tSzkbBytQTlCp3os9MEQO+B\n"
    "cfffSrk5dFXc0THfvrjJLvel/HXqfWyGjSgHQ+FVx/orMs8KyDyXN+KEnBFMxNpR\n"
    "e3ZtEIgWCN/JFLY6210=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

static void
test_refused(void)
{
  static const char *const texts[] = {"", "no key", locked_pem,
                                      "-----BEGIN PRIVATE KEY-----\nAAAA\n"};
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autoptr(GError) error = NULL;
    SignKey *key = sign_key_parse(texts[i], strlen(texts[i]), "what", &error);
    g_assert_null(key);
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
    g_assert_true(g_str_has_prefix(error->message, "what: "));
  }
}

static void
test_files(void)
{
  static const struct {
    const char *name;
    gsize bytes; /* of a signature; 0: the key is refused */
  } cases[] = {{"rsa512", 0},  {"rsa1024", 128}, {"rsa2048", 256}, {"rsa4096", 512},
               {"rsa5120", 0}, {"ed25519", 64},  {"ec", 0}};
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    guint8 digest[CRYPT_SHA256_BYTES] = {i};
    g_autofree char *file = g_strconcat(cases[i].name, ".pem", NULL);
    g_autofree char *path =
        g_test_build_filename(G_TEST_DIST, "tests/data/dkim/keys", file, NULL);
    g_autofree char *pem = NULL;
    gsize len = 0;
    g_assert_true(g_file_get_contents(path, &pem, &len, NULL));
    g_autoptr(SignKey) key = sign_key_parse(pem, len, path, NULL);
    g_test_message("%s", cases[i].name);
    g_assert_true((key != NULL) == (cases[i].bytes > 0));
    if (key == NULL)
      continue;
    g_autoptr(GBytes) signature = sign_key_sign(key, digest, NULL);
    g_assert_cmpuint(g_bytes_get_size(signature), ==, cases[i].bytes);
  }
}

/* The signature of RFC 8463 A.3, over the hash of its header. */
static void
test_rfc8463(void)
{
  static const char header[] =
      "from:Joe SixPack <joe@football.example.com>\r\n"
      "to:Suzie Q <suzie@shopping.example.net>\r\n"
      "subject:Is dinner ready?\r\n"
      "date:Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
      "message-id:<20030712040037.46341.5F8J@football.example.com>\r\n"
      "dkim-signature:v=1; a=ed25519-sha256; c=relaxed/relaxed; d=football.example.com; "
      "i=@football.example.com; q=dns/txt; s=brisbane; t=1528637909; h=from : to : subject "
      ": date : message-id : from : subject : date; "
      "bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=";
  guint8 digest[CRYPT_SHA256_BYTES];
  g_autoptr(CryptHash) hash = crypt_hash_new();
  crypt_hash_update(hash, header, strlen(header));
  crypt_hash_finish(hash, digest);
  g_autoptr(SignKey) key = sign_key_parse(rfc8463_pem, strlen(rfc8463_pem), "rfc", NULL);
  g_assert_nonnull(key);
  g_assert_cmpint(sign_key_algorithm(key), ==, SIGN_ED25519_SHA256);
  g_autoptr(GBytes) signature = sign_key_sign(key, digest, NULL);
  gsize len = 0;
  const guint8 *octets = g_bytes_get_data(signature, &len);
  g_autofree char *base64 = g_base64_encode(octets, len);
  g_assert_cmpstr(base64, ==,
                  "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus"
                  "Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==");
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/sign-key/refused", test_refused);
  g_test_add_func("/sign-key/files", test_files);
  g_test_add_func("/sign-key/rfc8463", test_rfc8463);
  return g_test_run();
}
