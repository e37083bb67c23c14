/*
 * fuzz_multipart.c - whatever a browser sends, the frames are in order or there are none.
 */
#include <stdint.h>
#include <string.h>

#include "reader/charset.h"
#include "reader/form.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gboolean
collect(const char *bytes, gsize len, gpointer data)
{
  g_string_append_len(data, bytes, (gssize) len);
  return TRUE;
}

/* Checks the frame at P and returns where the next one is; NULL after the last. */
static const char *
check_frame(const char *p, const char *end)
{
  const char *newline = memchr(p, '\n', (gsize) (end - p));
  g_assert_nonnull(newline);
  g_autofree char *line = g_strndup(p, (gsize) (newline - p));
  g_auto(GStrv) words = g_strsplit(line, " ", 0);
  if (strcmp(line, "end") == 0) {
    g_assert_true(newline + 1 == end);
    return NULL;
  }
  gboolean is_file = strcmp(words[0], "file") == 0;
  g_assert_true(is_file || strcmp(words[0], "field") == 0);
  g_assert_cmpuint(g_strv_length(words), ==, is_file ? 5 : 3);
  g_assert_true(g_utf8_validate(line, -1, NULL));
  for (guint i = 0; words[i] != NULL; i++)
    g_assert_cmpstr(words[i], !=, "");
  guint64 size = 0;
  g_assert_true(g_ascii_string_to_unsigned(words[is_file ? 4 : 2], 10, 0,
                                           (guint64) (end - newline - 1), &size, NULL));
  if (is_file)
    g_assert_null(strpbrk(words[2], "/\\"));
  else
    g_assert_true(g_utf8_validate(newline + 1, (gssize) size, NULL));
  return newline + 1 + size;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static gboolean is_ready;
  if (!is_ready)
    is_ready = charset_open() > 0;
  g_autoptr(GString) frames = g_string_new(NULL);
  g_autofree char *request = g_memdup2(data, size);
  FormResult result = form_write(size > 0 ? request : "", size, collect, frames);
  g_assert_cmpint(frames->len > 0, ==, result == FORM_WRITTEN);
  for (const char *p = frames->str; frames->len > 0 && p != NULL;)
    p = check_frame(p, frames->str + frames->len);
  return 0;
}
