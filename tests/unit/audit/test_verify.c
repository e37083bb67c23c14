/* A trail that is as it was written verifies, whatever may rightly happen to it; what was
 * changed rightly or not is told apart. */
#include "tests/unit/audit/fixture.h"
#include "tests/unit/tap.h"

#define EVENTS 40

/* What verify finds with KEYS, PUBLIC_KEY and CHECKPOINT, each of which may be NULL. */
static void
verify(Fixture *fixture, const KeyRing *keys, const guint8 *public_key,
       const char *checkpoint, VerifyResult *result)
{
  g_autoptr(GError) error = NULL;
  const char *const checkpoints[] = {checkpoint, NULL};
  const VerifyWith with = {keys, public_key, checkpoints};
  memset(result, 0x5a, sizeof *result);
  verify_trail(fixture->path, &with, result, &error);
  g_assert_no_error(error);
}

static void
assert_good(const VerifyResult *result, guint64 first, guint64 last)
{
  g_assert_cmpstr(result->what, ==, NULL);
  g_assert_true(result->good);
  g_assert_cmpuint(result->wrong_at, ==, 0);
  g_assert_cmpuint(result->first, ==, first);
  g_assert_cmpuint(result->last, ==, last);
  g_assert_cmpuint(result->proven, ==, last);
}

static void
public_key(Fixture *fixture, guint32 id, guint8 out[CHECKPOINT_PUBLIC_BYTES])
{
  g_autoptr(GError) error = NULL;
  checkpoint_public_key(fixture->ring, id, out, &error);
  g_assert_no_error(error);
}

/* Good with the key, and with the public key ID alone; both say how many were erased. */
static void
assert_both_good(Fixture *fixture, guint32 id, const char *checkpoint, guint64 first,
                 guint64 last, guint64 erased)
{
  guint8 key[CHECKPOINT_PUBLIC_BYTES];
  public_key(fixture, id, key);
  g_auto(VerifyResult) secret = {.good = FALSE}, open = {.good = FALSE};
  verify(fixture, fixture->ring, NULL, checkpoint, &secret);
  assert_good(&secret, first, last);
  g_assert_cmpuint(secret.erased, ==, erased);
  verify(fixture, NULL, key, checkpoint, &open);
  assert_good(&open, first, last);
}

/* Bad at record AT with WHAT in the text, with the key or else with public key OLD alone.
 */
static void
assert_bad(Fixture *fixture, gboolean with_key, const char *checkpoint, guint64 at,
           const char *what)
{
  guint8 key[CHECKPOINT_PUBLIC_BYTES];
  public_key(fixture, 10, key);
  g_auto(VerifyResult) result = {.good = TRUE};
  verify(fixture, with_key ? fixture->ring : NULL, with_key ? NULL : key, checkpoint,
         &result);
  g_assert_false(result.good);
  g_assert_nonnull(result.what);
  g_test_message("%s", result.what);
  g_assert_nonnull(strstr(result.what, what));
  g_assert_cmpuint(result.wrong_at, ==, at);
}

static char *
checkpoint(Fixture *fixture)
{
  g_autoptr(GError) error = NULL;
  char *text = trail_writer_checkpoint(fixture->writer, &error);
  g_assert_no_error(error);
  return text;
}

static void
test_good(Fixture *fixture, gconstpointer data)
{
  (void) data;
  assert_both_good(fixture, 10, NULL, 1, 1, 0);
  fixture_fill(fixture, EVENTS);
  assert_both_good(fixture, 10, NULL, 1, EVENTS + 1, 0);
  g_assert_true(trail_writer_needs_checkpoint(fixture->writer));
  g_autofree char *text = checkpoint(fixture);
  g_assert_false(trail_writer_needs_checkpoint(fixture->writer));
  fixture_fill(fixture, EVENTS);
  g_assert_true(trail_writer_needs_checkpoint(fixture->writer));
  assert_both_good(fixture, 10, text, 1, 2 * EVENTS + 1, 0);
  g_autofree char *again = checkpoint(fixture);
  assert_both_good(fixture, 10, text, 1, 2 * EVENTS + 1, 0);
  fixture_close(fixture);
  fixture_open(fixture);
  assert_both_good(fixture, 10, again, 1, 2 * EVENTS + 1, 0);
}

/* Each program may bring many events at once, and many times. */
static void
test_many_batches(Fixture *fixture, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < 10; i++)
    fixture_fill(fixture, 700);
  assert_both_good(fixture, 10, NULL, 1, 7001, 0);
}

static void
test_no_key(Fixture *fixture, gconstpointer data)
{
  (void) data;
  const VerifyWith with = {NULL, NULL, NULL};
  g_auto(VerifyResult) result = {.good = FALSE};
  g_autoptr(GError) error = NULL;
  g_assert_false(verify_trail(fixture->path, &with, &result, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
}

static void
test_no_trail(Fixture *fixture, gconstpointer data)
{
  (void) data;
  const VerifyWith with = {fixture->ring, NULL, NULL};
  g_auto(VerifyResult) result = {.good = FALSE};
  g_autoptr(GError) error = NULL;
  g_assert_false(verify_trail("/nowhere/audit.db", &with, &result, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
}

/* A stranger's public key, and a stranger's checkpoint. */
static void
test_other_key(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture_fill(fixture, EVENTS);
  fixture_change_key(fixture, TRUE);
  guint8 key[CHECKPOINT_PUBLIC_BYTES];
  public_key(fixture, 11, key);
  g_auto(VerifyResult) result = {.good = TRUE};
  verify(fixture, NULL, key, NULL, &result);
  g_assert_false(result.good);
  g_assert_nonnull(strstr(result.what, "not signed with this key"));
  g_assert_cmpuint(result.proven, ==, 0);
  const Checkpoint point = {.key_id = 11, .count = 1000000, .at_s = 1};
  g_autofree char *text = checkpoint_sign(&point, fixture->ring, NULL);
  assert_bad(fixture, FALSE, text, 0, "not signed with this key");
  fixture_change_key(fixture, FALSE);
  assert_bad(fixture, TRUE, text, 0, "not signed with this key");
  assert_bad(fixture, TRUE, "zegel-checkpoint 1 nonsense", 0, "is none");
}

/* ---- Keys ---- */

static void
test_rotation(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture_fill(fixture, EVENTS);
  g_autofree char *before = checkpoint(fixture);
  fixture_change_key(fixture, TRUE);
  fixture_open(fixture);
  fixture_fill(fixture, EVENTS);
  const guint64 last = 2 * EVENTS + 2;
  assert_both_good(fixture, 10, before, 1, last, 0); /* the old leads to the new */
  assert_both_good(fixture, 11, before, 1, last, 0); /* and the new vouches for the old */
  g_autofree char *after = checkpoint(fixture);
  assert_both_good(fixture, 10, after, 1, last, 0);
  assert_both_good(fixture, 11, after, 1, last, 0);
  fixture_close(fixture);
  fixture_open(fixture); /* no second change of keys */
  assert_both_good(fixture, 11, after, 1, last, 0);
}

static KeyRing *
new_key_alone(void)
{
  static const char text[] = "zegel-key 1 audit 0000000b " RING_KEY_NEW "\n";
  return keyring_parse(text, strlen(text), KEY_AUDIT, "test", NULL);
}

/* Without the old key nothing goes on, and it is said which one is missing. */
static void
test_old_key_is_gone(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) early = NULL;
  g_autoptr(KeyRing) alone = new_key_alone();
  fixture_fill(fixture, EVENTS);
  fixture_close(fixture);
  g_assert_null(trail_writer_open(fixture->path, alone, &early));
  g_assert_error(early, ZEGEL_ERROR, ZEGEL_ERROR_KEY_UNKNOWN);
  g_assert_nonnull(strstr(early->message, "0000000a"));

  fixture_change_key(fixture, TRUE);
  fixture_open(fixture);
  fixture_fill(fixture, EVENTS);
  const VerifyWith with = {alone, NULL, NULL};
  g_auto(VerifyResult) result = {.good = TRUE};
  g_autoptr(GError) error = NULL;
  g_assert_false(verify_trail(fixture->path, &with, &result, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
  g_assert_nonnull(strstr(error->message, "records from 1 on"));
  g_assert_nonnull(strstr(error->message, "0000000a"));
  g_assert_false(result.good);

  /* What is wrong is said also then. */
  fixture_sql(fixture->path, "UPDATE record SET reference = 'x' WHERE number = 60");
  g_auto(VerifyResult) wrong = {.good = TRUE};
  g_assert_true(verify_trail(fixture->path, &with, &wrong, NULL));
  g_assert_cmpuint(wrong.wrong_at, ==, 60);

  /* An erasure that would miss records is refused. */
  g_autoptr(GError) incomplete = NULL;
  guint count = 99;
  fixture_close(fixture);
  fixture->writer = trail_writer_open(fixture->path, alone, NULL);
  g_assert_nonnull(fixture->writer);
  g_assert_false(trail_writer_erase(fixture->writer, ORG, "patient-4@example.com", "beheer",
                                    &count, &incomplete));
  g_assert_error(incomplete, ZEGEL_ERROR, ZEGEL_ERROR_KEY_UNKNOWN);
  g_assert_cmpuint(count, ==, 0);
}

/* ---- Erasing ---- */

/* Adds the numbers of erased records, and all text. */
static gboolean
note(const TrailRecord *record, gpointer data, GError **error)
{
  (void) error;
  g_autofree char *text = attrs_format(record->attrs, ATTR_ESCAPED);
  g_string_append_printf(data, "%s%s", record->erased ? "GONE\n" : "", text);
  return TRUE;
}

static char *
all_text(Fixture *fixture, const TrailQuery *query)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GString) text = g_string_new("");
  g_autoptr(Trail) trail = trail_open(fixture->path, fixture->ring, &error);
  g_assert_no_error(error);
  trail_each(trail, query, note, text, &error);
  g_assert_no_error(error);
  return g_strdup(text->str);
}

static guint
erase(Fixture *fixture, const char *organisation, const char *person)
{
  g_autoptr(GError) error = NULL;
  guint count = 99;
  trail_writer_erase(fixture->writer, organisation, person, "beheer", &count, &error);
  g_assert_no_error(error);
  return count;
}

static void
test_erased(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture_fill(fixture, EVENTS);
  g_autofree char *text = checkpoint(fixture);
  /* Of 40 events, 4, 14, 24 and 34 name patient 4: two stored, two refused elsewhere. */
  g_assert_cmpuint(erase(fixture, ORG, "Patient-4@EXAMPLE.com"), ==, 2);
  const guint64 last = EVENTS + 2;
  assert_both_good(fixture, 10, text, 1, last, 2);
  g_assert_cmpuint(erase(fixture, ORG, "patient-4@example.com"), ==, 0);
  assert_both_good(fixture, 10, text, 1, last, 2);
  g_autofree char *gone = all_text(
      fixture, &(TrailQuery){.person = "patient-4@example.com", .organisation = ORG});
  g_assert_cmpstr(gone, ==, "");
  g_autofree char *stays = all_text(fixture, &(TrailQuery){.reference = "ref-4"});
  g_assert_true(g_str_has_prefix(stays, "GONE\n"));
  g_assert_nonnull(strstr(stays, "\nto=\n"));
  g_assert_nonnull(strstr(stays, "\nfrom=" DOCTOR "\n"));
  g_assert_nonnull(strstr(stays, "\nmessage-id=<message-2@linden.example>\n"));
  g_autofree char *said = all_text(fixture, &(TrailQuery){.event = "audit-erased"});
  g_assert_nonnull(strstr(said, "\nby=beheer\n"));
  g_assert_nonnull(strstr(said, "\ncount=2\n"));
  g_assert_nonnull(strstr(said, "\nplaces=6."));
  fixture_close(fixture);
  fixture_open(fixture);
  fixture_fill(fixture, EVENTS);
  assert_both_good(fixture, 10, text, 1, last + EVENTS, 2);
}

/* A sender's message goes with him; so does all that has no other's name. */
static void
test_erased_wholly(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture_fill(fixture, EVENTS);
  g_assert_cmpuint(erase(fixture, ORG, DOCTOR), ==, EVENTS / 2);
  g_assert_cmpuint(erase(fixture, ORG, "patient-0@example.com"), ==, EVENTS / 20);
  g_assert_cmpuint(erase(fixture, ORG, "patient-1@example.com"), ==, EVENTS / 20);
  assert_both_good(fixture, 10, NULL, 1, EVENTS + 4, EVENTS / 2);
  g_autofree char *stored = all_text(fixture, &(TrailQuery){.reference = "ref-0"});
  g_assert_nonnull(strstr(stored, "\nfrom=\nto=\nmessage-id=\n"));
  g_autofree char *opened = all_text(fixture, &(TrailQuery){.reference = "ref-1"});
  g_assert_nonnull(strstr(opened, "\nto=\nfor=\nclient=\n"));
}

/* Nothing of an erased value is left in the file. */
static void
test_erased_from_disk(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture_add(fixture, event_new(EVENT_OPENED, NULL, ORG, "to", PATIENT, NULL));
  g_autoptr(GError) error = NULL;
  g_autoptr(Db) db = db_open(fixture->path, DB_READER, &error);
  g_autoptr(Query) query =
      db_query(db, "SELECT sealed FROM record WHERE number = 2", DB_NO_VALUES, &error);
  g_assert_cmpint(query_step(query, &error), ==, 1);
  gsize len = 0;
  gconstpointer bytes = query_blob(query, 0, &len);
  g_autofree char *sealed = g_memdup2(bytes, len);
  g_clear_pointer(&query, query_done);
  g_clear_pointer(&db, db_close);
  g_assert_cmpuint(erase(fixture, ORG, PATIENT), ==, 1);
  for (guint i = 0; i < 2; i++) {
    g_autofree char *path = g_strconcat(fixture->path, i == 0 ? "" : "-wal", NULL);
    g_autofree char *file = NULL;
    gsize file_len = 0;
    g_assert_true(g_file_get_contents(path, &file, &file_len, NULL));
    g_assert_null(memmem(file, file_len, sealed, len));
  }
}

/* More places than one record names. */
static void
test_erased_much(Fixture *fixture, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < 10; i++)
    fixture_fill(fixture, 500);
  g_assert_cmpuint(erase(fixture, ORG, DOCTOR), ==, 2500);
  g_autofree char *said = all_text(fixture, &(TrailQuery){.event = "audit-erased"});
  g_assert_nonnull(strstr(strstr(said, "event=audit-erased") + 1, "event=audit-erased"));
  guint64 last = 5001 + 3;
  assert_both_good(fixture, 10, NULL, 1, last, 2500);
}

/* Who has the file and no key can take values out, but not unseen. */
static void
test_erased_unlawfully(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture_fill(fixture, EVENTS);
  g_assert_cmpuint(erase(fixture, ORG, "patient-4@example.com"), ==, 2);
  fixture_sql(fixture->path, "UPDATE record SET sealed = NULL WHERE number = 10");
  assert_bad(fixture, FALSE, NULL, 10, "no record says so");
  fixture_sql(fixture->path, "DELETE FROM mention WHERE record = 10");
  assert_bad(fixture, TRUE, NULL, 10, "no record says so");
}

/* In a record of which one value was erased, the others may not go. */
static void
test_erased_too_much(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture_fill(fixture, EVENTS);
  g_assert_cmpuint(erase(fixture, ORG, "patient-4@example.com"), ==, 2);
  fixture_sql(fixture->path, "UPDATE record SET sealed = NULL WHERE number = 6;"
                             "DELETE FROM mention WHERE record = 6");
  assert_bad(fixture, TRUE, NULL, 6, "no record says so");
  assert_bad(fixture, FALSE, NULL, 6, "no record says so");
}

/* An erased value that somebody puts back from a copy is seen with the key. */
static void
test_erased_and_back(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture_fill(fixture, EVENTS);
  fixture_sql(fixture->path, "CREATE TEMP TABLE x (y)"); /* the file is there */
  g_autofree char *copy = g_strconcat(fixture->path, ".copy", NULL);
  g_autofree char *save = g_strdup_printf("VACUUM INTO '%s'", copy);
  fixture_sql(fixture->path, save);
  g_assert_cmpuint(erase(fixture, ORG, "patient-4@example.com"), ==, 2);
  g_autofree char *back = g_strdup_printf(
      "ATTACH '%s' AS old;"
      "UPDATE record SET sealed = (SELECT sealed FROM old.record o WHERE o.number = 6)"
      " WHERE number = 6;"
      "INSERT OR IGNORE INTO mention SELECT * FROM old.mention WHERE record = 6",
      copy);
  fixture_sql(fixture->path, back);
  assert_bad(fixture, TRUE, NULL, 6, "though it was erased");
}

/* What a program says of an erasure does not count. */
static void
test_erased_by_word(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture_fill(fixture, EVENTS);
  fixture_add(fixture, event_new(EVENT_AUDIT_ERASED, NULL, ORG, "places",
                                 "6.12;6.13;6.14;6.15", "source", TRAIL_OWN_SOURCE, NULL));
  fixture_add(fixture, event_new(EVENT_AUDIT_EXPIRED, NULL, NULL, "through", "3", NULL));
  fixture_add(fixture, event_new(EVENT_AUDIT_KEY, NULL, NULL, "key", "00000001", NULL));
  assert_both_good(fixture, 10, NULL, 1, EVENTS + 4, 0);
  fixture_sql(fixture->path, "UPDATE record SET sealed = NULL WHERE number = 6;"
                             "DELETE FROM mention WHERE record = 6");
  assert_bad(fixture, TRUE, NULL, 6, "no record says so");
}

/* ---- Expiry ---- */

/* Signs the end anew, for the checkpoints that are there: as only the key's holder can. */
static void
sign_end(Fixture *fixture)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) keys = trail_keys_new(fixture->ring, &error);
  g_autoptr(Db) db = db_open(fixture->path, DB_WRITER, &error);
  g_autoptr(Query) tail = db_query(db, "SELECT text FROM tail", DB_NO_VALUES, &error);
  TrailEnd end;
  g_assert_cmpint(query_step(tail, &error), ==, 1);
  g_assert_true(end_parse(query_text(tail, 0), &end, &error));
  g_clear_pointer(&tail, query_done);
  g_assert_true(hash_checkpoints(db, end.checkpoints, &error));
  const TrailKey *key = trail_keys_find(keys, end.point.key_id);
  g_autofree char *text = end_format(&end, key->signer, &error);
  db_run(db, "UPDATE tail SET text = ?1", DB_VALUES(V_TEXT(text)), &error);
  g_assert_no_error(error);
}

/* Makes all checkpoints that are there DAYS older than they are, as if time had passed. */
static void
age(Fixture *fixture, guint days)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) keys = trail_keys_new(fixture->ring, &error);
  g_autoptr(GArray) points = g_array_new(FALSE, FALSE, sizeof(Checkpoint));
  fixture_close(fixture);
  g_autoptr(Db) db = db_open(fixture->path, DB_WRITER, &error);
  g_autoptr(Query) query =
      db_query(db, "SELECT text FROM checkpoint", DB_NO_VALUES, &error);
  while (query_step(query, &error) == 1) {
    Checkpoint point;
    g_assert_true(checkpoint_parse(query_text(query, 0), &point, &error));
    point.at_s -= days * (gint64) 86400;
    g_array_append_val(points, point);
  }
  g_clear_pointer(&query, query_done);
  for (guint i = 0; i < points->len; i++) {
    const Checkpoint *point = &g_array_index(points, Checkpoint, i);
    const TrailKey *key = trail_keys_find(keys, point->key_id);
    g_autofree char *text = checkpoint_format(point, key->signer, &error);
    db_run(db, "UPDATE checkpoint SET text = ?1 WHERE count = ?2 AND key = ?3",
           DB_VALUES(V_TEXT(text), V_INT((gint64) point->count), V_INT(point->key_id)),
           &error);
    g_assert_no_error(error);
  }
  g_clear_pointer(&db, db_close);
  sign_end(fixture);
  fixture_open(fixture);
}

static guint
expire(Fixture *fixture, gint64 days_ago)
{
  g_autoptr(GError) error = NULL;
  guint count = 99;
  gint64 before = g_get_real_time() - days_ago * 86400 * G_USEC_PER_SEC;
  trail_writer_expire(fixture->writer, before, &count, &error);
  g_assert_no_error(error);
  return count;
}

/* A year goes by, with events and a checkpoint at its end. */
static char *
live_a_year(Fixture *fixture)
{
  fixture_fill(fixture, EVENTS);
  char *text = checkpoint(fixture);
  age(fixture, 365);
  return text;
}

static void
test_expired(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_assert_cmpuint(expire(fixture, 0), ==, 0);
  g_autofree char *first = live_a_year(fixture);
  g_autofree char *second = live_a_year(fixture);
  g_autofree char *third = live_a_year(fixture);
  const guint64 last = 3 * EVENTS + 1;
  assert_both_good(fixture, 10, NULL, 1, last, 0);
  g_assert_cmpuint(expire(fixture, 4 * 365), ==, 0);
  assert_both_good(fixture, 10, NULL, 1, last, 0);
  g_assert_cmpuint(expire(fixture, 800), ==, EVENTS + 1);
  assert_both_good(fixture, 10, first, EVENTS + 2, last + 1, 0);
  g_assert_cmpuint(expire(fixture, 800), ==, 0);
  g_autofree char *said = all_text(fixture, &(TrailQuery){.event = "audit-expired"});
  g_assert_nonnull(strstr(said, "\nthrough=41\n"));
  g_assert_nonnull(strstr(said, "\ncount=41\n"));
  fixture_close(fixture);
  fixture_open(fixture);
  fixture_fill(fixture, EVENTS);
  g_assert_cmpuint(expire(fixture, 400), ==, EVENTS);
  assert_both_good(fixture, 10, NULL, 2 * EVENTS + 2, last + EVENTS + 2, 0);
  g_assert_cmpuint(expire(fixture, 300), ==, EVENTS);
  assert_both_good(fixture, 10, third, 3 * EVENTS + 2, last + EVENTS + 3, 0);
}

static void
test_expired_and_erased(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture_fill(fixture, EVENTS);
  g_assert_cmpuint(erase(fixture, ORG, DOCTOR), ==, EVENTS / 2);
  g_autofree char *first = live_a_year(fixture);
  g_autofree char *second = live_a_year(fixture);
  g_assert_cmpuint(erase(fixture, ORG, "patient-4@example.com"), ==, 6);
  g_assert_cmpuint(expire(fixture, 400), ==, 2 * EVENTS + 2);
  assert_both_good(fixture, 10, NULL, 2 * EVENTS + 3, 3 * EVENTS + 4, 2);
}

/* Also when the key changed in between: the beginning is under the one that followed. */
static void
test_expired_and_rotated(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autofree char *first = live_a_year(fixture);
  fixture_change_key(fixture, TRUE);
  fixture_open(fixture);
  age(fixture, 365);
  fixture_fill(fixture, EVENTS);
  assert_both_good(fixture, 10, first, 1, 2 * EVENTS + 2, 0);
  g_assert_cmpuint(expire(fixture, 300), ==, EVENTS + 2);
  assert_both_good(fixture, 11, NULL, EVENTS + 3, 2 * EVENTS + 3, 0);
  fixture_close(fixture);
  fixture_open(fixture);
  g_autoptr(KeyRing) alone = new_key_alone();
  g_auto(VerifyResult) result = {.good = FALSE};
  verify(fixture, alone, NULL, NULL, &result); /* nothing needs the old key any more */
  assert_good(&result, EVENTS + 3, 2 * EVENTS + 3);
}

/* A clock that was wrong for a while does not make the trail go. */
static void
test_expired_by_clock(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture_fill(fixture, EVENTS);
  g_autofree char *first = checkpoint(fixture);
  fixture_change_key(fixture, TRUE); /* so that the checkpoint of today stays */
  fixture_open(fixture);
  fixture_fill(fixture, EVENTS);
  g_autofree char *second = checkpoint(fixture);
  g_autoptr(GError) error = NULL;
  g_autoptr(Db) db = db_open(fixture->path, DB_WRITER, &error);
  Checkpoint point;
  g_assert_true(checkpoint_parse(second, &point, &error));
  point.at_s = 1000;
  g_autofree char *old = checkpoint_sign(&point, fixture->ring, &error);
  g_assert_true(db_run(db, "UPDATE checkpoint SET text = ?1 WHERE count = ?2",
                       DB_VALUES(V_TEXT(old), V_INT((gint64) point.count)), &error));
  g_assert_cmpuint(expire(fixture, 365), ==, 0);
}

/* Who cuts off the beginning leaves a trail that does not say so. */
static void
test_expired_unlawfully(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autofree char *first = live_a_year(fixture);
  g_autofree char *second = live_a_year(fixture);
  fixture_sql(fixture->path, "DELETE FROM record WHERE number <= 41;"
                             "DELETE FROM mention WHERE record <= 41;"
                             "DELETE FROM checkpoint WHERE count < 41");
  assert_bad(fixture, TRUE, NULL, 0, "checkpoints");
  assert_bad(fixture, FALSE, NULL, 0, "checkpoints");
}

/* Even with the key: a beginning that is not the first record must be said in a record. */
static void
test_expired_by_hand(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autofree char *first = live_a_year(fixture);
  g_autofree char *second = live_a_year(fixture);
  fixture_sql(fixture->path, "DELETE FROM record WHERE number <= 41;"
                             "DELETE FROM mention WHERE record <= 41;"
                             "DELETE FROM checkpoint WHERE count < 41");
  sign_end(fixture);
  assert_bad(fixture, TRUE, NULL, 41, "no record says so");
  assert_bad(fixture, FALSE, NULL, 41, "no record says so");
}

/* ---- The tail ---- */

/* With a checkpoint from outside even an older copy of the whole file shows. */
static void
test_rolled_back(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autofree char *copy = g_strconcat(fixture->path, ".copy", NULL);
  g_autofree char *save = g_strdup_printf("VACUUM INTO '%s'", copy);
  fixture_fill(fixture, EVENTS);
  fixture_sql(fixture->path, save);
  fixture_fill(fixture, EVENTS);
  g_autofree char *text = checkpoint(fixture);
  fixture_close(fixture);
  g_free(fixture->path);
  fixture->path = g_steal_pointer(&copy);
  assert_both_good(fixture, 10, NULL, 1, EVENTS + 1, 0); /* it cannot know by itself */
  assert_bad(fixture, TRUE, text, EVENTS + 2, "once had 81");
  assert_bad(fixture, FALSE, text, EVENTS + 2, "once had 81");
}

/* The holder of the key can write another history, but not that of a checkpoint outside. */
static void
test_rewritten(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture_fill(fixture, EVENTS);
  g_autofree char *text = checkpoint(fixture);
  fixture_close(fixture);
  g_free(fixture->path);
  fixture->path = g_build_filename(fixture->directory, "other.db", NULL);
  fixture_open(fixture);
  fixture_fill(fixture, EVENTS);
  assert_both_good(fixture, 10, NULL, 1, EVENTS + 1, 0);
  assert_bad(fixture, TRUE, text, 1, "not what was signed");
  assert_bad(fixture, FALSE, text, 1, "not what was signed");
}

/* ---- The file ---- */

#define PAGE_BYTES       4096
#define LEAF_OF_AN_INDEX 0x0a /* first octet of a page; sqlite.org, fileformat2 1.6 */

/* Changes one octet of REFERENCE where an index has it, in the file at PATH. */
static void
damage_index(const char *path, const char *reference)
{
  g_autofree char *bytes = NULL;
  gsize len = 0;
  guint changed = 0;
  g_assert_true(g_file_get_contents(path, &bytes, &len, NULL));
  for (gsize page = 0; page + PAGE_BYTES <= len; page += PAGE_BYTES) {
    char *at = memmem(bytes + page, PAGE_BYTES, reference, strlen(reference));
    if (bytes[page] != LEAF_OF_AN_INDEX || at == NULL)
      continue;
    *at ^= 1;
    changed++;
  }
  g_assert_cmpuint(changed, ==, 1);
  g_assert_true(g_file_set_contents(path, bytes, (gssize) len, NULL));
}

/* An index that leads past a record hides it from whoever asks for it. */
static void
test_hidden(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture_fill(fixture, EVENTS);
  fixture_close(fixture);
  g_autofree char *copy = g_strconcat(fixture->path, ".copy", NULL);
  g_autofree char *save = g_strdup_printf("VACUUM INTO '%s'", copy);
  fixture_sql(fixture->path, save);
  g_free(fixture->path);
  fixture->path = g_steal_pointer(&copy);
  g_autofree char *before = all_text(fixture, &(TrailQuery){.reference = "ref-17"});
  g_assert_cmpstr(before, !=, "");
  assert_both_good(fixture, 10, NULL, 1, EVENTS + 1, 0);
  damage_index(fixture->path, "ref-17");
  g_autofree char *after = all_text(fixture, &(TrailQuery){.reference = "ref-17"});
  g_assert_cmpstr(after, ==, "");
  assert_bad(fixture, TRUE, NULL, 0, "damaged");
  assert_bad(fixture, FALSE, NULL, 0, "damaged");
}

/* A file that is cut off is no reason to say that nothing can be said. */
static void
test_torn(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture_fill(fixture, 10 * EVENTS);
  fixture_close(fixture);
  g_autofree char *copy = g_strconcat(fixture->path, ".copy", NULL);
  g_autofree char *save = g_strdup_printf("VACUUM INTO '%s'", copy);
  fixture_sql(fixture->path, save);
  g_free(fixture->path);
  fixture->path = g_steal_pointer(&copy);
  g_autofree char *bytes = NULL;
  gsize len = 0;
  g_assert_true(g_file_get_contents(fixture->path, &bytes, &len, NULL));
  memset(bytes + len / 2, 0, 4 * PAGE_BYTES);
  g_assert_true(g_file_set_contents(fixture->path, bytes, (gssize) len, NULL));
  guint8 key[CHECKPOINT_PUBLIC_BYTES];
  public_key(fixture, 10, key);
  g_auto(VerifyResult) result = {.good = TRUE};
  verify(fixture, NULL, key, NULL, &result);
  g_assert_false(result.good);
  g_assert_nonnull(result.what);
}

/* ---- Writing on ---- */

static void
test_not_written_on(Fixture *fixture, gconstpointer data)
{
  (void) data;
  static const char *const tampers[] = {
      "DELETE FROM record WHERE number = (SELECT max(number) FROM record)",
      "DELETE FROM tail",
      "DELETE FROM checkpoint WHERE count = 0",
      "UPDATE record SET mac = zeroblob(32) WHERE number = 5",
      "UPDATE record SET text = text || 'x' WHERE number = 7",
      "UPDATE tail SET text = replace(text, ' 0000000a ', ' 0000000b ')",
      "UPDATE checkpoint SET text = replace(text, '0', '1')",
  };
  fixture_fill(fixture, EVENTS);
  fixture_close(fixture);
  for (guint i = 0; i < G_N_ELEMENTS(tampers); i++) {
    g_autofree char *copy = g_strdup_printf("%s.%u", fixture->path, i);
    g_autofree char *save = g_strdup_printf("VACUUM INTO '%s'", copy);
    fixture_sql(fixture->path, save);
    fixture_sql(copy, tampers[i]);
    g_autoptr(GError) error = NULL;
    g_test_message("%s", tampers[i]);
    g_assert_null(trail_writer_open(copy, fixture->ring, &error));
    g_test_message("%s", error->message);
    g_assert_true(g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED) ||
                  g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_KEY_UNKNOWN));
  }
}

/* Two writers would tear the chain: the second notices. */
static void
test_two_writers(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  g_autoptr(TrailWriter) other = trail_writer_open(fixture->path, fixture->ring, &error);
  g_assert_no_error(error);
  fixture_fill(fixture, EVENTS);
  g_autoptr(Event) event = fixture_event(1);
  const TrailEntry entry = {event, SOURCE};
  g_assert_false(trail_writer_append(other, &entry, 1, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED);
  assert_both_good(fixture, 10, NULL, 1, EVENTS + 1, 0);
  g_assert_true(trail_writer_append(other, &entry, 1, NULL)); /* it looked again */
  assert_both_good(fixture, 10, NULL, 1, EVENTS + 2, 0);
}

#define ADD(name, func)                                                                    \
  g_test_add("/audit/verify/" name, Fixture, NULL, fixture_setup, func, fixture_teardown)

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  ADD("good", test_good);
  ADD("many-batches", test_many_batches);
  ADD("no-key", test_no_key);
  ADD("no-trail", test_no_trail);
  ADD("other-key", test_other_key);
  ADD("rotation", test_rotation);
  ADD("old-key-is-gone", test_old_key_is_gone);
  ADD("erased", test_erased);
  ADD("erased-wholly", test_erased_wholly);
  ADD("erased-from-disk", test_erased_from_disk);
  ADD("erased-much", test_erased_much);
  ADD("erased-unlawfully", test_erased_unlawfully);
  ADD("erased-too-much", test_erased_too_much);
  ADD("erased-and-back", test_erased_and_back);
  ADD("erased-by-word", test_erased_by_word);
  ADD("expired", test_expired);
  ADD("expired-and-erased", test_expired_and_erased);
  ADD("expired-and-rotated", test_expired_and_rotated);
  ADD("expired-by-clock", test_expired_by_clock);
  ADD("expired-unlawfully", test_expired_unlawfully);
  ADD("expired-by-hand", test_expired_by_hand);
  ADD("hidden", test_hidden);
  ADD("torn", test_torn);
  ADD("rolled-back", test_rolled_back);
  ADD("rewritten", test_rewritten);
  ADD("not-written-on", test_not_written_on);
  ADD("two-writers", test_two_writers);
  return g_test_run();
}
