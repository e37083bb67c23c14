/* Any bytes as the manifest of a backup or the file with its keys; what is read can be
 * written, and is the same when it is read again. */
#include <glib.h>
#include <stdint.h>

#include "zegelctl/archive.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autoptr(Archive) archive = archive_parse("input", (const char *) data, size, NULL);
  if (archive == NULL)
    return 0;
  g_autoptr(Secret) text = archive_format(archive, NULL, NULL);
  g_assert_nonnull(text);
  g_autoptr(Archive) again =
      archive_parse("again", (const char *) secret_peek(text), secret_size(text), NULL);
  g_assert_nonnull(again);
  g_assert_cmpuint(again->items->len, ==, archive->items->len);
  g_assert_cmpuint(again->keys->len, ==, archive->keys->len);
  g_autoptr(Secret) same = archive_format(again, NULL, NULL);
  g_assert_cmpmem(secret_peek(same), secret_size(same), secret_peek(text),
                  secret_size(text));
  return 0;
}
