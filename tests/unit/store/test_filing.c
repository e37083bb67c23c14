#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/store/fixture.h"
#include "tests/unit/tap.h"

#define KIB          1024
#define THREADS      20
#define EACH         25
#define RSS_MAX_GROW (8 * 1024 * KIB)

static void
test_sizes(Fixture *fixture, gconstpointer data)
{
  (void) data;
  static const gsize sizes[] = {
      0,         1,         65535,      65536,           65537,          100 * KIB,
      130 * KIB, 256 * KIB, 1000 * KIB, 128 * KIB - 100, 128 * KIB - 34, 128 * KIB - 33,
  };
  FilingRecipient recipients[G_N_ELEMENTS(sizes)];
  for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
    Mail mail = {.ticket = (guint8) (i + 1), .len = sizes[i]};
    mail_file(fixture->store, &mail, &recipients[i]);
    g_assert_false(recipients[i].existed);
    g_assert_false(recipients[i].conflict);
    g_assert_false(recipients[i].notified);
    g_assert_cmpuint(strlen(recipients[i].reference), ==, 16);
  }
  fixture_close(fixture); /* and all is there after a restart */
  fixture_open(fixture);
  for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++)
    mail_check(fixture->store, &recipients[i], sizes[i]);
}

/* How many files stand below the message directory. */
static guint
count_files(const Fixture *fixture)
{
  guint count = 0;
  for (guint i = 0; i < 256; i++) {
    g_autofree char *path = g_strdup_printf("%s/%02x", fixture->messages, i);
    g_autoptr(GDir) files = g_dir_open(path, 0, NULL);
    while (files != NULL && g_dir_read_name(files) != NULL)
      count++;
  }
  return count;
}

static void
test_large_in_file(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient small, large;
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = 128 * KIB - 34}, &small);
  g_assert_cmpuint(count_files(fixture), ==, 0);
  mail_file(fixture->store, &(Mail){.ticket = 2, .len = 128 * KIB}, &large);
  g_assert_cmpuint(count_files(fixture), ==, 1);
}

/* F1: killed after it made a directory, before that was there for the group too. */
static void
test_directory_left_halfway(Fixture *fixture, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < 256; i++) {
    g_autofree char *path = g_strdup_printf("%s/%02x", fixture->messages, i);
    g_assert_cmpint(mkdir(path, 0700), ==, 0);
  }
  FilingRecipient recipient;
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = 200 * KIB}, &recipient);
  guint made = 0;
  for (guint i = 0; i < 256; i++) {
    g_autofree char *path = g_strdup_printf("%s/%02x", fixture->messages, i);
    struct stat status;
    g_assert_cmpint(stat(path, &status), ==, 0);
    made += (status.st_mode & 07777) == 02770;
  }
  g_assert_cmpuint(made, ==, 1);
}

static void
test_entry(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient recipient;
  gint64 expires_s = store_now(fixture->store) + RETENTION;
  Mail mail = {.ticket = 1, .body = 0xbb, .len = 1234, .expires_s = expires_s};
  mail_file(fixture->store, &mail, &recipient);
  g_assert_cmpint(recipient.expires_s, ==, expires_s);
  g_autoptr(Entry) entry = mail_entry(fixture->store, ORG, &recipient);
  g_assert_cmpstr(entry->organisation, ==, ORG);
  g_assert_cmpstr(entry->reference, ==, recipient.reference);
  g_assert_cmpstr(entry->address, ==, ADDRESS);
  g_assert_cmpstr(entry->number, ==, NUMBER);
  g_assert_cmpstr(entry->sender, ==, SENDER);
  g_assert_cmpstr(entry->sender_name, ==, NAME);
  g_assert_cmpstr(entry->message_id, ==, MESSAGE);
  g_assert_cmpint(entry->expires_s, ==, expires_s);
  g_assert_cmpuint(entry->size_bytes, ==, 1234);
  guint8 body[CRYPT_SHA256_BYTES];
  memset(body, 0xbb, sizeof body);
  g_assert_cmpmem(entry->body_sha256, sizeof body, body, sizeof body);
}

/* One message for three: one row, one key for each, and each link opens the same bytes. */
static void
test_recipients(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Mail mails[] = {{.ticket = 1, .address = "a@example.com"},
                  {.ticket = 1, .address = "b@example.com"},
                  {.ticket = 1, .address = "c@example.com"}};
  FilingRecipient recipients[3];
  for (int i = 0; i < 3; i++)
    mail_recipient(&mails[i], &recipients[i]);
  g_autofree guint8 *content = mail_content(200 * KIB);
  g_assert_true(mail_file_content(fixture->store, &mails[0], content, 200 * KIB, recipients,
                                  3, NULL));
  g_assert_cmpuint(count_files(fixture), ==, 1);
  for (int i = 0; i < 3; i++)
    mail_check(fixture->store, &recipients[i], 200 * KIB);
  g_autoptr(Entry) first = mail_entry(fixture->store, ORG, &recipients[0]);
  g_autoptr(GError) error = NULL;
  g_assert_null(mail_read(fixture->store, first, recipients[1].link_secret, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED);
}

static void
test_repeat(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient first, second, third;
  Mail mail = {.ticket = 1, .body = 2, .len = 300 * KIB};
  mail_file(fixture->store, &mail, &first);
  mail.address = "jan.canary-address@EXAMPLE.com"; /* domains have no case */
  mail_file(fixture->store, &mail, &second);
  g_assert_true(second.existed);
  g_assert_false(second.conflict);
  g_assert_false(second.notified);
  g_assert_cmpstr(second.reference, ==, first.reference);
  g_assert_cmpint(second.expires_s, ==, first.expires_s);
  g_assert_cmpuint(second.link_key_id, ==, first.link_key_id);
  g_assert_cmpmem(second.link_nonce, 16, first.link_nonce, 16);
  g_assert_cmpuint(count_files(fixture), ==, 1); /* the second copy is gone */
  mail_check(fixture->store, &first, 300 * KIB);

  g_assert_true(
      store_set_notified(fixture->store, ORG, first.reference, "4Zn", NULL, NULL));
  fixture_close(fixture);
  fixture_open(fixture);
  mail_file(fixture->store, &mail, &third);
  g_assert_true(third.existed);
  g_assert_true(third.notified);
}

static void
test_conflict(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient first, second, other;
  Mail mail = {.ticket = 1, .body = 2, .len = 10};
  mail_file(fixture->store, &mail, &first);
  mail.body = 3;
  mail.len = 300 * KIB;
  mail_file(fixture->store, &mail, &second);
  g_assert_true(second.conflict);
  g_assert_false(second.existed);
  g_assert_cmpuint(count_files(fixture), ==, 0);
  mail_check(fixture->store, &first, 10);
  mail.address = "other@example.com";
  mail_file(fixture->store, &mail, &other);
  g_assert_false(other.conflict);
  mail_check(fixture->store, &other, 300 * KIB);
}

/* A rotation of the store key between two tries of Postfix doubles nothing. */
static void
test_rotation(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient first, second, newer;
  Mail mail = {.ticket = 1, .len = 10};
  mail_file(fixture->store, &mail, &first);
  fixture_close(fixture);
  keyring_free(fixture->ring);
  fixture->ring = ring_new(KEY_STORE, TRUE);
  fixture_open(fixture);
  mail_check(fixture->store, &first, 10);
  mail_file(fixture->store, &mail, &second);
  g_assert_true(second.existed);
  g_assert_cmpstr(second.reference, ==, first.reference);
  mail.ticket = 2;
  mail_file(fixture->store, &mail, &newer);
  mail_check(fixture->store, &newer, 10);
}

static void
test_other_organisation(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient first, second;
  Mail mail = {.ticket = 1, .len = 10};
  mail_file(fixture->store, &mail, &first);
  mail.organisation = "huisarts";
  mail.body = 9;
  mail_file(fixture->store, &mail, &second);
  g_assert_false(second.existed);
  g_assert_false(second.conflict);
}

static void
test_notified(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient recipient;
  mail_file(fixture->store, &(Mail){.ticket = 1}, &recipient);
  g_autoptr(GError) error = NULL;
  g_assert_false(store_set_notified(fixture->store, "huisarts", recipient.reference, "4Zn",
                                    NULL, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  g_clear_error(&error);
  g_assert_false(store_set_notified(fixture->store, ORG, "nosuch", "4Zn", NULL, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  g_assert_true(
      store_set_notified(fixture->store, ORG, recipient.reference, "4Zn", NULL, NULL));
}

/* A filing that is given up leaves nothing. */
static void
test_given_up(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autofree guint8 *content = mail_content(500 * KIB);
  Filing *filing = filing_begin(fixture->store, NULL);
  g_assert_true(filing_write(filing, content, 500 * KIB, NULL));
  g_assert_cmpuint(count_files(fixture), ==, 1);
  filing_free(filing);
  g_assert_cmpuint(count_files(fixture), ==, 0);
}

typedef struct {
  Fixture *fixture;
  guint8 ticket;
  guint each;
} FilerArgs;

static gpointer
file_many(gpointer p)
{
  const FilerArgs *args = p;
  for (guint i = 0; i < args->each; i++) {
    g_autofree char *address = g_strdup_printf("r%u@example.com", i);
    FilingRecipient recipient;
    mail_file(args->fixture->store,
              &(Mail){.ticket = args->ticket, .address = address, .len = 16 * KIB},
              &recipient);
    g_assert_false(recipient.existed);
    mail_check(args->fixture->store, &recipient, 16 * KIB);
  }
  return NULL;
}

/* Twenty sessions share commits: far fewer transactions than messages. */
static void
test_group_commit(Fixture *fixture, gconstpointer data)
{
  (void) data;
  GThread *threads[THREADS];
  FilerArgs args[THREADS];
  guint before = writer_commits(fixture->store->writer);
  gint64 start = g_get_monotonic_time();
  for (guint8 i = 0; i < THREADS; i++) {
    args[i] = (FilerArgs){fixture, (guint8) (i + 1), EACH};
    threads[i] = g_thread_new("filer", file_many, &args[i]);
  }
  for (guint i = 0; i < THREADS; i++)
    g_thread_join(threads[i]);
  double seconds = (double) (g_get_monotonic_time() - start) / G_USEC_PER_SEC;
  guint commits = writer_commits(fixture->store->writer) - before;
  g_test_message("%d messages in %u commits, %.0f a second", THREADS * EACH, commits,
                 THREADS * EACH / seconds);
  g_assert_cmpuint(commits, <, THREADS * EACH);
}

/* Twenty sessions with the very same recipient: one row, nineteen times "existed". */
static gpointer
file_same(gpointer p)
{
  const FilerArgs *args = p;
  FilingRecipient recipient;
  mail_file(args->fixture->store, &(Mail){.ticket = 1, .len = 200 * KIB}, &recipient);
  return GINT_TO_POINTER(recipient.existed ? 1 : 0);
}

static void
test_same_together(Fixture *fixture, gconstpointer data)
{
  (void) data;
  GThread *threads[THREADS];
  FilerArgs args = {fixture, 1, 1};
  int existed = 0;
  for (guint i = 0; i < THREADS; i++)
    threads[i] = g_thread_new("filer", file_same, &args);
  for (guint i = 0; i < THREADS; i++)
    existed += GPOINTER_TO_INT(g_thread_join(threads[i]));
  g_assert_cmpint(existed, ==, THREADS - 1);
  g_assert_cmpuint(count_files(fixture), ==, 1);
}

/* Resident memory in bytes. */
static gsize
resident(void)
{
  g_autofree char *text = NULL;
  g_assert_true(g_file_get_contents("/proc/self/statm", &text, NULL, NULL));
  g_auto(GStrv) words = g_strsplit(text, " ", 3);
  guint64 pages = 0;
  g_assert_true(g_ascii_string_to_unsigned(words[1], 10, 0, G_MAXUINT32, &pages, NULL));
  return (gsize) pages * (gsize) sysconf(_SC_PAGESIZE);
}

/* Writes 50 MB in pieces and reads them back, both in constant memory. */
static void
test_memory(Fixture *fixture, gconstpointer data)
{
  (void) data;
  enum {
    PIECE = 8000,
    PIECES = 50 * 1000 * 1000 / PIECE
  };
  guint8 piece[PIECE];
  memset(piece, 'x', sizeof piece);
  FilingRecipient recipient;
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = 300 * KIB}, &recipient);
  mail_check(fixture->store, &recipient, 300 * KIB); /* warm */
  gsize before = resident();

  g_autoptr(Filing) filing = filing_begin(fixture->store, NULL);
  for (int i = 0; i < PIECES; i++)
    g_assert_true(filing_write(filing, piece, sizeof piece, NULL));
  guint8 ticket[TICKET_ID_BYTES] = {2};
  guint8 body[CRYPT_SHA256_BYTES] = {2};
  FilingMeta meta = {.organisation = ORG,
                     .ticket_id = ticket,
                     .body_sha256 = body,
                     .sender = SENDER,
                     .expires_s = store_now(fixture->store) + DAY};
  mail_recipient(&(Mail){.ticket = 2}, &recipient);
  g_assert_true(filing_commit(filing, &meta, &recipient, 1, NULL));
  gsize filed = resident();

  g_autoptr(Entry) entry = mail_entry(fixture->store, ORG, &recipient);
  g_autoptr(MessageSource) source =
      store_open_message(fixture->store, entry, recipient.link_secret, NULL);
  gsize total = 0;
  for (gssize n = 1; n > 0; total += (gsize) n) {
    n = message_source_read(source, piece, sizeof piece, NULL);
    g_assert_cmpint(n, >=, 0);
    g_assert_true(n == 0 || (piece[0] == 'x' && piece[n - 1] == 'x'));
  }
  g_assert_cmpuint(total, ==, PIECE * PIECES);
  gsize after = resident();
  g_test_message("resident: %zu kB before, %zu filed, %zu read", before / KIB, filed / KIB,
                 after / KIB);
  g_assert_cmpuint(filed, <, before + RSS_MAX_GROW);
  g_assert_cmpuint(after, <, before + RSS_MAX_GROW);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  fixture_add("/filing/sizes", test_sizes);
  fixture_add("/filing/large in a file", test_large_in_file);
  fixture_add("/filing/directory left halfway", test_directory_left_halfway);
  fixture_add("/filing/entry", test_entry);
  fixture_add("/filing/recipients share a message", test_recipients);
  fixture_add("/filing/repeat", test_repeat);
  fixture_add("/filing/conflict", test_conflict);
  fixture_add("/filing/rotation", test_rotation);
  fixture_add("/filing/other organisation", test_other_organisation);
  fixture_add("/filing/notified", test_notified);
  fixture_add("/filing/given up", test_given_up);
  fixture_add("/filing/group commit", test_group_commit);
  fixture_add("/filing/same together", test_same_together);
  fixture_add("/filing/constant memory", test_memory);
  return g_test_run();
}
