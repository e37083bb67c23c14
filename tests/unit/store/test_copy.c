/*
 * A copy of the store while others file, read and remove; and how a store stands.
 */
#include "common/store/copy.h"

#include <sys/stat.h>
#include <unistd.h>

#include "common/store/outbox.h"
#include "tests/unit/store/fixture.h"

#define LARGE  200000 /* in a file of its own */
#define ROUNDS 40

typedef struct {
  char *database, *messages;
} Place;

static Place
make_place(const Fixture *fixture, const char *name)
{
  g_autofree char *directory = g_build_filename(fixture->directory, name, NULL);
  Place place = {g_build_filename(directory, "store.db", NULL),
                 g_build_filename(directory, "messages", NULL)};
  g_assert_cmpint(g_mkdir_with_parents(place.messages, 0700), ==, 0);
  return place;
}

static void
place_clear(Place *place)
{
  g_free(place->database);
  g_free(place->messages);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

static void
copy(const Fixture *fixture, const Place *place)
{
  g_autoptr(GError) error = NULL;
  store_copy(fixture->path, fixture->messages, place->database, place->messages, &error);
  g_assert_no_error(error);
}

/* How many files are in DIRECTORY's directories. */
static guint
count_files(const char *directory)
{
  guint count = 0;
  for (guint i = 0; i < 256; i++) {
    g_autofree char *path = g_strdup_printf("%s/%02x", directory, i);
    g_autoptr(GDir) files = g_dir_open(path, 0, NULL);
    while (files != NULL && g_dir_read_name(files) != NULL)
      count++;
  }
  return count;
}

static FilingRecipient
file(Fixture *fixture, guint8 ticket, gsize len)
{
  FilingRecipient recipient = {.address = NULL};
  Mail mail = {.ticket = ticket, .body = ticket, .len = len};
  mail_file(fixture->store, &mail, &recipient);
  return recipient;
}

/* Whether the message of RECIPIENT can be read to its end in the store at PLACE. */
static gboolean
is_readable(const Fixture *fixture, const Place *place, const FilingRecipient *recipient)
{
  g_autoptr(GError) error = NULL;
  EntryState state;
  g_autoptr(Entry) entry = NULL;
  guint8 buffer[4096];
  gssize n = 1;
  g_autoptr(Store) store =
      store_open(place->database, place->messages, fixture->ring, &error);
  g_assert_no_error(error);
  g_assert_true(store_find_entry(store, ORG, recipient->link_secret, &state, &entry, NULL));
  if (state != ENTRY_OPEN)
    return FALSE;
  g_autoptr(MessageSource) source =
      store_open_message(store, entry, recipient->link_secret, NULL);
  while (source != NULL && n > 0)
    n = message_source_read(source, buffer, sizeof buffer, NULL);
  return source != NULL && n == 0;
}

static void
test_whole(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_auto(Place) place = make_place(fixture, "copy");
  FilingRecipient small = file(fixture, 1, 1000), large = file(fixture, 2, LARGE);
  struct stat before, after;
  copy(fixture, &place);
  g_assert_cmpuint(count_files(place.messages), ==, 1);
  g_assert_true(is_readable(fixture, &place, &small));
  g_assert_true(is_readable(fixture, &place, &large));
  g_assert_cmpint(stat(fixture->path, &before), ==, 0);
  g_assert_cmpint(stat(place.database, &after), ==, 0);
  g_assert_cmpuint(after.st_mode, ==, before.st_mode);
  g_assert_cmpint(stat(fixture->messages, &before), ==, 0);
  g_assert_cmpint(stat(place.messages, &after), ==, 0);
  g_assert_cmpuint(after.st_mode, ==, before.st_mode);
}

/* A message that was lost before keeps nobody from copying the others. */
static void
test_lost(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_auto(Place) place = make_place(fixture, "copy");
  FilingRecipient lost = file(fixture, 1, LARGE);
  for (guint i = 0; i < 256; i++) {
    g_autofree char *path = g_strdup_printf("%s/%02x", fixture->messages, i);
    nftw(path, fixture_remove, 4, FTW_DEPTH | FTW_PHYS);
  }
  FilingRecipient good = file(fixture, 2, LARGE);
  copy(fixture, &place);
  g_assert_true(is_readable(fixture, &place, &good));
  g_assert_false(is_readable(fixture, &place, &lost));
}

typedef struct {
  Fixture *fixture;
  int stop; /* atomic */
} Traffic;

/* Files and removes large messages all the time, each for somebody else. */
static gpointer
make_traffic(gpointer data)
{
  static int number;
  Traffic *traffic = data;
  Store *store = traffic->fixture->store;
  while (g_atomic_int_get(&traffic->stop) == 0) {
    g_autofree char *address =
        g_strdup_printf("p%d@example.com", g_atomic_int_add(&number, 1));
    Mail mail = {.ticket = 9, .body = 9, .address = address, .len = LARGE};
    FilingRecipient recipient;
    EntryState state;
    g_autoptr(Entry) entry = NULL;
    mail_file(store, &mail, &recipient);
    g_assert_true(
        store_find_entry(store, ORG, recipient.link_secret, &state, &entry, NULL));
    g_assert_cmpint(state, ==, ENTRY_OPEN);
    g_assert_true(store_delete(store, entry, NULL, NULL));
  }
  return NULL;
}

/* Every file that the database of a copy names is in the copy, and no other. */
static void
check_copy(const Place *place)
{
  g_autoptr(Db) db = db_open(place->database, DB_READER, NULL);
  g_autoptr(Query) query =
      db_query(db, "SELECT file FROM message WHERE file IS NOT NULL", DB_NO_VALUES, NULL);
  guint count = 0;
  for (; query_step(query, NULL) == 1; count++) {
    g_autofree char *path = large_file_path(place->messages, query_text(query, 0));
    g_assert_cmpint(access(path, R_OK), ==, 0);
  }
  g_assert_cmpuint(count_files(place->messages), ==, count);
}

static void
test_traffic(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient kept = file(fixture, 1, LARGE);
  Traffic traffic = {fixture, 0};
  GThread *threads[2];
  for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
    threads[i] = g_thread_new("traffic", make_traffic, &traffic);
  for (guint i = 0; i < ROUNDS; i++) {
    g_autofree char *name = g_strdup_printf("copy%u", i);
    g_auto(Place) place = make_place(fixture, name);
    copy(fixture, &place);
    check_copy(&place);
    if (i == 0)
      g_assert_true(is_readable(fixture, &place, &kept));
  }
  g_atomic_int_set(&traffic.stop, 1);
  for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
    g_thread_join(threads[i]);
}

static void
test_status(Fixture *fixture, gconstpointer data)
{
  (void) data;
  StoreStatus status = {77, 77, 77, 77};
  gint64 now_s = store_now(fixture->store);
  g_assert_true(store_status(fixture->path, &status, NULL));
  g_assert_cmpuint(status.entries + status.unnotified, ==, 0);
  g_assert_cmpint(status.oldest_unnotified_s, ==, 0);
  FilingRecipient one = file(fixture, 1, 100), two = file(fixture, 2, 100);
  g_autoptr(Event) event = event_new(EVENT_NOTIFIED, NULL, ORG, NULL);
  g_assert_true(
      store_set_notified(fixture->store, ORG, one.reference, "4XbK", event, NULL));
  g_assert_true(store_status(fixture->path, &status, NULL));
  g_assert_cmpuint(status.entries, ==, 2);
  g_assert_cmpuint(status.unnotified, ==, 1);
  g_assert_cmpint(ABS(status.oldest_unnotified_s - now_s), <=, 60);
  g_assert_cmpuint(status.waiting_events, ==, 3); /* two stored, one notified */
  g_assert_true(store_set_notified(fixture->store, ORG, two.reference, "4XbL", NULL, NULL));
  g_assert_true(store_status(fixture->path, &status, NULL));
  g_assert_cmpuint(status.unnotified, ==, 0);
  g_assert_cmpint(status.oldest_unnotified_s, ==, 0);
}

/* No store, and no room for a copy. */
static void
test_errors(Fixture *fixture, gconstpointer data)
{
  (void) data;
  StoreStatus status;
  g_auto(Place) place = make_place(fixture, "copy");
  g_autoptr(GError) error = NULL;
  g_assert_false(store_status("/nowhere/store.db", &status, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
  g_clear_error(&error);
  g_assert_false(store_copy(fixture->path, fixture->messages, "/nowhere/store.db",
                            place.messages, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
}

#define ADD(name, function)                                                                \
  g_test_add(name, Fixture, NULL, fixture_setup, function, fixture_teardown)

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  ADD("/copy/whole", test_whole);
  ADD("/copy/lost", test_lost);
  ADD("/copy/traffic", test_traffic);
  ADD("/copy/status", test_status);
  ADD("/copy/errors", test_errors);
  return g_test_run();
}
