#include "policyd/memo.h"

#include <string.h>

#define HASH_FACTOR G_GUINT64_CONSTANT(0x9e3779b97f4a7c15) /* 2^64 / golden ratio */
#define WORD_BYTES  sizeof(guint64)

typedef struct {
  char *text;
  gint64 until_us;
} Kept;

struct Memo {
  GHashTable *answers; /* MemoKey to Kept */
};

static guint
hash_of(gconstpointer p)
{
  const MemoKey *key = p;
  return key->hash;
}

static gboolean
is_same(gconstpointer a, gconstpointer b)
{
  const MemoKey *one = a, *other = b;
  return one->len == other->len && memcmp(one->text, other->text, one->len) == 0;
}

static void
kept_free(gpointer p)
{
  Kept *kept = p;
  g_free(kept->text);
  g_free(kept);
}

Memo *
memo_new(void)
{
  Memo *memo = g_new0(Memo, 1);
  memo->answers = g_hash_table_new_full(hash_of, is_same, g_free, kept_free);
  return memo;
}

void
memo_free(Memo *memo)
{
  if (memo == NULL)
    return;
  g_hash_table_unref(memo->answers);
  g_free(memo);
}

void
memo_clear(Memo *memo)
{
  g_hash_table_remove_all(memo->answers);
}

/* How many characters at TEXT, of which there are LEN, say nothing but who: no '@', and
 * nothing in which a server, or our own coding, reads more. */
static gsize
count_plain(const char *text, gsize len)
{
  static const gboolean plain[256] = {
      ['0' ... '9'] = TRUE, ['A' ... 'Z'] = TRUE, ['a' ... 'z'] = TRUE, ['.'] = TRUE,
      ['-'] = TRUE,         ['_'] = TRUE,         ['+'] = TRUE,
  };
  gsize count = 0;
  while (count < len && plain[(guchar) text[count]])
    count++;
  return count;
}

/* Where NAME ends when LINE, of LEN octets without its end, begins with it; else NULL. */
static const char *
value_of(const char *line, gsize len, const char *name)
{
  gsize name_len = strlen(name);
  return len >= name_len && memcmp(line, name, name_len) == 0 ? line + name_len : NULL;
}

/* How much of the end of LINE is left out, or of what stands before the '@' in it: from
 * *FROM on. */
static gsize
left_out(const char *line, gsize len, const char **from)
{
  const char *end = line + len;
  if ((*from = value_of(line, len, "queue_id=")) != NULL) {
    gsize count = count_plain(*from, (gsize) (end - *from));
    return *from + count == end ? count : 0;
  }
  if ((*from = value_of(line, len, "sender=")) == NULL)
    *from = value_of(line, len, "recipient=");
  if (*from == NULL)
    return 0;
  gsize count = count_plain(*from, (gsize) (end - *from));
  return *from + count < end && (*from)[count] == '@' ? count : 0;
}

/* Word for word: this is done for every question. */
static guint
hash_text(const MemoKey *key)
{
  guint64 hash = key->len;
  for (gsize i = 0; i < key->len; i += WORD_BYTES) {
    guint64 word;
    memcpy(&word, key->text + i, WORD_BYTES);
    hash = (hash ^ word) * HASH_FACTOR;
    hash ^= hash >> 32;
  }
  return (guint) hash;
}

gboolean
memo_key(const char *block, gsize len, MemoKey *key)
{
  char *out = key->text;
  const char *rest = block; /* what is not copied yet */
  const char *end = block + len;
  if (len > MEMO_KEY_BYTES - WORD_BYTES)
    return FALSE;
  for (const char *line = block; line < end;) {
    const char *newline = memchr(line, '\n', (gsize) (end - line));
    const char *line_end = newline != NULL ? newline : end;
    const char *from;
    gsize gap = left_out(line, (gsize) (line_end - line), &from);
    if (gap > 0) {
      out = mempcpy(out, rest, (gsize) (from - rest));
      rest = from + gap;
    }
    line = line_end + 1;
  }
  out = mempcpy(out, rest, (gsize) (end - rest));
  memset(out, 0, WORD_BYTES);
  key->len = (gsize) (out - key->text);
  key->hash = hash_text(key);
  return TRUE;
}

const char *
memo_find(const Memo *memo, const MemoKey *key, gint64 now_us)
{
  const Kept *kept = g_hash_table_lookup(memo->answers, key);
  return kept != NULL && now_us < kept->until_us ? kept->text : NULL;
}

void
memo_keep(Memo *memo, const MemoKey *key, const char *text, gint64 until_us)
{
  if (g_hash_table_size(memo->answers) >= MEMO_MAX)
    memo_clear(memo);
  Kept *kept = g_new0(Kept, 1);
  kept->text = g_strdup(text);
  kept->until_us = until_us;
  g_hash_table_replace(memo->answers, g_memdup2(key, sizeof *key), kept);
}
