/*
 * fuzz_message.c - any bytes as a message: each view comes out, well formed and harmless.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "common/base/attr.h"
#include "reader/charset.h"
#include "reader/clean.h"
#include "reader/view.h"
#include "tests/unit/reader/harmless.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gboolean
add_size(const char *bytes, gsize len, gpointer data)
{
  gsize *sum = data;
  g_assert_cmpuint(len, >, 0);
  (void) bytes;
  *sum += len;
  return TRUE;
}

static void
check_summary(const Message *message)
{
  g_autofree char *block = view_summary(message);
  g_autoptr(Attrs) attrs = attrs_parse(block, strlen(block), ATTR_ESCAPED, NULL);
  g_assert_nonnull(attrs);
  g_assert_nonnull(attrs_get(attrs, "body"));
  for (guint i = 0; i < attrs_count(attrs); i++) {
    const char *name;
    const char *value;
    attrs_nth(attrs, i, &name, &value);
    g_assert_true(g_utf8_validate(value, -1, NULL));
    if (strcmp(name, "name") != 0)
      continue;
    g_assert_cmpuint(strlen(value), <=, CLEAN_FILE_NAME_MAX_BYTES + 1);
    g_assert_true(value[0] != '\0' && value[0] != '.' && strpbrk(value, "/\\\r\n") == NULL);
  }
}

static void
check_bodies(const Message *message)
{
  g_autofree char *text = view_text(message);
  g_assert_true(g_utf8_validate(text, -1, NULL));
  g_autofree char *html = view_html(message);
  g_assert_true(g_utf8_validate(html, -1, NULL));
  g_autofree char *fault = harmless_find_fault(html, strlen(html), TRUE);
  if (fault != NULL)
    g_error("%s in %s", fault, html);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static gboolean is_ready;
  if (!is_ready) {
    charset_open();
    message_init();
    is_ready = TRUE;
  }
  GByteArray *bytes = g_byte_array_new();
  g_autoptr(Message) message =
      message_parse(g_byte_array_append(bytes, data, (guint) size));
  check_summary(message);
  check_bodies(message);
  for (guint part = 1; part <= message->attachments->len; part++) {
    gsize sum = 0;
    g_assert_true(view_part(message, part, add_size, &sum));
    const Attachment *attachment = message->attachments->pdata[part - 1];
    g_assert_cmpuint(sum, ==, message_part_size(attachment->part));
  }
  return 0;
}
