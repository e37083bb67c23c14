/*
 * letter.h - mail that zegel writes itself: notifications, codes, messages to senders.
 *
 * A pure function from facts to the text of a message. Everything that people typed is
 * cleaned here: it can neither begin a header nor a line, nor turn the text around.
 */
#pragma once

#include <glib.h>

#define LETTER_NAME_MAX_CHARS    100 /* a display name in text or header */
#define LETTER_ADDRESS_MAX_CHARS 320 /* RFC 5321 4.5.3.1: 64 + 1 + 255 */

/* All borrowed, UTF-8 or not, of any length, but where it says more. */
typedef struct {
  const char *organisation_name; /* of From, as recipients read it */
  const char *service_domain;    /* of From, checked by the configuration */
  const char *recipient;         /* address */
  const char *subject;           /* our own words: ASCII, folded when it is long */
  const char *id;                /* local part of the Message-ID: ASCII, our own */
  gint64 now_s;                  /* Unix time */

  /* NULL, or left out: */
  const char *html;     /* the same words as an HTML document of our own, lines with LF */
  const char *reply_to; /* address of our own */
  const char *in_reply_to; /* Message-ID with <>; what does not look like one is left out */
} LetterFacts;

/* The address that our own mail comes from, "noreply@SERVICE_DOMAIN", a new string. */
char *
letter_sender(const char *service_domain);

/*
 * TEXT (lines end with LF) as a message with CRLF line ends, ASCII only unless the
 * recipient's address is not (the text is quoted-printable). With FACTS->html it has two
 * alternatives (RFC 2046 5.1.4), TEXT first. A new string that holds what TEXT holds: wipe
 * it when that is secret. Dates are in local time. Any thread.
 */
GString *
letter_format(const LetterFacts *facts, const char *text);

/* TEXT as one line of at most MAX characters, a new string of valid UTF-8. */
char *
letter_line(const char *text, guint max);
