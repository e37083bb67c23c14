#include "zegelctl/bookfile.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "zegelctl/command.h"

#define NEW_MODE 0644 /* a new book: it holds no secret, and policyd must read it */

/* Reads the file with the rights it has. The book's own reader has the last word on both.
 */
static gboolean
read_file(BookFile *file, GError **error)
{
  struct stat status;
  g_autofree char *text = NULL;
  gsize len = 0;
  g_autoptr(GError) reason = NULL;
  if (stat(file->path, &status) != 0 && errno == ENOENT) {
    file->rights = (FileRights){NEW_MODE, (uid_t) -1, (gid_t) -1};
    file->text = g_string_new(NULL);
    file->book = book_parse(file->path, "", 0, error);
    return file->book != NULL;
  }
  file->book = book_load(file->path, error);
  if (file->book == NULL)
    return FALSE;
  if (stat(file->path, &status) != 0 ||
      !g_file_get_contents(file->path, &text, &len, &reason)) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, file->path);
    return FALSE;
  }
  file->rights = (FileRights){status.st_mode & 07777, status.st_uid, status.st_gid};
  file->text = g_string_new_len(text, (gssize) len);
  return TRUE;
}

/* Whether TEXT is that of BOOK. */
static gboolean
is_text_of(const GString *text, const Book *book)
{
  g_autofree char *digest =
      g_compute_checksum_for_string(G_CHECKSUM_SHA256, text->str, (gssize) text->len);
  return strcmp(digest, book_digest(book)) == 0;
}

static gboolean
say_changed(const BookFile *file, GError **error)
{
  return command_error(error, ZEGEL_ERROR_TEMPORARY,
                       "%s: somebody else changed it meanwhile; nothing was done",
                       file->path);
}

BookFile *
book_file_open(const char *path, GError **error)
{
  g_autoptr(BookFile) file = g_new0(BookFile, 1);
  file->path = file_resolve(path);
  file->lock = file_lock_directory(file->path, BOOK_FILE_LOCK_S, error);
  if (file->lock < 0 || !read_file(file, error))
    return NULL;
  if (!is_text_of(file->text, file->book)) {
    say_changed(file, error);
    return NULL;
  }
  return g_steal_pointer(&file);
}

/* Whether the file still is what we read. */
static gboolean
is_unchanged(const BookFile *file)
{
  g_autofree char *text = NULL;
  gsize len = 0;
  if (!g_file_get_contents(file->path, &text, &len, NULL))
    return file->rights.owner == (uid_t) -1 && access(file->path, F_OK) != 0;
  return len == file->text->len && memcmp(text, file->text->str, len) == 0;
}

gboolean
book_file_change(BookFile *file, const Edit *edit, GError **error)
{
  g_autoptr(GError) reason = NULL;
  GString *text = edit_apply(edit, file->text->str, file->text->len);
  Book *book = book_parse(file->path, text->str, text->len, &reason);
  gboolean good = book != NULL;
  if (!good)
    command_error(error, ZEGEL_ERROR_INVALID, "%s; nothing was changed", reason->message);
  else if (!is_unchanged(file))
    good = say_changed(file, error);
  good = good && file_replace(file->path, text->str, text->len, &file->rights, error);
  if (!good) {
    book_free(book);
    g_string_free(text, TRUE);
    return FALSE;
  }
  book_free(file->book);
  g_string_free(file->text, TRUE);
  file->book = book;
  file->text = text;
  return TRUE;
}

void
book_file_close(BookFile *file)
{
  if (file == NULL)
    return;
  if (file->lock >= 0)
    close(file->lock); /* and the lock goes with it */
  if (file->text != NULL)
    g_string_free(file->text, TRUE);
  book_free(file->book);
  g_free(file->path);
  g_free(file);
}
