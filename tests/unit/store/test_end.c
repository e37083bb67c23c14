/*
 * Withdrawn, deleted, another number: what is gone when the call returns.
 */
#include "common/store/dispatch.h"
#include "common/store/share.h"
#include "tests/unit/store/fixture.h"
#include "tests/unit/tap.h"

static const CodeLimits limits = {10, 10, 10, 10};

/* A code for ENTRY, and with IN a session of another. */
static void
visit(Store *store, const Entry *entry, char *code, guint8 *session)
{
  CodeIssue issue = CODE_WAIT;
  CodeCheck check = CODE_WRONG;
  gint64 id = 0;
  guint number = 0;
  g_assert_true(
      store_issue_code(store, entry, &limits, NULL, &issue, code, &id, &number, NULL));
  g_assert_cmpint(issue, ==, CODE_ISSUED);
  g_assert_true(store_check_code(store, entry, code, NULL, &check, session, &number, NULL));
  g_assert_cmpint(check, ==, CODE_RIGHT);
  store->skew_s += 2 * STORE_CODE_WAIT_S;
  g_assert_true(
      store_issue_code(store, entry, &limits, NULL, &issue, code, &id, &number, NULL));
  g_assert_cmpint(issue, ==, CODE_ISSUED);
}

static void
assert_out(Store *store, const Entry *entry, const char *code, const guint8 *session)
{
  CodeCheck check = CODE_RIGHT;
  gboolean alive = TRUE;
  gint64 ends_s = 0;
  guint tries = 0;
  guint8 fresh[STORE_SESSION_BYTES];
  g_assert_true(store_touch_session(store, entry, session, &alive, &ends_s, NULL));
  g_assert_false(alive);
  g_assert_true(store_check_code(store, entry, code, NULL, &check, fresh, &tries, NULL));
  g_assert_cmpint(check, ==, CODE_EXPIRED);
}

static gint64
rows(const Fixture *fixture, const char *table)
{
  g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM %s", table);
  return fixture_number(fixture, sql);
}

static void
assert_over(Store *store, const FilingRecipient *recipient, EntryState expected)
{
  EntryState state = ENTRY_NONE;
  g_autoptr(Entry) entry = NULL;
  g_autoptr(GError) error = NULL;
  g_assert_true(store_find_entry(store, ORG, recipient->link_secret, &state, &entry, NULL));
  g_assert_cmpint(state, ==, expected);
  g_assert_cmpint(entry->ended_s, >=, store_now(store) - 5);
  g_assert_cmpstr(entry->address, ==, "");
  g_assert_cmpstr(entry->sender, ==, "");
  g_assert_null(mail_read(store, entry, recipient->link_secret, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
}

static void
test_withdraw(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  FilingRecipient recipient;
  char code[STORE_CODE_DIGITS + 1];
  guint8 session[STORE_SESSION_BYTES];
  gboolean changed = FALSE;
  mail_file(store, &(Mail){.ticket = 1, .len = 300 * 1024}, &recipient);
  g_autoptr(Entry) entry = mail_entry(store, ORG, &recipient);
  visit(store, entry, code, session);
  g_assert_true(store_put_draft(store, entry, recipient.link_secret, "text", NULL));
  g_assert_true(store_withdraw(store, ORG, recipient.reference, HISTORY_RECALLED, NULL,
                               &changed, NULL));
  g_assert_true(changed);
  assert_over(store, &recipient, ENTRY_WITHDRAWN);
  assert_out(store, entry, code, session);
  g_assert_cmpint(rows(fixture, "message"), ==, 0);
  g_assert_cmpint(rows(fixture, "session"), ==, 0);
  g_assert_cmpint(rows(fixture, "draft"), ==, 0);
  g_assert_cmpuint(mail_history(store, recipient.reference, HISTORY_RECALLED).count, ==, 1);

  g_assert_true(store_withdraw(store, ORG, recipient.reference, HISTORY_BOUNCED, NULL,
                               &changed, NULL));
  g_assert_false(changed);
  g_assert_cmpuint(mail_history(store, recipient.reference, HISTORY_BOUNCED).count, ==, 0);
  g_autoptr(GError) error = NULL;
  g_assert_false(store_withdraw(store, "ander", recipient.reference, HISTORY_RECALLED, NULL,
                                &changed, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
}

/* One of two recipients: the other reads on. */
static void
test_withdraw_one(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  FilingRecipient recipients[2];
  Mail mails[2] = {{.ticket = 1, .address = "a@b.c"}, {.ticket = 1, .address = "b@b.c"}};
  gboolean changed = FALSE;
  for (int i = 0; i < 2; i++)
    mail_recipient(&mails[i], &recipients[i]);
  g_autofree guint8 *content = mail_content(10);
  g_assert_true(mail_file_content(store, &mails[0], content, 10, recipients, 2, NULL));
  g_assert_true(store_withdraw(store, ORG, recipients[0].reference, HISTORY_RECALLED, NULL,
                               &changed, NULL));
  assert_over(store, &recipients[0], ENTRY_WITHDRAWN);
  mail_check(store, &recipients[1], 10);
}

static void
test_delete(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  FilingRecipient recipient;
  char code[STORE_CODE_DIGITS + 1];
  guint8 session[STORE_SESSION_BYTES];
  gboolean changed = TRUE;
  mail_file(store, &(Mail){.ticket = 1, .len = 10}, &recipient);
  g_autoptr(Entry) entry = mail_entry(store, ORG, &recipient);
  visit(store, entry, code, session);
  g_assert_true(store_delete(store, entry, NULL, NULL));
  assert_over(store, &recipient, ENTRY_DELETED);
  assert_out(store, entry, code, session);
  g_assert_true(store_delete(store, entry, NULL, NULL));
  g_assert_cmpuint(mail_history(store, recipient.reference, HISTORY_DELETED).count, ==, 1);
  g_assert_true(store_withdraw(store, ORG, recipient.reference, HISTORY_RECALLED, NULL,
                               &changed, NULL));
  g_assert_false(changed);
  g_assert_cmpint(mail_state(store, &recipient), ==, ENTRY_DELETED);
}

/* T31: the old number's codes and sessions are dead, the message is not. */
static void
test_number(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  FilingRecipient recipient;
  char code[STORE_CODE_DIGITS + 1];
  guint8 session[STORE_SESSION_BYTES];
  mail_file(store, &(Mail){.ticket = 1, .len = 10}, &recipient);
  g_autoptr(Entry) entry = mail_entry(store, ORG, &recipient);
  visit(store, entry, code, session);
  g_assert_true(
      store_change_number(store, ORG, recipient.reference, "+31687654321", NULL, NULL));
  assert_out(store, entry, code, session);
  g_autoptr(Entry) changed = mail_entry(store, ORG, &recipient);
  g_assert_cmpstr(changed->number, ==, "+31687654321");
  mail_check(store, &recipient, 10);
  g_assert_cmpuint(mail_history(store, recipient.reference, HISTORY_NUMBER_CHANGED).count,
                   ==, 1);
  g_autoptr(GError) error = NULL;
  g_assert_false(
      store_change_number(store, "ander", recipient.reference, NUMBER, NULL, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  g_clear_error(&error);
  g_assert_true(store_delete(store, entry, NULL, NULL));
  g_assert_false(
      store_change_number(store, ORG, recipient.reference, NUMBER, NULL, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
}

/* The wrapped key in the row of REFERENCE, without its header. */
static GBytes *
stored_key(const Fixture *fixture, const char *reference)
{
  gsize len = 0;
  g_autoptr(Db) db = db_open(fixture->path, DB_READER, NULL);
  g_autoptr(Query) query =
      db_query(db, "SELECT message_key FROM entry WHERE reference = ?1",
               DB_VALUES(V_TEXT(reference)), NULL);
  g_assert_cmpint(query_step(query, NULL), ==, 1);
  const guint8 *key = query_blob(query, 0, &len);
  return g_bytes_new(key + 6, len - 6);
}

static gboolean
on_disk(const Fixture *fixture, GBytes *key)
{
  static const char *const endings[] = {"", "-wal"};
  gboolean found = FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS(endings); i++) {
    g_autofree char *path = g_strconcat(fixture->path, endings[i], NULL);
    g_autofree char *bytes = NULL;
    gsize size = 0;
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    found = found ||
            memmem(bytes, size, g_bytes_get_data(key, NULL), g_bytes_get_size(key)) != NULL;
  }
  return found;
}

/* T37: the key is in no file of the database when the call returns. */
static void
test_gone_from_disk(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  FilingRecipient withdrawn, deleted;
  gboolean changed = FALSE;
  mail_file(store, &(Mail){.ticket = 1, .len = 5000}, &withdrawn);
  mail_file(store, &(Mail){.ticket = 2, .len = 5000}, &deleted);
  g_autoptr(Entry) entry = mail_entry(store, ORG, &deleted);
  g_autoptr(GBytes) first = stored_key(fixture, withdrawn.reference);
  g_autoptr(GBytes) second = stored_key(fixture, deleted.reference);
  g_assert_true(on_disk(fixture, first));
  g_assert_true(on_disk(fixture, second));
  g_assert_true(store_withdraw(store, ORG, withdrawn.reference, HISTORY_RECALLED, NULL,
                               &changed, NULL));
  g_assert_false(on_disk(fixture, first));
  g_assert_true(on_disk(fixture, second));
  g_assert_true(store_delete(store, entry, NULL, NULL));
  g_assert_false(on_disk(fixture, second));
}

/* A dispatch tells its sender for a month how it ended, then says of nobody anything. */
static void
test_dispatch_end(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  const FilingRoute route = {ADDRESS, "viewer"};
  FilingDispatch filing = {.routes = &route, .route_count = 1};
  FilingRecipient recipient;
  guint removed = 0;
  gint64 start_s = store_now(store);
  g_assert_true(crypt_random(filing.status_secret, STORE_LINK_SECRET_BYTES, NULL));
  mail_file(store,
            &(Mail){.ticket = 1, .dispatch = &filing, .expires_s = start_s + 2 * DAY},
            &recipient);
  for (int day = 0; day < 375; day++) {
    Dispatch *dispatch = NULL;
    g_assert_true(store_expire(store, store_now(store), &removed, NULL));
    g_assert_true(store_find_dispatch(store, ORG, filing.status_secret, &dispatch, NULL));
    if (day < 32 || (day > 32 && day < 367))
      g_assert_cmpuint(dispatch->recipients->len, ==, day < 32 ? 1 : 0);
    if (day > 368)
      g_assert_null(dispatch);
    if (day == 31) {
      const DispatchRecipient *one = dispatch->recipients->pdata[0];
      g_assert_cmpint(one->state, ==, ENTRY_EXPIRED);
      g_assert_cmpstr(one->address, ==, ADDRESS);
      g_assert_cmpstr(one->number, ==, "");
    }
    dispatch_free(dispatch);
    store->skew_s += DAY;
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  fixture_add("/end/withdraw (S13)", test_withdraw);
  fixture_add("/end/withdraw one of two", test_withdraw_one);
  fixture_add("/end/delete (V12)", test_delete);
  fixture_add("/end/another number (T31)", test_number);
  fixture_add("/end/gone from disk (T37)", test_gone_from_disk);
  fixture_add("/end/of a dispatch (K4)", test_dispatch_end);
  return g_test_run();
}
