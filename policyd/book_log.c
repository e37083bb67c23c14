#include "policyd/book_log.h"

#include "common/base/event.h"

static void
log_change(BookChange change, const BookEntry *entry, gpointer data)
{
  static const char *const names[] = {
      [BOOK_ADDED] = "added",
      [BOOK_REMOVED] = "removed",
      [BOOK_CHANGED] = "changed",
  };
  const char *path = data;
  g_autofree char *clients = g_strjoinv(" ", entry->clients);
  event_log(EVENT_BOOK, NULL, NULL, "file", path, "change", names[change], "domain",
            entry->domain, "nexthop", book_entry_nexthop(entry), "tls", entry->policy,
            "clients", *clients != '\0' ? clients : NULL, "network",
            *entry->network != '\0' ? entry->network : NULL, NULL);
}

void
book_log_changes(const char *path, const Book *old, const Book *new)
{
  book_compare(old, new, log_change, (gpointer) path);
}

void
book_log_read(const char *path, const Book *book, guint changed)
{
  g_autofree char *domains = g_strdup_printf("%u", book_count(book));
  g_autofree char *rows = g_strdup_printf("%u", changed);
  event_log(EVENT_BOOK, NULL, NULL, "file", path, "result", "read", "domains", domains,
            "sha256", book_digest(book), "rows-changed", rows, NULL);
}
