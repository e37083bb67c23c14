/* Any bytes as a domain book: what is accepted has only lines that Postfix can use. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "policyd/address.h"
#include "common/book/book.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_entry(BookChange change, const BookEntry *entry, gpointer data)
{
  (void) data;
  g_autofree char *canonical = domain_canonical(entry->domain);
  g_assert_cmpint(change, ==, BOOK_ADDED);
  g_assert_cmpstr(canonical, ==, entry->domain);
  g_assert_true(g_str_is_ascii(entry->nexthop) && *entry->nexthop != '\0');
  g_assert_null(strpbrk(entry->nexthop, " \t\r\n,*"));
  g_assert_true(g_str_has_prefix(entry->policy, "dane-only") ||
                g_str_has_prefix(entry->policy, "secure") ||
                g_str_has_prefix(entry->policy, "fingerprint match="));
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
