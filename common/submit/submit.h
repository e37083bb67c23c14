/*
 * submit.h - hands mail of our own to zegel-submit, the smtpd that only we reach.
 */
#pragma once

#include <glib.h>

#define SUBMIT_TIMEOUT_S 20

/* Prepares libcurl; call once before any thread. FALSE with ZEGEL_ERROR_CONFIG. */
gboolean
submit_init(GError **error);

/*
 * Submits LEN bytes of MESSAGE (CRLF line ends, not dot-stuffed) from the envelope sender
 * FROM to one recipient TO at URL (smtp://host:port). *QUEUE_ID, when not NULL, gets the
 * queue id of Postfix's reply or NULL; the caller frees it. FALSE with
 * ZEGEL_ERROR_TEMPORARY (4xx, no connection), or ZEGEL_ERROR_INVALID (5xx: this recipient
 * will never be taken); nothing was then accepted as far as we know. Any thread.
 */
gboolean
submit_send(const char *url, const char *from, const char *to, const char *message,
            gsize len, char **queue_id, GError **error);
