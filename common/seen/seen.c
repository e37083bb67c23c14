#include "common/seen/seen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/seen/internal.h"

#define APPLICATION_ID 0x7a675345 /* "zgSE", in the file's header */
#define FILE_MODE      0600

/* A record is there when its last time is that of the last look at its name. */
static const char *const steps[] = {
    "CREATE TABLE look ("
    " kind TEXT NOT NULL, name TEXT NOT NULL,"
    " first_s INTEGER NOT NULL, last_s INTEGER NOT NULL,"
    " UNIQUE (kind, name)) STRICT;"
    "CREATE TABLE record ("
    " kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,"
    " begins INTEGER NOT NULL, ends INTEGER NOT NULL,"
    " first_s INTEGER NOT NULL, last_s INTEGER NOT NULL,"
    " UNIQUE (kind, name, value)) STRICT;"
    "CREATE TABLE domain ("
    " domain TEXT NOT NULL, ours INTEGER NOT NULL,"
    " ready INTEGER NOT NULL, code TEXT NOT NULL,"
    " since_s INTEGER NOT NULL, last_s INTEGER NOT NULL, ready_s INTEGER NOT NULL,"
    " UNIQUE (domain, ours)) STRICT;"
    "CREATE TABLE told ("
    " how TEXT NOT NULL, key TEXT NOT NULL,"
    " first_s INTEGER NOT NULL, last_s INTEGER NOT NULL,"
    " UNIQUE (how, key)) STRICT;",
};

static const DbSchema schema = {APPLICATION_ID, steps, G_N_ELEMENTS(steps)};

static const char look_sql[] =
    "INSERT INTO look (kind, name, first_s, last_s) VALUES (?1, ?2, ?3, ?3)"
    " ON CONFLICT (kind, name) DO UPDATE SET last_s = excluded.last_s";
static const char record_sql[] =
    "INSERT INTO record (kind, name, value, begins, ends, first_s, last_s)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)"
    " ON CONFLICT (kind, name, value) DO UPDATE SET last_s = excluded.last_s";
static const char domain_sql[] =
    "INSERT INTO domain (domain, ours, ready, code, since_s, last_s, ready_s)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?5, iif(?3, ?5, 0))"
    " ON CONFLICT (domain, ours) DO UPDATE SET"
    " since_s = iif(ready = excluded.ready, since_s, excluded.last_s),"
    " ready = excluded.ready, code = excluded.code, last_s = excluded.last_s,"
    " ready_s = max(ready_s, excluded.ready_s)";

/* ---- Opening ---- */

void
seen_close(Seen *seen)
{
  if (seen == NULL)
    return;
  db_close(seen->db);
  g_free(seen->path);
  g_free(seen);
}

/* With rights for us alone before SQLite sees it: -wal and -shm get the same. */
static gboolean
prepare_file(const char *path, GError **error)
{
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
  gboolean good = fd >= 0 && fchmod(fd, FILE_MODE) == 0;
  if (!good)
    zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, path);
  if (fd >= 0)
    close(fd);
  return good;
}

/* Whether SQLite finds the file whole; it is small, and read once for each start. */
static gboolean
is_whole(Db *db, GError **error)
{
  g_autoptr(Query) query =
      db_query(db, "SELECT count(*) FROM pragma_quick_check(1) WHERE quick_check <> 'ok'",
               DB_NO_VALUES, error);
  if (query == NULL || query_step(query, error) != 1)
    return FALSE;
  if (query_int(query, 0) == 0)
    return TRUE;
  g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED, "the database is damaged");
  return FALSE;
}

Seen *
seen_open_existing(const char *path, GError **error)
{
  g_autoptr(Seen) seen = g_new0(Seen, 1);
  seen->path = g_strdup(path);
  seen->db = db_open(path, DB_WRITER, error);
  if (seen->db == NULL || !db_prepare(seen->db, path, &schema, error) ||
      !is_whole(seen->db, error)) {
    g_prefix_error(error, "%s: ", path);
    return NULL;
  }
  return g_steal_pointer(&seen);
}

/* Whether the file at PATH begins as a database of SQLite does; an empty one does too. */
static gboolean
looks_like_database(const char *path)
{
  static const char magic[] = "SQLite format 3";
  char start[sizeof magic] = "";
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  gssize got = fd >= 0 ? read(fd, start, sizeof start) : -1;
  if (fd >= 0)
    close(fd);
  return got == 0 || (got == sizeof start && g_str_equal(start, magic));
}

/* What was seen until now is lost; the file is kept for who wants to look. */
static gboolean
set_aside(const char *path, GError **error)
{
  static const char *const suffixes[] = {"-wal", "-shm"};
  g_autofree char *aside = g_strconcat(path, ".damaged", NULL);
  if (rename(path, aside) < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, path);
    return FALSE;
  }
  for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
    g_autofree char *name = g_strconcat(path, suffixes[i], NULL);
    unlink(name);
  }
  log_line(LOG_LEVEL_ALARM,
           "%s was damaged: it is now %s, and what domains showed is kept from now on anew",
           path, aside);
  return TRUE;
}

Seen *
seen_open(const char *path, GError **error)
{
  g_autoptr(GError) reason = NULL;
  if (!prepare_file(path, error))
    return NULL;
  g_autoptr(Seen) seen = seen_open_existing(path, &reason);
  if (seen == NULL && (g_error_matches(reason, ZEGEL_ERROR, ZEGEL_ERROR_FORGED) ||
                       !looks_like_database(path))) {
    if (!set_aside(path, error) || !prepare_file(path, error))
      return NULL;
    g_clear_error(&reason);
    seen = seen_open_existing(path, &reason);
  }
  if (seen == NULL)
    g_propagate_error(error, g_steal_pointer(&reason));
  return g_steal_pointer(&seen);
}

gboolean
seen_is_in_place(Seen *seen)
{
  return db_is_in_place(seen->db, NULL);
}

/* ---- Writing ---- */

/* Ends what was begun: commits when GOOD, else leaves all as it was. */
static gboolean
end_transaction(Seen *seen, gboolean good, GError **error)
{
  good = good && db_exec(seen->db, "COMMIT", error);
  if (!good && db_in_transaction(seen->db))
    db_exec(seen->db, "ROLLBACK", NULL);
  if (good)
    db_checkpoint(seen->db, DB_CHECKPOINT_PASSIVE, NULL); /* else the next one does it */
  return good;
}

static gboolean
write_look(Seen *seen, const SightLook *look, gint64 at_s, GError **error)
{
  const char *kind = seen_kind_name(look->kind);
  if (!db_run(seen->db, look_sql, DB_VALUES(V_TEXT(kind), V_TEXT(look->name), V_INT(at_s)),
              error))
    return FALSE;
  for (guint i = 0; i < look->values->len; i++) {
    const SightValue *value = look->values->pdata[i];
    if (!db_run(seen->db, record_sql,
                DB_VALUES(V_TEXT(kind), V_TEXT(look->name), V_TEXT(value->text),
                          V_INT(value->begins), V_INT(value->ends), V_INT(at_s)),
                error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
write_sight(Seen *seen, const Sight *sight, GError **error)
{
  if (sight->readiness != SIGHT_UNKNOWN &&
      !db_run(seen->db, domain_sql,
              DB_VALUES(V_TEXT(sight->domain), V_INT(sight->ours),
                        V_INT(sight->readiness == SIGHT_READY), V_TEXT(sight->code),
                        V_INT(sight->at_s)),
              error))
    return FALSE;
  for (guint i = 0; i < sight->looks->len; i++)
    if (!write_look(seen, sight->looks->pdata[i], sight->at_s, error))
      return FALSE;
  return TRUE;
}

gboolean
seen_write(Seen *seen, const GPtrArray *sights, GError **error)
{
  gboolean good = db_exec(seen->db, "BEGIN IMMEDIATE", error);
  for (guint i = 0; good && i < sights->len; i++)
    good = write_sight(seen, sights->pdata[i], error);
  return end_transaction(seen, good, error);
}

/* ---- Old rows ---- */

/* What strangers can have seen once, by a mail of theirs, goes before what lasts. */
static const struct {
  const char *old_sql;  /* ?1: before */
  const char *many_sql; /* ?1: how many stay */
  gboolean names;
} expiries[] = {
    {"DELETE FROM record WHERE last_s < ?1",
     "DELETE FROM record WHERE rowid IN (SELECT rowid FROM record"
     " ORDER BY last_s > first_s DESC, last_s DESC LIMIT -1 OFFSET ?1)",
     FALSE},
    {"DELETE FROM look WHERE last_s < ?1",
     "DELETE FROM look WHERE rowid IN (SELECT rowid FROM look"
     " ORDER BY last_s > first_s DESC, last_s DESC LIMIT -1 OFFSET ?1)",
     TRUE},
    {"DELETE FROM domain WHERE last_s < ?1",
     "DELETE FROM domain WHERE rowid IN (SELECT rowid FROM domain"
     " ORDER BY ours DESC, ready_s > 0 DESC, last_s DESC LIMIT -1 OFFSET ?1)",
     TRUE},
    {"DELETE FROM told WHERE last_s < ?1",
     "DELETE FROM told WHERE rowid IN (SELECT rowid FROM told"
     " ORDER BY last_s DESC LIMIT -1 OFFSET ?1)",
     TRUE},
};

gboolean
seen_expire(Seen *seen, gint64 before_s, guint max_records, guint max_names, GError **error)
{
  gboolean good = db_exec(seen->db, "BEGIN IMMEDIATE", error);
  for (gsize i = 0; good && i < G_N_ELEMENTS(expiries); i++)
    good = db_run(seen->db, expiries[i].old_sql, DB_VALUES(V_INT(before_s)), error) &&
           db_run(seen->db, expiries[i].many_sql,
                  DB_VALUES(V_INT(expiries[i].names ? max_names : max_records)), error);
  return end_transaction(seen, good, error);
}
