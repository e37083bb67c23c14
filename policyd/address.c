#include "policyd/address.h"

#include <string.h>

void
address_read(const char *text, Address *address)
{
  memset(address, 0, sizeof *address);
  const char *at = strrchr(text, '@');
  gsize local_len = at != NULL ? (gsize) (at - text) : strlen(text);
  g_autofree char *local = g_strndup(text, local_len);
  address->local_is_plain = strpbrk(local, "@%!") == NULL;
  if (at == NULL)
    return;
  address->domain = domain_canonical(at + 1);
  if (address->domain != NULL)
    address->spelled =
        g_str_is_ascii(at + 1) ? g_ascii_strdown(at + 1, -1) : g_utf8_casefold(at + 1, -1);
}

void
address_clear(Address *address)
{
  g_clear_pointer(&address->domain, g_free);
  g_clear_pointer(&address->spelled, g_free);
}
