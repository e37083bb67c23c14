/*
 * One thread writes. While it waits for the disk others queue up, and the next transaction
 * takes all of them: a busy server commits for many at the price of one.
 */
#include "common/base/log.h"
#include "common/store/internal.h"

#define BATCH_MAX_JOBS  256
#define LOG_PAGES_COPY  1000 /* 4 MB: time for a checkpoint */
#define LOG_PAGES_RENEW 4000 /* 16 MB: time to make the next batch wait for one */

typedef struct {
  WriterJob run;
  gpointer data;
  GError *error;
  gboolean done;
  GCond finished;
} Job;

struct Writer {
  char *path;
  GMutex lock; /* of all below but db */
  GQueue jobs; /* of Job, each on the stack of the thread that waits for it */
  GCond wake;
  GThread *thread;
  gboolean ending;
  guint commits;
  Db *db; /* the thread's own */

  GThread *copier; /* checkpoints off the path of a delivery */
  GCond wake_copier;
  guint log_pages;
  guint copied_pages; /* how long the log was when a copy was last wanted */
  gboolean copy_wanted;
  GMutex copying; /* held while the log is copied */
};

static gpointer
copier_main(gpointer p);

Writer *
writer_new(const char *path)
{
  Writer *writer = g_new0(Writer, 1);
  writer->path = g_strdup(path);
  g_mutex_init(&writer->lock);
  g_mutex_init(&writer->copying);
  g_cond_init(&writer->wake);
  g_cond_init(&writer->wake_copier);
  g_queue_init(&writer->jobs);
  return writer;
}

/* Called by SQLite within the commit, on the writer's thread. */
static void
log_grew(gpointer p, guint pages)
{
  Writer *writer = p;
  g_mutex_lock(&writer->lock);
  writer->log_pages = pages;
  if (pages < writer->copied_pages)
    writer->copied_pages = 0; /* it began anew */
  if (pages >= writer->copied_pages + LOG_PAGES_COPY) {
    writer->copied_pages = pages;
    writer->copy_wanted = TRUE;
    if (writer->copier == NULL)
      writer->copier = g_thread_new("checkpoint", copier_main, writer);
    g_cond_signal(&writer->wake_copier);
  }
  g_mutex_unlock(&writer->lock);
}

static gboolean
open_db(Writer *writer, GError **error)
{
  if (writer->db != NULL)
    return TRUE;
  writer->db = db_open(writer->path, DB_WRITER, error);
  if (writer->db != NULL && (!db_prepare(writer->db, writer->path, &store_schema, error) ||
                             !db_is_in_place(writer->db, error)))
    g_clear_pointer(&writer->db, db_close);
  if (writer->db != NULL)
    db_watch_log(writer->db, log_grew, writer);
  return writer->db != NULL;
}

/*
 * Runs one job; what it did is undone when it fails. FALSE when the transaction itself is
 * over: SQLite ends it after a full disk and the like.
 */
static gboolean
run_job(Db *db, Job *job, GError **error)
{
  if (!db_run(db, "SAVEPOINT job", DB_NO_VALUES, error))
    return FALSE;
  if (!job->run(db, job->data, &job->error)) {
    if (!db_in_transaction(db)) {
      *error = g_error_copy(job->error);
      return FALSE;
    }
    if (!db_run(db, "ROLLBACK TO job", DB_NO_VALUES, error))
      return FALSE;
  }
  return db_run(db, "RELEASE job", DB_NO_VALUES, error);
}

/* FALSE with the error that all of the batch get that have none of their own. */
static gboolean
run_batch(Writer *writer, GPtrArray *batch, GError **error)
{
  if (!open_db(writer, error) ||
      !db_run(writer->db, "BEGIN IMMEDIATE", DB_NO_VALUES, error))
    return FALSE;
  for (guint i = 0; i < batch->len; i++)
    if (!run_job(writer->db, g_ptr_array_index(batch, i), error))
      return FALSE;
  return db_run(writer->db, "COMMIT", DB_NO_VALUES, error) &&
         db_is_in_place(writer->db, error);
}

/* After a failure nothing of the batch may stay half done; the connection begins anew. */
static void
undo_batch(Writer *writer)
{
  if (writer->db != NULL && db_in_transaction(writer->db))
    db_exec(writer->db, "ROLLBACK", NULL);
  g_clear_pointer(&writer->db, db_close);
}

static void
finish_batch(Writer *writer, GPtrArray *batch, const GError *error)
{
  g_mutex_lock(&writer->lock);
  if (error == NULL)
    writer->commits++;
  for (guint i = 0; i < batch->len; i++) {
    Job *job = g_ptr_array_index(batch, i);
    if (error != NULL && job->error == NULL)
      job->error = g_error_copy(error);
    job->done = TRUE;
    g_cond_signal(&job->finished);
  }
  g_mutex_unlock(&writer->lock);
}

/* Waits for jobs and takes all that are there. FALSE when the writer ends. */
static gboolean
take_batch(Writer *writer, GPtrArray *batch)
{
  g_ptr_array_set_size(batch, 0);
  g_mutex_lock(&writer->lock);
  while (g_queue_is_empty(&writer->jobs) && !writer->ending)
    g_cond_wait(&writer->wake, &writer->lock);
  while (!g_queue_is_empty(&writer->jobs) && batch->len < BATCH_MAX_JOBS)
    g_ptr_array_add(batch, g_queue_pop_head(&writer->jobs));
  g_mutex_unlock(&writer->lock);
  return batch->len > 0;
}

/*
 * The copier stands in nobody's way, but while more is written it never reaches the end of
 * the log, which could then not begin anew. From LOG_PAGES_RENEW on the writer does the
 * rest itself, while nothing is written.
 */
static void
renew_log(Writer *writer)
{
  g_mutex_lock(&writer->lock);
  gboolean needed = writer->log_pages >= LOG_PAGES_RENEW;
  g_mutex_unlock(&writer->lock);
  if (!needed || writer->db == NULL)
    return;
  g_autoptr(GError) error = NULL;
  g_mutex_lock(&writer->copying); /* let the copier end first */
  if (!db_checkpoint(writer->db, DB_CHECKPOINT_PASSIVE, &error))
    log_line(LOG_LEVEL_WARNING, "checkpoint: %s", error->message);
  g_mutex_unlock(&writer->copying);
}

static gpointer
writer_main(gpointer p)
{
  Writer *writer = p;
  g_autoptr(GPtrArray) batch = g_ptr_array_new();
  while (take_batch(writer, batch)) {
    g_autoptr(GError) error = NULL;
    if (!run_batch(writer, batch, &error))
      undo_batch(writer);
    finish_batch(writer, batch, error);
    renew_log(writer);
  }
  g_clear_pointer(&writer->db, db_close);
  return NULL;
}

gboolean
writer_run(Writer *writer, WriterJob run, gpointer data, GError **error)
{
  Job job = {.run = run, .data = data};
  g_cond_init(&job.finished);
  g_mutex_lock(&writer->lock);
  if (writer->thread == NULL)
    writer->thread = g_thread_new("writer", writer_main, writer);
  g_queue_push_tail(&writer->jobs, &job);
  g_cond_signal(&writer->wake);
  while (!job.done)
    g_cond_wait(&job.finished, &writer->lock);
  g_mutex_unlock(&writer->lock);
  g_cond_clear(&job.finished);
  if (job.error == NULL)
    return TRUE;
  g_propagate_error(error, job.error);
  return FALSE;
}

guint
writer_commits(Writer *writer)
{
  g_mutex_lock(&writer->lock);
  guint commits = writer->commits;
  g_mutex_unlock(&writer->lock);
  return commits;
}

static void
copy_log(Writer *writer, DbCheckpoint mode)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Db) db = db_open(writer->path, DB_WRITER, &error);
  if (db == NULL || !db_checkpoint(db, mode, &error))
    log_line(LOG_LEVEL_WARNING, "checkpoint: %s", error->message);
}

static gpointer
copier_main(gpointer p)
{
  Writer *writer = p;
  g_mutex_lock(&writer->lock);
  while (!writer->ending || writer->copy_wanted) {
    if (!writer->copy_wanted) {
      g_cond_wait(&writer->wake_copier, &writer->lock);
      continue;
    }
    writer->copy_wanted = FALSE;
    g_mutex_unlock(&writer->lock);
    g_mutex_lock(&writer->copying);
    copy_log(writer, DB_CHECKPOINT_PASSIVE);
    g_mutex_unlock(&writer->copying);
    g_mutex_lock(&writer->lock);
  }
  g_mutex_unlock(&writer->lock);
  return NULL;
}

void
writer_checkpoint(Writer *writer)
{
  copy_log(writer, DB_CHECKPOINT_TRUNCATE);
}

void
writer_free(Writer *writer)
{
  if (writer == NULL)
    return;
  g_mutex_lock(&writer->lock);
  writer->ending = TRUE;
  g_cond_signal(&writer->wake);
  g_cond_signal(&writer->wake_copier);
  g_mutex_unlock(&writer->lock);
  if (writer->thread != NULL)
    g_thread_join(writer->thread);
  if (writer->copier != NULL)
    g_thread_join(writer->copier);
  g_mutex_clear(&writer->lock);
  g_mutex_clear(&writer->copying);
  g_cond_clear(&writer->wake);
  g_cond_clear(&writer->wake_copier);
  g_free(writer->path);
  g_free(writer);
}
