/*
 * fixture.h - a store of its own for each test, and messages to put into it.
 */
#pragma once

#include <ftw.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/crypt/ticket.h"
#include "common/store/internal.h"
#include "common/store/store.h"
#include "tests/unit/crypt/ring.h"

#define ORG       "ziekenhuis"
#define ADDRESS   "jan.canary-address@example.com"
#define NUMBER    "+31612345678"
#define SENDER    "dokter.canary-sender@own.example"
#define NAME      "Dr. Canary-Name"
#define MESSAGE   "<canary-id@own.example>"
#define DAY       86400
#define RETENTION (90 * DAY)

typedef struct {
  char *directory, *path, *messages;
  KeyRing *ring;
  Store *store;
} Fixture;

/* A message as a test files it; zero means a value that fits. */
typedef struct {
  const char *organisation, *address, *number, *sender;
  guint8 ticket; /* all octets of the ticket id */
  guint8 body;   /* all octets of the body's hash */
  gboolean shared, from_reader;
  FilingDispatch *dispatch;
  const GPtrArray *parts;
  gsize len; /* of the content: octets that tell their place */
  gint64 expires_s;
} Mail;

/* For nftw: removes PATH. */
static inline int
fixture_remove(const char *path, const struct stat *status, int type, struct FTW *where)
{
  (void) status;
  (void) type;
  (void) where;
  return remove(path);
}

/* Opens the fixture's store, which must succeed. */
static inline void
fixture_open(Fixture *fixture)
{
  g_autoptr(GError) error = NULL;
  fixture->store = store_open(fixture->path, fixture->messages, fixture->ring, &error);
  g_assert_no_error(error);
}

/* Closes it; may be called twice. */
static inline void
fixture_close(Fixture *fixture)
{
  g_clear_pointer(&fixture->store, store_close);
}

/* For g_test_add: a directory, a key and an open store. */
static inline void
fixture_setup(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture->directory = g_dir_make_tmp("zegel-store-XXXXXX", NULL);
  g_assert_nonnull(fixture->directory);
  fixture->path = g_build_filename(fixture->directory, "store", "store.db", NULL);
  fixture->messages = g_build_filename(fixture->directory, "store", "messages", NULL);
  fixture->ring = ring_new(KEY_STORE, FALSE);
  fixture_open(fixture);
}

/* For g_test_add: closes and removes it all. */
static inline void
fixture_teardown(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture_close(fixture);
  keyring_free(fixture->ring);
  nftw(fixture->directory, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
  g_free(fixture->directory);
  g_free(fixture->path);
  g_free(fixture->messages);
}

/* Octet AT of a message: a pattern with a canary now and then. */
static inline guint8
mail_octet(gsize at)
{
  static const char canary[] = "canary-content ";
  gsize period = at % 1000;
  return period < sizeof canary - 1 ? (guint8) canary[period] : (guint8) (at * 7 >> 3);
}

/* LEN octets of the pattern, the caller's. */
static inline guint8 *
mail_content(gsize len)
{
  guint8 *content = g_malloc(len + 1);
  for (gsize i = 0; i < len; i++)
    content[i] = mail_octet(i);
  return content;
}

/* Fills RECIPIENT for MAIL with a random link, and results with nonsense. */
static inline void
mail_recipient(const Mail *mail, FilingRecipient *recipient)
{
  memset(recipient, 0x5a, sizeof *recipient); /* results must be set, not left */
  recipient->address = mail->address != NULL ? mail->address : ADDRESS;
  recipient->number = mail->number != NULL ? mail->number : NUMBER;
  recipient->shared = mail->shared;
  recipient->from_reader = mail->from_reader;
  recipient->link_key_id = 7;
  g_assert_true(crypt_random(recipient->link_nonce, STORE_NONCE_BYTES, NULL));
  g_assert_true(crypt_random(recipient->link_secret, STORE_LINK_SECRET_BYTES, NULL));
}

/* Files CONTENT for COUNT recipients under MAIL's ticket. */
static inline gboolean
mail_file_content(Store *store, const Mail *mail, const guint8 *content, gsize len,
                  FilingRecipient *recipients, guint count, GError **error)
{
  guint8 ticket[TICKET_ID_BYTES];
  guint8 body[CRYPT_SHA256_BYTES];
  memset(ticket, mail->ticket, sizeof ticket);
  memset(body, mail->body, sizeof body);
  FilingMeta meta = {
      .organisation = mail->organisation != NULL ? mail->organisation : ORG,
      .ticket_id = ticket,
      .body_sha256 = body,
      .sender = mail->sender != NULL ? mail->sender : SENDER,
      .sender_name = NAME,
      .message_id = MESSAGE,
      .queue_id = "4Zqueue",
      .dispatch = mail->dispatch,
      .parts = mail->parts,
      .received_s = store_now(store),
      .expires_s = mail->expires_s != 0 ? mail->expires_s : store_now(store) + RETENTION,
  };
  g_autoptr(Filing) filing = filing_begin(store, error);
  return filing != NULL && filing_write(filing, content, len, error) &&
         filing_commit(filing, &meta, recipients, count, error);
}

/* Files MAIL for one recipient, who gets a random link. */
static inline void
mail_file(Store *store, const Mail *mail, FilingRecipient *recipient)
{
  g_autofree guint8 *content = mail_content(mail->len);
  g_autoptr(GError) error = NULL;
  mail_recipient(mail, recipient);
  g_assert_true(mail_file_content(store, mail, content, mail->len, recipient, 1, &error));
  g_assert_no_error(error);
}

/* The entry of RECIPIENT, which must be open. */
static inline Entry *
mail_entry(Store *store, const char *organisation, const FilingRecipient *recipient)
{
  EntryState state = ENTRY_NONE;
  Entry *entry = NULL;
  g_autoptr(GError) error = NULL;
  g_assert_true(store_find_entry(store, organisation, recipient->link_secret, &state,
                                 &entry, &error));
  g_assert_no_error(error);
  g_assert_cmpint(state, ==, ENTRY_OPEN);
  g_assert_nonnull(entry);
  return entry;
}

/* The state of RECIPIENT's entry. */
static inline EntryState
mail_state(Store *store, const FilingRecipient *recipient)
{
  EntryState state = (EntryState) 99;
  g_autoptr(Entry) entry = NULL;
  g_autoptr(GError) error = NULL;
  g_assert_true(
      store_find_entry(store, ORG, recipient->link_secret, &state, &entry, &error));
  g_assert_no_error(error);
  return state;
}

/* Line KIND of REFERENCE's history; its count is 0 when there is none. */
static inline HistoryLine
mail_history(Store *store, const char *reference, HistoryKind kind)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GArray) lines = store_history(store, ORG, reference, &error);
  g_assert_no_error(error);
  for (guint i = 0; i < lines->len; i++)
    if (g_array_index(lines, HistoryLine, i).kind == kind)
      return g_array_index(lines, HistoryLine, i);
  return (HistoryLine){.count = 0};
}

/* The number that SQL gives. */
static inline gint64
fixture_number(const Fixture *fixture, const char *sql)
{
  g_autoptr(Db) db = db_open(fixture->path, DB_READER, NULL);
  g_autoptr(Query) query = db_query(db, sql, DB_NO_VALUES, NULL);
  g_assert_cmpint(query_step(query, NULL), ==, 1);
  return query_int(query, 0);
}

/* Reads the whole message; NULL with an error. */
static inline GByteArray *
mail_read(Store *store, const Entry *entry, const guint8 *link_secret, GError **error)
{
  g_autoptr(MessageSource) source = store_open_message(store, entry, link_secret, error);
  if (source == NULL)
    return NULL;
  g_autoptr(GByteArray) all = g_byte_array_new();
  guint8 buffer[10000];
  for (;;) {
    gssize n = message_source_read(source, buffer, sizeof buffer, error);
    if (n < 0)
      return NULL;
    if (n == 0)
      return g_steal_pointer(&all);
    g_byte_array_append(all, buffer, (guint) n);
  }
}

/* The message of RECIPIENT must be the pattern, LEN octets. */
static inline void
mail_check(Store *store, const FilingRecipient *recipient, gsize len)
{
  g_autoptr(Entry) entry = mail_entry(store, ORG, recipient);
  g_autoptr(GError) error = NULL;
  g_autoptr(GByteArray) all = mail_read(store, entry, recipient->link_secret, &error);
  g_assert_no_error(error);
  g_autofree guint8 *content = mail_content(len);
  g_assert_cmpuint(entry->size_bytes, ==, len);
  g_assert_cmpuint(all->len, ==, len);
  g_assert_true(len == 0 || memcmp(all->data, content, len) == 0);
}

/* Adds TEST under PATH with a store of its own. */
static inline void
fixture_add(const char *path, void (*test)(Fixture *fixture, gconstpointer data))
{
  g_test_add(path, Fixture, NULL, fixture_setup, test, fixture_teardown);
}
