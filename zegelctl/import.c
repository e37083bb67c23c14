#include "zegelctl/import.h"

#include <string.h>

static int
compare_lines(gconstpointer a, gconstpointer b)
{
  const BookEntry *const *first = a;
  const BookEntry *const *second = b;
  return (*first)->line < (*second)->line ? -1 : 1;
}

GPtrArray *
import_entries(const Book *book, const char *network)
{
  g_autoptr(GPtrArray) all = book_entries(book);
  GPtrArray *entries = g_ptr_array_new();
  for (guint i = 0; i < all->len; i++) {
    const BookEntry *entry = all->pdata[i];
    if (network == NULL || strcmp(entry->network, network) == 0)
      g_ptr_array_add(entries, (gpointer) entry);
  }
  g_ptr_array_sort(entries, compare_lines);
  return entries;
}

/* The line of DOMAIN with all the rest of TEMPLATE. */
static char *
line_like(const BookEntry *template, const char *domain)
{
  g_autofree char *name = g_strdup(domain);
  BookEntry entry = *template;
  entry.domain = name;
  return book_entry_format(&entry);
}

static void
plan_domain(Import *import, const Book *book, const BookEntry *template, char *domain)
{
  const BookEntry *entry = book_find(book, domain);
  if (entry != NULL && strcmp(entry->network, template->network) != 0) {
    g_ptr_array_add(import->others, (gpointer) entry);
    return;
  }
  g_autofree char *line = line_like(template, domain);
  if (entry == NULL) {
    g_ptr_array_add(import->added, domain);
    edit_add(import->edit, line);
    return;
  }
  g_autofree char *old = book_entry_format(entry);
  if (strcmp(old, line) == 0) {
    import->kept++;
    return;
  }
  g_ptr_array_add(import->changed, domain);
  edit_replace(import->edit, entry->line, line);
}

static void
plan_removals(Import *import, const GPtrArray *entries, const GPtrArray *domains)
{
  g_autoptr(GHashTable) wanted = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < domains->len; i++)
    g_hash_table_add(wanted, domains->pdata[i]);
  for (guint i = 0; i < entries->len; i++) {
    const BookEntry *entry = entries->pdata[i];
    if (g_hash_table_contains(wanted, entry->domain))
      continue;
    g_ptr_array_add(import->removed, entry->domain);
    edit_drop(import->edit, entry->line);
  }
}

Import *
import_plan(const Book *book, const BookEntry *template, const GPtrArray *domains)
{
  Import *import = g_new0(Import, 1);
  import->edit = edit_new();
  import->added = g_ptr_array_new();
  import->removed = g_ptr_array_new();
  import->changed = g_ptr_array_new();
  import->others = g_ptr_array_new();
  g_autoptr(GPtrArray) entries = import_entries(book, template->network);
  if (entries->len > 0) {
    const BookEntry *last = entries->pdata[entries->len - 1];
    edit_add_behind(import->edit, last->line);
  }
  for (guint i = 0; i < domains->len; i++)
    plan_domain(import, book, template, domains->pdata[i]);
  plan_removals(import, entries, domains);
  return import;
}

gboolean
import_is_drastic(const Import *import)
{
  guint before = import->removed->len + import->changed->len + import->kept;
  return before > IMPORT_SMALL_NETWORK && import->removed->len > before / 2;
}

void
import_free(Import *import)
{
  if (import == NULL)
    return;
  edit_free(import->edit);
  g_ptr_array_unref(import->added);
  g_ptr_array_unref(import->removed);
  g_ptr_array_unref(import->changed);
  g_ptr_array_unref(import->others);
  g_free(import);
}
