/*
 * Proving: first what the trail says of itself, then the chain (verify_chain.c); signatures
 * come last, when it is known which hash the chain has where.
 */
#include "common/audit/verify.h"

#include <string.h>

#include "common/audit/internal.h"
#include "common/audit/verify_run.h"
#include "common/base/error.h"

/* ---- Statements ---- */

static void
add_statement(Verify *verify, const Checkpoint *point, const char *text, int kind)
{
  Statement statement = {.point = *point, .text = g_strdup(text)};
  statement.kind = kind;
  g_ptr_array_add(verify->texts, (gpointer) statement.text);
  g_array_append_val(verify->statements, statement);
}

/* Reads the row of QUERY: a checkpoint that was kept. */
static void
read_kept(Verify *verify, Query *query)
{
  Checkpoint point;
  gsize len = 0;
  gconstpointer bytes = query_blob(query, 2, &len);
  g_autofree char *text = g_strndup(bytes, len);
  gint64 count = query_int(query, 0);
  if (strlen(text) != len || !checkpoint_parse(text, &point, NULL) ||
      (gint64) point.count != count || point.key_id != query_int(query, 1))
    verify_found(verify, (guint64) MAX(count, 0),
                 "the checkpoint at record %" G_GINT64_FORMAT " is not what was signed",
                 count);
  else
    add_statement(verify, &point, text, STATEMENT_KEPT);
}

/* The checkpoints that the trail keeps; it begins at the first. */
static gboolean
load_kept(Verify *verify, GError **error)
{
  static const char sql[] = "SELECT count, key, text FROM checkpoint ORDER BY count, key";
  g_autoptr(Query) query = db_query(verify->db, sql, DB_NO_VALUES, error);
  int step = query != NULL ? 1 : -1;
  while (step > 0 && (step = query_step(query, error)) > 0)
    read_kept(verify, query);
  if (step < 0)
    return FALSE;
  if (verify->statements->len == 0) {
    verify_found(verify, 0, "its first checkpoint is missing");
    return TRUE;
  }
  const Statement *first = &g_array_index(verify->statements, Statement, 0);
  if (verify->statements->len > 1 &&
      g_array_index(verify->statements, Statement, 1).point.count == first->point.count)
    verify_found(verify, first->point.count, "it has two beginnings");
  verify->base = verify->number = first->point.count;
  verify->sure = verify->sure_outside = verify->base;
  verify->key_id = first->point.key_id;
  memcpy(verify->hash, first->point.hash, sizeof verify->hash);
  return TRUE;
}

/* The signed end, which also says what checkpoints there are. */
static gboolean
load_end(Verify *verify, GError **error)
{
  static const char sql[] = "SELECT text FROM tail";
  guint8 checkpoints[CRYPT_SHA256_BYTES];
  guint rows = 0;
  g_autoptr(Query) query = db_query(verify->db, sql, DB_NO_VALUES, error);
  int step = query != NULL ? 1 : -1;
  while (step > 0 && (step = query_step(query, error)) > 0) {
    gsize len = 0;
    gconstpointer bytes = query_blob(query, 0, &len);
    g_free(verify->end_text);
    verify->end_text = g_strndup(bytes, len);
    rows += strlen(verify->end_text) == len ? 1 : 2;
  }
  if (step < 0 || !hash_checkpoints(verify->db, checkpoints, error))
    return FALSE;
  if (rows != 1 || !end_parse(verify->end_text, &verify->end, NULL))
    verify_found(verify, 0, "its end is missing, or not what was signed");
  else if (!crypt_equal(checkpoints, verify->end.checkpoints, sizeof checkpoints))
    verify_found(verify, 0, "its checkpoints are not those that were there at its end");
  else
    add_statement(verify, &verify->end.point, verify->end_text, STATEMENT_END);
  return TRUE;
}

static void
load_outside(Verify *verify)
{
  const char *const *texts = verify->with->checkpoints;
  for (guint i = 0; texts != NULL && texts[i] != NULL; i++) {
    Checkpoint point;
    if (checkpoint_parse(texts[i], &point, NULL))
      add_statement(verify, &point, texts[i], STATEMENT_OUTSIDE);
    else
      verify_found(verify, 0, "what was given as a checkpoint is none: %s", texts[i]);
  }
}

static int
compare_counts(gconstpointer a, gconstpointer b)
{
  guint64 left = ((const Statement *) a)->point.count;
  guint64 right = ((const Statement *) b)->point.count;
  return (left > right) - (left < right);
}

/* ---- When the chain was followed ---- */

/* What STATEMENT, whose signature counts or not, says of the trail. */
static void
check_statement(Verify *verify, const Statement *statement, VerifyResult *result)
{
  guint64 count = statement->point.count;
  if (!statement->vouched && statement->kind == STATEMENT_END)
    verify_found(verify, 0,
                 "its end is not signed with this key, nor with one it leads to");
  else if (!statement->vouched && statement->kind == STATEMENT_OUTSIDE)
    verify_found(verify, 0, "not signed with this key, nor with one it leads to: %s",
                 statement->text);
  else if (count > verify->number)
    verify_found(verify, verify->number + 1,
                 "it ends with record %" G_GUINT64_FORMAT
                 ", and once had %" G_GUINT64_FORMAT ": %s",
                 verify->number, count, statement->text);
  else if (statement->differs_after > 0)
    verify_found_difference(verify, statement);
  else if (statement->vouched)
    result->proven = MAX(result->proven, count);
}

/* Nothing is behind the signed end. */
static void
check_tail(Verify *verify)
{
  if (verify->end.point.count < verify->number)
    verify_found(verify, verify->end.point.count + 1,
                 "it was written on behind record %" G_GUINT64_FORMAT ", its signed end",
                 verify->end.point.count);
}

/* The beginning was removed as a record says, and only then. */
static void
check_beginning(Verify *verify)
{
  if (verify->base > verify->expired)
    verify_found(verify, verify->base,
                 "records through %" G_GUINT64_FORMAT
                 " were removed, and no record says so",
                 verify->base);
  else if (verify->base < verify->expired)
    verify_found(verify, verify->base + 1,
                 "records through %" G_GUINT64_FORMAT
                 " are there again, though they expired",
                 verify->expired);
}

static gboolean
check_signatures(Verify *verify, VerifyResult *result, GError **error)
{
  guint64 number = 0;
  g_autoptr(GError) problem = NULL;
  if (!statements_check(verify->statements, verify->announcements, verify->number,
                        verify->with->public_key, verify->keys, &number, &problem)) {
    if (!g_error_matches(problem, ZEGEL_ERROR, ZEGEL_ERROR_FORGED)) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return FALSE;
    }
    verify_found(verify, number, "at record %" G_GUINT64_FORMAT ": %s", number,
                 problem->message);
    return TRUE;
  }
  for (guint i = 0; i < verify->statements->len; i++)
    check_statement(verify, &g_array_index(verify->statements, Statement, i), result);
  return TRUE;
}

static int
compare_places(gconstpointer a, gconstpointer b)
{
  const Place *left = a, *right = b;
  if (left->number != right->number)
    return left->number < right->number ? -1 : 1;
  return (left->position > right->position) - (left->position < right->position);
}

/* What is not there is what records say was erased, and the other way round; without the
 * keys the latter cannot be seen. */
static void
check_erased(Verify *verify, VerifyResult *result)
{
  gboolean all_seen = verify->keys != NULL && verify->unknown_at == 0;
  const GArray *gone = verify->missing, *said = verify->erased;
  gint64 last = 0;
  g_array_sort(verify->missing, compare_places);
  g_array_sort(verify->erased, compare_places);
  for (guint i = 0, j = 0; i < gone->len || j < said->len;) {
    const Place *left = i < gone->len ? &g_array_index(gone, Place, i) : NULL;
    const Place *right = j < said->len ? &g_array_index(said, Place, j) : NULL;
    int order = left == NULL ? 1 : right == NULL ? -1 : compare_places(left, right);
    if (order < 0) {
      verify_found(verify, (guint64) left->number,
                   "record %" G_GINT64_FORMAT ": a value was erased, and no record says so",
                   left->number);
      return;
    }
    if (order > 0 && all_seen && right->number > (gint64) verify->base) {
      verify_found(verify, (guint64) right->number,
                   "record %" G_GINT64_FORMAT ": a value is there, though it was erased",
                   right->number);
      return;
    }
    if (order == 0) {
      result->erased += left->number != last ? 1 : 0;
      last = left->number;
      i++;
    }
    j++;
  }
}

/* ---- All of it ---- */

/* Whether the tables are ours, without anything that acts by itself. */
static gboolean
check_tables(Verify *verify, GError **error)
{
  static const char sql[] = "SELECT ifnull(sql, '') || '|' || type || '|' || name || '|' ||"
                            " tbl_name FROM sqlite_schema ORDER BY type, name";
  g_autoptr(Db) model = db_open(":memory:", DB_WRITER, error);
  for (gsize i = 0; model != NULL && i < trail_schema.step_count; i++)
    if (!db_exec(model, trail_schema.steps[i], error))
      return FALSE;
  g_autoptr(Query) there = db_query(verify->db, sql, DB_NO_VALUES, error);
  g_autoptr(Query) ours =
      there != NULL && model != NULL ? db_query(model, sql, DB_NO_VALUES, error) : NULL;
  if (ours == NULL)
    return FALSE;
  for (int step = 1; step > 0;) {
    step = query_step(ours, error);
    int other = step >= 0 ? query_step(there, error) : -1;
    if (step < 0 || other < 0)
      return FALSE;
    if (step != other ||
        (step > 0 && g_strcmp0(query_text(ours, 0), query_text(there, 0)) != 0)) {
      verify_found(verify, 0, "its tables are not as they were made");
      return TRUE;
    }
  }
  return TRUE;
}

/* Each step may find something, which ends it; FALSE with an error is something else. */
static gboolean
run(Verify *verify, VerifyResult *result, GError **error)
{
  if (!check_tables(verify, error) || !load_kept(verify, error) || !load_end(verify, error))
    return FALSE;
  load_outside(verify);
  if (!verify_is_good(verify))
    return TRUE;
  g_array_sort(verify->statements, compare_counts);
  if (!verify_chain(verify, error))
    return FALSE;
  if (verify->number > verify->base) {
    result->first = verify->base + 1;
    result->last = verify->number;
  }
  if (!verify_is_good(verify))
    return TRUE;
  if (!check_signatures(verify, result, error))
    return FALSE;
  if (verify_is_good(verify))
    check_tail(verify);
  if (verify_is_good(verify))
    check_beginning(verify);
  if (verify_is_good(verify))
    check_erased(verify, result);
  return TRUE;
}

static void
verify_clear(Verify *verify)
{
  g_clear_pointer(&verify->keys, g_ptr_array_unref);
  g_array_unref(verify->statements);
  g_array_unref(verify->announcements);
  g_array_unref(verify->erased);
  g_array_unref(verify->missing);
  g_ptr_array_unref(verify->texts);
  g_clear_error(&verify->failure);
  g_free(verify->end_text);
  g_free(verify->what);
  g_mutex_clear(&verify->lock);
  g_cond_clear(&verify->less);
}

static void
verify_init(Verify *verify, Db *db, const VerifyWith *with)
{
  verify->db = db;
  verify->with = with;
  verify->texts = g_ptr_array_new_with_free_func(g_free);
  verify->statements = g_array_new(FALSE, TRUE, sizeof(Statement));
  verify->announcements = g_array_new(FALSE, TRUE, sizeof(Announcement));
  verify->erased = g_array_new(FALSE, TRUE, sizeof(Place));
  verify->missing = g_array_new(FALSE, TRUE, sizeof(Place));
  g_mutex_init(&verify->lock);
  g_cond_init(&verify->less);
}

static gboolean
config_error(GError **error, const char *what)
{
  g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, what);
  return FALSE;
}

/* What was found into RESULT. FALSE with an error when a key was missing and all else is
 * good. */
static gboolean
conclude(Verify *verify, VerifyResult *result, GError **error)
{
  result->good = verify->what == NULL;
  result->wrong_at = verify->wrong_at;
  result->what = g_steal_pointer(&verify->what);
  if (!result->good || verify->unknown_at == 0)
    return TRUE;
  result->good = FALSE;
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG,
              "records from %" G_GUINT64_FORMAT
              " on were written under the audit key %08x, "
              "which is not in the key file: put its line back, below the current one, or "
              "verify with the public key alone",
              verify->unknown_at, verify->unknown_key);
  return FALSE;
}

gboolean
verify_db(Db *db, const VerifyWith *with, VerifyResult *result, GError **error)
{
  memset(result, 0, sizeof *result);
  if (with->keys == NULL && with->public_key == NULL)
    return config_error(error, "neither a key nor a public key to verify with");
  Verify verify = {.db = NULL};
  verify_init(&verify, db, with);
  if (with->keys != NULL)
    verify.keys = trail_keys_new(with->keys, error);
  gboolean done = (with->keys == NULL || verify.keys != NULL) &&
                  run(&verify, result, error) && conclude(&verify, result, error);
  verify_clear(&verify);
  return done;
}

void
verify_result_clear(VerifyResult *result)
{
  g_clear_pointer(&result->what, g_free);
}

/* The file as such, in a thread of its own. */
typedef struct {
  const char *path;
  char *problem;
  GError *error;
} Examination;

static gpointer
examine(gpointer data)
{
  Examination *examination = data;
  g_autoptr(Db) db = db_open(examination->path, DB_READER, &examination->error);
  if (db != NULL)
    db_examine(db, &examination->problem, &examination->error);
  return NULL;
}

/* That the file is damaged explains whatever else was found or failed. */
static gboolean
damaged(const Examination *examination, VerifyResult *result, GError **error)
{
  g_clear_error(error);
  if (result->what != NULL)
    return TRUE;
  result->good = FALSE;
  result->what = g_strdup_printf("the file is damaged: %s", examination->problem);
  return TRUE;
}

gboolean
verify_trail(const char *path, const VerifyWith *with, VerifyResult *result, GError **error)
{
  memset(result, 0, sizeof *result);
  g_autoptr(Db) db = trail_open_db(path, DB_READER, error);
  if (db == NULL)
    return FALSE;
  Examination examination = {.path = path};
  GThread *thread = g_thread_new("examine", examine, &examination);
  GError *problem = NULL;
  gboolean done = db_exec(db, "BEGIN", &problem) && verify_db(db, with, result, &problem);
  g_thread_join(thread);
  if (examination.problem != NULL)
    done = damaged(&examination, result, &problem);
  else if (done && examination.error != NULL) {
    done = FALSE;
    problem = g_steal_pointer(&examination.error);
  }
  g_clear_error(&examination.error);
  g_free(examination.problem);
  if (!done)
    g_propagate_error(error, problem);
  return done;
}
