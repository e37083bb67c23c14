/*
 * clients.h - the TLS client certificates of those who are connected to Postfix (O4).
 *
 * Postfix's policy delegation tells them for every recipient; kept by address and port, so
 * that they can be asked for moments later. Bounded; what is lost is a client that counts
 * as not known. One thread.
 */
#pragma once

#include <glib.h>

#include "common/ask/client_id.h"

#define CLIENTS_MAX    20000
#define CLIENTS_KEEP_S 600 /* of two waits of smtpd (300 s) between recipient and data */

typedef struct Clients Clients;

/* Nobody is known. Never NULL; freed with clients_free. */
Clients *
clients_new(void);

/* Frees CLIENTS; NULL is allowed. */
void
clients_free(Clients *clients);

/*
 * The client at ADDRESS (textual) and PORT showed CERTIFICATE (taken; NULL: none) at NOW_US
 * (monotonic); whoever had the same address and port before is forgotten.
 */
void
clients_note(Clients *clients, const char *address, guint16 port,
             ClientCertificate *certificate, gint64 now_us);

/* The certificate of the client at ADDRESS and PORT, owned by CLIENTS until it is called
 * again, or NULL. */
const ClientCertificate *
clients_find(Clients *clients, const char *address, guint16 port, gint64 now_us);

/* How many are kept. */
guint
clients_count(const Clients *clients);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Clients, clients_free)
