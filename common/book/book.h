/*
 * book.h - the domain book: where the community and the partners take mail (M4).
 *
 * A text file, one "domain next-hop TLS-rule [client=RULE...] [network=NAME]" a line; the
 * format is zegel-domains(5). A book is read whole or not at all.
 */
#pragma once

#include <glib.h>

#define BOOK_MAX_BYTES      (16 * 1024 * 1024)
#define BOOK_MAX_DOMAINS    100000
#define BOOK_LINE_MAX_BYTES 2048
#define BOOK_NETWORK_MAX    64 /* characters of a network's name */

typedef struct Book Book;

typedef struct {
  char *domain;  /* A-labels, lower case (domain.h) */
  gboolean nta;  /* the next hops are those of its NTA 7516 record, if that counts */
  char *nexthop; /* as Postfix takes it: "[mail.partner.nl]:25", "partner.nl:25"; in lower
                  * case, always with a port; NULL with nta */
  char *policy;  /* as Postfix's TLS policy table has it: "secure match=mail.partner.nl" */
  GStrv clients; /* by what its servers are known (client_rule.h), sorted; never NULL */
  char *network; /* the community that the line came with, or "" */
  guint line;
} BookEntry;

/*
 * The book in the file at PATH, freed with book_free. NULL with ZEGEL_ERROR_CONFIG and
 * "PATH:LINE: what is wrong and what would be right".
 */
Book *
book_load(const char *path, GError **error);

/* Like book_load, for LEN bytes at TEXT; NAME stands in messages. Pure; any thread. */
Book *
book_parse(const char *name, const char *text, gsize len, GError **error);

/* Frees BOOK; NULL is allowed. */
void
book_free(Book *book);

/* The entry of DOMAIN (as domain_canonical gives it), owned by BOOK, or NULL. */
const BookEntry *
book_find(const Book *book, const char *domain);

/* Whether NAME can be a network's: letters, digits and '-', 1 to BOOK_NETWORK_MAX. */
gboolean
book_network_is_valid(const char *name);

/* The line of ENTRY, without an end of line: a new string that book_parse takes. */
char *
book_entry_format(const BookEntry *entry);

/* What stands behind the TLS rule in the line of ENTRY, a new string: empty, or words with
 * a space before each. */
char *
book_entry_options(const BookEntry *entry);

/* The next hop of ENTRY as its line has it, "nta" too; owned by ENTRY. */
const char *
book_entry_nexthop(const BookEntry *entry);

/* The TLS policy that BOOK has for NEXTHOP (with its port), owned by BOOK, or NULL. */
const char *
book_policy_of(const Book *book, const char *nexthop);

/* All entries, owned by BOOK, in no order, as an array that the caller frees. */
GPtrArray *
book_entries(const Book *book);

/* How many domains. */
guint
book_count(const Book *book);

/* SHA-256 of the text in hexadecimal, owned by BOOK: for the log. */
const char *
book_digest(const Book *book);

typedef enum {
  BOOK_ADDED,
  BOOK_REMOVED,
  BOOK_CHANGED
} BookChange;

/* Told of ENTRY: the new one, or for BOOK_REMOVED the old one. */
typedef void (*BookChangeFunc)(BookChange change, const BookEntry *entry, gpointer data);

/* Tells FUNC every difference from OLD to NEW, in no order. */
void
book_compare(const Book *old, const Book *new, BookChangeFunc func, gpointer data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Book, book_free)
