#include <glib/gstdio.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "tests/unit/tap.h"
#include "zegelctl/dkim_files.h"
#include "zegelctl/dkim_text.h"

#define DOMAIN "example.nl"

typedef struct {
  char *top;
  Config config; /* only what dkim_files reads */
} Fixture;

static void
setup(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture->top = g_dir_make_tmp("zegel-dkim-XXXXXX", NULL);
  g_assert_nonnull(fixture->top);
  fixture->config = (Config){
      .dkim_keys = g_build_filename(fixture->top, "keys", "dkim", NULL),
      .dkim_directory = g_build_filename(fixture->top, "dkim", NULL),
      .milter_user = g_strdup(getpwuid(geteuid())->pw_name),
  };
}

static void
remove_tree(const char *path)
{
  g_autoptr(GDir) dir = NULL;
  if (!g_file_test(path, G_FILE_TEST_IS_SYMLINK))
    dir = g_dir_open(path, 0, NULL);
  for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
    g_autofree char *below = g_build_filename(path, name, NULL);
    remove_tree(below);
  }
  g_assert_cmpint(g_remove(path), ==, 0);
}

static void
teardown(Fixture *fixture, gconstpointer data)
{
  (void) data;
  remove_tree(fixture->top);
  g_free(fixture->top);
  g_free(fixture->config.dkim_keys);
  g_free(fixture->config.dkim_directory);
  g_free(fixture->config.milter_user);
}

static DkimPlace *
open_place(const Fixture *fixture)
{
  g_autoptr(GError) error = NULL;
  DkimPlace *place = dkim_place_open(&fixture->config, DOMAIN, TRUE, &error);
  g_assert_no_error(error);
  return place;
}

static GPtrArray *
list(const DkimPlace *place)
{
  g_autoptr(GError) error = NULL;
  GPtrArray *files = dkim_place_list(place, &error);
  g_assert_no_error(error);
  return files;
}

static void
add(const DkimPlace *place, const char *selector)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(SignKey) key = sign_key_generate(SIGN_ED25519_SHA256, 0, &error);
  g_assert_true(dkim_place_add(place, selector, key, &error));
  g_assert_no_error(error);
}

static void
activate(const DkimPlace *place, const char *selector)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) files = list(place);
  dkim_place_activate(place, files, dkim_find(files, selector), &error);
  g_assert_no_error(error);
}

/* "a=waiting b=active* c=resting!": a star for the one that signs, "!" for a fault. */
static char *
states(const DkimPlace *place)
{
  g_autoptr(GPtrArray) files = list(place);
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < files->len; i++) {
    const DkimFile *file = files->pdata[i];
    g_string_append_printf(text, "%s%s=%s%s%s", i > 0 ? " " : "", file->selector,
                           dkim_state_name(file->state), file->signs ? "*" : "",
                           file->fault != NULL ? "!" : "");
  }
  return g_string_free(text, FALSE);
}

static void
assert_states(const DkimPlace *place, const char *expected)
{
  g_autofree char *text = states(place);
  g_assert_cmpstr(text, ==, expected);
}

static char *
private_path(const Fixture *fixture, const char *name)
{
  return g_build_filename(fixture->config.dkim_keys, DOMAIN, name, NULL);
}

static char *
public_path(const Fixture *fixture, const char *name)
{
  return g_build_filename(fixture->config.dkim_directory, DOMAIN, name, NULL);
}

static gboolean
has_public(const Fixture *fixture, const char *name)
{
  g_autofree char *path = public_path(fixture, name);
  return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void
retire(const DkimPlace *place, const char *selector)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) files = list(place);
  g_assert_true(dkim_place_retire(place, files, dkim_find(files, selector), &error));
  g_assert_no_error(error);
}

/* A key is made, signs, rests and is destroyed. */
static void
test_life(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  g_autoptr(DkimPlace) place = open_place(fixture);
  add(place, "a");
  assert_states(place, "a=waiting");
  activate(place, "a");
  assert_states(place, "a=active*");
  add(place, "b");
  assert_states(place, "a=active* b=waiting");
  activate(place, "b");
  assert_states(place, "a=active! b=active*"); /* cut off here, this is left */
  g_autoptr(GPtrArray) files = list(place);
  g_assert_true(dkim_place_rest(place, dkim_find(files, "a"), &error));
  assert_states(place, "a=resting b=active*");
  activate(place, "a"); /* the way back */
  assert_states(place, "a=active* b=active!");
  retire(place, "b");
  assert_states(place, "a=active* b=retired");
  g_assert_true(dkim_place_has(place, "b"));
  retire(place, "b");
  assert_states(place, "a=active* b=retired");
}

/* What policyd takes for a key that signs is there while something signs, and only then. */
static void
test_public_files(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  g_autoptr(DkimPlace) place = open_place(fixture);
  add(place, "a");
  add(place, "b");
  add(place, "never");
  g_assert_false(has_public(fixture, "a.pub"));
  activate(place, "a");
  g_assert_true(has_public(fixture, "a.pub"));
  activate(place, "b");
  g_autoptr(GPtrArray) files = list(place);
  g_assert_true(dkim_place_rest(place, dkim_find(files, "a"), &error));
  assert_states(place, "a=resting b=active* never=waiting");
  g_assert_true(has_public(fixture, "a.pub") && has_public(fixture, "b.pub"));
  retire(place, "never");
  assert_states(place, "a=resting b=active* never=retired");
  g_assert_true(has_public(fixture, "a.pub"));
  retire(place, "b");
  assert_states(place, "a=resting b=retired never=retired");
  g_assert_false(has_public(fixture, "a.pub") || has_public(fixture, "b.pub") ||
                 has_public(fixture, "never.pub"));
  activate(place, "a");
  assert_states(place, "a=active* b=retired never=retired");
  g_assert_true(has_public(fixture, "a.pub"));
}

/* While something else signs those that rest keep their public files. */
static void
test_not_the_last(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  g_autoptr(DkimPlace) place = open_place(fixture);
  add(place, "a");
  add(place, "b");
  add(place, "c");
  activate(place, "a");
  g_autoptr(GPtrArray) files = list(place);
  g_assert_true(dkim_place_rest(place, dkim_find(files, "a"), &error));
  activate(place, "b");
  activate(place, "c");
  retire(place, "b");
  assert_states(place, "a=resting b=retired c=active*");
  g_assert_true(has_public(fixture, "a.pub"));
}

/* Private for the milter's user, public for all; nothing else is left behind. */
static void
test_rights(Fixture *fixture, gconstpointer data)
{
  (void) data;
  static const struct {
    const char *name;
    gboolean private;
    guint mode;
  } rows[] = {{"c.key.waiting", TRUE, 0100400},  {"", TRUE, 0040700},
              {"a.pub.retired", FALSE, 0100644}, {"b.key", TRUE, 0100400},
              {"b.pub", FALSE, 0100644},         {"", FALSE, 0040755}};
  mode_t mask = umask(077);
  g_autoptr(DkimPlace) place = open_place(fixture);
  add(place, "a");
  add(place, "b");
  add(place, "c");
  retire(place, "a");
  activate(place, "b");
  umask(mask);
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    struct stat status = {.st_mode = 0};
    g_autofree char *path = rows[i].private ? private_path(fixture, rows[i].name)
                                            : public_path(fixture, rows[i].name);
    g_assert_cmpint(lstat(path, &status), ==, 0);
    g_assert_cmphex(status.st_mode, ==, rows[i].mode);
  }
  g_autofree char *path = private_path(fixture, "c.key.waiting.new");
  g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
  g_assert_false(has_public(fixture, "a.pub.retired.new"));
}

/* No key is ever written over, whatever it became. */
static void
test_no_overwriting(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  g_autoptr(DkimPlace) place = open_place(fixture);
  add(place, "a");
  g_autoptr(GPtrArray) before = list(place);
  g_autoptr(SignKey) key = sign_key_generate(SIGN_ED25519_SHA256, 0, NULL);
  g_assert_false(dkim_place_add(place, "a", key, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
  g_autoptr(GPtrArray) after = list(place);
  g_assert_cmpstr(dkim_find(before, "a")->record, ==, dkim_find(after, "a")->record);
  assert_states(place, "a=waiting");
}

/* What a step that was cut off leaves is seen, and the step can be taken again. */
static void
test_cut_off(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(DkimPlace) place = open_place(fixture);
  g_autofree char *public = public_path(fixture, "a.pub");
  g_autofree char *retired = public_path(fixture, "a.pub.retired");
  g_autofree char *private = private_path(fixture, "a.key");
  g_autofree char *waiting = private_path(fixture, "a.key.waiting");
  add(place, "a");
  activate(place, "a");
  g_assert_cmpint(g_rename(private, waiting), ==, 0); /* activate, after its first step */
  assert_states(place, "a=waiting!");
  activate(place, "a");
  assert_states(place, "a=active*");
  g_assert_cmpint(g_unlink(public), ==, 0);
  assert_states(place, "a=active*!");
  activate(place, "a");
  assert_states(place, "a=active*");
  g_assert_cmpint(g_rename(public, retired), ==, 0); /* retire, after its first step */
  assert_states(place, "a=active*!");
  g_autoptr(GPtrArray) files = list(place);
  g_assert_false(dkim_find(files, "a")->half);
  retire(place, "a");
  assert_states(place, "a=retired");
  g_assert_false(g_file_test(private, G_FILE_TEST_EXISTS));
}

/* A public key alone is another program's, until it is put away. */
static void
test_elsewhere(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(DkimPlace) place = open_place(fixture);
  g_autofree char *private = private_path(fixture, "a.key");
  add(place, "a");
  activate(place, "a");
  g_assert_cmpint(g_unlink(private), ==, 0);
  assert_states(place, "a=elsewhere!");
  g_autoptr(GPtrArray) orphan = list(place);
  g_assert_nonnull(dkim_find(orphan, "a")->record);
  retire(place, "a");
  assert_states(place, "a=retired");
}

/* A key that cannot be read can be destroyed, and leaves its mark all the same. */
static void
test_unreadable(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(DkimPlace) place = open_place(fixture);
  g_autofree char *path = private_path(fixture, "a.key.waiting");
  g_assert_true(
      g_file_set_contents_full(path, "x", 1, G_FILE_SET_CONTENTS_NONE, 0400, NULL));
  assert_states(place, "a=waiting!");
  retire(place, "a");
  assert_states(place, "a=retired");
}

/* Another key's public half, a key that others can read, a link, and what is no key. */
static void
test_faults(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(DkimPlace) place = open_place(fixture);
  add(place, "a");
  add(place, "b");
  add(place, "c");
  add(place, "d");
  activate(place, "a");
  g_autofree char *a = public_path(fixture, "a.pub");
  g_autofree char *b = public_path(fixture, "b.pub");
  g_assert_cmpint(g_rename(a, b), ==, 0);
  g_autofree char *c = private_path(fixture, "c.key.waiting");
  g_autofree char *aside = g_build_filename(fixture->top, "aside", NULL);
  g_autofree char *d = private_path(fixture, "d.key.waiting");
  g_assert_cmpint(g_rename(c, aside), ==, 0);
  g_assert_cmpint(symlink(aside, c), ==, 0);
  assert_states(place, "a=active*! b=waiting! c=waiting! d=waiting");
  g_autoptr(GPtrArray) files = list(place);
  g_assert_false(dkim_find(files, "b")->half); /* it is not activate that mends it */
  g_assert_cmpint(g_chmod(d, 0440), ==, 0);
  assert_states(place, "a=active*! b=waiting! c=waiting! d=waiting!");
  g_autofree char *e = private_path(fixture, "e.key");
  g_assert_true(g_file_set_contents_full(e, "x", 1, G_FILE_SET_CONTENTS_NONE, 0400, NULL));
  assert_states(place, "a=active*! b=waiting! c=waiting! d=waiting! e=active!");
}

/* A key with a second name may be a file of somebody else. */
static void
test_second_name(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(DkimPlace) place = open_place(fixture);
  add(place, "a");
  g_autofree char *one = private_path(fixture, "a.key.waiting");
  g_autofree char *other = g_build_filename(fixture->top, "other", NULL);
  g_assert_cmpint(link(one, other), ==, 0);
  assert_states(place, "a=waiting!");
}

/* A link in the place of a domain's directory leads nowhere. */
static void
test_linked_directory(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  dkim_place_close(open_place(fixture));
  g_autofree char *directory = private_path(fixture, NULL);
  g_assert_cmpint(g_rmdir(directory), ==, 0);
  g_assert_cmpint(symlink(fixture->top, directory), ==, 0);
  g_assert_null(dkim_place_open(&fixture->config, DOMAIN, TRUE, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
}

/* The newest signs, also when the clock was set back. */
static void
test_clock(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(DkimPlace) place = open_place(fixture);
  add(place, "a");
  add(place, "b");
  activate(place, "a");
  g_autofree char *path = private_path(fixture, "a.key");
  gint64 later_s = g_get_real_time() / G_USEC_PER_SEC + 86400;
  struct timespec times[2] = {{later_s, 0}, {later_s, 0}};
  g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
  activate(place, "b");
  assert_states(place, "a=active! b=active*");
}

/* Which key signed until when. */
static void
test_last_signed(void)
{
  DkimFile rows[] = {
      {(char *) "a", DKIM_RESTING, FALSE, SIGN_RSA_SHA256, 2048, (char *) "r", 100, NULL,
       FALSE},
      {(char *) "b", DKIM_RESTING, FALSE, SIGN_RSA_SHA256, 2048, (char *) "r", 200, NULL,
       FALSE},
      {(char *) "c", DKIM_ACTIVE, TRUE, SIGN_RSA_SHA256, 2048, (char *) "r", 300, NULL,
       FALSE},
      {(char *) "d", DKIM_RESTING, FALSE, SIGN_ED25519_SHA256, 0, (char *) "r", 50, NULL,
       FALSE},
      {(char *) "e", DKIM_WAITING, FALSE, SIGN_RSA_SHA256, 2048, (char *) "r", 400, NULL,
       FALSE},
  };
  const gint64 expected[] = {200, 300, 1000, 1000, 0};
  g_autoptr(GPtrArray) files = g_ptr_array_new();
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
    g_ptr_array_add(files, &rows[i]);
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
    g_assert_cmpint(dkim_last_signed_us(files, &rows[i], 1000), ==, expected[i]);
}

static void
test_selectors(void)
{
  static const char *const good[] = {"a", "zegel202611", "zegel202611e-2", "0"};
  static const char *const bad[] = {"",   "A",   "a.b", "a_b",   "-a",
                                    "a-", "a/b", "..",  "a key", "\xc3\xa9"};
  g_autofree char *longest = g_strnfill(63, 'a');
  g_autofree char *longer = g_strnfill(64, 'a');
  for (guint i = 0; i < G_N_ELEMENTS(good); i++)
    g_assert_true(dkim_selector_is_good(good[i]));
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
    g_assert_false(dkim_selector_is_good(bad[i]));
  g_assert_true(dkim_selector_is_good(longest));
  g_assert_false(dkim_selector_is_good(longer));
}

/* Strings of at most 255 octets, which joined are the record. */
static void
test_zone(void)
{
  static const gsize lengths[] = {1, 254, 255, 256, 410, 510, 511, 765};
  for (guint i = 0; i < G_N_ELEMENTS(lengths); i++) {
    g_autofree char *record = g_strnfill(lengths[i], 'x');
    g_autofree char *zone = dkim_record_zone("s._domainkey.example.nl", record);
    g_auto(GStrv) pieces = g_strsplit(zone, "\"", -1);
    g_autoptr(GString) joined = g_string_new(NULL);
    for (guint k = 1; k < g_strv_length(pieces); k += 2) {
      g_assert_cmpuint(strlen(pieces[k]), <=, 255);
      g_string_append(joined, pieces[k]);
    }
    g_assert_cmpstr(joined->str, ==, record);
    g_assert_cmpuint(g_strv_length(pieces) / 2, ==, (lengths[i] + 254) / 255);
    g_assert_true(g_str_has_prefix(zone, "s._domainkey.example.nl. 3600 IN TXT "));
    g_assert_cmpint(strchr(zone, '(') != NULL, ==, lengths[i] > 255);
  }
}

static void
test_names(void)
{
  g_autofree char *longest = g_strnfill(63, 'a');
  g_autofree char *domain = g_strdup_printf("%s.%s.%s.nl", longest, longest, longest);
  g_autofree char *name = dkim_record_name("zegel", DOMAIN);
  g_assert_cmpstr(name, ==, "zegel._domainkey." DOMAIN);
  g_assert_null(dkim_record_name(longest, domain));
}

#define ADD(name, function)                                                                \
  g_test_add("/dkim/" name, Fixture, NULL, setup, function, teardown)

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  ADD("the life of a key", test_life);
  ADD("public files are of keys that sign", test_public_files);
  ADD("public files stay while another key signs", test_not_the_last);
  ADD("rights", test_rights);
  ADD("nothing is written over", test_no_overwriting);
  ADD("what is cut off is seen and taken up", test_cut_off);
  ADD("a public key alone", test_elsewhere);
  ADD("a key that cannot be read", test_unreadable);
  ADD("what is wrong with the files is said", test_faults);
  ADD("a second name is not followed", test_second_name);
  ADD("a linked directory is not followed", test_linked_directory);
  ADD("the clock may go back", test_clock);
  g_test_add_func("/dkim/when a key signed for the last time", test_last_signed);
  g_test_add_func("/dkim/selectors", test_selectors);
  g_test_add_func("/dkim/records are cut into strings", test_zone);
  g_test_add_func("/dkim/names of records", test_names);
  return g_test_run();
}
