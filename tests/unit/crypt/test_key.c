#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/crypt/crypt.h"
#include "common/crypt/key.h"
#include "tests/unit/tap.h"

#define KEY_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY_B "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA="
#define LINE  "zegel-key 1 store 0000000a " KEY_A "\n"

typedef struct {
  char *directory, *path;
} Fixture;

static void
setup(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture->directory = g_dir_make_tmp("zegel-key-XXXXXX", NULL);
  g_assert_nonnull(fixture->directory);
  fixture->path = g_build_filename(fixture->directory, "store", NULL);
}

static void
teardown(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_unlink(fixture->path);
  g_assert_cmpint(g_rmdir(fixture->directory), ==, 0); /* nothing else was left behind */
  g_free(fixture->directory);
  g_free(fixture->path);
}

static void
write_file(const Fixture *fixture, const char *text, gssize len, int mode)
{
  g_unlink(fixture->path);
  g_assert_true(g_file_set_contents(fixture->path, text, len, NULL));
  g_assert_cmpint(g_chmod(fixture->path, mode), ==, 0);
}

/* The file is refused as configuration, by name, and the text holds no key. */
static void
assert_refused(const Fixture *fixture, KeyPurpose purpose)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(KeyRing) ring = keyring_load(fixture->path, purpose, &error);
  g_assert_null(ring);
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
  g_assert_nonnull(strstr(error->message, fixture->path));
  g_assert_null(strstr(error->message, "AAECAwQ"));
}

static void
test_load(Fixture *fixture, gconstpointer data)
{
  (void) data;
  write_file(fixture, "zegel-key 1 store 0000000b " KEY_B "\n" LINE, -1, 0400);
  g_autoptr(GError) error = NULL;
  g_autoptr(KeyRing) ring = keyring_load(fixture->path, KEY_STORE, &error);
  g_assert_no_error(error);
  g_assert_cmphex(keyring_current(ring), ==, 0xb);
  g_assert_cmpuint(keyring_count(ring), ==, 2);
  g_assert_cmphex(keyring_nth(ring, 0), ==, 0xb);
  g_assert_cmphex(keyring_nth(ring, 1), ==, 0xa);
  g_chmod(fixture->path, 0600);
  g_autoptr(KeyRing) again = keyring_load(fixture->path, KEY_STORE, &error);
  g_assert_no_error(error);
  g_assert_cmphex(keyring_current(again), ==, 0xb);
}

static void
test_rights(Fixture *fixture, gconstpointer data)
{
  (void) data;
  static const int modes[] = {0644, 0640, 0604, 0440, 0404, 0420, 0402, 0500, 0410, 04400};
  for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
    write_file(fixture, LINE, -1, modes[i]);
    assert_refused(fixture, KEY_STORE);
  }
}

/* Another user's key is not ours, unless we are root and may become that user. */
static void
test_owner(Fixture *fixture, gconstpointer data)
{
  (void) data;
  write_file(fixture, LINE, -1, 0400);
  g_autoptr(GError) error = NULL;
  if (geteuid() != 0) {
    g_autoptr(KeyRing) own = keyring_load(fixture->path, KEY_STORE, &error);
    g_assert_nonnull(own);
    return;
  }
  g_assert_cmpint(chown(fixture->path, 12345, 12345), ==, 0);
  g_autoptr(KeyRing) ring = keyring_load(fixture->path, KEY_STORE, &error);
  g_assert_nonnull(ring);
  g_assert_cmpint(chmod(fixture->directory, 0755), ==, 0);
  g_assert_cmpint(seteuid(12346), ==, 0);
  g_autoptr(KeyRing) stranger = keyring_load(fixture->path, KEY_STORE, NULL);
  g_assert_cmpint(seteuid(0), ==, 0);
  g_assert_null(stranger);
}

static void
test_no_file(Fixture *fixture, gconstpointer data)
{
  (void) data;
  assert_refused(fixture, KEY_STORE);
  g_assert_cmpint(g_mkdir(fixture->path, 0700), ==, 0);
  assert_refused(fixture, KEY_STORE);
  g_rmdir(fixture->path);
  g_assert_cmpint(mkfifo(fixture->path, 0600), ==, 0);
  assert_refused(fixture, KEY_STORE);
}

static void
test_purpose(Fixture *fixture, gconstpointer data)
{
  (void) data;
  write_file(fixture, LINE, -1, 0400);
  assert_refused(fixture, KEY_LINK);
  assert_refused(fixture, KEY_TICKET);
  write_file(fixture, LINE "zegel-key 1 link 0000000b " KEY_B "\n", -1, 0400);
  assert_refused(fixture, KEY_STORE);
}

static void
test_garbage(Fixture *fixture, gconstpointer data)
{
  (void) data;
  static const char *const bad[] = {
      "",
      "\n",
      LINE "\n",
      "\n" LINE,
      "garbage",
      "zegel-key 2 store 0000000a " KEY_A "\n",
      "zegel-key 1 store 000000a " KEY_A "\n",
      "zegel-key 1 store 0000000aa " KEY_A "\n",
      "zegel-key 1 store 0000000g " KEY_A "\n",
      "zegel-key  1 store 0000000a " KEY_A "\n",
      "zegel-key 1 store 0000000a\n",
      "zegel-key 1 store 0000000a " KEY_A " x\n",
      "zegel-key 1 store 0000000a " KEY_A "A\n",
      "zegel-key 1 store 0000000a " KEY_A "\r\n",
      "zegel-key 1 store 0000000a __79_Pv6-fj39vX08_Lx8O_u7ezr6uno5-bl5OPi4eA=\n",
      "zegel-key 1 store 0000000a AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==\n",
      LINE LINE, /* one id twice */
      LINE "zegel-key 1 store 0000000b",
  };
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    write_file(fixture, bad[i], -1, 0400);
    assert_refused(fixture, KEY_STORE);
  }
  for (gssize len = 0; len < (gssize) strlen(LINE) - 1; len++) {
    write_file(fixture, LINE, len, 0400);
    assert_refused(fixture, KEY_STORE);
  }
  write_file(fixture, "zegel-key 1 store 0000000a\0 " KEY_A, sizeof LINE - 1, 0400);
  assert_refused(fixture, KEY_STORE);
}

static void
test_large(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autofree char *large = g_malloc0(1 << 20);
  write_file(fixture, large, 1 << 20, 0400);
  assert_refused(fixture, KEY_STORE);
}

static void
test_derive(Fixture *fixture, gconstpointer data)
{
  (void) data;
  write_file(fixture, LINE, -1, 0400);
  g_autoptr(KeyRing) ring = keyring_load(fixture->path, KEY_STORE, NULL);
  g_autoptr(Secret) one = keyring_derive_key(ring, 0xa, "one", NULL);
  g_autoptr(Secret) two = keyring_derive_key(ring, 0xa, "two", NULL);
  g_assert_cmpuint(secret_size(one), ==, CRYPT_KEY_BYTES);
  g_assert_false(crypt_equal(secret_peek(one), secret_peek(two), CRYPT_KEY_BYTES));
  g_autoptr(Secret) again = keyring_derive_key(ring, 0xa, "one", NULL);
  g_assert_true(crypt_equal(secret_peek(one), secret_peek(again), CRYPT_KEY_BYTES));
  /* With Python: hmac-sha256 extract with no salt, expand with info "one". */
  g_autofree char *hex = crypt_hex(secret_peek(one), CRYPT_KEY_BYTES);
  g_assert_cmpstr(hex, ==,
                  "cdac075405de95fb7dd48611b45ac046ab2c626e1f622b10b4698c17d4528d6c");
  guint8 salted[CRYPT_KEY_BYTES] = {0};
  g_assert_true(keyring_derive(ring, 0xa, "one", "salt", 4, salted, sizeof salted, NULL));
  g_assert_false(crypt_equal(secret_peek(one), salted, CRYPT_KEY_BYTES));
  g_autoptr(GError) error = NULL;
  g_assert_null(keyring_derive_key(ring, 0xb, "one", &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_KEY_UNKNOWN);
}

static void
test_generate(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  g_assert_true(key_file_generate(fixture->path, KEY_LINK, &error));
  g_assert_no_error(error);
  GStatBuf status;
  g_assert_cmpint(g_stat(fixture->path, &status), ==, 0);
  g_assert_cmpint(status.st_mode & 07777, ==, 0400);
  g_autoptr(KeyRing) first = keyring_load(fixture->path, KEY_LINK, &error);
  g_assert_no_error(error);
  g_autoptr(Secret) before =
      keyring_derive_key(first, keyring_current(first), "label", NULL);

  g_assert_true(key_file_generate(fixture->path, KEY_LINK, &error));
  g_autoptr(KeyRing) second = keyring_load(fixture->path, KEY_LINK, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(keyring_count(second), ==, 2);
  g_assert_cmphex(keyring_current(second), !=, keyring_current(first));
  g_assert_cmphex(keyring_nth(second, 1), ==, keyring_current(first));
  g_autoptr(Secret) after =
      keyring_derive_key(second, keyring_current(first), "label", NULL);
  g_assert_true(crypt_equal(secret_peek(before), secret_peek(after), CRYPT_KEY_BYTES));
}

static void
test_generate_refuses(Fixture *fixture, gconstpointer data)
{
  (void) data;
  write_file(fixture, LINE, -1, 0400);
  g_autoptr(GError) error = NULL;
  g_assert_false(key_file_generate(fixture->path, KEY_LINK, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
  write_file(fixture, "garbage\n", -1, 0400);
  g_assert_false(key_file_generate(fixture->path, KEY_STORE, NULL));
  g_autofree char *text = NULL;
  g_assert_true(g_file_get_contents(fixture->path, &text, NULL, NULL));
  g_assert_cmpstr(text, ==, "garbage\n");
  g_assert_false(key_file_generate("/nonexistent/directory/key", KEY_STORE, NULL));
}

static gpointer
generate_five(gpointer path)
{
  for (int i = 0; i < 5; i++)
    g_assert_true(key_file_generate(path, KEY_STORE, NULL));
  return NULL;
}

static void
test_generate_together(Fixture *fixture, gconstpointer data)
{
  (void) data;
  GThread *threads[4];
  for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
    threads[i] = g_thread_new("generate", generate_five, fixture->path);
  for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
    g_thread_join(threads[i]);
  g_autoptr(KeyRing) ring = keyring_load(fixture->path, KEY_STORE, NULL);
  g_assert_cmpuint(keyring_count(ring), ==, 20);
}

static void
test_names(Fixture *fixture, gconstpointer data)
{
  (void) fixture;
  (void) data;
  static const KeyPurpose purposes[] = {KEY_LINK, KEY_STORE, KEY_TICKET, KEY_PHONE};
  for (gsize i = 0; i < G_N_ELEMENTS(purposes); i++) {
    KeyPurpose purpose = KEY_LINK;
    g_assert_true(key_purpose_parse(key_purpose_name(purposes[i]), &purpose));
    g_assert_cmpint(purpose, ==, purposes[i]);
  }
  KeyPurpose purpose = KEY_LINK;
  g_assert_false(key_purpose_parse("lin", &purpose));
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  static const struct {
    const char *path;
    void (*test)(Fixture *fixture, gconstpointer data);
  } tests[] = {
      {"/key/load", test_load},
      {"/key/rights", test_rights},
      {"/key/owner", test_owner},
      {"/key/no file", test_no_file},
      {"/key/wrong purpose", test_purpose},
      {"/key/garbage and short", test_garbage},
      {"/key/large", test_large},
      {"/key/derive", test_derive},
      {"/key/generate", test_generate},
      {"/key/generate refuses", test_generate_refuses},
      {"/key/generate together", test_generate_together},
      {"/key/names", test_names},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
    g_test_add(tests[i].path, Fixture, NULL, setup, tests[i].test, teardown);
  return g_test_run();
}
