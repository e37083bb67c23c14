#include "common/crypt/box_text.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/base/error.h"
#include "common/crypt/box.h"

#define LINE_MAX_CHARS 76 /* RFC 2045 6.8 */
#define FOLD_CHARS     (LINE_MAX_CHARS - 1)
#define MAX_B64_CHARS  (2 * ATTR_BLOCK_MAX_BYTES)

/* TEXT in lines; FIRST characters fit behind the name. */
static char *
fold(const char *text, gsize first)
{
  gsize len = strlen(text);
  gsize n = MIN(len, first);
  GString *folded = g_string_new_len(text, (gssize) n);
  for (gsize at = n; at < len; at += n) {
    n = MIN(len - at, FOLD_CHARS);
    g_string_append(folded, "\r\n ");
    g_string_append_len(folded, text + at, (gssize) n);
  }
  return g_string_free(folded, FALSE);
}

char *
box_text_seal(const KeyRing *ring, const char *label, const char *name, gconstpointer plain,
              gsize len, GError **error)
{
  g_autoptr(GBytes) box = box_seal(ring, label, NULL, 0, plain, len, error);
  if (box == NULL)
    return NULL;
  gsize box_len = 0;
  const guchar *box_bytes = g_bytes_get_data(box, &box_len);
  g_autofree char *base64 = g_base64_encode(box_bytes, box_len);
  return fold(base64, LINE_MAX_CHARS - strlen(name) - strlen(": "));
}

/* VALUE without the white space of folding, or NULL when it is not base64. */
static char *
unfold(const char *value)
{
  g_autoptr(GString) text = g_string_new(NULL);
  for (const char *p = value; *p != '\0'; p++) {
    if (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')
      continue;
    if (!g_ascii_isalnum(*p) && *p != '+' && *p != '/' && *p != '=')
      return NULL;
    if (text->len == MAX_B64_CHARS)
      return NULL;
    g_string_append_c(text, *p);
  }
  gsize padding = strcspn(text->str, "=");
  if (text->len % 4 != 0 || text->len - padding > 2 ||
      strspn(text->str + padding, "=") != text->len - padding)
    return NULL;
  return g_string_free(g_steal_pointer(&text), FALSE);
}

Secret *
box_text_open(const KeyRing *ring, const char *label, const char *value, GError **error)
{
  g_autofree char *base64 = unfold(value);
  if (base64 == NULL) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "the value is no base64");
    return NULL;
  }
  gsize box_len = 0;
  g_autofree guchar *box = g_base64_decode(base64, &box_len);
  return box_open(ring, label, NULL, 0, box, box_len, error);
}
