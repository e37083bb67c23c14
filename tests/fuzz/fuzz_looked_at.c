/* What strangers send to zegelctl doctor: the answer of a resolver, or the head of one of a
 * web server, by the first octet. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "zegelctl/clock.h"
#include "zegelctl/web.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_answer(const uint8_t *data, size_t size)
{
  guint16 id = size >= 2 ? (guint16) (data[0] << 8 | data[1]) : 0;
  gint64 now_s = G_GINT64_CONSTANT(1800000000), off_s = 77;
  g_autofree guint8 *copy = g_memdup2(data, size); /* so that its end is its end */
  gboolean found = clock_answer(id, copy, size, now_s, &off_s);
  g_assert_true(found || off_s == 77);
  g_assert_true(off_s >= G_MININT32 && off_s <= G_MAXINT32);
}

static void
try_head(const uint8_t *data, size_t size)
{
  g_auto(WebPage) page = {.status = 0};
  g_autofree char *text = g_strndup(size > 0 ? (const char *) data : "", size);
  gboolean good = web_head_parse(text, strlen(text), &page);
  g_assert_true(good == (page.status >= 100 && page.status <= 599));
  for (guint i = 0; good && i < page.headers->len; i++) {
    const char *header = page.headers->pdata[i];
    g_autofree char *name = g_strndup(header, strcspn(header, ":"));
    g_assert_nonnull(web_header(&page, name, 0));
  }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  if (data[0] == 'H')
    try_head(data, size);
  else
    try_answer(data + 1, size - 1);
  return 0;
}
