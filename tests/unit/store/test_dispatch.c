/*
 * A message as its sender has it (S14): recipients, their history, what is due.
 */
#include "common/store/dispatch.h"
#include "tests/unit/store/fixture.h"
#include "tests/unit/tap.h"

#define OTHER "piet.canary-address@example.com"

static const FilingRoute routes[] = {
    {ADDRESS, "viewer"}, {"huisarts@nta.example", "nta"}, {OTHER, "viewer"}};

static void
make_dispatch(FilingDispatch *dispatch)
{
  memset(dispatch, 0x5a, sizeof *dispatch);
  dispatch->routes = routes;
  dispatch->route_count = G_N_ELEMENTS(routes);
  dispatch->status_key_id = 9;
  dispatch->confirmed = FALSE;
  g_assert_true(crypt_random(dispatch->status_nonce, STORE_NONCE_BYTES, NULL));
  g_assert_true(crypt_random(dispatch->status_secret, STORE_LINK_SECRET_BYTES, NULL));
}

static Dispatch *
find(Fixture *fixture, const char *organisation, const guint8 *secret)
{
  Dispatch *dispatch = (Dispatch *) fixture;
  g_autoptr(GError) error = NULL;
  g_assert_true(
      store_find_dispatch(fixture->store, organisation, secret, &dispatch, &error));
  g_assert_no_error(error);
  return dispatch;
}

static const DispatchRecipient *
nth(const Dispatch *dispatch, guint i)
{
  g_assert_cmpuint(i, <, dispatch->recipients->len);
  return dispatch->recipients->pdata[i];
}

static void
test_found(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingDispatch filing;
  FilingRecipient recipient;
  make_dispatch(&filing);
  gint64 before_s = store_now(fixture->store);
  mail_file(fixture->store, &(Mail){.ticket = 1, .dispatch = &filing}, &recipient);
  g_assert_false(filing.confirmed);
  g_assert_true(
      store_set_notified(fixture->store, ORG, recipient.reference, "4Z", NULL, NULL));
  g_autoptr(Dispatch) dispatch = find(fixture, ORG, filing.status_secret);
  g_assert_nonnull(dispatch);
  g_assert_cmpstr(dispatch->organisation, ==, ORG);
  g_assert_cmpstr(dispatch->sender, ==, SENDER);
  g_assert_cmpstr(dispatch->sender_name, ==, NAME);
  g_assert_cmpstr(dispatch->message_id, ==, MESSAGE);
  g_assert_cmpint(dispatch->received_s, >=, before_s);
  g_assert_cmpint(dispatch->expires_s, ==, recipient.expires_s);
  g_assert_cmpuint(dispatch->status_key_id, ==, 9);
  g_assert_cmpmem(dispatch->status_nonce, STORE_NONCE_BYTES, filing.status_nonce,
                  STORE_NONCE_BYTES);
  g_assert_cmpuint(dispatch->recipients->len, ==, G_N_ELEMENTS(routes));
  for (guint i = 0; i < G_N_ELEMENTS(routes); i++) {
    g_assert_cmpstr(nth(dispatch, i)->address, ==, routes[i].address);
    g_assert_cmpstr(nth(dispatch, i)->route, ==, routes[i].route);
    g_assert_cmpstr(nth(dispatch, i)->reference, ==, i == 0 ? recipient.reference : NULL);
    g_assert_cmpstr(nth(dispatch, i)->number, ==, i == 0 ? NUMBER : "");
    g_assert_cmpint(nth(dispatch, i)->state, ==, i == 0 ? ENTRY_OPEN : ENTRY_NONE);
    g_assert_true((nth(dispatch, i)->history != NULL) == (i == 0));
  }
  const GArray *lines = nth(dispatch, 0)->history;
  g_assert_cmpuint(lines->len, ==, 2);
  g_assert_cmpint(g_array_index(lines, HistoryLine, 0).kind, ==, HISTORY_STORED);
  g_assert_cmpint(g_array_index(lines, HistoryLine, 1).kind, ==, HISTORY_NOTIFIED);
}

/* Nobody else finds it: not another organisation, not with a link, not with a guess. */
static void
test_not_found(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingDispatch filing;
  FilingRecipient recipient;
  make_dispatch(&filing);
  mail_file(fixture->store, &(Mail){.ticket = 1, .dispatch = &filing}, &recipient);
  g_assert_null(find(fixture, "ander", filing.status_secret));
  g_assert_null(find(fixture, ORG, recipient.link_secret));
  filing.status_secret[15] ^= 1;
  g_assert_null(find(fixture, ORG, filing.status_secret));
}

/* Several transactions of one ticket: the first makes it, the others are told of it. */
static void
test_same_ticket(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingDispatch first, second, third;
  FilingRecipient one, two;
  make_dispatch(&first);
  make_dispatch(&second);
  make_dispatch(&third);
  mail_file(fixture->store, &(Mail){.ticket = 1, .dispatch = &first}, &one);
  mail_file(fixture->store, &(Mail){.ticket = 1, .address = OTHER, .dispatch = &second},
            &two);
  g_assert_cmpmem(second.status_nonce, STORE_NONCE_BYTES, first.status_nonce,
                  STORE_NONCE_BYTES);
  g_assert_false(second.confirmed);
  g_assert_null(find(fixture, ORG, second.status_secret));
  g_autoptr(Dispatch) dispatch = find(fixture, ORG, first.status_secret);
  g_assert_cmpstr(nth(dispatch, 2)->reference, ==, two.reference);
  g_assert_false(dispatch->confirmed);

  guint8 ticket[TICKET_ID_BYTES];
  memset(ticket, 1, sizeof ticket);
  g_assert_true(store_set_confirmed(fixture->store, ORG, ticket, "4Z", NULL, NULL));
  mail_file(fixture->store, &(Mail){.ticket = 1, .dispatch = &third}, &one);
  g_assert_true(third.confirmed);
  g_autoptr(Dispatch) again = NULL;
  g_assert_true(store_find_dispatch_of(fixture->store, ORG, two.reference, &again, NULL));
  g_assert_true(again->confirmed);
  g_autoptr(GError) error = NULL;
  g_assert_false(store_set_confirmed(fixture->store, "ander", ticket, "4Z", NULL, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
}

/* Local parts keep their case, domains do not: the ticket's spelling is another's. */
static void
test_domain_case(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingDispatch filing;
  FilingRecipient recipient;
  make_dispatch(&filing);
  mail_file(fixture->store,
            &(Mail){.ticket = 1,
                    .address = "jan.canary-address@EXAMPLE.com",
                    .dispatch = &filing},
            &recipient);
  g_autoptr(Dispatch) dispatch = find(fixture, ORG, filing.status_secret);
  g_assert_cmpstr(nth(dispatch, 0)->reference, ==, recipient.reference);
}

static void
test_history(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient recipient;
  Store *store = fixture->store;
  gboolean first = FALSE;
  mail_file(store, &(Mail){.ticket = 1}, &recipient);
  const char *reference = recipient.reference;
  gint64 start_s = store_now(store);
  g_assert_true(store_note(store, ORG, reference, HISTORY_OPENED, NULL, &first, NULL));
  g_assert_true(first);
  store->skew_s = 100;
  g_assert_true(store_note(store, ORG, reference, HISTORY_OPENED, NULL, &first, NULL));
  g_assert_false(first);
  HistoryLine line = mail_history(store, reference, HISTORY_OPENED);
  g_assert_cmpuint(line.count, ==, 2);
  g_assert_cmpint(line.first_s, <, start_s + 50);
  g_assert_cmpint(line.last_s, >=, start_s + 100);
  g_autoptr(GError) error = NULL;
  g_assert_false(store_note(store, ORG, "0000", HISTORY_OPENED, NULL, NULL, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  g_clear_error(&error);
  g_assert_false(store_note(store, "ander", reference, HISTORY_OPENED, NULL, NULL, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  g_clear_error(&error);
  g_assert_null(store_history(store, "ander", reference, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
}

/* A code that was sent stands there in the same transaction, one that could not be not. */
static void
test_code_history(Fixture *fixture, gconstpointer data)
{
  (void) data;
  static const CodeLimits limits = {10, 10, 10, 10};
  Store *store = fixture->store;
  FilingRecipient recipient;
  CodeIssue issue = CODE_WAIT;
  char code[STORE_CODE_DIGITS + 1];
  gint64 id = 0;
  guint wait_s = 0;
  mail_file(store, &(Mail){.ticket = 1}, &recipient);
  g_autoptr(Entry) entry = mail_entry(store, ORG, &recipient);
  for (guint i = 1; i <= 2; i++, store->skew_s += 100) {
    g_assert_true(
        store_issue_code(store, entry, &limits, NULL, &issue, code, &id, &wait_s, NULL));
    g_assert_cmpint(issue, ==, CODE_ISSUED);
    g_assert_cmpuint(mail_history(store, recipient.reference, HISTORY_CODE_SENT).count, ==,
                     i);
  }
  g_assert_true(store_revoke_code(store, entry, id, NULL, NULL));
  g_assert_true(store_revoke_code(store, entry, id, NULL, NULL));
  g_assert_cmpuint(mail_history(store, recipient.reference, HISTORY_CODE_SENT).count, ==,
                   1);
}

static void
rotate(Fixture *fixture, KeyRing *ring)
{
  fixture_close(fixture);
  keyring_free(fixture->ring);
  fixture->ring = ring;
  fixture_open(fixture);
}

/* After a rotation all is found, and the old key is needed as long as something is. */
static void
test_rotation(Fixture *fixture, gconstpointer data)
{
  (void) data;
  static const char new_only[] = "zegel-key 1 store 0000000b " RING_KEY_NEW "\n";
  FilingDispatch filing;
  FilingRecipient one, two;
  gboolean changed = FALSE;
  make_dispatch(&filing);
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = 10, .dispatch = &filing}, &one);
  rotate(fixture, ring_new(KEY_STORE, TRUE));
  FilingDispatch again = filing;
  mail_file(fixture->store, &(Mail){.ticket = 1, .address = OTHER, .dispatch = &again},
            &two);
  g_autoptr(Dispatch) dispatch = find(fixture, ORG, filing.status_secret);
  g_assert_cmpstr(nth(dispatch, 0)->reference, ==, one.reference);
  g_assert_cmpstr(nth(dispatch, 0)->number, ==, NUMBER);
  g_assert_cmpstr(nth(dispatch, 2)->reference, ==, two.reference);

  /* No entry has a key under the old one any more, but the dispatch is sealed with it. */
  g_assert_true(store_withdraw(fixture->store, ORG, one.reference, HISTORY_RECALLED, NULL,
                               &changed, NULL));
  fixture_close(fixture);
  g_autoptr(KeyRing) ring =
      keyring_parse(new_only, strlen(new_only), KEY_STORE, "new", NULL);
  g_autoptr(GError) error = NULL;
  g_assert_null(store_open(fixture->path, fixture->messages, ring, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
  fixture_open(fixture);
}

static guint
count_due(Fixture *fixture, DueKind kind, gint64 before_s)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) list =
      store_find_due(fixture->store, ORG, kind, before_s, 100, &error);
  g_assert_no_error(error);
  for (guint i = 0; i < list->len; i++) {
    const Due *due = list->pdata[i];
    g_assert_cmpstr(due->address, ==, ADDRESS);
    g_assert_cmpstr(due->number, ==, NUMBER);
    g_assert_cmpstr(due->sender, ==, SENDER);
    g_assert_cmpstr(due->sender_name, ==, NAME);
    g_assert_cmpstr(due->message_id, ==, MESSAGE);
    g_assert_cmpuint(due->link_key_id, ==, 7);
  }
  return list->len;
}

static void
test_due(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Store *store = fixture->store;
  FilingRecipient told, opened, shared, gone;
  gint64 now_s = store_now(store);
  gint64 end_s = now_s + RETENTION + 10;
  mail_file(store, &(Mail){.ticket = 1}, &told);
  mail_file(store, &(Mail){.ticket = 2}, &opened);
  mail_file(store, &(Mail){.ticket = 3, .shared = TRUE}, &shared);
  mail_file(store, &(Mail){.ticket = 4, .expires_s = now_s - 1}, &gone);
  g_assert_cmpuint(count_due(fixture, DUE_TELL, now_s - 10), ==, 0);
  g_assert_cmpuint(count_due(fixture, DUE_TELL, now_s + 10), ==, 2);
  g_assert_cmpuint(count_due(fixture, DUE_REMIND, now_s + DAY), ==, 0);
  g_assert_cmpuint(count_due(fixture, DUE_REMIND, end_s), ==, 2);
  g_assert_true(store_note(store, ORG, opened.reference, HISTORY_OPENED, NULL, NULL, NULL));
  g_assert_cmpuint(count_due(fixture, DUE_TELL, now_s + 10), ==, 1);
  g_assert_cmpuint(count_due(fixture, DUE_REMIND, end_s), ==, 1);
  g_assert_true(store_note(store, ORG, told.reference, HISTORY_TOLD, NULL, NULL, NULL));
  g_assert_cmpuint(count_due(fixture, DUE_TELL, now_s + 10), ==, 0);
  g_assert_cmpuint(count_due(fixture, DUE_REMIND, end_s), ==, 1);
  g_assert_true(store_note(store, ORG, told.reference, HISTORY_REMINDED, NULL, NULL, NULL));
  g_assert_cmpuint(count_due(fixture, DUE_REMIND, end_s), ==, 0);
  g_autoptr(GPtrArray) other = store_find_due(store, "ander", DUE_TELL, end_s, 100, NULL);
  g_assert_cmpuint(other->len, ==, 0);
}

static void
test_due_max(Fixture *fixture, gconstpointer data)
{
  (void) data;
  for (guint8 i = 1; i <= 5; i++) {
    FilingRecipient recipient;
    mail_file(fixture->store, &(Mail){.ticket = i}, &recipient);
  }
  gint64 soon_s = store_now(fixture->store) + 10;
  g_autoptr(GPtrArray) list =
      store_find_due(fixture->store, ORG, DUE_TELL, soon_s, 3, NULL);
  g_assert_cmpuint(list->len, ==, 3);
}

/* The references of the first recipients of what waits for ORG, "1 2 ", a new string. */
static char *
waiting(Fixture *fixture, gint64 since_s, guint skip, guint max)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) list =
      store_find_unconfirmed(fixture->store, ORG, since_s, skip, max, &error);
  g_assert_no_error(error);
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < list->len; i++) {
    const Dispatch *dispatch = list->pdata[i];
    g_assert_false(dispatch->confirmed);
    g_assert_cmpstr(dispatch->sender, ==, SENDER);
    g_assert_nonnull(nth(dispatch, 0)->reference);
    g_string_append_printf(text, "%u ", dispatch->ticket_id[0]);
  }
  return g_string_free(text, FALSE);
}

/* What is not confirmed, and does not want to be, waits until it is. */
static void
test_unconfirmed(Fixture *fixture, gconstpointer data)
{
  (void) data;
  static const struct {
    gint64 since_s;
    guint skip, max;
    guint count;
  } rows[] = {{0, 0, 10, 3}, {0, 1, 10, 2}, {0, 0, 2, 2}, {0, 3, 10, 0}, {1, 0, 10, 0}};
  for (guint i = 0; i < 4; i++) {
    FilingDispatch filing;
    FilingRecipient recipient;
    make_dispatch(&filing);
    filing.confirmed = i == 3;
    mail_file(fixture->store, &(Mail){.ticket = (guint8) (i + 1), .dispatch = &filing},
              &recipient);
    g_assert_cmpint(filing.confirmed, ==, i == 3);
  }
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    gint64 since_s = rows[i].since_s != 0 ? store_now(fixture->store) + 1 : 0;
    g_autofree char *found = waiting(fixture, since_s, rows[i].skip, rows[i].max);
    g_assert_cmpuint(strlen(found), ==, 2 * rows[i].count);
    g_assert_null(strchr(found, '4'));
  }
  g_autoptr(GPtrArray) all = store_find_unconfirmed(fixture->store, ORG, 0, 0, 1, NULL);
  const Dispatch *first = all->pdata[0];
  g_assert_true(
      store_set_confirmed(fixture->store, ORG, first->ticket_id, "4Z", NULL, NULL));
  g_autofree char *left = waiting(fixture, 0, 0, 10);
  g_assert_cmpuint(strlen(left), ==, 4);
  g_autoptr(GPtrArray) others =
      store_find_unconfirmed(fixture->store, "ander", 0, 0, 10, NULL);
  g_assert_cmpuint(others->len, ==, 0);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  fixture_add("/dispatch/found", test_found);
  fixture_add("/dispatch/not found", test_not_found);
  fixture_add("/dispatch/same ticket", test_same_ticket);
  fixture_add("/dispatch/unconfirmed", test_unconfirmed);
  fixture_add("/dispatch/case of the domain", test_domain_case);
  fixture_add("/dispatch/history", test_history);
  fixture_add("/dispatch/history of codes", test_code_history);
  fixture_add("/dispatch/rotation", test_rotation);
  fixture_add("/dispatch/due", test_due);
  fixture_add("/dispatch/due at most", test_due_max);
  return g_test_run();
}
