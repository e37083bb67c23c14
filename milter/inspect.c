#include "milter/inspect.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/child.h"
#include "common/base/error.h"

#define FRAME_HEAD_BYTES 4
#define FRAME_MAX_BYTES  (64 * 1024) /* what libmilter hands over, mostly */
#define ANSWER_BYTES     4096
#define MESSAGES_MAX     250 /* of one reader; by itself it ends before that */

/*
 * One process. When it is taken, only who took it touches it; another thread may kill the
 * process (see take_back) and does no more.
 */
typedef struct {
  Child child;
  gint64 heard_us;  /* when its message last grew */
  gboolean is_lost; /* was taken back: it counts no more */
  guint answered;   /* messages; one that took it over must not lie for ever */
} Reader;

struct Inspectors {
  char *path;
  guint count;
  GMutex lock; /* for all below, and Reader's heard_us and is_lost */
  GCond changed;
  GQueue idle;     /* of Reader */
  GPtrArray *busy; /* of Reader, borrowed */
  guint starting;  /* places that are taken for readers that are not in busy yet */
};

struct Inspection {
  Inspectors *inspectors;
  Reader *reader;   /* NULL: not taken yet, or lost */
  GByteArray *held; /* as long as there is no reader */
  gint64 left_us;   /* that we may still wait for it */
  GError *error;    /* the first, or NULL */
};

static gint64
now_us(void)
{
  return g_get_monotonic_time();
}

/* The pool */

Inspectors *
inspectors_new(const char *path, guint count)
{
  signal(SIGPIPE, SIG_IGN); /* a reader that died is an error, not our end */
  Inspectors *inspectors = g_new0(Inspectors, 1);
  inspectors->path = g_strdup(path);
  inspectors->count = MAX(count, 1);
  g_mutex_init(&inspectors->lock);
  g_cond_init(&inspectors->changed);
  g_queue_init(&inspectors->idle);
  inspectors->busy = g_ptr_array_new();
  return inspectors;
}

static void
reader_free(Reader *reader)
{
  child_end(&reader->child);
  g_free(reader);
}

void
inspectors_free(Inspectors *inspectors)
{
  if (inspectors == NULL)
    return;
  for (Reader *reader; (reader = g_queue_pop_head(&inspectors->idle)) != NULL;)
    reader_free(reader);
  g_ptr_array_unref(inspectors->busy);
  g_cond_clear(&inspectors->changed);
  g_mutex_clear(&inspectors->lock);
  g_free(inspectors->path);
  g_free(inspectors);
}

/* Whether an idle reader still waits for a message: silent, and not ended. */
static gboolean
is_waiting(const Reader *reader)
{
  struct pollfd out = {.fd = reader->child.out, .events = POLLIN};
  return poll(&out, 1, 0) == 0;
}

/*
 * Takes a place back from a message that has not grown for long, because others wait: kills
 * its reader, which its owner will see. The lock is held.
 */
static void
take_back(Inspectors *inspectors)
{
  gint64 limit_us = now_us() - INSPECT_STALL_MS * 1000;
  for (guint i = 0; i < inspectors->busy->len; i++) {
    Reader *reader = inspectors->busy->pdata[i];
    if (reader->heard_us > limit_us)
      continue;
    reader->is_lost = TRUE;
    kill(-reader->child.pid, SIGKILL); /* nobody reaps it before it left the list */
    g_ptr_array_remove_index_fast(inspectors->busy, i);
    return;
  }
}

/*
 * Waits until there is a place, till DEADLINE_US: TRUE, and *READER is an idle one, or NULL
 * when one must be started. The lock is held.
 */
static gboolean
wait_for_place(Inspectors *inspectors, gint64 deadline_us, Reader **reader)
{
  for (;;) {
    *reader = g_queue_pop_head(&inspectors->idle);
    guint used = inspectors->busy->len + inspectors->starting;
    if (*reader != NULL || used < inspectors->count) {
      inspectors->starting++;
      return TRUE;
    }
    if (now_us() >= deadline_us)
      return FALSE;
    gint64 look_us = now_us() + INSPECT_STALL_MS * 1000 / 5;
    g_cond_wait_until(&inspectors->changed, &inspectors->lock, MIN(look_us, deadline_us));
    if (g_queue_is_empty(&inspectors->idle))
      take_back(inspectors);
  }
}

static Reader *
start_reader(const Inspectors *inspectors, GError **error)
{
  const char *const argv[] = {inspectors->path, "facts", NULL};
  const char *const environment[] = {NULL};
  Reader *reader = g_new0(Reader, 1);
  if (child_start(&reader->child, argv, environment, TRUE, error))
    return reader;
  g_free(reader);
  return NULL;
}

/* A reader that waits for a message, or NULL with ZEGEL_ERROR_TEMPORARY. */
static Reader *
take_reader(Inspectors *inspectors, GError **error)
{
  Reader *reader = NULL;
  g_mutex_lock(&inspectors->lock);
  gboolean has_place =
      wait_for_place(inspectors, now_us() + INSPECT_TIMEOUT_MS * 1000, &reader);
  g_mutex_unlock(&inspectors->lock);
  if (!has_place) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY,
                        "no zegel-reader is free");
    return NULL;
  }
  if (reader != NULL && !is_waiting(reader))
    g_clear_pointer(&reader, reader_free);
  if (reader == NULL)
    reader = start_reader(inspectors, error);
  g_mutex_lock(&inspectors->lock);
  inspectors->starting--;
  if (reader != NULL) {
    reader->heard_us = now_us();
    g_ptr_array_add(inspectors->busy, reader);
  }
  g_cond_signal(&inspectors->changed);
  g_mutex_unlock(&inspectors->lock);
  return reader;
}

/* Gives READER back, to be used again when IS_FINE. */
static void
give_back(Inspectors *inspectors, Reader *reader, gboolean is_fine)
{
  g_mutex_lock(&inspectors->lock);
  if (!reader->is_lost)
    g_ptr_array_remove_fast(inspectors->busy, reader);
  is_fine = is_fine && !reader->is_lost && ++reader->answered < MESSAGES_MAX;
  if (is_fine)
    g_queue_push_head(&inspectors->idle, reader);
  g_cond_signal(&inspectors->changed);
  g_mutex_unlock(&inspectors->lock);
  if (!is_fine)
    reader_free(reader);
}

/* Talking with a reader */

static void
fail(Inspection *inspection, const char *what)
{
  if (inspection->error == NULL)
    g_set_error(&inspection->error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY, "zegel-reader: %s",
                what);
}

/* Waits for EVENTS at FD. FALSE when the time of the message is over. */
static gboolean
wait_for(Inspection *inspection, int fd, short events)
{
  struct pollfd ready = {.fd = fd, .events = events};
  gint64 before_us = now_us();
  int n;
  do
    n = poll(&ready, 1, child_poll_timeout_ms(before_us + inspection->left_us));
  while (n < 0 && errno == EINTR);
  inspection->left_us -= MIN(now_us() - before_us, inspection->left_us);
  if (n <= 0)
    fail(inspection, "did not answer in time");
  return n > 0;
}

static gboolean
send_bytes(Inspection *inspection, const guint8 *bytes, gsize len)
{
  int fd = inspection->reader->child.in;
  while (len > 0) {
    gssize n = write(fd, bytes, len);
    if (n > 0) {
      bytes += n;
      len -= (gsize) n;
    } else if (errno == EAGAIN) {
      if (!wait_for(inspection, fd, POLLOUT))
        return FALSE;
    } else if (errno != EINTR) {
      fail(inspection, g_strerror(errno));
      return FALSE;
    }
  }
  return TRUE;
}

/* Sends a frame; LEN 0 ends the message. */
static gboolean
send_frame(Inspection *inspection, const guint8 *bytes, gsize len)
{
  const guint8 head[FRAME_HEAD_BYTES] = {(guint8) (len >> 24), (guint8) (len >> 16),
                                         (guint8) (len >> 8), (guint8) len};
  return send_bytes(inspection, head, sizeof head) && send_bytes(inspection, bytes, len);
}

static gboolean
send_frames(Inspection *inspection, const guint8 *bytes, gsize len)
{
  while (len > 0) {
    gsize take = MIN(len, FRAME_MAX_BYTES);
    if (!send_frame(inspection, bytes, take))
      return FALSE;
    bytes += take;
    len -= take;
  }
  return TRUE;
}

/* Reads one block and no octet more, or NULL. */
static GByteArray *
receive_answer(Inspection *inspection)
{
  int fd = inspection->reader->child.out;
  g_autoptr(GByteArray) answer = g_byte_array_new();
  for (;;) {
    if (!wait_for(inspection, fd, POLLIN))
      return NULL;
    guint before = answer->len;
    g_byte_array_set_size(answer, before + ANSWER_BYTES);
    gssize n = read(fd, answer->data + before, ANSWER_BYTES);
    g_byte_array_set_size(answer, before + (guint) MAX(n, 0));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
      continue;
    if (n <= 0) {
      fail(inspection, "ended without an answer");
      return NULL;
    }
    /* The end may lie between two pieces. */
    guint from = before > 0 ? before - 1 : 0;
    if (memmem(answer->data + from, answer->len - from, "\n\n", 2) != NULL)
      return g_steal_pointer(&answer);
    if (answer->len > ATTR_BLOCK_MAX_BYTES) {
      fail(inspection, "answered too much");
      return NULL;
    }
  }
}

/* Inspections */

Inspection *
inspection_begin(Inspectors *inspectors)
{
  Inspection *inspection = g_new0(Inspection, 1);
  inspection->inspectors = inspectors;
  inspection->held = g_byte_array_new();
  inspection->left_us = INSPECT_TIMEOUT_MS * 1000;
  return inspection;
}

/* Gives up the reader, which is in the middle of something. */
static void
drop_reader(Inspection *inspection)
{
  if (inspection->reader != NULL)
    give_back(inspection->inspectors, g_steal_pointer(&inspection->reader), FALSE);
}

static void
inspection_free(Inspection *inspection)
{
  drop_reader(inspection);
  g_byte_array_unref(inspection->held);
  g_clear_error(&inspection->error);
  g_free(inspection);
}

/* Takes a reader and gives it what is held. */
static gboolean
engage(Inspection *inspection)
{
  if (inspection->reader != NULL)
    return TRUE;
  inspection->reader = take_reader(inspection->inspectors, &inspection->error);
  if (inspection->reader == NULL)
    return FALSE;
  gboolean sent = send_frames(inspection, inspection->held->data, inspection->held->len);
  g_byte_array_set_size(inspection->held, 0);
  return sent;
}

/* The message grows: its reader is not to be taken back, at least AHEAD_MS more. */
static void
note_growth(Inspection *inspection, guint ahead_ms)
{
  if (inspection->reader == NULL)
    return;
  g_mutex_lock(&inspection->inspectors->lock);
  inspection->reader->heard_us = now_us() + ahead_ms * 1000;
  g_mutex_unlock(&inspection->inspectors->lock);
}

void
inspection_write(Inspection *inspection, const void *bytes, gsize len)
{
  if (inspection->error != NULL)
    return;
  note_growth(inspection, 0);
  if (inspection->reader == NULL && len <= INSPECT_HELD_BYTES - inspection->held->len) {
    g_byte_array_append(inspection->held, bytes, (guint) len);
    return;
  }
  if (!engage(inspection) || !send_frames(inspection, bytes, len))
    drop_reader(inspection);
}

/* What the reader says of the message, or NULL with the inspection's error. */
static Inspected *
conclude(Inspection *inspection)
{
  if (!engage(inspection))
    return NULL;
  note_growth(inspection, INSPECT_TIMEOUT_MS);
  if (!is_waiting(inspection->reader)) {
    fail(inspection, "ended, or answered too early");
    return NULL;
  }
  if (!send_frame(inspection, NULL, 0))
    return NULL;
  g_autoptr(GByteArray) answer = receive_answer(inspection);
  if (answer == NULL)
    return NULL;
  gboolean is_last = FALSE;
  g_autoptr(GError) error = NULL;
  g_autoptr(Inspected) inspected =
      inspected_parse((const char *) answer->data, answer->len, &is_last, &error);
  if (inspected == NULL) {
    fail(inspection, error->message);
    return NULL;
  }
  give_back(inspection->inspectors, g_steal_pointer(&inspection->reader), !is_last);
  return g_steal_pointer(&inspected);
}

Inspected *
inspection_end(Inspection *inspection, GError **error)
{
  Inspected *inspected = inspection->error == NULL ? conclude(inspection) : NULL;
  if (inspected == NULL)
    g_propagate_error(error, g_steal_pointer(&inspection->error));
  inspection_free(inspection);
  return inspected;
}

void
inspection_abandon(Inspection *inspection)
{
  if (inspection != NULL)
    inspection_free(inspection);
}
