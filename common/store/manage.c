#include "common/store/manage.h"

#include <string.h>

#include "common/base/error.h"
#include "common/store/internal.h"

/* ---- How it stands ---- */

static void
wipe_free(char *text)
{
  if (text != NULL)
    secret_wipe(text, strlen(text));
  g_free(text);
}

void
standing_free(Standing *standing)
{
  if (standing == NULL)
    return;
  char *const texts[] = {standing->address, standing->number, standing->sender,
                         standing->message_id};
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
    wipe_free(texts[i]);
  g_free(standing->organisation);
  g_free(standing->queue_id);
  g_free(standing->notified);
  g_clear_pointer(&standing->history, g_array_unref);
  g_free(standing);
}

/* The sealed text in COLUMN of QUERY, called NAME, into *TEXT: "" when it was purged. */
static gboolean
open_text(const Store *store, const char *reference, const Standing *standing, Query *query,
          int column, const char *name, char **text, GError **error)
{
  FieldPlace place = {standing->organisation, reference, name};
  gsize len = 0;
  gconstpointer box = query_blob(query, column, &len);
  if (box == NULL) {
    *text = g_strdup("");
    return TRUE;
  }
  g_autoptr(Secret) field = field_open(store, &place, box, len, error);
  if (field == NULL)
    return FALSE;
  *text = g_strndup((const char *) secret_peek(field), secret_size(field));
  return TRUE;
}

static char *
copy_text(Query *query, int column)
{
  const char *text = query_text(query, column);
  return g_strdup(text != NULL ? text : "");
}

#define STANDING_SQL                                                                       \
  "SELECT id, organisation, queue_id, notified, ended, ended_s, message_key IS NULL,"      \
  "  received_s, expires_s, shared, address, number, sender, message_id"                   \
  " FROM entry WHERE reference = ?1"

/* The row in QUERY; NULL with an error. */
static Standing *
read_standing(const Store *store, Db *db, const char *reference, Query *query,
              GError **error)
{
  g_autoptr(Standing) standing = g_new0(Standing, 1);
  standing->organisation = copy_text(query, 1);
  standing->queue_id = copy_text(query, 2);
  standing->notified = copy_text(query, 3);
  standing->ended_s = query_int(query, 5);
  standing->received_s = query_int(query, 7);
  standing->expires_s = query_int(query, 8);
  standing->shared = query_int(query, 9) != 0;
  standing->state = entry_state(query_int(query, 4), query_int(query, 6) != 0,
                                standing->expires_s, store_now(store));
  if (!open_text(store, reference, standing, query, 10, "address", &standing->address,
                 error) ||
      !open_text(store, reference, standing, query, 11, "number", &standing->number,
                 error) ||
      !open_text(store, reference, standing, query, 12, "sender", &standing->sender,
                 error) ||
      !open_text(store, reference, standing, query, 13, "message_id", &standing->message_id,
                 error) ||
      (standing->history = history_read(db, query_int(query, 0), error)) == NULL)
    return NULL;
  return g_steal_pointer(&standing);
}

static gboolean
find_standing(const Store *store, Db *db, const char *reference, Standing **standing,
              GError **error)
{
  g_autoptr(Query) query = db_query(db, STANDING_SQL, DB_VALUES(V_TEXT(reference)), error);
  int step = query != NULL ? query_step(query, error) : -1;
  if (step <= 0)
    return step == 0;
  *standing = read_standing(store, db, reference, query, error);
  return *standing != NULL;
}

gboolean
store_find_standing(Store *store, const char *reference, Standing **standing,
                    GError **error)
{
  *standing = NULL;
  Db *db = store_get_reader(store, error);
  if (db == NULL)
    return FALSE;
  gboolean done = find_standing(store, db, reference, standing, error);
  store_put_reader(store, db);
  return done;
}

/* ---- Another end ---- */

typedef struct {
  const char *organisation, *reference;
  gint64 expires_s, now_s;
  Record record;
} ExtendJob;

/* The row of the open entry into *ENTRY. */
static gboolean
move_end(Db *db, const ExtendJob *job, gint64 *entry, GError **error)
{
  g_autoptr(Query) query = db_query(
      db,
      "UPDATE entry SET expires_s = ?1, watch = watch | iif(shared = 0 AND NOT EXISTS"
      "  (SELECT 1 FROM history WHERE history.entry = entry.id AND kind = ?5), ?6, 0)"
      "  WHERE reference = ?2 AND organisation = ?3 AND message_key IS NOT NULL"
      "  AND expires_s > ?4 RETURNING id",
      DB_VALUES(V_INT(job->expires_s), V_TEXT(job->reference), V_TEXT(job->organisation),
                V_INT(job->now_s), V_INT(HISTORY_OPENED), V_INT(WATCH_REMIND)),
      error);
  int step = query != NULL ? query_step(query, error) : -1;
  if (step <= 0)
    return step == 0 && entry_set_gone(error);
  *entry = query_int(query, 0);
  return query_step(query, error) >= 0;
}

/* Nothing that was shared of row ENTRY lives longer. */
static gboolean
cut_shared(Db *db, const ExtendJob *job, gint64 entry, GError **error)
{
  return db_run(db,
                "UPDATE entry SET expires_s = ?1 WHERE expires_s > ?1"
                "  AND message_key IS NOT NULL AND id IN"
                "  (WITH RECURSIVE tree (id) AS (VALUES (?2) UNION"
                "    SELECT entry.id FROM entry JOIN tree ON entry.parent = tree.id)"
                "   SELECT id FROM tree)",
                DB_VALUES(V_INT(job->expires_s), V_INT(entry)), error);
}

/* The page of its sender says until when somebody can read it: the last of them. */
static gboolean
move_dispatch(Db *db, gint64 entry, GError **error)
{
  return db_run(db,
                "UPDATE dispatch SET expires_s = (SELECT max(expires_s) FROM entry"
                "    WHERE ticket = (SELECT ticket FROM entry WHERE id = ?1))"
                "  WHERE id = (SELECT dispatch FROM entry WHERE id = ?1)",
                DB_VALUES(V_INT(entry)), error);
}

static gboolean
extend(Db *db, gpointer data, GError **error)
{
  ExtendJob *job = data;
  gint64 entry = 0;
  return move_end(db, job, &entry, error) && cut_shared(db, job, entry, error) &&
         move_dispatch(db, entry, error) &&
         history_add(db, entry, HISTORY_EXTENDED, job->now_s, NULL, error) &&
         record_add(db, &job->record, error);
}

gboolean
store_extend(Store *store, const char *organisation, const char *reference,
             gint64 expires_s, Event *event, GError **error)
{
  ExtendJob job = {
      organisation, reference, expires_s, store_now(store), {store, event, FALSE}};
  if (expires_s > job.now_s)
    return record_run(store, extend, &job, &job.record, error);
  g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "that end is over already");
  return FALSE;
}

/* ---- The notification again ---- */

typedef struct {
  const char *organisation, *reference;
  GBytes *asker; /* sealed */
  gint64 now_s;
  gboolean went;
  Record record;
} AgainJob;

static gboolean
ask_again(Db *db, gpointer data, GError **error)
{
  const AgainJob *job = data;
  g_autoptr(Query) query = db_query(
      db,
      "SELECT id, shared FROM entry WHERE reference = ?1 AND organisation = ?2"
      "  AND message_key IS NOT NULL AND expires_s > ?3",
      DB_VALUES(V_TEXT(job->reference), V_TEXT(job->organisation), V_INT(job->now_s)),
      error);
  int step = query != NULL ? query_step(query, error) : -1;
  if (step <= 0)
    return step == 0 && entry_set_gone(error);
  gint64 entry = query_int(query, 0);
  if (query_int(query, 1) != 0) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID,
                        "this is opened with reference and password: there is no link to "
                        "send again");
    return FALSE;
  }
  return db_run(db,
                "INSERT OR REPLACE INTO again (entry, asked_s, asker)"
                "  VALUES (?1, ?2, ?3)",
                DB_VALUES(V_INT(entry), V_INT(job->now_s), V_BYTES(job->asker)), error);
}

gboolean
store_ask_again(Store *store, const char *organisation, const char *reference,
                const char *by, GError **error)
{
  FieldPlace place = {organisation, reference, AGAIN_COLUMN};
  g_autoptr(GBytes) asker = field_seal(store, &place, by, strlen(by), error);
  AgainJob job = {.organisation = organisation,
                  .reference = reference,
                  .asker = asker,
                  .now_s = store_now(store)};
  return asker != NULL && writer_run(store->writer, ask_again, &job, error);
}

static gboolean
end_again(Db *db, gpointer data, GError **error)
{
  AgainJob *job = data;
  gint64 entry = 0;
  return entry_find_any(db, job->organisation, job->reference, &entry, error) &&
         db_run(db, "DELETE FROM again WHERE entry = ?1", DB_VALUES(V_INT(entry)), error) &&
         (!job->went ||
          history_add(db, entry, HISTORY_NOTIFIED_AGAIN, job->now_s, NULL, error)) &&
         record_add(db, &job->record, error);
}

gboolean
store_end_again(Store *store, const char *organisation, const char *reference,
                gboolean went, Event *event, GError **error)
{
  AgainJob job = {.organisation = organisation,
                  .reference = reference,
                  .now_s = store_now(store),
                  .went = went,
                  .record = {store, event, FALSE}};
  return record_run(store, end_again, &job, &job.record, error);
}
