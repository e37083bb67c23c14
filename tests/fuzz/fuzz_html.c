/*
 * fuzz_html.c - any bytes as HTML: what comes out is harmless.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "reader/charset.h"
#include "reader/html.h"
#include "tests/unit/reader/harmless.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static GByteArray *
any_image(const char *content_id, gpointer data)
{
  (void) data;
  return g_byte_array_append(g_byte_array_new(), (const guint8 *) content_id,
                             (guint) strlen(content_id));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autofree char *source = charset_to_utf8((const char *) data, size, "utf-8");
  HtmlContext context = {any_image, NULL, HTML_IMAGES_MAX_BYTES, FALSE};
  g_autoptr(GString) safe = g_string_new(NULL);
  html_append_safe(safe, source, &context);
  g_autofree char *fault = harmless_find_fault(safe->str, safe->len, FALSE);
  if (fault != NULL)
    g_error("%s in %s", fault, safe->str);
  g_autoptr(GString) text = g_string_new(NULL);
  html_append_text(text, source, &context);
  g_assert_true(g_utf8_validate(text->str, (gssize) text->len, NULL));
  return 0;
}
