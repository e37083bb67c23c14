/*
 * follow.h - what the rows of routes.db must be by the domain book.
 *
 * Rows with the book's word get its next hops and rules; those that hang on an NTA record
 * keep their hosts, under the rule that the book has for them. Looks nothing up.
 */
#pragma once

#include <glib.h>

#include "common/book/book.h"
#include "policyd/notes.h"

/*
 * Notes what changes by BOOK and WAYS. WHOLE: also a row for each of its domains, because
 * rows were lost for which mail may wait. Returns how many rows that are.
 */
guint
follow_book(Notes *notes, const Book *book, const PromiseWays *ways, gboolean whole);
