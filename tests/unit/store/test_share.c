/*
 * Entries that a password opens, uses, events and drafts.
 */
#include "common/store/dispatch.h"
#include "common/store/share.h"
#include "tests/unit/store/fixture.h"
#include "tests/unit/tap.h"

#define FRIEND "friend.canary-address@example.com"

typedef struct {
  SharedCheck result;
  guint8 link_secret[STORE_LINK_SECRET_BYTES];
  guint8 session[STORE_SESSION_BYTES];
  EntryState state;
  Entry *entry;
} Opened;

static SharedCheck
open_shared(Store *store, const char *organisation, const char *reference,
            const char *password, Opened *opened)
{
  g_autoptr(GError) error = NULL;
  memset(opened, 0x5a, sizeof *opened);
  g_assert_true(store_open_shared(store, organisation, reference, password, NULL,
                                  &opened->result, opened->link_secret, opened->session,
                                  &opened->state, &opened->entry, &error));
  g_assert_no_error(error);
  g_assert_true((opened->entry != NULL) == (opened->result == SHARED_OVER));
  return opened->result;
}

typedef struct {
  FilingRecipient parent;
  char reference[STORE_REFERENCE_MAX + 1];
  char password[STORE_PASSWORD_MAX + 1];
} Shared;

static void
share(Store *store, gsize len, Shared *shared)
{
  g_autoptr(GError) error = NULL;
  mail_file(store, &(Mail){.ticket = 1, .len = len}, &shared->parent);
  g_autoptr(Entry) entry = mail_entry(store, ORG, &shared->parent);
  g_assert_true(store_share(store, entry, shared->parent.link_secret, FRIEND, NULL,
                            shared->reference, shared->password, &error));
  g_assert_no_error(error);
}

static void
check_shared(Store *store, const Shared *shared, gsize len)
{
  Opened opened;
  gboolean alive = FALSE;
  gint64 ends_s = 0;
  g_assert_cmpint(open_shared(store, ORG, shared->reference, shared->password, &opened), ==,
                  SHARED_RIGHT);
  FilingRecipient as_link;
  memcpy(as_link.link_secret, opened.link_secret, sizeof opened.link_secret);
  mail_check(store, &as_link, len);
  g_autoptr(Entry) entry = mail_entry(store, ORG, &as_link);
  g_assert_true(entry->shared);
  g_assert_cmpstr(entry->reference, ==, shared->reference);
  g_assert_cmpstr(entry->address, ==, FRIEND);
  g_assert_cmpstr(entry->number, ==, "");
  g_assert_cmpstr(entry->sender, ==, SENDER);
  g_assert_cmpstr(entry->sender_name, ==, NAME);
  g_assert_cmpint(entry->expires_s, ==, shared->parent.expires_s);
  g_assert_cmpuint(entry->answers_left, ==, STORE_ANSWERS_MAX);
  g_assert_cmpuint(entry->forwards_left, ==, 0);
  g_assert_true(store_touch_session(store, entry, opened.session, &alive, &ends_s, NULL));
  g_assert_true(alive);
}

static void
test_shared(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Shared shared;
  share(fixture->store, 5000, &shared);
  check_shared(fixture->store, &shared, 5000);
  mail_check(fixture->store, &shared.parent, 5000);
}

static void
test_wrong(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  Shared shared;
  Opened opened;
  share(store, 10, &shared);
  for (int i = 0; i < STORE_PASSWORD_TRIES; i++) {
    check_shared(store, &shared, 10); /* the right one costs no try */
    g_assert_cmpint(open_shared(store, ORG, shared.reference, "0000-0000-0000", &opened),
                    ==, SHARED_WRONG);
  }
  g_assert_cmpint(open_shared(store, ORG, shared.reference, shared.password, &opened), ==,
                  SHARED_WAIT);
  store->skew_s = STORE_PASSWORD_WAIT_S + 1;
  check_shared(store, &shared, 10);
}

/* What never existed is not told from what did. */
static void
test_unknown(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  Shared shared;
  Opened opened;
  share(store, 10, &shared);
  g_assert_cmpint(open_shared(store, "ander", shared.reference, shared.password, &opened),
                  ==, SHARED_WRONG);
  for (int i = 0; i < STORE_PASSWORD_TRIES; i++)
    g_assert_cmpint(open_shared(store, ORG, "0000000000000000", shared.password, &opened),
                    ==, SHARED_WRONG);
  g_assert_cmpint(open_shared(store, ORG, "0000000000000000", shared.password, &opened), ==,
                  SHARED_WAIT);
}

static void
test_over(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  Shared shared;
  Opened opened;
  gboolean changed = FALSE;
  share(store, 10, &shared);
  g_assert_true(store_withdraw(store, ORG, shared.parent.reference, HISTORY_RECALLED, NULL,
                               &changed, NULL));
  g_assert_cmpint(open_shared(store, ORG, shared.reference, shared.password, &opened), ==,
                  SHARED_OVER);
  g_assert_cmpint(opened.state, ==, ENTRY_WITHDRAWN);
  g_assert_cmpstr(opened.entry->reference, ==, shared.reference);
  entry_free(opened.entry);
  g_assert_cmpint(fixture_number(fixture, "SELECT count(*) FROM message"), ==, 0);
}

static void
assert_visitor(Store *store, const char *reference, gboolean is_shared,
               const Shared *shared, const char *address)
{
  g_autoptr(Visitor) visitor = NULL;
  g_assert_true(store_find_visitor(store, ORG, reference, is_shared, &visitor, NULL));
  g_assert_cmpstr(visitor->address, ==, address);
  g_assert_cmpstr(visitor->reference, ==, is_shared ? shared->parent.reference : reference);
  g_assert_cmpint(visitor->received_s, !=, 0);
}

static void
assert_no_visitor(Store *store, const char *organisation, const char *reference,
                  gboolean is_shared)
{
  g_autoptr(Visitor) visitor = NULL;
  g_assert_true(
      store_find_visitor(store, organisation, reference, is_shared, &visitor, NULL));
  g_assert_null(visitor);
}

/* To whom a bounce of what he wrote or forwarded is told. */
static void
test_visitor(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  Shared shared;
  share(store, 10, &shared);
  assert_visitor(store, shared.parent.reference, FALSE, &shared, ADDRESS);
  assert_visitor(store, shared.reference, FALSE, &shared, FRIEND);
  assert_visitor(store, shared.reference, TRUE, &shared, ADDRESS);
  assert_no_visitor(store, ORG, shared.parent.reference, TRUE);
  assert_no_visitor(store, "ander", shared.reference, TRUE);
  assert_no_visitor(store, ORG, "nobody", FALSE);
  g_autoptr(Entry) entry = mail_entry(store, ORG, &shared.parent);
  g_assert_true(store_delete(store, entry, NULL, NULL));
  assert_visitor(store, shared.reference, TRUE, &shared, "");
}

/* What its reader deleted for himself others still have, until the sender withdraws it. */
static void
test_deleted_parent(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  Shared shared;
  Opened opened;
  gboolean changed = TRUE;
  share(store, 10, &shared);
  g_autoptr(Entry) entry = mail_entry(store, ORG, &shared.parent);
  g_assert_true(store_delete(store, entry, NULL, NULL));
  check_shared(store, &shared, 10);
  g_assert_true(store_withdraw(store, ORG, shared.parent.reference, HISTORY_RECALLED, NULL,
                               &changed, NULL));
  g_assert_false(changed);
  g_assert_cmpint(open_shared(store, ORG, shared.reference, shared.password, &opened), ==,
                  SHARED_OVER);
  entry_free(opened.entry);
  g_assert_cmpint(mail_state(store, &shared.parent), ==, ENTRY_DELETED);
}

/* T31: who read with the wrong number may have shared it with himself. The right reader
 * goes on, and shares anew. */
static void
test_number_changed(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  Shared shared;
  Opened opened;
  share(store, 10, &shared);
  g_assert_cmpint(open_shared(store, ORG, shared.reference, shared.password, &opened), ==,
                  SHARED_RIGHT);
  entry_free(opened.entry);
  g_assert_true(
      store_change_number(store, ORG, shared.parent.reference, "+31687654321", NULL, NULL));
  g_assert_cmpint(fixture_number(fixture, "SELECT count(*) FROM session"), ==, 0);
  g_assert_cmpint(open_shared(store, ORG, shared.reference, shared.password, &opened), ==,
                  SHARED_OVER);
  g_assert_cmpint(opened.state, ==, ENTRY_WITHDRAWN);
  entry_free(opened.entry);
  mail_check(store, &shared.parent, 10);
  g_assert_cmpuint(
      mail_history(store, shared.parent.reference, HISTORY_NUMBER_CHANGED).count, ==, 1);
  g_assert_cmpuint(mail_history(store, shared.parent.reference, HISTORY_RECALLED).count, ==,
                   0);
}

static void
test_password(void)
{
  static const char *const typed[] = {"k7mq-0x1c-vr4t", "K7MQ 0X1C VR4T", "k7mqoxicvr4t",
                                      " k7mq-OxLc-vr4t\n"};
  const guint8 nonce[STORE_NONCE_BYTES] = {1};
  guint8 first[STORE_LINK_SECRET_BYTES], secret[STORE_LINK_SECRET_BYTES];
  char password[STORE_PASSWORD_MAX + 1];
  g_assert_true(store_password_secret(typed[0], nonce, first, NULL));
  for (gsize i = 1; i < G_N_ELEMENTS(typed); i++) {
    g_assert_true(store_password_secret(typed[i], nonce, secret, NULL));
    g_assert_cmpmem(secret, sizeof secret, first, sizeof first);
  }
  g_assert_true(store_password_secret("k7mq-0x1c-vr4u", nonce, secret, NULL));
  g_assert_true(memcmp(secret, first, sizeof first) != 0);
  g_assert_true(
      store_password_secret(typed[0], (const guint8 *) "another nonce...", secret, NULL));
  g_assert_true(memcmp(secret, first, sizeof first) != 0);
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (int i = 0; i < 1000; i++) {
    g_assert_true(store_make_password(password, NULL));
    g_assert_true(g_regex_match_simple("^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){2}$",
                                       password, 0, 0));
    g_assert_true(g_hash_table_add(seen, g_strdup(password)));
  }
}

#define RACERS 100

typedef struct {
  Store *store;
  const Entry *entry;
  EntryUse use;
} Racer;

static gpointer
race(gpointer p)
{
  const Racer *racer = p;
  gboolean granted = FALSE;
  g_assert_true(store_take_use(racer->store, racer->entry, racer->use, &granted, NULL));
  return GINT_TO_POINTER(granted);
}

/* V5, V6: a hundred at once, two are granted. */
static void
test_uses_race(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient recipient;
  mail_file(fixture->store, &(Mail){.ticket = 1}, &recipient);
  g_autoptr(Entry) entry = mail_entry(fixture->store, ORG, &recipient);
  for (EntryUse use = USE_ANSWER; use <= USE_FORWARD; use++) {
    GThread *threads[RACERS];
    Racer racer = {fixture->store, entry, use};
    int granted = 0;
    for (int i = 0; i < RACERS; i++)
      threads[i] = g_thread_new("racer", race, &racer);
    for (int i = 0; i < RACERS; i++)
      granted += GPOINTER_TO_INT(g_thread_join(threads[i]));
    g_assert_cmpint(granted, ==, 2);
  }
  g_autoptr(Entry) after = mail_entry(fixture->store, ORG, &recipient);
  g_assert_cmpuint(after->answers_left, ==, 0);
  g_assert_cmpuint(after->forwards_left, ==, 0);
}

typedef struct {
  Store *store;
  const Shared *shared;
} Guesser;

static gpointer
guess(gpointer p)
{
  const Guesser *guesser = p;
  Opened opened;
  return GINT_TO_POINTER(open_shared(guesser->store, ORG, guesser->shared->reference,
                                     "0000-0000-0000", &opened));
}

/* T2: however many guess at once, no more than STORE_PASSWORD_TRIES are compared. */
static void
test_guess_race(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Shared shared;
  GThread *threads[RACERS];
  share(fixture->store, 10, &shared);
  Guesser guesser = {fixture->store, &shared};
  int compared = 0;
  for (int i = 0; i < RACERS; i++)
    threads[i] = g_thread_new("guesser", guess, &guesser);
  for (int i = 0; i < RACERS; i++)
    compared += GPOINTER_TO_INT(g_thread_join(threads[i])) == SHARED_WRONG;
  g_assert_cmpint(compared, ==, STORE_PASSWORD_TRIES);
}

static gint64
time_of(Store *store, const char *reference, const char *password)
{
  Opened opened;
  gint64 start = g_get_monotonic_time();
  g_assert_cmpint(open_shared(store, ORG, reference, password, &opened), ==, SHARED_WRONG);
  return g_get_monotonic_time() - start;
}

/* T16: the shortest of several tries takes as long for what never existed. */
static void
test_same_time(Fixture *fixture, gconstpointer data)
{
  (void) data;
  enum {
    ROUNDS = 4 /* below the limit of tries */
  };
  Shared shared;
  gint64 known = G_MAXINT64, unknown = G_MAXINT64;
  share(fixture->store, 10, &shared);
  for (int i = 0; i < ROUNDS; i++) {
    gint64 took = time_of(fixture->store, shared.reference, "0000-0000-0000");
    known = MIN(known, took);
    took = time_of(fixture->store, "0000000000000000", "0000-0000-0000");
    unknown = MIN(unknown, took);
  }
  g_test_message("known %" G_GINT64_FORMAT " us, unknown %" G_GINT64_FORMAT " us", known,
                 unknown);
  g_assert_cmpint(unknown, >, known / 2);
  g_assert_cmpint(known, >, unknown / 2);
}

static gboolean
take(Store *store, const Entry *entry, EntryUse use)
{
  gboolean granted = FALSE;
  g_assert_true(store_take_use(store, entry, use, &granted, NULL));
  return granted;
}

static void
test_uses(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  FilingRecipient recipient, own;
  gboolean granted = TRUE;
  mail_file(store, &(Mail){.ticket = 1}, &recipient);
  mail_file(store, &(Mail){.ticket = 2, .shared = TRUE, .from_reader = TRUE}, &own);
  g_autoptr(Entry) entry = mail_entry(store, ORG, &recipient);
  g_assert_cmpuint(entry->answers_left, ==, 2);
  g_assert_true(take(store, entry, USE_ANSWER));
  g_assert_true(store_return_use(store, entry, USE_ANSWER, NULL));
  g_assert_true(store_return_use(store, entry, USE_ANSWER, NULL)); /* never below none */
  g_assert_true(take(store, entry, USE_ANSWER));
  g_assert_true(take(store, entry, USE_ANSWER));
  g_assert_false(take(store, entry, USE_ANSWER));
  g_assert_true(take(store, entry, USE_FORWARD));
  g_autoptr(Entry) mine = mail_entry(store, ORG, &own);
  g_assert_true(mine->from_reader);
  g_assert_cmpuint(mine->answers_left, ==, 0);
  g_assert_cmpuint(mine->forwards_left, ==, 0);
  g_assert_false(take(store, mine, USE_ANSWER));
  g_assert_false(take(store, mine, USE_FORWARD));
  g_assert_true(store_delete(store, entry, NULL, NULL));
  g_autoptr(GError) error = NULL;
  g_assert_false(store_take_use(store, entry, USE_FORWARD, &granted, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  g_assert_false(granted);
}

static gboolean
count(Store *store, const char *organisation, const char *what, const char *subject)
{
  gboolean granted = FALSE;
  g_autoptr(GError) error = NULL;
  g_assert_true(store_count(store, organisation, what, subject, 3, 1000, &granted, &error));
  g_assert_no_error(error);
  return granted;
}

static gboolean
was_counted(Store *store, const char *organisation, const char *what, const char *subject)
{
  gboolean counted = TRUE;
  g_autoptr(GError) error = NULL;
  g_assert_true(
      store_was_counted(store, organisation, what, subject, 1000, &counted, &error));
  g_assert_no_error(error);
  return counted;
}

static void
test_was_counted(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  g_assert_false(was_counted(store, ORG, "done", "x"));
  g_assert_true(count(store, ORG, "done", "x"));
  g_assert_true(was_counted(store, ORG, "done", "x"));
  g_assert_false(was_counted(store, ORG, "done", "y"));
  g_assert_false(was_counted(store, ORG, "begun", "x"));
  g_assert_false(was_counted(store, "ander", "done", "x"));
  g_assert_cmpint(fixture_number(fixture, "SELECT count(*) FROM event"), ==, 1);
  store->skew_s = 1001;
  g_assert_false(was_counted(store, ORG, "done", "x"));
}

static void
test_count(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  guint removed = 0;
  for (int i = 0; i < 3; i++, store->skew_s += 100)
    g_assert_true(count(store, ORG, "form-address", "jan@example.com"));
  g_assert_false(count(store, ORG, "form-address", "jan@example.com"));
  g_assert_true(count(store, "ander", "form-address", "jan@example.com"));
  g_assert_true(count(store, ORG, "form-client", "jan@example.com"));
  g_assert_true(count(store, ORG, "form-address", "piet@example.com"));
  g_assert_true(count(store, ORG, "form", "address jan@example.com"));
  store->skew_s = 1001; /* the first one counts no more */
  g_assert_true(count(store, ORG, "form-address", "jan@example.com"));
  g_assert_false(count(store, ORG, "form-address", "jan@example.com"));
  g_assert_cmpint(fixture_number(fixture, "SELECT count(*) FROM event"), ==, 8);
  store->skew_s = 5000;
  g_assert_true(store_expire(store, store_now(store), &removed, NULL));
  g_assert_cmpint(fixture_number(fixture, "SELECT count(*) FROM event"), ==, 0);
}

static void
test_draft(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  FilingRecipient recipient;
  mail_file(store, &(Mail){.ticket = 1}, &recipient);
  const guint8 *link = recipient.link_secret;
  g_autoptr(Entry) entry = mail_entry(store, ORG, &recipient);
  static const char *const texts[] = {"", "Geachte dokter,\n\xe2\x82\xac 5", "", "x"};
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_assert_true(store_put_draft(store, entry, link, texts[i], NULL));
    g_autofree char *text = store_get_draft(store, entry, link, NULL);
    g_assert_cmpstr(text, ==, texts[i]);
  }
  g_autoptr(GError) error = NULL;
  g_assert_null(store_get_draft(store, entry, (const guint8 *) "0123456789abcdef", &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED);
  g_clear_error(&error);
  g_autofree char *longest = g_strnfill(STORE_DRAFT_MAX_BYTES, 'a');
  g_assert_true(store_put_draft(store, entry, link, longest, NULL));
  g_autofree char *longer = g_strnfill(STORE_DRAFT_MAX_BYTES + 1, 'a');
  g_assert_false(store_put_draft(store, entry, link, longer, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT);
  g_clear_error(&error);
  g_assert_true(store_delete(store, entry, NULL, NULL));
  g_assert_false(store_put_draft(store, entry, link, "x", &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  fixture_add("/share/shared", test_shared);
  fixture_add("/share/wrong password", test_wrong);
  fixture_add("/share/unknown reference (T16)", test_unknown);
  fixture_add("/share/withdrawn", test_over);
  fixture_add("/share/visitor", test_visitor);
  fixture_add("/share/parent deleted", test_deleted_parent);
  fixture_add("/share/number changed (T31)", test_number_changed);
  g_test_add_func("/share/password", test_password);
  fixture_add("/share/uses race (V5, V6)", test_uses_race);
  fixture_add("/share/guesses race (T2)", test_guess_race);
  fixture_add("/share/same time (T16)", test_same_time);
  fixture_add("/share/uses", test_uses);
  fixture_add("/share/count", test_count);
  fixture_add("/share/was counted", test_was_counted);
  fixture_add("/share/draft (V10)", test_draft);
  return g_test_run();
}
