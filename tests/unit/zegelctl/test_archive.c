/*
 * The manifest of a backup and the file with its keys: written, read, changed.
 */
#include "zegelctl/archive.h"

#include <string.h>

#include "common/base/error.h"
#include "tests/unit/crypt/ring.h"

#define AT_S G_GINT64_CONSTANT(1700000000)

static ArchiveItem *
add(Archive *archive, const char *path, gboolean is_file, guint mode)
{
  ArchiveItem *item = archive_add(archive, path);
  item->is_file = is_file;
  item->mode = mode;
  item->owner = g_strdup("zegel-deliver");
  item->group = g_strdup("zegel-store");
  return item;
}

static Archive *
make(const KeyRing *ring)
{
  g_autoptr(GError) error = NULL;
  Archive *archive = archive_new(AT_S, "1.2", "/etc/zegel/zegel.conf", &error);
  g_assert_no_error(error);
  g_assert_true(archive_add_keys(archive, ring, KEY_STORE, NULL));
  add(archive, "/var/lib/zegel/a b", FALSE, 02770);
  ArchiveItem *file = add(archive, "/var/lib/zegel/a b/c", TRUE, 0640);
  file->size = 12345678901;
  memset(file->sha256, 0xab, sizeof file->sha256);
  return archive;
}

static Archive *
parse(const Secret *text)
{
  g_autoptr(GError) error = NULL;
  Archive *archive =
      archive_parse("name", (const char *) secret_peek(text), secret_size(text), &error);
  g_assert_no_error(error);
  return archive;
}

static void
test_round(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_STORE, TRUE);
  g_autoptr(Archive) archive = make(ring);
  g_autoptr(Secret) text = archive_format(archive, ring, NULL);
  g_autoptr(Archive) read = parse(text);
  g_assert_cmpstr(read->id, ==, archive->id);
  g_assert_cmpint(read->at_s, ==, AT_S);
  g_assert_cmpstr(read->version, ==, "1.2");
  g_assert_cmpstr(read->config, ==, "/etc/zegel/zegel.conf");
  g_assert_false(read->of_keys);
  g_assert_cmpuint(read->keys->len, ==, 2);
  g_assert_cmpuint(read->items->len, ==, 2);
  const ArchiveItem *directory = read->items->pdata[0], *file = read->items->pdata[1];
  g_assert_false(directory->is_file);
  g_assert_cmpuint(directory->mode, ==, 02770);
  g_assert_cmpstr(directory->path, ==, "/var/lib/zegel/a b");
  g_assert_true(file->is_file);
  g_assert_cmpuint(file->size, ==, 12345678901);
  g_assert_cmpuint(file->sha256[31], ==, 0xab);
  g_assert_cmpstr(file->owner, ==, "zegel-deliver");
  g_assert_cmpstr(file->group, ==, "zegel-store");
  g_assert_cmpstr(file->path, ==, "/var/lib/zegel/a b/c");
}

static void
test_contents(void)
{
  static const char key[] = "zegel-key 1 store 0000000a " RING_KEY_OLD "\n";
  g_autoptr(Archive) archive = archive_new(AT_S, "1", "/c", NULL);
  ArchiveItem *item = add(archive, "/etc/zegel/keys/store", TRUE, 0400);
  g_autoptr(CryptHash) hash = crypt_hash_new();
  archive->of_keys = TRUE;
  item->content = secret_new_from(key, strlen(key));
  item->size = strlen(key);
  crypt_hash_update(hash, key, strlen(key));
  crypt_hash_finish(hash, item->sha256);
  g_autoptr(Secret) text = archive_format(archive, NULL, NULL);
  g_autoptr(Archive) read = parse(text);
  const ArchiveItem *there = read->items->pdata[0];
  g_assert_true(read->of_keys);
  g_assert_cmpmem(secret_peek(there->content), secret_size(there->content), key,
                  strlen(key));
}

/* Whatever octet is another one, it is no manifest or not the one that was sealed. */
static void
test_changed(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_STORE, FALSE);
  g_autoptr(Archive) archive = make(ring);
  g_autoptr(Secret) text = archive_format(archive, ring, NULL);
  char *bytes = (char *) secret_bytes(text);
  gsize len = secret_size(text);
  g_assert_true(archive_check(bytes, len, ring, NULL));
  for (gsize i = 0; i < len - 1; i++) { /* the last line end says nothing */
    bytes[i] ^= 1;
    g_assert_false(archive_check(bytes, len, ring, NULL));
    bytes[i] ^= 1;
  }
  for (gsize cut = 0; cut < len - 1; cut++)
    g_assert_false(archive_check(bytes, cut, ring, NULL));
}

static void
test_other_keys(void)
{
  g_autoptr(KeyRing) old = ring_new(KEY_STORE, FALSE);
  g_autoptr(KeyRing) rotated = ring_new(KEY_STORE, TRUE);
  static const char text[] = "zegel-key 1 store 0000000a " RING_KEY_NEW "\n";
  g_autoptr(KeyRing) other = keyring_parse(text, strlen(text), KEY_STORE, "test", NULL);
  g_autoptr(Archive) of_old = make(old);
  g_autoptr(Archive) of_rotated = make(rotated);
  g_assert_null(archive_missing_key(of_old, old, KEY_STORE));
  g_assert_null(archive_missing_key(of_old, rotated, KEY_STORE)); /* has the old one too */
  g_assert_cmpuint(archive_missing_key(of_rotated, old, KEY_STORE)->id, ==, 0x0b);
  g_assert_cmpuint(archive_missing_key(of_old, other, KEY_STORE)->id, ==, 0x0a);
  g_autoptr(KeyRing) link = ring_new(KEY_LINK, FALSE);
  g_assert_null(archive_missing_key(of_old, link, KEY_LINK)); /* nothing was made with it */
  g_autoptr(Secret) sealed = archive_format(of_old, old, NULL);
  g_assert_true(archive_check((const char *) secret_peek(sealed), secret_size(sealed),
                              rotated, NULL));
  g_assert_false(
      archive_check((const char *) secret_peek(sealed), secret_size(sealed), other, NULL));
}

static void
test_paths(void)
{
  static const char *const good[] = {"/a", "/a/b c", "/a/..b", "/\303\251"};
  static const char *const bad[] = {"",        "a",    "/",     "/a/",  "//a",
                                    "/a/../b", "/a/.", "/a\nb", "/a\r", "/\377"};
  for (guint i = 0; i < G_N_ELEMENTS(good); i++)
    g_assert_true(archive_path_is_good(good[i]));
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
    g_assert_false(archive_path_is_good(bad[i]));
}

#define ID   "00112233445566778899aabbccddeeff"
#define HEAD "zegel-backup 1 " ID " 2026-11-22T10:00:00Z 1\nconfig /c\n"
#define KEYS "zegel-backup-keys 1 " ID " 2026-11-22T10:00:00Z 1\nconfig /c\n"
/* Of nothing. */
#define NONE "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SUM  "0000000000000000000000000000000000000000000000000000000000000000"

static void
test_bad(void)
{
  static const char *const bad[] = {
      "",
      "zegel-backup 2 " ID " 2026-11-22T10:00:00Z 1\nconfig /c\n",
      "zegel-backup 1 " ID " today 1\nconfig /c\n",
      "zegel-backup 1 " ID " 2026-11-22T10:00:00Z 1\n",
      HEAD "dir 0755 root root",
      HEAD "dir 0755 root root ../etc\n",
      HEAD "dir 0755 root root /etc/../x\n",
      HEAD "dir 99999 root root /etc\n",
      HEAD "dir 10000 root root /etc\n",
      HEAD "file 0644 root root -1 " SUM " /etc/x\n",
      HEAD "file 0644 root root 1 00 /etc/x\n",
      HEAD "file 0644 root root 0 " SUM " /etc/x\ndata \n", /* no file of keys */
      HEAD "key store 0a 00112233445566778899aabbccddeeff\n",
      HEAD "key other 0000000a 00112233445566778899aabbccddeeff\n",
      HEAD "link /etc/x /etc/y\n",
      HEAD HEAD,
      KEYS "data \n",
      KEYS "file 0400 root root 0 " SUM " /k\ndata \n",
      KEYS "file 0400 root root 1 " NONE " /k\ndata \n",
      KEYS "file 0400 root root 0 " NONE " /k\ndata eA==\n",
      KEYS "file 0400 root root 0 " NONE " /k\ndata \ndata \n",
      KEYS "dir 0700 root root /k\ndata \n",
  };
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    g_test_message("%s", bad[i]);
    g_assert_null(archive_parse("name", bad[i], strlen(bad[i]), &error));
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  }
  static const char keys[] = KEYS "file 0400 root root 0 " NONE " /k\ndata \n";
  g_autoptr(Archive) good = archive_parse("name", HEAD, strlen(HEAD), NULL);
  g_autoptr(Archive) good_keys = archive_parse("name", keys, strlen(keys), NULL);
  g_assert_true(good != NULL && good_keys != NULL);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/archive/round", test_round);
  g_test_add_func("/archive/contents", test_contents);
  g_test_add_func("/archive/changed", test_changed);
  g_test_add_func("/archive/other-keys", test_other_keys);
  g_test_add_func("/archive/paths", test_paths);
  g_test_add_func("/archive/bad", test_bad);
  return g_test_run();
}
