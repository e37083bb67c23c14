#include "deliver/address.h"

#include <string.h>

/* LEN bytes at LOCAL without the quotes and backslashes of a quoted string. */
static char *
unquote(const char *local, gsize len)
{
  if (len < 2 || local[0] != '"' || local[len - 1] != '"')
    return g_strndup(local, len);
  GString *plain = g_string_sized_new(len);
  for (gsize i = 1; i < len - 1; i++) {
    if (local[i] == '\\' && i + 1 < len - 1)
      i++;
    g_string_append_c(plain, local[i]);
  }
  return g_string_free(plain, FALSE);
}

gboolean
address_equal(const char *a, const char *b)
{
  const char *a_at = strrchr(a, '@');
  const char *b_at = strrchr(b, '@');
  if (a_at == NULL || b_at == NULL || g_ascii_strcasecmp(a_at, b_at) != 0)
    return FALSE;
  g_autofree char *a_local = unquote(a, (gsize) (a_at - a));
  g_autofree char *b_local = unquote(b, (gsize) (b_at - b));
  return strcmp(a_local, b_local) == 0;
}
