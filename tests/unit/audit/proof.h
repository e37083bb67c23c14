/*
 * proof.h - what tests expect of verify, and of what it reads.
 */
#pragma once

#include "tests/unit/audit/fixture.h"

#define EVENTS 40

/* What verify finds with KEYS, PUBLIC_KEY and CHECKPOINT, each of which may be NULL. */
static inline void
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

/* RESULT is good, of records FIRST to LAST. */
static inline void
assert_good(const VerifyResult *result, guint64 first, guint64 last)
{
  g_assert_cmpstr(result->what, ==, NULL);
  g_assert_true(result->good);
  g_assert_cmpuint(result->wrong_at, ==, 0);
  g_assert_cmpuint(result->first, ==, first);
  g_assert_cmpuint(result->last, ==, last);
  g_assert_cmpuint(result->proven, ==, last);
}

/* The public key ID of the fixture's ring into OUT. */
static inline void
public_key(Fixture *fixture, guint32 id, guint8 out[CHECKPOINT_PUBLIC_BYTES])
{
  g_autoptr(GError) error = NULL;
  checkpoint_public_key(fixture->ring, id, out, &error);
  g_assert_no_error(error);
}

/* Good with the key, and with the public key ID alone; both say how many were erased. */
static inline void
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
static inline void
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

/* A checkpoint of now, the caller's. */
static inline char *
checkpoint(Fixture *fixture)
{
  g_autoptr(GError) error = NULL;
  char *text = trail_writer_checkpoint(fixture->writer, &error);
  g_assert_no_error(error);
  return text;
}

/* A ring that lacks the old key, the caller's. */
static inline KeyRing *
new_key_alone(void)
{
  static const char text[] = "zegel-key 1 audit 0000000b " RING_KEY_NEW "\n";
  return keyring_parse(text, strlen(text), KEY_AUDIT, "test", NULL);
}

/* Adds the numbers of erased records, and all text. */
static inline gboolean
note(const TrailRecord *record, gpointer data, GError **error)
{
  (void) error;
  g_autofree char *text = attrs_format(record->attrs, ATTR_ESCAPED);
  g_string_append_printf(data, "%s%s", record->erased ? "GONE\n" : "", text);
  return TRUE;
}

/* All that the trail says for QUERY, the caller's. */
static inline char *
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
