#include "zegelctl/cf.h"

#include <string.h>

#include "zegelctl/site.h"

/* An entry, or a line of comment or nothing, whose key is NULL. */
typedef struct {
  char *key;
  char *text; /* with the end of its last line */
} Chunk;

struct Cf {
  CfKind kind;
  GPtrArray *chunks; /* of Chunk */
};

static void
chunk_free(Chunk *chunk)
{
  g_free(chunk->key);
  g_free(chunk->text);
  g_free(chunk);
}

static Chunk *
chunk_new(const char *key, const char *text)
{
  Chunk *chunk = g_new0(Chunk, 1);
  chunk->key = g_strdup(key);
  chunk->text = g_strdup(text);
  return chunk;
}

void
cf_free(Cf *cf)
{
  if (cf == NULL)
    return;
  g_ptr_array_unref(cf->chunks);
  g_free(cf);
}

static Chunk *
chunk_at(const Cf *cf, guint i)
{
  return cf->chunks->pdata[i];
}

static gboolean
is_of(const Chunk *chunk, const char *key)
{
  return g_strcmp0(chunk->key, key) == 0;
}

/* ---- Parsing ---- */

/* Whether LINE is of no entry: empty, or a comment (postconf(5), master(5)). */
static gboolean
is_comment(const char *line)
{
  line += strspn(line, " \t\r");
  return *line == '\0' || *line == '\n' || *line == '#';
}

static char *
key_of(CfKind kind, const char *line)
{
  if (kind == CF_MAIN) {
    char *name = g_strndup(line, strcspn(line, "=\n"));
    return g_strchomp(name);
  }
  gsize name = strcspn(line, " \t\n"), space = strspn(line + name, " \t");
  gsize type = strcspn(line + name + space, " \t\n");
  return g_strdup_printf("%.*s/%.*s", (int) name, line, (int) type, line + name + space);
}

/* Puts LINE, which continues the entry before it, and the comments between them, there. */
static void
continue_entry(Cf *cf, guint entry, const char *line)
{
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = entry; i < cf->chunks->len; i++)
    g_string_append(text, chunk_at(cf, i)->text);
  g_string_append(text, line);
  g_ptr_array_set_size(cf->chunks, (int) entry + 1);
  g_free(chunk_at(cf, entry)->text);
  chunk_at(cf, entry)->text = g_string_free(g_steal_pointer(&text), FALSE);
}

Cf *
cf_parse(CfKind kind, const char *text)
{
  Cf *cf = g_new0(Cf, 1);
  guint entry = G_MAXUINT; /* the last entry */
  cf->kind = kind;
  cf->chunks = g_ptr_array_new_with_free_func((GDestroyNotify) chunk_free);
  while (*text != '\0') {
    gsize len = strcspn(text, "\n");
    g_autofree char *line = g_strndup(text, len + (text[len] == '\n' ? 1 : 0));
    text += strlen(line);
    if (is_comment(line)) {
      g_ptr_array_add(cf->chunks, chunk_new(NULL, line));
    } else if (g_ascii_isspace(*line) && entry != G_MAXUINT) {
      continue_entry(cf, entry, line);
    } else {
      g_autofree char *key = key_of(kind, line);
      entry = cf->chunks->len;
      g_ptr_array_add(cf->chunks, chunk_new(key, line));
    }
  }
  return cf;
}

char *
cf_text(const Cf *cf)
{
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < cf->chunks->len; i++)
    g_string_append(text, chunk_at(cf, i)->text);
  return g_string_free(text, FALSE);
}

char *
cf_entry(const Cf *cf, const char *key)
{
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; i < cf->chunks->len; i++)
    if (is_of(chunk_at(cf, i), key))
      g_string_append(text, chunk_at(cf, i)->text);
  return text->len > 0 ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

GPtrArray *
cf_keys(const Cf *cf)
{
  GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < cf->chunks->len; i++) {
    const char *key = chunk_at(cf, i)->key;
    if (key != NULL && !g_ptr_array_find_with_equal_func(keys, key, g_str_equal, NULL))
      g_ptr_array_add(keys, g_strdup(key));
  }
  return keys;
}

/* ---- Changing ---- */

/* The last line of what is there has an end. */
static void
end_last_line(Cf *cf)
{
  if (cf->chunks->len == 0)
    return;
  Chunk *last = chunk_at(cf, cf->chunks->len - 1);
  if (!g_str_has_suffix(last->text, "\n")) {
    char *ended = g_strconcat(last->text, "\n", NULL);
    g_free(last->text);
    last->text = ended;
  }
}

void
cf_put(Cf *cf, const char *key, const char *text)
{
  gboolean done = text == NULL;
  for (guint i = 0; i < cf->chunks->len;) {
    Chunk *chunk = chunk_at(cf, i);
    if (!is_of(chunk, key)) {
      i++;
    } else if (done) {
      g_ptr_array_remove_index(cf->chunks, i);
    } else {
      g_free(chunk->text);
      chunk->text = g_strdup(text);
      done = TRUE;
      i++;
    }
  }
  if (done)
    return;
  end_last_line(cf);
  g_ptr_array_add(cf->chunks, chunk_new(key, text));
}

void
cf_append(Cf *cf, const char *text)
{
  end_last_line(cf);
  g_autofree char *block = g_strconcat(CF_BEGIN, text, CF_END, NULL);
  g_autoptr(Cf) added = cf_parse(cf->kind, block);
  for (guint i = 0; i < added->chunks->len; i++)
    g_ptr_array_add(cf->chunks,
                    chunk_new(chunk_at(added, i)->key, chunk_at(added, i)->text));
}

/* ---- Options ---- */

/* A word of a service: separated by white space, but not inside { }. */
typedef struct {
  gsize start, end;
} Span;

/* The words of ENTRY that are not in comments. */
static GArray *
spans_of(const char *entry)
{
  GArray *spans = g_array_new(FALSE, FALSE, sizeof(Span));
  gboolean line_begins = TRUE, in_word = FALSE;
  int depth = 0;
  Span span = {0, 0};
  for (gsize at = 0;; at++) {
    if (line_begins && is_comment(entry + at)) {
      while (entry[at] != '\0' && entry[at] != '\n')
        at++;
    }
    char c = entry[at];
    gboolean blank = c == '\0' || (depth == 0 && g_ascii_isspace(c));
    if (blank && in_word) {
      span.end = at;
      g_array_append_val(spans, span);
    } else if (!blank && !in_word) {
      span.start = at;
    }
    in_word = !blank;
    depth += c == '{' ? 1 : c == '}' && depth > 0 ? -1 : 0;
    line_begins = c == '\n';
    if (c == '\0')
      return spans;
  }
}

/* "name=value" or "{ name = value }" at SPAN of ENTRY into *NAME and *VALUE, new strings.
 */
static gboolean
parse_option(const char *entry, const Span *span, char **name, char **value)
{
  g_autofree char *copy = g_strndup(entry + span->start, span->end - span->start);
  char *text = copy;
  gsize len = strlen(text);
  if (len >= 2 && text[0] == '{' && text[len - 1] == '}') {
    text[len - 1] = '\0';
    text++;
  }
  char *equals = strchr(text, '=');
  if (equals == NULL)
    return FALSE;
  *equals = '\0';
  *name = g_strdup(g_strstrip(text));
  *value = g_strdup(g_strstrip(equals + 1));
  return TRUE;
}

/* How an option is written: in braces when there is white space in it (master(5)). */
static char *
format_option(const char *name, const char *value)
{
  gboolean braces = strpbrk(value, " \t{}") != NULL;
  return braces ? g_strdup_printf("{ %s = %s }", name, value)
                : g_strdup_printf("%s=%s", name, value);
}

/* The next option of ENTRY behind word *I of SPANS; *AT gets which word it is. */
static gboolean
next_option(const char *entry, const GArray *spans, guint *i, guint *at, char **name,
            char **value)
{
  for (; *i + 1 < spans->len; ++*i) {
    const Span *flag = &g_array_index(spans, Span, *i);
    const Span *word = &g_array_index(spans, Span, *i + 1);
    if (flag->end - flag->start == 2 && strncmp(entry + flag->start, "-o", 2) == 0 &&
        parse_option(entry, word, name, value)) {
      *at = *i + 1;
      *i += 2;
      return TRUE;
    }
  }
  return FALSE;
}

GHashTable *
cf_options(const char *entry)
{
  GHashTable *options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr(GArray) spans = spans_of(entry);
  char *name, *value;
  for (guint i = 0, at; next_option(entry, spans, &i, &at, &name, &value);)
    g_hash_table_replace(options, name, value);
  return options;
}

/* Where the white space before AT begins, with the end of the line before it when nothing
 * else stands between: an option that goes takes that with it. */
static gsize
start_of_gap(const char *entry, gsize at)
{
  while (at > 0 && g_ascii_isspace(entry[at - 1]) && entry[at - 1] != '\n')
    at--;
  return at > 0 && entry[at - 1] == '\n' ? at - 1 : at;
}

char *
cf_set_option(const char *entry, const char *name, const char *value)
{
  GString *text = g_string_new(entry);
  g_autofree char *wanted = value != NULL ? format_option(name, value) : NULL;
  g_autoptr(GArray) spans = spans_of(entry);
  g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(guint));
  char *other, *old;
  for (guint i = 0, at; next_option(entry, spans, &i, &at, &other, &old);) {
    if (g_str_equal(other, name))
      g_array_append_val(found, at);
    g_free(other);
    g_free(old);
  }
  for (guint i = found->len; i-- > 0;) { /* from the end: places before it stay */
    guint at = g_array_index(found, guint, i);
    const Span *flag = &g_array_index(spans, Span, at - 1);
    const Span *word = &g_array_index(spans, Span, at);
    gboolean stays = i == 0 && wanted != NULL;
    gsize start = stays ? word->start : start_of_gap(entry, flag->start);
    g_string_erase(text, (gssize) start, (gssize) (word->end - start));
    if (stays)
      g_string_insert(text, (gssize) start, wanted);
  }
  if (found->len == 0 && wanted != NULL)
    g_string_append_printf(text, "%s  -o %s\n", g_str_has_suffix(entry, "\n") ? "" : "\n",
                           wanted);
  return g_string_free(text, FALSE);
}

#define CHROOT_COLUMN 4 /* master(5) */

char *
cf_set_chroot(const char *entry, gboolean chroot)
{
  GString *text = g_string_new(entry);
  g_autoptr(GArray) spans = spans_of(entry);
  if (spans->len > CHROOT_COLUMN) {
    const Span *column = &g_array_index(spans, Span, CHROOT_COLUMN);
    g_string_erase(text, (gssize) column->start, (gssize) (column->end - column->start));
    g_string_insert(text, (gssize) column->start, chroot ? "y" : "n");
  }
  return g_string_free(text, FALSE);
}

/* ---- Taking out ---- */

/* TEXT of an entry without comments and with one space for each white space: what
 * postconf(1) or an administrator lays out anew is the same. */
static char *
normalise(const char *text)
{
  g_autoptr(GString) plain = g_string_new(NULL);
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    if (is_comment(*line))
      continue;
    g_auto(GStrv) words = g_strsplit_set(*line, " \t\r", -1);
    for (char **word = words; *word != NULL; word++)
      if (**word != '\0')
        g_string_append_printf(plain, " %s", *word);
  }
  return g_string_free(g_steal_pointer(&plain), FALSE);
}

/* The value in ENTRY of main.cf (may be NULL), in one line. */
static char *
value_of(const char *entry)
{
  g_autofree char *plain = normalise(entry != NULL ? entry : "");
  const char *equals = strchr(plain, '=');
  return g_strstrip(g_strdup(equals != NULL ? equals + 1 : ""));
}

static gboolean
is_same(CfKind kind, const char *a, const char *b)
{
  if (a == NULL || b == NULL)
    return a == b;
  g_autofree char *left = kind == CF_MAIN ? value_of(a) : normalise(a);
  g_autofree char *right = kind == CF_MAIN ? value_of(b) : normalise(b);
  return strcmp(left, right) == 0;
}

/* Takes WORD out of WORDS (of char *) once. */
static gboolean
take_word(GPtrArray *words, const char *word)
{
  guint at;
  if (!g_ptr_array_find_with_equal_func(words, word, g_str_equal, &at))
    return FALSE;
  g_ptr_array_remove_index(words, at);
  return TRUE;
}

static GPtrArray *
words_of(const char *entry)
{
  g_autofree char *value = value_of(entry);
  g_auto(GStrv) words = site_words(value);
  GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
  for (char **word = words; *word != NULL; word++)
    g_ptr_array_add(list, g_strdup(*word));
  return list;
}

/*
 * CURRENT, an entry of main.cf, without the words that AFTER has and BEFORE has not. NULL
 * when that is not clear: words of BEFORE were lost on the way, or ours are not all there.
 */
static char *
take_words(const char *key, const char *before, const char *after, const char *current)
{
  g_autoptr(GPtrArray) theirs = words_of(before);
  g_autoptr(GPtrArray) ours = words_of(after);
  g_autoptr(GPtrArray) left = words_of(current);
  for (guint i = 0; i < theirs->len; i++)
    if (!take_word(ours, theirs->pdata[i]))
      return NULL;
  for (guint i = 0; i < ours->len; i++)
    if (!take_word(left, ours->pdata[i]))
      return NULL;
  g_ptr_array_add(left, NULL);
  g_autofree char *value = g_strjoinv(" ", (char **) left->pdata);
  return g_strdup_printf("%s = %s\n", key, value);
}

/* CURRENT, a service, with each option as in BEFORE that AFTER has otherwise. NULL when one
 * of these was changed again. */
static char *
take_options(const char *before, const char *after, const char *current)
{
  g_autoptr(GHashTable) theirs = cf_options(before);
  g_autoptr(GHashTable) ours = cf_options(after);
  g_autoptr(GHashTable) now = cf_options(current);
  g_autofree char *text = g_strdup(current);
  GHashTableIter iter;
  gpointer name, value;
  g_hash_table_iter_init(&iter, ours);
  while (g_hash_table_iter_next(&iter, &name, &value)) {
    const char *old = g_hash_table_lookup(theirs, name);
    if (g_strcmp0(old, value) == 0)
      continue;
    if (g_strcmp0(g_hash_table_lookup(now, name), value) != 0)
      return NULL;
    char *changed = cf_set_option(text, name, old);
    g_free(text);
    text = changed;
  }
  return g_steal_pointer(&text);
}

/* Takes our change of entry KEY out of CF; FALSE when that is not clear. */
static gboolean
take_entry(Cf *cf, const char *key, const char *before, const char *after)
{
  g_autofree char *current = cf_entry(cf, key);
  if (is_same(cf->kind, current, before))
    return TRUE;
  if (is_same(cf->kind, current, after)) {
    cf_put(cf, key, before);
    return TRUE;
  }
  if (current == NULL) /* whoever took it out meant that */
    return TRUE;
  if (before == NULL) /* a new one of ours, which was changed */
    return FALSE;
  g_autofree char *text = cf->kind == CF_MAIN ? take_words(key, before, after, current)
                                              : take_options(before, after, current);
  if (text != NULL)
    cf_put(cf, key, text);
  return text != NULL;
}

/* Whether AFTER has TEXT, a comment, between its marks. */
static gboolean
is_our_comment(const Cf *after, const char *text)
{
  gboolean within = FALSE;
  for (guint i = 0; i < after->chunks->len; i++) {
    const Chunk *chunk = chunk_at(after, i);
    within = within || g_str_equal(chunk->text, CF_BEGIN);
    if (within && chunk->key == NULL && g_str_equal(chunk->text, text))
      return TRUE;
    within = within && !g_str_equal(chunk->text, CF_END);
  }
  return FALSE;
}

/* Takes our comments out of what stands between the marks in CF. */
static void
take_comments(Cf *cf, const Cf *after)
{
  gboolean within = FALSE;
  for (guint i = 0; i < cf->chunks->len;) {
    const Chunk *chunk = chunk_at(cf, i);
    gboolean ends = g_str_equal(chunk->text, CF_END);
    within = within || g_str_equal(chunk->text, CF_BEGIN);
    if (within && chunk->key == NULL && is_our_comment(after, chunk->text))
      g_ptr_array_remove_index(cf->chunks, i);
    else
      i++;
    within = within && !ends;
  }
}

char *
cf_take_out(CfKind kind, const char *before, const char *after, const char *current,
            GPtrArray *conflicts)
{
  g_autoptr(Cf) old = cf_parse(kind, before);
  g_autoptr(Cf) ours = cf_parse(kind, after);
  g_autoptr(Cf) cf = cf_parse(kind, current);
  g_autoptr(GPtrArray) keys = cf_keys(ours);
  for (guint i = 0; i < keys->len; i++) {
    g_autofree char *was = cf_entry(old, keys->pdata[i]);
    g_autofree char *became = cf_entry(ours, keys->pdata[i]);
    if (!is_same(kind, was, became) && !take_entry(cf, keys->pdata[i], was, became))
      g_ptr_array_add(conflicts, g_strdup(keys->pdata[i]));
  }
  take_comments(cf, ours);
  return cf_text(cf);
}
