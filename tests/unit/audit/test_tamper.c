/*
 * Nothing in a chain of a thousand events changes without being seen: every octet of every
 * column, every record removed, inserted, swapped with its neighbour, and every cut of the
 * tail; with the key, and where it says so with the public key alone.
 */
#include "config.h"
#include "tests/unit/audit/fixture.h"
#include "tests/unit/tap.h"

#ifdef ZEGEL_SANITIZERS /* slow; what they look for shows with few records as well */
#define EVENTS 120
#define MIDDLE "61"  /* where the second key begins */
#define LAST   "123" /* two keys, one erasure */
#define BEHIND "124"
#else
#define EVENTS 1000
#define MIDDLE "501"
#define LAST   "1003"
#define BEHIND "1004"
#endif

/* One trail for all tests, with a change of keys, an erasure and two kept checkpoints. */
typedef struct {
  Fixture fixture;
  Db *db; /* on which tests change what they like, and undo it */
  guint8 public_key[CHECKPOINT_PUBLIC_BYTES];
  char *checkpoint; /* kept outside, of the end */
  gint64 last;
} OneTrail;

static OneTrail trail;

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

/* What was changed must be seen, with the key at K where that is not 0. */
static void
assert_seen_with_key(gint64 k)
{
  guint64 at = 0;
  g_assert_false(is_good(TRUE, NULL, &at));
  if (k > 0)
    g_assert_cmpuint(at, ==, k);
}

static void
assert_seen_in_public(void)
{
  guint64 at = 0;
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
  gint64 public_each; /* how often the public key alone is tried: where the same check finds
                         it, not each time */
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
     "SELECT * FROM main.mention WHERE record <> (SELECT i FROM k)", 1, EVENTS + 2, 0, 10},
    {"removed-and-closed",
     "SELECT " SHIFTED_DOWN " AS number, " REST ", " RENUMBERED(
         SHIFTED_DOWN) " mac, sealed FROM main.record WHERE number <> (SELECT i FROM k)",
     "SELECT record - (record > (SELECT i FROM k)) AS record, value FROM main.mention"
     " WHERE record <> (SELECT i FROM k)",
     1, EVENTS + 2, 0, 1},
    {"swapped", "SELECT " SWAPPED " AS number, " REST ", " ALL, NULL, 1, EVENTS + 2, 0, 10},
    {"swapped-and-renumbered",
     "SELECT " SWAPPED " AS number, " REST
     ", " RENUMBERED(SWAPPED) " mac, sealed FROM main.record",
     NULL, 1, EVENTS + 2, 0, 1},
    {"inserted",
     "SELECT " SHIFTED_UP " AS number, " REST ", " RENUMBERED(
         SHIFTED_UP) " mac, sealed FROM main.record UNION ALL SELECT number + 1, " REST
                     ", " RENUMBERED("(number + 1)") " mac, sealed FROM main.record WHERE "
                                                     "number = (SELECT i FROM k)",
     "SELECT record + (record > (SELECT i FROM k)) AS record, value FROM main.mention"
     " UNION ALL SELECT record + 1, value FROM main.mention"
     " WHERE record = (SELECT i FROM k)",
     1, EVENTS + 3, 1, 1},
    {"key",
     "SELECT number, key + (number = (SELECT i FROM k)) AS key, at_us, nta, id,"
     " organisation, event, queue_id, reference, " ALL,
     NULL, 1, EVENTS + 3, 0, 10},
    {"cut", "SELECT number, " REST ", " ALL " WHERE number <= (SELECT i FROM k)",
     "SELECT * FROM main.mention WHERE record <= (SELECT i FROM k)", 0, EVENTS + 2,
     SOMEWHERE, 1},
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
    assert_seen_with_key(tamper->seen_at == SOMEWHERE ? 0 : k + tamper->seen_at);
    if (k % tamper->public_each == 0)
      assert_seen_in_public();
  }
  exec("DROP VIEW temp.record");
  if (tamper->mention != NULL)
    exec("DROP VIEW temp.mention");
  exec("DROP TABLE temp.k");
  guint64 at = 0;
  g_assert_true(is_good(TRUE, trail.checkpoint, &at));
  g_assert_true(is_good(FALSE, trail.checkpoint, &at));
}

/* ---- The tail ---- */

/* Cut to K records with the checkpoints that were kept by then, and with the end of then:
 * as if the whole file were of that day. Only who has a checkpoint of later sees that. */
static void
test_rolled_back(void)
{
  g_autoptr(GError) error = NULL;
  change("CREATE TEMP TABLE k AS SELECT ?1 AS i", 0);
  show("record", "SELECT * FROM main.record WHERE number <= (SELECT i FROM k)");
  show("mention", "SELECT * FROM main.mention WHERE record <= (SELECT i FROM k)");
  show("checkpoint", "SELECT * FROM main.checkpoint WHERE count <= (SELECT i FROM k)");
  exec("CREATE TEMP TABLE tail AS SELECT * FROM main.tail");
  g_autoptr(Query) first = db_query(
      trail.db, "SELECT text FROM main.checkpoint WHERE count = 0", DB_NO_VALUES, NULL);
  g_autoptr(Query) query =
      db_query(trail.db, "SELECT number, key, text FROM main.record ORDER BY number",
               DB_NO_VALUES, NULL);
  TrailEnd end;
  g_assert_cmpint(query_step(first, NULL), ==, 1);
  g_assert_true(checkpoint_parse(query_text(first, 0), &end.point, NULL));
  g_clear_pointer(&first, query_done);
  guint tried = 0;
  while (query_step(query, NULL) == 1 && query_int(query, 0) < trail.last - 1) {
    guint64 at = 0;
    const char *text = query_text(query, 2);
    chain_next(end.point.hash, text, strlen(text), end.point.hash);
    end.point.count++;
    if (query_int(query, 0) % 5 != 0)
      continue;
    end.point.key_id = (guint32) query_int(query, 1);
    change("UPDATE k SET i = ?1", (gint64) end.point.count);
    g_assert_true(hash_checkpoints(trail.db, end.checkpoints, &error));
    g_autofree char *line =
        end_format(&end, trail_keys_find(keys, end.point.key_id)->signer, &error);
    db_run(trail.db, "UPDATE temp.tail SET text = ?1", DB_VALUES(V_TEXT(line)), &error);
    g_assert_no_error(error);
    g_assert_false(is_good(TRUE, trail.checkpoint, &at));
    g_assert_cmpuint(at, ==, end.point.count + 1);
    g_assert_false(is_good(FALSE, trail.checkpoint, &at));
    tried++;
  }
  g_assert_cmpuint(tried, ==, EVENTS / 5);
  g_clear_pointer(&query, query_done);
  exec("DROP TABLE temp.tail; DROP VIEW temp.record; DROP VIEW temp.mention;"
       "DROP VIEW temp.checkpoint; DROP TABLE temp.k");
}

/* ---- Signed lines ---- */

/* Changes each octet of the text that SQL gives, which UPDATE puts back for ?1. */
static void
change_line(const char *sql, const char *update)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Query) query = db_query(trail.db, sql, DB_NO_VALUES, &error);
  g_assert_cmpint(query_step(query, &error), ==, 1);
  g_autofree char *text = g_strdup(query_text(query, 0));
  g_clear_pointer(&query, query_done);
  gsize len = strlen(text);
  for (gsize i = 0; i <= len; i++) {
    char was = text[i];
    text[i] ^= 1;
    if (i == len)
      text[i] = 'x';
    g_autofree char *changed = g_strndup(text, len + 1);
    exec("BEGIN");
    db_run(trail.db, update, DB_VALUES(V_TEXT(changed)), &error);
    g_assert_no_error(error);
    assert_seen_with_key(0);
    assert_seen_in_public();
    exec("ROLLBACK");
    text[i] = was;
  }
}

static void
test_end_octets(void)
{
  change_line("SELECT text FROM tail", "UPDATE tail SET text = ?1");
}

static void
test_checkpoint_octets(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Query) query =
      db_query(trail.db, "SELECT count, key FROM checkpoint", DB_NO_VALUES, &error);
  guint rows = 0;
  for (; query_step(query, &error) == 1; rows++) {
    g_autofree char *where = g_strdup_printf(
        "count = %d AND key = %d", (int) query_int(query, 0), (int) query_int(query, 1));
    g_autofree char *sql = g_strdup_printf("SELECT text FROM checkpoint WHERE %s", where);
    g_autofree char *update =
        g_strdup_printf("UPDATE checkpoint SET text = ?1 WHERE %s", where);
    change_line(g_intern_string(sql), g_intern_string(update));
  }
  g_assert_cmpuint(rows, ==, 4); /* the first, one by hand, one at the change, the last */
}

/* Whatever else can be done to the tables. */
static void
test_statements(void)
{
  static const char *const statements[] = {
      "DELETE FROM tail",
      "DELETE FROM checkpoint",
      "DELETE FROM checkpoint WHERE count = 0",
      "DELETE FROM checkpoint WHERE count = " MIDDLE,
      "DELETE FROM checkpoint WHERE count = " MIDDLE " + 1",
      "DELETE FROM checkpoint WHERE count = " LAST,
      "UPDATE checkpoint SET count = count - 1 WHERE count = " MIDDLE,
      "UPDATE checkpoint SET key = 12 WHERE count = " MIDDLE,
      "INSERT INTO checkpoint SELECT count - 1, key, text FROM checkpoint WHERE count "
      "= " MIDDLE,
      "UPDATE checkpoint SET text = (SELECT text FROM checkpoint WHERE count = 0)"
      " WHERE count = " MIDDLE,
      "DELETE FROM record",
      "DELETE FROM record WHERE number <= " MIDDLE,
      "DELETE FROM record WHERE number <= " MIDDLE
      "; DELETE FROM mention WHERE record <= " MIDDLE ";"
      " DELETE FROM checkpoint WHERE count < " MIDDLE,
      "DELETE FROM record WHERE number > " MIDDLE
      "; DELETE FROM mention WHERE record > " MIDDLE ";"
      " DELETE FROM checkpoint WHERE count > " MIDDLE,
      "UPDATE record SET number = number - 1",
      "UPDATE record SET number = 0 WHERE number = 1",
      "UPDATE record SET number = -1 WHERE number = 1",
      "UPDATE record SET number = 9000000000000000000 WHERE number = " LAST,
      "CREATE TABLE more (x)",
      "CREATE VIEW more AS SELECT 1",
      "DROP INDEX record_reference",
      "CREATE TRIGGER more AFTER INSERT ON record BEGIN DELETE FROM mention; END",
      "ALTER TABLE record ADD COLUMN more TEXT",
      "ALTER TABLE record RENAME COLUMN mac TO x; ALTER TABLE record RENAME COLUMN x TO "
      "mac;"
      " CREATE INDEX more ON record (mac)",
  };
  for (guint i = 0; i < G_N_ELEMENTS(statements); i++) {
    exec("BEGIN");
    exec(statements[i]);
    g_test_message("%s", statements[i]);
    assert_seen_with_key(0);
    assert_seen_in_public();
    exec("ROLLBACK");
  }
}

/* What only the key sees. */
static void
test_statements_with_key(void)
{
  static const char *const statements[] = {
      "DELETE FROM mention",
      "DELETE FROM mention WHERE record = 2",
      "DELETE FROM mention WHERE record = " LAST,
      "INSERT INTO mention VALUES (2, zeroblob(16))",
      "INSERT INTO mention VALUES (0, zeroblob(16))",
      "INSERT INTO mention VALUES (-1, zeroblob(16))",
      "INSERT INTO mention VALUES (" BEHIND ", zeroblob(16))",
      "INSERT INTO mention VALUES (2, x'')",
      "UPDATE mention SET record = 5 WHERE record = 2",
  };
  for (guint i = 0; i < G_N_ELEMENTS(statements); i++) {
    exec("BEGIN");
    exec(statements[i]);
    g_test_message("%s", statements[i]);
    assert_seen_with_key(0);
    exec("ROLLBACK");
  }
}

/* What is sealed is taken away, from each record that has some. */
static void
test_erased(void)
{
  static const char has[] = "SELECT number FROM main.record WHERE sealed IS NOT NULL";
  g_autoptr(Query) query = db_query(trail.db, has, DB_NO_VALUES, NULL);
  g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(gint64));
  while (query_step(query, NULL) == 1) {
    gint64 number = query_int(query, 0);
    g_array_append_val(numbers, number);
  }
  g_assert_cmpuint(numbers->len, >, EVENTS / 2);
  g_clear_pointer(&query, query_done);
  for (guint i = 0; i < numbers->len; i++) {
    gint64 number = g_array_index(numbers, gint64, i);
    exec("BEGIN");
    change("UPDATE record SET sealed = NULL WHERE number = ?1", number);
    change("DELETE FROM mention WHERE record = ?1", number);
    assert_seen_with_key(number);
    if (i % 10 == 0)
      assert_seen_in_public();
    exec("ROLLBACK");
  }
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
  g_test_add_func("/audit/tamper/rolled-back", test_rolled_back);
  g_test_add_func("/audit/tamper/end-octets", test_end_octets);
  g_test_add_func("/audit/tamper/checkpoint-octets", test_checkpoint_octets);
  g_test_add_func("/audit/tamper/statements", test_statements);
  g_test_add_func("/audit/tamper/statements-with-key", test_statements_with_key);
  g_test_add_func("/audit/tamper/erased", test_erased);
  int status = g_test_run();
  g_ptr_array_unref(keys);
  free_trail();
  return status;
}
