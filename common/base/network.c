#include "common/base/network.h"

#include <arpa/inet.h>
#include <string.h>

#define V6_SITE_BITS 64 /* what one subscriber has at least, RFC 6177 2 */

gboolean
network_parse_address(const char *text, Network *address)
{
  memset(address, 0, sizeof *address);
  if (text == NULL)
    return FALSE;
  if (inet_pton(AF_INET, text, address->bytes) == 1)
    address->bits = NETWORK_V4_BITS;
  else if (inet_pton(AF_INET6, text, address->bytes) == 1)
    address->bits = NETWORK_V6_BITS;
  address->prefix = address->bits;
  return address->bits > 0;
}

/* The part of byte I that is within the first PREFIX bits. */
static guint8
mask_of(guint i, guint prefix)
{
  if (prefix >= (i + 1) * 8)
    return 0xff;
  return prefix <= i * 8 ? 0 : (guint8) (0xff << (8 - prefix % 8));
}

gboolean
network_parse(const char *text, Network *network)
{
  const char *slash = strchr(text, '/');
  g_autofree char *address = slash != NULL ? g_strndup(text, (gsize) (slash - text)) : NULL;
  if (!network_parse_address(slash != NULL ? address : text, network))
    return FALSE;
  guint64 prefix = network->bits;
  if (slash != NULL &&
      !g_ascii_string_to_unsigned(slash + 1, 10, 0, network->bits, &prefix, NULL))
    return FALSE;
  network->prefix = (guint) prefix;
  for (guint i = 0; i < network->bits / 8; i++)
    if ((network->bytes[i] & ~mask_of(i, network->prefix)) != 0)
      return FALSE;
  return TRUE;
}

gboolean
network_contains(const Network *network, const Network *address)
{
  if (network->bits != address->bits)
    return FALSE;
  for (guint i = 0; i < network->bits / 8; i++)
    if (((network->bytes[i] ^ address->bytes[i]) & mask_of(i, network->prefix)) != 0)
      return FALSE;
  return TRUE;
}

gboolean
network_is_loopback(const Network *address)
{
  static const guint8 v6_loopback[16] = {[15] = 1};
  static const guint8 v4_mapped[] = {[10] = 0xff, 0xff, 127}; /* RFC 4291 2.5.5.2 */
  if (address->bits == NETWORK_V4_BITS)
    return address->bytes[0] == 127;
  return memcmp(address->bytes, v4_mapped, sizeof v4_mapped) == 0 ||
         memcmp(address->bytes, v6_loopback, sizeof v6_loopback) == 0;
}

char *
network_count_key(const char *text)
{
  Network network;
  if (!network_parse_address(text, &network))
    return g_strdup("unknown");
  if (network.bits == NETWORK_V6_BITS) {
    network.prefix = V6_SITE_BITS;
    memset(network.bytes + V6_SITE_BITS / 8, 0, sizeof network.bytes - V6_SITE_BITS / 8);
  }
  return network_to_string(&network);
}

char *
network_to_string(const Network *network)
{
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(network->bits == NETWORK_V4_BITS ? AF_INET : AF_INET6, network->bytes, text,
            sizeof text);
  return network->prefix == network->bits ? g_strdup(text)
                                          : g_strdup_printf("%s/%u", text, network->prefix);
}
