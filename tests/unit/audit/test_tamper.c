/*
 * Nothing in a chain of a thousand events changes without being seen: every octet of every
 * column, every record removed, inserted, swapped with its neighbour, and every cut of the
 * tail; with the key, and where it says so with the public key alone.
 */
#include "tests/unit/audit/fixture.h"
#include "tests/unit/tap.h"

#define EVENTS 1000

/* One trail for all tests, with a change of keys, an erasure and two kept checkpoints. */
typedef struct {
  Fixture fixture;
  Db *db; /* on which tests change what they like, and undo it */
  guint8 public_key[CHECKPOINT_PUBLIC_BYTES];
  char *checkpoint; /* kept outside, of the end */
  gint64 last;
} Trail1000;

static Trail1000 trail;

static void
make_trail(void)
{
  g_autoptr(GError) error = NULL;
  Fixture *fixture = &trail.fixture;
  guint count = 0;
  fixture_setup(fixture, NULL);
  fixture_fill(fixture, EVENTS / 2);
  g_free(trail_writer_checkpoint(fixture->writer, &error));
  fixture_change_key(fixture, TRUE);
  fixture_open(fixture);
  fixture_fill(fixture, EVENTS / 2);
  trail_writer_erase(fixture->writer, ORG, "patient-4@example.com", "x", &count, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(count, ==, EVENTS / 20);
  trail.checkpoint = trail_writer_checkpoint(fixture->writer, &error);
  g_assert_no_error(error);
  fixture_close(fixture);
  trail.last = EVENTS + 3; /* two keys, one erasure */
  checkpoint_public_key(fixture->ring, 11, trail.public_key, &error);
  trail.db = db_open(fixture->path, DB_WRITER, &error);
  g_assert_no_error(error);
}

static void
free_trail(void)
{
  g_clear_pointer(&trail.db, db_close);
  g_free(trail.checkpoint);
  fixture_teardown(&trail.fixture, NULL);
}

/* Runs SQL with K for ?1, which must succeed. */
static void
change(const char *sql, gint64 k)
{
  g_autoptr(GError) error = NULL;
  db_run(trail.db, sql, DB_VALUES(V_INT(k)), &error);
  g_assert_no_error(error);
}

static void
exec(const char *sql)
{
  g_autoptr(GError) error = NULL;
  db_exec(trail.db, sql, &error);
  g_assert_no_error(error);
}

/* Whether the trail, as it is now, verifies; *AT gets where not. */
static gboolean
is_good(gboolean with_key, const char *checkpoint, guint64 *at)
{
  g_autoptr(GError) error = NULL;
  const char *const checkpoints[] = {checkpoint, NULL};
  const VerifyWith with = {with_key ? trail.fixture.ring : NULL,
                           with_key ? NULL : trail.public_key, checkpoints};
  g_auto(VerifyResult) result = {.good = TRUE};
  verify_db(trail.db, &with, &result, &error);
  g_assert_no_error(error);
  g_assert_true(result.good == (result.what == NULL));
  *at = result.wrong_at;
  return result.good;
}

/* What was changed must be seen, and with the key at K where that is not 0. */
static void
assert_seen(gint64 k)
{
  guint64 at = 0;
  g_assert_false(is_good(TRUE, NULL, &at));
  if (k > 0)
    g_assert_cmpuint(at, ==, k);
  g_assert_false(is_good(FALSE, NULL, &at));
}

/* ---- Every octet of every record ---- */

/* A record of the trail, with all that it is checked against. */
typedef struct {
  Row row;
  const TrailKey *key;
  guint8 before[CRYPT_SHA256_BYTES]; /* hashes of the chain */
  guint8 after[CRYPT_SHA256_BYTES];
  GArray *mentions; /* of Mention */
} Known;

static GPtrArray *keys;

static void
read_mentions(Known *known)
{
  static const char sql[] = "SELECT value FROM mention WHERE record = ?1 ORDER BY value";
  g_autoptr(Query) query =
      db_query(trail.db, sql, DB_VALUES(V_INT(known->row.number)), NULL);
  known->mentions = g_array_new(FALSE, TRUE, sizeof(Mention));
  while (query_step(query, NULL) == 1) {
    Mention mention = {.record = known->row.number};
    gconstpointer value = query_blob(query, 0, &mention.len);
    g_assert_cmpuint(mention.len, ==, TRAIL_MENTION_BYTES);
    memcpy(mention.value, value, mention.len);
    g_array_append_val(known->mentions, mention);
  }
}

/* Whether KNOWN, as it is now, is what was recorded; without the key, also whether the
 * chain goes on as it did. */
static gboolean
known_is_good(const Known *known, gboolean with_key)
{
  guint8 hash[CRYPT_SHA256_BYTES];
  g_autoptr(GArray) missing = g_array_new(FALSE, FALSE, sizeof(Place));
  g_autoptr(GError) error = NULL;
  const Field *text = &known->row.fields[FIELD_TEXT];
  chain_next(known->before, text->bytes, text->len, hash);
  gboolean good = row_check(with_key ? known->key : NULL, hash, &known->row,
                            (const Mention *) (gconstpointer) known->mentions->data,
                            known->mentions->len, missing, &error);
  if (!good)
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED);
  return good && (with_key || memcmp(hash, known->after, sizeof hash) == 0);
}

/* Calls FUNC for each record of the trail. */
static void
each_record(void (*func)(Known *known))
{
  static const char sql[] = "SELECT " ROW_COLUMNS " FROM record ORDER BY number";
  static const char start[] = "SELECT text FROM checkpoint WHERE count = 0";
  g_autoptr(Query) first = db_query(trail.db, start, DB_NO_VALUES, NULL);
  g_autoptr(Query) query = db_query(trail.db, sql, DB_NO_VALUES, NULL);
  Checkpoint point;
  gint64 count = 0;
  g_assert_cmpint(query_step(first, NULL), ==, 1);
  g_assert_true(checkpoint_parse(query_text(first, 0), &point, NULL));
  while (query_step(query, NULL) == 1) {
    Known known;
    row_read(query, &known.row);
    const Field *text = &known.row.fields[FIELD_TEXT];
    known.key = trail_keys_find(keys, (guint32) known.row.key);
    memcpy(known.before, point.hash, sizeof point.hash);
    chain_next(point.hash, text->bytes, text->len, point.hash);
    memcpy(known.after, point.hash, sizeof point.hash);
    read_mentions(&known);
    g_assert_true(known_is_good(&known, TRUE));
    g_assert_true(known_is_good(&known, FALSE));
    func(&known);
    g_assert_true(known_is_good(&known, TRUE)); /* it was put back */
    row_clear(&known.row);
    g_array_unref(known.mentions);
    count++;
  }
  g_assert_cmpint(count, ==, trail.last);
}

/* Which fields a public key is enough for: all but these two. */
static gboolean
is_open(guint field)
{
  return field != FIELD_MAC && field != FIELD_SEALED;
}

static void
assert_field_seen(const Known *known, guint field, gsize octet)
{
  if (known_is_good(known, TRUE) || (is_open(field) && known_is_good(known, FALSE)))
    g_error("record %d, field %u, octet %u: a change is not seen", (int) known->row.number,
            field, (guint) octet);
}

/* One bit of each octet, another one each time; also without the last octet, with one more,
 * and nothing at all. */
static void
change_fields(Known *known)
{
  for (guint i = 0; i < FIELD_COUNT; i++) {
    Field *field = &known->row.fields[i];
    const Field was = *field;
    for (gsize octet = 0; octet < was.len; octet++) {
      char *at = (char *) was.bytes + octet;
      char bit = (char) (1 << ((octet + (gsize) known->row.number) % 8));
      *at ^= bit;
      assert_field_seen(known, i, octet);
      *at ^= bit;
    }
    field->len = was.len - 1;
    if (was.len > 0)
      assert_field_seen(known, i, was.len);
    field->len = was.len + 1; /* a NUL is there */
    if (was.bytes != NULL)
      assert_field_seen(known, i, was.len + 1);
    *field = was.bytes != NULL ? (Field){NULL, 0} : (Field){"", 0};
    if (i != FIELD_SEALED || was.bytes == NULL) /* gone: whether rightly is seen later */
      assert_field_seen(known, i, 0);
    *field = was;
  }
}

static void
test_octets(void)
{
  each_record(change_fields);
}

static void
change_numbers(Known *known)
{
  gint64 *const numbers[] = {&known->row.number, &known->row.at_us, &known->row.nta};
  for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
    for (guint bit = 0; bit < 63; bit++) {
      *numbers[i] ^= G_GINT64_CONSTANT(1) << bit;
      g_assert_false(known_is_good(known, TRUE));
      g_assert_false(known_is_good(known, FALSE));
      *numbers[i] ^= G_GINT64_CONSTANT(1) << bit;
    }
}

static void
test_numbers(void)
{
  each_record(change_numbers);
}

/* By whom a record is found: changed, missing, one too many. */
static void
change_mentions(Known *known)
{
  const Mention more = {.record = known->row.number, .len = TRAIL_MENTION_BYTES};
  for (guint i = 0; i < known->mentions->len; i++) {
    Mention *mention = &g_array_index(known->mentions, Mention, i);
    for (guint octet = 0; octet < TRAIL_MENTION_BYTES; octet++) {
      mention->value[octet] ^= 0x10;
      g_assert_false(known_is_good(known, TRUE));
      mention->value[octet] ^= 0x10;
    }
    mention->len--;
    g_assert_false(known_is_good(known, TRUE));
    mention->len++;
    const Mention was = *mention;
    g_array_remove_index(known->mentions, i);
    g_assert_false(known_is_good(known, TRUE));
    g_array_insert_val(known->mentions, i, was);
  }
  g_array_append_val(known->mentions, more);
  g_assert_false(known_is_good(known, TRUE));
  g_array_set_size(known->mentions, known->mentions->len - 1);
}

static void
test_mentions(void)
{
  each_record(change_mentions);
}

/* ---- The chain ---- */

/* Has the tables look like SELECT, with the number in the table k for K. */
typedef struct {
  const char *name;
  const char *record;  /* what the table record looks like */
  const char *mention; /* what the table mention looks like, or NULL: as it is */
  gint64 from, until;  /* K */
  gint64 seen_at;      /* where the key sees it, from K; SOMEWHERE: not looked at */
} Tamper;

#define SOMEWHERE 1000000
#define REST      "key, at_us, nta, id, organisation, event, queue_id, reference"
#define ALL       "text, mac, sealed FROM main.record"
/* The number in the text is made to fit, too. */
#define RENUMBERED(n)                                                                      \
  "replace(text, 'record=' || number || char(10), 'record=' || (" n ") || char(10)) AS "   \
  "text,"
#define SWAPPED                                                                            \
  "CASE number WHEN (SELECT i FROM k) THEN number + 1"                                     \
  " WHEN (SELECT i + 1 FROM k) THEN number - 1 ELSE number END"
#define SHIFTED_DOWN "number - (number > (SELECT i FROM k))"
#define SHIFTED_UP   "number + (number > (SELECT i FROM k))"

/* The view reads quicker when the numbers need no sorting, so it sorts them itself. */
static const Tamper tampers[] = {
    {"removed", "SELECT number, " REST ", " ALL " WHERE number <> (SELECT i FROM k)",
     "SELECT * FROM main.mention WHERE record <> (SELECT i FROM k)", 1, EVENTS + 2, 0},
    {"removed-and-closed",
     "SELECT " SHIFTED_DOWN " AS number, " REST ", " RENUMBERED(
         SHIFTED_DOWN) " mac, sealed FROM main.record WHERE number <> (SELECT i FROM k)",
     "SELECT record - (record > (SELECT i FROM k)) AS record, value FROM main.mention"
     " WHERE record <> (SELECT i FROM k)",
     1, EVENTS + 2, 0},
    {"swapped", "SELECT " SWAPPED " AS number, " REST ", " ALL, NULL, 1, EVENTS + 2, 0},
    {"swapped-and-renumbered",
     "SELECT " SWAPPED " AS number, " REST
     ", " RENUMBERED(SWAPPED) " mac, sealed FROM main.record",
     NULL, 1, EVENTS + 2, 0},
    {"inserted",
     "SELECT " SHIFTED_UP " AS number, " REST ", " RENUMBERED(
         SHIFTED_UP) " mac, sealed FROM main.record UNION ALL SELECT number + 1, " REST
                     ", " RENUMBERED("(number + 1)") " mac, sealed FROM main.record WHERE "
                                                     "number = (SELECT i FROM k)",
     "SELECT record + (record > (SELECT i FROM k)) AS record, value FROM main.mention"
     " UNION ALL SELECT record + 1, value FROM main.mention"
     " WHERE record = (SELECT i FROM k)",
     1, EVENTS + 3, 1},
    {"key",
     "SELECT number, key + (number = (SELECT i FROM k)) AS key, at_us, nta, id,"
     " organisation, event, queue_id, reference, " ALL,
     NULL, 1, EVENTS + 3, 0},
    {"cut", "SELECT number, " REST ", " ALL " WHERE number <= (SELECT i FROM k)",
     "SELECT * FROM main.mention WHERE record <= (SELECT i FROM k)", 0, EVENTS + 2,
     SOMEWHERE},
};

/* Tables in the schema temp come before those of the file with the same name. */
static void
show(const char *table, const char *select)
{
  g_autofree char *sql = g_strdup_printf("CREATE TEMP VIEW %s AS %s", table, select);
  exec(sql);
}

static void
test_chain(gconstpointer data)
{
  const Tamper *tamper = data;
  change("CREATE TEMP TABLE k AS SELECT ?1 AS i", 0);
  show("record", tamper->record);
  if (tamper->mention != NULL)
    show("mention", tamper->mention);
  for (gint64 k = tamper->from; k <= tamper->until; k++) {
    change("UPDATE k SET i = ?1", k);
    assert_seen(tamper->seen_at == SOMEWHERE ? 0 : k + tamper->seen_at);
  }
  exec("DROP VIEW temp.record");
  if (tamper->mention != NULL)
    exec("DROP VIEW temp.mention");
  exec("DROP TABLE temp.k");
  guint64 at = 0;
  g_assert_true(is_good(TRUE, trail.checkpoint, &at));
  g_assert_true(is_good(FALSE, trail.checkpoint, &at));
}

int
main(int argc, char **argv)
{
  g_autoptr(GError) error = NULL;
  tap_init(argc, argv);
  make_trail();
  keys = trail_keys_new(trail.fixture.ring, &error);
  g_assert_no_error(error);
  g_test_add_func("/audit/tamper/octets", test_octets);
  g_test_add_func("/audit/tamper/numbers", test_numbers);
  g_test_add_func("/audit/tamper/mentions", test_mentions);
  for (guint i = 0; i < G_N_ELEMENTS(tampers); i++) {
    g_autofree char *name = g_strconcat("/audit/tamper/", tampers[i].name, NULL);
    g_test_add_data_func(name, &tampers[i], test_chain);
  }
  int status = g_test_run();
  g_ptr_array_unref(keys);
  free_trail();
  return status;
}
