#include "policyd/notes.h"

#include <string.h>

#define PORT ":25" /* behind next hops that have a rule of the book */

/* ---- Next hops ---- */

GStrv
hops_split(const char *text)
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

const char *
hops_of_row(const RouteRow *row)
{
  const char *colon = strchr(row->transport, ':');
  return colon != NULL ? colon + 1 : "";
}

char *
hops_with_ports(const char *text, gboolean ports)
{
  g_auto(GStrv) hops = hops_split(text);
  for (guint i = 0; hops[i] != NULL; i++) {
    gboolean has = g_str_has_suffix(hops[i], PORT);
    if (has && !ports)
      hops[i][strlen(hops[i]) - strlen(PORT)] = '\0';
    if (!has && ports) {
      char *longer = g_strconcat(hops[i], PORT, NULL);
      g_free(hops[i]);
      hops[i] = longer;
    }
  }
  return g_strjoinv(", ", hops);
}

static const char *
way_of(Label label, const PromiseWays *ways)
{
  return label == LABEL_PREFER ? ways->prefer : ways->direct;
}

static RouteSource
source_of(const PromiseHop *hop)
{
  return hop->source == PROMISE_NTA ? ROUTE_NTA : ROUTE_BOOK;
}

RouteRow *
row_to_hop(const char *key, Label label, const PromiseHop *hop, const PromiseWays *ways,
           gint64 promised_s)
{
  g_autofree char *transport = g_strconcat(way_of(label, ways), ":", hop->nexthop, NULL);
  return route_row_new(key, transport, source_of(hop), promised_s);
}

/* ---- Notes ---- */

gboolean
notes_route(Notes *notes, const char *key, RouteRow *change)
{
  const RouteRow *kept = g_hash_table_lookup(notes->kept->routes, key);
  gboolean same = kept == NULL || change == NULL
                      ? (gconstpointer) kept == (gconstpointer) change
                      : strcmp(kept->transport, change->transport) == 0 &&
                            kept->source == change->source;
  if (!same) {
    g_hash_table_replace(notes->noted->routes, g_strdup(key), change);
    return TRUE;
  }
  g_hash_table_remove(notes->noted->routes, key);
  route_row_free(change);
  return FALSE;
}

/* Whether ROW is what row_to_hop would make. Nearly always it is: nothing is made then. */
static gboolean
goes_to(const RouteRow *row, Label label, const PromiseHop *hop, const PromiseWays *ways)
{
  const char *way = way_of(label, ways);
  gsize len = strlen(way);
  return row != NULL && row->source == source_of(hop) &&
         strncmp(row->transport, way, len) == 0 && row->transport[len] == ':' &&
         strcmp(row->transport + len + 1, hop->nexthop) == 0;
}

gboolean
notes_hop(Notes *notes, const char *key, Label label, const PromiseHop *hop,
          const PromiseWays *ways, gint64 promised_s)
{
  if (!goes_to(g_hash_table_lookup(notes->kept->routes, key), label, hop, ways))
    return notes_route(notes, key, row_to_hop(key, label, hop, ways, promised_s));
  g_hash_table_remove(notes->noted->routes, key);
  return FALSE;
}

void
notes_gone(Notes *notes, const RouteRow *row, const PromiseWays *ways)
{
  RouteRow *change =
      row->label == LABEL_DIRECT
          ? route_row_new(row->key, ways->store, ROUTE_NOBODY, row->promised_s)
          : NULL;
  notes_route(notes, row->key, change);
}

gboolean
notes_policy(Notes *notes, const char *hop, const char *policy)
{
  if (g_strcmp0(g_hash_table_lookup(notes->kept->tls, hop), policy) == 0) {
    g_hash_table_remove(notes->noted->tls, hop);
    return FALSE;
  }
  g_hash_table_replace(notes->noted->tls, g_strdup(hop), g_strdup(policy));
  return TRUE;
}

gboolean
notes_policies(Notes *notes, const PromiseHop *hop)
{
  gboolean new = FALSE;
  if (hop->policy == NULL)
    return FALSE;
  g_auto(GStrv) hops = hops_split(hop->nexthop);
  for (guint i = 0; hops[i] != NULL; i++)
    new = notes_policy(notes, hops[i], hop->policy) || new;
  return new;
}

const char *
notes_policy_then(const Notes *notes, const char *hop)
{
  gpointer policy = NULL;
  if (!g_hash_table_lookup_extended(notes->noted->tls, hop, NULL, &policy))
    policy = g_hash_table_lookup(notes->kept->tls, hop);
  return policy;
}

/* A table of keys to the rows that stand when what was noted is committed; all borrowed. */
static GHashTable *
rows_then(const Notes *notes)
{
  GHashTable *rows = g_hash_table_new(g_str_hash, g_str_equal);
  RouteTables *const layers[] = {notes->kept, notes->noted};
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

void
notes_drop_policies(Notes *notes)
{
  g_autoptr(GHashTable) rows = rows_then(notes);
  g_autoptr(GHashTable) used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer key, value;
  g_hash_table_iter_init(&iter, rows);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    g_auto(GStrv) hops = hops_split(hops_of_row(value));
    for (guint i = 0; hops[i] != NULL; i++)
      g_hash_table_add(used, g_strdup(hops[i]));
  }
  g_hash_table_iter_init(&iter, notes->kept->tls);
  while (g_hash_table_iter_next(&iter, &key, NULL))
    if (!g_hash_table_contains(used, key))
      notes_policy(notes, key, NULL);
}

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

void
notes_keep(Notes *notes)
{
  apply(notes->noted->routes, notes->kept->routes);
  apply(notes->noted->tls, notes->kept->tls);
}

void
notes_forget(Notes *notes)
{
  g_hash_table_remove_all(notes->noted->routes);
  g_hash_table_remove_all(notes->noted->tls);
}
