/* What may be taken out of a trail is taken out wholly, and verifies; what is taken out by
 * others is seen. */
#include "tests/unit/audit/proof.h"
#include "tests/unit/tap.h"

/* ---- Erasing ---- */

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
  g_free(live_a_year(fixture));
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
  g_free(live_a_year(fixture));
  g_free(live_a_year(fixture));
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

/* Gives the newest checkpoint the time AT_S. */
static void
date_checkpoint(Fixture *fixture, gint64 at_s)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Db) db = db_open(fixture->path, DB_WRITER, &error);
  g_autoptr(Query) query = db_query(
      db, "SELECT text FROM checkpoint ORDER BY count DESC LIMIT 1", DB_NO_VALUES, &error);
  Checkpoint point;
  g_assert_cmpint(query_step(query, &error), ==, 1);
  g_assert_true(checkpoint_parse(query_text(query, 0), &point, &error));
  g_clear_pointer(&query, query_done);
  point.at_s = at_s;
  g_autofree char *text = checkpoint_sign(&point, fixture->ring, &error);
  g_assert_true(db_run(db, "UPDATE checkpoint SET text = ?1 WHERE count = ?2",
                       DB_VALUES(V_TEXT(text), V_INT((gint64) point.count)), &error));
  g_clear_pointer(&db, db_close);
  sign_end(fixture);
}

/* The last checkpoint of the old key is no beginning: what follows is under the new one. */
static void
test_expired_to_the_old_key(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_free(live_a_year(fixture));
  fixture_change_key(fixture, TRUE);
  fixture_open(fixture);
  fixture_fill(fixture, EVENTS);
  g_free(checkpoint(fixture));
  age(fixture, 365);
  fixture_close(fixture);
  date_checkpoint(fixture, g_get_real_time() / G_USEC_PER_SEC);
  fixture_open(fixture);
  g_assert_cmpuint(expire(fixture, 300), ==, EVENTS + 1);
  assert_both_good(fixture, 10, NULL, EVENTS + 2, 2 * EVENTS + 3, 0);
}

/* A clock that was wrong for a while does not make the trail go. */
static void
test_expired_by_clock(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture_fill(fixture, EVENTS);
  g_free(checkpoint(fixture));
  fixture_change_key(fixture, TRUE); /* so that the checkpoint of today stays */
  fixture_open(fixture);
  fixture_fill(fixture, EVENTS);
  g_free(checkpoint(fixture));
  fixture_close(fixture);
  date_checkpoint(fixture, 1000);
  fixture_open(fixture);
  g_assert_cmpuint(expire(fixture, 365), ==, 0);
}

/* Who cuts off the beginning leaves a trail that does not say so. */
static void
test_expired_unlawfully(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_free(live_a_year(fixture));
  g_free(live_a_year(fixture));
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
  g_free(live_a_year(fixture));
  g_free(live_a_year(fixture));
  fixture_sql(fixture->path, "DELETE FROM record WHERE number <= 41;"
                             "DELETE FROM mention WHERE record <= 41;"
                             "DELETE FROM checkpoint WHERE count < 41");
  sign_end(fixture);
  assert_bad(fixture, TRUE, NULL, 41, "no record says so");
  assert_bad(fixture, FALSE, NULL, 41, "no record says so");
}

#define ADD(name, func)                                                                    \
  g_test_add("/audit/change/" name, Fixture, NULL, fixture_setup, func, fixture_teardown)

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
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
  ADD("expired-to-the-old-key", test_expired_to_the_old_key);
  ADD("expired-by-clock", test_expired_by_clock);
  ADD("expired-unlawfully", test_expired_unlawfully);
  ADD("expired-by-hand", test_expired_by_hand);
  return g_test_run();
}
