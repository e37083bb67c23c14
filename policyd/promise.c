#include "policyd/promise.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/book/domain.h"
#include "policyd/follow.h"
#include "policyd/notes.h"
#include "policyd/routedb.h"

struct Promises {
  RouteDb *db;
  char *path;
  Notes notes;
  GHashTable *touched; /* keys of rows of which the file has an older time of promise */
  const Book *book;    /* of the last promises_follow, borrowed; or NULL */
  PromiseWays ways;    /* the same */
  gint64 looked_us;
  guint changes; /* of what is kept, and of whether the file is there */
  gint64 flushed_us;
  gboolean rebuilt; /* rows were lost with a damaged file: the book gives them back */
  gboolean away;    /* the file could not be put back, and the log says so */
};

static gboolean
misplaced(const char *path, GError **error, const char *what)
{
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "%s: %s", path, what);
  return FALSE;
}

gboolean
promises_make_directory(const char *path, const char *user, const char *group,
                        GError **error)
{
  g_autofree char *directory = g_path_get_dirname(path);
  g_autofree char *parent = g_path_get_dirname(directory);
  if (geteuid() != 0 || g_file_test(directory, G_FILE_TEST_EXISTS))
    return TRUE;
  const struct passwd *owner = getpwnam(user);
  const struct group *readers = getgrnam(group);
  if (owner == NULL || readers == NULL)
    return misplaced(directory, error, "its user or its group does not exist");
  /* Everybody may pass, for Postfix must; what lies in it has rights of its own. */
  if (g_mkdir_with_parents(parent, 0755) < 0 || mkdir(directory, 0700) < 0 ||
      chown(directory, owner->pw_uid, readers->gr_gid) < 0 || chmod(directory, 02750) < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, directory);
    return FALSE;
  }
  return TRUE;
}

Promises *
promises_open(const char *path, const char *group, GError **error)
{
  const struct group *readers = group != NULL ? getgrnam(group) : NULL;
  if (group != NULL && readers == NULL) {
    misplaced(path, error, "its group does not exist");
    return NULL;
  }
  g_autoptr(Promises) promises = g_new0(Promises, 1);
  promises->path = g_strdup(path);
  promises->notes.kept = route_tables_new();
  promises->notes.noted = route_tables_new();
  promises->flushed_us = g_get_monotonic_time();
  promises->touched = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  promises->db = route_db_open(path, readers != NULL ? readers->gr_gid : (gid_t) -1,
                               promises->notes.kept, &promises->rebuilt, error);
  return promises->db != NULL ? g_steal_pointer(&promises) : NULL;
}

static gint64
now_s(void)
{
  return g_get_real_time() / G_USEC_PER_SEC;
}

/* ---- Notes ---- */

/* The row KEY is promised once more: Postfix needs nothing for that, it can be written
 * later. */
static void
touch(Promises *promises, const char *key)
{
  RouteRow *row = g_hash_table_lookup(promises->notes.kept->routes, key);
  gint64 now = now_s();
  if (row == NULL || ABS(now - row->promised_s) < PROMISES_TOUCH_S)
    return;
  row->promised_s = now;
  g_hash_table_add(promises->touched, g_strdup(key));
}

gboolean
promises_note(Promises *promises, const char *spelled, Label label, const PromiseHop *hop,
              const PromiseWays *ways)
{
  g_autofree char *key = g_strconcat(spelled, label_suffix(label), NULL);
  gboolean tls_is_new = notes_policies(&promises->notes, hop);
  gboolean route_is_new = notes_hop(&promises->notes, key, label, hop, ways, now_s());
  if (!route_is_new)
    touch(promises, key);
  return route_is_new || tls_is_new;
}

/* The policy of HOP by the book, promised or not, else the promised one; or NULL. */
static const char *
policy_of(const Promises *promises, const char *hop)
{
  const char *policy = promises->book != NULL ? book_policy_of(promises->book, hop) : NULL;
  return policy != NULL ? policy : notes_policy_then(&promises->notes, hop);
}

gboolean
promises_conflict(const Promises *promises, const PromiseHop *hop)
{
  g_auto(GStrv) hops = hops_split(hop->nexthop);
  for (guint i = 0; hops[i] != NULL; i++) {
    const char *other = policy_of(promises, hops[i]);
    if (other != NULL && g_strcmp0(other, hop->policy) != 0)
      return TRUE;
  }
  return FALSE;
}

/* ---- Writing ---- */

static gboolean
write_notes(Promises *promises, GError **error)
{
  if (route_tables_count(promises->notes.noted) == 0)
    return TRUE;
  if (!route_db_write(promises->db, promises->notes.noted, error)) {
    notes_forget(&promises->notes);
    return FALSE;
  }
  notes_keep(&promises->notes);
  promises->changes++;
  return TRUE;
}

/* Writes the times of promise that the file does not have; later when it fails. */
static void
flush_times(Promises *promises)
{
  if (g_hash_table_size(promises->touched) == 0)
    return;
  g_autoptr(RouteTables) changes = route_tables_new();
  GHashTableIter iter;
  gpointer key;
  g_hash_table_iter_init(&iter, promises->touched);
  while (g_hash_table_iter_next(&iter, &key, NULL)) {
    const RouteRow *row = g_hash_table_lookup(promises->notes.kept->routes, key);
    if (row != NULL)
      g_hash_table_replace(
          changes->routes, g_strdup(key),
          route_row_new(key, row->transport, row->source, row->promised_s));
  }
  if (route_db_write(promises->db, changes, NULL))
    g_hash_table_remove_all(promises->touched);
}

void
promises_close(Promises *promises)
{
  if (promises == NULL)
    return;
  if (promises->db != NULL)
    flush_times(promises);
  route_db_close(promises->db);
  g_hash_table_unref(promises->touched);
  route_tables_free(promises->notes.kept);
  route_tables_free(promises->notes.noted);
  g_free(promises->path);
  g_free(promises);
}

/* ---- The file ---- */

/*
 * Somebody put another file of ours there, an old copy perhaps. What we promised since
 * holds; of what we do not know, only what mail may wait for is taken over, and it must
 * follow.
 */
static gboolean
adopt(Promises *promises, RouteTables *other)
{
  GHashTableIter iter;
  gpointer key, value;
  gboolean adopted = FALSE;
  g_hash_table_iter_init(&iter, other->routes);
  while (g_hash_table_iter_next(&iter, &key, &value)) {
    const RouteRow *row = value;
    if (row->label != LABEL_DIRECT ||
        g_hash_table_contains(promises->notes.kept->routes, row->key))
      continue;
    g_hash_table_iter_steal(&iter);
    g_hash_table_replace(promises->notes.kept->routes, key, value);
    adopted = TRUE;
  }
  return adopted;
}

/* Takes over what OTHER has more, with the next hops and rules of the book. */
static void
merge(Promises *promises, RouteTables *other)
{
  if (promises->book == NULL || !adopt(promises, other))
    return;
  g_autoptr(RouteTables) noted = route_tables_new();
  Notes adopted = {promises->notes.kept, noted};
  follow_book(&adopted, promises->book, &promises->ways, FALSE);
  notes_keep(&adopted);
  promises->changes++;
}

/* Puts the file back with all that was promised. */
static gboolean
put_back(Promises *promises, RouteDbState state, GError **error)
{
  g_autoptr(RouteTables) other =
      state == ROUTE_DB_GONE ? route_db_read_other(promises->db) : NULL;
  if (other != NULL)
    merge(promises, other);
  if (!route_db_put_back(promises->db, promises->notes.kept,
                         other != NULL ? "replaced" : "damaged", error))
    return FALSE;
  g_hash_table_remove_all(promises->touched);
  log_line(LOG_LEVEL_ALARM, "%s was %s: it is put back with %u rows", promises->path,
           other != NULL            ? "replaced"
           : state == ROUTE_DB_GONE ? "removed"
                                    : "damaged or written by somebody else",
           route_tables_count(promises->notes.kept));
  return TRUE;
}

/* While somebody keeps us from looking nothing is known to be wrong: only writing fails. */
static gboolean
look(Promises *promises, GError **error)
{
  RouteDbState state = route_db_look(promises->db, promises->notes.kept);
  return state == ROUTE_DB_GOOD || state == ROUTE_DB_BUSY ||
         put_back(promises, state, error);
}

gboolean
promises_look(Promises *promises, GError **error)
{
  g_autoptr(GError) reason = NULL;
  gint64 now_us = g_get_monotonic_time();
  gboolean good = look(promises, &reason);
  if (good == promises->away)
    log_line(LOG_LEVEL_ALARM, "%s %s%s", promises->path,
             good ? "is good again" : "cannot be put back: nothing new is promised: ",
             good ? "" : reason->message);
  promises->changes += good == promises->away ? 1 : 0;
  promises->away = !good;
  promises->looked_us = now_us;
  if (good && now_us - promises->flushed_us >= PROMISES_FLUSH_S * (gint64) G_USEC_PER_SEC) {
    promises->flushed_us = now_us;
    flush_times(promises);
  }
  if (!good)
    g_propagate_error(error, g_steal_pointer(&reason));
  return good;
}

gint64
promises_hold_until_us(const Promises *promises)
{
  return promises->looked_us == 0 || promises->away
             ? 0
             : promises->looked_us + PROMISES_LOOK_MS * G_TIME_SPAN_MILLISECOND;
}

guint
promises_changes(const Promises *promises)
{
  return promises->changes;
}

/* Looks, when that was not done just now. */
static gboolean
look_when_due(Promises *promises, GError **error)
{
  gint64 age_us = g_get_monotonic_time() - promises->looked_us;
  if (promises->looked_us == 0 || age_us >= PROMISES_LOOK_MS * G_TIME_SPAN_MILLISECOND)
    return promises_look(promises, error);
  if (!promises->away)
    return TRUE;
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY, "%s is not in its place",
              promises->path);
  return FALSE;
}

gboolean
promises_commit(Promises *promises, GError **error)
{
  if (look_when_due(promises, error))
    return write_notes(promises, error);
  notes_forget(&promises->notes);
  return FALSE;
}

/* ---- The book ---- */

gboolean
promises_follow(Promises *promises, const Book *book, const PromiseWays *ways,
                guint *changed, GError **error)
{
  notes_forget(&promises->notes);
  if (!look_when_due(promises, error))
    return FALSE;
  *changed = follow_book(&promises->notes, book, ways, promises->rebuilt);
  if (!write_notes(promises, error))
    return FALSE;
  promises->rebuilt = FALSE;
  promises->book = book;
  promises->ways = *ways;
  promises->changes++;
  return TRUE;
}

/* ---- What hangs on NTA records ---- */

void
promised_domain_free(PromisedDomain *promised)
{
  g_free(promised->domain);
  g_free(promised);
}

GPtrArray *
promises_nta(const Promises *promises)
{
  g_autoptr(GHashTable) found = g_hash_table_new(g_str_hash, g_str_equal);
  GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify) promised_domain_free);
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init(&iter, promises->notes.kept->routes);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    const RouteRow *row = value;
    if (row->source != ROUTE_NTA || row->domain == NULL)
      continue;
    PromisedDomain *promised = g_hash_table_lookup(found, row->domain);
    if (promised == NULL) {
      promised = g_new0(PromisedDomain, 1);
      promised->domain = g_strdup(row->domain);
      g_hash_table_insert(found, promised->domain, promised);
      g_ptr_array_add(list, promised);
    }
    promised->promised_s = MAX(promised->promised_s, row->promised_s);
  }
  return list;
}

/* Notes HOP, or when it is NULL that nothing goes direct, for the rows of DOMAIN. Returns
 * how many that changes; *ROWS gets how many there are. */
static guint
note_domain(Promises *promises, const char *domain, const PromiseHop *hop, guint *rows)
{
  guint changed = 0;
  *rows = 0;
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init(&iter, promises->notes.kept->routes);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    const RouteRow *row = value;
    if (row->source != ROUTE_NTA || g_strcmp0(row->domain, domain) != 0)
      continue;
    ++*rows;
    if (hop == NULL)
      notes_gone(&promises->notes, row, &promises->ways);
    else
      notes_route(&promises->notes, row->key,
                  row_to_hop(row->key, row->label, hop, &promises->ways, row->promised_s));
    changed += g_hash_table_contains(promises->notes.noted->routes, row->key) ? 1 : 0;
  }
  return changed;
}

guint
promises_renew(Promises *promises, const char *domain, const PromiseHop *hop)
{
  guint rows = 0;
  guint changed = note_domain(promises, domain, hop, &rows);
  if (rows > 0 && notes_policies(&promises->notes, hop))
    changed++;
  if (changed > 0)
    notes_drop_policies(&promises->notes);
  return changed;
}

guint
promises_withdraw(Promises *promises, const char *domain)
{
  guint rows = 0;
  guint changed = note_domain(promises, domain, NULL, &rows);
  if (changed > 0)
    notes_drop_policies(&promises->notes);
  return changed;
}
