#include <unistd.h>

#include "tests/unit/store/fixture.h"
#include "tests/unit/tap.h"

#define KIB   1024
#define SMALL 5000
#define LARGE (300 * KIB)

static gboolean
has_hit(Store *store, const char *organisation, const guint8 *link_secret)
{
  EntryState state = (EntryState) 99;
  Entry *entry = (Entry *) (guintptr) 0x5a;
  g_autoptr(GError) error = NULL;
  g_assert_true(store_find_entry(store, organisation, link_secret, &state, &entry, &error));
  g_assert_true((entry != NULL) == (state != ENTRY_NONE));
  entry_free(entry);
  return state != ENTRY_NONE;
}

/* T1, O2 */
static void
test_links(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient recipient;
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = 10}, &recipient);
  g_assert_true(has_hit(fixture->store, ORG, recipient.link_secret));
  g_assert_false(has_hit(fixture->store, "huisarts", recipient.link_secret));
  g_assert_false(has_hit(fixture->store, "", recipient.link_secret));
  for (int bit = 0; bit < 8 * STORE_LINK_SECRET_BYTES; bit++) {
    guint8 other[STORE_LINK_SECRET_BYTES];
    memcpy(other, recipient.link_secret, sizeof other);
    other[bit / 8] ^= (guint8) (1 << bit % 8);
    g_assert_false(has_hit(fixture->store, ORG, other));
  }
}

static void
test_wrong_secret(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient recipient;
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = 10}, &recipient);
  g_autoptr(Entry) entry = mail_entry(fixture->store, ORG, &recipient);
  recipient.link_secret[0] ^= 1;
  g_autoptr(GError) error = NULL;
  g_assert_null(mail_read(fixture->store, entry, recipient.link_secret, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED);
}

/* An entry of an organisation is no entry of another, whatever the caller mixes up. */
static void
test_other_organisation(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient recipient;
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = 10}, &recipient);
  g_autoptr(Entry) entry = mail_entry(fixture->store, ORG, &recipient);
  g_free(entry->organisation);
  entry->organisation = g_strdup("huisarts");
  g_autoptr(GError) error = NULL;
  g_assert_null(mail_read(fixture->store, entry, recipient.link_secret, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
}

typedef struct {
  const char *name;
  gboolean large;
  const char *sql; /* what happened to the database */
  ZegelError code;
  gboolean at_find; /* noticed at the look-up, else when reading */
} DamageRow;

/* F12: flipped, cut, zeroed, swapped. */
static const DamageRow damage_rows[] = {
    {"blob flipped at the start", FALSE,
     "UPDATE message SET sealed = CAST(x'00' || substr(sealed, 2) AS BLOB) WHERE id = 1",
     ZEGEL_ERROR_FORGED, FALSE},
    {"blob flipped in the middle", FALSE,
     "UPDATE message SET sealed = CAST(substr(sealed, 1, 100) || CASE"
     "  substr(sealed, 101, 1) WHEN x'00' THEN x'01' ELSE x'00' END"
     "  || substr(sealed, 102) AS BLOB) WHERE id = 1",
     ZEGEL_ERROR_FORGED, FALSE},
    {"blob cut", FALSE, "UPDATE message SET sealed = substr(sealed, 1, 100) WHERE id = 1",
     ZEGEL_ERROR_FORGED, FALSE},
    {"blob longer", FALSE,
     "UPDATE message SET sealed = CAST(sealed || x'00' AS BLOB) WHERE id = 1",
     ZEGEL_ERROR_FORGED, FALSE},
    {"blob empty", FALSE, "UPDATE message SET sealed = x'' WHERE id = 1",
     ZEGEL_ERROR_FORGED, FALSE},
    {"blob zero", FALSE,
     "UPDATE message SET sealed = zeroblob(length(sealed)) WHERE id = 1",
     ZEGEL_ERROR_FORGED, FALSE},
    {"blob of another", FALSE,
     "UPDATE message SET sealed = (SELECT sealed FROM message WHERE id = 2) WHERE id = 1",
     ZEGEL_ERROR_FORGED, FALSE},
    {"message of another", FALSE, "UPDATE entry SET message = 2 WHERE id = 1",
     ZEGEL_ERROR_FORGED, FALSE},
    {"file of another", TRUE, "UPDATE entry SET message = 2 WHERE id = 1",
     ZEGEL_ERROR_FORGED, FALSE},
    {"file name out of bounds", TRUE,
     "UPDATE message SET file = '../../../../../../etc/passwd' WHERE id = 1",
     ZEGEL_ERROR_FORGED, FALSE},
    {"key of another", FALSE,
     "UPDATE entry SET message_key = (SELECT message_key FROM entry WHERE id = 2)"
     "  WHERE id = 1",
     ZEGEL_ERROR_FORGED, FALSE},
    {"key cut", FALSE, "UPDATE entry SET message_key = substr(message_key, 2) WHERE id = 1",
     ZEGEL_ERROR_FORGED, FALSE},
    {"field of another entry", FALSE,
     "UPDATE entry SET address = (SELECT address FROM entry WHERE id = 2) WHERE id = 1",
     ZEGEL_ERROR_FORGED, TRUE},
    {"field of another column", FALSE, "UPDATE entry SET address = sender WHERE id = 1",
     ZEGEL_ERROR_FORGED, TRUE},
    {"field cut", FALSE, "UPDATE entry SET number = substr(number, 1, 20) WHERE id = 1",
     ZEGEL_ERROR_FORGED, TRUE},
};

static void
damage(Fixture *fixture, const char *sql)
{
  g_autoptr(Db) db = db_open(fixture->path, DB_WRITER, NULL);
  g_autoptr(GError) error = NULL;
  g_assert_true(db_exec(db, sql, &error));
  g_assert_no_error(error);
}

static void
test_damage(Fixture *fixture, gconstpointer data)
{
  const DamageRow *row = data;
  gsize len = row->large ? LARGE : SMALL;
  FilingRecipient bad, good;
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = len}, &bad);
  mail_file(fixture->store, &(Mail){.ticket = 2, .len = len, .address = "x@y.z"}, &good);
  damage(fixture, row->sql);

  EntryState state = ENTRY_NONE;
  g_autoptr(Entry) entry = NULL;
  g_autoptr(GError) error = NULL;
  gboolean found =
      store_find_entry(fixture->store, ORG, bad.link_secret, &state, &entry, &error);
  g_assert_true(found == !row->at_find);
  if (found) {
    g_assert_no_error(error);
    g_assert_null(mail_read(fixture->store, entry, bad.link_secret, &error));
  }
  g_assert_error(error, ZEGEL_ERROR, (int) row->code);
  mail_check(fixture->store, &good, len);
}

static char *
only_file(const Fixture *fixture)
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

/* A damaged file: whole chunks before the damage may come, nothing of the bad one. */
static void
test_damaged_file(Fixture *fixture, gconstpointer data)
{
  (void) data;
  FilingRecipient recipient;
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = LARGE}, &recipient);
  g_autoptr(Entry) entry = mail_entry(fixture->store, ORG, &recipient);
  g_autofree char *path = only_file(fixture);
  g_autofree char *bytes = NULL;
  gsize len = 0;
  g_assert_true(g_file_get_contents(path, &bytes, &len, NULL));
  static const gsize places[] = {2, 70000, 200000, LARGE};
  for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
    g_autofree char *copy = g_memdup2(bytes, len);
    copy[places[i]] ^= 1;
    g_assert_true(g_file_set_contents(path, copy, (gssize) len, NULL));
    g_autoptr(GError) error = NULL;
    g_autoptr(MessageSource) source =
        store_open_message(fixture->store, entry, recipient.link_secret, &error);
    gsize total = 0;
    gssize n = 1;
    while (n > 0) {
      guint8 buffer[1000];
      n = message_source_read(source, buffer, sizeof buffer, &error);
      for (gssize at = 0; at < n; at++)
        g_assert_cmpuint(buffer[at], ==, mail_octet(total + (gsize) at));
      total += (gsize) MAX(n, 0);
    }
    g_assert_cmpint(n, ==, -1);
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED);
    g_assert_cmpuint(total, <=, places[i]);
    g_clear_error(&error);
    guint8 octet = 0;
    g_assert_cmpint(message_source_read(source, &octet, 1, &error), ==, -1);
  }
  g_assert_cmpint(truncate(path, 100), ==, 0);
  g_autoptr(GError) error = NULL;
  g_assert_null(mail_read(fixture->store, entry, recipient.link_secret, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED);
  g_clear_error(&error);
  g_assert_cmpint(g_unlink(path), ==, 0);
  g_assert_null(mail_read(fixture->store, entry, recipient.link_secret, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED);
}

/* Any size of buffer gives the same bytes, and the end stays the end. */
static void
test_pieces(Fixture *fixture, gconstpointer data)
{
  (void) data;
  static const gsize pieces[] = {1, 7, 65536, 1000000};
  FilingRecipient recipient;
  mail_file(fixture->store, &(Mail){.ticket = 1, .len = LARGE}, &recipient);
  g_autoptr(Entry) entry = mail_entry(fixture->store, ORG, &recipient);
  for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++) {
    g_autoptr(MessageSource) source =
        store_open_message(fixture->store, entry, recipient.link_secret, NULL);
    g_autofree guint8 *buffer = g_malloc(pieces[i]);
    gsize total = 0;
    for (gssize n = 1; n > 0; total += (gsize) n) {
      n = message_source_read(source, buffer, pieces[i], NULL);
      g_assert_cmpint(n, >=, 0);
      for (gssize at = 0; at < n; at++)
        g_assert_true(buffer[at] == mail_octet(total + (gsize) at));
    }
    g_assert_cmpuint(total, ==, LARGE);
    g_assert_cmpint(message_source_read(source, buffer, 1, NULL), ==, 0);
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  fixture_add("/reading/links (T1, O2)", test_links);
  fixture_add("/reading/wrong secret", test_wrong_secret);
  fixture_add("/reading/other organisation", test_other_organisation);
  for (gsize i = 0; i < G_N_ELEMENTS(damage_rows); i++) {
    g_autofree char *path =
        g_strconcat("/reading/damage (F12)/", damage_rows[i].name, NULL);
    g_test_add(path, Fixture, &damage_rows[i], fixture_setup, test_damage,
               fixture_teardown);
  }
  fixture_add("/reading/damaged file (F12)", test_damaged_file);
  fixture_add("/reading/pieces", test_pieces);
  return g_test_run();
}
