/*
 * network.h - IP addresses and networks, as text and as what they contain.
 */
#pragma once

#include <glib.h>

#define NETWORK_V4_BITS 32
#define NETWORK_V6_BITS 128

/* A network; an address is one of full length. */
typedef struct {
  guint8 bytes[16];
  guint bits;   /* of an address: NETWORK_V4_BITS or NETWORK_V6_BITS */
  guint prefix; /* at most bits; the bytes behind it are zero */
} Network;

/*
 * Parses TEXT, "192.0.2.0/24", "2001:db8::/32" or one address, into *NETWORK. FALSE for all
 * else, also when bits are set behind the prefix. Pure.
 */
gboolean
network_parse(const char *text, Network *network);

/* The same for an address alone; FALSE also for NULL. */
gboolean
network_parse_address(const char *text, Network *address);

/* Whether NETWORK contains ADDRESS; IPv4 and IPv6 are strangers. Pure. */
gboolean
network_contains(const Network *network, const Network *address);

/* Whether ADDRESS is in 127/8, as IPv6 has it too (::ffff:127.0.0.1), or ::1. Pure. */
gboolean
network_is_loopback(const Network *address);

/*
 * What the client at TEXT (NULL is allowed) is counted as, a new string: whoever has IPv6
 * has 2^64 addresses, which count as one. All that is no address counts as one too. Pure.
 */
char *
network_count_key(const char *text);

/* NETWORK in the one way to write it, without "/LENGTH" when it is an address: new string.
 */
char *
network_to_string(const Network *network);
