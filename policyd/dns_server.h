/*
 * dns_server.h - the address of the resolver, and sockets to it.
 */
#pragma once

#include <glib.h>

#include <sys/socket.h>

typedef struct {
  struct sockaddr_storage address;
  socklen_t len;
} DnsServer;

/*
 * Reads TEXT: an IP address on loopback, with ":port" or as "[::1]:port", or without (53).
 * FALSE with ZEGEL_ERROR_CONFIG, which says what to do, for everything else: what comes
 * over a network can say "validated" without being so.
 */
gboolean
dns_server_parse(const char *text, DnsServer *server, GError **error);

/* A non-blocking socket of TYPE, connected to SERVER or (TCP) on its way; -1 with errno. */
int
dns_server_connect(const DnsServer *server, int type);
