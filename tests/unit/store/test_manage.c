/*
 * What an administrator does: another end, the notification again, and how it stands.
 */
#include "common/store/dispatch.h"
#include "common/store/manage.h"
#include "common/store/outbox.h"
#include "common/store/share.h"
#include "tests/unit/store/fixture.h"
#include "tests/unit/tap.h"

static Standing *
stands(Store *store, const char *reference)
{
  Standing *standing = (Standing *) 1;
  g_autoptr(GError) error = NULL;
  g_assert_true(store_find_standing(store, reference, &standing, &error));
  g_assert_no_error(error);
  return standing;
}

/* How many events of KIND wait, all of which are recorded by tests alone. */
static guint
recorded(Store *store, EventKind kind)
{
  guint count = 0;
  g_autoptr(GPtrArray) list = store_waiting_events(store, 100, NULL);
  for (guint i = 0; i < list->len; i++)
    count += event_kind(((WaitingEvent *) list->pdata[i])->event) == kind;
  return count;
}

static Event *
event_of(EventKind kind)
{
  return event_new(kind, NULL, ORG, "by", "root", NULL);
}

static void
test_standing(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  FilingRecipient recipient;
  gboolean changed = FALSE;
  mail_file(store, &(Mail){.ticket = 1}, &recipient);
  g_assert_true(
      store_set_notified(store, ORG, recipient.reference, "4Znotice", NULL, NULL));
  g_autoptr(Standing) open = stands(store, recipient.reference);
  g_assert_cmpstr(open->organisation, ==, ORG);
  g_assert_cmpstr(open->address, ==, ADDRESS);
  g_assert_cmpstr(open->sender, ==, SENDER);
  g_assert_cmpstr(open->number, ==, NUMBER);
  g_assert_cmpstr(open->message_id, ==, MESSAGE);
  g_assert_cmpstr(open->queue_id, ==, "4Zqueue");
  g_assert_cmpstr(open->notified, ==, "4Znotice");
  g_assert_cmpint(open->state, ==, ENTRY_OPEN);
  g_assert_cmpint(open->expires_s, ==, recipient.expires_s);
  g_assert_false(open->shared);
  g_assert_cmpuint(open->history->len, ==, 2);

  g_assert_true(store_withdraw(store, ORG, recipient.reference, HISTORY_REMOVED, NULL,
                               &changed, NULL));
  g_autoptr(Standing) gone = stands(store, recipient.reference);
  g_assert_cmpint(gone->state, ==, ENTRY_WITHDRAWN);
  g_assert_cmpint(gone->ended_s, >, 0);
  g_assert_cmpstr(gone->address, ==, "");
  g_assert_cmpstr(gone->sender, ==, "");
  g_assert_cmpuint(mail_history(store, recipient.reference, HISTORY_REMOVED).count, ==, 1);
  g_assert_null(stands(store, "0000000000000000"));
}

/* ---- Another end ---- */

static gboolean
extend(Store *store, const char *reference, gint64 expires_s, GError **error)
{
  g_autoptr(Event) event = event_of(EVENT_EXTENDED);
  return store_extend(store, ORG, reference, expires_s, event, error);
}

static gint64
watch_of(const Fixture *fixture, const char *reference)
{
  g_autofree char *sql =
      g_strdup_printf("SELECT watch FROM entry WHERE reference = '%s'", reference);
  return fixture_number(fixture, sql);
}

static void
test_extend(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  FilingRecipient recipient;
  mail_file(store, &(Mail){.ticket = 1, .len = 1000}, &recipient);
  gint64 later_s = recipient.expires_s + 30 * DAY;
  g_assert_true(extend(store, recipient.reference, later_s, NULL));
  g_assert_cmpuint(recorded(store, EVENT_EXTENDED), ==, 1);
  g_assert_cmpuint(mail_history(store, recipient.reference, HISTORY_EXTENDED).count, ==, 1);

  /* It lives beyond its first end, and ends at the other. */
  store->skew_s += RETENTION + DAY;
  g_assert_cmpint(mail_state(store, &recipient), ==, ENTRY_OPEN);
  store->skew_s += 30 * DAY;
  g_assert_cmpint(mail_state(store, &recipient), ==, ENTRY_EXPIRED);
}

static void
test_reminded_again(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  FilingRecipient unread, read;
  mail_file(store, &(Mail){.ticket = 1}, &unread);
  mail_file(store, &(Mail){.ticket = 2}, &read);
  g_assert_true(
      store_note(store, ORG, unread.reference, HISTORY_REMINDED, NULL, NULL, NULL));
  g_assert_true(store_note(store, ORG, read.reference, HISTORY_OPENED, NULL, NULL, NULL));
  g_assert_cmpint(watch_of(fixture, unread.reference), ==, WATCH_TELL);
  g_assert_true(extend(store, unread.reference, unread.expires_s + DAY, NULL));
  g_assert_true(extend(store, read.reference, read.expires_s + DAY, NULL));
  g_assert_cmpint(watch_of(fixture, unread.reference), ==, WATCH_TELL | WATCH_REMIND);
  g_assert_cmpint(watch_of(fixture, read.reference), ==, 0);
}

static void
test_no_extend(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  FilingRecipient over, recalled;
  gboolean changed = FALSE;
  g_autoptr(GError) past = NULL, late = NULL, gone = NULL, other = NULL;
  mail_file(store, &(Mail){.ticket = 1}, &over);
  mail_file(store, &(Mail){.ticket = 2}, &recalled);
  gint64 later_s = over.expires_s + 100 * DAY;
  g_assert_false(extend(store, over.reference, store_now(store), &past));
  g_assert_error(past, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  g_assert_false(store_extend(store, "kliniek", over.reference, later_s, NULL, &other));
  g_assert_error(other, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  g_assert_true(store_withdraw(store, ORG, recalled.reference, HISTORY_RECALLED, NULL,
                               &changed, NULL));
  g_assert_false(extend(store, recalled.reference, later_s, &gone));
  g_assert_error(gone, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  store->skew_s += RETENTION + 1; /* nobody has tidied up yet */
  g_assert_false(extend(store, over.reference, later_s, &late));
  g_assert_error(late, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  g_assert_cmpuint(recorded(store, EVENT_EXTENDED), ==, 0);
  g_assert_cmpint(mail_state(store, &over), ==, ENTRY_EXPIRED);
}

/* What was shared never outlives a shorter end, and gets no longer one. */
static void
test_shared_end(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  FilingRecipient recipient;
  char reference[STORE_REFERENCE_MAX + 1], password[STORE_PASSWORD_MAX + 1];
  mail_file(store, &(Mail){.ticket = 1}, &recipient);
  g_autoptr(Entry) entry = mail_entry(store, ORG, &recipient);
  g_assert_true(store_share(store, entry, recipient.link_secret, "piet@example.org", NULL,
                            reference, password, NULL));
  g_assert_true(extend(store, recipient.reference, recipient.expires_s + DAY, NULL));
  g_autoptr(Standing) longer = stands(store, reference);
  g_assert_cmpint(longer->expires_s, ==, recipient.expires_s);
  gint64 soon_s = store_now(store) + DAY;
  g_assert_true(extend(store, recipient.reference, soon_s, NULL));
  g_autoptr(Standing) shorter = stands(store, reference);
  g_assert_true(shorter->shared);
  g_assert_cmpint(shorter->expires_s, ==, soon_s);
}

/* The page of the sender has the end of the last of his recipients. */
static void
test_dispatch_end(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  FilingRecipient first, second;
  FilingRoute routes[] = {{ADDRESS, "viewer"}, {"b@example.com", "viewer"}};
  FilingDispatch dispatch = {.routes = routes, .route_count = 2};
  mail_file(store, &(Mail){.ticket = 1, .dispatch = &dispatch}, &first);
  mail_file(store, &(Mail){.ticket = 1, .address = "b@example.com", .dispatch = &dispatch},
            &second);
  gint64 later_s = first.expires_s + 9 * DAY;
  g_autoptr(Dispatch) before = NULL, between = NULL;
  g_assert_true(extend(store, first.reference, later_s, NULL));
  g_assert_true(store_find_dispatch_of(store, ORG, second.reference, &before, NULL));
  g_assert_cmpint(before->expires_s, ==, later_s);
  g_assert_true(extend(store, first.reference, store_now(store) + DAY, NULL));
  g_assert_true(store_find_dispatch_of(store, ORG, second.reference, &between, NULL));
  g_assert_cmpint(between->expires_s, ==, second.expires_s);
}

/* ---- The notification again ---- */

static GPtrArray *
find_asked(Store *store)
{
  g_autoptr(GError) error = NULL;
  GPtrArray *list = store_find_due(store, ORG, DUE_AGAIN, store_now(store), 10, &error);
  g_assert_no_error(error);
  return list;
}

static void
test_again(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  FilingRecipient recipient;
  mail_file(store, &(Mail){.ticket = 1}, &recipient);
  g_assert_true(store_note(store, ORG, recipient.reference, HISTORY_OPENED, NULL, NULL,
                           NULL)); /* he may have lost it */
  g_assert_true(store_ask_again(store, ORG, recipient.reference, "canary-admin", NULL));
  g_assert_true(store_ask_again(store, ORG, recipient.reference, "canary-admin", NULL));
  g_autoptr(GPtrArray) asked = find_asked(store);
  g_assert_cmpuint(asked->len, ==, 1);
  const Due *due = asked->pdata[0];
  g_assert_cmpstr(due->asker, ==, "canary-admin");
  g_assert_cmpint(due->asked_s, >=, store_now(store) - 5);
  g_assert_cmpstr(due->address, ==, ADDRESS);
  g_assert_cmpmem(due->link_nonce, STORE_NONCE_BYTES, recipient.link_nonce,
                  STORE_NONCE_BYTES);
  /* The asker is sealed as everybody is (K1). */
  g_assert_cmpint(fixture_number(fixture, "SELECT count(*) FROM again"
                                          " WHERE instr(asker, 'canary') = 0"),
                  ==, 1);

  g_autoptr(Event) event = event_of(EVENT_NOTIFIED);
  g_assert_true(store_end_again(store, ORG, recipient.reference, TRUE, event, NULL));
  g_autoptr(GPtrArray) none = find_asked(store);
  g_assert_cmpuint(none->len, ==, 0);
  g_assert_cmpuint(recorded(store, EVENT_NOTIFIED), ==, 1);
  g_assert_cmpuint(mail_history(store, recipient.reference, HISTORY_NOTIFIED_AGAIN).count,
                   ==, 1);
}

/* What can never be sent is not asked for any more, and leaves no line. */
static void
test_again_never(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  FilingRecipient recipient;
  mail_file(store, &(Mail){.ticket = 1}, &recipient);
  g_assert_true(store_ask_again(store, ORG, recipient.reference, "root", NULL));
  g_assert_true(store_end_again(store, ORG, recipient.reference, FALSE, NULL, NULL));
  g_autoptr(GPtrArray) none = find_asked(store);
  g_assert_cmpuint(none->len, ==, 0);
  g_assert_cmpuint(mail_history(store, recipient.reference, HISTORY_NOTIFIED_AGAIN).count,
                   ==, 0);
}

static void
test_no_again(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  FilingRecipient recipient, shared;
  gboolean changed = FALSE;
  g_autoptr(GError) no_link = NULL, gone = NULL;
  mail_file(store, &(Mail){.ticket = 1}, &recipient);
  mail_file(store, &(Mail){.ticket = 2, .shared = TRUE}, &shared);
  g_assert_false(store_ask_again(store, ORG, shared.reference, "root", &no_link));
  g_assert_error(no_link, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  g_assert_true(store_ask_again(store, ORG, recipient.reference, "root", NULL));
  g_assert_true(store_withdraw(store, ORG, recipient.reference, HISTORY_RECALLED, NULL,
                               &changed, NULL));
  g_assert_cmpint(fixture_number(fixture, "SELECT count(*) FROM again"), ==, 0);
  g_assert_false(store_ask_again(store, ORG, recipient.reference, "root", &gone));
  g_assert_error(gone, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  fixture_add("/manage/how it stands", test_standing);
  fixture_add("/manage/another end", test_extend);
  fixture_add("/manage/reminded before it", test_reminded_again);
  fixture_add("/manage/no other end", test_no_extend);
  fixture_add("/manage/what was shared", test_shared_end);
  fixture_add("/manage/the sender's page", test_dispatch_end);
  fixture_add("/manage/notified again", test_again);
  fixture_add("/manage/never", test_again_never);
  fixture_add("/manage/not again", test_no_again);
  return g_test_run();
}
