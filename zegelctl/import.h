/*
 * import.h - what a new list of a network's domains changes in the domain book.
 *
 * Pure: reads a book and a list, and says what to edit.
 */
#pragma once

#include "common/book/book.h"
#include "zegelctl/edit.h"

#define IMPORT_SMALL_NETWORK 20 /* domains: of one that has no more, all may go at once */

typedef struct {
  Edit *edit;
  GPtrArray *added, *removed, *changed; /* of char *, domains; the list's or the book's */
  guint kept;
  GPtrArray *others; /* of BookEntry, the book's: in the list, but with a line of their own,
                      * which stays */
} Import;

/*
 * What makes the lines of TEMPLATE's network in BOOK those of DOMAINS (of char *, as
 * published.h has them), each with next hop, rule and network of TEMPLATE. New lines come
 * behind the last one of the network. Freed with import_free; BOOK and DOMAINS must live as
 * long.
 */
Import *
import_plan(const Book *book, const BookEntry *template, const GPtrArray *domains);

/* Whether so many domains of the network go that a person should have asked for it: more
 * than half of more than IMPORT_SMALL_NETWORK. */
gboolean
import_is_drastic(const Import *import);

/* The entries of BOOK with NETWORK (NULL: all), in the order of their lines, as an array
 * that the caller frees. */
GPtrArray *
import_entries(const Book *book, const char *network);

/* Frees IMPORT; NULL is allowed. */
void
import_free(Import *import);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Import, import_free)
