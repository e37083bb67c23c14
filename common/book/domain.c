#include "common/book/domain.h"

#include <string.h>

#include <glib.h>

#define DOMAIN_MAX_BYTES 253 /* RFC 1035 2.3.4, as text */
#define LABEL_MAX_BYTES  63

/*
 * Characters that IDNA2003 (GLib) maps to others and IDNA2008 (Postfix) keeps: RFC
 * 5894 7.2. With them the two would mean different domains by one name.
 */
static gboolean
has_deviation(const char *text)
{
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
    gunichar c = g_utf8_get_char(p);
    if (c == 0x00df || c == 0x1e9e || c == 0x03c2 || c == 0x200c || c == 0x200d)
      return TRUE;
  }
  return FALSE;
}

/* LDH labels and '_', of 1 to 63 octets; the dots inside only. */
static gboolean
is_host_name(const char *text)
{
  gsize label = 0;
  for (const char *p = text; *p != '\0'; p++) {
    if (*p == '.') {
      if (label == 0)
        return FALSE;
      label = 0;
    } else if ((!g_ascii_isalnum(*p) && *p != '-' && *p != '_') ||
               ++label > LABEL_MAX_BYTES) {
      return FALSE;
    }
  }
  return label > 0 && strlen(text) <= DOMAIN_MAX_BYTES;
}

/* TEXT as an ASCII name in lower case, or NULL. */
static char *
to_ascii(const char *text)
{
  if (g_str_is_ascii(text))
    return g_ascii_strdown(text, -1); /* as g_hostname_to_ascii does it, but at once */
  return has_deviation(text) ? NULL : g_hostname_to_ascii(text);
}

char *
domain_canonical(const char *text)
{
  gsize len = strlen(text);
  if (len > 0 && text[len - 1] == '.')
    len--; /* the root */
  if (len == 0 || len > DOMAIN_MAX_BYTES || !g_utf8_validate(text, (gssize) len, NULL))
    return NULL;
  g_autofree char *name = g_strndup(text, len);
  g_autofree char *ascii = to_ascii(name);
  if (ascii == NULL || !is_host_name(ascii) || g_hostname_is_ip_address(ascii))
    return NULL;
  return g_steal_pointer(&ascii);
}
