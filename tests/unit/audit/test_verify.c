/* A trail that is as it was written verifies, also after a change of keys; one that is not
 * is seen, and not written on. */
#include "tests/unit/audit/proof.h"
#include "tests/unit/tap.h"

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
  ADD("hidden", test_hidden);
  ADD("torn", test_torn);
  ADD("rolled-back", test_rolled_back);
  ADD("rewritten", test_rewritten);
  ADD("not-written-on", test_not_written_on);
  ADD("two-writers", test_two_writers);
  return g_test_run();
}
