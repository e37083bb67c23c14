#include "policyd/memo.h"

#include <string.h>

typedef struct {
  char *text;
  gint64 until_us;
} Kept;

struct Memo {
  GHashTable *answers; /* key to Kept */
};

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
  memo->answers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, kept_free);
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
  gsize count = 0;
  while (count < len && (g_ascii_isalnum(text[count]) || text[count] == '.' ||
                         text[count] == '-' || text[count] == '_' || text[count] == '+'))
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

gboolean
memo_key(const char *block, gsize len, char key[MEMO_KEY_BYTES])
{
  char *out = key;
  if (len >= MEMO_KEY_BYTES || memchr(block, '\0', len) != NULL)
    return FALSE;
  for (const char *line = block, *end = block + len; line < end;) {
    const char *newline = memchr(line, '\n', (gsize) (end - line));
    const char *next = newline != NULL ? newline + 1 : end;
    const char *from = NULL;
    gsize gap = left_out(line, (gsize) ((newline != NULL ? newline : end) - line), &from);
    const char *rest = gap > 0 ? from + gap : line;
    if (gap > 0)
      out = mempcpy(out, line, (gsize) (from - line));
    out = mempcpy(out, rest, (gsize) (next - rest));
    line = next;
  }
  *out = '\0';
  return TRUE;
}

const char *
memo_find(const Memo *memo, const char *key, gint64 now_us)
{
  const Kept *kept = g_hash_table_lookup(memo->answers, key);
  return kept != NULL && now_us < kept->until_us ? kept->text : NULL;
}

void
memo_keep(Memo *memo, const char *key, const char *text, gint64 until_us)
{
  if (g_hash_table_size(memo->answers) >= MEMO_MAX)
    memo_clear(memo);
  Kept *kept = g_new0(Kept, 1);
  kept->text = g_strdup(text);
  kept->until_us = until_us;
  g_hash_table_replace(memo->answers, g_strdup(key), kept);
}
