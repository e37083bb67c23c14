/*
 * submit.h - hands mail of our own to zegel-submit, the smtpd that only we reach.
 */
#pragma once

#include <glib.h>

#define SUBMIT_TIMEOUT_S 20

/* Loads libcurl, so that a program that cannot send says so at its start; else the first
 * mail does it. FALSE with ZEGEL_ERROR_CONFIG. */
gboolean
submit_init(GError **error);

/*
 * Submits LEN bytes of MESSAGE (CRLF line ends, not dot-stuffed) from the envelope sender
 * FROM to one recipient TO at URL (smtp://host:port). *QUEUE_ID, when not NULL, gets the
 * queue id of Postfix's reply or NULL; the caller frees it. FALSE with
 * ZEGEL_ERROR_TEMPORARY (4xx, no connection, a 5xx that means that zegel-submit does not
 * want us), or ZEGEL_ERROR_INVALID (5.1.x, 5.2.x or 5.6.x to RCPT or to the message, or an
 * address that no SMTP command can carry: this recipient will never be taken); nothing was
 * then accepted as far as we know. Addresses in UTF-8 go out with
 * SMTPUTF8 when zegel-submit announces it. SIGPIPE must be ignored. Any thread.
 */
gboolean
submit_send(const char *url, const char *from, const char *to, const char *message,
            gsize len, char **queue_id, GError **error);

/*
 * The queue id in REPLY, a line such as "250 2.0.0 Ok: queued as 4Xyz", as a new string, or
 * NULL when there is none.
 */
char *
submit_queue_id(const char *reply);
