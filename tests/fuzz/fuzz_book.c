/* Any bytes as a domain book: what is accepted has only lines that Postfix can use. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "policyd/address.h"
#include "common/book/book.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
count_change(BookChange change, const BookEntry *entry, gpointer data)
{
  (void) change;
  (void) entry;
  ++*(guint *) data;
}

/* What is written of ENTRY reads as the same; a line may only become too long by it. */
static void
check_again(const BookEntry *entry)
{
  guint changes = 0;
  g_autofree char *line = book_entry_format(entry);
  if (strlen(line) > BOOK_LINE_MAX_BYTES)
    return;
  g_autoptr(Book) once = book_parse("once", line, strlen(line), NULL);
  g_assert_nonnull(once);
  g_autofree char *twice = book_entry_format(book_find(once, entry->domain));
  g_assert_cmpstr(line, ==, twice);
  g_autoptr(Book) again = book_parse("again", twice, strlen(twice), NULL);
  book_compare(once, again, count_change, &changes);
  g_assert_cmpuint(changes, ==, 0);
}

static void
check_entry(BookChange change, const BookEntry *entry, gpointer data)
{
  (void) data;
  g_autofree char *canonical = domain_canonical(entry->domain);
  g_assert_cmpint(change, ==, BOOK_ADDED);
  g_assert_cmpstr(canonical, ==, entry->domain);
  g_assert_true(entry->nta == (entry->nexthop == NULL));
  const char *nexthop = book_entry_nexthop(entry);
  g_assert_true(g_str_is_ascii(nexthop) && *nexthop != '\0');
  g_assert_null(strpbrk(nexthop, " \t\r\n,*"));
  g_assert_true(entry->nta || strrchr(nexthop, ':') > strrchr(nexthop, ']'));
  g_assert_true(g_str_has_prefix(entry->policy, "dane-only") ||
                g_str_has_prefix(entry->policy, "secure") ||
                g_str_has_prefix(entry->policy, "fingerprint match="));
  check_again(entry);
}

static void
try_address(const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup(size > 0 ? (const char *) data : "", size);
  g_auto(Address) address;
  address_read(text, &address);
  g_assert_true((address.domain == NULL) == (address.spelled == NULL));
  if (address.domain == NULL)
    return;
  g_autofree char *again = domain_canonical(address.domain);
  g_assert_cmpstr(again, ==, address.domain);
  g_autofree char *spelled = domain_canonical(address.spelled);
  g_assert_cmpstr(spelled, ==, address.domain);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autoptr(Book) empty = book_parse("empty", "", 0, NULL);
  g_autoptr(Book) book = book_parse("fuzz", (const char *) data, size, NULL);
  if (book != NULL)
    book_compare(empty, book, check_entry, NULL);
  try_address(data, size);
  return 0;
}
