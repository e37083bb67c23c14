/* Any bytes as a list of domains; what is read stands in a book, and is read the same
 * again. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "common/book/domain.h"
#include "zegelctl/published.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autoptr(Published) list = published_parse("list", (const char *) data, size, NULL);
  if (list == NULL)
    return 0;
  for (guint i = 0; i < list->domains->len; i++) {
    g_autofree char *canonical = domain_canonical(list->domains->pdata[i]);
    g_assert_cmpstr(canonical, ==, list->domains->pdata[i]);
  }
  g_autofree char *text = published_format("header", list->domains);
  g_autoptr(Published) again = published_parse("again", text, strlen(text), NULL);
  g_assert_nonnull(again);
  g_assert_cmpuint(again->domains->len, ==, list->domains->len);
  return 0;
}
