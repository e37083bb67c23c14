/*
 * T18, K1: who takes the files of the store without the keys learns nothing, and with the
 * store key, but without a link, nothing of any content.
 */
#include "common/store/dispatch.h"
#include "common/store/manage.h"
#include "common/store/share.h"
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

#define FILE_NAME "canary-file.pdf"
#define DRAFT     "canary-draft: geachte dokter"
#define FRIEND    "friend.canary-address@example.com"
#define NUMBER_2  "+31687654321"

typedef struct {
  FilingRecipient small, large;
  char code[STORE_CODE_DIGITS + 1];
  char used[STORE_CODE_DIGITS + 1];
  guint8 session[STORE_SESSION_BYTES];
  guint8 status_secret[STORE_LINK_SECRET_BYTES];
  char reference[STORE_REFERENCE_MAX + 1]; /* of a share */
  char password[STORE_PASSWORD_MAX + 1];
  guint8 shared_secret[STORE_LINK_SECRET_BYTES];
} Loot;

/* A message with an attachment and a dispatch. */
static void
file_small(Fixture *fixture, Loot *loot)
{
  const FilingRoute routes[] = {{ADDRESS, "viewer"}, {"arts.canary@own.example", "own"}};
  FilingDispatch dispatch = {.routes = routes, .route_count = G_N_ELEMENTS(routes)};
  g_autofree char *name = g_strdup(FILE_NAME);
  TicketPart part = {.name = name, .size = 77};
  g_autoptr(GPtrArray) parts = g_ptr_array_new();
  g_ptr_array_add(parts, &part);
  memset(part.sha256, 0xab, sizeof part.sha256);
  g_assert_true(crypt_random(dispatch.status_nonce, STORE_NONCE_BYTES, NULL));
  g_assert_true(crypt_random(dispatch.status_secret, STORE_LINK_SECRET_BYTES, NULL));
  memcpy(loot->status_secret, dispatch.status_secret, STORE_LINK_SECRET_BYTES);
  mail_file(fixture->store,
            &(Mail){.ticket = 1, .len = 5000, .dispatch = &dispatch, .parts = parts},
            &loot->small);
}

/* What else a reader does: shares it, types, is counted, has another number; and the hour
 * that goes by. */
static void
use_more(Store *store, const Entry *small, Loot *loot)
{
  SharedCheck check = SHARED_WRONG;
  EntryState state = ENTRY_NONE;
  Entry *none = NULL;
  guint8 session[STORE_SESSION_BYTES];
  gboolean granted = FALSE;
  guint removed = 1;
  const guint8 *link = loot->small.link_secret;
  g_assert_true(
      store_share(store, small, link, FRIEND, NULL, loot->reference, loot->password, NULL));
  g_assert_true(store_open_shared(store, ORG, loot->reference, loot->password, NULL, &check,
                                  loot->shared_secret, session, &state, &none, NULL));
  g_assert_cmpint(check, ==, SHARED_RIGHT);
  g_assert_true(
      store_change_number(store, ORG, loot->large.reference, NUMBER_2, NULL, NULL));
  g_assert_true(store_put_draft(store, small, link, DRAFT, NULL));
  g_assert_true(store_count(store, ORG, "form-address", FRIEND, 3, 1000, &granted, NULL));
  g_assert_true(granted);
  g_assert_true(store_expire(store, g_get_real_time() / G_USEC_PER_SEC, &removed, NULL));
  g_assert_cmpuint(removed, ==, 0);
}

/* A store in full use: two messages, a living code, a used one, sessions, a share. */
static void
use_store(Fixture *fixture, Loot *loot)
{
  static const CodeLimits limits = {10, 10, 10, 10};
  Store *store = fixture->store;
  CodeIssue issue = CODE_WAIT;
  CodeCheck check = CODE_WRONG;
  gint64 code_id = 0;
  guint number = 0;
  file_small(fixture, loot);
  mail_file(store, &(Mail){.ticket = 2, .len = 300 * KIB}, &loot->large);
  g_autoptr(Entry) small = mail_entry(store, ORG, &loot->small);
  g_autoptr(Entry) large = mail_entry(store, ORG, &loot->large);
  g_assert_true(store_issue_code(store, small, &limits, NULL, &issue, loot->code, &code_id,
                                 &number, NULL));
  g_assert_true(store_issue_code(store, large, &limits, NULL, &issue, loot->used, &code_id,
                                 &number, NULL));
  g_assert_true(store_check_code(store, large, loot->used, NULL, &check, loot->session,
                                 &number, NULL));
  g_assert_cmpint(check, ==, CODE_RIGHT);
  use_more(store, small, loot);
  g_assert_true(store_ask_again(store, ORG, loot->small.reference, "canary-admin", NULL));
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
                                      "Canary-Name", "612345678",   "canary-content",
                                      "687654321",   "dokter",      "file.pdf"};
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
    assert_no_text(texts[i]);
  assert_no_text(loot.code);
  assert_no_text(loot.used);
  assert_absent(loot.session, sizeof loot.session);
  assert_absent(loot.small.link_secret, STORE_LINK_SECRET_BYTES);
  assert_absent(loot.large.link_secret, STORE_LINK_SECRET_BYTES);
  assert_absent(loot.shared_secret, STORE_LINK_SECRET_BYTES);
  assert_absent(loot.status_secret, STORE_LINK_SECRET_BYTES);
  assert_no_text(loot.password);
  g_byte_array_unref(all_bytes);
}

/* Each table of the schema has rows of that use: what is looked for above is looked for in
 * all of them, also in those that come later. */
static void
test_every_table(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Loot loot;
  use_store(fixture, &loot);
  g_autoptr(Db) db = db_open(fixture->path, DB_READER, NULL);
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  Query *query = db_query(
      db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
      DB_NO_VALUES, NULL);
  while (query_step(query, NULL) > 0)
    g_ptr_array_add(names, g_strdup(query_text(query, 0)));
  query_done(query);
  g_assert_cmpuint(names->len, >=, 9);
  for (guint i = 0; i < names->len; i++) {
    const char *name = names->pdata[i];
    g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM %s", name);
    g_autoptr(Query) count = db_query(db, g_intern_string(sql), DB_NO_VALUES, NULL);
    g_test_message("%s", name);
    g_assert_cmpint(query_step(count, NULL), ==, 1);
    g_assert_cmpint(query_int(count, 0), >, 0);
  }
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

/* What a thief with the store key takes out of BOX, if anything. */
static void
try_box(const Store *store, const FieldPlace *place, gconstpointer box, gsize len)
{
  g_autoptr(Secret) field = field_open(store, place, box, len, NULL);
  if (field != NULL)
    g_byte_array_append(all_bytes, secret_peek(field), (guint) secret_size(field));
}

/* The same with each of what lies about as a link secret, or as the key of the message. */
static void
try_sealed(const Store *store, const FieldPlace *place, gconstpointer box, gsize len,
           GPtrArray *guesses)
{
  for (guint i = 0; i < guesses->len; i++) {
    gsize guess_len = 0;
    const guint8 *guess = g_bytes_get_data(guesses->pdata[i], &guess_len);
    g_autoptr(Secret) key = secret_new_from(guess, guess_len);
    g_autoptr(Secret) as_key = beside_open(key, place, box, len, NULL);
    g_autoptr(Secret) as_link = guess_len == STORE_LINK_SECRET_BYTES
                                    ? link_open(store, place, guess, box, len, NULL)
                                    : NULL;
    Secret *const found[] = {as_key, as_link};
    for (gsize f = 0; f < G_N_ELEMENTS(found); f++)
      if (found[f] != NULL)
        g_byte_array_append(all_bytes, secret_peek(found[f]),
                            (guint) secret_size(found[f]));
  }
}

static const char *const blob_queries[] = {
    "SELECT link_nonce FROM entry",  "SELECT ticket FROM entry",
    "SELECT link FROM entry",        "SELECT recipient FROM entry",
    "SELECT status FROM dispatch",   "SELECT status_nonce FROM dispatch",
    "SELECT hash FROM session",      "SELECT mac FROM code",
    "SELECT subject FROM event",     "SELECT proof FROM store_key",
    "SELECT message_key FROM entry",
};

/* All that lies in the database and could be a secret, whole and in halves. */
static GPtrArray *
collect_guesses(Db *db)
{
  GPtrArray *guesses = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
  for (gsize i = 0; i < G_N_ELEMENTS(blob_queries); i++) {
    g_autoptr(Query) query = db_query(db, blob_queries[i], DB_NO_VALUES, NULL);
    while (query_step(query, NULL) > 0) {
      gsize len = 0;
      const guint8 *bytes = query_blob(query, 0, &len);
      g_ptr_array_add(guesses, g_bytes_new(bytes, len));
      for (gsize at = 0; at + STORE_LINK_SECRET_BYTES < len; at += STORE_LINK_SECRET_BYTES)
        g_ptr_array_add(guesses, g_bytes_new(bytes + at, STORE_LINK_SECRET_BYTES));
    }
  }
  return guesses;
}

static const char *const sealed_columns[] = {
    "address",
    "number",
    "sender",
    "sender_name",
    "message_id",
    "body",
    "message_key",
    "(SELECT sealed FROM draft WHERE entry = entry.id)",
    "(SELECT parts FROM message WHERE id = message)",
};

/* Every sealed value, opened as whatever it may be. */
static void
try_all(const Store *store, Db *db)
{
  static const char *const names[] = {"address",     "number",     "sender",
                                      "sender_name", "message_id", "body",
                                      "message_key", "draft",      "parts"};
  g_autoptr(GPtrArray) guesses = collect_guesses(db);
  g_assert_cmpuint(guesses->len, >, 20);
  for (gsize i = 0; i < G_N_ELEMENTS(sealed_columns); i++) {
    g_autofree char *sql =
        g_strdup_printf("SELECT reference, %s FROM entry", sealed_columns[i]);
    Query *query = db_query(db, g_intern_string(sql), DB_NO_VALUES, NULL);
    while (query_step(query, NULL) > 0) {
      gsize len = 0;
      FieldPlace place = {ORG, query_text(query, 0), names[i]};
      FieldPlace of_all = {ORG, "", names[i]};
      gconstpointer box = query_blob(query, 1, &len);
      try_box(store, &place, box, len);
      try_sealed(store, &place, box, len, guesses);
      try_sealed(store, &of_all, box, len, guesses);
    }
    query_done(query);
  }
}

/* With disk and store key one knows who wrote to whom (K1), but opens nothing they wrote.
 */
static void
test_key_opens_no_content(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Loot loot;
  use_store(fixture, &loot);
  all_bytes = g_byte_array_new();
  g_autoptr(Db) db = db_open(fixture->path, DB_READER, NULL);
  try_all(fixture->store, db);
  static const char *const found[] = {ADDRESS, FRIEND, SENDER, NUMBER_2};
  for (gsize i = 0; i < G_N_ELEMENTS(found); i++)
    g_assert_true(has(found[i], strlen(found[i]))); /* the thief knows his trade */
  static const char *const absent[] = {"canary-content", "canary-file", "canary-draft"};
  for (gsize i = 0; i < G_N_ELEMENTS(absent); i++)
    g_assert_false(has(absent[i], strlen(absent[i])));
  g_byte_array_unref(all_bytes);

  /* With the link, the same calls open it: the thief lacks that alone. */
  gboolean cut = TRUE;
  g_autoptr(Entry) entry = mail_entry(fixture->store, ORG, &loot.small);
  g_autoptr(GPtrArray) parts =
      store_entry_parts(fixture->store, entry, loot.small.link_secret, &cut, NULL);
  g_assert_cmpuint(parts->len, ==, 1);
  g_assert_false(cut);
  const TicketPart *part = parts->pdata[0];
  g_assert_cmpstr(part->name, ==, FILE_NAME);
  g_assert_cmpuint(part->size, ==, 77);
  g_assert_cmpuint(part->sha256[31], ==, 0xab);
  g_autofree char *draft =
      store_get_draft(fixture->store, entry, loot.small.link_secret, NULL);
  g_assert_cmpstr(draft, ==, DRAFT);
  FilingRecipient shared;
  memcpy(shared.link_secret, loot.shared_secret, sizeof loot.shared_secret);
  g_autoptr(Entry) child = mail_entry(fixture->store, ORG, &shared);
  g_autoptr(GPtrArray) same =
      store_entry_parts(fixture->store, child, shared.link_secret, &cut, NULL);
  g_assert_cmpuint(same->len, ==, 1);
  g_autoptr(GError) error = NULL;
  g_assert_null(store_entry_parts(fixture->store, entry, shared.link_secret, &cut, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED);
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
  fixture_add("/theft/every table (K1, T18)", test_every_table);
  fixture_add("/theft/key without link", test_key_without_link);
  fixture_add("/theft/key opens no content (K1)", test_key_opens_no_content);
  fixture_add("/theft/link without key", test_link_without_key);
  return g_test_run();
}
