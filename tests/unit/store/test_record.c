/*
 * What is recorded and the event that tells it stand in one transaction: both or neither.
 * The log has the event when it was committed, and not else.
 */
#include "common/store/dispatch.h"
#include "common/store/share.h"
#include "tests/unit/store/events.h"
#include "tests/unit/tap.h"

/* ---- With what they tell ---- */

static void
test_stored(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient one, again;
  off_t mark = log_mark();
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = 10}, &one);
  assert_last(fixture, 1, EVENT_STORED, one.reference, "again", NULL, mark);
  assert_last(fixture, 1, EVENT_STORED, one.reference, "to", ADDRESS, mark);
  assert_last(fixture, 1, EVENT_STORED, one.reference, "from", SENDER, mark);
  assert_last(fixture, 1, EVENT_STORED, one.reference, "queue-id", "4Zqueue", mark);
  assert_last(fixture, 1, EVENT_STORED, one.reference, "message-id", MESSAGE, mark);
  mark = log_mark();
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = 10}, &again);
  assert_last(fixture, 2, EVENT_STORED, one.reference, "again", "yes", mark);

  /* Another body: nothing is stored, and whoever files says so. */
  mail_file(fixture->store, &(Mail){.ticket = 1, .body = 1, .len = 10}, &again);
  g_assert_true(again.conflict);
  assert_count(fixture, 2);

  /* The hash of what a visitor wrote could be guessed. */
  mark = log_mark();
  mail_file(fixture->store,
            &(Mail){.ticket = 2, .len = 10, .shared = TRUE, .from_reader = TRUE}, &one);
  assert_last(fixture, 3, EVENT_STORED, one.reference, "sha256", NULL, mark);
  assert_last(fixture, 3, EVENT_STORED, one.reference, "method", "password", mark);
}

/* One event for each recipient, in their order. */
static void
test_several(Fixture *fixture, gconstpointer data)
{
  (void) data;
  static const char *const addresses[] = {"a@example.com", "b@example.com",
                                          "c@example.com"};
  FilingRecipient all[3];
  for (guint i = 0; i < 3; i++)
    mail_recipient(&(Mail){.address = addresses[i]}, &all[i]);
  g_assert_true(mail_file_content(fixture->store, &(Mail){.ticket = 1},
                                  (const guint8 *) "text", 4, all, 3, NULL));
  g_autoptr(GPtrArray) list = waiting(fixture);
  g_assert_cmpuint(list->len, ==, 3);
  for (guint i = 0; i < 3; i++) {
    const WaitingEvent *one = list->pdata[i];
    g_assert_cmpstr(event_get(one->event, "to"), ==, addresses[i]);
    g_assert_cmpstr(event_get(one->event, "ref"), ==, all[i].reference);
  }
}

static void
test_note(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient one;
  Store *store = fixture->store;
  mail_file(store, &(Mail){.ticket = 1, .len = 10}, &one);
  off_t mark = log_mark();
  g_autoptr(Event) notified = make(EVENT_NOTIFIED, one.reference);
  g_assert_true(store_set_notified(store, ORG, one.reference, "4Z", notified, NULL));
  assert_last(fixture, 2, EVENT_NOTIFIED, one.reference, "to", ADDRESS, mark);
  mark = log_mark();
  g_autoptr(Event) opened = make(EVENT_OPENED, one.reference);
  g_assert_true(store_note(store, ORG, one.reference, HISTORY_OPENED, opened, NULL, NULL));
  assert_last(fixture, 3, EVENT_OPENED, one.reference, "to", ADDRESS, mark);
  mark = log_mark();
  g_autoptr(Event) changed = make(EVENT_NUMBER_CHANGED, one.reference);
  g_assert_true(
      store_change_number(store, ORG, one.reference, "+31687654321", changed, NULL));
  assert_last(fixture, 4, EVENT_NUMBER_CHANGED, one.reference, "to", ADDRESS, mark);
}

static void
test_confirmed(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient one;
  FilingRoute route = {ADDRESS, "viewer"};
  FilingDispatch dispatch = {.routes = &route, .route_count = 1};
  guint8 ticket[TICKET_ID_BYTES];
  memset(ticket, 1, sizeof ticket);
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = 10, .dispatch = &dispatch}, &one);
  off_t mark = log_mark();
  g_autoptr(Event) event = make(EVENT_CONFIRMED, one.reference);
  g_assert_true(store_set_confirmed(fixture->store, ORG, ticket, "4Z", event, NULL));
  assert_last(fixture, 2, EVENT_CONFIRMED, one.reference, "to", ADDRESS, mark);
}

/* What changes nothing is no event. */
static void
test_ends(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  FilingRecipient one, two;
  gboolean changed = FALSE;
  mail_file(store, &(Mail){.ticket = 1, .len = 10}, &one);
  mail_file(store, &(Mail){.ticket = 2, .len = 10}, &two);
  g_autoptr(Entry) entry = mail_entry(store, ORG, &two);
  for (guint i = 0; i < 2; i++) {
    off_t mark = log_mark();
    g_autoptr(Event) recalled = make(EVENT_RECALLED, one.reference);
    g_autoptr(Event) deleted = make(EVENT_DELETED, two.reference);
    g_assert_true(store_withdraw(store, ORG, one.reference, HISTORY_RECALLED, recalled,
                                 &changed, NULL));
    g_assert_cmpint(changed, ==, i == 0);
    if (i == 0)
      assert_last(fixture, 3, EVENT_RECALLED, one.reference, "to", ADDRESS, mark);
    g_assert_true(store_delete(store, entry, deleted, NULL));
    if (i == 0)
      assert_last(fixture, 4, EVENT_DELETED, two.reference, "to", ADDRESS, mark);
    g_autofree char *log = log_since(mark);
    g_assert_true(i == 0 || *log == '\0');
  }
  assert_count(fixture, 4);
}

static void
test_expired(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient one, two;
  guint removed = 0;
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = 10}, &one);
  mail_file(fixture->store,
            &(Mail){.ticket = 2, .len = 10, .expires_s = store_now(fixture->store) - 1},
            &two);
  off_t mark = log_mark();
  for (guint i = 0; i < 2; i++)
    g_assert_true(store_expire(fixture->store, store_now(fixture->store), &removed, NULL));
  assert_last(fixture, 3, EVENT_EXPIRED, two.reference, "to",
              "jan.canary-address@example.com", mark);
}

/* ---- The store knows what it becomes ---- */

static const CodeLimits limits = {10, 10, 10, 10};

static void
issue(Fixture *fixture, const Entry *entry, char *code, CodeIssue wanted)
{
  CodeIssue result = CODE_LIMIT_OTHER;
  gint64 id = 0;
  guint wait_s = 0;
  g_autoptr(Event) event = make(EVENT_CODE_REFUSED, entry->reference);
  g_assert_true(store_issue_code(fixture->store, entry, &limits, event, &result, code, &id,
                                 &wait_s, NULL));
  g_assert_cmpint(result, ==, wanted);
  fixture->store->skew_s += STORE_CODE_WAIT_S + 1;
}

static void
test_refused(Fixture *fixture, gconstpointer data)
{
  (void) data;
  char code[STORE_CODE_DIGITS + 1];
  FilingRecipient one;
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = 10}, &one);
  g_autoptr(Entry) entry = mail_entry(fixture->store, ORG, &one);
  for (guint i = 0; i < STORE_CODES_PER_DAY; i++)
    issue(fixture, entry, code, CODE_ISSUED);
  assert_count(fixture, 1); /* whoever sends them says so */
  off_t mark = log_mark();
  issue(fixture, entry, code, CODE_LIMIT_LINK);
  assert_last(fixture, 2, EVENT_CODE_REFUSED, one.reference, "reason", "link-limit", mark);
}

static CodeCheck
try_code(Fixture *fixture, const Entry *entry, const char *code, guint8 *session)
{
  CodeCheck check = CODE_RIGHT;
  guint tries = 0;
  g_autoptr(Event) event = make(EVENT_CODE_WRONG, entry->reference);
  g_assert_true(
      store_check_code(fixture->store, entry, code, event, &check, session, &tries, NULL));
  return check;
}

static void
test_codes(Fixture *fixture, gconstpointer data)
{
  (void) data;
  char code[STORE_CODE_DIGITS + 1];
  guint8 session[STORE_SESSION_BYTES];
  FilingRecipient one;
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = 10}, &one);
  g_autoptr(Entry) entry = mail_entry(fixture->store, ORG, &one);
  off_t mark = log_mark();
  g_assert_cmpint(try_code(fixture, entry, "000000", session), ==, CODE_EXPIRED);
  assert_last(fixture, 2, EVENT_CODE_WRONG, one.reference, "reason", "expired", mark);
  issue(fixture, entry, code, CODE_ISSUED);
  const char *wrong = strcmp(code, "000000") == 0 ? "111111" : "000000";
  for (guint i = 0; i < STORE_CODE_TRIES; i++) {
    g_assert_cmpint(try_code(fixture, entry, wrong, session), ==, CODE_WRONG);
    assert_last(fixture, 3 + i, EVENT_CODE_WRONG, one.reference, "reason", NULL, mark);
  }
  g_assert_cmpint(try_code(fixture, entry, wrong, session), ==, CODE_NO_TRIES);
  assert_last(fixture, 8, EVENT_CODE_WRONG, one.reference, "reason", "no-tries", mark);
  issue(fixture, entry, code, CODE_ISSUED);
  g_assert_cmpint(try_code(fixture, entry, code, session), ==, CODE_RIGHT);
  assert_last(fixture, 9, EVENT_LOGIN, one.reference, "reason", NULL, mark);
  for (guint i = 0; i < 2; i++) {
    g_autoptr(Event) logout = make(EVENT_LOGOUT, one.reference);
    g_assert_true(store_end_session(fixture->store, session, logout, NULL));
    assert_last(fixture, 10, EVENT_LOGOUT, one.reference, "to", ADDRESS, mark);
  }
}

static void
test_shared(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  FilingRecipient one;
  char reference[STORE_REFERENCE_MAX + 1];
  char password[STORE_PASSWORD_MAX + 1];
  guint8 secret[STORE_LINK_SECRET_BYTES];
  guint8 session[STORE_SESSION_BYTES];
  SharedCheck check = SHARED_WRONG;
  EntryState state = ENTRY_NONE;
  Entry *none = NULL;
  mail_file(store, &(Mail){.ticket = 1, .len = 10}, &one);
  g_autoptr(Entry) entry = mail_entry(store, ORG, &one);
  off_t mark = log_mark();
  g_autoptr(Event) forwarded = make(EVENT_FORWARDED, one.reference);
  g_assert_true(store_share(store, entry, one.link_secret, "friend@example.com", forwarded,
                            reference, password, NULL));
  assert_last(fixture, 2, EVENT_FORWARDED, one.reference, "new", reference, mark);
  mark = log_mark();
  g_autoptr(Event) wrong = event_new(EVENT_CODE_WRONG, NULL, ORG, "ref", reference, NULL);
  g_assert_true(store_open_shared(store, ORG, reference, "aaaa-aaaa-aaaa", wrong, &check,
                                  secret, session, &state, &none, NULL));
  g_assert_cmpint(check, ==, SHARED_WRONG);
  g_assert_cmpint(event_kind(wrong), ==, EVENT_CODE_WRONG);
  g_autoptr(Event) login = event_new(EVENT_CODE_WRONG, NULL, ORG, "ref", reference, NULL);
  g_assert_true(store_open_shared(store, ORG, reference, password, login, &check, secret,
                                  session, &state, &none, NULL));
  assert_last(fixture, 3, EVENT_LOGIN, reference, "to", "friend@example.com", mark);
  assert_last(fixture, 3, EVENT_LOGIN, reference, "for", SENDER, mark);
}

/* ---- Both or neither ---- */

typedef struct {
  Store *store;
  FilingRecipient one;
  Entry *entry;
  char code[STORE_CODE_DIGITS + 1];
  guint8 session[STORE_SESSION_BYTES];
} Opened;

static gboolean
file_another(Opened *opened, Event *event)
{
  FilingRecipient other;
  (void) event; /* it makes its own */
  mail_recipient(&(Mail){.address = "other@example.com"}, &other);
  return mail_file_content(opened->store, &(Mail){.ticket = 9}, (const guint8 *) "x", 1,
                           &other, 1, NULL);
}

static gboolean
notify(Opened *opened, Event *event)
{
  return store_set_notified(opened->store, ORG, opened->one.reference, "4Z", event, NULL);
}

static gboolean
note_opened(Opened *opened, Event *event)
{
  return store_note(opened->store, ORG, opened->one.reference, HISTORY_OPENED, event, NULL,
                    NULL);
}

static gboolean
end_session(Opened *opened, Event *event)
{
  return store_end_session(opened->store, opened->session, event, NULL);
}

static gboolean
withdraw(Opened *opened, Event *event)
{
  gboolean changed = FALSE;
  return store_withdraw(opened->store, ORG, opened->one.reference, HISTORY_BOUNCED, event,
                        &changed, NULL);
}

static gboolean delete (Opened *opened, Event *event)
{
  return store_delete(opened->store, opened->entry, event, NULL);
}

static gboolean
change(Opened *opened, Event *event)
{
  return store_change_number(opened->store, ORG, opened->one.reference, "+31687654321",
                             event, NULL);
}

static gboolean
check(Opened *opened, Event *event)
{
  CodeCheck result = CODE_WRONG;
  guint8 session[STORE_SESSION_BYTES];
  guint tries = 0;
  return store_check_code(opened->store, opened->entry, opened->code, event, &result,
                          session, &tries, NULL);
}

static gboolean
share(Opened *opened, Event *event)
{
  char reference[STORE_REFERENCE_MAX + 1];
  char password[STORE_PASSWORD_MAX + 1];
  return store_share(opened->store, opened->entry, opened->one.link_secret,
                     "friend@example.com", event, reference, password, NULL);
}

static gboolean
expire(Opened *opened, Event *event)
{
  guint removed = 0;
  (void) event;
  opened->store->skew_s += RETENTION - DAY;
  gboolean done =
      store_expire(opened->store, store_now(opened->store) + DAY, &removed, NULL);
  opened->store->skew_s -= RETENTION - DAY;
  return done;
}

/* All that a row could tell. */
static char *
dump(const Fixture *fixture)
{
  static const char *const queries[] = {
      "SELECT count(*) FROM message",
      ("SELECT group_concat(quote(reference) || quote(notified) || quote(ended) ||"
       "  quote(message_key) || quote(number) || watch) FROM entry"),
      "SELECT group_concat(quote(kind) || quote(count)) FROM history",
      "SELECT group_concat(quote(used) || quote(dead) || tries) FROM code",
      "SELECT count(*) FROM session",
      "SELECT group_concat(event) FROM outbox",
  };
  GString *all = g_string_new(NULL);
  g_autoptr(Db) db = db_open(fixture->path, DB_READER, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS(queries); i++) {
    g_autoptr(Query) query = db_query(db, queries[i], DB_NO_VALUES, NULL);
    g_assert_cmpint(query_step(query, NULL), ==, 1);
    g_string_append_printf(all, "%s\n", query_text(query, 0));
  }
  return g_string_free(all, FALSE);
}

static const struct {
  const char *name;
  gboolean (*act)(Opened *opened, Event *event);
} acts[] = {
    {"file", file_another}, {"notify", notify},      {"note", note_opened},
    {"check", check},       {"logout", end_session}, {"share", share},
    {"number", change},     {"withdraw", withdraw},
};
static const struct {
  const char *name;
  gboolean (*act)(Opened *opened, Event *event);
} last_acts[] = {{"delete", delete}, {"expire", expire}};

static void
open_one(Fixture *fixture, guint8 ticket, Opened *opened)
{
  opened->store = fixture->store;
  mail_file(fixture->store, &(Mail){.ticket = ticket, .len = 10}, &opened->one);
  opened->entry = mail_entry(fixture->store, ORG, &opened->one);
  issue(fixture, opened->entry, opened->code, CODE_ISSUED);
  g_assert_cmpint(try_code(fixture, opened->entry, opened->code, opened->session), ==,
                  CODE_RIGHT);
  issue(fixture, opened->entry, opened->code, CODE_ISSUED);
}

/* ACT does nothing at all while its event cannot be recorded, and then both. */
static void
try_act(Fixture *fixture, const char *name, gboolean (*act)(Opened *opened, Event *event),
        Opened *opened)
{
  g_test_message("%s", name);
  g_autofree char *before = dump(fixture);
  g_autoptr(Event) event = make(EVENT_OPENED, opened->one.reference);
  refuse_rows(fixture, TRUE);
  off_t mark = log_mark();
  g_assert_false(act(opened, event));
  g_autofree char *log = log_since(mark);
  g_assert_null(strstr(log, "event="));
  refuse_rows(fixture, FALSE);
  g_autofree char *after = dump(fixture);
  g_assert_cmpstr(before, ==, after);
  g_autoptr(Event) again = make(EVENT_OPENED, opened->one.reference);
  g_assert_true(act(opened, again));
  g_autofree char *done = dump(fixture);
  g_assert_cmpstr(before, !=, done);
}

static void
test_both_or_neither(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Opened opened;
  open_one(fixture, 1, &opened);
  for (gsize i = 0; i < G_N_ELEMENTS(acts); i++)
    try_act(fixture, acts[i].name, acts[i].act, &opened);
  entry_free(opened.entry);
  for (gsize i = 0; i < G_N_ELEMENTS(last_acts); i++) {
    open_one(fixture, (guint8) (2 + i), &opened);
    try_act(fixture, last_acts[i].name, last_acts[i].act, &opened);
    entry_free(opened.entry);
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  catch_log();
  fixture_add("/record/stored", test_stored);
  fixture_add("/record/stored for several", test_several);
  fixture_add("/record/notified, opened, another number", test_note);
  fixture_add("/record/confirmed", test_confirmed);
  fixture_add("/record/recalled, deleted", test_ends);
  fixture_add("/record/expired", test_expired);
  fixture_add("/record/code refused", test_refused);
  fixture_add("/record/codes", test_codes);
  fixture_add("/record/shared", test_shared);
  fixture_add("/record/both or neither", test_both_or_neither);
  return g_test_run();
}
