#include "zegelctl/published.h"

#include <string.h>

#include "common/base/error.h"
#include "common/book/book.h"
#include "zegelctl/command.h"

#define BOM         "\xef\xbb\xbf"
#define SHOWN_BYTES 60 /* of a line that is wrong */
#define AROUND      " \t\r\f\v\"',;"

/* The part of the LEN bytes at LINE that should be a domain: a new string. */
static char *
strip(const char *line, gsize len)
{
  while (len > 0 && strchr(AROUND, line[len - 1]) != NULL)
    len--;
  while (len > 0 && strchr(AROUND "@", *line) != NULL) {
    line++;
    len--;
  }
  return g_strndup(line, len);
}

/* WORD as the domain book has it, a new string; NULL when the book would not take it. */
static char *
book_domain(const char *word)
{
  if (strpbrk(word, " \t\r\f\v#") != NULL)
    return NULL;
  g_autofree char *line = g_strconcat(word, " [mail.example.nl]:25 secure", NULL);
  g_autoptr(Book) book = book_parse("", line, strlen(line), NULL);
  if (book == NULL)
    return NULL;
  g_autoptr(GPtrArray) entries = book_entries(book);
  return entries->len == 1 ? g_strdup(((const BookEntry *) entries->pdata[0])->domain)
                           : NULL;
}

static gboolean
refuse(const char *name, guint line, const char *word, GError **error)
{
  g_autofree char *valid = g_utf8_make_valid(word, -1);
  g_autofree char *shown =
      g_utf8_substring(valid, 0, MIN(g_utf8_strlen(valid, -1), SHOWN_BYTES));
  return command_error(error, ZEGEL_ERROR_INVALID,
                       "%s:%u: \"%s\" is not a domain such as partner.nl", name, line,
                       shown);
}

/* Takes WORD, from line NUMBER, into LIST; SEEN has its domains. */
static gboolean
take(Published *list, GHashTable *seen, const char *name, guint number, const char *word,
     GError **error)
{
  char *domain = book_domain(word);
  if (domain == NULL && g_hash_table_size(seen) == 0 && list->header == NULL) {
    list->header = g_utf8_make_valid(word, -1);
    return TRUE;
  }
  if (domain == NULL)
    return refuse(name, number, word, error);
  if (!g_hash_table_add(seen, domain)) /* owned by SEEN, which frees the second one */
    return TRUE;
  g_ptr_array_add(list->domains, g_strdup(domain));
  return list->domains->len <= BOOK_MAX_DOMAINS ||
         command_error(error, ZEGEL_ERROR_INVALID, "%s: more than %u domains", name,
                       BOOK_MAX_DOMAINS);
}

static Published *
published_new(void)
{
  Published *list = g_new0(Published, 1);
  list->domains = g_ptr_array_new_with_free_func(g_free);
  return list;
}

Published *
published_parse(const char *name, const char *text, gsize len, GError **error)
{
  g_autoptr(Published) list = published_new();
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  gsize at = len >= strlen(BOM) && memcmp(text, BOM, strlen(BOM)) == 0 ? strlen(BOM) : 0;
  if (len > 0 && memchr(text, '\0', len) != NULL) {
    command_error(error, ZEGEL_ERROR_INVALID, "%s: text with a domain a line is expected",
                  name);
    return NULL;
  }
  for (guint number = 1; at < len; number++) {
    const char *newline = memchr(text + at, '\n', len - at);
    gsize line_len = newline != NULL ? (gsize) (newline - text) - at : len - at;
    g_autofree char *word = strip(text + at, line_len);
    if (*word != '\0' && !take(list, seen, name, number, word, error))
      return NULL;
    at += line_len + 1;
  }
  if (list->header == NULL)
    list->header = g_strdup("");
  return g_steal_pointer(&list);
}

char *
published_format(const char *header, const GPtrArray *domains)
{
  GString *text = g_string_new(header);
  g_string_append_c(text, '\n');
  for (guint i = 0; i < domains->len; i++)
    g_string_append_printf(text, "%s\n", (const char *) domains->pdata[i]);
  return g_string_free(text, FALSE);
}

void
published_free(Published *list)
{
  if (list == NULL)
    return;
  g_free(list->header);
  g_ptr_array_unref(list->domains);
  g_free(list);
}
