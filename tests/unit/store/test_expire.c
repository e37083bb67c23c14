#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "tests/unit/store/fixture.h"
#include "tests/unit/tap.h"

#define KIB 1024

static guint
expire(Fixture *fixture)
{
  guint removed = 99;
  g_autoptr(GError) error = NULL;
  g_assert_true(store_expire(fixture->store, store_now(fixture->store), &removed, &error));
  g_assert_no_error(error);
  return removed;
}

static EntryState
state_of(Fixture *fixture, const FilingRecipient *recipient, gint64 *expires_s)
{
  EntryState state = (EntryState) 99;
  g_autoptr(Entry) entry = NULL;
  g_assert_true(
      store_find_entry(fixture->store, ORG, recipient->link_secret, &state, &entry, NULL));
  g_assert_true((entry != NULL) == (state != ENTRY_NONE));
  if (entry != NULL && expires_s != NULL)
    *expires_s = entry->expires_s;
  return state;
}

/* The one file below the message directory, or NULL. */
static char *
message_file(const Fixture *fixture)
{
  for (guint i = 0; i < 256; i++) {
    g_autofree char *path = g_strdup_printf("%s/%02x", fixture->messages, i);
    g_autoptr(GDir) files = g_dir_open(path, 0, NULL);
    const char *name = files != NULL ? g_dir_read_name(files) : NULL;
    if (name != NULL)
      return g_build_filename(path, name, NULL);
  }
  return NULL;
}

/* Lets the time pass in steps that a clock takes, with a run each day. */
static guint
days_pass(Fixture *fixture, int days)
{
  guint removed = 0;
  for (int i = 0; i < days; i++) {
    fixture->store->skew_s += DAY;
    removed += expire(fixture);
  }
  return removed;
}

static void
test_expired(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient small, large, later;
  gint64 now_s = store_now(fixture->store);
  gint64 expires_s = now_s + 2 * DAY;
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = 10, .expires_s = expires_s},
            &small);
  mail_file(fixture->store, &(Mail){.ticket = 2, .len = 300 * KIB, .expires_s = expires_s},
            &large);
  mail_file(fixture->store, &(Mail){.ticket = 3, .len = 300 * KIB}, &later);
  g_assert_cmpuint(expire(fixture), ==, 0);
  g_assert_cmpuint(days_pass(fixture, 1), ==, 0);
  g_assert_cmpint(state_of(fixture, &small, NULL), ==, ENTRY_OPEN);
  g_assert_cmpuint(days_pass(fixture, 2), ==, 2);
  gint64 said_s = 0;
  g_assert_cmpint(state_of(fixture, &small, &said_s), ==, ENTRY_EXPIRED);
  g_assert_cmpint(said_s, ==, expires_s);
  g_assert_cmpint(state_of(fixture, &large, NULL), ==, ENTRY_EXPIRED);
  mail_check(fixture->store, &later, 300 * KIB);
  g_autofree char *file = message_file(fixture);
  g_assert_nonnull(file);
  g_assert_cmpint(g_unlink(file), ==, 0);
  g_assert_null(message_file(fixture)); /* only the later one's was there */
}

/* The key is gone: back in time, the link opens nothing any more. */
static void
test_key_destroyed(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient recipient;
  gint64 expires_s = store_now(fixture->store) + 100;
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = 10, .expires_s = expires_s},
            &recipient);
  g_autoptr(Entry) entry = mail_entry(fixture->store, ORG, &recipient);
  fixture->store->skew_s = 200;
  g_autoptr(GError) error = NULL;
  g_assert_null(mail_read(fixture->store, entry, recipient.link_secret, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  g_clear_error(&error);
  g_assert_cmpuint(expire(fixture), ==, 1);
  fixture->store->skew_s = 0;
  g_assert_cmpint(state_of(fixture, &recipient, NULL), ==, ENTRY_EXPIRED);
  g_assert_null(mail_read(fixture->store, entry, recipient.link_secret, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
}

/* One message for two: it stays as long as one of them may read it. */
static void
test_shared(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient recipients[2];
  Mail mails[2] = {{.ticket = 1, .address = "a@b.c"}, {.ticket = 1, .address = "b@b.c"}};
  for (int i = 0; i < 2; i++)
    mail_recipient(&mails[i], &recipients[i]);
  g_autofree guint8 *content = mail_content(10);
  g_assert_true(
      mail_file_content(fixture->store, &mails[0], content, 10, recipients, 2, NULL));
  g_autoptr(Db) db = db_open(fixture->path, DB_WRITER, NULL);
  g_assert_true(db_run(
      db, "UPDATE entry SET expires_s = ?1 WHERE reference = ?2",
      DB_VALUES(V_INT(store_now(fixture->store) - 1), V_TEXT(recipients[0].reference)),
      NULL));
  g_assert_cmpuint(expire(fixture), ==, 0);
  g_assert_cmpint(state_of(fixture, &recipients[0], NULL), ==, ENTRY_EXPIRED);
  mail_check(fixture->store, &recipients[1], 10);
}

/* F20: a clock that jumps ahead and comes back has destroyed nothing. */
static void
test_leap(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient recipient;
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = 10}, &recipient);
  g_assert_cmpuint(expire(fixture), ==, 0);
  fixture->store->skew_s = 10LL * 365 * DAY;
  for (int hour = 0; hour < 23; hour++) {
    g_assert_cmpuint(expire(fixture), ==, 0);
    fixture->store->skew_s += 3600;
  }
  fixture->store->skew_s = 3600;
  g_assert_cmpuint(expire(fixture), ==, 0);
  fixture->store->skew_s = -50LL * 365 * DAY;
  g_assert_cmpuint(expire(fixture), ==, 0);
  fixture->store->skew_s = 0;
  mail_check(fixture->store, &recipient, 10);
}

static gboolean
believes(const Fixture *fixture, gint64 later_s)
{
  gboolean believed;
  g_assert_true(store_check_clock(fixture->store, store_now(fixture->store) + later_s,
                                  &believed, NULL));
  return believed;
}

/* F20: what letters go by, and what is removed by, is the same belief. */
static void
test_clock(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_assert_true(believes(fixture, 0));
  g_assert_true(believes(fixture, 35 * 3600));
  g_assert_cmpuint(expire(fixture), ==, 0); /* back again */
  g_assert_true(believes(fixture, 0));
  g_assert_false(believes(fixture, 40 * DAY));
  g_assert_true(believes(fixture, 3600)); /* it was a mistake */
  g_assert_false(believes(fixture, 40 * DAY));
  g_assert_false(believes(fixture, 40 * DAY + 23 * 3600));
  g_assert_true(believes(fixture, 41 * DAY));
  g_assert_true(believes(fixture, 41 * DAY + 3600));
}

/* A server that was off for a year removes what is old after a day. */
static void
test_leap_lasts(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient recipient;
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = 10}, &recipient);
  g_assert_cmpuint(expire(fixture), ==, 0);
  fixture->store->skew_s = 365LL * DAY;
  guint removed = 0;
  for (int hour = 0; hour < 26; hour++) {
    removed += expire(fixture);
    fixture->store->skew_s += 3600;
  }
  g_assert_cmpuint(removed, ==, 1);
}

static void
make_old(const char *path)
{
  struct utimbuf times = {.actime = 1, .modtime = time(NULL) - 2 * 3600};
  g_assert_cmpint(utime(path, &times), ==, 0);
}

/* What a crash left without a row goes, but only when it is old and nobody writes it. */
static void
test_orphans(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient recipient;
  g_autoptr(LargeFile) placed = large_file_new(fixture->messages, NULL);
  g_assert_true(large_file_append(placed, "x", 1, NULL));
  g_assert_true(large_file_place(placed, NULL));
  g_autofree char *orphan = message_file(fixture);
  g_assert_nonnull(orphan);
  g_assert_cmpuint(expire(fixture), ==, 0);
  g_assert_true(g_file_test(orphan, G_FILE_TEST_EXISTS));
  make_old(orphan);
  expire(fixture);
  g_assert_true(g_file_test(orphan, G_FILE_TEST_EXISTS)); /* still locked by its writer */
  g_clear_pointer(&placed, large_file_free);
  g_assert_cmpint(utime(orphan, NULL), ==, 0);
  expire(fixture);
  g_assert_true(g_file_test(orphan, G_FILE_TEST_EXISTS)); /* free, but young */
  make_old(orphan);
  expire(fixture);
  g_assert_false(g_file_test(orphan, G_FILE_TEST_EXISTS));

  mail_file(fixture->store, &(Mail){.ticket = 1, .len = 300 * KIB}, &recipient);
  g_autofree char *file = message_file(fixture);
  make_old(file);
  g_autofree char *temporary = g_strconcat(file, ".new", NULL);
  g_assert_true(g_file_set_contents(temporary, "x", 1, NULL));
  make_old(temporary);
  g_autofree char *foreign = g_strconcat(file, ".bak", NULL);
  g_assert_true(g_file_set_contents(foreign, "x", 1, NULL));
  make_old(foreign);
  expire(fixture);
  g_assert_false(g_file_test(temporary, G_FILE_TEST_EXISTS));
  g_assert_true(g_file_test(foreign, G_FILE_TEST_EXISTS)); /* not ours */
  mail_check(fixture->store, &recipient, 300 * KIB);
}

/* Postfix tries again after the message was purged: answered as before, nothing sent. */
static void
test_repeat_after(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient first, second;
  Mail mail = {.ticket = 1, .len = 10, .expires_s = store_now(fixture->store) + 100};
  mail_file(fixture->store, &mail, &first);
  fixture->store->skew_s = 200;
  g_assert_cmpuint(expire(fixture), ==, 1);
  mail_file(fixture->store, &mail, &second);
  g_assert_true(second.existed);
  g_assert_true(second.notified);
  g_assert_cmpstr(second.reference, ==, first.reference);
}

/* After a year nothing is known of it, but codes went a day after they were sent. */
static void
test_tombstone(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient recipient;
  Mail mail = {.ticket = 1, .expires_s = store_now(fixture->store) + 100};
  mail_file(fixture->store, &mail, &recipient);
  days_pass(fixture, 365);
  g_assert_cmpint(state_of(fixture, &recipient, NULL), ==, ENTRY_EXPIRED);
  days_pass(fixture, 2);
  g_assert_cmpint(state_of(fixture, &recipient, NULL), ==, ENTRY_NONE);
}

/* Nothing of what was purged is left in the files of the database (K4). */
static void
test_gone_from_disk(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient recipient;
  gint64 expires_s = store_now(fixture->store) + 100;
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = 5000, .expires_s = expires_s},
            &recipient);
  guint8 key[70];
  gsize len = 0;
  g_autoptr(Db) db = db_open(fixture->path, DB_READER, NULL);
  Query *query = db_query(db, "SELECT message_key FROM entry", DB_NO_VALUES, NULL);
  g_assert_cmpint(query_step(query, NULL), ==, 1);
  gconstpointer stored = query_blob(query, 0, &len);
  g_assert_cmpuint(len, ==, sizeof key);
  memcpy(key, stored, sizeof key);
  query_done(query);
  g_clear_pointer(&db, db_close);

  fixture->store->skew_s = 200;
  g_assert_cmpuint(expire(fixture), ==, 1);
  static const char *const endings[] = {"", "-wal"};
  for (gsize i = 0; i < G_N_ELEMENTS(endings); i++) {
    g_autofree char *path = g_strconcat(fixture->path, endings[i], NULL);
    g_autofree char *bytes = NULL;
    gsize size = 0;
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    g_assert_null(memmem(bytes, size, key + 6, sizeof key - 6));
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  fixture_add("/expire/expired", test_expired);
  fixture_add("/expire/key destroyed (K4)", test_key_destroyed);
  fixture_add("/expire/shared message", test_shared);
  fixture_add("/expire/leap of the clock (F20)", test_leap);
  fixture_add("/expire/what time is believed (F20)", test_clock);
  fixture_add("/expire/leap that lasts", test_leap_lasts);
  fixture_add("/expire/orphans", test_orphans);
  fixture_add("/expire/repeat after", test_repeat_after);
  fixture_add("/expire/tombstone", test_tombstone);
  fixture_add("/expire/gone from disk (T37)", test_gone_from_disk);
  return g_test_run();
}
