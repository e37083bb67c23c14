/*
 * compose.h - mail that a visitor wrote: his words and what he attached, as MIME.
 *
 * A pure function from facts to the octets of a message. Each field is one line and is
 * written in one way; what holds a line end or another control is refused, not mended
 * (T14). There is no way to write a header that does not stand here.
 */
#pragma once

#include <glib.h>

#define COMPOSE_MAX_PARTS      100
#define COMPOSE_LINE_MAX_BYTES 1000 /* of a field before it is encoded */

/* A file that goes with it. All borrowed. */
typedef struct {
  const char *name; /* UTF-8, without path */
  const char *type; /* "application/pdf"; what is no media type goes as octet-stream */
  gconstpointer bytes;
  gsize len;
} ComposePart;

/* All borrowed; text is UTF-8. */
typedef struct {
  const char *author;            /* who wrote, as readers see it: name or address */
  const char *organisation_name; /* through whom: "AUTHOR (via ORGANISATION)" */
  const char *service_domain;    /* of From, checked by the configuration */
  const char *reply_to;          /* address of who wrote */
  const char *recipient;         /* address */
  const char *subject;
  const char *id;          /* local part of the Message-ID; nobody can guess it */
  const char *in_reply_to; /* a Message-ID with <>; "" or NULL: of none */
  gint64 now_s;            /* Unix time */
  const char *text;        /* lines end with LF or CRLF */
  const ComposePart *parts;
  guint part_count;     /* at most COMPOSE_MAX_PARTS */
  const char *original; /* a message that goes along as it is, CRLF line ends, or NULL */
  gsize original_len;
} ComposeFacts;

/*
 * The body of the message: CRLF line ends, ASCII unless the original is not. A new string
 * that holds what the visitor wrote (compose_free it), or NULL with ZEGEL_ERROR_INVALID (a
 * field with a control character or no UTF-8, an address that is none) or
 * ZEGEL_ERROR_LIMIT. Any thread.
 */
GString *
compose_body(const ComposeFacts *facts, GError **error);

/*
 * Puts the header before BODY, which compose_body made of the same FACTS, with the field
 * MARK_NAME: MARK first (folded with CRLF and a space, or not; NULL: none). Returns BODY.
 */
GString *
compose_message(const ComposeFacts *facts, const char *mark_name, const char *mark,
                GString *body);

/* Whether TEXT is one line of UTF-8 that can stand in a field: no control character, no
 * line or paragraph separator, not too long. */
gboolean
compose_is_line(const char *text);

/* Wipes and frees MESSAGE; NULL is allowed. */
void
compose_free(GString *message);
