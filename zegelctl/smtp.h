/*
 * smtp.h - a few words of SMTP with a stranger's server, each with a deadline and a limit.
 */
#pragma once

#include <netdb.h>

#include "common/crypt/tls_probe.h"

#define SMTP_WAIT_MS         10000 /* for each reply */
#define SMTP_REPLY_MAX_BYTES 16384

typedef struct Smtp Smtp;

/* Connects to ADDRESS. NULL with ZEGEL_ERROR_TEMPORARY. Freed with smtp_close. */
Smtp *
smtp_open(const struct addrinfo *address, GError **error);

/*
 * Sends COMMAND (without its end; NULL: nothing) and reads the reply: its code, from 200 to
 * 599, or -1 with ZEGEL_ERROR_TEMPORARY, or ZEGEL_ERROR_INVALID when it is no reply. TEXT
 * gets its lines without their codes, each with '\n'; remote bytes.
 */
int
smtp_talk(Smtp *smtp, const char *command, GString *text, GError **error);

/* Begins TLS, after a 220 to STARTTLS. What proves PEER is asked of smtp_tls. FALSE as
 * tls_probe_start, and when bytes came before it (ZEGEL_ERROR_INVALID). */
gboolean
smtp_start_tls(Smtp *smtp, const TlsPeer *peer, GError **error);

/* The TLS of SMTP, or NULL. */
const TlsProbe *
smtp_tls(const Smtp *smtp);

/* Closes and frees SMTP; NULL is allowed. */
void
smtp_close(Smtp *smtp);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Smtp, smtp_close)
