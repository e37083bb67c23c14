/*
 * test_inspect.c - the pool of readers: with the real zegel-reader, and with programs that
 * hang, die, flood and lie in its place.
 */
#include "milter/inspect.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/error.h"
#include "tests/unit/tap.h"

#define MEGABYTE (1024 * 1024)
#define SHA256_X "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
#define GOOD     "printf 'total=0\\ncut=0\\nlast=0\\n\\n'\n"

static const char plain[] = "Subject: x\r\n\r\nhello\r\n";

static const char mixed[] =
    "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\n\r\nhello\r\n"
    "--b\r\nContent-Type: application/pdf; name=x.exe\r\n"
    "Content-Disposition: attachment; filename=x.pdf\r\n\r\nx"
    "\r\n--b--\r\n";

/* The program that stands in for zegel-reader. */
typedef struct {
  char *dir;
  char *script;
} Place;

static void
set_up(Place *place, gconstpointer data)
{
  (void) data;
  place->dir = g_dir_make_tmp("zegel-inspect-XXXXXX", NULL);
  place->script = g_build_filename(place->dir, "reader", NULL);
}

/* Also: no process of ours is left. */
static void
tear_down(Place *place, gconstpointer data)
{
  (void) data;
  g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, -1);
  g_assert_cmpint(errno, ==, ECHILD);
  g_autofree char *mark = g_build_filename(place->dir, "mark", NULL);
  g_unlink(mark);
  g_unlink(place->script);
  g_assert_cmpint(g_rmdir(place->dir), ==, 0);
  g_free(place->script);
  g_free(place->dir);
}

static void
write_script(const Place *place, const char *body)
{
  g_autofree char *text = g_strdup_printf("#!/bin/sh\nmark=%s/mark\nmessage=%u\n%s\n",
                                          place->dir, (guint) (strlen(plain) + 8), body);
  g_assert_true(g_file_set_contents_full(place->script, text, -1, G_FILE_SET_CONTENTS_NONE,
                                         0700, NULL));
}

static char *
real_reader(void)
{
  return g_test_build_filename(G_TEST_BUILT, "reader", "zegel-reader", NULL);
}

static guint
count_descriptors(void)
{
  g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
  guint count = 0;
  while (g_dir_read_name(dir) != NULL)
    count++;
  return count;
}

static Inspected *
inspect(Inspectors *inspectors, const char *message, gsize len, GError **error)
{
  Inspection *inspection = inspection_begin(inspectors);
  for (gsize at = 0; at < len; at += 65535)
    inspection_write(inspection, message + at, MIN(len - at, 65535));
  return inspection_end(inspection, error);
}

static void
assert_good(Inspectors *inspectors, const char *message, guint parts)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Inspected) inspected = inspect(inspectors, message, strlen(message), &error);
  g_assert_no_error(error);
  g_assert_cmpuint(inspected->parts->len, ==, parts);
}

/* That it fails, and within SECONDS. */
static void
assert_bad(Inspectors *inspectors, const char *message, gsize len, gdouble seconds,
           const char *word)
{
  gint64 before_us = g_get_monotonic_time();
  g_autoptr(GError) error = NULL;
  g_autoptr(Inspected) inspected = inspect(inspectors, message, len, &error);
  g_assert_null(inspected);
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
  g_test_message("%s", error->message);
  g_assert_nonnull(strstr(error->message, word));
  g_assert_cmpfloat((gdouble) (g_get_monotonic_time() - before_us) / G_USEC_PER_SEC, <,
                    seconds);
}

static void
test_parts(void)
{
  g_autofree char *path = real_reader();
  Inspectors *inspectors = inspectors_new(path, 1);
  g_autoptr(GError) error = NULL;
  g_autoptr(Inspected) inspected = inspect(inspectors, mixed, strlen(mixed), &error);
  g_assert_no_error(error);
  g_assert_cmpuint(inspected->parts->len, ==, 2);
  g_assert_cmpuint(inspected->total_bytes, ==, 1);
  g_assert_false(inspected->cut);
  g_assert_null(inspected->unreadable);
  const InspectedPart *part = inspected->parts->pdata[0];
  g_assert_cmpstr(part->name, ==, "x.pdf");
  g_assert_cmpstr(part->type, ==, "application/pdf");
  g_assert_cmpuint(part->size, ==, 1);
  g_assert_false(part->listed);
  g_autoptr(GString) hash = g_string_new(NULL);
  for (gsize i = 0; i < sizeof part->sha256; i++)
    g_string_append_printf(hash, "%02x", part->sha256[i]);
  g_assert_cmpstr(hash->str, ==, SHA256_X);
  const InspectedPart *other = inspected->parts->pdata[1];
  g_assert_cmpstr(other->name, ==, "x.exe");
  g_assert_true(other->listed);
  inspectors_free(inspectors);
}

/* One reader after the other, each with its share, and nothing fails in between. */
static void
test_many(void)
{
  guint before = count_descriptors();
  g_autofree char *path = real_reader();
  Inspectors *inspectors = inspectors_new(path, 1);
  for (guint i = 0; i < 450; i++)
    assert_good(inspectors, i % 2 == 0 ? mixed : plain, i % 2 == 0 ? 2 : 0);
  g_assert_cmpuint(count_descriptors(), ==, before + 3); /* one reader's */
  g_autoptr(GString) large = g_string_new(mixed);
  while (large->len < 12 * MEGABYTE)
    g_string_append(large, "and so on, and so on, and so on, and so on, and so on\r\n");
  for (guint i = 0; i < 3; i++) {
    assert_good(inspectors, large->str, 2);
    assert_good(inspectors, mixed, 2);
  }
  inspectors_free(inspectors);
  g_assert_cmpuint(count_descriptors(), ==, before);
}

static gpointer
inspect_often(gpointer data)
{
  Inspectors *inspectors = data;
  for (guint i = 0; i < 40; i++) {
    if (i % 5 == 0) {
      Inspection *inspection = inspection_begin(inspectors);
      inspection_write(inspection, mixed, i);
      inspection_abandon(inspection);
    }
    assert_good(inspectors, mixed, 2);
  }
  return NULL;
}

/* More sessions than readers. */
static void
test_threads(void)
{
  GThread *threads[12];
  g_autofree char *path = real_reader();
  Inspectors *inspectors = inspectors_new(path, 2);
  for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
    threads[i] = g_thread_new("session", inspect_often, inspectors);
  for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
    g_thread_join(threads[i]);
  inspectors_free(inspectors);
}

/* What a program may do instead, and the word that the error has. */
static const struct {
  const char *body;
  const char *word;
} liars[] = {
    {"exit 1", ""},
    {"head -c $message >/dev/null", "ended"},
    {"head -c $message >/dev/null; echo x; echo; cat >/dev/null", "attribute 1"},
    {"head -c $message >/dev/null; echo a=b; echo; cat >/dev/null", "senseless"},
    {"head -c $message >/dev/null; echo total=0; echo; cat >/dev/null", "not complete"},
    {"head -c $message >/dev/null; printf 'total=0\\ncut=0\\nlast=0\\n\\n\\n'", "not one"},
    {"head -c $message >/dev/null; yes name=x", "too much"},
    {"head -c $message >/dev/null; yes ''", "not one block"},
    {"exec >/dev/null; cat >/dev/null", "ended"},
    {"kill -9 $$", ""},
};

static void
test_liars(Place *place, gconstpointer data)
{
  (void) data;
  guint before = count_descriptors();
  for (gsize i = 0; i < G_N_ELEMENTS(liars); i++) {
    g_test_message("%s", liars[i].body);
    write_script(place, liars[i].body);
    Inspectors *inspectors = inspectors_new(place->script, 1);
    for (guint n = 0; n < 2; n++)
      assert_bad(inspectors, plain, strlen(plain), 3, liars[i].word);
    inspectors_free(inspectors);
    g_assert_cmpuint(count_descriptors(), ==, before);
  }
}

/* Answers before it was asked: nothing of it may end up with another message. */
static void
test_early(Place *place, gconstpointer data)
{
  (void) data;
  write_script(place, GOOD "cat >/dev/null");
  Inspectors *inspectors = inspectors_new(place->script, 1);
  g_autofree char *large = g_malloc0(2 * INSPECT_HELD_BYTES);
  Inspection *inspection = inspection_begin(inspectors);
  inspection_write(inspection, large, 2 * INSPECT_HELD_BYTES);
  g_usleep(G_USEC_PER_SEC / 2);
  g_autoptr(GError) error = NULL;
  g_assert_null(inspection_end(inspection, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
  g_assert_nonnull(strstr(error->message, "too early"));
  inspectors_free(inspectors);
}

/* One that fails is replaced, and so is one that ended after a good answer, unasked. */
static void
test_replaced(Place *place, gconstpointer data)
{
  (void) data;
  write_script(place, "[ -e $mark ] || { : >$mark; exit 1; }\n"
                      "head -c $message >/dev/null\n" GOOD);
  Inspectors *inspectors = inspectors_new(place->script, 1);
  assert_bad(inspectors, plain, strlen(plain), 9, "");
  for (guint i = 0; i < 3; i++) {
    assert_good(inspectors, plain, 0);
    g_usleep(G_USEC_PER_SEC); /* it is gone */
  }
  inspectors_free(inspectors);
  write_script(place, "head -c $message >/dev/null\n" GOOD "sleep 0.05; echo; sleep 9");
  inspectors = inspectors_new(place->script, 1);
  for (guint i = 0; i < 3; i++) {
    assert_good(inspectors, plain, 0);
    g_usleep(G_USEC_PER_SEC); /* it is gone */
  }
  inspectors_free(inspectors);
}

/* One that never wants to end gets no more than its share. */
static void
test_tireless(Place *place, gconstpointer data)
{
  (void) data;
  write_script(place, "echo x >>$mark\n"
                      "while head -c $message | grep -q .; do " GOOD "done");
  Inspectors *inspectors = inspectors_new(place->script, 1);
  for (guint i = 0; i < 300; i++)
    assert_good(inspectors, plain, 0);
  inspectors_free(inspectors);
  g_autofree char *mark = g_build_filename(place->dir, "mark", NULL);
  g_autofree char *starts = NULL;
  g_assert_true(g_file_get_contents(mark, &starts, NULL, NULL));
  g_assert_cmpstr(starts, ==, "x\nx\n");
}

static void
test_missing(Place *place, gconstpointer data)
{
  (void) data;
  g_autofree char *nowhere = g_build_filename(place->dir, "nowhere", NULL);
  Inspectors *inspectors = inspectors_new(nowhere, 1);
  assert_bad(inspectors, plain, strlen(plain), 3, "nowhere");
  assert_bad(inspectors, plain, strlen(plain), 3, "nowhere");
  inspectors_free(inspectors);
}

typedef struct {
  Inspectors *inspectors;
  gsize len;
} Hanging;

static gpointer
wait_in_vain(gpointer data)
{
  const Hanging *hanging = data;
  g_autofree char *message = g_malloc0(hanging->len);
  assert_bad(hanging->inspectors, message, hanging->len, 25, "in time");
  return NULL;
}

/* Programs that never read, or never answer, and one that reads a little now and then. */
static void
test_hanging(Place *place, gconstpointer data)
{
  (void) data;
  static const char *const bodies[] = {"exec sleep 60", "cat >/dev/null",
                                       "while sleep 1; do head -c 65536 >/dev/null; done"};
  GThread *threads[2 * G_N_ELEMENTS(bodies)];
  Hanging hangings[2 * G_N_ELEMENTS(bodies)];
  for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
    write_script(place, bodies[i / 2]);
    hangings[i].inspectors = inspectors_new(place->script, 1);
    hangings[i].len = i % 2 == 0 ? sizeof plain - 1 : 2 * MEGABYTE;
    threads[i] = g_thread_new("hang", wait_in_vain, &hangings[i]);
    g_usleep(G_USEC_PER_SEC / 4); /* the script is read when it starts */
  }
  for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
    g_thread_join(threads[i]);
    inspectors_free(hangings[i].inspectors);
  }
}

/* A session that begins a large message and then sends nothing loses its reader. */
static void
test_stalled(void)
{
  g_autofree char *path = real_reader();
  Inspectors *inspectors = inspectors_new(path, 1);
  g_autofree char *large = g_malloc0(4 * INSPECT_HELD_BYTES);
  Inspection *stalled = inspection_begin(inspectors);
  inspection_write(stalled, large, 4 * INSPECT_HELD_BYTES);
  Inspection *small[50]; /* those that have sent little have none to lose */
  for (gsize i = 0; i < G_N_ELEMENTS(small); i++) {
    small[i] = inspection_begin(inspectors);
    inspection_write(small[i], plain, sizeof plain - 1);
  }
  gint64 before_us = g_get_monotonic_time();
  assert_good(inspectors, mixed, 2);
  g_assert_cmpint(g_get_monotonic_time() - before_us, <, 8 * G_USEC_PER_SEC);
  for (gsize i = 0; i < G_N_ELEMENTS(small); i++) {
    g_autoptr(Inspected) inspected = inspection_end(small[i], NULL);
    g_assert_nonnull(inspected);
  }
  inspection_write(stalled, large, 4 * INSPECT_HELD_BYTES);
  g_autoptr(GError) error = NULL;
  g_assert_null(inspection_end(stalled, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
  assert_good(inspectors, mixed, 2);
  inspectors_free(inspectors);
}

#define PART "name=a\ntype=b/c\nsize=2\nsha256=" SHA256_X "\n"
#define END  "total=2\ncut=0\nlast=1\n\n"

/* What a reader may say, and what not. */
static void
test_parse(void)
{
  static const struct {
    const char *answer;
    gint parts; /* or -1 */
  } rows[] = {
      {"total=0\ncut=0\nlast=1\n\n", 0},
      {"cut=1\nlast=1\ntotal=0\nunreadable=x\n\n", 0},
      {PART END, 1},
      {PART "inside=a/b\nalias=c\ninside=%C3%A9\n" END, 4},
      {PART END "\n", -1},
      {PART END "x", -1},
      {PART "total=2\ncut=0\nlast=1\n", -1},
      {"", -1},
      {"\n", -1},
      {PART "total=3\ncut=0\nlast=1\n\n", -1},
      {PART PART END, -1},
      {PART "cut=0\nlast=1\n\n", -1},
      {PART "total=2\nlast=1\n\n", -1},
      {PART "total=2\ncut=0\n\n", -1},
      {PART "total=2\ntotal=2\ncut=0\nlast=1\n\n", -1},
      {PART "total=2\ncut=0\ncut=0\nlast=1\n\n", -1},
      {PART "total=2\ncut=0\nlast=1\nlast=1\n\n", -1},
      {PART "total=2\ncut=2\nlast=1\n\n", -1},
      {PART "total=2\ncut=0\nlast=\n\n", -1},
      {PART "unreadable=a\nunreadable=b\n" END, -1},
      {"inside=a\n" PART END, -1},
      {"alias=a\n" PART END, -1},
      {"text=a\n" PART END, 2},
      {"name=\ntype=b/c\nsize=2\nsha256=" SHA256_X "\n" END, -1},
      {"name=a%0Ab\ntype=b/c\nsize=2\nsha256=" SHA256_X "\n" END, -1},
      {"name=a%7Fb\ntype=b/c\nsize=2\nsha256=" SHA256_X "\n" END, -1},
      {"name=a%FF\ntype=b/c\nsize=2\nsha256=" SHA256_X "\n" END, -1},
      {"name=a%00\ntype=b/c\nsize=2\nsha256=" SHA256_X "\n" END, -1},
      {"name=a\nsize=2\ntype=b/c\nsha256=" SHA256_X "\n" END, -1},
      {"name=a\ntype=b/c\nsize=-2\nsha256=" SHA256_X "\n" END, -1},
      {"name=a\ntype=b/c\nsize=99999999999\nsha256=" SHA256_X "\n" END, -1},
      {"name=a\ntype=b/c\nsize=2\nsha256=2d71\n" END, -1},
      {"name=a\ntype=b/c\nsize=2\nsha256=x" SHA256_X "\n" END, -1},
      {"name=a\ntype=b/c\nsize=2\n" END, -1},
      {PART "size=2\n" END, -1},
      {PART "sum=2\n" END, -1},
      {"name=a\n\n", -1},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    gboolean is_last = FALSE;
    g_autoptr(Inspected) inspected =
        inspected_parse(rows[i].answer, strlen(rows[i].answer), &is_last, NULL);
    g_test_message("answer %" G_GSIZE_FORMAT, i);
    g_assert_cmpint(inspected != NULL ? (gint) inspected->parts->len : -1, ==,
                    rows[i].parts);
    g_assert_true(is_last == (inspected != NULL));
  }
}

/* No more names than there is room for. */
static void
test_parse_many(void)
{
  g_autoptr(GString) answer = g_string_new(PART);
  for (guint i = 1; i < INSPECT_MAX_NAMES; i++)
    g_string_append(answer, "inside=a/b\n");
  g_autofree char *full = g_strconcat(answer->str, END, NULL);
  g_autofree char *over = g_strconcat(answer->str, "inside=a/b\n", END, NULL);
  gboolean is_last = FALSE;
  g_autoptr(Inspected) inspected = inspected_parse(full, strlen(full), &is_last, NULL);
  g_assert_cmpuint(inspected->parts->len, ==, INSPECT_MAX_NAMES);
  g_assert_null(inspected_parse(over, strlen(over), &is_last, NULL));
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/inspect/parse", test_parse);
  g_test_add_func("/inspect/parse-many", test_parse_many);
  g_test_add_func("/inspect/parts", test_parts);
  g_test_add_func("/inspect/many", test_many);
  g_test_add_func("/inspect/threads", test_threads);
  g_test_add_func("/inspect/stalled", test_stalled);
  g_test_add("/inspect/liars", Place, NULL, set_up, test_liars, tear_down);
  g_test_add("/inspect/early", Place, NULL, set_up, test_early, tear_down);
  g_test_add("/inspect/replaced", Place, NULL, set_up, test_replaced, tear_down);
  g_test_add("/inspect/tireless", Place, NULL, set_up, test_tireless, tear_down);
  g_test_add("/inspect/missing", Place, NULL, set_up, test_missing, tear_down);
  g_test_add("/inspect/hanging", Place, NULL, set_up, test_hanging, tear_down);
  return g_test_run();
}
