#include "common/book/book.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/label.h"
#include "common/book/client_rule.h"
#include "common/book/domain.h"
#include "common/book/hop.h"

struct Book {
  GHashTable *entries; /* domain to BookEntry */
  GHashTable *hops;    /* next hop to one of its BookEntry, borrowed */
  char *digest;
};

typedef struct {
  const char *name;
  guint line;
  Book *book;
} Parser;

static const char nta_word[] = "nta"; /* in the place of a next hop */
static const char network_prefix[] = "network=";
static const char client_prefix[] = "client=";

static void
entry_free(gpointer p)
{
  BookEntry *entry = p;
  g_free(entry->domain);
  g_free(entry->nexthop);
  g_free(entry->policy);
  g_strfreev(entry->clients);
  g_free(entry->network);
  g_free(entry);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BookEntry, entry_free)

static Book *
book_new(void)
{
  Book *book = g_new0(Book, 1);
  book->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
  book->hops = g_hash_table_new(g_str_hash, g_str_equal);
  return book;
}

void
book_free(Book *book)
{
  if (book == NULL)
    return;
  g_hash_table_unref(book->hops);
  g_hash_table_unref(book->entries);
  g_free(book->digest);
  g_free(book);
}

static gboolean
complain(const Parser *parser, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);

static gboolean
complain(const Parser *parser, GError **error, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  g_autofree char *message = g_strdup_vprintf(format, args);
  va_end(args);
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "%s:%u: %s", parser->name,
              parser->line, message);
  return FALSE;
}

static gboolean
read_domain(const Parser *parser, const char *word, char **domain, GError **error)
{
  if (strchr(word, '*') != NULL || *word == '.')
    return complain(parser, error, "%s: a line stands for one domain; write each out",
                    word);
  g_autofree char *name = domain_canonical(word);
  if (name == NULL || strchr(name, '.') == NULL)
    return complain(parser, error, "%s: a domain such as partner.nl is expected", word);
  g_autofree char *labelled = g_strconcat("x@", name, NULL);
  g_autofree char *tried = label_add(labelled, LABEL_DIRECT, NULL);
  if (tried == NULL)
    return complain(parser, error, "%s: the domain is too long, or one of zegel's own",
                    word);
  *domain = g_steal_pointer(&name);
  return TRUE;
}

/* Postfix looks the rule up by the next hop: it can only have one. */
static gboolean
add_entry(Parser *parser, BookEntry *entry, GError **error)
{
  const BookEntry *same = g_hash_table_lookup(parser->book->entries, entry->domain);
  if (same != NULL)
    return complain(parser, error, "%s stands in line %u already", entry->domain,
                    same->line);
  const BookEntry *other =
      entry->nta ? NULL : g_hash_table_lookup(parser->book->hops, entry->nexthop);
  if (other != NULL && strcmp(other->policy, entry->policy) != 0)
    return complain(parser, error, "%s has another TLS rule in line %u: a next hop has one",
                    entry->nexthop, other->line);
  if (g_hash_table_size(parser->book->entries) == BOOK_MAX_DOMAINS)
    return complain(parser, error, "more than %u domains", BOOK_MAX_DOMAINS);
  return TRUE;
}

gboolean
book_network_is_valid(const char *name)
{
  gsize len = strlen(name);
  gboolean good = len > 0 && len <= BOOK_NETWORK_MAX;
  for (gsize i = 0; good && i < len; i++)
    good = g_ascii_isalnum(name[i]) || name[i] == '-';
  return good;
}

static gboolean
read_network(const Parser *parser, const char *name, BookEntry *entry, GError **error)
{
  if (entry->network != NULL)
    return complain(parser, error, "%s%s: a line is of one network", network_prefix, name);
  if (!book_network_is_valid(name))
    return complain(parser, error,
                    "%s%s: a name of letters, digits and '-' is expected, at most %u",
                    network_prefix, name, BOOK_NETWORK_MAX);
  entry->network = g_strdup(name);
  return TRUE;
}

static gint
compare_texts(gconstpointer a, gconstpointer b)
{
  return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Each of RULES once, sorted: the same rules are always written the same way. */
static GStrv
sort_rules(GPtrArray *rules)
{
  g_autoptr(GStrvBuilder) sorted = g_strv_builder_new();
  g_ptr_array_sort(rules, compare_texts);
  for (guint i = 0; i < rules->len; i++)
    if (i == 0 || strcmp(rules->pdata[i], rules->pdata[i - 1]) != 0)
      g_strv_builder_add(sorted, rules->pdata[i]);
  return g_strv_builder_end(sorted);
}

static gboolean
read_client(const Parser *parser, const char *text, GPtrArray *rules, GError **error)
{
  g_autoptr(GError) reason = NULL;
  char *rule = client_rule_parse(text, &reason);
  if (rule == NULL)
    return complain(parser, error, "%s", reason->message);
  g_ptr_array_add(rules, rule);
  return TRUE;
}

/* Takes client=RULE and network=NAME off the end of WORDS, as many as there are. */
static gboolean
read_options(const Parser *parser, GPtrArray *words, BookEntry *entry, GError **error)
{
  g_autoptr(GPtrArray) rules = g_ptr_array_new_with_free_func(g_free);
  for (gboolean more = TRUE; more && words->len > 1;) {
    const char *word = words->pdata[words->len - 1];
    gboolean is_network = g_str_has_prefix(word, network_prefix);
    more = is_network || g_str_has_prefix(word, client_prefix);
    if (is_network && !read_network(parser, word + strlen(network_prefix), entry, error))
      return FALSE;
    if (more && !is_network &&
        !read_client(parser, word + strlen(client_prefix), rules, error))
      return FALSE;
    if (more)
      g_ptr_array_set_size(words, (gint) words->len - 1);
  }
  entry->clients = sort_rules(rules);
  if (entry->network == NULL)
    entry->network = g_strdup("");
  return TRUE;
}

/* What WORDS, after the domain, say of ENTRY: next hop and TLS rule. */
static gboolean
read_way(const Parser *parser, BookEntry *entry, const char *const *words, GError **error)
{
  g_autoptr(GError) reason = NULL;
  gboolean is_address = FALSE;
  if (words[0] == NULL)
    return complain(parser, error, "%s: a next hop and a TLS rule are missing",
                    entry->domain);
  entry->nta = g_ascii_strcasecmp(words[0], nta_word) == 0;
  if (!entry->nta)
    entry->nexthop = hop_parse(words[0], &is_address, &reason);
  else if (*entry->clients != NULL)
    return complain(parser, error,
                    "client= is not for nta: its record decides, and how the message came");
  if (reason == NULL)
    entry->policy = hop_parse_rule(words + 1, is_address, &reason);
  return reason == NULL || complain(parser, error, "%s", reason->message);
}

static gboolean
parse_words(Parser *parser, GPtrArray *words, GError **error)
{
  g_autoptr(BookEntry) entry = g_new0(BookEntry, 1);
  entry->line = parser->line;
  if (!read_domain(parser, words->pdata[0], &entry->domain, error) ||
      !read_options(parser, words, entry, error))
    return FALSE;
  g_ptr_array_add(words, NULL);
  if (!read_way(parser, entry, (const char *const *) words->pdata + 1, error) ||
      !add_entry(parser, entry, error))
    return FALSE;
  if (!entry->nta)
    g_hash_table_insert(parser->book->hops, entry->nexthop, entry);
  g_hash_table_insert(parser->book->entries, entry->domain, entry);
  g_steal_pointer(&entry);
  return TRUE;
}

static gboolean
parse_line(Parser *parser, const char *line, gsize len, GError **error)
{
  if (len > BOOK_LINE_MAX_BYTES)
    return complain(parser, error, "the line is longer than %u octets",
                    BOOK_LINE_MAX_BYTES);
  g_autofree char *copy = g_strndup(line, len);
  copy[strcspn(copy, "#")] = '\0';
  g_auto(GStrv) pieces = g_strsplit_set(copy, " \t\r\f\v", -1);
  g_autoptr(GPtrArray) words = g_ptr_array_new();
  for (char **piece = pieces; *piece != NULL; piece++)
    if (**piece != '\0')
      g_ptr_array_add(words, *piece);
  return words->len == 0 || parse_words(parser, words, error);
}

Book *
book_parse(const char *name, const char *text, gsize len, GError **error)
{
  g_autoptr(Book) book = book_new();
  Parser parser = {.name = name, .line = 1, .book = book};
  if (len == 0)
    text = ""; /* NULL is allowed then */
  if (len > BOOK_MAX_BYTES || memchr(text, '\0', len) != NULL ||
      !g_utf8_validate(text, (gssize) len, NULL)) {
    complain(&parser, error, "this is not a domain book: text in UTF-8 is expected");
    return NULL;
  }
  const char *end = text + len;
  for (const char *line = text; line < end; parser.line++) {
    const char *newline = memchr(line, '\n', (gsize) (end - line));
    const char *stop = newline != NULL ? newline : end;
    if (!parse_line(&parser, line, (gsize) (stop - line), error))
      return NULL;
    line = stop + 1;
  }
  book->digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *) text, len);
  return g_steal_pointer(&book);
}

/* The book says whom mail is trusted to: nobody but its owner and group may write it. */
static gboolean
check_file(int fd, const char *path, GError **error)
{
  struct stat status;
  const char *cure = NULL;
  if (fstat(fd, &status) < 0)
    cure = "cannot be looked at";
  else if (!S_ISREG(status.st_mode))
    cure = "is no regular file";
  else if ((status.st_mode & S_IWOTH) != 0)
    cure = "can be written by everybody: chmod o-w";
  else if (status.st_size > BOOK_MAX_BYTES)
    cure = "is too large for a domain book";
  if (cure == NULL)
    return TRUE;
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "%s: %s", path, cure);
  return FALSE;
}

/* What is in FD, one octet more than allowed at most: the file may grow meanwhile. */
static gboolean
read_all(int fd, GString *text, GError **error)
{
  char buffer[65536];
  gssize got = 1;
  while (got > 0 && text->len <= BOOK_MAX_BYTES) {
    got = read(fd, buffer, sizeof buffer);
    if (got > 0)
      g_string_append_len(text, buffer, got);
  }
  if (got < 0)
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, "read");
  return got >= 0;
}

Book *
book_load(const char *path, GError **error)
{
  /* O_NONBLOCK: a FIFO in its place must not stop us. */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    int reason = errno;
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG,
                "%s: %s (a book without a domain is an empty file)", path,
                g_strerror(reason));
    return NULL;
  }
  g_autoptr(GString) text = g_string_new(NULL);
  Book *book = NULL;
  if (check_file(fd, path, error) && read_all(fd, text, error))
    book = book_parse(path, text->str, text->len, error);
  close(fd);
  return book;
}

const BookEntry *
book_find(const Book *book, const char *domain)
{
  return g_hash_table_lookup(book->entries, domain);
}

char *
book_entry_options(const BookEntry *entry)
{
  GString *options = g_string_new(NULL);
  for (char **rule = entry->clients; *rule != NULL; rule++)
    g_string_append_printf(options, " %s%s", client_prefix, *rule);
  if (*entry->network != '\0')
    g_string_append_printf(options, " %s%s", network_prefix, entry->network);
  return g_string_free(options, FALSE);
}

char *
book_entry_format(const BookEntry *entry)
{
  g_autofree char *rule = hop_format_rule(entry->policy);
  g_autofree char *options = book_entry_options(entry);
  return g_strconcat(entry->domain, " ", book_entry_nexthop(entry), " ", rule, options,
                     NULL);
}

const char *
book_entry_nexthop(const BookEntry *entry)
{
  return entry->nta ? nta_word : entry->nexthop;
}

const char *
book_policy_of(const Book *book, const char *nexthop)
{
  const BookEntry *entry = g_hash_table_lookup(book->hops, nexthop);
  return entry != NULL ? entry->policy : NULL;
}

GPtrArray *
book_entries(const Book *book)
{
  GPtrArray *entries = g_ptr_array_new();
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init(&iter, book->entries);
  while (g_hash_table_iter_next(&iter, NULL, &value))
    g_ptr_array_add(entries, value);
  return entries;
}

guint
book_count(const Book *book)
{
  return g_hash_table_size(book->entries);
}

const char *
book_digest(const Book *book)
{
  return book->digest;
}

static gboolean
entry_equal(const BookEntry *a, const BookEntry *b)
{
  return a->nta == b->nta && g_strcmp0(a->nexthop, b->nexthop) == 0 &&
         strcmp(a->policy, b->policy) == 0 && strcmp(a->network, b->network) == 0 &&
         g_strv_equal((const char *const *) a->clients, (const char *const *) b->clients);
}

void
book_compare(const Book *old, const Book *new, BookChangeFunc func, gpointer data)
{
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init(&iter, old->entries);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    const BookEntry *entry = value;
    const BookEntry *now = book_find(new, entry->domain);
    if (now == NULL)
      func(BOOK_REMOVED, entry, data);
    else if (!entry_equal(entry, now))
      func(BOOK_CHANGED, now, data);
  }
  g_hash_table_iter_init(&iter, new->entries);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    const BookEntry *entry = value;
    if (book_find(old, entry->domain) == NULL)
      func(BOOK_ADDED, entry, data);
  }
}
