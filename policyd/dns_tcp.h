/*
 * dns_tcp.h - one question to the resolver over TCP, for answers that UDP cannot carry.
 */
#pragma once

#include "policyd/dns_server.h"
#include "common/base/loop.h"

typedef struct DnsTcp DnsTcp;

/* The LEN octets of the response (borrowed, not checked), or NULL: none came. Never called
 * from within dns_tcp_ask; dns_tcp_free is called by whoever takes it. */
typedef void (*DnsTcpDone)(gpointer data, const guint8 *message, gsize len);

/*
 * Sends QUESTION to SERVER and calls DONE with DATA, once; there is no deadline here. NULL
 * when no connection can be made.
 */
DnsTcp *
dns_tcp_ask(Loop *loop, const DnsServer *server, GBytes *question, DnsTcpDone done,
            gpointer data);

/* Ends it: DONE is not called any more. NULL is allowed. */
void
dns_tcp_free(DnsTcp *tcp);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DnsTcp, dns_tcp_free)
