/*
 * fixture.h - a trail of its own for each test, and events to put into it.
 */
#pragma once

#include <ftw.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "common/audit/internal.h"
#include "common/audit/trail.h"
#include "common/audit/verify.h"
#include "common/audit/writer.h"
#include "common/base/error.h"
#include "tests/unit/crypt/ring.h"

#define ORG     "linden"
#define OTHER   "ceder"
#define PATIENT "jan.canary@example.com"
#define DOCTOR  "dokter.canary@linden.example"
#define SOURCE  "zegel-deliver"

typedef struct {
  char *directory, *path;
  KeyRing *ring;
  TrailWriter *writer;
} Fixture;

/* For nftw: removes PATH. */
static inline int
fixture_remove(const char *path, const struct stat *status, int type, struct FTW *where)
{
  (void) status;
  (void) type;
  (void) where;
  return remove(path);
}

/* Opens the fixture's trail to write, which must succeed. */
static inline void
fixture_open(Fixture *fixture)
{
  g_autoptr(GError) error = NULL;
  fixture->writer = trail_writer_open(fixture->path, fixture->ring, &error);
  g_assert_no_error(error);
  g_assert_nonnull(fixture->writer);
}

/* Closes it; may be called twice. */
static inline void
fixture_close(Fixture *fixture)
{
  g_clear_pointer(&fixture->writer, trail_writer_close);
}

/* For g_test_add: a directory, a key and an open trail. */
static inline void
fixture_setup(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture->directory = g_dir_make_tmp("zegel-audit-XXXXXX", NULL);
  g_assert_nonnull(fixture->directory);
  fixture->path = g_build_filename(fixture->directory, "audit.db", NULL);
  fixture->ring = ring_new(KEY_AUDIT, FALSE);
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
}

/* Has another ring from now on: the old key alone, or the new one before it. */
static inline void
fixture_change_key(Fixture *fixture, gboolean rotated)
{
  fixture_close(fixture);
  keyring_free(fixture->ring);
  fixture->ring = ring_new(KEY_AUDIT, rotated);
}

/* Chains EVENT, which is taken; that must succeed. */
static inline void
fixture_add(Fixture *fixture, Event *event)
{
  g_autoptr(GError) error = NULL;
  const TrailEntry entry = {event, SOURCE};
  trail_writer_append(fixture->writer, &entry, 1, &error);
  g_assert_no_error(error);
  event_free(event);
}

/* An event as the store has it, the caller's: number I decides what it says. */
static inline Event *
fixture_event(guint i)
{
  g_autofree char *reference = g_strdup_printf("ref-%u", i);
  g_autofree char *message = g_strdup_printf("<message-%u@linden.example>", i / 2);
  g_autofree char *to = g_strdup_printf("patient-%u@example.com", i % 10);
  g_autofree char *queue_id = i % 3 == 0 ? NULL : g_strdup_printf("4XbK%u", i);
  switch (i % 4) {
  case 0:
    return event_new(EVENT_STORED, queue_id, ORG, "ref", reference, "from", DOCTOR, "to",
                     to, "message-id", message, "bytes", "1234", NULL);
  case 1:
    return event_new(EVENT_OPENED, NULL, ORG, "ref", reference, "to", to, "for", DOCTOR,
                     "client", "192.0.2.7", NULL);
  case 2:
    return event_new(EVENT_REFUSED, queue_id, OTHER, "from", to, "code", "Z-302", NULL);
  default:
    return event_new(EVENT_BOOK, NULL, NULL, "domains", "12", "changed", "yes", NULL);
  }
}

/* Adds COUNT events in batches. */
static inline void
fixture_fill(Fixture *fixture, guint count)
{
  g_autoptr(GPtrArray) events = g_ptr_array_new_with_free_func((GDestroyNotify) event_free);
  g_autofree TrailEntry *entries = g_new(TrailEntry, count);
  g_autoptr(GError) error = NULL;
  for (guint i = 0; i < count; i++) {
    g_ptr_array_add(events, fixture_event(i));
    entries[i] = (TrailEntry){g_ptr_array_index(events, i), SOURCE};
  }
  trail_writer_append(fixture->writer, entries, count, &error);
  g_assert_no_error(error);
}

/* Runs SQL, which takes no values, on the fixture's file, behind the writer's back. */
static inline void
fixture_sql(const char *path, const char *sql)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Db) db = db_open(path, DB_WRITER, &error);
  g_assert_no_error(error);
  db_exec(db, sql, &error);
  g_assert_no_error(error);
}
