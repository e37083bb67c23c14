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
#include "policyd/routedb.h"

#define NTA_PORT ":25" /* behind next hops that have a rule of the book */

struct Promises {
  RouteDb *db;
  char *path;
  RouteTables *kept;   /* committed */
  RouteTables *noted;  /* changes of it */
  GHashTable *touched; /* keys of rows of which the file has an older time of promise */
  const Book *book;    /* of the last promises_follow, borrowed; or NULL */
  PromiseWays ways;    /* the same */
  gint64 looked_us;
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
  promises->kept = route_tables_new();
  promises->noted = route_tables_new();
  promises->touched = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  promises->db = route_db_open(path, readers != NULL ? readers->gr_gid : (gid_t) -1,
                               promises->kept, &promises->rebuilt, error);
  return promises->db != NULL ? g_steal_pointer(&promises) : NULL;
}

static gint64
now_s(void)
{
  return g_get_real_time() / G_USEC_PER_SEC;
}

/* ---- Next hops ---- */

/* The next hops in TEXT, "[a]:25, [b]:25"; never an empty one. */
static GStrv
split_hops(const char *text)
{
  GStrv hops = g_strsplit_set(text, ", ", -1);
  guint count = 0;
  for (guint i = 0; hops[i] != NULL; i++) {
    char *hop = hops[i];
    if (*hop != '\0')
      hops[count++] = hop;
    else
      g_free(hop);
  }
  hops[count] = NULL;
  return hops;
}

/* The next hops of a row that goes direct. */
static const char *
hops_of(const RouteRow *row)
{
  const char *colon = strchr(row->transport, ':');
  return colon != NULL ? colon + 1 : "";
}

/* TEXT with a port behind each next hop, or, as NTA 7516 gives them, without. */
static char *
with_ports(const char *text, gboolean ports)
{
  g_auto(GStrv) hops = split_hops(text);
  for (guint i = 0; hops[i] != NULL; i++) {
    gboolean has = g_str_has_suffix(hops[i], NTA_PORT);
    if (has && !ports)
      hops[i][strlen(hops[i]) - strlen(NTA_PORT)] = '\0';
    if (!has && ports) {
      char *longer = g_strconcat(hops[i], NTA_PORT, NULL);
      g_free(hops[i]);
      hops[i] = longer;
    }
  }
  return g_strjoinv(", ", hops);
}

/* ---- Notes ---- */

/* Takes CHANGE: KEY gets it, or when it is NULL its row goes. TRUE when that is new. */
static gboolean
note_route(Promises *promises, const char *key, RouteRow *change)
{
  const RouteRow *kept = g_hash_table_lookup(promises->kept->routes, key);
  gboolean same = kept == NULL || change == NULL
                      ? (gconstpointer) kept == (gconstpointer) change
                      : strcmp(kept->transport, change->transport) == 0 &&
                            kept->source == change->source;
  if (!same) {
    g_hash_table_replace(promises->noted->routes, g_strdup(key), change);
    return TRUE;
  }
  g_hash_table_remove(promises->noted->routes, key);
  route_row_free(change);
  return FALSE;
}

/* The same for the TLS policy of HOP, which is copied; NULL removes its row. */
static gboolean
note_tls(Promises *promises, const char *hop, const char *policy)
{
  if (g_strcmp0(g_hash_table_lookup(promises->kept->tls, hop), policy) == 0) {
    g_hash_table_remove(promises->noted->tls, hop);
    return FALSE;
  }
  g_hash_table_replace(promises->noted->tls, g_strdup(hop), g_strdup(policy));
  return TRUE;
}

static void
forget_notes(Promises *promises)
{
  g_hash_table_remove_all(promises->noted->routes);
  g_hash_table_remove_all(promises->noted->tls);
}

/* A table of keys to the rows that stand when what was noted is committed; all borrowed. */
static GHashTable *
rows_then(const Promises *promises)
{
  GHashTable *rows = g_hash_table_new(g_str_hash, g_str_equal);
  RouteTables *const layers[] = {promises->kept, promises->noted};
  for (guint i = 0; i < G_N_ELEMENTS(layers); i++) {
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, layers[i]->routes);
    while (g_hash_table_iter_next(&iter, &key, &value))
      if (value != NULL)
        g_hash_table_replace(rows, key, value);
      else
        g_hash_table_remove(rows, key);
  }
  return rows;
}

static char *
transport_of(Label label, const char *nexthop, const PromiseWays *ways)
{
  return g_strconcat(label == LABEL_PREFER ? ways->prefer : ways->direct, ":", nexthop,
                     NULL);
}

static RouteSource
source_of(const PromiseHop *hop)
{
  return hop->source == PROMISE_NTA ? ROUTE_NTA : ROUTE_BOOK;
}

static RouteRow *
direct_row(const char *key, Label label, const PromiseHop *hop, const PromiseWays *ways,
           gint64 promised_s)
{
  g_autofree char *transport = transport_of(label, hop->nexthop, ways);
  return route_row_new(key, transport, source_of(hop), promised_s);
}

/* The row KEY is promised once more: Postfix needs nothing for that, it can be written
 * later. */
static void
touch(Promises *promises, const char *key)
{
  RouteRow *row = g_hash_table_lookup(promises->kept->routes, key);
  gint64 now = now_s();
  if (row == NULL || ABS(now - row->promised_s) < PROMISES_TOUCH_S)
    return;
  row->promised_s = now;
  g_hash_table_add(promises->touched, g_strdup(key));
}

static gboolean
note_policies(Promises *promises, const PromiseHop *hop)
{
  gboolean new = FALSE;
  if (hop->policy == NULL)
    return FALSE;
  g_auto(GStrv) hops = split_hops(hop->nexthop);
  for (guint i = 0; hops[i] != NULL; i++)
    new = note_tls(promises, hops[i], hop->policy) || new;
  return new;
}

/* Whether KEY's row is what direct_row would make now. Nearly always it is. */
static gboolean
is_kept(const Promises *promises, const char *key, Label label, const PromiseHop *hop,
        const PromiseWays *ways)
{
  const RouteRow *row = g_hash_table_lookup(promises->kept->routes, key);
  const char *way = label == LABEL_PREFER ? ways->prefer : ways->direct;
  gsize len = strlen(way);
  return row != NULL && row->source == source_of(hop) &&
         strncmp(row->transport, way, len) == 0 && row->transport[len] == ':' &&
         strcmp(row->transport + len + 1, hop->nexthop) == 0;
}

gboolean
promises_note(Promises *promises, const char *spelled, Label label, const PromiseHop *hop,
              const PromiseWays *ways)
{
  g_autofree char *key = g_strconcat(spelled, label_suffix(label), NULL);
  gboolean tls_is_new = note_policies(promises, hop);
  gboolean route_is_new =
      !is_kept(promises, key, label, hop, ways) &&
      note_route(promises, key, direct_row(key, label, hop, ways, now_s()));
  if (!route_is_new) {
    g_hash_table_remove(promises->noted->routes, key);
    touch(promises, key);
  }
  return route_is_new || tls_is_new;
}

/* The policy of HOP when what was noted is committed, or by the book; or NULL. */
static const char *
policy_then(const Promises *promises, const char *hop)
{
  gpointer policy = NULL;
  if (promises->book != NULL)
    policy = (gpointer) book_policy_of(promises->book, hop);
  if (policy == NULL &&
      !g_hash_table_lookup_extended(promises->noted->tls, hop, NULL, &policy))
    policy = g_hash_table_lookup(promises->kept->tls, hop);
  return policy;
}

gboolean
promises_conflict(const Promises *promises, const PromiseHop *hop)
{
  g_auto(GStrv) hops = split_hops(hop->nexthop);
  for (guint i = 0; hops[i] != NULL; i++) {
    const char *other = policy_then(promises, hops[i]);
    if (other != NULL && g_strcmp0(other, hop->policy) != 0)
      return TRUE;
  }
  return FALSE;
}

/* Notes that the next hops which no row needs any more have no policy. */
static void
drop_unused_policies(Promises *promises)
{
  g_autoptr(GHashTable) rows = rows_then(promises);
  g_autoptr(GHashTable) used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer key, value;
  g_hash_table_iter_init(&iter, rows);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    g_auto(GStrv) hops = split_hops(hops_of(value));
    for (guint i = 0; hops[i] != NULL; i++)
      g_hash_table_add(used, g_strdup(hops[i]));
  }
  g_hash_table_iter_init(&iter, promises->kept->tls);
  while (g_hash_table_iter_next(&iter, &key, NULL))
    if (!g_hash_table_contains(used, key))
      note_tls(promises, key, NULL);
}

/* ---- Writing ---- */

/* Moves the changes in FROM into TO; those with value NULL remove. */
static void
apply(GHashTable *from, GHashTable *to)
{
  GHashTableIter iter;
  gpointer key, value;
  g_hash_table_iter_init(&iter, from);
  while (g_hash_table_iter_next(&iter, &key, &value)) {
    g_hash_table_iter_steal(&iter);
    if (value != NULL) {
      g_hash_table_replace(to, key, value);
    } else {
      g_hash_table_remove(to, key);
      g_free(key);
    }
  }
}

static gboolean
write_notes(Promises *promises, GError **error)
{
  if (route_tables_count(promises->noted) == 0)
    return TRUE;
  if (!route_db_write(promises->db, promises->noted, error)) {
    forget_notes(promises);
    return FALSE;
  }
  apply(promises->noted->routes, promises->kept->routes);
  apply(promises->noted->tls, promises->kept->tls);
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
    const RouteRow *row = g_hash_table_lookup(promises->kept->routes, key);
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
  route_tables_free(promises->kept);
  route_tables_free(promises->noted);
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
        g_hash_table_contains(promises->kept->routes, row->key))
      continue;
    g_hash_table_iter_steal(&iter);
    g_hash_table_replace(promises->kept->routes, key, value);
    adopted = TRUE;
  }
  return adopted;
}

static guint
note_by_book(Promises *promises, const Book *book, const PromiseWays *ways);

/* Takes over what OTHER has more, with the next hops and rules of the book. */
static void
merge(Promises *promises, RouteTables *other)
{
  if (promises->book == NULL || !adopt(promises, other))
    return;
  RouteTables *noted = g_steal_pointer(&promises->noted);
  promises->noted = route_tables_new();
  note_by_book(promises, promises->book, &promises->ways);
  apply(promises->noted->routes, promises->kept->routes);
  apply(promises->noted->tls, promises->kept->tls);
  route_tables_free(promises->noted);
  promises->noted = noted;
}

/* Puts the file back with all that was promised. */
static gboolean
put_back(Promises *promises, RouteDbState state, GError **error)
{
  g_autoptr(RouteTables) other =
      state == ROUTE_DB_GONE ? route_db_read_other(promises->db) : NULL;
  if (other != NULL)
    merge(promises, other);
  if (!route_db_put_back(promises->db, promises->kept,
                         other != NULL ? "replaced" : "damaged", error))
    return FALSE;
  g_hash_table_remove_all(promises->touched);
  log_line(LOG_LEVEL_ALARM, "%s was %s: it is put back with %u rows", promises->path,
           other != NULL            ? "replaced"
           : state == ROUTE_DB_GONE ? "removed"
                                    : "damaged or written by somebody else",
           route_tables_count(promises->kept));
  return TRUE;
}

static gboolean
look(Promises *promises, GError **error)
{
  RouteDbState state = route_db_look(promises->db, promises->kept);
  if (state == ROUTE_DB_BUSY) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY, "%s is locked", promises->path);
    return FALSE;
  }
  return state == ROUTE_DB_GOOD || put_back(promises, state, error);
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
  forget_notes(promises);
  return FALSE;
}

/* ---- The book ---- */

typedef struct {
  Promises *promises;
  const Book *book;
  const PromiseWays *ways;
  GHashTable *policies; /* next hop to the policy that it has then */
} Following;

/* A row with HOP in the place of ROW, whose label stays. */
static void
follow_to(Following *following, const RouteRow *row, const PromiseHop *hop)
{
  note_route(following->promises, row->key,
             direct_row(row->key, row->label, hop, following->ways, row->promised_s));
  g_auto(GStrv) hops = split_hops(hop->nexthop);
  for (guint i = 0; hop->policy != NULL && hops[i] != NULL; i++)
    g_hash_table_replace(following->policies, g_strdup(hops[i]), g_strdup(hop->policy));
}

/* Nobody's word stands behind ROW any more. */
static void
note_gone(Promises *promises, const RouteRow *row, const PromiseWays *ways)
{
  RouteRow *change =
      row->label == LABEL_DIRECT
          ? route_row_new(row->key, ways->store, ROUTE_NOBODY, row->promised_s)
          : NULL;
  note_route(promises, row->key, change);
}

static const BookEntry *
entry_of(const RouteRow *row, const Book *book)
{
  return row->domain != NULL ? book_find(book, row->domain) : NULL;
}

/* Whether the book or a row before it has another policy for one of HOP's next hops. */
static gboolean
is_taken(const Following *following, const PromiseHop *hop)
{
  g_auto(GStrv) hops = split_hops(hop->nexthop);
  for (guint i = 0; hops[i] != NULL; i++) {
    const char *other = book_policy_of(following->book, hops[i]);
    if (other == NULL)
      other = g_hash_table_lookup(following->policies, hops[i]);
    if (other != NULL && g_strcmp0(other, hop->policy) != 0)
      return TRUE;
  }
  return FALSE;
}

/* A row that hangs on the NTA record keeps its hosts; the rule for them is the book's. */
static void
follow_nta(Following *following, const RouteRow *row)
{
  const BookEntry *partner = entry_of(row, following->book);
  g_autofree char *hops = with_ports(hops_of(row), partner != NULL);
  PromiseHop hop = {
      .nexthop = hops,
      .policy = partner != NULL ? partner->policy : NULL,
      .source = PROMISE_NTA,
  };
  if (is_taken(following, &hop))
    note_gone(following->promises, row, following->ways);
  else
    follow_to(following, row, &hop);
}

/* What the row must be by the book. Rows that hang on NTA records come after the others. */
static void
follow_row(Following *following, const RouteRow *row, gboolean nta)
{
  const BookEntry *entry = entry_of(row, following->book);
  gboolean listed = entry != NULL && !entry->nta;
  gboolean labelled = row->label == LABEL_DIRECT || row->label == LABEL_PREFER;
  if (nta != (row->source == ROUTE_NTA && !listed))
    return;
  if (nta)
    follow_nta(following, row);
  else if (listed && labelled)
    follow_to(following, row, &(PromiseHop){entry->nexthop, entry->policy, PROMISE_BOOK});
  else
    note_gone(following->promises, row, following->ways);
}

/* Mail may wait for any of them. */
static void
follow_whole_book(Following *following)
{
  g_autoptr(GPtrArray) entries = book_entries(following->book);
  for (guint i = 0; i < entries->len; i++) {
    const BookEntry *entry = entries->pdata[i];
    if (entry->nta)
      continue;
    g_autofree char *key = g_strconcat(entry->domain, label_suffix(LABEL_DIRECT), NULL);
    g_autoptr(RouteRow) row = route_row_new(key, "", ROUTE_BOOK, now_s());
    follow_row(following, row, FALSE);
  }
}

static void
follow_policies(Following *following)
{
  GHashTableIter iter;
  gpointer key, value;
  g_hash_table_iter_init(&iter, following->policies);
  while (g_hash_table_iter_next(&iter, &key, &value))
    note_tls(following->promises, key, value);
  g_hash_table_iter_init(&iter, following->promises->kept->tls);
  while (g_hash_table_iter_next(&iter, &key, NULL))
    if (!g_hash_table_contains(following->policies, key))
      note_tls(following->promises, key, NULL);
}

/* Notes what BOOK changes; returns how many rows that are. */
static guint
note_by_book(Promises *promises, const Book *book, const PromiseWays *ways)
{
  g_autoptr(GHashTable) policies =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  Following following = {promises, book, ways, policies};
  if (promises->rebuilt)
    follow_whole_book(&following);
  for (guint nta = 0; nta <= 1; nta++) {
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, promises->kept->routes);
    while (g_hash_table_iter_next(&iter, NULL, &value))
      follow_row(&following, value, nta == 1);
  }
  follow_policies(&following);
  return route_tables_count(promises->noted);
}

gboolean
promises_follow(Promises *promises, const Book *book, const PromiseWays *ways,
                guint *changed, GError **error)
{
  forget_notes(promises);
  if (!look_when_due(promises, error))
    return FALSE;
  *changed = note_by_book(promises, book, ways);
  if (!write_notes(promises, error))
    return FALSE;
  promises->rebuilt = FALSE;
  promises->book = book;
  promises->ways = *ways;
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
  g_hash_table_iter_init(&iter, promises->kept->routes);
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
  g_hash_table_iter_init(&iter, promises->kept->routes);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    const RouteRow *row = value;
    if (row->source != ROUTE_NTA || g_strcmp0(row->domain, domain) != 0)
      continue;
    ++*rows;
    if (hop == NULL)
      note_gone(promises, row, &promises->ways);
    else
      note_route(promises, row->key,
                 direct_row(row->key, row->label, hop, &promises->ways, row->promised_s));
    changed += g_hash_table_contains(promises->noted->routes, row->key) ? 1 : 0;
  }
  return changed;
}

guint
promises_renew(Promises *promises, const char *domain, const PromiseHop *hop)
{
  guint rows = 0;
  guint changed = note_domain(promises, domain, hop, &rows);
  if (rows > 0 && note_policies(promises, hop))
    changed++;
  if (changed > 0)
    drop_unused_policies(promises);
  return changed;
}

guint
promises_withdraw(Promises *promises, const char *domain)
{
  guint rows = 0;
  guint changed = note_domain(promises, domain, NULL, &rows);
  if (changed > 0)
    drop_unused_policies(promises);
  return changed;
}
