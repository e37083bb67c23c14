#include "zegelctl/bookfile.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "common/base/error.h"
#include "tests/unit/tap.h"

#define LINE "a.nl [a.nl]:25 dane-only"

typedef struct {
  char *directory, *path;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture->directory = g_dir_make_tmp("zegel-book-XXXXXX", NULL);
  g_assert_nonnull(fixture->directory);
  fixture->path = g_build_filename(fixture->directory, "domains", NULL);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_unlink(fixture->path);
  g_rmdir(fixture->directory);
  g_free(fixture->path);
  g_free(fixture->directory);
}

static void
write_book(const char *path, const char *text)
{
  g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
assert_book(const char *path, const char *expected)
{
  g_autofree char *text = NULL;
  g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
  g_assert_cmpstr(text, ==, expected);
}

static gboolean
add_line(BookFile *file, const char *line, GError **error)
{
  g_autoptr(Edit) edit = edit_new();
  edit_add(edit, line);
  return book_file_change(file, edit, error);
}

static BookFile *
open_book(const char *path)
{
  g_autoptr(GError) error = NULL;
  BookFile *file = book_file_open(path, &error);
  g_assert_no_error(error);
  return file;
}

static void
test_change(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  write_book(fixture->path, "# x\n" LINE "\n");
  g_assert_cmpint(chmod(fixture->path, 0460), ==, 0);
  g_autoptr(BookFile) file = open_book(fixture->path);
  g_assert_true(add_line(file, "b.nl b.nl secure", &error));
  g_assert_cmpuint(book_count(file->book), ==, 2);
  assert_book(fixture->path, "# x\n" LINE "\nb.nl b.nl secure\n");
  g_assert_true(add_line(file, "c.nl b.nl secure", &error));
  assert_book(fixture->path, "# x\n" LINE "\nb.nl b.nl secure\nc.nl b.nl secure\n");
  struct stat status;
  g_assert_cmpint(stat(fixture->path, &status), ==, 0);
  g_assert_cmpuint(status.st_mode & 07777, ==, 0460);
  g_autofree char *left = g_strconcat(fixture->path, ".new", NULL);
  g_assert_cmpint(access(left, F_OK), !=, 0);
}

/* Only root can try a stranger's file. */
static void
test_owner_stays(Fixture *fixture, gconstpointer data)
{
  (void) data;
  uid_t uid = geteuid() == 0 ? 12345 : geteuid();
  gid_t gid = geteuid() == 0 ? 23456 : getegid();
  write_book(fixture->path, "");
  g_assert_cmpint(chown(fixture->path, uid, gid), ==, 0);
  g_autoptr(BookFile) file = open_book(fixture->path);
  g_assert_true(add_line(file, LINE, NULL));
  struct stat status;
  g_assert_cmpint(stat(fixture->path, &status), ==, 0);
  g_assert_cmpuint(status.st_uid, ==, uid);
  g_assert_cmpuint(status.st_gid, ==, gid);
}

static void
test_no_book_yet(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(BookFile) file = open_book(fixture->path);
  g_assert_true(add_line(file, LINE, NULL));
  assert_book(fixture->path, LINE "\n");
  struct stat status;
  g_assert_cmpint(stat(fixture->path, &status), ==, 0);
  g_assert_cmpuint(status.st_mode & 07777, ==, 0644);
}

static void
test_bad_result(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  write_book(fixture->path, LINE "\n");
  g_autoptr(BookFile) file = open_book(fixture->path);
  g_assert_false(add_line(file, "A.NL b.nl secure", &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  g_assert_nonnull(strstr(error->message, "domains:2: a.nl stands in line 1 already"));
  assert_book(fixture->path, LINE "\n");
}

static void
test_bad_book(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  write_book(fixture->path, "a.nl\n");
  g_autoptr(BookFile) file = book_file_open(fixture->path, &error);
  g_assert_null(file);
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
}

static void
test_an_editor_meanwhile(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  write_book(fixture->path, LINE "\n");
  g_autoptr(BookFile) file = open_book(fixture->path);
  write_book(fixture->path, "# by an editor\n");
  g_assert_false(add_line(file, "b.nl b.nl secure", &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
  assert_book(fixture->path, "# by an editor\n");
}

static void
test_link(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autofree char *target = g_build_filename(fixture->directory, "target", NULL);
  write_book(target, LINE "\n");
  g_assert_cmpint(symlink("target", fixture->path), ==, 0);
  g_autoptr(BookFile) file = open_book(fixture->path);
  g_assert_true(add_line(file, "b.nl b.nl secure", NULL));
  g_assert_true(g_file_test(fixture->path, G_FILE_TEST_IS_SYMLINK));
  assert_book(target, LINE "\nb.nl b.nl secure\n");
  g_unlink(target);
}

static gpointer
add_in_thread(gpointer data)
{
  const Fixture *fixture = data;
  g_autoptr(BookFile) file = open_book(fixture->path);
  g_assert_true(add_line(file, "b.nl b.nl secure", NULL));
  return NULL;
}

/* The second one waits for the first, and then sees what that wrote. */
static void
test_one_at_a_time(Fixture *fixture, gconstpointer data)
{
  (void) data;
  write_book(fixture->path, "");
  BookFile *first = open_book(fixture->path);
  GThread *thread = g_thread_new("second", add_in_thread, fixture);
  g_usleep(200 * 1000);
  assert_book(fixture->path, "");
  g_assert_true(add_line(first, LINE, NULL));
  book_file_close(first);
  g_thread_join(thread);
  assert_book(fixture->path, LINE "\nb.nl b.nl secure\n");
}

static void
add(const char *path, void (*test)(Fixture *, gconstpointer))
{
  g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  add("/bookfile/a change keeps text and mode", test_change);
  add("/bookfile/the owner stays", test_owner_stays);
  add("/bookfile/a book that is not there is empty", test_no_book_yet);
  add("/bookfile/a result that is no book is refused", test_bad_result);
  add("/bookfile/a book with a fault is not edited", test_bad_book);
  add("/bookfile/what an editor wrote meanwhile stays", test_an_editor_meanwhile);
  add("/bookfile/a link stays a link", test_link);
  add("/bookfile/one at a time", test_one_at_a_time);
  return g_test_run();
}
