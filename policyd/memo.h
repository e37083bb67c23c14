/*
 * memo.h - answers that may be given again for a moment, without deciding anew.
 *
 * A question is known by its block, without what no answer hangs on: the queue id, and the
 * local parts in which no server reads a way on. How long an answer holds, and when all
 * must be forgotten, is the business of whoever keeps it here. It knows nothing of routes.
 * One thread.
 */
#pragma once

#include <glib.h>

#define MEMO_MAX       2000 /* answers */
#define MEMO_KEY_BYTES 512  /* room for a question; one to many recipients is not kept */

typedef struct Memo Memo;

/* What a question is known by. */
typedef struct {
  gsize len;
  guint hash;
  char text[MEMO_KEY_BYTES]; /* LEN octets, and zeros up to the next word */
} MemoKey;

/* An empty memo; never NULL, freed with memo_free. */
Memo *
memo_new(void);

/* Frees MEMO; NULL is allowed. */
void
memo_free(Memo *memo);

/* Forgets everything. */
void
memo_clear(Memo *memo);

/*
 * What the question in LEN octets at BLOCK is known by into KEY. FALSE when it is too long.
 * It is not checked: two blocks with one key are both good or both bad, and have the same
 * answer. Pure; any thread.
 */
gboolean
memo_key(const char *block, gsize len, MemoKey *key);

/* The answer to KEY that holds at NOW_US, owned by MEMO until it is called again, or NULL.
 */
const char *
memo_find(const Memo *memo, const MemoKey *key, gint64 now_us);

/* Keeps a copy of TEXT as the answer to KEY; it holds as long as it is before UNTIL_US. */
void
memo_keep(Memo *memo, const MemoKey *key, const char *text, gint64 until_us);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Memo, memo_free)
