/*
 * events.h - events that wait in a store, and the log, for tests.
 */
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/store/outbox.h"
#include "tests/unit/store/fixture.h"

#define ALL 1000

static int log_fd; /* standard error, after catch_log */

/* What the log has since START: a new string. */
static inline char *
log_since(off_t start)
{
  off_t end = lseek(log_fd, 0, SEEK_END);
  char *text = g_malloc0((gsize) (end - start) + 1);
  g_assert_cmpint(pread(log_fd, text, (gsize) (end - start), start), ==, end - start);
  return text;
}

/* Where the log is now. */
static inline off_t
log_mark(void)
{
  return lseek(log_fd, 0, SEEK_END);
}

/* All that wait. */
static inline GPtrArray *
waiting(Fixture *fixture)
{
  g_autoptr(GError) error = NULL;
  GPtrArray *list = store_waiting_events(fixture->store, ALL, &error);
  g_assert_no_error(error);
  return list;
}

/* COUNT events wait. */
static inline void
assert_count(Fixture *fixture, guint count)
{
  g_autoptr(GPtrArray) list = waiting(fixture);
  g_assert_cmpuint(list->len, ==, count);
}

/* The last event that waits; there must be COUNT of them. The caller frees it. */
static inline WaitingEvent *
last_of(Fixture *fixture, guint count)
{
  g_autoptr(GPtrArray) list = waiting(fixture);
  g_assert_cmpuint(list->len, ==, count);
  WaitingEvent *last = g_ptr_array_steal_index(list, count - 1);
  g_assert_nonnull(last->event);
  g_assert_cmpstr(event_id(last->event), ==, last->id);
  return last;
}

/* The last of COUNT is KIND, of REFERENCE, with KEY as VALUE (NULL: without); and the log
 * has had it since MARK. */
static inline void
assert_last(Fixture *fixture, guint count, EventKind kind, const char *reference,
            const char *key, const char *value, off_t mark)
{
  g_autoptr(WaitingEvent) last = last_of(fixture, count);
  g_autofree char *log = log_since(mark);
  g_assert_cmpstr(event_facts(event_kind(last->event))->name, ==, event_facts(kind)->name);
  g_assert_cmpstr(event_get(last->event, "org"), ==, ORG);
  g_assert_cmpstr(event_get(last->event, "ref"), ==, reference);
  g_assert_cmpstr(event_get(last->event, key), ==, value);
  g_assert_nonnull(strstr(log, last->id));
}

/* An event KIND of REFERENCE. */
static inline Event *
make(EventKind kind, const char *reference)
{
  return event_new(kind, NULL, ORG, "ref", reference, "to", ADDRESS, NULL);
}

/* The log goes to standard error: into a file. */
static inline void
catch_log(void)
{
  g_autofree char *path = NULL;
  log_fd = g_file_open_tmp("zegel-log-XXXXXX", &path, NULL);
  g_assert_cmpint(log_fd, >=, 0);
  g_unlink(path);
  g_assert_cmpint(fcntl(log_fd, F_SETFL, O_APPEND), ==, 0);
  g_assert_cmpint(dup2(log_fd, STDERR_FILENO), ==, STDERR_FILENO);
  log_open("test", TRUE);
}

/* What a full disk does to the row, and to nothing else. */
static inline void
refuse_rows(const Fixture *fixture, gboolean refuse)
{
  g_autoptr(Db) db = db_open(fixture->path, DB_WRITER, NULL);
  g_assert_true(db_exec(db,
                        refuse ? "CREATE TRIGGER refuse BEFORE INSERT ON outbox BEGIN"
                                 "  SELECT raise(FAIL, 'no room'); END"
                               : "DROP TRIGGER refuse",
                        NULL));
}
