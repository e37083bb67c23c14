/* The directory of DKIM keys: which key signs, which file is left out, when it is read. */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "milter/dkim.h"
#include "tests/unit/tap.h"

#define LOOK_US (1100 * 1000)

static char *directory;

static char *
place_of(const char *leaf)
{
  return g_build_filename(directory, "own.nl", leaf, NULL);
}

/* Puts test key NAME there as LEAF with MODE, written at TIME. */
static void
put(const char *name, const char *leaf, int mode, time_t time)
{
  g_autofree char *file = g_strconcat(name, ".pem", NULL);
  g_autofree char *from =
      g_test_build_filename(G_TEST_DIST, "tests/data/dkim/keys", file, NULL);
  g_autofree char *to = place_of(leaf);
  g_autofree char *pem = NULL;
  gsize len = 0;
  struct utimbuf when = {time, time};
  g_assert_true(g_file_get_contents(from, &pem, &len, NULL));
  g_assert_true(g_file_set_contents(to, pem, (gssize) len, NULL));
  g_assert_cmpint(g_chmod(to, mode), ==, 0);
  g_assert_cmpint(utime(to, &when), ==, 0);
}

static void
empty_place(void)
{
  g_autofree char *place = place_of("");
  g_autoptr(GDir) dir = g_dir_open(place, 0, NULL);
  for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
    g_autofree char *path = place_of(name);
    g_unlink(path);
  }
}

/* "SELECTOR ALGORITHM, ..." of the keys of DOMAIN. */
static char *
show(DkimKeys *keys, const char *domain)
{
  g_autoptr(GPtrArray) found = dkim_keys_of(keys, domain);
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; i < found->len; i++)
    g_string_append_printf(text, "%s%s %s", i > 0 ? ", " : "",
                           dkim_key_selector(found->pdata[i]),
                           dkim_key_algorithm(found->pdata[i]));
  return g_string_free(g_steal_pointer(&text), FALSE);
}

static void
assert_keys(DkimKeys *keys, const char *domain, const char *want)
{
  g_autofree char *got = show(keys, domain);
  g_assert_cmpstr(got, ==, want);
}

static void
test_newest(void)
{
  g_autoptr(DkimKeys) keys = dkim_keys_new(directory);
  put("ed25519", "ed.key", 0400, 1000);
  put("rsa2048", "old.key", 0400, 1000);
  put("rsa3072", "new.key", 0600, 2000);
  put("rsa1024", "aside.pub", 0400, 3000);
  assert_keys(keys, "own.nl", "new rsa-sha256, ed ed25519-sha256");
  empty_place();
}

static void
test_left_out(void)
{
  static const struct {
    const char *name, *leaf;
    int mode;
  } cases[] = {
      {"rsa2048", "open.key", 0440}, {"rsa2048", "open2.key", 0604},
      {"rsa512", "short.key", 0400}, {"rsa5120", "long.key", 0400},
      {"ec", "ec.key", 0400},        {"rsa2048", "a..b.key", 0400},
      {"rsa2048", "a b.key", 0400},  {"rsa2048", ".key", 0400},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(DkimKeys) keys = dkim_keys_new(directory);
    put(cases[i].name, cases[i].leaf, cases[i].mode, 1000);
    g_test_message("%s", cases[i].leaf);
    assert_keys(keys, "own.nl", "");
    empty_place();
  }
}

static void
test_no_key(void)
{
  g_autoptr(DkimKeys) keys = dkim_keys_new(directory);
  g_autofree char *path = place_of("x.key");
  g_assert_true(g_file_set_contents(path, "-----BEGIN PRIVATE KEY-----\n", -1, NULL));
  g_assert_cmpint(g_chmod(path, 0400), ==, 0);
  assert_keys(keys, "own.nl", "");
  assert_keys(keys, "other.nl", "");
  empty_place();
  put("rsa2048", "s.key", 0400, 1000);
  g_autoptr(DkimKeys) again = dkim_keys_new(directory);
  assert_keys(again, "own.nl", "s rsa-sha256");
  assert_keys(again, "x/../own.nl", "");
  assert_keys(again, "../own.nl", "");
  assert_keys(again, "", "");
  empty_place();
}

/* A change is seen within a second or so, and a key in use stays. */
static void
test_changes(void)
{
  g_autoptr(DkimKeys) keys = dkim_keys_new(directory);
  put("rsa2048", "one.key", 0400, 1000);
  assert_keys(keys, "own.nl", "one rsa-sha256");
  g_autoptr(GPtrArray) held = dkim_keys_of(keys, "own.nl");
  put("rsa3072", "two.key", 0400, 2000);
  assert_keys(keys, "own.nl", "one rsa-sha256");
  g_usleep(LOOK_US);
  assert_keys(keys, "own.nl", "two rsa-sha256");
  g_autofree char *path = place_of("one.key");
  struct utimbuf when = {3000, 3000};
  g_assert_cmpint(utime(path, &when), ==, 0);
  g_usleep(LOOK_US);
  assert_keys(keys, "own.nl", "one rsa-sha256");
  empty_place();
  g_usleep(LOOK_US);
  assert_keys(keys, "own.nl", "");
  g_assert_cmpstr(dkim_key_selector(held->pdata[0]), ==, "one");
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  directory = g_dir_make_tmp("zegel-keys-XXXXXX", NULL);
  g_autofree char *place = g_build_filename(directory, "own.nl", NULL);
  g_assert_cmpint(g_mkdir(place, 0700), ==, 0);
  g_test_add_func("/dkim/keys/newest", test_newest);
  g_test_add_func("/dkim/keys/left-out", test_left_out);
  g_test_add_func("/dkim/keys/no-key", test_no_key);
  g_test_add_func("/dkim/keys/changes", test_changes);
  int status = g_test_run();
  g_rmdir(place);
  g_rmdir(directory);
  g_free(directory);
  return status;
}
