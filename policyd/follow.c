#include "policyd/follow.h"

typedef struct {
  Notes *notes;
  const Book *book;
  const PromiseWays *ways;
  GHashTable *policies; /* next hop to the policy that it has then */
} Following;

/* A row with HOP in the place of ROW, whose label stays. */
static void
follow_to(Following *following, const RouteRow *row, const PromiseHop *hop)
{
  notes_route(following->notes, row->key,
              row_to_hop(row->key, row->label, hop, following->ways, row->promised_s));
  g_auto(GStrv) hops = hops_split(hop->nexthop);
  for (guint i = 0; hop->policy != NULL && hops[i] != NULL; i++)
    g_hash_table_replace(following->policies, g_strdup(hops[i]), g_strdup(hop->policy));
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
  g_auto(GStrv) hops = hops_split(hop->nexthop);
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
  g_autofree char *hops = hops_with_ports(hops_of_row(row), partner != NULL);
  PromiseHop hop = {
      .nexthop = hops,
      .policy = partner != NULL ? partner->policy : NULL,
      .source = PROMISE_NTA,
  };
  if (is_taken(following, &hop))
    notes_gone(following->notes, row, following->ways);
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
    notes_gone(following->notes, row, following->ways);
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
    g_autoptr(RouteRow) row =
        route_row_new(key, "", ROUTE_BOOK, g_get_real_time() / G_USEC_PER_SEC);
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
    notes_policy(following->notes, key, value);
  g_hash_table_iter_init(&iter, following->notes->kept->tls);
  while (g_hash_table_iter_next(&iter, &key, NULL))
    if (!g_hash_table_contains(following->policies, key))
      notes_policy(following->notes, key, NULL);
}

guint
follow_book(Notes *notes, const Book *book, const PromiseWays *ways, gboolean whole)
{
  g_autoptr(GHashTable) policies =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  Following following = {notes, book, ways, policies};
  if (whole)
    follow_whole_book(&following);
  for (guint nta = 0; nta <= 1; nta++) {
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, notes->kept->routes);
    while (g_hash_table_iter_next(&iter, NULL, &value))
      follow_row(&following, value, nta == 1);
  }
  follow_policies(&following);
  return route_tables_count(notes->noted);
}
