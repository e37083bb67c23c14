/*
 * bookfile.h - the domain book as a file that is changed by one at a time.
 *
 * The lock is flock(2) on the book's directory: the book itself is another file after each
 * change. An editor knows nothing of it, so what it wrote meanwhile is noticed and kept.
 */
#pragma once

#include "common/book/book.h"
#include "zegelctl/edit.h"
#include "zegelctl/file.h"

#define BOOK_FILE_LOCK_S 10 /* how long we wait for another zegelctl */

typedef struct {
  char *path;        /* symbolic links followed */
  GString *text;     /* as it was read */
  Book *book;        /* of that text */
  FileRights rights; /* as the file has them */
  int lock;          /* the directory */
} BookFile;

/*
 * Locks and reads the book at PATH; a file that is not there is an empty book. Freed with
 * book_file_close. NULL with ZEGEL_ERROR_CONFIG when it is not a book, and
 * ZEGEL_ERROR_TEMPORARY when another one holds it.
 */
BookFile *
book_file_open(const char *path, GError **error);

/*
 * Does EDIT and replaces the file by the result, once that has been read as a book again.
 * FILE has the new text and book then. FALSE with ZEGEL_ERROR_INVALID when the result is no
 * book, ZEGEL_ERROR_TEMPORARY when somebody else changed the file since it was read, or as
 * file_replace; the file is as it was.
 */
gboolean
book_file_change(BookFile *file, const Edit *edit, GError **error);

/* Ends the lock and frees FILE; NULL is allowed. */
void
book_file_close(BookFile *file);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BookFile, book_file_close)
