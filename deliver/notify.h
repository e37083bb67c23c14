/*
 * notify.h - the notification: the mail that brings the recipient his link (V1).
 *
 * A pure function from facts to the text of a message. Everything that people typed is
 * cleaned here: it can neither begin a header nor a line, nor turn the text around.
 */
#pragma once

#include <glib.h>

/* All borrowed, UTF-8 or not, of any length. */
typedef struct {
  const char *organisation_name; /* as recipients read it */
  const char *service_domain;    /* of From, checked by the configuration */
  const char *viewer_url;        /* ends with '/' */
  const char *contact;           /* how to reach the organisation; "" leaves it out */
  const char *sender;            /* address */
  const char *sender_name;       /* "" when there is none */
  const char *recipient;         /* address */
  const char *number;            /* E.164; only its last two digits are told; "": the
                                  * code comes by e-mail */
  const char *link;              /* the whole URL */
  const char *reference;         /* the same reference gives the same Message-ID */
  gint64 now_s;                  /* Unix time */
  gint64 expires_s;
  gboolean reminder; /* the reader is told once more, shortly before the end (V7) */
  gint64 again_s;    /* not 0: sent once more, because somebody asked so then: a mailbox
                      * that knows the first by its Message-ID must not drop this one */
} NotifyFacts;

/* The link for the link secret SECRET_TEXT (base64url) at VIEWER_URL, a new string. */
char *
notify_link(const char *viewer_url, const char *secret_text);

/* The same for the page that shows the sender what became of his message (S14). */
char *
notify_status_link(const char *viewer_url, const char *secret_text);

/*
 * The notification as a message with CRLF line ends, plain text and HTML with the same
 * words, ASCII only unless the recipient's address is not (its text is quoted-printable). A
 * new string that holds the link: wipe it. Dates are in local time. Any thread.
 */
GString *
notify_format(const NotifyFacts *facts);
