/*
 * T18, K1: who takes the files of the store without the keys learns nothing.
 */
#include "tests/unit/store/fixture.h"
#include "tests/unit/tap.h"

#define KIB 1024

static GByteArray *all_bytes;

static int
collect(const char *path, const struct stat *status, int type, struct FTW *where)
{
  (void) status;
  (void) where;
  g_autofree char *bytes = NULL;
  gsize len = 0;
  if (type != FTW_F)
    return 0;
  g_byte_array_append(all_bytes, (const guint8 *) path, (guint) strlen(path));
  g_assert_true(g_file_get_contents(path, &bytes, &len, NULL));
  g_byte_array_append(all_bytes, (const guint8 *) bytes, (guint) len);
  return 0;
}

static gboolean
has(gconstpointer bytes, gsize len)
{
  return memmem(all_bytes->data, all_bytes->len, bytes, len) != NULL;
}

/* As it is, in base64 at each of three offsets, in hexadecimal, in UTF-16. */
static void
assert_absent(gconstpointer bytes, gsize len)
{
  g_assert_false(has(bytes, len));
  g_autofree char *hex = crypt_hex(bytes, len);
  g_assert_false(has(hex, strlen(hex)));
  for (gsize skip = 0; skip < 3; skip++) {
    g_autofree char *base64 =
        g_base64_encode((const guchar *) bytes + skip, (len - skip) / 3 * 3);
    g_assert_false(has(base64, strlen(base64)));
  }
  g_autofree char *wide = g_malloc0(2 * len);
  for (gsize i = 0; i < len; i++)
    wide[2 * i] = ((const char *) bytes)[i];
  g_assert_false(has(wide, 2 * len));
}

static void
assert_no_text(const char *text)
{
  assert_absent(text, strlen(text));
}

typedef struct {
  FilingRecipient small, large;
  char code[STORE_CODE_DIGITS + 1];
  char used[STORE_CODE_DIGITS + 1];
  guint8 session[STORE_SESSION_BYTES];
} Loot;

/* A store in full use: two messages, a living code, a used one, a session. */
static void
use_store(Fixture *fixture, Loot *loot)
{
  static const CodeLimits limits = {10, 10, 10, 10};
  CodeIssue issue = CODE_WAIT;
  CodeCheck check = CODE_WRONG;
  gint64 code_id = 0;
  guint number = 0;
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = 5000}, &loot->small);
  mail_file(fixture->store, &(Mail){.ticket = 2, .len = 300 * KIB}, &loot->large);
  g_autoptr(Entry) small = mail_entry(fixture->store, ORG, &loot->small);
  g_autoptr(Entry) large = mail_entry(fixture->store, ORG, &loot->large);
  g_assert_true(store_issue_code(fixture->store, small, &limits, &issue, loot->code,
                                 &code_id, &number, NULL));
  g_assert_true(store_issue_code(fixture->store, large, &limits, &issue, loot->used,
                                 &code_id, &number, NULL));
  g_assert_true(store_check_code(fixture->store, large, loot->used, &check, loot->session,
                                 &number, NULL));
  g_assert_cmpint(check, ==, CODE_RIGHT);
}

static void
test_canaries(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Loot loot;
  use_store(fixture, &loot);
  all_bytes = g_byte_array_new();
  nftw(fixture->directory, collect, 16, FTW_PHYS);
  g_assert_true(has(ORG, strlen(ORG))); /* what is there is found: the search works */
  g_assert_true(has(loot.small.reference, strlen(loot.small.reference)));
  static const char *const texts[] = {"canary",      "example.com", "own.example",
                                      "Canary-Name", "612345678",   "canary-content"};
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
    assert_no_text(texts[i]);
  assert_no_text(loot.code);
  assert_no_text(loot.used);
  assert_absent(loot.session, sizeof loot.session);
  assert_absent(loot.small.link_secret, STORE_LINK_SECRET_BYTES);
  assert_absent(loot.large.link_secret, STORE_LINK_SECRET_BYTES);
  g_byte_array_unref(all_bytes);
}

/* The store key is not enough: the viewer's disk and key open no message without a link. */
static void
test_key_without_link(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Loot loot;
  use_store(fixture, &loot);
  g_autoptr(Entry) entry = mail_entry(fixture->store, ORG, &loot.small);
  const guint8 *const guesses[] = {(const guint8 *) "0123456789abcdef",
                                   loot.small.link_nonce, loot.large.link_secret};
  for (gsize i = 0; i < G_N_ELEMENTS(guesses); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_null(mail_read(fixture->store, entry, guesses[i], &error));
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED);
  }
}

/* Nor is the link, to who has the database but not the key. */
static void
test_link_without_key(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Loot loot;
  use_store(fixture, &loot);
  g_autoptr(Entry) entry = mail_entry(fixture->store, ORG, &loot.small);
  static const char wrong[] = "zegel-key 1 store 0000000a " RING_KEY_NEW "\n";
  g_autoptr(KeyRing) ring = keyring_parse(wrong, strlen(wrong), KEY_STORE, "wrong", NULL);
  g_autoptr(GArray) derived = derived_new(ring, NULL);
  GArray *genuine = fixture->store->derived;
  fixture->store->derived = derived; /* a thief would not mind what store_open refuses */
  g_autoptr(GError) error = NULL;
  g_autoptr(GByteArray) all =
      mail_read(fixture->store, entry, loot.small.link_secret, &error);
  fixture->store->derived = genuine;
  g_assert_null(all);
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  fixture_add("/theft/canaries (T18)", test_canaries);
  fixture_add("/theft/key without link", test_key_without_link);
  fixture_add("/theft/link without key", test_link_without_key);
  return g_test_run();
}
