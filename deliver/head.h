/*
 * head.h - the header section of a message that streams by: takes the ticket out.
 *
 * Nothing else in it is looked at. The ticket is for us alone: it is not stored, so that
 * the recipient sees the message as the sender's client made it.
 */
#pragma once

#include <glib.h>

#define HEAD_MAX_BYTES (1024 * 1024) /* a header section is never larger (F24) */

typedef struct Head Head;

/* A head that has seen nothing. Never NULL. Free with head_free. */
Head *
head_new(void);

/* Wipes and frees HEAD; NULL is allowed. */
void
head_free(Head *head);

/*
 * Takes in the next LEN bytes at BYTES and appends to KEEP what is to be stored: whole
 * header lines without the ticket's, and the empty line. Returns how many bytes were used:
 * fewer than LEN only when the body begins there (head_is_over). A head that has grown too
 * large uses everything and keeps nothing.
 */
gsize
head_take(Head *head, const char *bytes, gsize len, GByteArray *keep);

/* The message is over: appends to KEEP what is left of a header section without end. */
void
head_finish(Head *head, GByteArray *keep);

/* Whether the empty line was seen. */
gboolean
head_is_over(const Head *head);

/* Whether the section grew beyond HEAD_MAX_BYTES. */
gboolean
head_is_too_large(const Head *head);

/* How many header fields were tickets. */
guint
head_ticket_count(const Head *head);

/* The value of the first ticket as it stood, folds included; owned by HEAD, or NULL. */
const char *
head_ticket(const Head *head);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Head, head_free)
