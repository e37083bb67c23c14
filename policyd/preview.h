/*
 * preview.h - what would become of a message, for mail clients and record systems.
 *
 * The one question that others than our own programs may ask: read-only, in a format with a
 * version of its own, at a socket of its own. It becomes a dry question for routes, whose
 * answer loses the number and gets what the sender still has to do. Protocol:
 * zegel-policy(7). One thread.
 */
#pragma once

#include <glib.h>

#include "common/ask/ask.h"
#include "common/conf/conf.h"

#define PREVIEW_VERSION     1
#define PREVIEW_MAX_WAITING 256 /* so that those who look leave room for those who send */

typedef struct Previews Previews;

/* Whether a number is asked of the sender, for one recipient (S6, S7, S8). */
typedef enum {
  PREVIEW_NUMBER_NO,       /* not for this way */
  PREVIEW_NUMBER_KNOWN,    /* the phone book has one */
  PREVIEW_NUMBER_OPTIONAL, /* without one the code goes by e-mail */
  PREVIEW_NUMBER_NEEDED    /* without one the message is refused */
} PreviewNumber;

/* Whether ANSWER to a SENSITIVE message of ORGANISATION asks a number of its sender. Pure.
 */
PreviewNumber
preview_number(const Organisation *organisation, gboolean sensitive,
               const RouteAnswer *answer);

/*
 * The stable code with which the milter would refuse such a message to COUNT recipients
 * because of the one that has ANSWER and NUMBER, or NULL. Static. Pure.
 */
const char *
preview_refusal(const Organisation *organisation, gboolean sensitive, guint count,
                const RouteAnswer *answer, PreviewNumber number);

/* Nobody waits; never NULL, freed with previews_free. */
Previews *
previews_new(void);

/* Frees PREVIEWS; NULL is allowed. */
void
previews_free(Previews *previews);

/*
 * PEER, who asks nothing else now, asks the question in LEN octets at BLOCK. *QUESTION is
 * the block that asks for routes (request=route), whose answer goes to previews_answer; or
 * it is NULL, and what is returned is the answer for PEER: NULL, cut him off, when it is no
 * question. The caller frees both.
 */
char *
previews_ask(Previews *previews, const Config *config, guint64 peer, const char *block,
             gsize len, char **question);

/* The answer for PEER, made of the routes in TEXT; NULL: cut him off. The caller frees it.
 */
char *
previews_answer(Previews *previews, const Config *config, guint64 peer, const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Previews, previews_free)
