/*
 * book_log.h - what the log says of the domain book: what was read, and every change.
 */
#pragma once

#include "common/book/book.h"

/* BOOK of the file at PATH counts from now on; CHANGED rows of routes.db followed it. */
void
book_log_read(const char *path, const Book *book, guint changed);

/* Every difference from OLD to NEW, both of the file at PATH. */
void
book_log_changes(const char *path, const Book *old, const Book *new);
