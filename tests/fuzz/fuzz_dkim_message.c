/*
 * Any octets as lines "key ...", "---" and a message (tests/replay/dkim): whatever they
 * hold, each DKIM-Signature field gets one result, and the cuts of the body change none.
 */
#include <stdint.h>

#include "tests/unit/milter/dkim_message.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes the first LEN octets at TEXT as records. */
static GPtrArray *
read_keys(const char *text, gsize len)
{
  GPtrArray *keys = g_ptr_array_new_with_free_func(dkim_test_key_free);
  g_autofree char *front = g_strndup(text, len);
  g_auto(GStrv) lines = g_strsplit(front, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    g_auto(GStrv) words = g_strsplit(*line, " ", 5);
    if (g_strv_length(words) == 5)
      dkim_test_key_add(keys, words[2], words[1], VERIFY_FOUND, words[4]);
  }
  return keys;
}

static guint
count_fields(const char *text, gsize text_len)
{
  DkimMessage message = dkim_message_cut(text, text_len);
  guint count = 0;
  for (guint i = 0; i < message.fields->list->len; i++) {
    const char *name = ((Field *) message.fields->list->pdata[i])->name;
    gsize len = strlen("DKIM-Signature");
    if (g_ascii_strncasecmp(name, "DKIM-Signature", len) == 0)
      count += strspn(name + len, " \t") == strlen(name + len) ? 1 : 0;
  }
  fields_free(message.fields);
  return count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static gsize prepared;
  if (g_once_init_enter(&prepared)) {
    g_assert_true(dkim_prepare(NULL));
    g_once_init_leave(&prepared, 1);
  }
  const char *text = (const char *) data;
  const char *cut = size > 0 ? memmem(text, size, "---\n", 4) : NULL;
  if (cut == NULL)
    return 0;
  gsize len = size - (gsize) (cut + 4 - text);
  g_autoptr(GPtrArray) keys = read_keys(text, (gsize) (cut - text));
  g_autoptr(GPtrArray) whole = dkim_test_verify(cut + 4, len, size, keys);
  g_autoptr(GPtrArray) pieces = dkim_test_verify(cut + 4, len, 3, keys);
  g_assert_cmpuint(whole->len, ==, count_fields(cut + 4, len));
  g_assert_cmpuint(whole->len, ==, pieces->len);
  for (guint i = 0; i < whole->len; i++) {
    const DkimResult *a = whole->pdata[i], *b = pieces->pdata[i];
    g_assert_cmpint(a->status, !=, DKIM_NONE);
    g_assert_cmpint(a->status, ==, b->status);
    g_assert_true((a->status == DKIM_PASS) == (*a->reason == '\0'));
  }
  return 0;
}
